"""What outlives a reset: on a folder (CPython), on littlefs and FAT in RAM (the VM)."""

import logging
import os
import sys
import unittest

from ramdisk import RamDisk

from joulelog import clock
from joulelog.device.ends import reset_reason
from joulelog.device.state import Store

VM = sys.implementation.name == "micropython"
if VM:
    import vfs

MINUTE = 60000


class Quiet(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines = 0

    def emit(self, record) -> None:
        self.lines += 1


class StoreTest(unittest.TestCase):
    def setUp(self):
        root = logging.getLogger()
        self._before = root.handlers
        self.log = Quiet()
        root.handlers = [self.log]
        if VM:
            disk = RamDisk(64)
            vfs.VfsLfs2.mkfs(disk)
            vfs.mount(vfs.VfsLfs2(disk), "/state")
            self.directory = "/state"
        else:
            import tempfile

            self._temporary = tempfile.TemporaryDirectory()
            self.directory = self._temporary.name

    def tearDown(self):
        logging.getLogger().handlers = self._before
        if VM:
            vfs.umount("/state")
        else:
            self._temporary.cleanup()

    def opened(self) -> Store:
        store = Store(self.directory)
        store.open()
        return store

    def read(self, store: Store, index: int) -> bytes:
        with open(store.paths[index], "rb") as file:
            return file.read()

    def write(self, store: Store, index: int, data: bytes) -> None:
        with open(store.paths[index], "wb") as file:
            file.write(data)


class Values(StoreTest):
    def test_nothing_yet(self):
        store = self.opened()
        self.assertIsNone(store.get("boots"))
        self.assertEqual(store.get("boots", 7), 7)
        self.assertTrue(store.save())
        self.assertEqual(
            (store.writes, len(store.unreadable), os.listdir(self.directory)), (0, 0, [])
        )

    def test_every_type_comes_back(self):
        values = {
            "small": -1,
            "large": 1 << 40,
            "text": 'a "quoted"\nline\x00 — 21 °C',
            "none": "",
            "list": ["one", "", "three"],
        }
        store = self.opened()
        for key, value in values.items():
            store.set(key, value)
        self.assertTrue(store.save_now())
        again = self.opened()
        for key, value in values.items():
            self.assertEqual(again.get(key), value)
        again.set("text", None)
        again.save_now()
        self.assertEqual(self.opened().get("text", "gone"), "gone")

    def test_bounds(self):
        store = self.opened()
        store.set("text", "é" * 5000)
        store.set("list", [str(number) * 300 for number in range(9)])
        for number in range(14):
            store.set("key %d" % number, "\x00" * 200)
        with self.assertRaises(ValueError):
            store.set("one more", 1)
        for wrong in (b"bytes", {}, 1.5):
            with self.assertRaises(ValueError):
                store.set("text", wrong)
        store.save_now()
        again = self.opened()
        self.assertEqual(again.get("text"), "é" * 200)
        self.assertEqual(again.get("list"), [str(number) * 200 for number in range(4, 9)])
        self.assertEqual(again.get("key 13"), "\x00" * 200)


class Boots(StoreTest):
    def test_boots_are_counted(self):
        for number in range(1, 6):
            store = self.opened()
            store.begin("power on")
            self.assertEqual((store.get("boots"), store.get("reset")), (number, "power on"))
        self.assertEqual(self.opened().get("boots"), 5)

    def test_why_the_firmware_restarted_the_board(self):
        store = self.opened()
        store.begin("power on")
        self.assertEqual(store.last_reboot, "")
        store.plan_reboot("no network for 2 hours")
        store = self.opened()
        store.begin("reset")
        self.assertEqual(store.last_reboot, "no network for 2 hours")
        store = self.opened()
        store.begin("power on")
        self.assertEqual(store.last_reboot, "", "told once")

    def test_the_last_five_errors(self):
        store = self.opened()
        for number in range(7):
            store.note_error("p1: OSError %d" % number, "12:0%d" % number)
            store.note_error("p1: OSError %d" % number, "12:59")
        store.note_error("x" * 300)
        store.save_now()
        expected = ["12:0%d p1: OSError %d" % (number, number) for number in range(3, 7)]
        self.assertEqual(self.opened().get("errors"), expected + ["x" * 200])

    def test_reasons(self):
        class Machine:
            PWRON_RESET = 4
            WDT_RESET = 1
            cause = 1

            @classmethod
            def reset_cause(cls):
                return cls.cause

        self.assertEqual(reset_reason(Machine), "watchdog")
        Machine.cause = 4
        self.assertEqual(reset_reason(Machine), "power on")
        Machine.cause = 9
        self.assertEqual(reset_reason(Machine), "cause 9")


class Files(StoreTest):
    def three(self) -> Store:
        """A store whose files hold 2 and 3."""
        store = self.opened()
        for number in (1, 2, 3):
            store.set("n", number)
            store.save_now()
        return store

    def test_written_in_turn(self):
        store = self.three()
        self.assertEqual(sorted(os.listdir(self.directory)), ["state.a", "state.b"])
        self.assertIn(b'["n", 3]', self.read(store, 0))
        self.assertIn(b'["n", 2]', self.read(store, 1))
        again = self.opened()
        again.set("n", 4)
        again.save_now()
        self.assertIn(b'["n", 4]', self.read(store, 1))

    def test_every_damage_is_seen(self):
        store = self.three()
        good = self.read(store, 0)
        damaged = [good[:length] for length in range(len(good))]
        for at in range(len(good)):
            for mask in (1, 0x80, 0xFF):
                damaged.append(good[:at] + bytes((good[at] ^ mask,)) + good[at + 1 :])
        damaged += [good + b"\n", good + good, b"\xff" * 512, b"[" * 5000]
        for data in damaged:
            self.write(store, 0, data)
            again = self.opened()
            self.assertEqual(again.get("n"), 2, data)
            again.set("n", 5)
            self.assertTrue(again.save_now())
            self.assertEqual(self.opened().get("n"), 5, data)
            self.assertIn(b'["n", 2]', self.read(store, 1), "the whole one is not written over")
        self.write(store, 0, b"no store")
        self.write(store, 1, b"")
        again = self.opened()
        self.assertEqual((again.get("n", 0), len(again.unreadable)), (0, 2))
        again.set("n", 6)
        again.save_now()
        self.assertEqual(self.opened().get("n"), 6)

    def test_another_version_is_not_read(self):
        store = self.three()
        import crc32

        data = b'joulelog 2 9\n["n", 9]\n'
        self.write(store, 0, data + crc32.text(data).encode() + b"\n")
        self.assertEqual(self.opened().get("n"), 2)

    def test_a_folder_that_takes_no_file(self):
        store = Store(self.directory + "/missing")
        store.open()
        store.set("n", 1)
        for _ in range(3):
            self.assertFalse(store.save_now())
        self.assertEqual((store.writes, store.write_errors, store.get("n")), (0, 3, 1))
        self.assertEqual(self.log.lines, 1, "said once")


class Pace(StoreTest):
    def test_writes_are_rare(self):
        """Something changes every second of a day."""
        store = self.opened()
        for second in range(86400 // 4):
            store.set("n", second)
            store.save()
            clock._total_ms += 4000
        self.assertTrue(store.writes <= 10 + 144, store.writes)
        self.assertTrue(store.writes >= 140, store.writes)

    def test_the_first_at_once_the_second_after_a_minute(self):
        store = self.opened()
        store.set("n", 1)
        self.assertTrue(store.save())
        store.set("n", 2)
        self.assertFalse(store.save())
        self.assertEqual(self.opened().get("n"), 1)
        clock._total_ms += MINUTE
        self.assertTrue(store.save())
        self.assertEqual(self.opened().get("n"), 2)
        store.set("n", 3)
        self.assertTrue(store.save_now(), "does not wait")
        self.assertEqual(self.opened().get("n"), 3)
        store.set("n", 3)
        store.save_now()
        self.assertEqual(store.writes, 3, "nothing has changed")

    def test_a_write_that_fails_is_not_tried_in_every_round(self):
        store = Store(self.directory + "/missing")
        store.set("n", 1)
        for _ in range(100):
            store.save()
        self.assertEqual(store.write_errors, 1)


@unittest.skipUnless(VM, "the VM has littlefs")
class PowerCuts(unittest.TestCase):
    def setUp(self):
        root = logging.getLogger()
        self._before = root.handlers
        root.handlers = [Quiet()]

    def tearDown(self):
        logging.getLogger().handlers = self._before

    def boot(self, kind, data, left: int, value: int):
        """One life of the board: (what it found, whether it said that it saved, flash, ops)."""
        disk = RamDisk(0, data)
        disk.left = left
        found = saved = None
        try:
            vfs.mount(kind(disk), "/cut")
            store = Store("/cut")
            store.open()
            found = store.get("n", 0)
            store.note_error("error %d " % value + "x" * 150)
            store.set("n", value)
            saved = store.save_now()
        finally:
            try:
                vfs.umount("/cut")
            except OSError:
                pass
        return found, saved, disk.data, disk.left

    def cut_everywhere(self, kind, blocks: int) -> int:
        disk = RamDisk(blocks)
        kind.mkfs(disk)
        flash = disk.data
        operations = 0
        for value in range(1, 5):
            left = 0
            while True:
                found, saved, cut, spare = self.boot(kind, flash, left, value)
                self.assertEqual(found, value - 1)
                # The next boot, also cut short, and the one after it.
                found, _, cut, _ = self.boot(kind, cut, left // 2, 100)
                self.assertTrue(found in (value - 1, value), (found, value, left))
                self.assertTrue(found == value or not saved, (found, value, left))
                last, saved_again, after, _ = self.boot(kind, cut, -1, 200)
                self.assertTrue(last in (found, 100), (last, value, left))
                self.assertTrue(saved_again)
                self.assertEqual(self.boot(kind, after, -1, 300)[0], 200)
                if spare > 0:
                    break
                left += 1
                operations += 1
            found, saved, flash, _ = self.boot(kind, flash, -1, value)
            self.assertTrue(saved)
        return operations

    def test_littlefs(self):
        operations = self.cut_everywhere(vfs.VfsLfs2, 32)
        print("power cut at each of %d flash operations" % operations)
        self.assertTrue(operations > 20, operations)

    def test_fat(self):
        operations = self.cut_everywhere(vfs.VfsFat, 64)
        print("power cut at each of %d sector writes" % operations)
        self.assertTrue(operations > 10, operations)
