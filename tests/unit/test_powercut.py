"""lib/ringlog on littlefs through power cuts: a run is cut at every single operation.

See cutsweep.py. Once clean, once with the operation half done, and once with a second cut while
the log goes on after the first. At the end the test is tested: folders that are broken.
"""

import os
import sys
import unittest

if sys.implementation.name != "micropython":
    raise unittest.SkipTest("littlefs in RAM is on the VM")

import powercut
from cutsweep import LARGE, MOUNT, SMALL, Recorded, Sweep, littlefs, unmounted
from flashdisk import Disk

from joulelog.backlog.files import Files


class Littlefs(Sweep):
    """VfsLfs2 on blocks of 4096 bytes: everything is promised."""

    @classmethod
    def setUpClass(cls):
        cls.recorded = Recorded(littlefs(), 24, 900)

    def test_the_run_has_everything(self):
        recorded = self.recorded
        image = recorded.start.copy()
        for operation in recorded.operations:
            image.apply(operation)
        disk = Disk(image, recorded.blocks)
        _, found = recorded.check(disk, len(recorded.operations))
        unmounted(disk)
        self.assertEqual(found[-1], recorded.number + recorded.steps - 1)
        self.assertGreater(len(found), 60)
        self.assertGreater(recorded.run.drops, 2)
        self.assertGreater(len(recorded.books.states), recorded.steps // 50)
        self.assertGreater(len([None for _, _, data in recorded.operations if data is None]), 30)

    def test_cut_before_every_operation(self):
        self.sweep("cuts", False)

    def test_every_operation_half_done(self):
        self.sweep("torn operations", True)

    def test_cut_again_while_it_goes_on(self):
        self.sweep_twice()

    def test_one_operation_fails_and_the_board_lives(self):
        self.fail_once(13)


class LittlefsLarge(Littlefs):
    """Files of several blocks: an append copies the last one."""

    @classmethod
    def setUpClass(cls):
        cls.recorded = Recorded(littlefs(), 24, 150, LARGE, start=powercut.HEAVY)


class WriteBehind(Files):
    """Broken: says that data are stored, and stores them the next time."""

    late: list = []

    def append(self, name, data):
        self.late.append((name, bytes(data)))
        if len(self.late) > 1:
            super().append(*self.late.pop(0))


class Rewriting(Files):
    """Broken: writes a file anew to append to it, under a name that is not there meanwhile."""

    def append(self, name, data):
        path = MOUNT + "/" + name
        try:
            with open(path, "rb") as file:
                data = file.read() + bytes(data)
            os.remove(path)
        except OSError:
            pass
        super().append(name, data)


class Altering(Files):
    """Broken: what follows the 40th write is stored with one bit less."""

    def append(self, name, data):
        Altering.count = getattr(Altering, "count", 0) + 1
        data = bytes(data)
        super().append(name, data if Altering.count < 9 else data[:-9] + b"\0" + data[-8:])


class Forgetful(Files):
    """Broken: says that a state is saved, and does nothing."""

    def append(self, name, data):
        if len(data) > 60:
            super().append(name, data)


class Harness(Sweep):
    """The test must be able to fail."""

    def objections(self, folder) -> list:
        """What the check objects to, at each cut."""
        self.recorded = Recorded(littlefs(), 24, 150, SMALL, folder)
        objections: list = []
        for number, disk, _ in self.cuts(1):
            try:
                self.recorded.check(disk, number)
            except AssertionError as error:
                objections.append(error.args[0][0])
            unmounted(disk)
        return objections

    def test_a_sound_folder(self):
        self.assertEqual(self.objections(Files), [])

    def test_broken_folders_are_found_out(self):
        for folder, objection in (
            (WriteBehind, "lost of what was reported stored"),
            (Rewriting, "lost of what was reported stored"),
            (Altering, "lost of what was reported stored"),
            (Forgetful, "state"),
        ):
            objections = self.objections(folder)
            self.assertGreater(objections.count(objection), 3, folder.__name__)
