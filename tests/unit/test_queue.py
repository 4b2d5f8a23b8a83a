"""The reading queue: order, cursors, filters, loss and its counters."""

import asyncio
import unittest

from joulelog.live_first import LiveFirst
from joulelog.queue import Queue
from joulelog.reading import Source

POWER = ("power", "W", 0, "measurement", "power")
DAY = ("day", "kWh", 3, "total_increasing", "energy")
A = Source("a", (POWER, DAY))
B = Source("b", (POWER,))


class FakeClock:
    """Knows UTC when a test says so; uptime stamps are negative, as in clock.py."""

    def __init__(self):
        self.offset = None

    def resolve(self, stamp):
        if stamp >= 0:
            return stamp
        return None if self.offset is None else stamp + self.offset


def queue_of(slots=4):
    return Queue(slots, FakeClock())


def reading(number, source=A):
    return (number, source, (number, number))


def take(cursor, timeless=False):
    """The next item of the cursor."""
    return asyncio.run(cursor.next(timeless))


def newest(cursor):
    """The newest item of each source."""
    return asyncio.run(cursor.newest())


def drain(cursor):
    """Times of all readings that the cursor gives, unconfirmed."""
    times = []
    while True:
        item = take(cursor)
        if item is None:
            return times
        times.append(item[1])


class TestOrder(unittest.TestCase):
    def test_in_order_and_confirmed(self):
        queue = queue_of(8)
        cursor = queue.cursor("x")
        for number in range(5):
            queue.put(reading(number))
        self.assertEqual(cursor.waiting, 5)
        serials = [take(cursor)[0] for _ in range(5)]
        self.assertEqual(serials, [0, 1, 2, 3, 4])
        self.assertTrue(take(cursor) is None)
        cursor.confirm(2)
        self.assertEqual((cursor.sent, cursor.position, cursor.in_flight), (3, 3, 2))
        cursor.confirm(4)
        self.assertEqual((cursor.sent, cursor.position, cursor.waiting), (5, 5, 0))

    def test_rewind_reads_the_unconfirmed_again(self):
        queue = queue_of(8)
        cursor = queue.cursor("x")
        for number in range(5):
            queue.put(reading(number))
        self.assertEqual(drain(cursor), [0, 1, 2, 3, 4])
        cursor.confirm(1)
        cursor.rewind()
        self.assertEqual(drain(cursor), [2, 3, 4])
        self.assertEqual(cursor.dropped, 0)

    def test_unread_and_skip(self):
        queue = queue_of(8)
        cursor = queue.cursor("x", every=10)
        queue.put(reading(0))
        queue.put(reading(5))
        queue.put(reading(11))
        self.assertEqual(take(cursor)[1], 0)
        cursor.unread()
        self.assertEqual(take(cursor)[1], 0)
        cursor.skip()  # it had nothing to send: the next of the same ten seconds may have
        self.assertEqual(take(cursor)[1], 5)
        cursor.confirm(1)
        self.assertEqual((cursor.sent, take(cursor)[1]), (1, 11))

    def test_cursors_are_independent(self):
        queue = queue_of(8)
        slow, fast = queue.cursor("slow"), queue.cursor("fast")
        queue.put(reading(0))
        fast.confirm(take(fast)[0])
        self.assertEqual((fast.waiting, slow.waiting), (0, 1))
        late = queue.cursor("late")
        self.assertTrue(take(late) is None)
        queue.put(reading(1))
        self.assertEqual((drain(slow), drain(fast), drain(late)), ([0, 1], [1], [1]))

    def test_set_aside_is_not_sent(self):
        queue = queue_of(8)
        cursor = queue.cursor("x")
        for number in range(3):
            queue.put(reading(number))
        drain(cursor)
        cursor.confirm(0)
        cursor.dismiss(1)
        cursor.confirm(2)
        self.assertEqual((cursor.sent, cursor.waiting), (2, 0))

    def test_latest_by_source(self):
        queue = queue_of(4)
        queue.put(reading(1, A))
        queue.put(reading(2, B))
        queue.put(reading(3, A))
        self.assertEqual((queue.latest["a"][0], queue.latest["b"][0]), (3, 2))


class TestFilters(unittest.TestCase):
    def test_sources(self):
        queue = queue_of()
        cursor = queue.cursor("x", sources=["b"])
        queue.put(reading(1, A))
        queue.put(reading(2, B))
        self.assertEqual(drain(cursor), [2])

    def test_channels(self):
        queue = queue_of()
        cursor = queue.cursor("x", channels=["day"])
        queue.put(reading(1, A))
        queue.put(reading(2, B))  # it has no channel `day`
        self.assertEqual(drain(cursor), [1])
        self.assertEqual((cursor.columns(A), cursor.columns(B)), ((1,), ()))

    def test_columns_of_many_sources(self):
        cursor = queue_of().cursor("x", channels=["day"])
        for _ in range(100):  # a meter that changes its channels all the time
            self.assertEqual(cursor.columns(Source("a", (POWER, DAY))), (1,))
        self.assertTrue(len(cursor._columns) <= 16)

    def test_every_is_aligned_and_by_source(self):
        queue = queue_of(16)
        cursor = queue.cursor("x", every=10)
        for time in (8, 9, 10, 11, 19, 20, 29, 31):
            queue.put(reading(time, A))
        queue.put(reading(31, B))
        self.assertEqual(drain(cursor), [8, 10, 20, 31, 31])

    def test_every_after_a_rewind(self):
        queue = queue_of(16)
        cursor = queue.cursor("x", every=10)
        for time in (1, 2, 11, 12):
            queue.put(reading(time))
        self.assertEqual(drain(cursor), [1, 11])
        cursor.confirm(0)
        cursor.rewind()
        self.assertEqual(drain(cursor), [11])


class TestTime(unittest.TestCase):
    def test_an_unknown_time_holds_the_queue(self):
        queue = queue_of()
        cursor, timeless = queue.cursor("x"), queue.cursor("y")
        queue.put(reading(-100))
        queue.put(reading(50))
        self.assertTrue(take(cursor) is None)
        self.assertEqual(take(timeless, True)[:2], (0, None))
        queue.clock.offset = 120
        self.assertEqual(drain(cursor), [20, 50])


class TestLoss(unittest.TestCase):
    def test_the_oldest_go_first_and_are_counted(self):
        queue = queue_of(4)
        cursor = queue.cursor("x")
        for number in range(10):
            queue.put(reading(number))
        self.assertEqual((cursor.dropped, drain(cursor)), (6, [6, 7, 8, 9]))

    def test_what_was_confirmed_is_not_lost(self):
        queue = queue_of(4)
        cursor = queue.cursor("x")
        for number in range(10):
            queue.put(reading(number))
            cursor.confirm(take(cursor)[0])
        self.assertEqual((cursor.sent, cursor.dropped), (10, 0))

    def test_overwritten_on_its_way_and_arrived(self):
        queue = queue_of(4)
        cursor = queue.cursor("x")
        for number in range(4):
            queue.put(reading(number))
        drain(cursor)
        for number in range(4, 7):
            queue.put(reading(number))
        cursor.confirm(3)
        self.assertEqual((cursor.sent, cursor.dropped, drain(cursor)), (4, 0, [4, 5, 6]))

    def test_overwritten_on_its_way_and_failed(self):
        queue = queue_of(4)
        cursor = queue.cursor("x")
        for number in range(3):
            queue.put(reading(number))
        drain(cursor)
        for number in range(3, 9):  # 0..2 on their way, 3 and 4 not even read
            queue.put(reading(number))
        cursor.rewind()
        self.assertEqual((cursor.dropped, drain(cursor)), (5, [5, 6, 7, 8]))

    def test_unwanted_readings_are_no_loss(self):
        queue = queue_of(2)
        cursor = queue.cursor("x", sources=["b"])
        for number in range(10):
            queue.put(reading(number, A))
        self.assertEqual((cursor.dropped, drain(cursor)), (0, []))

    def test_every_reading_is_accounted_for(self):
        """Any mix of put, read, confirm and rewind: sent + dropped + waiting = put."""
        queue = queue_of(5)
        cursor = queue.cursor("x")
        state = 12345
        put = 0
        flight = []
        sent = []
        for _ in range(3000):
            state = (state * 1103 + 12345) % 65521
            action = state % 8
            if action < 4:
                queue.put(reading(put))
                put += 1
            elif action < 6:
                item = take(cursor)
                if item is not None:
                    flight.append(item)
            elif action == 6 and flight:
                item = flight[state // 8 % len(flight)]
                cursor.confirm(item[0])
                sent.extend([other[1] for other in flight if other[0] <= item[0]])
                flight = [other for other in flight if other[0] > item[0]]
            elif action == 7:
                cursor.rewind()
                flight = []
            overwritten = len([item for item in flight if item[0] < queue.oldest])
            self.assertEqual(
                cursor.sent + cursor.dropped + cursor.in_flight + queue.newest + 1 - cursor.ahead,
                put,
            )
            self.assertTrue(overwritten <= len(flight))
        self.assertEqual(cursor.sent, len(sent))
        self.assertEqual(sent, sorted(set(sent)))
        self.assertTrue(cursor.sent > 100 and cursor.dropped > 100)


class TestNewest(unittest.TestCase):
    def test_one_per_source_in_order(self):
        queue = queue_of(8)
        cursor = queue.cursor("x")
        for number, source in ((1, A), (2, B), (3, A), (4, A), (5, B)):
            queue.put(reading(number, source))
        self.assertEqual([item[1] for item in newest(cursor)], [4, 5])
        self.assertEqual((cursor.superseded, cursor.dropped), (3, 0))
        cursor.confirm(4)
        self.assertEqual((cursor.sent, cursor.waiting), (2, 0))

    def test_order_with_many_sources(self):
        queue = queue_of(64)
        cursor = queue.cursor("x")
        for number in range(60):
            queue.put(reading(number, Source("s%d" % (number * 7 % 20), (POWER,))))
        serials = [item[0] for item in newest(cursor)]
        self.assertEqual(serials, sorted(serials))
        self.assertEqual((len(serials), cursor.superseded), (20, 40))

    def test_superseded_once_whatever_is_repeated(self):
        queue = queue_of(8)
        cursor = queue.cursor("x")
        for number, source in ((1, B), (2, A), (3, A)):
            queue.put(reading(number, source))
        for _ in range(3):
            self.assertEqual([item[1] for item in newest(cursor)], [1, 3])
            cursor.rewind()
        self.assertEqual(cursor.superseded, 1)

    def test_a_full_ring_supersedes(self):
        queue = queue_of(4)
        cursor = queue.cursor("x")
        cursor.newest_only = True
        for number in range(10):
            queue.put(reading(number))
        self.assertEqual([item[1] for item in newest(cursor)], [9])
        self.assertEqual((cursor.superseded, cursor.dropped), (9, 0))


class TestFullHeap(unittest.TestCase):
    def test_put_survives_a_spool_without_memory(self):
        class Spool:
            first = 0

            def holds(self, serial):
                raise MemoryError

        queue = queue_of(2)
        cursor = queue.cursor("x")
        cursor.durable = True
        queue.spool = Spool()
        for number in range(3):
            queue.put(reading(number))
        self.assertEqual((queue.newest, cursor.dropped), (2, 1))

    def test_put_survives_all_that_finds_no_memory(self):
        """The new reading is there, the evicted one counted, by each cursor once."""
        for part in ("columns", "wake"):
            queue = queue_of(4)
            cursors = [queue.cursor("x"), queue.cursor("y", ["a"])]
            for number in range(4):
                queue.put(reading(number))

            def fails(*about):
                raise MemoryError

            for cursor in cursors:
                setattr(cursor, part, fails)
            for number in range(4, 6):
                queue.put(reading(number))
            for cursor in cursors:
                delattr(cursor, part)
                self.assertEqual(drain(cursor), [2, 3, 4, 5])
                self.assertEqual(cursor.dropped, 2)


class TestSinkCursor(unittest.TestCase):
    def test_two_lanes_only_where_there_can_be_a_backlog(self):
        class Module:
            @staticmethod
            def live_first(entry):
                return entry["wish"]

        entry = {"name": "x", "sources": None, "channels": None, "every": 0, "wish": True}
        queue = queue_of()
        self.assertTrue(isinstance(queue.sink_cursor(Module, entry, True), LiveFirst))
        self.assertFalse(isinstance(queue.sink_cursor(Module, entry, False), LiveFirst))
        entry["wish"] = False
        self.assertFalse(isinstance(queue.sink_cursor(Module, entry, True), LiveFirst))


class TestWait(unittest.TestCase):
    def test_put_wakes(self):
        async def scenario():
            queue = queue_of()
            cursor = queue.cursor("x")
            seen = []

            async def consume():
                while len(seen) < 3:
                    item = await cursor.next()
                    if item is None:
                        await cursor.wait()
                        continue
                    seen.append(item[1])

            task = asyncio.create_task(consume())
            for number in range(3):
                await asyncio.sleep(0)
                queue.put(reading(number))
            await asyncio.wait_for(task, 2)
            return seen

        self.assertEqual(asyncio.run(scenario()), [0, 1, 2])
