"""The logger as a meter: what its parts count, as a reading."""

import asyncio
import sys
import unittest

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.append(_HERE + "/../fakes")

from virtual_clock import VirtualClock  # noqa: E402

from joulelog import clock  # noqa: E402
from joulelog.queue import Queue  # noqa: E402
from joulelog.readers import health  # noqa: E402
from joulelog.reading import Output  # noqa: E402


class Meter:
    COUNTERS = ("telegrams", "crc_errors")
    name = "p1"
    telegrams = 7
    crc_errors = 2


class Sink:
    COUNTERS = ("sent",)
    name = "mqtt"
    sent = 5


class Supervisor:
    longest_step_ms = 12
    restarts = 3


class Network:
    outages = 4


class App:
    supervisor = Supervisor
    network = Network
    spool = None
    outputs = ()

    def __init__(self):
        self.clock = clock.Clock()
        self.queue = Queue(8, self.clock)
        self.cursors = [self.queue.cursor("mqtt")]
        self.readers = [Meter]
        self.sinks = [Sink]


class TestHealth(unittest.TestCase):
    def setUp(self):
        self.virtual = VirtualClock()
        self.app = App()
        output = Output(self.app.queue, "health", {}, {}, None)
        self.reader = health.Reader("health", {"interval": 60}, self.app, output)

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
        _, source, values = self.app.queue.latest["health"]
        found = {}
        for channel, value in zip(source.channels, values):
            found[channel[0]] = value
        return found

    def test_what_is_counted(self):
        self.run_for(61000)
        values = self.values()
        values.pop("heap_free", None)  # only MicroPython tells it
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
                "mqtt_waiting": 0,
                "mqtt_oldest": None,
            },
        )

    def test_every_interval_with_one_source(self):
        self.run_for(200000)
        self.assertEqual(self.app.queue.newest, 2)
        first, last = self.app.queue.get(0), self.app.queue.get(2)
        self.assertTrue(first[1] is last[1])
        self.assertEqual(self.values()["mqtt_waiting"], 2)
        self.assertTrue(first[0] < 0)  # no clock yet

    def test_channels_are_whole(self):
        self.run_for(61000)
        for channel in self.app.queue.latest["health"][1].channels:
            key, unit, decimals, kind, _ = channel
            self.assertEqual(decimals, 0)
            self.assertTrue(kind in ("measurement", "total_increasing"), key)
        self.assertTrue("every 60 s" in self.reader.describe())
