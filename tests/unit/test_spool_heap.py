"""What an outage takes of the heap beside what is there before it, and what a heap that is full
at random moments makes of it, on the VM."""

import asyncio
import gc
import logging
import os
import unittest

from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.backlog.files import Files
from joulelog.backlog.opening import open_spool
from joulelog.flow.live_first import LiveFirst
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source
from joulelog.supervisor import Supervisor

START = 848000000
CHANNELS = 28
SLOTS = 64
DIRECTORY = "build/test_spool_heap"
READINGS = 400
LONG = hasattr(os, "getenv") and os.getenv("JOULELOG_LONG")
TRIED = 400 if LONG else 60  # readings while the heap is full now and then
OUTAGE_BYTES = 700  # 480, and what a few more objects would take
READING_BYTES = 2600  # 2,208: reader, page walk, second lane, the values before
METER = Source(
    "p1",
    tuple([("power_l%d" % i, "W", 0, "measurement", "power") for i in range(CHANNELS)]),
)


def values_of(number):
    return tuple([number * 3 + i if i % 4 == 0 else 230 for i in range(CHANNELS)])


class OnFlash(unittest.TestCase):
    def setUp(self):
        for name in ("build", DIRECTORY):
            try:
                os.mkdir(name)
            except OSError:
                pass
        self.folder = Files(DIRECTORY)
        for name in self.folder.names():
            self.folder.remove(name)

    def tearDown(self):
        self.folder.close()


@unittest.skipUnless(hasattr(gc, "mem_free"), "only MicroPython tells how full the heap is")
class TestHeap(OnFlash):
    def test_an_outage_takes_little(self):
        virtual = VirtualClock()
        now = clock.Clock()
        now.set(START, "ntp")
        queue = Queue(SLOTS, now, 1)
        cursor = queue.use(LiveFirst(queue, "mqtt", None, None, 0))
        cursor.durable = True
        open_spool(queue, self.folder, 65536, 640, 0)

        async def measure(first, last):
            for number in range(first, last):
                queue.put((START + 10 * number, METER, values_of(number)))
                await virtual.advance(10000)

        async def take(found, before=0):
            """Deliver all; the most bytes that were in use beside those before."""
            most = 0
            while True:
                item = await cursor.next()
                if item is None:
                    return most
                if item[0] % 32 == 0:
                    gc.collect()
                    most = max(most, gc.mem_alloc() - before)
                if item[2][2] != values_of((item[1] - START) // 10):
                    raise ValueError("altered: %r" % (item,))
                found[item[0]] = 1
                cursor.confirm(item[0])

        async def story():
            task = asyncio.create_task(queue.spool.run())
            found = bytearray(READINGS)
            for number in range(2 * SLOTS):  # all is well, and the ring full of confirmed readings
                await measure(number, number + 1)
                await take(found)
            self.assertEqual(queue.spool.stored, 0)
            gc.collect()
            before = gc.mem_alloc()
            most = 0
            for number in range(2 * SLOTS, READINGS, 16):
                await measure(number, number + 16)
                gc.collect()
                most = max(most, gc.mem_alloc() - before)
            self.assertTrue(most <= OUTAGE_BYTES, most)
            self.assertTrue(queue.spool.stored > 100)
            most = await take(found, before)
            self.assertTrue(most <= READING_BYTES, most)
            self.assertEqual(sum(found), READINGS)
            self.assertEqual((cursor.dropped, queue.spool.errors), (0, 0))
            task.cancel()

        virtual.play(story())


class Ballast:
    """Fills the heap."""

    def __init__(self):
        self.pieces = [None] * 4000
        self.count = 0

    def fill(self, leave):
        """Leave about so many bytes, in pieces of 256 or less."""
        gc.collect()
        size = 1 << 18
        while size >= 16:
            try:
                self.pieces[self.count] = bytearray(size)
            except MemoryError:
                size //= 2
                continue
            self.count += 1
            if size == 256 and self.count % 2:  # not all of them in one place
                leave -= 16
        while leave > 0 and self.count:
            self.count -= 1
            leave -= max(16, len(self.pieces[self.count]))
            self.pieces[self.count] = None

    def empty(self):
        """Give all of it back."""
        while self.count:
            self.count -= 1
            self.pieces[self.count] = None


class Stand:
    """The queue, the spool and two sinks under the supervisor; heap and servers come and go."""

    def __init__(self, folder, seed):
        self.seed = seed
        self.away = True  # the servers
        self.faults = 0
        now = clock.Clock()
        now.set(START, "ntp")
        self.queue = Queue(16, now, 1)
        self.cursors = [
            self.queue.use(LiveFirst(self.queue, "live", None, None, 0)),
            self.queue.cursor("plain"),
        ]
        for cursor in self.cursors:
            cursor.durable = True
        self.got = [bytearray(TRIED), bytearray(TRIED)]
        self.untold = [0, 0]  # that a server has, and confirm() found no memory
        self.spool = open_spool(self.queue, folder, 65536, 640, 0)
        self.supervisor = Supervisor()
        self.supervisor.start("spool", self.spool.run)
        self.supervisor.start("live", lambda: self.deliver(0))
        self.supervisor.start("plain", lambda: self.deliver(1))

    def below(self, end):
        self.seed = (self.seed * 1103515245 + 12345) & 0x3FFFFFFF
        return (self.seed >> 9) % end

    async def deliver(self, index):
        """A sink: its server has a reading before the cursor is told."""
        cursor = self.cursors[index]
        cursor.rewind()
        while True:
            item = None if self.away else await cursor.next()
            if item is None:
                await cursor.wait()
                continue
            number = item[1] - START
            if item[0] != number or item[2][2] != values_of(number):
                self.faults += 1
            self.got[index][number] = 1
            self.untold[index] += 1
            cursor.confirm(item[0])
            self.untold[index] -= 1

    async def story(self):
        ballast = Ballast()
        out = 0  # times that there was no memory
        for number in range(TRIED):
            reading = (START + number, METER, values_of(number))
            if not self.below(40):
                self.away = not self.away
            if not self.below(3):
                leave = self.below(3000)
                steps = 1 + self.below(20)
                ballast.fill(leave)
                out += 1
            else:
                steps = 0
            self.queue.put(reading)
            for _ in range(steps):
                await asyncio.sleep_ms(1)  # this one takes no memory
            ballast.empty()
            await asyncio.sleep_ms(1)
        self.away = False
        self.queue.wake()
        for _ in range(400):
            if not any([cursor.waiting for cursor in self.cursors]):
                break
            await asyncio.sleep_ms(10)
            self.queue.wake()
        ended = [task.done() for task in self.supervisor._tasks]
        for task in self.supervisor._tasks:
            task.cancel()
        return out, ended


@unittest.skipUnless(hasattr(gc, "mem_free"), "only MicroPython has a heap that is full")
class TestFullHeap(OnFlash):
    """Time is compressed 200 times; what fails is started again by the supervisor."""

    def setUp(self):
        OnFlash.setUp(self)
        clock.set_speed(200)
        for name in ("spool", "supervisor", "live", "plain"):
            logging.getLogger(name).setLevel(100)

    def tearDown(self):
        clock.set_speed(1)
        for name in ("spool", "supervisor", "live", "plain"):
            logging.getLogger(name).setLevel(0)
        OnFlash.tearDown(self)

    def test_full_at_random_moments(self):
        for seed in range(3 if LONG else 1):
            OnFlash.setUp(self)
            stand = Stand(self.folder, seed * 7919 + 1)
            out, ended = asyncio.run(stand.story())
            self.assertTrue(out > TRIED // 5, out)
            self.assertTrue(stand.supervisor.restarts > 5, stand.supervisor.restarts)
            self.assertEqual((stand.faults, ended), (0, [False] * 3))
            for cursor, got, untold in zip(stand.cursors, stand.got, stand.untold):
                missing = TRIED - sum(got)
                about = seed, cursor.name, cursor.waiting, cursor.dropped, missing, untold
                self.assertEqual(cursor.waiting, 0, about)
                self.assertTrue(missing <= cursor.dropped <= missing + untold, about)
            self.folder.close()
