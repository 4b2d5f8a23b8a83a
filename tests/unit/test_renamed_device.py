"""A board that gets another name: what was read before stays with the name of then.

Queue, spool and the real sinks; the flash is in RAM, servers are functions that note what comes.
"""

import asyncio
import unittest

from influxdb_entry import entry_of
from ramfolder import RamFolder
from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.backlog.opening import open_spool
from joulelog.errors import NetError
from joulelog.flow.queue import Queue
from joulelog.flow.reading import DEVICE, Output
from joulelog.sinks import influxdb, mqtt_json
from joulelog.sinks.sink import Writer

START = 848000010
CHANNELS = (
    ("energy", "kWh", 3, "total_increasing", "energy"),
    ("power", "W", 0, "measurement", "power"),
)
ENTRY = entry_of(
    name="influx",
    url="http://influx.example",
    database="x",
    backfill="in_order",
    measurement="m",
    sources=None,
    channels=None,
    every=0,
)


class MqttSink:
    """As much of a sink as the layout wants to know."""

    def __init__(self, device, cursor, topic):
        self.cursor = cursor
        self.topic = (topic or device).encode()
        self.entry = {"every": 0, "rate": 0, "topic": topic}
        self.retain = True
        self.out = Writer(1024)
        self.most = 1024


class World:
    """A board, run after run; two servers that are away at first."""

    def __init__(self, topic=None):
        self.flash = RamFolder()
        self.virtual = VirtualClock()
        self.boots = 0
        self.up = False
        self.topic = topic
        self.lines = []  # InfluxDB's
        self.topics = []  # (topic, message) of MQTT

    def start(self, device, known=True):
        self.boots += 1
        self.clock = clock.Clock()
        self.clock.set(START + self.virtual.ms // 1000, "ntp")
        self.queue = Queue(8, self.clock, self.boots)
        cursors = [self.queue.sink_cursor(influxdb, ENTRY), self.queue.cursor("mqtt")]
        for cursor in cursors:
            cursor.durable = True
        self.sink = influxdb.Sink("influx", ENTRY, cursors[0], self.clock, device, self.request)
        self.mqtt = MqttSink(device, cursors[1], self.topic)
        identity = (device, "dsmr", None, None, None) if known else (None,) * 5
        self.output = Output(self.queue, "p1", {}, {}, None, identity)
        # Another device is another destination, which takes over what waits.
        marks = {name: (device, name) for name in ("influx", "mqtt")}
        about = 1 << 16, 512, 0, True, 0, marks
        self.spool = open_spool(self.queue, self.flash, *about)
        self.cursors = cursors
        self.tasks = [asyncio.create_task(run()) for run in (self.spool.run, self.sink.run)]

    def stop(self):
        self.spool.close()
        for task in self.tasks:
            task.cancel()
        self.virtual.forget()

    async def request(self, method, url, body, headers, tls_context, timeout_ms, limit):
        if not self.up:
            raise NetError("nobody is there")
        self.lines += bytes(body).decode().strip().split("\n")
        return 204, {}, b""

    async def measure(self, count):
        for _ in range(count):
            await self.virtual.advance(10000)
            now = self.clock.now()
            self.output.publish(now, CHANNELS, [now - START, 5])
        await self.virtual.settle()

    async def drain(self):
        """Let both servers have all that waits."""
        self.up = True
        await self.virtual.advance(130000)
        layout = mqtt_json.Layout(self.mqtt, self.queue)

        async def compose():
            while True:
                message = await layout.compose()
                if message is None:
                    return
                text = bytes(self.mqtt.out.view()).decode()
                self.topics.append((message[0].decode(), text.count('"energy"')))
                self.mqtt.cursor.confirm(message[2])

        task = asyncio.create_task(compose())
        await self.virtual.advance(5000)
        await task

    def devices(self):
        """The device that InfluxDB has of each second, counted from the start."""
        found = {}
        for line in self.lines:
            tags = dict([tag.split("=") for tag in line.split(" ")[0].split(",")[1:]])
            energy = line.split(" ")[1].split(",")[0].split("=")[1]
            found[int(energy.replace(".", ""))] = tags["device"]
        return found


class TestRenamedDevice(unittest.TestCase):
    def told(self, runs, topic=None):
        """The world behind runs of (device, whether it was told to the readings)."""
        world = World(topic)

        async def story():
            for number, (device, known) in enumerate(runs):
                world.start(device, known)
                await world.measure(30)
                if number == len(runs) - 1:
                    await world.drain()
                    self.assertEqual([c.waiting for c in world.cursors], [0, 0])
                    self.assertEqual([c.dropped for c in world.cursors], [0, 0])
                world.stop()

        world.virtual.play(story())
        return world

    def test_what_was_read_before_keeps_its_name(self):
        world = self.told([("cellar", True), ("attic", True)])
        devices = world.devices()
        self.assertEqual(len(devices), 60)
        for second, device in devices.items():
            self.assertEqual(device, "cellar" if second <= 300 else "attic")
        counts = {}
        for topic, count in world.topics:
            counts[topic] = counts.get(topic, 0) + count
        wanted = {"cellar/p1/backlog": 30, "attic/p1/backlog": 29, "attic/p1/state": 1}
        self.assertEqual(counts, wanted)

    def test_there_and_back(self):
        world = self.told([("a", True), ("b", True), ("a", True)])
        names = [device for _, device in sorted(world.devices().items())]
        self.assertEqual(names, ["a"] * 30 + ["b"] * 30 + ["a"] * 30)

    def test_what_the_version_before_has_left_goes_by_the_name_of_now(self):
        world = self.told([("cellar", False), ("attic", True)])
        self.assertEqual(set(world.devices().values()), {"attic"})
        self.assertEqual(set([t for t, _ in world.topics]), {"attic/p1/backlog", "attic/p1/state"})

    def test_a_topic_of_its_own_has_no_device(self):
        world = self.told([("cellar", True), ("attic", True)], "energy")
        topics = set([topic for topic, _ in world.topics])
        self.assertEqual(topics, {"energy/p1/backlog", "energy/p1/state"})

    def test_who_it_is_comes_back_from_the_flash(self):
        world = World()

        async def story():
            world.start("cellar")
            world.output.identify("ISK", "2M550T", "E0047")
            await world.measure(30)
            world.stop()
            world.start("cellar")
            item = await world.cursors[1].next()
            source = item[2][1]
            self.assertEqual(source.identity, ("cellar", "dsmr", "ISK", "2M550T", "E0047"))
            world.output.identify("ISK", "2M550T", "E0047")
            await world.measure(1)
            self.assertTrue(world.output._source is source)  # and there is one of it
            world.output.identify("ISK", "2M550T", "another")
            await world.measure(1)
            self.assertEqual(world.output._source.identity[4], "another")
            self.assertEqual(source.identity[4], "E0047")
            self.assertEqual(source.identity[DEVICE], "cellar")
            world.stop()

        world.virtual.play(story())


if __name__ == "__main__":
    unittest.main()
