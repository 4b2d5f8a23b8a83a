"""A gateway or device that speaks Modbus over TCP: one connection for all entries that name it.

    host = modbus_host.of(buses, entry, network)  # as bus.of(): for the same polled reader
    request = host.read(1, 4, 0, 10)
    payload, exception, heard = await host.ask(request, 1000, 0)
    host.why(1)                               # what went wrong with address 1, "" for nothing

`framing` tcp is Modbus TCP (lib/modbus/tcp); rtu is what a plain serial server passes on, frames
as on a line (lib/modbus/rtu). A request that was not answered ends the connection, so that no late
answer comes with the next one, and nobody waits for a device that has restarted meanwhile. Who
refuses a connection, or cuts it, is left alone for a while that grows; others are not held up.
"""

import asyncio

from micropython import const
from modbus import rtu

from .. import clock, net
from ..errors import NetError
from ..net import address, tcp, words

_CONNECT_MS = const(5000)
_LOOK_MS = const(5)
_DRAINS = const(16)  # pieces thrown away before a request, at most
_PIECES = const(64)  # of one answer
_GATEWAY = (10, 11)  # exceptions that tell of the gateway, not of the meter


def of(buses: dict, entry: dict, network):
    """The connection of an entry, of those that others have named."""
    key = (entry["host"], entry["port"])
    if key not in buses:
        buses[key] = Host(entry, network)
    return buses[key]


class Host:
    """One connection, its lock, and the answer that is waited for."""

    patience_ms = 2000  # of entries that say nothing
    rested_ms = 0
    connections = 0  # that were made
    _heard_ms = -100000  # uptime when something was heard last
    _stream = None
    _failures = 0  # connections in a row that were of no use
    _again_ms = 0  # uptime before which none is tried
    _refused = ""  # why not
    _holders = 0

    def __init__(self, entry: dict, network) -> None:
        self._host = entry["host"]
        self._port = entry["port"]
        self._network = network
        self._lock = asyncio.Lock()
        self._whys: dict = {}  # address -> what went wrong last
        self._is_tcp = entry["framing"] == "tcp"
        if self._is_tcp:
            from modbus import tcp as frames
        else:
            frames = rtu
        self.read = frames.read
        self.answer = frames.Answer()

    def describe(self) -> str:
        """For the start report."""
        kind = "Modbus TCP" if self._is_tcp else "Modbus RTU over TCP"
        return "%s at %s:%d" % (kind, self._host, self._port)

    def why(self, address: int) -> str:
        """What went wrong with the last request to it."""
        return self._whys.get(address, "")

    async def hold(self, output, state: str, work) -> None:
        """Await work(); who is the last to end closes the connection."""
        self._holders += 1
        output.say(state)
        try:
            await work()
        finally:
            self._holders -= 1
            if not self._holders:
                self._close()

    async def ask(self, request: bytes, timeout_ms: int, rest_ms: int = 0) -> tuple:
        """(payload or None, exception, bytes heard) of the answer to a request."""
        async with self._lock:
            self.answer.heard = 0
            why = await self._ask(request, timeout_ms, rest_ms)
            self._whys[request[0]] = why
            answer = self.answer
            if why and answer.exception in _GATEWAY:
                return None, 0, 0
            return (None if why else answer.payload), answer.exception, answer.heard

    async def _ask(self, request: bytes, timeout_ms: int, rest_ms: int) -> str:
        """Why there is no answer; "" where there is one."""
        answer = self.answer
        answer.exception = 0
        why = ""
        for last in (False, True):
            kept = self._stream is not None
            why = await self._connect()
            if why:
                return why
            if rest_ms:
                await clock.sleep_ms(max(0, self._heard_ms + rest_ms - clock.uptime_ms()))
            self.rested_ms = clock.uptime_ms() - self._heard_ms
            found = False
            try:
                found, why = await self._exchange(request, timeout_ms)
            except OSError as error:
                if kept and not last and not answer.heard:
                    continue  # it was idle for too long
                address.forget(self._host)
                net.unanswered(error)
                why = self._fail(words(error) if error.args else "the connection was cut")
            finally:
                if answer.heard:
                    self._heard_ms = clock.uptime_ms()
                if not found:
                    self._close()
            if found:
                self._failures = 0
                if answer.exception in _GATEWAY:
                    return rtu.REFUSALS[answer.exception]
            break
        return why

    async def _exchange(self, request: bytes, timeout_ms: int) -> tuple[bool, str]:
        """(whether an answer came, why not); OSError where the connection ends."""
        answer, stream = self.answer, self._stream
        for _ in range(_DRAINS):  # what came too late
            data = stream.receive()  # type: ignore[union-attr]
            if data is None:
                raise OSError
            if not data:
                break
            answer.garbage += len(data)
        await stream.send(answer.begin(request) or request, timeout_ms)  # type: ignore[union-attr]
        deadline = clock.uptime_ms() + timeout_ms
        pieces = 0
        while pieces < _PIECES:
            late = clock.uptime_ms() > deadline  # looked at before: what is there still counts
            data = stream.receive()  # type: ignore[union-attr]
            if data is None:
                raise OSError
            if data:
                pieces += 1
                if answer.take(data, 0, len(data)):
                    return True, ""
                if answer.broken:
                    break
                await clock.sleep_ms(0)
            elif late:
                what = "only a part of an answer" if answer.heard else "no answer"
                net.unanswered()
                return False, "%s within %d ms" % (what, timeout_ms)
            else:
                await clock.sleep_ms(_LOOK_MS)
        return False, "what it sends is no answer: is `framing` right?"

    async def _connect(self) -> str:
        """Have a connection; else why there is none."""
        if not self._network.up:
            self._close()
            return "there is no network"
        if self._stream is not None:
            return ""
        if clock.uptime_ms() < self._again_ms:
            return self._refused
        try:
            self._stream = await tcp.connect(self._host, self._port, _CONNECT_MS)
        except NetError as error:
            return self._fail(str(error))
        self.connections += 1
        self.answer.restart()
        return ""

    def _fail(self, why: str) -> str:
        """The connection is of no use: the next one later each time."""
        self._again_ms = clock.uptime_ms() + clock.backoff_ms(self._failures)
        self._failures += 1
        self._refused = "%s:%d: %s" % (self._host, self._port, why)
        return self._refused

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream:
            stream.close()
