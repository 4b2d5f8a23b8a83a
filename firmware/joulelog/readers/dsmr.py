"""DSMR / P1 smart meters on a UART.

    readers = [{"type": "dsmr", "uart": 1}]

The reader finds out by itself whether the port speaks 115200 8N1 (DSMR 4 and later) or
9600 7E1 (DSMR 2.2 and 3); `baud` and `format` say what other meters speak. A meter that says
nothing is a state, shown and counted.
"""

import gc
import logging

import machine
from micropython import const

from .. import clock
from ..device.uart import Line
from . import p1

SCHEMA = (
    """\
uart        | uart                | required | of the board; on a computer a device path, or "sim"
baud        | choice 0 300 600 1200 2400 4800 9600 19200 38400 57600 115200 | 0 | 0: 115200 or 9600
format      | choice 8N1 7E1 7N1 8E1 | null  | null: find it; at 115200 baud 8N1, at 9600 7E1
time        | choice auto meter board | "auto" | whose clock; auto: the meter's, if it can be right
tx          | pin                 | null     | another pin than the board's
rx          | pin                 | null     | another pin than the board's
pull        | choice up down none | null    | the chip's resistor at RX; null: as it is by itself
invert      | bool                | false    | the chip inverts the signal (ESP32), no transistor
request_pin | pin                 | null     | pin at the port's data request line (RJ12 pin 2)
request     | choice hold pulse   | "hold"   | hold: request all the time; pulse: once per telegram
""",
    p1.SCHEMA,
)
NEEDS = ("clock", "board")

_TRIAL_MS = const(12000)  # a DSMR 2.2 to 4 meter speaks every 10 s
_SILENT_MS = const(35000)
_CHUNK = const(128)  # bytes decoded between two yields
_CHUNK_ENCRYPTED = const(32)  # decryption takes longer per byte
_SLOW_MS = const(33)  # an ESP8266 waits in readinto() until it has them all: at most so long
_LONG_BITS = const(10000)  # of a telegram, on a slow line
_FLUSH_MS = const(200)  # longer than the 150 ms that meters pause inside a telegram
_REST_MS = const(20)  # at 115200 a 2048-byte buffer lasts 178 ms
_PULSE_OFF_MS = const(200)


def problems(entry: dict, board):
    """Yield what the table cannot say."""
    if entry["invert"] and not board.CAN_INVERT:
        yield "`invert` is True, but a %s cannot invert; use a transistor" % board.NAME
    yield from p1.problems(entry)


def _settings(baud: int, form: str | None) -> list:
    """(baud rate, bits, parity, stop bits) of all that an entry leaves open."""
    found = []
    for rate in (baud,) if baud else (115200, 9600):
        names = ("8N1", "7E1")  # as DSMR 4 and later, as DSMR 2 and 3
        if rate == 115200 or rate == 9600:
            names = names[:1] if rate == 115200 else names[1:]
        for name in (form,) if form else names:
            found.append((rate, int(name[0]), None if name[1] == "N" else 0, 1))
    return found


class Reader:
    """One P1 port."""

    def __init__(self, name: str, entry: dict, output, app_clock, board) -> None:
        self.name = name
        self._output = output
        output.say("searching")
        self.silences = 0
        self._entry = entry
        self._log = logging.getLogger(name)
        self._p1 = p1.P1(entry, output, app_clock, board, entry.get("time", "auto"))
        self.profile = self._p1.profile
        self._chunk = bytearray(_CHUNK_ENCRYPTED if entry["key"] else _CHUNK)
        self._line = Line(board, entry, *_settings(entry["baud"], entry.get("format")))
        self._request = None
        if entry["request_pin"] is not None:
            self._request = machine.Pin(entry["request_pin"], machine.Pin.OUT, value=0)

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        return self._p1.counters() + (("silences", self.silences),)

    def describe(self) -> str:
        """For the start report."""
        where = self._line.describe("rx")
        if self._entry["request_pin"] is not None:
            where += ", data request on GPIO %d (%s)" % (
                self._entry["request_pin"],
                self._entry["request"],
            )
        return where

    def run(self):
        """Read for ever; OSError when the UART is not there, or goes away."""
        return self._line.hold(self._output, "searching", self._search)

    async def _search(self) -> None:
        """Try the settings in turn; stay with one as long as telegrams come."""
        line = self._line
        turn = 0
        tried = 0  # settings without a telegram, one after the other
        while True:
            heard = await self._listen(line.settings[turn][0])
            tried = 0 if heard else tried + 1
            if heard or tried >= len(line.settings):
                self._say_silent()
            turn = (turn + 1) % len(line.settings)
            line.tune(turn)

    async def _listen(self, baudrate: int) -> bool:
        """Read until no telegram comes for too long; True where there was one at all."""
        uart = self._line.ready()
        feed = self._p1.feed
        chunk = self._chunk
        size = max(1, min(len(chunk), baudrate * _SLOW_MS // 9900))
        good = self._p1.accepted
        heard = -1  # when the last byte came, -1 once the line was flushed
        last = clock.uptime_ms()
        slow_ms = _LONG_BITS * 1000 // baudrate if baudrate < 9600 else 0
        limit = _TRIAL_MS + slow_ms
        decryptor = self._p1.decryptor
        self._ask(1)
        while True:
            count = uart.readinto(chunk, size)
            now = clock.uptime_ms()
            if count:
                heard = now
                feed(chunk, 0, count)
                if decryptor:
                    await decryptor.rest(count)
            elif heard >= 0 and now - heard > _FLUSH_MS:
                heard = -1
                self._p1.flush()
            if self._p1.accepted != good:
                good = self._p1.accepted
                last = now
                limit = _SILENT_MS + slow_ms
                self._output.say("ok")
                await clock.sleep_ms(0)
                gc.collect()  # a step of its own, while the line is silent: not inside a long one
                await self._pause_request()
            elif now - last > limit:
                return limit == _SILENT_MS + slow_ms
            await clock.sleep_ms(0 if count else _REST_MS)

    async def _pause_request(self) -> None:
        if self._entry["request"] == "pulse" and self._request:
            self._ask(0)
            await clock.sleep_ms(_PULSE_OFF_MS)
            self._ask(1)

    def _ask(self, level: int) -> None:
        if self._request:
            self._request.value(level)

    def _say_silent(self) -> None:
        if self._output.state != "silent":
            self.silences += 1
            self._log.warning("no telegram: %s (make doctor tells more)", self._advice())
            self._output.unknown()
        self._output.say("silent")

    def _advice(self) -> str:
        p1 = self._p1
        if p1.accepted:
            return "the meter has fallen silent, or its cable is out"
        if p1.decryptor and p1.decryptor.tag_errors:
            return "the tags are wrong; check `key` and `auth_key`"
        if p1.framer.crc_errors:
            return p1.dead_crc() or "all CRCs are wrong; check pull-up, ground and cable"
        if p1.decryptor and p1.decryptor.frames:
            return "encrypted frames come, but `key` does not open them"
        return "is the port activated, the cable in, the data request line high?"
