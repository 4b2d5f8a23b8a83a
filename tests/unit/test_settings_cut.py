"""The settings on littlefs, the power cut at every flash operation: old or new, none never.

Three changes and an erase are recorded; each operation of them is the last one once, whole and
half done. After the cut the settings are those before the change or those behind it, and the next
change can be written.
"""

import sys
import unittest

if sys.implementation.name != "micropython":
    raise unittest.SkipTest("littlefs in RAM is on the VM")

import vfs
from cutsweep import MOUNT, littlefs, mounted, unmounted
from flashdisk import Disk, replay

from joulelog.config import settings

BLOCKS = 24
# More than a block of the flash: littlefs keeps small files beside their names.
MANY = [
    {"type": "mqtt", "host": "x%d" % n, "topic": "energy" * 60, "name": "n%d" % n}
    for n in range(12)
]
STORY = (
    {"device": "first", "sinks": [{"type": "console", "style": "lines"}]},
    {"device": "second", "wifi": {"ssid": "home", "password": "correct horse"}},
    {"wifi": {"ssid": "garden", "password": "12345678"}, "sinks": MANY},
)


class Board:
    NAME = "HOST"
    UARTS: dict = {}
    LOG_DIRECTORY = MOUNT


def change(sections: dict) -> None:
    found = settings.opened({}, Board)
    for name in sections:
        found.set(name, sections[name])
    found.save()


def counts() -> dict:
    config, told = settings.over({}, Board)
    return dict(config)


class TestCut(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.start = littlefs(BLOCKS)
        disk = Disk(cls.start, BLOCKS)
        mounted(disk)
        cls.states: list = [{}]
        cls.begins: list = []  # the number of operations before each change
        for sections in STORY:
            cls.begins.append(len(disk.operations))
            change(sections)
            cls.states.append(counts())
        cls.begins.append(len(disk.operations))
        settings.erase({}, Board)
        cls.states.append({})
        cls.operations = disk.operations
        unmounted(disk)

    def tearDown(self):
        try:
            vfs.umount(MOUNT)
        except OSError:  # as it is, unless the test failed
            pass

    def expected(self, number: int) -> list:
        """What may count when the power goes at this operation."""
        step = 0
        while step < len(self.begins) and self.begins[step] <= number:
            step += 1
        if step == len(self.begins):  # erased: the older file goes first, so the newest or none
            return [self.states[-2], {}]
        return self.states[step - 1 : step + 1]

    def sweep(self, torn: bool) -> None:
        number = 0
        seen: list = []
        for image, operation in replay(self.start.copy(), self.operations):
            disk = Disk(image, BLOCKS)
            if torn:
                disk.half(operation)
            mounted(disk)
            found = counts()
            self.assertTrue(found in self.expected(number), (number, found))
            if found not in seen:
                seen.append(found)
            change({"device": "behind"})
            self.assertEqual(counts()["device"], "behind")
            unmounted(disk)
            number += 1
        self.assertTrue(number > 20, number)
        self.assertEqual(len(seen), len(STORY) + 1)  # none was skipped

    def test_before_every_operation(self):
        self.sweep(False)

    def test_every_operation_half_done(self):
        self.sweep(True)


if __name__ == "__main__":
    unittest.main()
