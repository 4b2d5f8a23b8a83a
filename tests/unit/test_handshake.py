"""No TLS handshake before the board's own clock is set, unless the certificate is not checked.

The board's clock is what the test says; the connections are fakes that note when they are made.
"""

import asyncio
import sys
import unittest

from influxdb_entry import entry_of
from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.flow.queue import Queue
from joulelog.net import handshake
from joulelog.sinks import influxdb

try:
    import mqtt_as  # noqa: F401
except ImportError:  # on the VM without `make deps`

    class MqttAs:
        VERSION = (0, 8, 3)
        MQTTClient = object

    sys.modules["mqtt_as"] = MqttAs  # type: ignore[assignment]

from joulelog.net import mqtt_client

NOON = 848404800
ENTRY = entry_of(url="https://influx.example", database="energy", batch=1024, verify=False)


class Checked:
    """A context that checks certificates; 2: CERT_REQUIRED."""

    verify_mode = 2


class Unchecked:
    verify_mode = 0


class App:
    device = "joulelog"

    def __init__(self):
        self.clock = clock.Clock()


class Network:
    up = True


class Client(mqtt_client.Client):
    """Has the loop of the real one, and notes when it connects."""

    def __init__(self, context, changed, connected):
        self._ssl_params = {"context": context}
        self._changed = changed
        self._network = Network
        self._connected = connected

    async def _open(self):
        self._connected.append(clock.uptime_ms())

    def isconnected(self):
        return True

    def _check_answers(self):
        pass


class Handshake(unittest.TestCase):
    def setUp(self):
        self.virtual = VirtualClock()
        self.known_ms = 0
        self.said: list = []
        self.attempts: list = []  # uptime in ms
        self.told = clock.board_time
        clock.board_time = lambda: NOON if self.virtual.ms >= self.known_ms else None

    def tearDown(self):
        clock.board_time = self.told

    def say(self, state, text):
        self.said.append((state, text))

    def waits_ms(self, context, known_ms):
        """How long it is waited for the time."""
        self.known_ms = known_ms
        waited = []

        async def wait():
            await handshake.time_known(context, self.say)
            waited.append(clock.uptime_ms())

        async def story():
            task = asyncio.create_task(wait())
            await self.virtual.advance(3600000)
            task.cancel()
            await asyncio.sleep(0)

        self.virtual.ms = 0
        self.virtual.play(story())
        return waited[0] if waited else None

    def test_it_waits_until_the_boards_clock_is_set(self):
        self.assertEqual(self.waits_ms(Checked, 61300), 61500)
        self.assertEqual(
            self.said, [("waiting", "the time is not known yet: certificates cannot be checked")]
        )

    def test_it_waits_as_long_as_nobody_tells_the_time(self):
        self.assertIsNone(self.waits_ms(Checked, 1 << 40))
        self.assertEqual(len(self.said), 1)

    def test_no_wait_where_the_time_is_known(self):
        self.assertEqual(self.waits_ms(Checked, 0), 0)
        self.assertEqual(self.said, [])

    def test_no_wait_where_nothing_is_checked(self):
        self.assertEqual(self.waits_ms(Unchecked, 1 << 40), 0)
        self.assertEqual(self.said, [])

    def test_an_esp8266_does_not_begin_what_would_restart_it(self):
        class Platform:
            platform = "esp8266"

        class Heap:
            free = 18499
            collect = staticmethod(lambda: None)
            mem_free = staticmethod(lambda: Heap.free)

        async def story():
            async with handshake.gate:
                pass

        originals = handshake.sys, handshake.gc
        handshake.sys, handshake.gc = Platform, Heap
        try:
            self.assertRaises(MemoryError, self.virtual.play, story())
            self.assertFalse(handshake.gate.busy)
            Heap.free = 18500
            self.virtual.play(story())
        finally:
            handshake.sys, handshake.gc = originals

    def posts(self, context):
        """When an HTTP sink sends its request, and its state before."""
        states = []

        async def request(*about):
            self.attempts.append(clock.uptime_ms())
            states.append(sink.state)
            return 204, {}, b""

        app = App()
        cursor = Queue(8, app.clock).cursor("influx")
        sink = influxdb.Sink("influx", ENTRY, cursor, app.clock, "logger", request)
        sink.server.tls = context

        async def story():
            task = asyncio.create_task(sink.post(memoryview(b"x y=1 1\n")))
            await self.virtual.advance(60000)
            task.cancel()

        self.known_ms = 20000  # longer than the time-out of a request
        self.virtual.play(story())
        return self.attempts, states

    def test_an_http_sink(self):
        found, states = self.posts(Checked)
        self.assertEqual(found, [20000])
        self.assertIn("the time is not known yet", states[0])

    def test_an_http_sink_that_checks_nothing_or_has_no_tls(self):
        self.assertEqual(self.posts(Unchecked), ([0], ["idle"]))
        self.setUp()
        self.assertEqual(self.posts(None), ([0], ["idle"]))

    def connects(self, context):
        """When an MQTT client connects."""
        client = Client(context, self.say, self.attempts)

        async def story():
            task = asyncio.create_task(client.run())
            await self.virtual.advance(60000)
            task.cancel()
            await asyncio.sleep(0)

        self.known_ms = 20000
        self.virtual.play(story())
        return self.attempts

    def test_mqtt(self):
        self.assertEqual(self.connects(Checked), [20000])
        self.assertEqual(len(self.said), 1)

    def test_mqtt_that_checks_nothing_or_has_no_tls(self):
        self.assertEqual(self.connects(Unchecked), [0])
        self.setUp()
        self.assertEqual(self.connects(None), [0])
        self.assertEqual(self.said, [])


if __name__ == "__main__":
    unittest.main()
