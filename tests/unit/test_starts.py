"""Who asks for set-up mode by switching on, or by the button before a restart."""

import os
import unittest

from folders import ensure_folder
from resets import HARD, REGISTER, Machine

from joulelog.device import ends, starts
from joulelog.device.state import Store

FOLDER = "build/starts-test"


class Board:
    CHIP = "esp32"
    LOG_DIRECTORY = FOLDER
    RESET_STATE = REGISTER
    WATCHDOG_MS = 60000


class TestStarts(unittest.TestCase):
    def setUp(self):
        ensure_folder(FOLDER)
        for name in os.listdir(FOLDER):
            os.remove(FOLDER + "/" + name)
        self.real = starts.machine
        self.machine = starts.machine = ends.machine = Machine()

    def tearDown(self):
        starts.machine = ends.machine = self.real

    def start(self):
        return starts.asked({}, Board)

    def test_asking_for_set_up_is_none(self):
        store = Store(FOLDER)
        store.open()
        self.machine.cause = HARD
        for _ in range(5):
            self.assertEqual(ends.begin(Board), "")
            starts.ask(store, "button")
            ends.end("its button asks for set-up")

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
