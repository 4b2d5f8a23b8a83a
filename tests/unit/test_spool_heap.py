"""What an outage takes of the heap beside what is there before it, on the VM."""

import asyncio
import gc
import os
import sys
import unittest

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.append(_HERE + "/../fakes")

from virtual_clock import VirtualClock  # noqa: E402

from joulelog import clock  # noqa: E402
from joulelog.folder import Files  # noqa: E402
from joulelog.live_first import LiveFirst  # noqa: E402
from joulelog.queue import Queue  # noqa: E402
from joulelog.reading import Source  # noqa: E402
from joulelog.spool_start import open_spool  # noqa: E402

START = 848000000
CHANNELS = 28
SLOTS = 64
DIRECTORY = "build/test_spool_heap"
READINGS = 400
OUTAGE_BYTES = 700  # 480, and what a few more objects would take
READING_BYTES = 2600  # 2,208: reader, page walk, second lane, the values before
METER = Source(
    "p1",
    tuple([("power_l%d" % i, "W", 0, "measurement", "power") for i in range(CHANNELS)]),
)


def values_of(number):
    return tuple([number * 3 + i if i % 4 == 0 else 230 for i in range(CHANNELS)])


@unittest.skipUnless(hasattr(gc, "mem_free"), "only MicroPython tells how full the heap is")
class TestHeap(unittest.TestCase):
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
