"""The connection to an MQTT 3.1.1 broker: mqtt_as, made a guest on a network that others use too.

    client = Client("broker.example", settings, context, app.network, 1400, acked, changed)
    keeper = asyncio.create_task(client.run())     # connects, and connects again, for ever
    await client.send(b"cellar/state", payload, True, ticket)
    # acked(ticket) is called when the broker has it (QoS 1), with None for the will's "online".
    # When the connection is lost, tickets that are still out are forgotten and changed("lost",
    # why) is called: then send anew. changed("ok", "") comes before the first message.

What is different from mqtt_as, which would own the Wi-Fi and wait for one message at a time:
- the interface belongs to the Wi-Fi supervisor: it is only asked, never connected or switched off;
- the broker's name is looked up again for each connection, without blocking the loop;
- one write per packet (Nagle's algorithm holds back the second of two small ones), all packets
  that have come are read in one go, and send() waits for its packet to be written, not for the
  answer: so that many are on their way with one buffer and without a task for each;
- nothing is repeated within a connection, so duplicates happen only across a reconnect;
- TLS with a context that checks the certificate; the password follows the handshake.

The overrides are of private methods, so the version is pinned. On a computer the module mqtt_as is
tools/host/shims/mqtt_as.py; it has the methods that are used here.
"""

import asyncio
import select

import mqtt_as  # type: ignore[import-not-found]
from micropython import const

from .. import clock, net
from . import address, words

if mqtt_as.VERSION != (0, 8, 3):
    raise ImportError("mqtt_as 0.8.3, not %d.%d.%d" % mqtt_as.VERSION)

_DENIED_PAUSE_MS = const(60000)
_BUSY_PAUSE_MS = const(5)
_IDLE_PAUSE_MS = const(50)
_LASTING_MS = const(30000)  # a connection that was up for so long was no failure
_CONNACK = "CONNACK reason code 0x"
_REFUSALS = {  # MQTT 3.1.1, table 3.1
    "1": "the broker does not speak MQTT 3.1.1",
    "2": "the broker refuses this `client_id`",
    "3": "the broker is not available",
}


class Client(mqtt_as.MQTTClient):
    """One connection that comes back; see the module's text.

    settings: mqtt_as's names, texts as bytes: client_id, user, password, port, keepalive,
    response_time (seconds) and will (topic, payload, retain, qos), or None; its topic gets
    "online", retained as it is, at the start of each connection. room: bytes of the write buffer.
    network: an object with `up` and `await wait_up()`. Host, context and the like are read where
    mqtt_as keeps them: with four attributes less its table of 51 is of the next smaller size.
    """

    def __init__(
        self, host: str, settings: dict, context, network, room: int, acked, changed
    ) -> None:
        config = mqtt_as.config.copy()
        config.update(settings)
        config["server"] = host
        config["ssl"] = False  # mqtt_as would wrap the socket before it is connected
        config["ssl_params"] = {"context": context, "server_hostname": host}
        mqtt_as.MQTTClient.__init__(self, config)
        self.ready = False  # send() will do
        self._network = network
        self._acked = acked
        self._changed = changed
        self._on_way: dict = {}  # packet id -> (ticket, uptime in ms when it was sent)
        self._out = bytearray(room)
        self._filled = 0
        self._fresh = False  # the socket has not carried anything yet
        self._heard = False  # a packet has come

    async def run(self) -> None:
        """Stay connected, for ever."""
        failures = 0
        while True:
            if not self._network.up:
                self._changed("waiting", "no network")
                await self._network.wait_up()
            context = self._ssl_params["context"]
            if context is not None:
                from . import handshake

                await handshake.time_known(context, self._changed)
            started_ms = clock.uptime_ms()
            pause_ms = 0
            try:
                await self._open()
                while self.isconnected():
                    await clock.sleep_ms(1000)
                    self._check_answers()
            except (OSError, MemoryError) as error:
                state, text = self._explain(error)
                self._changed(state, text)
                net.unanswered(error)
                pause_ms = _DENIED_PAUSE_MS if state == "denied" else 0
            if clock.uptime_ms() - started_ms > _LASTING_MS:
                failures = 0
            await clock.sleep_ms(pause_ms or clock.backoff_ms(failures))
            failures += 1

    async def send(self, topic: bytes, payload, retain: bool, ticket) -> None:
        """Write one QoS 1 message; payload (bytes or memoryview) is free again at the return.

        Raises OSError when there is no connection, or it has just been lost; MemoryError as well
        ends the connection.
        """
        if not self.ready:
            raise OSError(-1, "not connected")
        pid = next(self.newpid)
        self.rcv_pids.add(pid)
        self._on_way[pid] = (ticket, clock.uptime_ms())
        try:
            async with self.lock:
                await self._publish(topic, payload, retain, 1, 0, pid)
                await self._flush()
        except (OSError, MemoryError):  # half a packet may be out
            self._reconnect()
            raise

    def close(self) -> None:
        """Cut the connection without a goodbye: the broker then publishes the last will."""
        self.ready = False
        self._close()

    async def _open(self) -> None:
        self.server = await address.of(self._ssl_params["server_hostname"])
        self._has_connected = False  # or connect() would go to the address of the last time
        self._filled = 0
        self._fresh = True
        try:
            await clock.wait_for_ms(self.connect(), 2 * self._response_time)
        except asyncio.TimeoutError:
            self._in_connect = False
            self._close()
            raise OSError(-1, "no answer")
        self._changed("ok", "")
        self.ready = True
        if self._lw_topic:
            await self.send(self._lw_topic, b"online", self._lw_retain, None)

    def _check_answers(self) -> None:
        """A broker that does not acknowledge has lost the message, or is not there any more."""
        now_ms = clock.uptime_ms()
        for _, sent_ms in self._on_way.values():
            if now_ms - sent_ms > self._response_time:
                self._reconnect()
                return

    def _explain(self, error: Exception) -> tuple[str, str]:
        """Return the state and its text for an attempt that failed."""
        place = "%s:%d: " % (self._ssl_params["server_hostname"], self.port)
        if isinstance(error, MemoryError):
            return "waiting", place + "not enough memory"
        number = error.args[0] if error.args else None
        text = str(error.args[-1]) if error.args else ""
        if text.startswith(_CONNACK):
            code = text[len(_CONNACK) :]
            if code in ("4", "5"):
                return "denied", place + "wrong `user` or `password`; trying again each minute"
            return "waiting", place + _REFUSALS.get(code, "the broker refuses the connection")
        if isinstance(number, int) and number not in (0, -1):
            text = words(error)
        if text.startswith("Timeout"):
            text = "no answer"
        elif text == net.CUT or text == "Connection closed by host":
            text = "the broker cuts the connection at its beginning; its log tells why"
            if self._lw_retain:
                text += " (if it allows no retained messages: `retain`: False)"
        return "waiting", place + text

    # What follows takes the place of mqtt_as's own methods.

    async def wifi_connect(self, quick=False) -> None:
        """The Wi-Fi supervisor connects; run() has waited for it."""

    async def _keep_connected(self) -> None:
        """run() does."""

    def isconnected(self) -> bool:
        if self._in_connect:
            return True
        if self._isconnected and not self._network.up:
            self._reconnect()
        return self._isconnected

    def _reconnect(self) -> None:
        mqtt_as.MQTTClient._reconnect(self)
        self._on_way.clear()
        if self.ready:
            self.ready = False
            place = self._ssl_params["server_hostname"]
            self._changed("lost", "the connection to %s was lost" % place)

    def kill_pid(self, pid: int, msg: str) -> None:
        mqtt_as.MQTTClient.kill_pid(self, pid, msg)  # OSError for an id that nobody waits for
        found = self._on_way.pop(pid, None)
        if found:
            self._acked(found[0])

    async def _handle_msg(self) -> None:
        pause_ms = _BUSY_PAUSE_MS
        try:
            while self.isconnected():
                async with self.lock:
                    await self._flush()  # pings, answers
                    await self.wait_msg()
                    while self._heard:
                        pause_ms = _BUSY_PAUSE_MS
                        self._heard = False
                        await self.wait_msg()
                await clock.sleep_ms(pause_ms)
                if not self._on_way and pause_ms < _IDLE_PAUSE_MS:
                    pause_ms += 1
        except Exception:  # mqtt_as asserts that nobody closes the connection
            pass
        self._reconnect()

    async def _as_read(self, n, sock=None):
        self._heard = True
        if self._filled:
            await self._flush()
        data = await mqtt_as.MQTTClient._as_read(self, n, sock)
        net.answered()
        return data

    async def _as_write(self, bytes_wr, length=0, sock=None) -> None:
        """Collect; _flush() writes."""
        size = length or len(bytes_wr)
        if self._filled + size > len(self._out):
            await self._flush()
        if size > len(self._out):
            await mqtt_as.MQTTClient._as_write(self, bytes_wr, size)
            return
        self._out[self._filled : self._filled + size] = memoryview(bytes_wr)[:size]
        self._filled += size

    async def _flush(self) -> None:
        if not self._filled:
            return
        if not self._fresh:
            await self._write_out()
            return
        self._fresh = False
        await self._reach()
        context = self._ssl_params["context"]
        if context is None:
            await self._write_out()
            return
        from . import handshake

        # The first write makes the handshake; it has an end, as others wait for theirs.
        async with handshake.gate:
            self._sock = context.wrap_socket(
                self._sock,
                server_hostname=self._ssl_params["server_hostname"],
                do_handshake_on_connect=False,
            )
            self._sock.setblocking(False)
            try:
                await clock.wait_for_ms(self._write_out(), self._response_time // 2)
            except asyncio.TimeoutError:
                raise OSError(-1, "no answer")
            except ValueError as error:  # MicroPython's word for a certificate that will not do
                reason = " ".join(str(error).split())
                raise OSError(-1, "certificate not accepted: " + reason)

    async def _write_out(self) -> None:
        size = self._filled
        self._filled = 0
        await mqtt_as.MQTTClient._as_write(self, self._out, size)

    async def _reach(self) -> None:
        """Wait until the socket is connected, or has failed: then the write says why."""
        poller = select.poll()
        poller.register(self._sock, select.POLLOUT)
        deadline_ms = clock.uptime_ms() + self._response_time
        while not poller.poll(0):
            if clock.uptime_ms() > deadline_ms:
                raise OSError(-1, "no answer")
            await clock.sleep_ms(20)
