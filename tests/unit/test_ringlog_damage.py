"""lib/ringlog and damage: each bit of a segment, cut and random files, pages made to mislead."""

import unittest

from ramfolder import RamFolder
from ringlog import ringpage
from ringlog.nibbles import Packer
from ringlog.ringdelta import Track
from ringlog.ringpage import HEAD, MAGIC, READINGS, SCHEMA, STATE
from ringlog.ringwalk import Walk
from ringlog_media import (
    VM,
    channels,
    difference,
    opened,
    put,
    read_all,
    values_of,
)
from same_source import make_source

import joulelog  # noqa: F401 - keeps it off the wasm builds: there a whole test has to fit

NAME = "00000000.log"
HEATER = make_source("heater", channels(3))
METER = make_source("meter", channels(6))
READINGS_IN_LOG = 40
RANDOM_FILES = 60 if VM else 600


def small(serial: int) -> tuple:
    source = METER if serial % 3 else HEATER
    values = list(values_of(source, serial))
    values[0] = (serial * 40503 >> 3) & 1023
    values[2] = -((serial * 30011 >> 2) & 4095)
    return serial, 1, 900000000 + serial * 10, source, tuple(values)


def small_log(folder) -> list:
    """A segment of several pages with two sources and three states; its readings."""
    log = opened(folder, 65536, 4096, 72)
    expected = []
    for serial in range(READINGS_IN_LOG):
        item = small(serial)
        put(log, item)
        expected.append(item)
        if serial % 16 == 15:
            log.state["one"] = serial
            log.state["two"] = -serial
            log.flush(True)
    log.flush()
    return expected


def pages_of(folder, name: str = NAME) -> list:
    """[(begin, end, kind, first serial, readings)] of the pages of a segment."""
    log = opened(folder)
    walk = Walk(log, name)
    found = []
    for more in walk.run():
        if more:
            serials = (walk.first, walk.count) if walk.kind == READINGS else (0, 0)
            found.append((walk.at, walk.at + walk.size(), walk.kind) + serials)
        elif more is False:
            return found


def folder_of(data, name: str = NAME) -> RamFolder:
    folder = RamFolder()
    folder.files[name] = bytearray(data)
    return folder


class Bits(unittest.TestCase):
    """Every single bit flip costs its page, and nothing else."""

    def setUp(self):
        folder = RamFolder()
        self.expected = small_log(folder)
        self.data = bytes(folder.files[NAME])
        self.pages = pages_of(folder)

    def test_the_log_is_what_the_test_is_about(self):
        kinds = [page[2] for page in self.pages]
        self.assertTrue(kinds.count(READINGS) >= 6, kinds)
        self.assertEqual((kinds.count(SCHEMA), kinds.count(STATE)), (4, 3))
        at = 0
        serial = 0
        for begin, end, kind, first, count in self.pages:
            self.assertEqual(begin, at)
            at = end
            if kind == READINGS:
                self.assertEqual(first, serial)
                serial += count
        self.assertEqual((at, serial), (len(self.data), READINGS_IN_LOG))
        log = opened(folder_of(self.data))
        self.assertEqual((read_all(log), log.damaged), (self.expected, 0))

    def test_every_bit(self):
        self.flip(23)

    def test_every_bit_long(self):
        self.flip(3 if VM else 1)

    def flip(self, step):
        """Each bit in turn, in steps of so many."""
        states = [page for page in self.pages if page[2] == STATE]
        last_page = [page for page in self.pages if page[2] == READINGS][-1]
        for bit in range(0, len(self.data) * 8, step):
            data = bytearray(self.data)
            data[bit // 8] ^= 1 << (bit % 8)
            page = [page for page in self.pages if page[0] <= bit // 8 < page[1]][0]
            log = opened(folder_of(data))
            expected = self.expected
            if page[2] == READINGS:
                expected = expected[: page[3]] + expected[page[3] + page[4] :]
            self.assertEqual(difference(read_all(log), expected), "", bit)
            self.assertTrue(log.damaged, bit)
            newest = page is not states[-1]
            self.assertEqual(log.state["one"], 31 if newest else 15, bit)
            self.assertEqual(log.state["two"], -31 if newest else -15, bit)
            last = last_page[3] - 1 if page is last_page else READINGS_IN_LOG - 1
            self.assertEqual(log.last, last, bit)
            # What is behind a lost state may be another's; what is before it never is.
            behind = [page for page in self.pages if page[2] == READINGS and page[3] == 32]
            if not newest:
                self.assertEqual(log.state_end, behind[0][3], bit)
            elif page[0] < states[-1][0]:
                self.assertEqual(log.state_end, last + 1, bit)
            else:
                self.assertTrue(page[3] <= log.state_end <= last + 1, bit)

    def test_going_on_behind_it(self):
        for bit in range(0, len(self.data) * 8, 97 if VM else 13):
            data = bytearray(self.data)
            data[bit // 8] ^= 1 << (bit % 8)
            page = [page for page in self.pages if page[0] <= bit // 8 < page[1]][0]
            folder = folder_of(data)
            log = opened(folder)
            more = [small(serial) for serial in range(log.last + 1, READINGS_IN_LOG + 9)]
            for item in more:
                put(log, item)
            log.flush(True)
            expected = self.expected
            if page[2] == READINGS:
                expected = expected[: page[3]] + expected[page[3] + page[4] :]
            expected = [item for item in expected if item[0] < more[0][0]] + more
            self.assertEqual(difference(read_all(log), expected), "", bit)
            again = opened(folder)
            self.assertEqual((again.last, again.state), (log.last, log.state), bit)
            self.assertEqual(difference(read_all(again), expected), "", bit)
            self.assertEqual(
                difference(read_all(again, 30), [i for i in expected if i[0] >= 30]), "", bit
            )


class Pieces(unittest.TestCase):
    """Larger damage."""

    def setUp(self):
        folder = RamFolder()
        self.expected = small_log(folder)
        self.data = bytes(folder.files[NAME])
        self.pages = pages_of(folder)

    def untouched(self, begin: int, end: int) -> list:
        """The readings of the pages that have nothing of these bytes."""
        found = []
        for start, stop, kind, first, count in self.pages:
            if kind == READINGS and (stop <= begin or start >= end):
                found += self.expected[first : first + count]
        return found

    def test_cut_anywhere(self):
        self.cut(7)

    def test_cut_anywhere_long(self):
        self.cut(5 if VM else 1)

    def cut(self, step):
        """Behind each byte in turn, in steps of so many."""
        for size in range(0, len(self.data), step):
            folder = folder_of(self.data[:size])
            log = opened(folder)
            expected = self.untouched(size, len(self.data))
            self.assertEqual(difference(read_all(log), expected), "", size)
            self.assertEqual(log.last, len(expected) - 1, size)
            before = [page for page in self.pages if page[2] == STATE and page[1] <= size]
            self.assertEqual(log.state.get("one", -1), (-1, -1, 15, 31)[len(before)], size)
            more = [small(serial) for serial in range(len(expected), READINGS_IN_LOG)]
            for item in more:
                put(log, item)
                log.flush()
            log.save_state()
            self.assertEqual(difference(read_all(log), self.expected), "", size)
            again = opened(folder)
            self.assertEqual((again.last, again.state), (READINGS_IN_LOG - 1, log.state), size)
            self.assertEqual(difference(read_all(again), self.expected), "", size)

    def test_pieces_that_are_lost_or_overwritten(self):
        random = Random(5)
        for turn in range(RANDOM_FILES):
            begin = random.below(len(self.data))
            end = min(len(self.data), begin + 1 + random.below(200))
            kind = turn % 4
            if kind == 0:
                data = self.data[:begin] + random.bytes(end - begin) + self.data[end:]
            elif kind == 1:
                data = self.data[:begin] + bytes(end - begin) + self.data[end:]
            elif kind == 2:  # bytes are missing
                data = self.data[:begin] + self.data[end:]
            else:  # bytes are there twice
                data = self.data[:end] + self.data[begin:]
                begin = end
            log = opened(folder_of(data))
            found = read_all(log)
            self.assertEqual([item for item in found if item not in self.expected], [])
            serials = [item[0] for item in found]
            self.assertEqual(serials, sorted(serials))
            self.assertEqual(len(serials), len(set(serials)))
            if not self.schema_is_hurt(begin, end):
                lost = [item for item in self.untouched(begin, end) if item not in found]
                self.assertEqual(lost, [], (turn, begin, end))

    def schema_is_hurt(self, begin: int, end: int) -> bool:
        hurt = [p for p in self.pages if p[2] == SCHEMA and p[0] < end and p[1] > begin]
        return len(hurt) > 1  # both copies of one may be gone

    def test_pages_of_another_segment(self):
        """A file system that lost its power may show them behind a file's own."""
        stale = self.data[: self.pages[6][1]]
        other = "00000400.log"
        for folder in (folder_of(stale, other), RamFolder()):
            log = opened(folder)
            self.assertEqual((read_all(log), log.state), ([], {}))
            for serial in range(1024, 1034):
                put(log, small(serial))
            log.flush()
            folder.files[other] += self.data
            again = opened(folder)
            self.assertEqual([item[0] for item in read_all(again)], list(range(1024, 1034)))
            self.assertEqual((again.last, again.state), (1033, {}))

    def test_both_copies_of_a_schema(self):
        hurt = [page for page in self.pages if page[2] == SCHEMA][:2]
        data = bytearray(self.data)
        for page in hurt:
            data[page[0] + HEAD] ^= 1
        folder = folder_of(data)
        log = opened(folder)
        for item in read_all(log):
            self.assertIn(item, self.expected)
        for serial in range(READINGS_IN_LOG, READINGS_IN_LOG + 10):
            put(log, small(serial))
        log.flush()
        found = read_all(opened(folder))
        for item in found:
            if item[0] < READINGS_IN_LOG:
                self.assertIn(item, self.expected)
        self.assertEqual(found[-10:], [small(READINGS_IN_LOG + i) for i in range(10)])


class Random:
    """The same numbers on both runtimes."""

    def __init__(self, seed: int) -> None:
        self._state = seed * 2654435 + 1

    def below(self, limit: int) -> int:
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 8) % limit

    def bytes(self, count: int) -> bytes:
        return bytes([self.below(256) for _ in range(count)])


class Hostile(unittest.TestCase):
    def take(self, data) -> list:
        """Open, read, go on, read: it must end, and raise nothing."""
        folder = folder_of(data)
        log = opened(folder)
        found = read_all(log)
        read_all(log, 1000)
        serial = max(log.last + 1, 0)
        if serial < 1 << 30:
            put(log, small(serial))
            log.flush(True)
            if not found:
                self.assertEqual(difference(read_all(log, serial), [small(serial)]), "")
            read_all(opened(folder), serial)
        return found

    def test_random_bytes(self):
        random = Random(1)
        for turn in range(RANDOM_FILES):
            data = bytearray(random.bytes(random.below(600)))
            for _ in range(turn % 4 * 4):  # what may be the beginning of a page
                at = random.below(len(data) + 1)
                head = bytearray(HEAD)
                ringpage.fill_head(head, 1 + random.below(3), 3, random.below(80), 0)
                data[at : at + HEAD] = head if random.below(2) else MAGIC
            self.assertEqual(self.take(data), [])

    def test_payloads_with_a_right_crc(self):
        random = Random(2)
        folder = RamFolder()
        small_log(folder)
        good = bytes(folder.files[NAME])
        pages = pages_of(folder)
        for turn in range(RANDOM_FILES):
            data = bytearray(good if turn % 2 else b"")
            for _ in range(1 + random.below(4)):
                kind = (READINGS, SCHEMA, STATE)[random.below(3)]
                if turn % 3:  # a good one with some other bytes
                    page = [page for page in pages if page[2] == kind][0]
                    payload = bytearray(good[page[0] + HEAD : page[1] - 4])
                    for _ in range(1 + random.below(3)):
                        payload[random.below(len(payload))] = random.below(256)
                else:
                    payload = random.bytes(random.below(120))
                count = random.below(65536) if random.below(2) else random.below(8)
                data += ringpage.build(kind, count, payload, 0, NAME)
            self.take(data)

    def test_slots_channels_and_counts_that_are_too_large(self):
        track = Track(METER, (None,) * 6)
        payload = ringpage.schema_payload(track)
        for slot in (31, 32, 255, 65535):
            self.take(bytes(ringpage.build(SCHEMA, slot, payload, 0, NAME)) * 2)
        packer = Packer(bytearray(600), 0, 600)
        packer.text("wide")
        packer.number(256)
        payload = bytes(packer.data)
        self.take(ringpage.build(SCHEMA, 0, payload, 0, NAME))
        for size in range(4):
            self.take(ringpage.build(READINGS, 1, bytes(size), 0, NAME))
        huge = b"\xff" * 400  # a number without an end
        for kind in (READINGS, SCHEMA, STATE):
            self.take(ringpage.build(kind, 9, bytes(4) + huge, 0, NAME))
