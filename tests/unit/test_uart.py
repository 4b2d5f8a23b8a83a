"""What a UART is opened with: the board's data, the entry's wishes, and what init() forgets."""

import unittest

from wire import Board

from joulelog.device import uart


class Machine:
    """Records what the chip is asked for."""

    def __init__(self) -> None:
        self.asked: list = []
        asked = self.asked

        class UART:
            INV_RX = 4

            def __init__(self, number, baudrate, **options) -> None:
                asked.append(("open", number, baudrate, options))

            def init(self, baudrate, **options) -> None:
                asked.append(("init", baudrate, options))

        class Pin:
            PULL_UP = 2
            PULL_DOWN = 1

            def __init__(self, number, **options) -> None:
                asked.append(("pin", number, options))

        self.UART = UART
        self.Pin = Pin


class Small(Board):
    NAME = "SMALL"
    CHIP = "esp8266"
    UARTS = {0: {"tx": 1, "rx": 3}}


class TestUart(unittest.TestCase):
    def setUp(self) -> None:
        self.real = uart.machine
        self.freed = uart._free_uart
        self.machine = Machine()
        uart.machine = self.machine
        uart._free_uart = lambda: self.machine.asked.append("free")

    def tearDown(self) -> None:
        uart.machine = self.real
        uart._free_uart = self.freed

    def open(self, entry: dict, board=Board):
        line = uart.Line(board, entry, (115200, 8, None, 1), (9600, 7, 0, 1))
        line.ready()
        line.tune(1)
        return self.machine.asked

    def test_pins_of_the_board(self):
        first = {"bits": 8, "parity": None, "stop": 1, "rxbuf": 4096, "tx": 17, "rx": 16}
        then = {"bits": 7, "parity": 0, "stop": 1}
        asked = self.open({"uart": 2, "tx": None, "invert": False})
        self.assertEqual(asked, [("open", 2, 115200, first), ("init", 9600, then)])

    def test_pins_of_the_entry_are_said_again(self):
        asked = self.open({"uart": 2, "rx": 0, "invert": True})
        self.assertEqual(asked[0][3]["rx"], 0)
        self.assertEqual(asked[0][3]["tx"], 17)
        self.assertEqual(asked[0][3]["invert"], 4)
        again = {"bits": 7, "parity": 0, "stop": 1, "rx": 0, "invert": 4}
        self.assertEqual(asked[1], ("init", 9600, again))

    def test_an_esp8266_keeps_its_second_pair(self):
        asked = self.open({"uart": 0, "tx": 15, "rx": 13}, Small)
        self.assertEqual(asked[0], "free")
        for options in (asked[1][3], asked[2][2]):
            self.assertEqual((options["tx"], options["rx"]), (15, 13))
        self.assertTrue("rxbuf" not in asked[2][2])

    def test_an_esp8266_is_not_told_its_usual_pins(self):
        self.assertTrue("rx" not in self.open({"uart": 0}, Small)[1][3])

    def test_pull_follows_each_init(self):
        for entry, pin in (({"uart": 2}, 16), ({"uart": 2, "rx": 5}, 5)):
            for pull, value in (("up", 2), ("down", 1), ("none", None)):
                del self.machine.asked[:]
                asked = self.open(dict(entry, pull=pull))
                steps = [step[0] for step in asked]
                self.assertEqual(steps, ["open", "pin", "init", "pin"])
                self.assertEqual(asked[1], ("pin", pin, {"pull": value}))
                self.assertEqual(asked[3], asked[1])


if __name__ == "__main__":
    unittest.main()
