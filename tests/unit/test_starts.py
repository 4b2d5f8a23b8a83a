"""Who asks for set-up mode by switching on, or by the button before a restart."""

import os
import unittest

from folders import ensure_folder

from joulelog.device import starts
from joulelog.device.state import Store

FOLDER = "build/starts-test"
REGISTER = 0x60008038


POWER_ON, HARD, WATCHDOG, SOFT = 1, 2, 3, 5


class Board:
    CHIP = "esp32"
    LOG_DIRECTORY = FOLDER
    RESET_STATE = REGISTER
    WATCHDOG_MS = 60000


class Machine:
    PWRON_RESET = POWER_ON
    HARD_RESET = HARD
    WDT_RESET = WATCHDOG
    SOFT_RESET = SOFT

    def __init__(self) -> None:
        self.cause = POWER_ON
        self.kept = b""  # the RTC's memory
        self.mem32 = {REGISTER: 0xABC0 | 1}  # other bits belong to the other core

    def reset_cause(self):
        return self.cause

    def RTC(self):
        return self

    def memory(self, data=None):
        if data is None:
            return self.kept
        self.kept = data


class TestStarts(unittest.TestCase):
    def setUp(self):
        ensure_folder(FOLDER)
        for name in os.listdir(FOLDER):
            os.remove(FOLDER + "/" + name)
        self.real = starts.machine
        self.machine = starts.machine = Machine()

    def tearDown(self):
        starts.machine = self.real

    def start(self):
        return starts.asked({}, Board)

    def begin(self, cause, board=Board):
        self.machine.cause = cause
        return starts.begin(board)

    def test_three_short_starts(self):
        self.assertEqual(self.begin(POWER_ON), "")
        starts.end("the first")
        self.assertEqual(self.begin(HARD), "")
        starts.doing("p1")
        starts.doing("wifi")
        self.assertEqual(self.begin(WATCHDOG), "")
        starts.end("ValueError: wrong")
        self.assertIn("ValueError: wrong", self.begin(HARD))
        starts.doing("p1")
        self.assertEqual(self.begin(WATCHDOG), "watchdog, while p1 was at work")
        # Nobody knows what it was doing when it crashed.
        self.assertEqual(self.begin(HARD), "a crash")

    def test_a_minute_is_long_enough(self):
        for _ in range(10):
            self.assertEqual(self.begin(HARD), "")
            starts.doing("p1")
            starts.steady()
            starts.doing("p1")  # no more
            starts.end("a restart of its own, an hour later")

    def test_what_a_person_ends_is_none(self):
        for _ in range(20):
            self.assertEqual(self.begin(POWER_ON), "")  # the memory may outlive that
        for _ in range(20):
            self.assertEqual(self.begin(HARD), "")
            starts.left()  # Ctrl-C

        class Esp8266(Board):
            CHIP = "esp8266"

        for _ in range(20):
            self.assertEqual(self.begin(HARD, Esp8266), "")  # its reset button
        for _ in range(3):
            self.begin(SOFT, Esp8266)
            starts.end("one")
        self.assertEqual(self.begin(SOFT, Esp8266), "one")

    def test_asking_for_set_up_is_none(self):
        store = Store(FOLDER)
        store.open()
        for _ in range(5):
            self.assertEqual(self.begin(HARD), "")
            starts.ask(store, "button")
            starts.end("its button asks for set-up")

    def test_a_normal_start_after_ten_minutes_then_hourly(self):
        for cause in (POWER_ON, HARD, HARD):
            self.begin(cause)
            starts.end("no")
        stays = []
        for _ in range(4):
            self.assertEqual(self.begin(HARD), "no")
            stays.append(starts.stay_ms() // 60000)
            self.assertEqual(self.begin(HARD), "")  # the normal one
            starts.end("no")
        self.assertEqual(stays, [10, 60, 60, 60])
        self.begin(HARD)
        starts.steady()
        for _ in range(3):
            self.assertEqual(self.begin(HARD), "")
            starts.end("no")
        self.begin(HARD)
        self.assertEqual(starts.stay_ms(), 600000)

    def test_whatever_is_in_the_memory(self):
        for kept in (b"", b"JL1", b"JL1\x01\xff\xff\xff\xfe", b"another program's", b"\xff" * 300):
            self.machine.kept = kept
            self.assertEqual(self.begin(HARD), "")
            self.assertTrue(self.machine.kept[:3] == b"JL1")
        for text in ("\u00e4" * 300, "x" + "\u20ac" * 300, "\U0001f600" * 300):
            self.machine.kept = b""
            self.begin(POWER_ON)
            starts.end(text)
            for _ in range(2):
                self.begin(HARD)
                starts.end(text)
            told = self.begin(HARD)
            self.assertTrue(len(told) >= 40 and text[: len(told)] == told, told)
            self.assertTrue(len(self.machine.kept) < 300)

    def test_a_computer_counts_nothing(self):
        class Host:
            NAME = "HOST"

        for _ in range(9):
            self.assertEqual(self.begin(WATCHDOG, Host), "")
        self.assertEqual(self.machine.kept, b"")

    def test_five_switch_ons(self):
        self.assertEqual([self.start() for _ in range(5)], [""] * 4 + ["switch-ons"])
        self.assertEqual([self.start() for _ in range(5)], [""] * 4 + ["switch-ons"])

    def test_no_other_reset_counts(self):
        for cause, reason in ((3, 1), (2, 1), (1, 15)):
            told = []
            for number in range(12):
                self.machine.cause = cause if number % 2 else 1
                self.machine.mem32[REGISTER] = 0x40 | (reason if number % 2 else 1)
                told.append(self.start())
            self.assertEqual(told, [""] * 12)

    def test_a_board_that_does_not_tell_a_brown_out(self):
        class Esp8266:
            LOG_DIRECTORY = FOLDER

        self.assertEqual([starts.asked({}, Esp8266) for _ in range(5)][4], "switch-ons")

    def test_the_button_is_asked_for_once(self):
        for why in ("button", "erase"):
            store = Store(FOLDER)
            store.open()
            starts.ask(store, why)
            self.machine.cause = 2
            self.assertEqual([self.start(), self.start()], [why, ""])

    def test_what_else_is_in_the_state_stays(self):
        store = Store(FOLDER)
        store.open()
        store.set("boots", 7)
        store.save_now()
        self.start()
        store = Store(FOLDER)
        store.open()
        self.assertEqual(store.get("boots"), 7)


if __name__ == "__main__":
    unittest.main()
