"""The connection to a Tuya device, which stays open: devices take few, and begin slowly.

    link = Link(session, timeout_ms)             # tuya.session.Session
    await link.open("192.0.2.7", 6668)           # with the exchange of keys
    await link.ask([101], (18, 19), now)         # until all values have come; now: Unix seconds
    await link.listen(10000)                     # what comes by itself, and heartbeats
    link.close()

open() and ask() raise NetError, and have closed it then; its `refused` is True where the device
has answered, but not as it should. A device that sends what is not its protocol is cut off after
some thousand bytes.
"""

import asyncio

from micropython import const

from .. import clock, net
from ..errors import NetError
from ..net import address, words

_PIECE = const(256)
_BEAT_MS = const(10000)  # a device closes a connection that is silent for 30 s
_MOST_GARBAGE = const(4096)  # bytes of a connection
_MOST_WRONG = const(20)  # frames

_KEY = "its answers cannot be read: is the `key` right? It is another one after each pairing"
_EXCHANGE = "%s, in the exchange of keys: are `key` and `version` right?"
_OTHER = "it speaks another `version` of the protocol"
_GARBAGE = "what it sends is not Tuya's protocol"


class Link:
    """See the module's text."""

    is_open = False
    spoke = False  # the last connection took what was sent, whatever came of it
    connections = 0
    _host = ""
    _reader = None
    _writer = None
    _sent_ms = 0

    def __init__(self, session, timeout_ms: int) -> None:
        self.session = session
        self._timeout_ms = timeout_ms

    async def open(self, host: str, port: int) -> None:
        """Connect, and agree on a key where the version has that."""
        self.close()
        self.spoke = False
        self._host = host
        await self._within(self._open(host, port))
        self.is_open = True

    async def ask(self, dps, renew, now: int) -> None:
        """Have all values sent; those of `renew` are measured anew before that."""
        await self._within(self._ask(dps, renew, now))

    async def listen(self, ms: int) -> None:
        """Take what comes by itself, for so long; a connection that ends meanwhile is closed."""
        until_ms = clock.uptime_ms() + ms
        while True:
            now = clock.uptime_ms()
            if now >= until_ms:
                return
            if not self.is_open:
                await clock.sleep_ms(until_ms - now)
                continue
            beat_ms = self._sent_ms + _BEAT_MS - now
            try:
                if beat_ms <= 0:
                    await clock.wait_for_ms(self._run(self.session.heartbeat()), self._timeout_ms)
                else:
                    wait_ms = min(until_ms - now, beat_ms)
                    await clock.wait_for_ms(self._hear(), wait_ms)
            except asyncio.TimeoutError:
                if beat_ms <= 0:
                    self.close()
            except (OSError, EOFError):
                self.close()

    def close(self) -> None:
        """Any number of times."""
        writer = self._writer
        self._reader = self._writer = None
        self.is_open = False
        if writer is not None:
            # MicroPython's streams close their socket only when that is waited for.
            getattr(writer, "s", writer).close()

    async def _within(self, work) -> None:
        """Do it, in time; NetError says what went wrong."""
        why, refused = "", False
        try:
            await clock.wait_for_ms(work, self._timeout_ms)
        except asyncio.TimeoutError:
            why = "no answer within %d s" % (self._timeout_ms // 1000)
            net.unanswered()
        except EOFError:
            why = "it has closed the connection"
        except NetError as error:
            why, refused = str(error), error.refused
        except OSError as error:
            why = words(error)
            net.unanswered(error)
        if not why:
            return
        self.close()
        address.forget(self._host)  # it may have moved
        if self.spoke and not refused and not self.session.ready:
            why = _EXCHANGE % why
        told = NetError(why)
        told.refused = refused
        raise told

    async def _open(self, host: str, port: int) -> None:
        where = await address.of(host, self._timeout_ms * 3 // 4)
        self._reader, self._writer = await asyncio.open_connection(where, port)
        self.connections += 1
        session = self.session
        self._garbage = session.framer.garbage
        self._wrong = session.wrong_checks
        await self._run(session.begin())
        while not session.ready:
            await self._hear()
            self._check()

    async def _ask(self, dps, renew, now: int) -> None:
        session = self.session
        if renew:
            await self._run(session.update(renew))
        answers, texts = session.answers, session.texts
        for last in (False, True):
            was_22 = session.device22
            session.refusal = b""
            await self._run(session.query(dps, now))
            while session.answers == answers and not session.refusal:
                await self._hear()
                self._check()
            if last or session.device22 == was_22:
                break
        if session.answers == answers and session.texts == texts:
            _refuse("it refuses to be asked: %s" % _shown(session.refusal))

    async def _hear(self) -> None:
        """The next bytes, whenever they come."""
        data = await self._reader.read(_PIECE)  # type: ignore[union-attr]
        if not data:
            raise EOFError
        net.answered()
        session = self.session
        await self._run(session.feed(data))
        if (
            session.framer.garbage - self._garbage > _MOST_GARBAGE
            or session.wrong_checks - self._wrong > _MOST_WRONG
        ):
            _refuse(_GARBAGE)

    async def _run(self, steps) -> None:
        """Let the session work, and send what it wants to."""
        for _ in steps:
            await clock.sleep_ms(0)
        out = self.session.taken()
        if out:
            self._sent_ms = clock.uptime_ms()
            self._writer.write(out)  # type: ignore[union-attr]
            await self._writer.drain()  # type: ignore[union-attr]
            self.spoke = True

    def _check(self) -> None:
        if self.session.other_version:
            _refuse(_OTHER)
        if self.session.wrong_key:
            _refuse(_KEY)


def _refuse(why: str) -> None:
    error = NetError(why)
    error.refused = True
    raise error


def _shown(text: bytes) -> str:
    """What a device says, as far as it is plain."""
    return "".join([chr(byte) if 32 <= byte < 127 else "?" for byte in text])
