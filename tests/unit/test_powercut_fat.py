"""lib/ringlog on FAT through power cuts: what holds, and what FAT cannot promise.

See cutsweep.py. The medium writes whole sectors in order. The one in whose midst the power goes
has its first half new and the rest as it was; then all holds that holds on littlefs. A card may
also ruin that sector as a whole. FAT writes the new end of a file into its last sector, so the
pages of which a part lies in there are gone then, and nothing else (test_ruined_sector). Ruined
sectors of the table or of the directory are beyond any promise.
"""

import sys
import time
import unittest

if sys.implementation.name != "micropython":
    raise unittest.SkipTest("FAT in RAM is on the VM")

import powercut
from cutsweep import SMALL, Recorded, Sweep, fat, mounted, new_log, unmounted
from flashdisk import Disk, replay
from powercut import Books, Run

from joulelog.backlog.files import Files

SECTORS = 256


class Watched(Files):
    """Notes which readings lie where in a file: (name, offset, end, operation, first, behind)."""

    notes: list = []
    books = None

    def append(self, name, data):
        try:
            offset = self.size(name)
        except OSError:
            offset = 0
        flushes = Watched.books.flushes
        behind = flushes[-1][2]
        first = flushes[-2][2] if len(flushes) > 1 else behind
        at = len(Watched.books.disk.operations)
        Watched.notes.append((name, offset, offset + len(data), at, first, behind))
        super().append(name, data)


class Fat(Sweep):
    """VfsFat on sectors of 512 bytes, and clusters as large."""

    MEDIUM = (SECTORS, 0, (b"FAT", bytes(5)))  # sectors, boot sector, what stands there

    @classmethod
    def setUpClass(cls):
        cls.recorded = Recorded(fat(cls.MEDIUM[0]), cls.MEDIUM[0], 900)

    def test_kind_of_fat(self):
        boot = bytes(self.recorded.start.block(self.MEDIUM[1]))
        self.assertEqual(boot[54:57], self.MEDIUM[2][0])
        self.assertEqual(boot[82:87], self.MEDIUM[2][1])

    def test_cut_before_every_operation(self):
        self.sweep("cuts", False)

    def test_every_operation_half_done(self):
        self.sweep("torn operations", True)

    def test_cut_again_while_it_goes_on(self):
        self.sweep_twice()

    def test_one_operation_fails_and_the_board_lives(self):
        self.fail_once(7)


class Fat32(Fat):
    """The FAT of an SD card of 8 GB."""

    MEDIUM = (16000000, 63, (bytes(3), b"FAT32"))


class RuinedSector(Sweep):
    """A sector of a file in mid-write becomes garbage; then the log goes on."""

    def test_costs_what_lies_in_it(self):
        started = time.clock()
        notes = Watched.notes = []
        start = fat(SECTORS)
        data_begins = first_data_sector(bytes(start.block(0)))
        whole = Disk(start, SECTORS)
        books = Watched.books = Books(whole)
        mounted(whole)
        Run(new_log(SMALL, Watched), books, 0).work(800)
        unmounted(whole)
        count = cost = 0
        note = -1
        for number, (image, operation) in enumerate(replay(start.copy(), whole.operations)):
            while note + 1 < len(notes) and notes[note + 1][3] <= number:
                note += 1
            if operation[0] < data_begins:
                continue
            count += 1
            disk = Disk(image, SECTORS)
            disk.ruin(operation)
            lost = ruined(notes, note)
            mounted(disk)
            log = new_log()
            found = books.check(log, number, lost=lost)
            must = books.bounds(number)[0]
            cost = max(cost, len([n for n in lost if n < must and n not in found]))
            following = max(must, found[-1] + 1 if found else 0)
            more = Books(disk, following)
            more.states = [(0, 0, dict(log.state))]
            Run(log, more, following).work(12)
            there = powercut.numbers(log)
            self.assertEqual(there[-12:], list(range(following, following + 12)))
            unmounted(disk)
        self.say("ruined sectors, %d readings at most" % cost, count, started)
        self.assertGreater(count, 50)
        self.assertGreater(cost, 10)


def first_data_sector(boot: bytes) -> int:
    """Behind the table and the root directory (of FAT12 and FAT16)."""
    reserved, fats = boot[14] + boot[15] * 256, boot[16]
    entries, fat_sectors = boot[17] + boot[18] * 256, boot[22] + boot[23] * 256
    return reserved + fats * fat_sectors + entries * 32 // 512


def ruined(notes: list, note: int) -> list:
    """Numbers of the readings of which a part lies in the sectors that an append writes."""
    name, offset = notes[note][:2]
    sector = offset // 512 * 512
    return [
        number
        for other, begin, end, _, first, behind in notes[: note + 1]
        if other == name and end > sector
        for number in range(first, behind)
    ]
