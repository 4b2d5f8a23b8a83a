"""The MQTT sink: what it publishes, in which order, and when a reading counts as delivered."""

import asyncio
import json
import sys
import unittest

from joulelog import clock, registry
from joulelog.flow.live_first import LiveFirst
from joulelog.flow.queue import Cursor, Queue
from joulelog.flow.reading import Output, Source
from joulelog.flow.watch import Watch
from joulelog.sinks import mqtt

try:
    import mqtt_as  # noqa: F401
except ImportError:  # on the VM without `make deps`: these tests have a Client of their own

    class MqttAs:
        VERSION = (0, 8, 3)
        MQTTClient = object

    sys.modules["mqtt_as"] = MqttAs  # type: ignore[assignment]

BOOT = 0xB1
START = 848000000  # 2026-11-14T19:33:20Z
P1 = Source(
    "p1",
    (
        ("energy_import_t1", "kWh", 3, "total_increasing", "energy"),
        ("power_import", "W", 0, "measurement", "power"),
        ("message", "", 0, "text", ""),
    ),
)
KINDS = Source(
    "m", (("since", "", 0, "time", ""), ("tariff", "", 0, "code", ""), ("on", "", 0, "flag", ""))
)
WATER = Source("water", (("volume", "m³", 3, "total_increasing", "water"),))


class App:
    device = "cellar"

    network = supervisor = board = None

    def __init__(self, slots):
        self.clock = clock.Clock()
        self.clock.set(START, "meter")
        self.queue = Queue(slots, self.clock, BOOT)


class Client:
    """Stands for the connection: the test decides what the broker acknowledges, and when."""

    def __init__(self, sink):
        self.sink = sink
        self.ready = True
        self.out = []  # tickets that are not acknowledged
        self.sent = []  # (topic, payload, retain)

    async def send(self, topic, payload, retain, ticket):
        if not self.ready:
            raise OSError(-1, "not connected")
        self.sent.append((topic.decode(), bytes(payload).decode(), retain))
        self.out.append(ticket)
        await clock.sleep_ms(0)

    def ack(self, index=0):
        self.sink.acked(self.out.pop(index))

    def ack_all(self):
        while self.out:
            self.ack()

    def lose(self):
        self.ready = False
        self.out = []
        self.sink.changed("lost", "the connection was lost")

    def come_back(self):
        self.sink.changed("ok", "")
        self.ready = True

    def take(self):
        """What was published since the last call."""
        sent, self.sent = self.sent, []
        return sent


class World:
    """A sink with its queue and connection."""

    def __init__(self, slots=64, **entry):
        made = {"name": "mqtt", "sources": None, "channels": None, "every": 0}
        for line in "\n".join(mqtt.SCHEMA).split("\n"):
            parts = [part.strip() for part in line.split("|")]
            if len(parts) > 2 and parts[2] != "required":
                made[parts[0]] = json.loads(parts[2])
        made.update(entry)
        self.app = App(slots)
        self.queue = self.app.queue
        self.cursor = self.queue.sink_cursor(mqtt, made, True)
        self.sink = mqtt.Sink("mqtt", made, self.cursor, *registry.needed(mqtt, self.app))
        self.named = made["sources"]
        self.client = Client(self.sink)
        self.task = None

    def put(self, i, source=P1, values=None):
        """Reading i of a source: i thousandths after 45678.123 at i seconds."""
        if values is None:
            values = (45678123 + i, i, None) if source is P1 else (i,)
        self.queue.put((START + i, source, values))

    async def settle(self):
        """Let the sink do all that it can do now."""
        for _ in range(60):
            await asyncio.sleep(0)

    async def deliver(self):
        """Acknowledge one message after the other until nothing is left."""
        while True:
            await self.settle()
            if not self.client.out:
                return
            self.client.ack()


def play(scene, **entry):
    """Run scene(world) with the sink running."""

    async def run():
        world = World(**entry)
        world.task = asyncio.create_task(world.sink._send(world.client))
        try:
            await scene(world)
        finally:
            world.task.cancel()
            await asyncio.sleep(0)

    asyncio.run(run())


def ids(messages):
    """Serial numbers of the readings in state and backlog messages, in the order of sending."""
    found = []
    for topic, payload, _ in messages:
        given = json.loads(payload)
        for reading in given["readings"] if topic.endswith("/backlog") else [given]:
            boot, serial = reading["id"].split("-")
            assert boot == "000000b1"
            found.append(int(serial, 16))
    return found


def topics(messages):
    return [topic for topic, _, _ in messages]


class TestFullHeap(unittest.TestCase):
    def test_a_message_that_was_not_sent_is_not_waited_for(self):
        """run() ends, and the supervisor starts it anew with another connection."""

        async def scene(world):
            def fails():
                raise MemoryError

            world.sink.out.view = fails
            world.put(0)
            await world.settle()
            self.assertTrue(world.task.done())
            try:
                await world.task
            except MemoryError:
                pass
            del world.sink.out.view
            world.task = asyncio.create_task(world.sink._send(world.client))
            await world.deliver()
            self.assertEqual((world.sink.cursor.sent, world.cursor.waiting), (1, 0))

        play(scene)


class TestJson(unittest.TestCase):
    def test_a_reading_of_now(self):
        async def scene(world):
            world.put(0, P1, (45678123, None, 'say "ä"\n'))
            await world.settle()
            self.assertEqual(world.sink.cursor.sent, 0)
            ((topic, payload, retain),) = world.client.take()
            self.assertEqual(topic, "cellar/p1/state")
            self.assertTrue(retain)
            start = (
                '{"id":"000000b1-0","time":"2026-11-14T19:33:20Z",'
                '"energy_import_t1":45678.123,"message":"say \\"'
            )
            self.assertEqual(payload[: len(start)], start)
            self.assertEqual(json.loads(payload)["message"], 'say "ä"\n')
            self.assertFalse("power_import" in payload)
            world.client.ack()
            self.assertEqual(world.sink.cursor.sent, 1)
            self.assertEqual(world.cursor.waiting, 0)

        play(scene)

    def test_digits_are_those_of_the_meter(self):
        async def scene(world):
            world.put(0, P1, (987654321012345678, -1, None))
            world.put(1, WATER, (7,))
            await world.deliver()
            texts = [payload for _, payload, _ in world.client.take()]
            self.assertTrue('"energy_import_t1":987654321012345.678,' in texts[0])
            self.assertTrue('"power_import":-1}' in texts[0])
            self.assertTrue('"volume":0.007}' in texts[1])

        play(scene)

    def test_times_codes_and_flags(self):
        async def scene(world):
            world.put(0, KINDS, (0, 2, 1))
            await world.settle()
            ((_, payload, _),) = world.client.take()
            self.assertTrue('"since":"2000-01-01T00:00:00Z","tariff":2,"on":1}' in payload)

        play(scene)

    def test_times_beyond_31_and_32_bits(self):
        async def scene(world):
            for stamp in (1073741824, 1139270400, 1200798847, 1200798848):
                world.queue.put((stamp, P1, (1, 1, None)))
                await world.deliver()
            times = [json.loads(payload)["time"] for _, payload, _ in world.client.take()]
            self.assertEqual(
                times,
                [
                    "2034-01-09T13:37:04Z",
                    "2036-02-07T00:00:00Z",
                    "2038-01-19T03:14:07Z",
                    "2038-01-19T03:14:08Z",
                ],
            )

        play(scene)

    def test_backlog_goes_apart_and_the_newest_first(self):
        async def scene(world):
            world.client.lose()
            for i in range(12):
                world.put(i)
            await world.settle()
            self.assertEqual(world.client.take(), [])
            world.client.come_back()
            await world.deliver()
            sent = world.client.take()
            self.assertEqual(sent[0][0], "cellar/p1/state")
            self.assertEqual(ids(sent[:1]), [11])
            self.assertEqual(set(topics(sent[1:])), {"cellar/p1/backlog"})
            self.assertEqual([retain for _, _, retain in sent[1:]], [False] * len(sent[1:]))
            self.assertEqual(ids(sent[1:]), list(range(11)))
            self.assertTrue(len(sent) <= 4)  # several readings in a message
            self.assertTrue(max([len(payload) for _, payload, _ in sent]) <= 1024)
            self.assertEqual(world.sink.cursor.sent, 12)
            self.assertEqual(world.cursor.waiting, 0)

        play(scene)

    def test_a_live_reading_overtakes_the_backlog(self):
        async def scene(world):
            world.client.lose()
            for i in range(10):
                world.put(i)
            world.client.come_back()
            await world.settle()
            for i in range(10, 14):  # one comes after each message
                world.put(i)
                world.client.ack()
                await world.settle()
                self.assertEqual(world.client.sent[-1][0], "cellar/p1/state")
                self.assertEqual(ids(world.client.sent[-1:]), [i])
                world.client.ack()
                await world.settle()
            await world.deliver()
            sent = world.client.take()
            self.assertEqual(sorted(ids(sent)), list(range(14)))  # each once
            self.assertEqual(world.sink.cursor.sent, 14)
            self.assertEqual(world.cursor.waiting, 0)

        play(scene, in_flight=1, batch=256)

    def test_confirms_in_order(self):
        async def scene(world):
            for i in range(3):
                world.put(i)
                await world.settle()
            self.assertEqual(len(world.client.out), 3)
            world.client.ack(1)
            world.client.ack(1)
            self.assertEqual(world.sink.cursor.sent, 0)
            world.client.ack()
            self.assertEqual(world.sink.cursor.sent, 3)

        play(scene)

    def test_not_more_on_their_way_than_allowed(self):
        async def scene(world):
            for i in range(20):
                world.put(i)
                await world.settle()
            self.assertEqual(len(world.client.out), 5)
            world.client.ack()
            await world.settle()
            self.assertEqual(len(world.client.out), 5)

        play(scene, in_flight=5)

    def test_a_lost_connection_loses_nothing(self):
        async def scene(world):
            for i in range(4):
                world.put(i)
                await world.settle()
            world.client.ack()
            world.client.lose()
            await world.settle()
            self.assertEqual(world.sink.retried, 3)
            world.put(4)
            before = world.client.take()
            world.client.come_back()
            await world.deliver()
            after = world.client.take()
            self.assertEqual(ids(before), [0, 1, 2, 3])
            # What was of now before the loss is old when it is sent again.
            self.assertEqual(ids(after), [4, 1, 2, 3])
            self.assertEqual(topics(after), ["cellar/p1/state", "cellar/p1/backlog"])
            same = [payload for _, payload, _ in before][3]
            self.assertTrue(same in after[1][1])
            self.assertEqual(world.sink.cursor.sent, 5)

        play(scene)

    def test_a_loss_while_the_backlog_goes_out(self):
        async def scene(world):
            world.client.lose()
            for i in range(12):
                world.put(i)
            world.client.come_back()
            await world.settle()
            world.client.ack()  # the newest, past the others
            world.client.lose()
            await world.settle()
            self.assertEqual(world.sink.cursor.sent, 1)
            world.client.take()
            world.client.come_back()
            await world.deliver()
            self.assertEqual(ids(world.client.take()), list(range(11)))
            self.assertEqual(world.sink.cursor.sent, 12)

        play(scene, in_flight=2, batch=256)

    def test_two_sources(self):
        async def scene(world):
            world.client.lose()
            for i in range(6):
                world.put(i, WATER if i % 3 == 2 else P1)
            world.client.come_back()
            await world.deliver()
            sent = world.client.take()
            self.assertEqual(sorted(ids(sent)), list(range(6)))
            states = [message for message in sent if message[0].endswith("/state")]
            self.assertEqual(sorted(ids(states)), [4, 5])
            for topic, payload, _ in sent:
                self.assertEqual("volume" in payload, topic.startswith("cellar/water/"))
            self.assertEqual(world.sink.cursor.sent, 6)

        play(scene)

    def test_only_the_wanted_sources_and_channels(self):
        async def scene(world):
            world.client.lose()
            for i in range(6):
                world.put(i, WATER if i % 2 else P1)
            world.client.come_back()
            await world.deliver()
            sent = world.client.take()
            self.assertEqual(ids(sent), [4, 0, 2])
            self.assertFalse("water" in str(sent) or "energy" in str(sent))
            self.assertEqual(world.sink.cursor.sent, 3)

        play(scene, sources=["p1"], channels=["power_import", "volume"])

    def test_every(self):
        async def scene(world):
            first = -START % 10
            for i in range(first, first + 35):
                world.put(i)
            await world.deliver()
            sent = world.client.take()
            self.assertEqual(ids(sent), [0, 10, 20, 30])
            self.assertEqual(topics(sent), ["cellar/p1/backlog", "cellar/p1/state"])

        play(scene, every=10)

    def test_waits_for_the_time(self):
        async def scene(world):
            world.app.clock.source = ""
            stamp = world.app.clock.stamp()
            world.queue.put((stamp, P1, (1, 1, None)))
            await world.settle()
            self.assertEqual(world.client.take(), [])
            world.app.clock.set(START, "ntp")
            world.put(1)
            await world.deliver()
            self.assertEqual(sorted(ids(world.client.take())), [0, 1])

        play(scene)

    def test_a_reading_that_never_fits_is_set_aside(self):
        async def scene(world):
            large = Source(
                "large", tuple([("channel_%d" % i, "W", 0, "measurement", "") for i in range(40)])
            )
            world.put(0)
            await world.settle()
            world.put(1, large, (1,) * 40)
            world.put(2, large, (2,) * 40)
            world.put(3)
            await world.settle()
            self.assertEqual(
                world.sink.cursor.refused, 0
            )  # not before those in front are delivered
            await world.deliver()
            self.assertEqual(ids(world.client.take()), [0, 3])
            self.assertEqual(world.sink.cursor.refused, 2)
            self.assertEqual(world.sink.cursor.sent, 2)
            self.assertEqual(world.cursor.waiting, 0)

        play(scene, batch=256)

    def test_a_long_text_does_not_stop_the_numbers(self):
        async def scene(world):
            world.client.lose()
            world.put(0, P1, (45678123, 1, "x" * 1024))
            world.put(1, P1, (45678124, 1, "x" * 1024))
            world.client.come_back()
            await world.deliver()
            sent = world.client.take()
            self.assertEqual(sorted(ids(sent)), [0, 1])
            self.assertFalse("message" in str(sent))
            self.assertEqual(world.sink.cursor.sent, 2)

        play(scene)

    def test_a_reading_without_values(self):
        async def scene(world):
            world.client.lose()
            for i in range(3):
                world.put(i, P1, (None, None, None))
            world.put(3)
            world.put(4, P1, (None, None, None))
            world.client.come_back()
            await world.deliver()
            messages = world.client.take()
            self.assertEqual(topics(messages), ["cellar/p1/state", "cellar/p1/backlog"])
            self.assertEqual(ids(messages), [4, 3])  # what is newest: that nothing is known
            self.assertEqual(world.sink.cursor.sent, 2)
            self.assertEqual(world.cursor.waiting, 0)

        play(scene)

    def test_values_that_become_unknown_are_told_once(self):
        async def scene(world):
            def states():
                return [json.loads(text) for _, text, _ in world.client.take()]

            none = (None, None, None)
            for i, values, told in (
                (0, (1, 2, None), {"energy_import_t1": 0.001, "power_import": 2}),
                (1, (None, 3, None), {"power_import": 3}),
                (2, none, dict.fromkeys(["energy_import_t1", "power_import", "message"])),
                (3, none, None),
                (4, (None, 4, None), {"power_import": 4}),
                (5, none, dict.fromkeys(["energy_import_t1", "power_import", "message"])),
            ):
                world.put(i, P1, values)
                await world.deliver()
                found = states()
                for state in found:
                    self.assertTrue(state.pop("id") and state.pop("time"))
                self.assertEqual(found, [told] if told else [])
            self.assertEqual((world.cursor.waiting, world.cursor.sent), (0, 5))

        play(scene)

    def test_more_unknown_than_fits(self):
        wide = Source("wide", tuple([("channel_%d" % i, "", 0, "text", "") for i in range(40)]))

        async def scene(world):
            world.put(0, wide, (None,) * 40)
            await world.deliver()
            ((_, payload, _),) = world.client.take()
            self.assertEqual(sorted(json.loads(payload)), ["id", "time"])

        play(scene, batch=256)

    def test_overflow_is_counted(self):
        async def scene(world):
            world.client.lose()
            await world.settle()
            for i in range(20):
                world.put(i)
            world.client.come_back()
            await world.deliver()
            self.assertEqual(sorted(ids(world.client.take())), list(range(12, 20)))
            self.assertEqual(world.sink.cursor.dropped, 12)
            self.assertEqual(world.sink.cursor.sent, 8)

        play(scene, slots=8)


class TestValues(unittest.TestCase):
    def test_times_codes_and_flags(self):
        for layout, since in (("topics", "2000-01-01T00:00:07Z"), ("emoncms", "946684807")):

            async def scene(world, since=since):
                world.put(0, KINDS, (7, 2, 1))
                await world.deliver()
                self.assertEqual([text for _, text, _ in world.client.take()], [since, "2", "1"])

            play(scene, layout=layout)

    def test_one_topic_per_value(self):
        async def scene(world):
            world.put(0, P1, (45678123, None, "hello"))
            await world.deliver()
            self.assertEqual(
                world.client.take(),
                [
                    ("home/p1/energy_import_t1", "45678.123", True),
                    ("home/p1/message", "hello", True),
                    ("home/p1/power_import", "", True),  # an earlier run's may be retained
                ],
            )
            self.assertEqual(world.sink.cursor.sent, 1)

        play(scene, layout="topics", topic="home")

    def test_only_the_newest(self):
        async def scene(world):
            world.client.lose()
            for i in range(5):
                world.put(i)
            world.put(5, WATER)
            world.client.come_back()
            await world.deliver()
            values = dict([message[:2] for message in world.client.take()])
            self.assertEqual(
                values,
                {
                    "cellar/p1/energy_import_t1": "45678.127",
                    "cellar/p1/power_import": "4",
                    "cellar/p1/message": "",
                    "cellar/water/volume": "0.005",
                },
            )
            self.assertEqual(world.sink.cursor.superseded, 4)
            self.assertEqual(world.sink.cursor.sent, 2)
            self.assertEqual(world.sink.cursor.dropped, 0)

        play(scene, layout="topics")

    def test_one_set_at_a_time(self):
        async def scene(world):
            world.put(0, values=(45678123, 0, "x"))
            await world.settle()
            world.client.ack()
            world.put(1)
            world.put(2)
            await world.settle()
            self.assertEqual(len(world.client.sent), 3)  # the values of reading 0
            world.client.ack()
            await world.settle()
            self.assertEqual(len(world.client.sent), 3)
            world.client.ack()
            await world.settle()
            self.assertEqual(world.client.sent[3][1], "45678.125")
            await world.deliver()
            self.assertEqual((world.sink.cursor.sent, world.sink.cursor.superseded), (2, 1))

        play(scene, layout="topics")

    def test_after_a_loss_only_the_newest(self):
        async def scene(world):
            world.put(0)
            await world.settle()
            world.client.ack()
            world.client.lose()
            await world.settle()
            world.put(1)
            world.client.take()
            world.client.come_back()
            await world.deliver()
            self.assertEqual(
                [payload for _, payload, _ in world.client.take()], ["45678.124", "1", ""]
            )
            self.assertEqual((world.sink.cursor.sent, world.sink.cursor.superseded), (1, 1))

        play(scene, layout="topics")

    def test_does_not_wait_for_the_time(self):
        async def scene(world):
            world.app.clock.source = ""
            world.queue.put((world.app.clock.stamp(), P1, (1, None, None)))
            await world.deliver()
            self.assertEqual(world.client.take()[0][1], "0.001")

        play(scene, layout="topics")

    def test_a_value_that_is_gone_is_taken_back_once(self):
        async def scene(world):
            world.put(0, P1, (1, 5, None))
            await world.deliver()
            world.client.take()
            for values, gone in (
                ((2, None, None), ["power_import"]),
                ((3, None, None), []),
                ((None, None, None), ["energy_import_t1"]),
                ((None, None, None), []),
                ((4, 6, None), []),
                ((None, None, None), ["energy_import_t1", "power_import"]),
            ):
                world.put(1, P1, values)
                await world.deliver()
                taken = [topic[10:] for topic, text, _ in world.client.take() if not text]
                self.assertEqual(taken, gone)
            self.assertEqual((world.cursor.sent, world.cursor.waiting), (6, 0))
            world.client.lose()  # perhaps it had not come: once more
            await world.settle()
            world.put(2, P1, (None, None, None))
            world.client.come_back()
            await world.deliver()
            self.assertEqual(len(world.client.take()), 3)

        play(scene, layout="topics")

    def test_nothing_is_taken_back_where_nothing_is_kept(self):
        async def scene(world):
            world.put(0)
            world.put(1, P1, (None, None, None))
            await world.deliver()
            world.put(2, P1, (None, 3, None))
            await world.deliver()
            self.assertEqual(world.client.take(), [("%s/p1/power_import" % topic, "3", False)])

        for layout, topic in (("topics", "cellar"), ("emoncms", "emon")):
            play(scene, layout=layout, retain=False)

    def test_emoncms(self):
        async def scene(world):
            world.put(0, P1, (45678123, 5, "hello"))
            world.put(1, P1, (None, None, "only text"))
            await world.deliver()
            self.assertEqual(world.client.take(), [])
            world.put(2, P1, (45678125, 5, "hello"))
            await world.deliver()
            self.assertEqual(
                world.client.take(),
                [
                    ("emon/p1/energy_import_t1", "45678.125", False),
                    ("emon/p1/power_import", "5", False),
                ],
            )
            self.assertEqual((world.sink.cursor.sent, world.sink.cursor.superseded), (1, 1))
            self.assertEqual(world.cursor.waiting, 0)

        play(scene, layout="emoncms")

    def test_a_text_that_never_fits_is_left_out(self):
        async def scene(world):
            world.put(0, P1, (45678123, None, "x" * 300))
            await world.deliver()
            texts = [text for _, text, _ in world.client.take()]
            self.assertEqual(texts, ["45678.123", "", ""])  # nor is an older one left
            self.assertEqual(world.sink.cursor.sent, 1)

        play(scene, layout="topics", batch=256)


class TestStatus(unittest.TestCase):
    def test_whether_the_meter_answers(self):
        async def scene(world):
            def told():
                return [(topic, text) for topic, text, kept in world.client.take() if kept]

            latest = world.queue.latest
            output = Output(world.queue, "p1", {}, {}, None)
            for state in ("", "searching", "waiting", "idle"):
                output.say(state)
                await world.deliver()
                self.assertEqual(told(), [])
            for state, word in (
                ("ok", "online"),
                ("silent", "silent"),
                ("no answer", None),
                ("refused", "error"),
                ("implausible", None),
                ("searching", None),
                ("ok", "online"),
            ):
                output.say(state)
                await world.deliver()
                self.assertEqual(told(), [("cellar/p1/status", word)] if word else [])
            world.client.lose()
            await world.settle()
            world.client.come_back()
            await world.deliver()
            self.assertEqual(told(), [("cellar/p1/status", "online")])
            latest.row("other").state = "ok"
            latest.wake()
            await world.deliver()
            self.assertEqual(told(), [("cellar/other/status", "online")] * (not world.named))

        for layout in ("json", "topics"):
            for named in (None, ["p1"]):
                play(scene, layout=layout, sources=named)

    def test_emoncms_would_make_an_input_of_it(self):
        async def scene(world):
            world.queue.latest.row("p1").state = "ok"
            world.queue.latest.wake()
            await world.deliver()
            self.assertEqual(world.client.take(), [])

        play(scene, layout="emoncms")


class TestCauses(unittest.TestCase):
    """What is said of a lost connection."""

    def lost(self, world):
        world.client.lose()
        state = world.sink.state
        world.client.come_back()
        return state

    def test_behind_what_is_retained(self):
        async def scene(world):
            for retain in (True, False):
                world.sink.retain = retain
                self.assertEqual("`retain`: False" in self.lost(world), retain)

        play(scene)

    def test_behind_a_message_that_is_too_large(self):
        async def scene(world):
            world.client.lose()
            for i in range(40):
                world.put(i)
            world.client.come_back()
            await world.settle()
            sizes = []
            for _ in range(6):
                world.sink.acked(None)
                await world.settle()
                sizes.append(max([len(text) for _, text, _ in world.client.take()]))
                world.client.lose()
                state = world.sink.state
                await world.settle()
                world.client.come_back()
                await world.settle()
            self.assertTrue("bytes; does the broker allow that many?" in state)
            self.assertEqual(sizes, sorted(sizes, reverse=True))
            self.assertTrue(sizes[-1] * 2 < sizes[0])
            await world.deliver()
            self.assertEqual((world.cursor.sent, world.cursor.dropped), (40, 0))
            found = sorted(set(ids(world.client.take())))
            self.assertEqual(found, list(range(40)))

        play(scene, backfill="in_order")

    def test_again_and_again(self):
        async def scene(world):
            world.client.come_back()
            for count in range(4):
                world.sink.acked(None)
                self.assertEqual("`client_id`" in self.lost(world), count > 1)

        play(scene)

    def test_good_again_is_said_behind_an_acknowledgement(self):
        async def scene(world):
            state = self.lost(world)
            self.assertEqual(world.sink.state, state)
            world.sink.acked(None)
            self.assertEqual(world.sink.state, "ok")

        play(scene)


class TestConfig(unittest.TestCase):
    def test_what_cannot_work(self):
        for entry, word in (
            ({"topic": "a/#"}, "topic"),
            ({"topic": "a/+/b"}, "topic"),
            ({"topic": "$SYS"}, "topic"),
            ({"topic": "a/"}, "topic"),
            ({"topic": ""}, "topic"),
            ({"topic": " a"}, "topic"),
            ({"topic": 'a"b'}, "topic"),
            ({"port": 8883}, "`tls`: True"),
            ({"password": "hidden"}, "user"),
        ):
            (text,) = mqtt.problems(World(**entry).sink.entry, None)
            self.assertIn(word, text)
            self.assertFalse("hidden" in text)

    def test_what_each_layout_reads_from(self):
        for entry, kind in (
            ({"layout": "json"}, LiveFirst),
            ({"layout": "json", "backfill": "in_order"}, Cursor),
            ({"layout": "json", "every": 60}, Cursor),
            ({"layout": "topics"}, Watch),
            ({"layout": "emoncms"}, Watch),
        ):
            cursor = World(**entry).cursor
            self.assertEqual((type(cursor), cursor.durable), (kind, kind is not Watch))

    def test_another_mqtt_as_is_refused(self):
        class Other:
            VERSION = (0, 8, 4)

        before = sys.modules["mqtt_as"]
        registry.drop("joulelog.net.mqtt_client")
        sys.modules["mqtt_as"] = Other
        try:
            with self.assertRaises(ImportError) as caught:
                World()
        finally:
            sys.modules["mqtt_as"] = before
            registry.drop("joulelog.net.mqtt_client")
        self.assertEqual(str(caught.exception), "mqtt_as 0.8.3, not 0.8.4")


if __name__ == "__main__":
    unittest.main()
