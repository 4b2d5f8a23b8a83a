"""Sweeps over the power cuts of a recorded run: littlefs in test_powercut.py, FAT in its own file.

The operations of one whole run are recorded. For each of them the image as it was before is
mounted, behind a layer that takes what is written; the log is opened and read. Everything that
was reported stored must be there with its exact values, nothing else may be, and the state is
the last that was reported saved, or one that was being saved. JOULELOG_LONG=1: of all operations,
else of every fifth.
"""

import gc
import os
import time
import unittest

import vfs
from flashdisk import Disk, Image, replay
from powercut import Books, Run, opened
from ringlog.ringlog import Log
from same_source import make_source

from joulelog.backlog.files import Files

MOUNT = "/cut"
SMALL = (4000, 1000, 256)  # capacity, segment, page: segments of one block
EVERY = 1 if os.getenv("JOULELOG_LONG") else 5
LARGE = (15000, 5000, 1024)  # segments of two blocks


def mounted(disk) -> None:
    if disk.block_bytes == 4096:
        vfs.mount(vfs.VfsLfs2(disk), MOUNT)
    else:
        vfs.mount(vfs.VfsFat(disk), MOUNT)


def unmounted(disk) -> None:
    if disk.dead:
        disk.gone = True  # file objects left behind are finalised here, and write nothing
        gc.collect()
    disk.dead = True
    vfs.umount(MOUNT)


def new_log(sizes=SMALL, folder=Files):
    return opened(Log(folder(MOUNT), *sizes, make_source))


class Recorded:
    """One whole run on a disk that notes its operations."""

    def __init__(
        self, image: Image, blocks: int, steps: int, sizes=SMALL, folder=Files, start: int = 0
    ) -> None:
        self.start = image  # formatted, nothing else
        self.blocks = blocks
        self.sizes = sizes
        self.steps = steps
        disk = Disk(image, blocks)
        self.number = start
        self.books = Books(disk, start)
        mounted(disk)
        self.run = Run(new_log(sizes, folder), self.books, start)
        self.run.work(steps)
        unmounted(disk)
        self.operations = disk.operations

    def check(self, disk, at: int, **known) -> tuple:
        """Mount a cut, open the log, compare; return (log, numbers)."""
        mounted(disk)
        log = new_log(self.sizes)
        return log, self.books.check(log, at, **known)


def littlefs(blocks: int = 24) -> Image:
    disk = Disk(Image(4096), blocks)
    vfs.VfsLfs2.mkfs(disk)
    return flat(disk)


def fat(sectors: int) -> Image:
    disk = Disk(Image(512, 0), sectors)
    vfs.VfsFat.mkfs(disk)
    return flat(disk)


def flat(disk) -> Image:
    """What is on a disk, as an image."""
    image = disk.below.copy()
    for operation in disk.operations:
        image.apply(operation)
    return image


class Sweep(unittest.TestCase):
    """What is asked of every file system; the classes below name theirs."""

    recorded: Recorded

    def tearDown(self):
        try:
            vfs.umount(MOUNT)
        except OSError:  # as it is, unless the test failed
            pass

    def cuts(self, every=EVERY):
        """Yield (number of an operation, medium as it was before, the operation)."""
        recorded = self.recorded
        number = 0
        for image, operation in replay(recorded.start.copy(), recorded.operations):
            if number % every == 0:
                yield number, Disk(image, recorded.blocks), operation
            number += 1

    def say(self, what: str, count: int, started: float) -> None:
        """For the evidence; a sweep has to take less than a minute."""
        spent = time.clock() - started
        name = type(self).__name__.lower()
        print("%s: %d %s, all held; %.1f s of CPU time" % (name, count, what, spent))
        self.assertLess(spent, 60)

    def sweep(self, what: str, torn: bool) -> None:
        started = time.clock()
        count = 0
        for number, disk, operation in self.cuts():
            if torn:
                disk.half(operation)
            self.recorded.check(disk, number)
            unmounted(disk)
            count += 1
        self.say(what, count, started)

    def sweep_twice(self) -> None:
        """Go on after each cut, and cut that again, each time at another operation of it.

        Every second operation is half done, the first time and the second time.
        """
        started = time.clock()
        recorded = self.recorded
        again = 0
        for number, disk, operation in self.cuts():
            torn = number % 2
            if torn:
                disk.half(operation)
            log, found = recorded.check(disk, number)
            following = found[-1] + 1 if found else recorded.number
            books = Books(disk, following)
            books.states = [(0, 0, dict(log.state))]
            books.removals = [(0, 0, found[0] if found else following)]
            disk.left = number * 7 % 37 % (number % 29 + 4)
            try:
                Run(log, books, following).work(20)
            except OSError:
                self.assertTrue(disk.dead)
            again += disk.dead
            unmounted(disk)
            second = Disk(disk, recorded.blocks)
            if torn and disk.attempted:
                second.half(disk.attempted)
            mounted(second)
            log = new_log(recorded.sizes)
            books.check(log, len(disk.operations))
            unmounted(second)
        self.say("second cuts", again, started)
        self.assertGreater(again, number // EVERY // 3)

    def fail_once(self, stride: int) -> None:
        """OSError; the page stays in RAM; nothing is stored twice when it is tried again."""
        started = time.clock()
        count = 0
        for fail_at in range(0, len(self.recorded.operations), stride * EVERY):
            disk = Disk(self.recorded.start, self.recorded.blocks)
            disk.fail_at = fail_at
            mounted(disk)
            recorded = self.recorded
            books = Books(disk, recorded.number)
            run = Run(new_log(recorded.sizes), books, recorded.number)
            run.work(self.recorded.steps, retries=1)
            gc.collect()  # file objects left behind
            self.assertEqual(disk.fail_at, -1)
            books.check(run.log, len(disk.operations))  # the log that met the failure
            unmounted(disk)
            again = Disk(disk, self.recorded.blocks)
            mounted(again)
            books.check(new_log(self.recorded.sizes), len(disk.operations))
            unmounted(again)
            count += 1
        self.say("failures of one operation", count, started)
