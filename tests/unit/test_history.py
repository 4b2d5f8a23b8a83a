"""Quarter hours and days in two logs: what is kept, what a cut costs, days of 23 to 25 hours."""

import random
import unittest

import posixtz
from civil import seconds
from ringlog import ringlog, ringread, ringwrite  # noqa: F401 - not nested: a small stack

from joulelog.derive.quarter import CHANNELS
from joulelog.flow.reading import Source
from joulelog.sinks.history import folder_of, shares
from joulelog.sinks.history_log import DAY, QUARTER_S, History

COUNTERS = (
    ("energy_import_t1", "kWh", 3, "total_increasing", "energy"),
    ("energy_import_t2", "kWh", 3, "total_increasing", "energy"),
    ("gas", "m3", 3, "total_increasing", "gas"),
)
QUARTER = Source("quarter", CHANNELS + COUNTERS)
BRUSSELS = posixtz.Zone("CET-1CEST,M3.5.0,M10.5.0/3")
CHICAGO = posixtz.Zone("CST6CDT,M3.2.0,M11.1.0")
NOV = seconds(2026, 11, 1, 0, 0, 0)


class Medium:
    """In RAM; it fails where it is told to, or when its operations are used up."""

    def __init__(self):
        self.files = {}
        self.fails = False
        self.left = -1  # operations; -1: any
        self.torn = False  # whether half of what is cut is written
        self.appends = 0

    def names(self):
        return list(self.files)

    def size(self, name):
        return len(self.files[name])

    def append(self, name, data):
        self._operation()
        self.appends += 1
        if self.left == 0:
            self.files[name] = self.files.get(name, b"") + bytes(data)[: len(data) // 2]
            raise PowerCut
        self.files[name] = self.files.get(name, b"") + bytes(data)

    def read(self, name, offset, buffer):
        if self.fails:
            raise OSError(5)
        data = self.files[name][offset : offset + len(buffer)]
        buffer[: len(data)] = data
        return len(data)

    def remove(self, name):
        self._operation()
        if self.left == 0:
            raise PowerCut
        del self.files[name]

    def _operation(self):
        if self.fails:
            raise OSError(28)
        if self.left > 0:
            self.left -= 1


class PowerCut(Exception):
    pass


def local_of(zone):
    return (lambda utc: zone.local(utc)[0]) if zone else (lambda utc: utc)


def sources():
    known = []

    def make(name, channels, identity=()):
        for source in known:
            if (source.name, source.channels) == (name, channels):
                return source
        known.append(Source(name, channels, identity))
        return known[-1]

    return make


def opened(quarters, days, zone=None, quarter_bytes=400000, day_bytes=40000):
    history = History(quarters, days, quarter_bytes, day_bytes, sources(), local_of(zone))
    for _ in history.opening():
        pass
    return history


def values(number, power=400, whole=1, silent=0):
    """A quarter whose counters tell its number."""
    own = (power, 0, power - 10, power + 10, 90, silent, 0, whole)
    return own + (number * 100, number * 10, number)


def fill(history, first, count, power=lambda number: 400 + number % 96):
    for number in range(first, first + count):
        stamp = number * QUARTER_S
        history.add(stamp, QUARTER, values(number, power(number)))
        for _ in history.closing(stamp):
            pass


def rows(history, log, first=0, last=1 << 30):
    return [row for row in history.rows(log, first, last) if row]


class TestHistory(unittest.TestCase):
    def test_what_is_put_is_read(self):
        history = opened(Medium(), Medium())
        first = NOV // QUARTER_S
        fill(history, first, 300)
        found = rows(history, history.quarters)
        self.assertEqual([row[0] // QUARTER_S for row in found], list(range(first, first + 300)))
        for stamp, source, got in found:
            number = stamp // QUARTER_S
            self.assertEqual(source.channels, QUARTER.channels)
            self.assertEqual(got, values(number, 400 + number % 96))
        part = rows(history, history.quarters, first + 100, first + 298)
        self.assertEqual([row[0] // QUARTER_S - first for row in part], list(range(100, 299)))

    def test_days_have_the_counters_at_their_end(self):
        history = opened(Medium(), Medium())
        fill(history, NOV // QUARTER_S, 96 * 6 + 5)
        found = rows(history, history.days)
        self.assertEqual(len(found), 6)
        for index, (stamp, source, got) in enumerate(found):
            last = NOV // QUARTER_S + 96 * (index + 1) - 1
            self.assertEqual(stamp, (last + 1) * QUARTER_S)
            self.assertEqual(source.channels, DAY + COUNTERS)
            peak, when, quarters, silent, whole = got[:5]
            self.assertEqual((quarters, silent, whole), (96, 0, 1))
            self.assertEqual(peak, 495)
            self.assertEqual(when // QUARTER_S % 96, 95)
            self.assertEqual(got[5:], values(last)[8:])

    def test_local_days_of_23_24_and_25_hours(self):
        for zone, begin, hours in (
            (BRUSSELS, seconds(2026, 3, 27, 23, 0, 0), (24, 23, 24)),
            (BRUSSELS, seconds(2026, 10, 23, 22, 0, 0), (24, 25, 24)),
            (CHICAGO, seconds(2026, 3, 7, 6, 0, 0), (24, 23, 24)),
            (CHICAGO, seconds(2026, 10, 31, 5, 0, 0), (24, 25, 24)),
        ):
            history = opened(Medium(), Medium(), zone)
            fill(history, begin // QUARTER_S, sum(hours) * 4 + 1)
            found = rows(history, history.days)
            self.assertEqual([row[2][2] for row in found], [hour * 4 for hour in hours])
            self.assertEqual([row[2][4] for row in found], [1, 1, 1])
            ends = [begin + 3600 * sum(hours[: index + 1]) for index in range(3)]
            self.assertEqual([row[0] for row in found], ends)

    def test_a_day_with_a_gap_says_so(self):
        history = opened(Medium(), Medium())
        first = NOV // QUARTER_S
        fill(history, first, 40)
        fill(history, first + 50, 96 - 50)
        fill(history, first + 96 * 4, 3)
        found = rows(history, history.days)
        self.assertEqual(len(found), 1)  # of days without a quarter there is nothing to tell
        self.assertEqual(found[0][2][2:5], (86, 0, 0))
        self.assertEqual(found[0][2][5:], values(first + 95)[8:])

    def test_a_day_whose_begin_is_missing_is_not_whole(self):
        history = opened(Medium(), Medium())
        first = NOV // QUARTER_S
        fill(history, first, 96)
        fill(history, first + 96 + 2, 96 - 2)  # every one of these was seen from end to end
        fill(history, first + 192, 96 + 1)
        found = rows(history, history.days)
        self.assertEqual([row[2][4] for row in found], [1, 0, 1])

    def test_a_restart_goes_on(self):
        quarters, days = Medium(), Medium()
        first = NOV // QUARTER_S
        at = first
        random.seed(3)
        while at < first + 96 * 9:
            history = opened(quarters, days)
            for _ in history.closing(at * QUARTER_S):
                pass
            step = random.randrange(1, 60)
            fill(history, at, step)
            at += step
            if random.randrange(2):
                history.flush()
                continue
            at = history.quarters.last + 1  # the power went: what was in RAM comes no more
        history = opened(quarters, days)
        for _ in history.closing(at * QUARTER_S):
            pass
        found = rows(history, history.days)
        self.assertEqual([row[0] for row in found][:8], [NOV + 86400 * n for n in range(1, 9)])
        self.assertEqual(found[7][2][5:], values(first + 96 * 8 - 1)[8:])

    def test_what_is_there_is_not_kept_twice(self):
        history = opened(Medium(), Medium())
        fill(history, 100, 10)
        self.assertFalse(history.add(105 * QUARTER_S, QUARTER, values(105)))
        self.assertFalse(history.add(109 * QUARTER_S, QUARTER, values(109)))
        self.assertEqual(len(rows(history, history.quarters)), 10)

    def test_a_medium_that_fails_loses_nothing(self):
        quarters, days = Medium(), Medium()
        history = opened(quarters, days)
        fill(history, 100, 4)
        history.flush()
        quarters.fails = True
        for number in range(104, 108):  # these stay in RAM
            self.assertTrue(history.add(number * QUARTER_S, QUARTER, values(number)))
        for _ in range(3):
            with self.assertRaises(OSError):
                history.add(108 * QUARTER_S, QUARTER, values(108))
        quarters.fails = False
        self.assertTrue(history.add(108 * QUARTER_S, QUARTER, values(108)))
        numbers = [row[0] // QUARTER_S for row in rows(history, history.quarters)]
        self.assertEqual(numbers, list(range(100, 109)))

    def test_the_oldest_make_room(self):
        history = opened(Medium(), Medium(), None, 16000, 8192)
        first = NOV // QUARTER_S
        fill(history, first, 96 * 60)
        found = rows(history, history.quarters)
        self.assertLessEqual(history.quarters.used_bytes, 16000)
        self.assertGreater(len(found), 96 * 4)
        self.assertEqual(found[-1][0] // QUARTER_S, first + 96 * 60 - 1)
        self.assertEqual(len(rows(history, history.days)), 59)

    def test_a_cut_at_each_operation(self):
        """Half a page, or none: what was written before stays, four quarters at most are lost."""
        whole, days = Medium(), Medium()
        fill(opened(whole, days, None, 12000), NOV // QUARTER_S, 96 * 5)
        operations = 96 * 5 // 4
        for cut in range(1, operations, 7):
            quarters, days = Medium(), Medium()
            quarters.left = cut
            history = opened(quarters, days, None, 12000)
            first = NOV // QUARTER_S
            try:
                fill(history, first, 96 * 5)
            except PowerCut:
                pass
            put = history.quarters.last + history.quarters.pending
            quarters.left = -1
            history = opened(quarters, days, None, 12000)
            found = [row[0] // QUARTER_S for row in rows(history, history.quarters)]
            if found:
                self.assertEqual(found, list(range(found[0], found[-1] + 1)))
                self.assertLessEqual(put - found[-1], 4)
            after = max(history.quarters.last + 1, first)
            fill(history, after, 200)
            self.assertEqual(rows(history, history.quarters)[-1][2][8], (after + 199) * 100)


class TestNames(unittest.TestCase):
    def test_no_name_leaves_its_folder(self):
        self.assertEqual(folder_of("quarter"), "quarter")
        self.assertEqual(folder_of("../a b/é"), "+2e+2e+2fa+20b+2f+e9")
        self.assertNotEqual(folder_of("a b"), folder_of("a+20b"))

    def test_shares(self):
        for total in (40000, 100000, 200000, 1000000):
            quarters, days = shares(total)
            self.assertEqual(quarters + days, total)
            self.assertGreaterEqual(quarters, min(total * 3 // 4, 14 * 96 * 19))


if __name__ == "__main__":
    unittest.main()
