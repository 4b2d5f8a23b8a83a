"""Store and forward: what the flash keeps for servers that are away, over restarts too."""

import asyncio
import unittest

from ramfolder import RamFolder
from ringlog import ringlog
from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.backlog import opening, wear
from joulelog.backlog.opening import open_spool
from joulelog.flow.live_first import LiveFirst
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source

START = 848000000
P1 = Source(
    "p1",
    (
        ("energy_import_t1", "kWh", 3, "total_increasing", "energy"),
        ("power_import", "W", 0, "measurement", "power"),
        ("message", "", 0, "text", ""),
    ),
)
WATER = Source("water", (("volume", "m³", 3, "total_increasing", "water"),))


class Flash(RamFolder):
    """Fails when a test says so."""

    error = 0
    memory = 1 << 20  # bytes: there is none to write more at once
    appends = 0
    unreadable = ""

    def read(self, name, offset, buffer):
        if name == self.unreadable:
            raise OSError(5)
        return RamFolder.read(self, name, offset, buffer)

    def size(self, name):
        if self.error:
            raise OSError(self.error)
        return RamFolder.size(self, name)

    def append(self, name, data):
        if self.error:
            raise OSError(self.error)
        if len(data) > self.memory:
            raise MemoryError("allocating %d bytes" % len(data))
        self.appends += 1
        RamFolder.append(self, name, data)


class Board:
    """One run of the firmware after the other, with the same flash."""

    def __init__(self, slots=8, sinks=("mqtt",), capacity=65536, sync_s=0, kind=None):
        self.flash = Flash()
        self.slots, self.sinks, self.capacity, self.sync_s = slots, sinks, capacity, sync_s
        self.kind = kind
        self.marks = {}
        self.boots = 0
        self.virtual = VirtualClock()
        self.aside = []

    def start(self, known=True, restarted=True):
        """A new run; known: the time is."""
        self.boots += 1
        self.clock = clock.Clock()
        if known:
            self.clock.set(START + self.virtual.ms // 1000, "ntp")
        self.queue = Queue(self.slots, self.clock, self.boots)
        self.queue.aside = lambda cursor, item, why: self.aside.append((item[0], item[3], why))
        self.cursors = []
        for name in self.sinks:
            if self.kind:
                cursor = self.queue.use(self.kind(self.queue, name, None, None, 0))
            else:
                cursor = self.queue.cursor(name)
            cursor.durable = True
            self.cursors.append(cursor)
        self.cursor = self.cursors[0]
        about = self.capacity, 512, self.sync_s, restarted, 0, self.marks
        self.spool = open_spool(self.queue, self.flash, *about)
        self.task = asyncio.create_task(self.spool.run())

    def stop(self, planned=True):
        """The end of a run; not planned: the power is cut."""
        if planned:
            self.spool.close()
        self.task.cancel()
        self.virtual.forget()

    def put(self, number, source=P1):
        values = (45678123 + number, number % 3000, None) if source is P1 else (number,)
        self.queue.put((self.clock.stamp(), source, values))

    async def measure(self, first, last, every_s=10, source=P1):
        """Readings first … last - 1, one each 10 seconds."""
        for number in range(first, last):
            await self.virtual.advance(every_s * 1000)
            self.put(number, source)
        await self.virtual.settle()

    async def take(self, cursor=None, most=100000):
        """Deliver: [(number, UTC, boot)] of what the cursor gives, confirmed."""
        cursor = cursor or self.cursor
        found = []
        while len(found) < most:
            item = await cursor.next()
            if item is None:
                break
            cursor.confirm(item[0])
            serial, time, (_, source, values), boot = item
            number = values[0] - 45678123 if source.name == "p1" else values[0]
            if source.name == "p1" and values[1:] != (number % 3000, None):
                raise ValueError("altered: %r" % (values,))
            found.append((number, time, boot))
        return found

    def play(self, story):
        self.virtual.play(story)


def numbers(found):
    return [entry[0] for entry in found]


class TestOutage(unittest.TestCase):
    def test_what_the_ring_loses_comes_back_in_order(self):
        board = Board()

        async def story():
            board.start()
            begin = board.clock.now()
            await board.measure(0, 300)
            self.assertEqual(board.cursor.waiting, 300)
            self.assertEqual(board.cursor.oldest_time, begin + 10)
            found = await board.take()
            self.assertEqual(numbers(found), list(range(300)))
            self.assertEqual([time - begin for _, time, _ in found], list(range(10, 3010, 10)))
            self.assertEqual((board.cursor.sent, board.cursor.dropped), (300, 0))
            self.assertEqual((board.cursor.waiting, board.spool.waiting), (0, 0))
            board.stop()

        board.play(story())

    def test_stored_readings_share_the_meter_s_channels(self):
        """A second table of 30 channels would take 3 kB of a heap that is full already."""
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 100)
            item = await board.cursor.next()
            self.assertEqual(item[0], 0)
            self.assertTrue(item[2][1] is P1)
            board.stop()

        board.play(story())

    def test_nothing_is_written_while_all_is_well(self):
        board = Board()

        async def story():
            board.start()
            for number in range(300):
                await board.measure(number, number + 1)
                await board.take()
            self.assertEqual((board.flash.appends, board.flash.files), (0, {}))
            board.stop()
            self.assertEqual(board.flash.appends, 0)

        board.play(story())

    def test_rewound_in_the_middle(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 200)
            taken = []
            for _ in range(50):
                taken.append(await board.cursor.next())
            board.cursor.confirm(taken[19][0])
            board.cursor.rewind()
            self.assertEqual(board.cursor.oldest_time, taken[20][1])
            self.assertEqual(numbers(await board.take()), list(range(20, 200)))
            self.assertEqual(board.cursor.sent, 200)
            board.stop()

        board.play(story())

    def test_a_source_is_one_object_in_all_segments(self):
        """What a sink or a cursor keeps per source would else grow with the backlog."""
        board = Board(capacity=32768)

        async def story():
            board.start()
            await board.measure(0, 3000, 1)
            self.assertTrue(len(board.flash.files) > 3, board.flash.files.keys())
            board.stop()
            board.start()
            sources = []
            while len(sources) < 3000:
                item = await board.cursor.next()
                board.cursor.confirm(item[0])
                sources.append(item[2][1])
            self.assertTrue(all([source is sources[0] for source in sources]))
            board.stop()

        board.play(story())

    def test_unread_gives_it_again(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 100)
            for number in range(100):
                first = await board.cursor.next()
                board.cursor.unread()
                self.assertEqual(await board.cursor.next(), first)
                board.cursor.confirm(first[0])
            self.assertEqual((board.cursor.sent, board.cursor.waiting), (100, 0))
            board.stop()

        board.play(story())

    def test_a_slow_sink_and_a_fast_one(self):
        board = Board(sinks=("fast", "slow"))

        async def story():
            board.start()
            fast, slow = board.cursors
            for number in range(0, 200, 2):
                await board.measure(number, number + 2)
                self.assertEqual(numbers(await board.take(fast)), [number, number + 1])
                self.assertEqual(numbers(await board.take(slow, 1)), [number // 2])
            self.assertEqual(numbers(await board.take(slow)), list(range(100, 200)))
            self.assertEqual((fast.sent, slow.sent), (200, 200))
            board.stop()

        board.play(story())

    def test_new_readings_pass_the_backlog(self):
        board = Board(kind=LiveFirst)

        async def story():
            board.start()
            await board.measure(0, 200)
            seen = numbers(await board.take(most=2))
            self.assertEqual(seen, [199, 0])  # the newest at once, then the oldest
            for number in range(200, 260):
                await board.measure(number, number + 1)
                some = numbers(await board.take(most=3))
                self.assertEqual(some[0], number)
                seen += some
            seen += numbers(await board.take())
            self.assertEqual(sorted(seen), list(range(260)))  # each once
            old = [number for number in seen if number < 199]
            self.assertEqual(old, sorted(old))
            self.assertEqual((board.cursor.sent, board.cursor.waiting), (260, 0))
            board.stop()

        board.play(story())


class TestRestart(unittest.TestCase):
    def test_a_planned_one_loses_nothing(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 50)
            self.assertEqual(numbers(await board.take(most=10)), list(range(10)))
            board.stop()
            board.start()
            self.assertEqual(board.cursor.waiting, 40)
            await board.measure(50, 60)
            found = await board.take()
            self.assertEqual(numbers(found), list(range(10, 60)))
            self.assertEqual([boot for _, _, boot in found], [1] * 40 + [2] * 10)
            board.stop()
            board.start()
            self.assertEqual(await board.take(), [])
            board.stop()

        board.play(story())

    def test_a_power_cut_takes_no_more_than_the_ring(self):
        for count in range(10, 60, 7):
            board = Board()

            async def story():
                board.start()
                await board.measure(0, count)
                board.stop(planned=False)
                board.start()
                await board.measure(1000, 1010)
                found = numbers(await board.take())
                kept = found[: found.index(1000)]
                self.assertEqual(kept, list(range(len(kept))))  # no gap
                self.assertTrue(count - len(kept) <= 8, (count, kept))
                self.assertEqual(found[len(kept) :], list(range(1000, 1010)))
                board.stop()

            board.play(story())

    def test_always_takes_no_more_than_the_last_seconds(self):
        board = Board(sync_s=60, slots=64)

        async def story():
            board.start()
            await board.measure(0, 100)
            appends = board.flash.appends
            self.assertTrue(15 <= appends <= 18, appends)  # one each 60 s
            board.stop(planned=False)
            board.start()
            kept = numbers(await board.take())
            self.assertEqual(kept, list(range(len(kept))))
            self.assertTrue(len(kept) >= 93, len(kept))
            board.stop()

        board.play(story())

    def test_cursors_survive_without_a_write_per_reading(self):
        board = Board(sinks=("a", "b"))

        async def story():
            board.start()
            await board.measure(0, 400)
            appends = board.flash.appends
            found = []
            for _ in range(20):
                found += numbers(await board.take(board.cursors[0], 10))
                await board.virtual.advance(30000)
            self.assertEqual(found, list(range(200)))
            self.assertTrue(board.flash.appends - appends <= 12)
            await board.virtual.advance(90000)
            board.stop(planned=False)
            board.start()
            kept = numbers(await board.take(board.cursors[0]))
            self.assertEqual(kept[0], 200)
            self.assertEqual(numbers(await board.take(board.cursors[1]))[:3], [0, 1, 2])
            board.stop()

        board.play(story())

    def test_a_cut_in_mid_drain_repeats_and_skips_nothing(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 300)
            first = await board.take(most=150)
            board.stop(planned=False)
            board.start()
            again = await board.take()
            whole = dict([((number, boot), time) for number, time, boot in first])
            for number, time, boot in again:
                self.assertEqual(whole.get((number, boot), time), time)
                whole[(number, boot)] = time
            self.assertEqual(sorted([key[0] for key in whole])[:292], list(range(292)))
            board.stop()

        board.play(story())

    def test_a_new_sink_sees_what_comes_and_an_old_one_goes_on(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 50)
            board.stop()
            board.sinks = ("new",)
            board.start()
            await board.measure(50, 53)
            self.assertEqual(numbers(await board.take()), [50, 51, 52])
            board.stop()
            board.sinks = ("mqtt", "new")
            board.start()
            await board.measure(53, 55)
            self.assertEqual(numbers(await board.take()), list(range(50)) + [53, 54])
            board.stop()

        board.play(story())

    def test_a_smaller_share_of_the_flash(self):
        """The oldest go until the rest fits; each is counted, and the rest arrives."""
        board = Board(capacity=65536, sinks=("a", "b"))

        async def story():
            board.start()
            await board.measure(0, 3000)
            self.assertEqual(numbers(await board.take(board.cursors[0], 1500)), list(range(1500)))
            used = board.spool.used
            self.assertTrue(used > 14000, used)
            board.stop()
            board.capacity = 8192
            board.start()
            await board.measure(3000, 3200)
            self.assertTrue(board.spool.used <= 8192, board.spool.used)
            for cursor, first in zip(board.cursors, (1500, 0)):
                found = numbers(await board.take(cursor))
                self.assertEqual(found, list(range(found[0], 3200)))
                self.assertTrue(found[0] > 1500, found[0])
                self.assertEqual(cursor.dropped, found[0] - first)
            board.stop()

        board.play(story())


class TestTime(unittest.TestCase):
    def test_known_later_in_the_same_run(self):
        board = Board()

        async def story():
            board.start(known=False)
            begin = board.virtual.ms // 1000
            await board.measure(0, 100)
            self.assertEqual(await board.take(), [])
            board.clock.set(START + board.virtual.ms // 1000, "ntp")
            board.queue.wake()
            found = await board.take()
            self.assertEqual(numbers(found), list(range(100)))
            expected = [START + begin + 10 * n for n in range(1, 101)]
            self.assertEqual([time for _, time, _ in found], expected)
            board.stop()

        board.play(story())

    def test_known_before_the_restart(self):
        board = Board()

        async def story():
            board.start(known=False)
            await board.measure(0, 100)
            board.clock.set(START + board.virtual.ms // 1000, "ntp")
            await board.virtual.advance(2000)
            board.stop(planned=False)
            board.start(known=False, restarted=False)
            found = await board.take()
            self.assertEqual(numbers(found), list(range(len(found))))
            self.assertTrue(len(found) >= 92)
            self.assertEqual(found[0][1], START + 10)
            board.stop()

        board.play(story())

    def test_told_by_the_clock_that_went_on_over_the_restart(self):
        board = Board()
        board.shows = board_time(board)

        async def story():
            board.start(known=False)
            await board.measure(0, 60)
            board.stop()
            board.virtual.ms += 7000  # the restart takes 7 s; the uptime begins anew
            board.uptime_begins()
            board.start(known=False)
            await board.measure(60, 70)
            self.assertEqual(await board.take(), [])
            board.clock.set(START + 707, "ntp")  # 600 + 7 + 100 s have passed
            board.queue.wake()
            found = await board.take()
            self.assertEqual(numbers(found), list(range(70)))
            self.assertEqual(found[0][1], START + 10)
            self.assertEqual(found[59][1], START + 600)
            self.assertEqual(found[60][1], START + 617)
            board.stop()

        with board.shows:
            board.play(story())

    def test_never_known_is_set_aside(self):
        board = Board()

        async def story():
            board.start(known=False)
            await board.measure(0, 60)
            board.stop()
            board.start(known=False, restarted=False)  # a power cut: that clock began anew
            await board.measure(60, 63)
            self.assertEqual(await board.take(), [])
            board.clock.set(START, "ntp")
            board.queue.wake()
            self.assertEqual(numbers(await board.take()), [60, 61, 62])
            self.assertEqual([entry[:2] for entry in board.aside], [(n, 1) for n in range(60)])
            self.assertIn("time", board.aside[0][2])
            board.stop()

        board.play(story())


class board_time:
    """The board's own clock: it shows START less a lot, and goes on over restarts."""

    def __init__(self, board):
        self.board = board
        self.begun_ms = 0
        board.uptime_begins = self.uptime_begins
        self.real = clock.board_offset

    def uptime_begins(self):
        """A restart: uptime 0."""
        self.begun_ms += self.board.virtual.ms
        self.board.virtual.ms = 0

    def __enter__(self):
        clock.board_offset = lambda: 5000 + self.begun_ms // 1000

    def __exit__(self, *about):
        clock.board_offset = self.real


class TestFull(unittest.TestCase):
    def test_the_oldest_go_first_and_every_sink_counts(self):
        board = Board(sinks=("a", "b"), capacity=16384)

        async def story():
            board.start()
            a, b = board.cursors
            b._sources = ["water"]
            count = 6000
            for number in range(count):
                await board.measure(number, number + 1, 1, WATER if number % 10 == 0 else P1)
            self.assertTrue(board.spool.used <= 16384)
            found = numbers(await board.take(a))
            self.assertEqual(found, list(range(count - len(found), count)))
            self.assertTrue(len(found) > 500)
            self.assertEqual(a.dropped, count - len(found))
            self.assertTrue(board.spool.segments_lost > 1)
            water = numbers(await board.take(b))
            self.assertEqual(water, [n for n in found if n % 10 == 0])
            self.assertEqual(b.dropped, count // 10 - len(water))
            board.stop()

        board.play(story())

    def test_a_flash_that_others_have_filled(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 100)
            board.flash.error = 28
            await board.measure(100, 150)
            board.flash.error = 0
            await board.virtual.advance(15000)
            await board.measure(150, 200)
            found = numbers(await board.take())
            self.assertEqual(len(found) + board.cursor.dropped, 200)
            self.assertEqual(found, sorted(found))
            self.assertEqual(found[-50:], list(range(150, 200)))
            self.assertTrue(board.cursor.dropped < 50)  # a page's worth waited in RAM
            board.stop()

        board.play(story())

    def test_no_memory_for_a_while(self):
        """To write: what the ring loses meanwhile is counted, and nothing raises."""
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 50)
            board.flash.memory = 10
            await board.measure(50, 90)
            lost = board.cursor.dropped
            self.assertTrue(0 < board.spool.errors and lost < 40, lost)
            board.flash.memory = 1 << 20
            await board.measure(90, 100)
            found = numbers(await board.take())
            self.assertEqual(len(found), 100 - board.cursor.dropped)
            self.assertEqual(found[-10:], list(range(90, 100)))
            board.flash.memory = 10
            await board.measure(100, 103)
            board.stop()  # raises nothing

        board.play(story())

    def test_no_memory_to_write_at_once(self):
        """Then a write goes to the flash page by page; they are read as ever."""
        board = Board()
        joined = ringlog._joined

        def none(pieces, size):
            raise MemoryError

        async def story():
            board.start()
            ringlog._joined = none
            await board.measure(0, 120)
            self.assertTrue(board.flash.appends > 3)
            board.stop()
            ringlog._joined = joined
            board.start()
            self.assertEqual(numbers(await board.take()), list(range(120)))
            board.stop()

        try:
            board.play(story())
        finally:
            ringlog._joined = joined

    def test_a_flash_that_fails_and_works_again(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 100)
            board.flash.error = 5
            await board.measure(100, 150)
            self.assertTrue(board.spool.errors > 0)
            board.flash.error = 0
            await board.virtual.advance(15000)
            await board.measure(150, 250)
            found = numbers(await board.take())
            self.assertEqual(found[:90], list(range(90)))
            self.assertEqual(found[-100:], list(range(150, 250)))
            self.assertEqual(len(found) + board.cursor.dropped, 250)
            self.assertEqual(found, sorted(found))
            board.stop()

        board.play(story())


class TestWear(unittest.TestCase):
    def years(self, sync_s, blocks):
        board = Board(sync_s=sync_s, slots=64)

        async def story():
            board.start()
            spool = board.spool
            spool.blocks = blocks
            board.said = opening.describe(spool, 64)
            await board.measure(0, 600)
            board.told = wear.years_of(spool)
            board.stop()

        board.play(story())
        return board.said, board.told

    def test_always(self):
        """bench/wear.py --always counts 10 years for 1 MB, a block being erased 50,000 times."""
        said, told = self.years(60, 240)
        self.assertIn("about 9 years", said)
        self.assertTrue(8 <= told <= 10, told)

    def test_every_second(self):
        said, told = self.years(1, 240)
        self.assertIn("less than a year", said)
        self.assertEqual(told, 1)  # a reading comes each 10 seconds only

    def test_spill_without_an_outage(self):
        board = Board(slots=64)

        async def story():
            board.start()
            board.spool.blocks = 240
            self.assertFalse("years" in opening.describe(board.spool, 64))
            for number in range(100):
                await board.measure(number, number + 1)
                await board.take()
            self.assertTrue(wear.years_of(board.spool) is None)
            board.stop()

        board.play(story())

    def test_a_flash_that_fails_altogether_never_raises_into_a_reader(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 60)
            board.flash.error = 5  # for size() as well: what comes after a write that failed
            await board.measure(60, 200)
            self.assertEqual(board.cursor.waiting, 200)
            board.flash.error = 0
            await board.virtual.advance(15000)
            found = numbers(await board.take())
            self.assertEqual(found, sorted(found))
            self.assertEqual(len(found) + board.cursor.dropped, 200)
            board.stop()

        board.play(story())


class TestUnreadable(unittest.TestCase):
    """Flash that can be written and not read."""

    def test_for_good_the_rest_goes_on_and_the_loss_is_counted(self):
        board = Board(capacity=65536)

        async def story():
            board.start()
            await board.measure(0, 4000, 1)
            names = sorted(board.flash.files)
            self.assertTrue(len(names) > 2, names)
            board.flash.unreadable = names[1]
            first, end = int(names[1][:8], 16), int(names[2][:8], 16)
            found = []
            for _ in range(9):  # it tries again, with pauses
                found += numbers(await board.take())
                await board.virtual.advance(11000)
            self.assertEqual(found, list(range(first)))
            for _ in range(3):
                found += numbers(await board.take())
                await board.virtual.advance(11000)
            self.assertEqual(found, list(range(first)) + list(range(end, 4000)))
            self.assertEqual((board.cursor.dropped, board.cursor.waiting), (end - first, 0))
            self.assertTrue(board.spool.errors >= 10)
            board.stop()

        board.play(story())

    def test_for_a_while_nothing_is_lost_and_the_sink_is_woken(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 300)
            board.flash.unreadable = sorted(board.flash.files)[0]
            self.assertEqual(await board.take(), [])
            board.flash.unreadable = ""
            board.cursor._event.clear()
            await board.virtual.advance(11000)
            self.assertTrue(board.cursor._event.is_set())  # no reading came
            self.assertEqual(numbers(await board.take()), list(range(300)))
            self.assertEqual(board.cursor.dropped, 0)
            board.stop()

        board.play(story())

    def test_the_oldest_segment_of_a_full_log(self):
        board = Board(capacity=16384)

        async def story():
            board.start()
            await board.measure(0, 1000, 1)
            board.flash.unreadable = sorted(board.flash.files)[0]
            await board.measure(1000, 6000, 1)  # what is new is stored all the same
            board.flash.unreadable = ""
            found = numbers(await board.take())
            self.assertEqual(found, list(range(6000 - len(found), 6000)))
            self.assertEqual(len(found) + board.cursor.dropped, 6000)
            board.stop()

        board.play(story())

    def test_a_damaged_page_is_counted(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 300)
            data = board.flash.files[sorted(board.flash.files)[0]]
            data[len(data) // 2] ^= 1
            found = numbers(await board.take())
            self.assertTrue(len(found) < 300)
            self.assertEqual(len(found) + board.cursor.dropped, 300)
            board.stop()

        board.play(story())

    def test_at_the_start_numbers_are_not_used_twice(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 300)
            board.stop()
            board.flash.unreadable = sorted(board.flash.files)[-1]
            board.start()
            serials = []
            await board.measure(1000, 1100)
            board.stop()
            board.flash.unreadable = ""
            board.start()
            while True:
                item = await board.cursor.next()
                if item is None:
                    break
                serials.append(item[0])
                board.cursor.confirm(item[0])
            self.assertEqual((len(serials), serials), (400, sorted(set(serials))))
            board.stop()

        board.play(story())

    def test_a_damaged_newest_page_makes_no_id_anew(self):
        """log.last goes down then: serial numbers come again, of another boot."""
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 300)
            board.stop()
            name = sorted(board.flash.files)[-1]
            data = board.flash.files[name]
            for at in range(len(data) - 300, len(data)):
                data[at] ^= 255
            board.start()
            begun = board.queue.newest + 1
            self.assertTrue(begun < 300)
            await board.measure(1000, 1050)
            ids = {}
            while True:
                item = await board.cursor.next()
                if item is None:
                    break
                number = item[2][2][0] - 45678123
                self.assertEqual(ids.get((item[3], item[0]), number), number)
                ids[(item[3], item[0])] = number
                board.cursor.confirm(item[0])
            self.assertEqual(sorted(ids.values()), list(range(begun)) + list(range(1000, 1050)))
            self.assertEqual(board.cursor.waiting, 0)
            board.stop()

        board.play(story())


class TestMore(unittest.TestCase):
    def test_one_time_for_ever(self):
        """The clock is put right after a reading of unknown time was sent."""
        board = Board()

        async def story():
            board.start(known=False)
            await board.measure(0, 5)
            board.clock.set(START + 3600, "meter")
            first = await board.cursor.next()
            board.cursor.rewind()
            board.clock.set(START, "ntp")
            self.assertEqual((await board.cursor.next())[1], first[1])
            board.stop()

        board.play(story())

    def test_age_of_what_lies_on_the_flash(self):
        board = Board()

        async def story():
            board.start()
            begin = board.clock.now()
            await board.measure(0, 200)
            self.assertEqual(board.cursor.oldest_time, begin + 10)
            await board.take(most=50)
            self.assertTrue(begin + 500 <= board.cursor.oldest_time <= begin + 510)
            board.stop()
            board.start()
            await board.virtual.advance(1000)
            self.assertEqual(board.cursor.oldest_time, begin + 510)
            board.stop()

        board.play(story())

    def test_a_planned_restart_tries_a_flash_that_has_failed(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 100)
            board.flash.error = 5
            await board.measure(100, 106, 2)
            self.assertTrue(board.spool.errors > 0)
            board.flash.error = 0
            board.stop()
            board.start()
            self.assertEqual(numbers(await board.take()), list(range(106)))
            board.stop()

        board.play(story())

    def test_many_starts_without_a_time(self):
        board = Board()

        async def story():
            for _ in range(60):
                board.start(known=False)
                await board.measure(0, 20)
                board.clock.set(START + board.virtual.ms // 1000, "ntp")
                await board.virtual.advance(2000)
                board.stop()
            self.assertTrue(len(board.spool.log.state) <= 26)
            board.start()
            await board.take()
            self.assertTrue(len(board.aside) > 0)  # of the oldest starts
            self.assertEqual(board.cursor.refused, len(board.aside))
            self.assertEqual(board.cursor.sent + board.cursor.refused, 1200)
            board.stop()

        board.play(story())

    def test_a_state_that_could_not_be_written_raises_into_no_reader(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 100)
            board.spool.close()  # no page is in RAM
            await board.take(most=10)
            board.flash.error = 5
            board.spool.save()
            await board.measure(100, 150)  # looks how much has been written, and cannot
            board.flash.error = 0
            await board.virtual.advance(15000)
            found = numbers(await board.take())
            self.assertEqual(len(found) + board.cursor.dropped, 140)
            board.stop()

        board.play(story())

    def test_two_tasks_lose_the_oldest_segment_once(self):
        board = Board(capacity=65536)

        async def story():
            board.start()
            await board.measure(0, 4000, 1)
            slow = board.spool._lose_segment()
            for _ in range(50):
                next(slow)
            for _ in board.spool._lose_segment():
                pass
            first = board.spool.log.first
            for _ in slow:
                pass
            self.assertEqual((board.spool.log.first, board.spool.log.removed), (first, 1))
            self.assertEqual(board.cursor.dropped, first)
            self.assertEqual(numbers(await board.take()), list(range(first, 4000)))
            board.stop()

        board.play(story())

    def test_the_place_of_a_new_sink_is_kept_at_once(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 100)
            board.stop()
            board.sinks = ("mqtt", "new")
            board.start()
            board.stop(planned=False)
            board.start()
            self.assertEqual(board.spool.log.state.get("new#"), 100)
            board.stop()

        board.play(story())

    def test_a_reading_that_no_page_can_hold(self):
        board = Board()

        async def story():
            board.start()
            await board.measure(0, 5)
            board.queue.put((board.clock.stamp(), WATER, (1 << 300,)))
            found = await board.take()
            self.assertEqual(found[5][0], 1 << 300)  # from RAM
            board.queue.put((board.clock.stamp(), WATER, (1 << 300,)))
            await board.measure(5, 50)
            self.assertEqual(numbers(await board.take()), list(range(5, 50)))
            self.assertEqual((board.cursor.dropped, board.cursor.sent), (1, 51))
            board.stop()

        board.play(story())
