"""The pins of a config's entries: every message says what, where and what is allowed."""

import unittest

from joulelog import registry
from joulelog.config import pins


class Board:
    NAME = "TEST"
    UARTS = {1: {"tx": 0, "rx": 2}, 2: {"tx": 17, "rx": 16}}
    GPIO = (0, 2, 3, 4, 5, 9, 16, 17, 34)
    INPUT_ONLY = (34,)
    STRAPPING = ((2, "low: may not start"), (9, "low: download mode"))
    LED = {"pin": 3, "active": 1, "pwm": True}
    SD = {"sck": 5}
    REQUEST = 4
    CAN_PULL = True


class Small:
    """As an ESP8266."""

    NAME = "SMALL"
    UARTS = {0: {"tx": 1, "rx": 3}}
    UART_PAIRS = ((1, 3), (15, 13))
    GPIO = (1, 3, 13, 15)
    INPUT_ONLY = ()
    STRAPPING = ((15, "high: no start from flash"),)
    LED = None
    SD = None
    REQUEST = None
    CAN_PULL = False


class Computer:
    NAME = "HOST"
    UARTS: dict = {}


def found(entry: dict, board=Board, taken=None) -> list:
    return list(pins.problems("readers[0]", entry, board, {} if taken is None else taken))


class TestPins(unittest.TestCase):
    def one(self, entry: dict, *parts, board=Board) -> None:
        texts = found(entry, board)
        self.assertEqual(len(texts), 1, texts)
        for part in parts:
            self.assertTrue(part in texts[0], texts[0])

    def test_the_boards_own_pins(self):
        self.assertEqual(found({"uart": 1}), [])  # RX is a strapping pin, but wired so
        self.assertEqual(found({"uart": 1, "rx": 2, "request_pin": 4, "tx": None}), [])
        self.assertEqual(found({"type": "replay"}), [])

    def test_no_output_on_a_pin_that_only_receives(self):
        self.assertEqual(found({"uart": 2, "rx": 34}), [])
        for key in ("tx", "de", "rts", "request_pin"):
            self.one(
                {"uart": 2, key: 34},
                "`%s` is GPIO 34" % key,
                "only receive",
                "allowed: 0, 4, 17" if key == "tx" else "allowed: 0, 4",
            )

    def test_no_pull_on_a_pin_that_only_receives(self):
        self.assertEqual(found({"uart": 2, "pull": "up"}), [])
        self.assertEqual(found({"uart": 2, "rx": 34, "pull": "none"}), [])
        self.one({"uart": 2, "rx": 34, "pull": "up"}, "`pull`", "GPIO 34", "solder")
        self.one({"uart": 0, "pull": "up"}, "`pull`", "SMALL", "solder", board=Small)
        self.one({"uart": "/dev/ttyUSB0", "pull": "up"}, "`pull`", "HOST", board=Computer)

    def test_no_strapping_pin(self):
        for key in ("rx", "request_pin", "pin"):
            self.one({"uart": 2, key: 9}, "`%s` is GPIO 9" % key, "low: download mode")

    def test_every_pin_has_one_user(self):
        self.one({"uart": 2, "request_pin": 16}, "`request_pin` is GPIO 16, which readers[0] uses")
        self.one({"uart": 2, "request_pin": 3}, "GPIO 3, which the board's LED uses already")
        self.one({"uart": 2, "rx": 5}, "GPIO 5, which the board's SD card uses already")
        taken: dict = {}
        self.assertEqual(found({"uart": 2, "request_pin": 4}, taken=taken), [])
        texts = list(pins.problems("readers[1]", {"uart": 1, "tx": 4}, Board, taken))
        text = "`tx` is GPIO 4, which readers[0] uses already; give each its own"
        self.assertEqual(texts, [text])
        texts = list(pins.problems("readers[2]", {"pin": 16}, Board, taken))
        self.assertEqual(
            texts, ["`pin` is GPIO 16, which readers[0] uses already; give each its own"]
        )

    def test_pins_that_come_in_pairs(self):
        self.assertEqual(found({"uart": 0}, Small), [])
        self.assertEqual(found({"uart": 0, "tx": 1, "rx": 3}, Small), [])
        allowed = "allowed: `tx` 1 with `rx` 3 or `tx` 15 with `rx` 13"
        self.one({"uart": 0, "rx": 13}, "`tx` is None and `rx` 13", allowed, board=Small)
        self.one({"uart": 0, "rx": 13, "tx": 1}, "`tx` is 1 and `rx` 13", allowed, board=Small)
        # The second pair's TX is a strapping pin; the chip leaves no choice.
        self.assertEqual(found({"uart": 0, "tx": 15, "rx": 13}, Small), [])

    def test_a_computer_has_no_pins(self):
        self.assertEqual(found({"uart": "/dev/ttyUSB0", "tx": 99, "pull": None}, Computer), [])

    def test_every_pin_key_of_every_module_has_a_role(self):
        known = [key for key, _ in pins.ROLES]
        for table in (registry.READERS, registry.SINKS):
            for name in registry.names(table):
                try:
                    tables = registry.module(table, name).SCHEMA
                except ImportError:
                    continue  # a package that this machine has not
                for text in (tables,) if isinstance(tables, str) else tables:
                    for line in text.split("\n"):
                        parts = [part.strip() for part in line.split("|")]
                        if len(parts) > 2 and parts[1] == "pin":
                            self.assertTrue(parts[0] in known, parts[0])


if __name__ == "__main__":
    unittest.main()
