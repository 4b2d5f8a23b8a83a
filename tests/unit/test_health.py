"""The logger as a meter: what its parts count, as a reading."""

import asyncio
import gc
import unittest

from virtual_clock import VirtualClock

from joulelog import clock, registry
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Output
from joulelog.readers import health


class Meter:
    name = "p1"

    def counters(self):
        return (("telegrams", 7), ("crc_errors", 2))


class Sink:
    name = "mqtt"

    def __init__(self, cursor):
        self.cursor = cursor

    def counters(self):
        return (("sent", 5),)


class Supervisor:
    longest_step_ms = 12
    restarts = 3


class Network:
    outages = 4


class App:
    supervisor = Supervisor
    network = Network

    def __init__(self):
        self.clock = clock.Clock()
        self.queue = Queue(8, self.clock)
        self.readers = [Meter()]
        self.sinks = [Sink(self.queue.cursor("mqtt"))]


def _fill():
    """Take all of the heap, in smaller and smaller pieces; a chain of them."""
    chain = None
    size = 16384
    while size >= 64:
        try:
            chain = [chain, bytearray(size)]
        except MemoryError:
            size //= 2
    return chain


class TestHealth(unittest.TestCase):
    def setUp(self):
        self.virtual = VirtualClock()
        self.app = App()
        output = Output(self.app.queue, "health", {}, {}, None)
        self.reader = health.Reader(
            "health", {"interval": 60}, output, *registry.needed(health, self.app)
        )

    def run_for(self, ms):
        async def story():
            task = asyncio.create_task(self.reader.run())
            await self.virtual.advance(ms)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        self.virtual.play(story())

    def values(self):
        _, source, values = self.app.queue.latest.of("health")
        found = {}
        for channel, value in zip(source.channels, values):
            found[channel[0]] = value
        return found

    def test_what_is_counted(self):
        self.run_for(61000)
        values = self.values()
        for name in ("heap_free", "heap_largest"):  # only MicroPython tells them
            values.pop(name, None)
        self.assertEqual(
            values,
            {
                "uptime": 60,
                "longest_step": 12,
                "clock_steps": 0,
                "clock_drift": None,
                "restarts": 3,
                "link_outages": 4,
                "p1_telegrams": 7,
                "p1_crc_errors": 2,
                "mqtt_sent": 5,
                "health_left_out": 0,
                "mqtt_waiting": 0,
                "mqtt_oldest": None,
            },
        )

    def test_a_name_with_a_blank_makes_keys_without(self):
        Meter.name = "heat pump"
        try:
            self.run_for(61000)
        finally:
            Meter.name = "p1"
        self.assertEqual(self.values()["heat_pump_telegrams"], 7)
        self.assertEqual([key for key in self.values() if " " in key], [])

    @unittest.skipUnless(hasattr(gc, "mem_free"), "only MicroPython tells how full the heap is")
    def test_the_heap_is_looked_at_every_five_minutes(self):
        seen = []
        look = health.largest_block
        health.largest_block = lambda: seen.append(self.virtual.ms) or 4711
        try:
            self.run_for(901000)
        finally:
            health.largest_block = look
        self.assertEqual(seen, [60000, 360000, 660000])
        self.assertEqual(self.values()["heap_largest"], 4711)
        self.assertTrue(0 < self.values()["heap_free"] < gc.mem_free() + gc.mem_alloc())

    @unittest.skipUnless(hasattr(gc, "mem_free"), "only MicroPython tells how full the heap is")
    def test_the_largest_block(self):
        self.assertEqual(health.largest_block(), 16384)
        kept, hole, sizes = [], [], (5600, 2400, 1200)
        gc.collect()
        gc.disable()
        try:
            for size in sizes:  # blocks of these sizes, and between them what stays
                hole.append(bytearray(size))
                kept.append(bytearray(400))
            filled = _fill()
            found = [health.largest_block()]
            gc.disable()
            for index, size in enumerate(sizes):
                hole[index] = None
                gc.collect()
                found.append(health.largest_block())
                gc.collect()
                gc.disable()
                hole[index] = bytearray(size)
            del filled, kept
        finally:
            gc.enable()
        self.assertTrue(found[0] < 200, found)
        for size, block in zip(sizes, found[1:]):
            # In a heap that is full but for this its own exceptions are in it, and BytesIO itself.
            self.assertTrue(size - 1024 <= block <= size + 64, found)

    def test_every_interval_with_one_source(self):
        self.run_for(200000)
        self.assertEqual(self.app.queue.newest, 2)
        first, last = self.app.queue.get(0), self.app.queue.get(2)
        self.assertTrue(first[1] is last[1])
        self.assertEqual(self.values()["mqtt_waiting"], 2)
        self.assertTrue(first[0] < 0)  # no clock yet

    def test_channels_are_whole(self):
        self.run_for(61000)
        for channel in self.app.queue.latest.of("health")[1].channels:
            key, unit, decimals, kind, _ = channel
            self.assertEqual(decimals, 0)
            self.assertTrue(kind in ("measurement", "total_increasing"), key)
        self.assertTrue("every 60 s" in self.reader.describe())
