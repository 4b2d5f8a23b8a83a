"""A backlog on the flash through queue, spool and a real sink: `rate`, `every`, filters, restarts.

The clock moves only when told; the server is a function that notes when which reading came.
"""

import asyncio
import unittest

from civil import UNIX_2000
from influxdb_entry import entry_of
from ramfolder import RamFolder
from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.backlog.opening import open_spool
from joulelog.errors import NetError
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source
from joulelog.sinks import influxdb

START = 848000010  # ten seconds behind a minute
ENERGY = ("energy", "kWh", 3, "total_increasing", "energy")
POWER = ("power", "W", 0, "measurement", "power")
P1 = Source("p1", (ENERGY, POWER))
WATER = Source("water", (("volume", "m³", 3, "total_increasing", "water"),))
ENTRY = entry_of(
    name="influx",
    url="http://influx.example",
    database="x",
    measurement="m",
    backfill="live_first",
    sources=None,
    channels=None,
    every=0,
)


class App:
    """As much of an app as a sink wants to know."""


class World:
    """A board, run after run, and the server."""

    def __init__(self, **entry):
        self.entry = dict(ENTRY)
        self.entry.update(entry)
        self.flash = RamFolder()
        self.virtual = VirtualClock()
        self.boots = 0
        self.up = False
        self.came = []  # (uptime in ms, source, UTC, fields)
        self.tasks = []

    def start(self):
        self.boots += 1
        app = App()
        app.clock = clock.Clock()
        app.clock.set(START + self.virtual.ms // 1000, "ntp")
        self.queue = app.queue = Queue(16, app.clock, self.boots)
        cursor = self.queue.sink_cursor(influxdb, self.entry)
        self.sink = influxdb.Sink("influx", self.entry, cursor, app.clock, "logger", self.request)
        cursor.durable = True
        self.clock, self.cursor = app.clock, cursor
        self.spool = open_spool(self.queue, self.flash, 1 << 20, 512, 0)
        self.tasks = [asyncio.create_task(run()) for run in (self.spool.run, self.sink.run)]

    def stop(self, planned=True):
        if planned:
            self.spool.close()
        for task in self.tasks:
            task.cancel()
        self.virtual.forget()

    async def request(self, method, url, body, headers, tls_context, timeout_ms, limit):
        if not self.up:
            raise NetError("nobody is there")
        for line in bytes(body).decode().strip().split("\n"):
            tags, fields, when = line.split(" ")
            source = tags[tags.find("source=") + 7 :].split(",")[0]
            self.came.append((self.virtual.ms, source, int(when) - UNIX_2000, fields))
        return 204, {}, b""

    def put(self, number, source=P1):
        values = (number, number % 3000) if source is P1 else (number,)
        self.queue.put((self.clock.stamp(), source, values))

    async def measure(self, count, every_s=10, source=P1):
        """So many readings, numbered by their time."""
        for _ in range(count):
            await self.virtual.advance(every_s * 1000)
            self.put(self.clock.now() - START, source)
        await self.virtual.settle()

    def times(self, source="p1"):
        """Of what has come, in the order in which it came."""
        return [when - START for _, name, when, _ in self.came if name == source]


class TestRate(unittest.TestCase):
    def drained(self, rate, live_every_s, backlog=300):
        """The world after an outage and the drain."""
        world = World(rate=rate)

        async def story():
            world.start()
            await world.measure(backlog)
            world.up = True
            for _ in range(2 * backlog // rate // live_every_s + 80 // live_every_s):
                await world.measure(1, live_every_s)
            await world.virtual.advance(3000)
            self.assertEqual((world.cursor.waiting, world.cursor.dropped), (0, 0))
            world.stop()

        world.virtual.play(story())
        return world

    def check(self, rate, live_every_s):
        world = self.drained(rate, live_every_s)
        back = START + world.came[0][0] // 1000  # the sink tries once a minute
        old = [came for came in world.came if came[2] < back]
        live = [came for came in world.came if came[2] >= back]
        self.assertEqual(len(set(world.times())), len(world.came))
        # One less where the server is met in the second of the last one: then that is live.
        self.assertTrue(299 <= len(old) <= 362, len(old))
        self.assertTrue(len(live) >= 10)
        late = [ms // 1000 - (when - START) for ms, _, when, _ in live]
        self.assertTrue(max(late) <= 2, max(late))
        begin, end = old[0][0], old[-1][0]
        self.assertTrue(end - begin >= (len(old) - rate) * 1000 // rate - 2000)
        # The rate is kept in each stretch of five seconds, and it is made use of.
        for start in range(begin, end, 1000):
            within = [came for came in old if start <= came[0] < start + 5000]
            self.assertTrue(len(within) <= 5 * rate + rate, (start, len(within)))
        self.assertTrue((end - begin) // 1000 <= 3 * len(old) // (2 * rate), (begin, end))

    def test_live_readings_pass_at_once(self):
        self.check(5, 10)

    def test_live_readings_as_often_as_the_rate(self):
        self.check(2, 1)

    def test_one_per_second(self):
        self.check(1, 1)


class TestEvery(unittest.TestCase):
    def picked(self, outages, cuts=(), every=60):
        """Times of what comes when the server is away in these ranges of readings."""
        world = World(every=every)

        async def story():
            world.start()
            for number in range(200):
                world.up = not [1 for first, end in outages if first <= number < end]
                if number in cuts:
                    world.stop(planned=True)
                    world.start()
                await world.measure(1, 7)
            world.up = True
            await world.virtual.advance(120000)
            self.assertEqual((world.cursor.waiting, world.cursor.dropped), (0, 0))
            world.stop()

        world.virtual.play(story())
        return world.times()

    def test_from_the_flash_as_live(self):
        live = self.picked(())
        self.assertEqual(len(live), len(set([(t + START) // 60 for t in live])))
        self.assertEqual(self.picked([(20, 180)]), live)
        self.assertEqual(self.picked([(0, 200)]), live)
        self.assertEqual(self.picked([(20, 33), (50, 51), (90, 170)]), live)

    def test_over_a_restart(self):
        live = self.picked(())
        for cut in range(60, 78):  # at each place of a minute
            self.assertEqual(self.picked([(20, 180)], [cut]), live, cut)
        self.assertEqual(self.picked([(20, 180)], [40, 41, 42, 100, 150]), live)

    def test_a_restart_while_all_is_well(self):
        """Nothing on the flash says what was sent: one more is, at most."""
        live = self.picked(())
        for cut in range(60, 78):
            found = self.picked((), [cut])
            self.assertTrue(set(live) <= set(found) and len(found) <= len(live) + 1, cut)


class TestFilters(unittest.TestCase):
    def test_sources_and_channels(self):
        world = World(sources=["p1"], channels=["power"])

        async def story():
            world.start()
            for _ in range(100):
                await world.measure(1, 5, WATER)
                await world.measure(1, 5)
            world.stop()
            world.start()
            await world.measure(100, 5, WATER)
            world.up = True
            await world.virtual.advance(60000)
            await world.measure(1, 5, WATER)
            self.assertEqual((world.cursor.waiting, world.cursor.dropped), (0, 0))
            self.assertEqual(world.cursor.sent, 100)
            world.stop()

        world.virtual.play(story())
        self.assertEqual(sorted(world.times()), list(range(10, 1001, 10)))
        self.assertEqual(world.times("water"), [])
        for _, _, when, fields in world.came:
            self.assertEqual(fields, "power=%d" % ((when - START) % 3000))
