"""lib/ringlog: one suite for every medium: RAM, a folder; on the VM RAM, littlefs and FAT."""

import unittest

import ringlog_media
from ringlog_media import fill, opened, read_all


class OnRam(unittest.TestCase):
    medium = ringlog_media.Ram

    def setUp(self):
        self._medium = self.medium()
        self.folder = self._medium.folder

    def tearDown(self):
        self._medium.close()

    def test_nothing_yet(self):
        log = opened(self.folder)
        self.assertEqual((log.first, log.last, log.state, log.pending), (-1, -1, {}, 0))
        self.assertEqual((log.used_bytes, log.oldest_end, log.pages), (0, 0, 0))
        self.assertEqual(read_all(log), [])
        self.assertTrue(log.flush())
        self.assertEqual(self.folder.names(), [])

    def test_what_was_put_in_comes_out(self):
        log = opened(self.folder)
        expected = fill(log, 0, 200)
        self.assertEqual((log.first, log.last), (0, 199))
        self.assertEqual(read_all(log), expected)
        for start in (1, 57, 100, 199):
            self.assertEqual(read_all(log, start), expected[start:])
        self.assertEqual(read_all(log, 200), [])
        self.assertEqual(log.damaged, 0)

    def test_reopen(self):
        expected = []
        for start in range(0, 200, 20):
            log = opened(self.folder)
            self.assertEqual(log.last, start - 1)
            expected += fill(log, start, start + 20)
            log.state["mqtt"] = start
            log.save_state()
            again = opened(self.folder)
            self.assertEqual((again.first, again.last), (0, start + 19))
            self.assertEqual(again.state, {"mqtt": start})
            self.assertEqual(again.used_bytes, log.used_bytes)
            self.assertEqual(read_all(again), expected)
            self.assertEqual(again.damaged, 0)


@unittest.skipIf(ringlog_media.VM, "on CPython")
class OnPosix(OnRam):
    medium = ringlog_media.Posix


@unittest.skipUnless(ringlog_media.VM, "the VM has littlefs")
class OnLittlefs(OnRam):
    medium = ringlog_media.Littlefs


@unittest.skipUnless(ringlog_media.VM, "the VM has FAT")
class OnFat(OnRam):
    medium = ringlog_media.Fat
