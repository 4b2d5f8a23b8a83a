"""Starts that were too short, counted in the memory that a reset leaves as it is."""

import unittest

from resets import HARD, POWER_ON, SOFT, WATCHDOG, Machine

from joulelog.device import ends


class Board:
    CHIP = "esp32"
    WATCHDOG_MS = 60000


class TestEnds(unittest.TestCase):
    def setUp(self):
        self.real = ends.machine
        self.machine = ends.machine = Machine()

    def tearDown(self):
        ends.machine = self.real

    def begin(self, cause, board=Board):
        self.machine.cause = cause
        return ends.begin(board)

    def test_three_short_starts(self):
        self.assertEqual(self.begin(POWER_ON), "")
        ends.end("the first")
        self.assertEqual(self.begin(HARD), "")
        ends.doing("p1")
        ends.doing("wifi")
        self.assertEqual(self.begin(WATCHDOG), "")
        ends.end("ValueError: wrong")
        self.assertIn("ValueError: wrong", self.begin(HARD))
        ends.doing("p1")
        self.assertEqual(self.begin(WATCHDOG), "watchdog, while p1 was at work")
        # Nobody knows what it was doing when it crashed.
        self.assertEqual(self.begin(HARD), "a crash")

    def test_a_minute_is_long_enough(self):
        for _ in range(10):
            self.assertEqual(self.begin(HARD), "")
            ends.doing("p1")
            ends.steady()
            ends.doing("p1")  # no more
            ends.end("a restart of its own, an hour later")

    def test_what_a_person_ends_is_none(self):
        for _ in range(20):
            self.assertEqual(self.begin(POWER_ON), "")  # the memory may outlive that
        for _ in range(20):
            self.assertEqual(self.begin(HARD), "")
            ends.left()  # Ctrl-C

        class Esp8266(Board):
            CHIP = "esp8266"

        for _ in range(20):
            self.assertEqual(self.begin(HARD, Esp8266), "")  # its reset button
        for _ in range(3):
            self.begin(SOFT, Esp8266)
            ends.end("one")
        self.assertEqual(self.begin(SOFT, Esp8266), "one")

    def test_a_normal_start_after_ten_minutes_then_hourly(self):
        for cause in (POWER_ON, HARD, HARD):
            self.begin(cause)
            ends.end("no")
        stays = []
        for _ in range(4):
            self.assertEqual(self.begin(HARD), "no")
            stays.append(ends.stay_ms() // 60000)
            self.assertEqual(self.begin(HARD), "")  # the normal one
            ends.end("no")
        self.assertEqual(stays, [10, 60, 60, 60])
        self.begin(HARD)
        ends.steady()
        for _ in range(3):
            self.assertEqual(self.begin(HARD), "")
            ends.end("no")
        self.begin(HARD)
        self.assertEqual(ends.stay_ms(), 600000)

    def test_whatever_is_in_the_memory(self):
        for kept in (b"", b"JL1", b"JL1\x01\xff\xff\xff\xfe", b"another program's", b"\xff" * 300):
            self.machine.kept = kept
            self.assertEqual(self.begin(HARD), "")
            self.assertTrue(self.machine.kept[:3] == b"JL1")
        for text in ("\u00e4" * 300, "x" + "\u20ac" * 300, "\U0001f600" * 300):
            self.machine.kept = b""
            self.begin(POWER_ON)
            ends.end(text)
            for _ in range(2):
                self.begin(HARD)
                ends.end(text)
            told = self.begin(HARD)
            self.assertTrue(len(told) >= 40 and text[: len(told)] == told, told)
            self.assertTrue(len(self.machine.kept) < 300)

    def test_a_computer_counts_nothing(self):
        class Host:
            NAME = "HOST"

        for _ in range(9):
            self.assertEqual(self.begin(WATCHDOG, Host), "")
        self.assertEqual(self.machine.kept, b"")


if __name__ == "__main__":
    unittest.main()
