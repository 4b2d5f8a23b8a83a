"""The reading queue: order, cursors, filters, loss and its counters."""

import asyncio
import unittest

from joulelog.flow.live_first import LiveFirst
from joulelog.flow.queue import Cursor, Queue
from joulelog.flow.reading import Source
from joulelog.flow.watch import Watch

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

    def test_the_oldest_that_waits(self):
        for kind in (Cursor, LiveFirst):
            queue = queue_of(8)
            cursor = queue.use(kind(queue, "x", None, None, 0))
            self.assertTrue(cursor.oldest_time is None)
            queue.put(reading(100))
            queue.put(reading(101))
            self.assertEqual(cursor.oldest_time, 100)
            drain(cursor)
            self.assertEqual(cursor.oldest_time, 100)
            cursor.confirm_all()
            self.assertTrue(cursor.oldest_time is None, "nothing waits, however old it was")
            queue.put(reading(102))
            self.assertEqual(cursor.oldest_time, 102)

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
        latest = queue.latest
        self.assertEqual((latest.of("a")[0], latest.of("b")[0], latest.of("c")), (3, 2, None))
        self.assertEqual((sorted(latest.rows), latest.count), (["a", "b"], 3))
        self.assertEqual((latest.row("a").count, latest.sources), (2, 2))
        latest.row("d")  # of a reader whose meter is silent
        self.assertEqual((sorted(latest.rows), latest.sources), (["a", "b", "d"], 2))


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


class TestWatch(unittest.TestCase):
    """What reads the table."""

    def setUp(self):
        self.queue = queue_of(4)

    def watch(self, sources=None, channels=None, every=0):
        return Watch(self.queue, "x", sources, channels, every)

    def put(self, *pairs):
        for number, source in pairs:
            self.queue.put(reading(number, source))

    def test_the_newest_of_each_source(self):
        watch = self.watch()
        self.put((1, A), (2, B), (3, A), (4, A), (5, B))
        self.assertEqual((watch.waiting, watch.oldest_time), (2, 4))
        items = watch.newest()
        self.assertEqual([item[1] for item in items], [4, 5])
        self.assertEqual((watch.in_flight, watch.waiting), (2, 2))
        watch.confirm(items[1][0])
        self.assertEqual((watch.sent, watch.superseded, watch.dropped), (2, 3, 0))
        self.assertEqual((watch.in_flight, watch.waiting, watch.oldest_time), (0, 0, None))
        self.assertEqual(watch.newest(), [])

    def test_many_sources_and_a_full_ring(self):
        watch = self.watch()
        for number in range(60):
            self.queue.put(reading(number, Source("s%d" % (number * 7 % 20), (POWER,))))
        items = watch.newest()
        self.assertEqual(sorted([item[1] for item in items]), list(range(40, 60)))
        self.assertEqual([item[0] for item in items], list(range(20)))
        watch.confirm(items[-1][0])
        self.assertEqual((watch.sent, watch.superseded), (20, 40))

    def test_superseded_once_whatever_is_repeated(self):
        watch = self.watch()
        self.put((1, B), (2, A), (3, A))
        for _ in range(3):
            self.assertEqual([item[1] for item in watch.newest()], [3, 1])
            watch.rewind()
        for number, _, _, _ in watch.newest():
            watch.confirm(number)
        self.assertEqual((watch.sent, watch.superseded), (2, 1))

    def test_what_comes_while_one_is_on_its_way(self):
        watch = self.watch()
        self.put((1, A))
        items = watch.newest()
        self.put((2, A), (3, A))
        watch.dismiss(items[0][0])  # there was nothing in it
        self.assertEqual((watch.sent, watch.superseded, watch.waiting), (0, 0, 1))
        watch.confirm(watch.newest()[0][0])
        self.assertEqual((watch.sent, watch.superseded, watch.waiting), (1, 1, 0))

    def test_filters(self):
        only_b, only_day = self.watch(["b"]), self.watch(None, ["day"])
        self.put((1, A), (2, B))
        for watch, name in ((only_b, "b"), (only_day, "a")):
            self.assertEqual([item[2][1].name for item in watch.newest()], [name])
            self.assertEqual([found[0] for found in watch.rows()], [name])

    def test_every(self):
        watch = self.watch(every=10)
        sent = []
        for time in (8, 9, 10, 11, 19, 20, 29, 31):
            self.put((time, A))
            for number, time, _, _ in watch.newest():
                watch.confirm(number)
                sent.append(time)
        self.assertEqual(sent, [8, 10, 20, 31])
        self.assertEqual((watch.sent, watch.superseded, watch.waiting), (4, 0, 0))

    def test_an_unknown_time(self):
        watch = self.watch()
        self.put((-100, A))
        self.assertEqual([item[1] for item in watch.newest()], [None])
        self.assertEqual(watch.oldest_time, None)

    def test_what_wakes(self):
        latest = self.queue.latest
        woken = []

        class Watcher:
            def wake(self):
                woken.append(latest.of("a"))

        latest.watchers.append(Watcher())
        self.put((1, A), (2, A))
        self.assertEqual(woken, [reading(1), reading(2)])


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
    def test_what_a_module_asks_for(self):
        class Module:
            @staticmethod
            def reads(entry, terminal):
                return "table" if terminal else entry["wish"]

        def made(wish, backlog=True, terminal=False):
            entry = {"name": "x", "sources": None, "channels": None, "every": 0, "wish": wish}
            queue = queue_of()
            cursor = queue.sink_cursor(Module, entry, backlog, terminal)
            self.assertEqual(len(queue.latest.watchers), int(isinstance(cursor, Watch)))
            self.assertEqual(queue.cursors, [] if isinstance(cursor, Watch) else [cursor])
            return cursor.durable, type(cursor)

        self.assertEqual(made("live_first"), (True, LiveFirst))
        self.assertEqual(made("live_first", False), (True, Cursor))  # there can be no backlog
        self.assertEqual(made("in_order"), (True, Cursor))
        self.assertEqual(made("ram"), (False, Cursor))
        self.assertEqual(made("table"), (False, Watch))
        self.assertEqual(made("ram", True, True), (False, Watch))

    def test_a_module_that_asks_for_nothing(self):
        entry = {"name": "x", "sources": None, "channels": None, "every": 0}
        cursor = queue_of().sink_cursor(object, entry)
        self.assertEqual((cursor.durable, type(cursor)), (True, Cursor))


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
