"""The delivery loop of all sinks that send batches, in compressed time (x 2000)."""

import asyncio
import unittest

from joulelog import clock
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source
from joulelog.net.server import Denied, Refused, Retry
from joulelog.sinks.batch import BatchSink
from joulelog.sinks.sink import Writer

SPEED = 2000
SOURCE = Source("p1", (("power", "W", 0, "measurement", "power"),))


class Server:
    """What the test sink posts to: a script of answers, then every answer is good."""

    def __init__(self, script=()):
        self.script = list(script)
        self.bodies = []
        self.stored = []
        self.at_ms = []  # when each request came

    def take(self, body):
        self.bodies.append(body)
        self.at_ms.append(clock.uptime_ms())
        answer = self.script.pop(0) if self.script else None
        if isinstance(answer, Exception):
            raise answer
        rows = [int(row) for row in body[1:-1].split(",")]
        if callable(answer):
            answer(rows)
        self.stored.extend(rows)


class Sink(BatchSink):
    """[1,2,3], where a value of None writes nothing."""

    tail = 1

    def __init__(self, entry, cursor, server):
        super().__init__("test", entry, cursor)
        self.server = server

    def begin(self, out):
        out.put("[")

    def add(self, out, time, reading, first):
        value = reading[2][0]
        if value is None:
            return
        if not first:
            out.put(",")
        out.put(str(value))

    def finish(self, out):
        out.put(b"]")

    async def post(self, body):
        await clock.sleep_ms(1)
        return self.server.take(bytes(body).decode())


def deliver(values, script=(), batch=64, interval=0, slots=512, until=None, aside=None, rate=0):
    """Run a sink over these values until all is done; return (sink, cursor, server)."""
    server = Server(script)

    async def scenario():
        queue = Queue(slots, clock.Clock())
        queue.aside = aside
        cursor = queue.cursor("test")
        sink = Sink({"batch": batch, "interval": interval, "rate": rate}, cursor, server)
        for value in values:
            queue.put((1000, SOURCE, (value,)))
        task = asyncio.create_task(sink.run())
        for _ in range(5000):
            await asyncio.sleep(0)
            if until(sink, queue) if until else not cursor.waiting:
                break
            await clock.sleep_ms(SPEED)
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
        return sink, cursor

    clock.set_speed(SPEED)
    try:
        sink, cursor = asyncio.run(scenario())
    finally:
        clock.set_speed(1)
    return sink, cursor, server


def refuse(*bad):
    """An answer that refuses a batch with one of these values."""

    def answer(rows):
        for row in rows:
            if row in bad:
                raise Refused("bad value")

    return answer


class TestWriter(unittest.TestCase):
    def test_put_and_cut(self):
        out = Writer(8)
        out.put("abc")
        out.put(b"de")
        self.assertEqual((bytes(out.view()), out.room()), (b"abcde", 3))
        out.put("\u00e9\u00e9")  # four bytes
        self.assertTrue(out.overrun)
        out.put("x")  # nothing behind a gap
        self.assertEqual(bytes(out.view()), b"abcde")
        out.cut(3)
        out.put("fghij")
        self.assertEqual((bytes(out.view()), out.overrun, out.room()), (b"abcfghij", False, 0))


class TestDelivery(unittest.TestCase):
    def test_all_in_order_bounded_by_bytes(self):
        sink, cursor, server = deliver(range(200))
        self.assertEqual(server.stored, list(range(200)))
        self.assertTrue(len(server.bodies) > 5)
        for body in server.bodies:
            self.assertTrue(len(body) <= 64)
            self.assertEqual((body[0], body[-1]), ("[", "]"))
        self.assertEqual((sink.cursor.sent, sink.retried, sink.cursor.refused), (200, 0, 0))
        self.assertEqual(sink.state, "ok")

    def test_a_body_that_fits_exactly(self):
        # "[" + 62 bytes + "]" = 64: 20 values of 2 digits with commas are 59, and so on
        for digits in range(40, 64):
            values = [int("1" * (digits // 2)), int("2" * (digits - digits // 2 - 1)), 3]
            _, _, server = deliver(values)
            self.assertEqual(server.stored, values)

    def test_readings_without_a_value(self):
        sink, cursor, server = deliver([None, 1, None, 2, None])
        self.assertEqual(server.stored, [1, 2])
        self.assertEqual((sink.cursor.sent, cursor.waiting), (2, 0))
        sink, cursor, server = deliver([None] * 20)
        self.assertEqual((server.bodies, sink.cursor.sent, cursor.waiting), ([], 0, 0))

    def test_a_reading_larger_than_the_batch(self):
        sink, cursor, server = deliver([1, int("9" * 70), 2])
        self.assertEqual(server.stored, [1, 2])
        self.assertEqual((sink.cursor.sent, sink.cursor.refused), (2, 1))

    def test_interval(self):
        def done(sink, queue):
            if queue.newest < 30 and sink.cursor.sent > queue.newest:
                queue.put((1000, SOURCE, (queue.newest + 1,)))
            return sink.cursor.sent > 4

        _, _, server = deliver([0], interval=60, until=done)
        pauses = [b - a for a, b in zip(server.at_ms, server.at_ms[1:])]
        self.assertEqual(server.stored, [0, 1, 2, 3, 4])
        self.assertTrue(min(pauses) >= 50000)

    def test_interval_while_readings_arrive_during_the_request(self):
        # A reading that comes while the answer is awaited is no backlog.
        def done(sink, queue):
            if queue.newest < 1000:
                queue.put((1000, SOURCE, (1,)))
            return len(sink.server.bodies) > 3

        _, _, server = deliver([0], interval=600, batch=8192, slots=2000, until=done)
        pauses = [b - a for a, b in zip(server.at_ms, server.at_ms[1:])]
        self.assertTrue(min(pauses) >= 500000)


class TestRetry(unittest.TestCase):
    def test_the_same_again(self):
        sink, cursor, server = deliver([1, 2, 3], [Retry("down"), Retry("down")])
        self.assertEqual(server.bodies, ["[1,2,3]"] * 3)
        self.assertEqual((sink.cursor.sent, sink.retried, sink.state), (3, 2, "ok"))

    def test_backoff_grows_to_a_minute(self):
        sink, cursor, server = deliver([1], [Retry("down")] * 10)
        pauses = [b - a for a, b in zip(server.at_ms, server.at_ms[1:])]
        expected = 1000
        for pause in pauses:
            self.assertTrue(pause >= expected * 3 // 4 - SPEED)  # a tick of the compressed clock
            expected = min(2 * expected, 60000)

    def test_the_servers_wish(self):
        sink, cursor, server = deliver([1], [Retry("slow down", 300)])
        self.assertTrue(server.at_ms[1] - server.at_ms[0] >= 299000)

    def test_denied_waits_and_loses_nothing(self):
        seen = []

        def done(sink, queue):
            seen.append(sink.state)
            return not sink.cursor.waiting

        sink, cursor, server = deliver([1, 2], [Denied("wrong key")] * 3, until=done)
        self.assertEqual(server.stored, [1, 2])
        self.assertTrue("denied: wrong key" in seen)
        self.assertEqual((sink.retried, sink.cursor.dropped, sink.state), (3, 0, "ok"))
        self.assertTrue(server.at_ms[3] - server.at_ms[0] >= 170000)

    def test_a_full_queue_while_the_server_is_away(self):
        def done(sink, queue):
            if queue.newest < 99:
                queue.put((1000, SOURCE, (queue.newest + 1,)))
            return not sink.cursor.waiting

        sink, cursor, server = deliver([0], [Retry("away")] * 5, slots=8, until=done)
        self.assertEqual(sink.cursor.sent + sink.cursor.dropped, 100)
        self.assertEqual(server.stored, sorted(set(server.stored)))
        self.assertEqual(len(server.stored), sink.cursor.sent)


class TestRefused(unittest.TestCase):
    def test_the_bad_one_is_found(self):
        for bad in range(10):
            sink, cursor, server = deliver(range(10), [refuse(bad)] * 50)
            self.assertEqual(server.stored, [n for n in range(10) if n != bad])
            self.assertEqual(
                (sink.cursor.sent, sink.cursor.refused, sink.cursor.dropped), (9, 1, 0)
            )
            self.assertTrue(len(server.bodies) <= 14)

    def test_several_bad_ones(self):
        bad = (0, 3, 4, 17, 39)
        sink, cursor, server = deliver(range(40), [refuse(*bad)] * 200)
        self.assertEqual(server.stored, [n for n in range(40) if n not in bad])
        self.assertEqual((sink.cursor.sent, sink.cursor.refused), (35, 5))

    def test_batches_grow_again(self):
        sink, cursor, server = deliver(range(300), [refuse(5)] * 500, batch=4096)
        self.assertEqual(len(server.stored), 299)
        self.assertTrue(len(server.bodies) < 25)

    def test_what_is_refused_is_kept_with_the_reason(self):
        kept = []
        deliver(range(5), [refuse(3)] * 9, aside=lambda *about: kept.append(about))
        ((cursor, item, why),) = kept
        self.assertEqual((cursor.name, item[0], item[2][2], why), ("test", 3, (3,), "bad value"))


class TestRestart(unittest.TestCase):
    def test_a_server_that_never_took_anything_makes_readings_wait(self):
        kept = []
        sink, cursor, server = deliver(
            range(20),
            [refuse(*range(20))] * 200,
            aside=lambda cursor, item, why: kept.append(item),
            until=lambda sink, queue: sink.retried > 2,
        )
        self.assertEqual((kept, cursor.refused, cursor.waiting), ([], 0, 20))
        self.assertTrue(sink.state.startswith("denied: the server has taken no reading so far"))
        self.assertTrue("bad value" in sink.state)

    def test_those_before_the_first_that_is_taken_are_set_aside(self):
        kept = []
        sink, cursor, server = deliver(
            range(12),
            [refuse(0, 1, 5)] * 100,
            aside=lambda cursor, item, why: kept.append(item[2][2][0]),
        )
        self.assertEqual(kept, [0, 1, 5])
        self.assertEqual(server.stored, [2, 3, 4, 6, 7, 8, 9, 10, 11])
        self.assertEqual((cursor.sent, cursor.refused, cursor.dropped), (9, 3, 0))

    def test_one_too_large_behind_one_that_is_held(self):
        kept = []
        sink, cursor, server = deliver(
            [0, 1 << 300, 2, 3],
            [refuse(0)] * 100,
            aside=lambda cursor, item, why: kept.append(item[2][2][0]),
        )
        self.assertEqual((kept, server.stored), ([0, 1 << 300], [2, 3]))
        self.assertEqual((cursor.sent, cursor.refused, cursor.dropped), (2, 2, 0))

    def test_only_readings_that_are_too_large(self):
        sink, cursor, server = deliver([1 << 300] * 30)
        self.assertEqual((cursor.refused, cursor.waiting, server.bodies), (30, 0, []))

    def test_a_crash_in_post_loses_nothing(self):
        server = Server()

        async def scenario():
            queue = Queue(16, clock.Clock())
            cursor = queue.cursor("test")
            sink = Sink({"batch": 64, "interval": 0, "rate": 0}, cursor, server)
            queue.put((1000, SOURCE, (7,)))
            server.script.append(MemoryError())
            try:
                await sink.run()
            except MemoryError:
                pass
            task = asyncio.create_task(sink.run())
            for _ in range(200):
                await asyncio.sleep(0)
                await clock.sleep_ms(1)
                if not cursor.waiting:
                    break
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        asyncio.run(scenario())
        self.assertEqual(server.stored, [7])
