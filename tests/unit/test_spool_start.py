"""How the spool is opened on real file systems: what cannot be used, and too little room."""

import asyncio
import logging
import os
import unittest

from folders import ensure_folder
from ramdisk import RamDisk
from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.backlog import opening
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source

try:
    import vfs  # type: ignore[import-not-found]
except ImportError:  # CPython
    vfs = None

BUILD = "build/test_spool_start"
START = 848000000
P1 = Source("p1", (("power", "W", 0, "measurement", "power"),))


class Said(logging.Handler):
    """What was logged."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        text = record.getMessage() if hasattr(record, "getMessage") else record.message
        self.lines.append(record.levelname + " " + text)


class App:
    """As much of an app as opening.py wants to know."""

    def __init__(self, place, flash_kb=None, slots=8):
        self.place = place
        self.about = {
            "slots": slots,
            "flash_kb": flash_kb,
            "durability": "spill",
            "sync_seconds": 60,
        }
        self.clock = clock.Clock()
        self.clock.set(START, "ntp")
        self.queue = Queue(slots, self.clock, 1)
        self.cursor = self.queue.cursor("mqtt")
        self.cursor.durable = True


class Case(unittest.TestCase):
    def opened(self, app):
        """(spool, lines that were logged)."""
        said = Said()
        root = logging.getLogger()
        before = root.handlers
        root.handlers = [said]
        try:
            spool = opening.of(app.queue, app.place, app.about, False, {})
        finally:
            root.handlers = before
        return spool, said.lines

    def refused(self, place):
        app = App(place)
        spool, lines = self.opened(app)
        self.assertTrue(spool is None and app.queue.spool is None)
        self.assertEqual(len(lines), 1)
        for word in ("ERROR", place, "RAM only", "`queue.directory`"):
            self.assertTrue(word in lines[0], lines)
        self.assertEqual((app.queue.first, app.cursor.stored), (0, None))


class TestPlaces(Case):
    def setUp(self):
        ensure_folder(BUILD)
        with open(BUILD + "/file", "w") as file:
            file.write("no folder")

    def test_a_file_in_its_place(self):
        self.refused(BUILD + "/file")

    def test_below_a_file(self):
        self.refused(BUILD + "/file/spool")

    def test_below_what_is_not_there(self):
        self.refused(BUILD + "/none/of/these")

    def test_what_is_there_is_left_as_it_was(self):
        ensure_folder(BUILD + "/good")
        spool, lines = self.opened(App(BUILD + "/good"))
        self.assertEqual((os.listdir(BUILD + "/good"), lines), ([], []))
        self.assertTrue(spool.log.capacity > 0)


class TestRoom(Case):
    def test_more_than_the_file_system_has(self):
        ensure_folder(BUILD + "/good")
        wanted = 1 << 40  # kB
        spool, lines = self.opened(App(BUILD + "/good", wanted))
        self.assertTrue(8192 <= spool.log.capacity < wanted * 1000)
        self.assertTrue(len(lines) == 1 and "`queue.flash_kb`" in lines[0], lines)
        self.assertTrue(str(wanted) in lines[0], lines)

    def test_less_than_two_segments(self):
        ensure_folder(BUILD + "/good")
        for wanted in (1, 4, 8, 9):
            spool, lines = self.opened(App(BUILD + "/good", wanted))
            self.assertEqual((spool.log.capacity, lines), (max(wanted * 1000, 8192), []))


@unittest.skipIf(vfs is None, "CPython mounts nothing")
class TestLittlefs(Case):
    def mount(self, readonly=False):
        vfs.mount(vfs.VfsLfs2(self.disk), "/flash", readonly=readonly)

    def setUp(self):
        self.disk = RamDisk(128)  # 64 kB
        vfs.VfsLfs2.mkfs(self.disk)

    def tearDown(self):
        vfs.umount("/flash")

    def test_read_only(self):
        self.mount()
        os.mkdir("/flash/spool")
        vfs.umount("/flash")
        self.mount(True)
        self.refused("/flash/spool")

    def test_read_only_from_the_beginning(self):
        self.mount(True)
        self.refused("/flash/spool")

    def test_half_of_it_is_taken(self):
        """The readings have the other half, also after a restart; what comes later is no loss."""
        self.mount()
        with open("/flash/other", "wb") as file:
            file.write(bytes(30000))
        app = App("/flash/spool", 60)
        spool, lines = self.opened(app)
        self.assertTrue(20000 < spool.log.capacity < 33000, spool.log.capacity)
        self.assertTrue(len(lines) == 1 and "the 60 of" in lines[0], lines)
        virtual = VirtualClock()

        async def outage():
            task = asyncio.create_task(spool.run())
            for number in range(15000):
                await virtual.advance(1000)
                app.queue.put((app.clock.stamp(), P1, (number * 7919 % 10007,)))
            spool.close()
            task.cancel()

        virtual.play(outage())
        self.assertEqual(spool.errors, 0)
        self.assertTrue(spool.segments_lost > 0)
        self.assertEqual(app.cursor.dropped, spool.first)
        again, _ = self.opened(App("/flash/spool", 60))
        self.assertTrue(abs(again.log.capacity - spool.log.capacity) < 6000)
        self.assertEqual((again.log.first, again.log.last), (spool.log.first, 14999))
