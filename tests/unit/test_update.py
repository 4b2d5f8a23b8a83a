"""update/: each refusal by name, what is written and what never is, one at a time, the trial."""

import asyncio
import logging
import sys
import unittest

import esp32
import update_helpers as made
import updatefile

from joulelog import VERSION, clock
from joulelog.flow.latest import Latest
from joulelog.update import KEY, slots
from joulelog.update.receive import Updates, reading

OLD = made.image(20000, 3)
NEW = made.image(30000, 5)
RUNNING = range(made.SLOTS[0] // 4096, (made.SLOTS[0] + made.ROOM) // 4096)
OTHER = range(made.SLOTS[1] // 4096, (made.SLOTS[1] + made.ROOM) // 4096)
LAYOUT = updatefile.layout(made.ROWS)
_HEAD = []


class Board:
    NAME = made.BOARD
    CHIP = made.CHIP
    IMAGE = "JouleLog image: …"


class Files:
    NAME = made.BOARD
    CHIP = made.CHIP


class Small:
    NAME = "WEMOS_D1_MINI"
    CHIP = "esp8266"


class Store:
    def __init__(self) -> None:
        self.values: dict = {}
        self.saved: dict = {}
        self.full = False

    def get(self, key: str, default=None):
        return self.values.get(key, default)

    def set(self, key: str, value) -> None:
        self.put(key, value)

    def put(self, key: str, value) -> None:
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value

    def save_now(self) -> bool:
        if not self.full:
            self.saved = dict(self.values)
        return not self.full


class Key:
    MODULUS = made.MODULUS


class Quiet(logging.Handler):
    def emit(self, record) -> None:
        pass


def head(application=NEW, **about) -> bytes:
    """Signed; that of NEW is made once, for it takes MicroPython a second."""
    about["layout"] = about.get("layout", LAYOUT)
    if application is NEW and len(about) == 1 and about["layout"] == LAYOUT:
        if not _HEAD:
            _HEAD.append(made.head(NEW, layout=LAYOUT))
        return _HEAD[0]
    return made.head(application, **about)


def unsigned(application=NEW, **about) -> bytes:
    about["layout"] = about.get("layout", LAYOUT)
    return made.head_unsigned(application, **about) + bytes(384)


class Bytes:
    """What comes, in pieces; and what happens between them."""

    def __init__(self, data: bytes, sizes=(1460,), between=None) -> None:
        self._data = data
        self._sizes = sizes
        self._between = between
        self._at = 0
        self._count = 0

    async def read(self) -> bytes:
        if self._between:
            await self._between(self._at)
        size = self._sizes[self._count % len(self._sizes)]
        self._count += 1
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece


class Case(unittest.TestCase):
    def setUp(self):
        root = logging.getLogger()
        self.before = root.handlers
        root.handlers = [Quiet()]
        sys.modules["update_key"] = Key  # type: ignore[assignment]
        self.flash = esp32.flash = made.RamFlash(made.flash_image(OLD))  # type: ignore[assignment]
        self.store = Store()
        self.latest = Latest()
        self.updates = Updates(Board, self.store, self.latest)

    def tearDown(self):
        logging.getLogger().handlers = self.before
        esp32.flash = None
        sys.modules.pop("update_key", None)
        clock.set_speed(1)

    def take(self, data: bytes, total=None, forced=False, sizes=(1460,), between=None) -> str:
        pour = reading(Bytes(data, sizes, between).read)
        total = len(data) if total is None else total
        return asyncio.run(self.updates.take(pour, total, forced))

    def refused(self, name: str, *about, touched=None, **more) -> str:
        before = bytes(self.flash.data)
        refusals = self.updates.refused
        try:
            self.take(*about, **more)
        except updatefile.UpdateError as error:
            self.assertEqual(error.args[0], name)
            text = error.args[1]
        else:
            raise AssertionError("taken, and not refused: " + name)
        self.assertEqual(self.updates.refused, refusals + 1)
        for sector in self.flash.sectors:
            self.assertTrue(sector in OTHER, sector)
        if not touched:
            self.assertTrue(self.flash.data == before)
        self.assertEqual(esp32.chosen(self.flash), (0, -1))
        self.assertFalse(KEY in self.store.saved)
        self.assertEqual(self.updates.ready, "")
        self.assertEqual((self.updates.size, self.updates.written()), (0, 0))
        return text


class Taken(Case):
    def test_whole(self):
        for sizes in ((1460,), (1, 1023, 4096), (65536,), (7, 997, 2048, 3)):
            self.setUp()
            self.assertEqual(self.take(head() + NEW, sizes=sizes), made.VERSION)
            at = made.SLOTS[1]
            self.assertEqual(bytes(self.flash.data[at : at + len(NEW)]), NEW)
            self.assertEqual(
                bytes(self.flash.data[made.SLOTS[0] : made.SLOTS[1]])[: len(OLD)], OLD
            )
            self.assertEqual(self.store.saved[KEY], [VERSION, made.VERSION, "ota_1", "", ""])
            self.assertEqual(esp32.chosen(self.flash)[0], 1)
            self.assertFalse(self.flash.sectors & set(RUNNING))
            self.assertEqual(self.updates.erases, -(-len(NEW) // 4096))
            self.assertEqual(dict(self.updates.counters())["updates"], 1)

    def test_without_a_length(self):
        self.assertEqual(self.take(head() + NEW, total=0), made.VERSION)

    def test_what_is_behind_it_stays_erased(self):
        self.take(head() + NEW)
        end = made.SLOTS[1] + len(NEW)
        rest = self.flash.data[end : -(-end // 4096) * 4096]
        self.assertEqual(bytes(rest), b"\xff" * len(rest))

    def test_an_older_one_by_force(self):
        data = head(version="0.0.9") + NEW
        self.refused("older", data)
        self.assertEqual(self.take(data, forced=True), "0.0.9")

    def test_the_same_again(self):
        data = head(version=VERSION) + NEW
        self.assertEqual(self.take(data), VERSION)

    def test_one_behind_a_refused_one(self):
        self.refused("hash", head() + NEW[:-1] + b"!", touched=True)
        self.assertEqual(self.take(head() + NEW), made.VERSION)


class Refused(Case):
    def test_what_the_head_says(self):
        for name, about in (
            ("board", {"board": "ESP32_GENERIC_C3"}),
            ("chip", {"chip": "esp32c3"}),
            ("layout", {"layout": "00000000"}),
            ("large", {"size": made.ROOM + 1}),
            ("older", {"version": "0.0.1"}),
            ("format", {"format": 2}),
            ("head", {"size": 0}),
        ):
            self.refused(name, unsigned(**about) + NEW)
        self.refused("magic", b"\xe9" + bytes(5000))
        self.refused("magic", b"")
        self.refused("head", unsigned()[:1000])

    def test_the_signature(self):
        text = self.refused("signature", unsigned() + NEW)
        self.assertTrue("key" in text)
        other = bytearray(head())
        other[700] ^= 1
        self.refused("signature", bytes(other) + NEW)
        # By force, too: that is for older ones alone.
        self.refused("signature", unsigned() + NEW, forced=True)

    def test_the_length(self):
        whole = head() + NEW
        self.refused("short", whole[:-1])
        self.refused("long", whole + b"!")
        self.refused("short", whole[:9000], total=len(whole), touched=True)
        self.refused("short", whole[:1024], total=0)
        self.refused("short", whole[:-1], total=0, touched=True)
        self.refused("long", whole + b"!", total=0, touched=True)

    def test_the_hash(self):
        for at in (0, 5000, len(NEW) - 1):
            data = bytearray(NEW)
            data[at] ^= 0x10
            self.refused("hash", head() + bytes(data), touched=True)

    def test_a_flash_that_does_not_keep_it(self):
        self.flash.forgets = made.SLOTS[1] + 4097
        self.refused("flash", head() + NEW, touched=True)

    def test_a_flash_that_fails(self):
        self.flash.fails = 5
        self.refused("flash", head() + NEW, touched=True)

    def test_what_the_bootloader_would_not_start(self):
        broken = bytearray(NEW)
        broken[1] = 0  # no segments, and signed all the same
        data = head(bytes(broken)) + bytes(broken)
        self.refused("image", data, touched=True)

    def test_a_store_that_is_full(self):
        self.store.full = True
        self.refused("store", head() + NEW, touched=True)
        self.assertFalse(KEY in self.store.values)

    def test_stalled_and_cut(self):
        clock.set_speed(1000)

        async def hang(at: int) -> None:
            if at > 5000:
                await clock.sleep_ms(100000000)

        async def cut(at: int) -> None:
            if at > 5000:
                raise OSError(104)

        self.assertTrue(
            "30 s" in self.refused("stalled", head() + NEW, between=hang, touched=True)
        )
        self.refused("cut", head() + NEW, between=cut, touched=True)

    def test_two_at_once(self):
        second = []

        async def other(at: int) -> None:
            if at > 5000 and not second:
                try:
                    await self.updates.take(reading(Bytes(head() + NEW).read))
                except updatefile.UpdateError as error:
                    second.append(error.args[0])

        self.assertEqual(self.take(head() + NEW, between=other), made.VERSION)
        self.assertEqual(second, ["busy"])
        try:
            self.take(head() + NEW)  # this one waits for its start
        except updatefile.UpdateError as error:
            self.assertEqual(error.args[0], "busy")
        else:
            raise AssertionError("a second one was taken")

    def test_during_a_trial(self):
        self.store.values[KEY] = ["0.0.9", VERSION, "ota_0", ""]
        self.assertTrue("ten minutes" in self.refused("trial", head() + NEW))
        self.store.values[KEY] = ["0.0.9", VERSION, "ota_1", ""]  # that one was taken back
        self.assertEqual(self.take(head() + NEW), made.VERSION)

    def test_without_a_key(self):
        del sys.modules["update_key"]
        self.assertTrue("make key" in self.refused("key", head() + NEW))

    def test_boards_that_take_none(self):
        for board, name, word in ((Files, "files", "make flash"), (Small, "chip", "cable")):
            self.updates = Updates(board, self.store, self.latest)
            self.assertTrue(word in self.refused(name, head() + NEW))

    def test_one_slot(self):
        self.flash.data[0x8000 + 64 : 0x8000 + 96] = b"\xff" * 32
        self.refused("slots", head() + NEW)
        esp32.flash = None  # a computer
        with self.assertRaises(updatefile.UpdateError) as caught:
            slots.other(Board, self.store)
        self.assertEqual(caught.exception.args[0], "slots")


class Entries(unittest.TestCase):
    def test_known_bytes(self):
        """An entry as the ESP-IDF's otatool writes it: number 1 has the CRC 4743989a."""
        flash = made.RamFlash(made.flash_image(OLD))
        esp32.write_entry(flash, 0, 1, esp32.VALID)
        data = flash.read(made.OTA_DATA, 32)
        self.assertEqual(data[:4], b"\x01\x00\x00\x00")
        self.assertEqual(data[24:], b"\x02\x00\x00\x00\x9a\x98\x43\x47")
        self.assertEqual(esp32.chosen(flash), (0, 0))


if __name__ == "__main__":
    unittest.main()
