"""start.run: what a person sees of a config that cannot work, and how the app ends.

The clock moves when somebody waits; the LED's pin is a fake that keeps the times of its changes,
and presses Ctrl-C after some. Everything else is real.
"""

import asyncio
import logging
import os
import sys
import unittest

import machine

from joulelog import app as app_module  # noqa: F401 - loaded with the real machine
from joulelog import clock, registry, start
from joulelog.device import ends
from joulelog.errors import ConfigError

ROOT = "/".join(__file__.split("/")[:-3]) or "."
DIRECTORY = "build/test_start"


class Pressed(KeyboardInterrupt):
    """Somebody pressed Ctrl-C; a class of its own, so that no test runner takes it for its own."""


class Board:
    NAME = "TEST"
    CHIP = "esp32"
    UARTS: dict = {}
    LED = None
    LOG_DIRECTORY = DIRECTORY
    FEATURES = ("meter", "led", "console", "pulse", "dsmr")  # no set-up


class BoardWithLed(Board):
    LED = {"pin": 2, "active": 0}


class LedPin:
    """A pin that presses Ctrl-C after a while."""

    OUT = 1
    changes: list = []  # (ms, level)

    def __init__(self, pin, mode=-1, value=None) -> None:
        self.value(value)

    def value(self, level) -> None:
        if not self.changes or self.changes[-1][1] != level:
            self.changes.append((clock.uptime_ms(), level))
        if len(self.changes) > 40:
            raise Pressed


class Parts:
    """Stands for a module."""

    def __init__(self, **parts) -> None:
        for name in parts:
            setattr(self, name, parts[name])


class Reader:
    """Logs a line, and then this happens."""

    ends_with: BaseException = Pressed()

    def __init__(self, name, entry, output) -> None:
        self.name = name

    def describe(self) -> str:
        return "a test"

    async def run(self) -> None:
        await clock.sleep_ms(100)
        logging.getLogger(self.name).info("the last words")
        await clock.sleep_ms(100)
        raise self.ends_with


class Start(unittest.TestCase):
    def setUp(self):
        self.ms = 0
        self.originals = (clock.uptime_ms, clock.sleep_ms, registry.READERS)
        root = logging.getLogger()
        self.root = (root.handlers, root.level)
        clock.uptime_ms = lambda: self.ms
        clock.sleep_ms = self.sleep_ms
        sys.modules["start_meter"] = Parts(SCHEMA="", NEEDS=(), Reader=Reader)
        registry.READERS = (("meter", "start_meter"),)
        LedPin.changes = []
        for name in ("joulelog.log", "lastLog.log"):
            try:
                os.remove(DIRECTORY + "/" + name)
            except OSError:
                pass

    def tearDown(self):
        clock.uptime_ms, clock.sleep_ms, registry.READERS = self.originals
        root = logging.getLogger()
        root.handlers = self.root[0]
        root.setLevel(self.root[1])
        sys.modules["machine"] = machine
        asyncio.new_event_loop()  # MicroPython keeps the tasks of a loop that was left

    async def sleep_ms(self, ms):
        self.ms += ms
        await asyncio.sleep(0)

    def log(self):
        with open(DIRECTORY + "/joulelog.log") as file:
            return file.read()

    def config(self, **changes):
        found = {"readers": [{"type": "meter"}], "sinks": []}
        found.update(changes)
        return Parts(**found)

    def test_a_wrong_config_is_an_error_on_a_computer(self):
        class Computer(Board):
            NAME = "HOST"

        with self.assertRaises(ConfigError):
            start.run(self.config(device=7), Computer)

    def test_a_wrong_config_is_told_and_tried_again_later(self):
        ends.left()
        for minutes in (10, 60, 60):
            self.ms = 0
            with self.assertRaises(SystemExit):  # the shim's reset
                start.run(self.config(device=7), Board)
            self.assertEqual(self.ms // 60000, minutes)
        self.assertIn("ERROR safe: config: `device` is 7; allowed is text in quotes", self.log())
        self.assertIn("the next normal start is in 10 minutes", self.log())

    def test_a_wrong_config_blinks_meanwhile(self):
        sys.modules["machine"] = Parts(Pin=LedPin, unique_id=lambda: b"chip")
        with self.assertRaises(Pressed):
            start.run(self.config(device=7), BoardWithLed)
        levels = [level for _, level in LedPin.changes]
        self.assertEqual(
            levels[:8], [0, 1] * 4
        )  # on, at once: this LED shines when its pin is low

    def printed(self, config, board):
        """What the start says of it; True where it blinks then until Ctrl-C."""
        from joulelog import safe  # dropped by each run

        lines = []
        start.print = safe.print = lines.append  # type: ignore[attr-defined]
        sys.modules["machine"] = Parts(Pin=LedPin, unique_id=lambda: b"chip")
        blinks = False
        try:
            start.run(config, board)
        except Pressed:
            blinks = True
        finally:
            del start.print, safe.print  # type: ignore[attr-defined]
        return "\n".join(lines), blinks

    def test_a_board_with_the_shipped_config_says_what_to_do_and_waits(self):
        config: dict = {}
        with open(ROOT + "/firmware/config.py") as file:
            exec(file.read(), config)
        shipped = Parts(**{key: config[key] for key in ("readers", "sinks")})
        said, blinks = self.printed(shipped, Board)
        self.assertFalse(blinks)
        self.assertIn("This TEST is not configured yet: nothing is measured", said)
        self.assertIn('readers[0] is "sim", a simulated meter, which only a computer has', said)
        self.assertIn("make config PORT=", said)
        said, blinks = self.printed(shipped, BoardWithLed)
        self.assertTrue(blinks)
        self.assertIn("not configured yet", said)
        self.assertIn("Ctrl-C leaves for the REPL", said)
        self.assertEqual([level for _, level in LedPin.changes][:4], [0, 1, 0, 1])

    def test_no_simulated_meter_on_a_board_beside_a_real_one(self):
        pulse = {"type": "pulse", "pin": "sim", "pulses_per_kwh": 1000}
        readers = [{"type": "meter"}, pulse, {"type": "dsmr", "uart": "sim"}]
        said, _ = self.printed(self.config(readers=readers), Board)
        self.assertIn("readers[1], readers[2] is", said)

    def test_on_a_computer_it_is_no_mistake(self):
        class Computer(Board):
            NAME = "HOST"

        registry.READERS = (("meter", "start_meter"),)
        sys.modules["start_meter"] = Parts(
            SCHEMA="uart | uart | null | a line\n", NEEDS=(), Reader=Reader
        )
        Reader.ends_with = Pressed()
        readers = [{"type": "meter", "uart": "sim"}]
        with self.assertRaises(Pressed):
            start.run(self.config(readers=readers), Computer)
        self.assertIn("the last words", self.log())

    def test_set_up_has_room_but_for_files_in_a_small_heap(self):
        for path, free, tight in (
            ("joulelog/start.py", 110000, False),  # frozen
            ("/rom/joulelog/start.mpy", 110000, False),
            ("/lib/joulelog/start.mpy", 110000, True),
            ("/lib/joulelog/start.mpy", 4000000, False),  # PSRAM
        ):
            self.assertEqual(start._is_tight(path, free), tight, path)

    def test_ctrl_c_leaves_the_log_on_the_flash(self):
        Reader.ends_with = Pressed()
        with self.assertRaises(Pressed):
            start.run(self.config(), Board)
        self.assertIn("the last words", self.log())

    def test_so_does_an_exit(self):
        Reader.ends_with = SystemExit(86)
        with self.assertRaises(SystemExit):
            start.run(self.config(), Board)
        self.assertIn("the last words", self.log())


if __name__ == "__main__":
    unittest.main()
