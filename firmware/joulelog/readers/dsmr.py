"""DSMR / P1 smart meters on a UART.

    readers = [{"type": "dsmr", "uart": 1}]

The reader finds out by itself whether the port speaks 115200 8N1 (DSMR 4 and later) or
9600 7E1 (DSMR 2.2 and 3). A meter that says nothing is a state, shown and counted.
"""

import gc
import logging

import machine
from micropython import const

from .. import clock
from ..uart import open_uart, retune
from . import p1

SCHEMA = (
    """\
uart        | uart                | required | of the board; on a computer a device path, or "sim"
baud        | choice 0 9600 115200 | 0       | 0: find it; 9600 (7E1, DSMR 2 and 3) or 115200 (8N1)
tx          | pin                 | null     | another pin than the board's
rx          | pin                 | null     | another pin than the board's
pull        | choice up down none | null    | the chip's resistor at RX; null: as it is by itself
invert      | bool                | false    | the chip inverts the signal (ESP32), no transistor
request_pin | pin                 | null     | pin at the port's data request line (RJ12 pin 2)
request     | choice hold pulse   | "hold"   | hold: request all the time; pulse: once per telegram
""",
    p1.SCHEMA,
)

_SETTINGS = ((115200, 8, None), (9600, 7, 0))  # baud rate, bits, parity (0 is even)
_TRIAL_MS = const(12000)  # a DSMR 2.2 to 4 meter speaks every 10 s
_SILENT_MS = const(35000)
_CHUNK = const(128)  # bytes decoded between two yields
_CHUNK_ENCRYPTED = const(32)  # decryption takes longer per byte
_LITTER = const(32)  # encrypted bytes whose decryption leaves some 8 kB to collect
_CHUNK_SLOW = const(32)  # at 9600 baud an ESP8266 waits in readinto() until it has them all
_FLUSH_MS = const(200)  # longer than the 150 ms that meters pause inside a telegram
_REST_MS = const(20)  # at 115200 a 2048-byte buffer lasts 178 ms
_PULSE_OFF_MS = const(200)


def problems(entry: dict, board):
    """Yield what the table cannot say."""
    if entry["invert"] and not board.CAN_INVERT:
        yield "`invert` is True, but a %s cannot invert; use a transistor" % board.NAME
    yield from p1.problems(entry)


class Reader:
    """One P1 port."""

    COUNTERS = (
        "telegrams",
        "crc_errors",
        "overflows",
        "interrupted",
        "long_lines",
        "bad_lines",
        "tag_errors",
        "refused",
        "silences",
    )

    def __init__(self, name: str, entry: dict, app, output) -> None:
        self.name = name
        self.state = "searching"
        self.silences = 0
        self._entry = entry
        self._board = app.board
        self._log = logging.getLogger(name)
        self._p1 = p1.P1(entry, app, output)
        self._chunk = bytearray(_CHUNK_ENCRYPTED if entry["key"] else _CHUNK)
        self._settings = [s for s in _SETTINGS if entry["baud"] in (0, s[0])]
        self._litter = 0
        self._request = None
        if entry["request_pin"] is not None:
            self._request = machine.Pin(entry["request_pin"], machine.Pin.OUT, value=0)

    def __getattr__(self, name: str) -> int:
        """The counters of the telegram chain."""
        if name in self.COUNTERS or name == "meter":
            return getattr(self._p1, name)
        raise AttributeError(name)

    def describe(self) -> str:
        """For the start report."""
        speeds = " or ".join(["%d %d%s1" % (s[0], s[1], "NE"[s[2] == 0]) for s in self._settings])
        where = "UART %s, %s" % (self._entry["uart"], speeds)
        pins = self._board.UARTS.get(self._entry["uart"])
        if pins:
            rx = self._entry["rx"]
            where += ", RX on GPIO %d" % (pins["rx"] if rx is None else rx)
        if self._entry["invert"]:
            where += ", inverted by the chip"
        if self._entry["request_pin"] is not None:
            where += ", data request on GPIO %d (%s)" % (
                self._entry["request_pin"],
                self._entry["request"],
            )
        return where

    async def run(self) -> None:
        """Read for ever; OSError when the UART is not there, or goes away."""
        self.state = "no device"
        uart = open_uart(self._board, self._entry, *self._settings[0])
        self.state = "searching"
        try:
            await self._search(uart)
        except OSError:
            self.state = "no device"
            raise
        finally:
            uart.deinit()

    async def _search(self, uart) -> None:
        """Try the settings in turn; stay with one as long as telegrams come."""
        turn = 0
        tried = 0  # settings without a telegram, one after the other
        while True:
            heard = await self._listen(uart, self._settings[turn % len(self._settings)][0])
            tried = 0 if heard else tried + 1
            if heard or tried >= len(self._settings):
                self._say_silent()
            turn += 1
            retune(uart, self._entry, *self._settings[turn % len(self._settings)])

    async def _listen(self, uart, baudrate: int) -> bool:
        """Read until no telegram comes for too long; True where there was one at all."""
        feed = self._p1.feed
        chunk = self._chunk
        size = min(len(chunk), _CHUNK_SLOW) if baudrate == 9600 else len(chunk)
        good = self._p1.accepted
        heard = -1  # when the last byte came, -1 once the line was flushed
        last = clock.uptime_ms()
        limit = _TRIAL_MS
        encrypted = bool(self._entry["key"])
        self._ask(1)
        while True:
            count = uart.readinto(chunk, size)
            now = clock.uptime_ms()
            if count:
                heard = now
                feed(chunk, 0, count)
                if encrypted:
                    await self._rest(count)
            elif heard >= 0 and now - heard > _FLUSH_MS:
                heard = -1
                self._p1.flush()
            if self._p1.accepted != good:
                good = self._p1.accepted
                last = now
                limit = _SILENT_MS
                self.state = "ok"
                await clock.sleep_ms(0)
                gc.collect()  # a step of its own, while the line is silent: not inside a long one
                await self._pause_request()
            elif now - last > limit:
                return limit == _SILENT_MS
            await clock.sleep_ms(0 if count else _REST_MS)

    async def _rest(self, count: int) -> None:
        """Behind encrypted bytes: check what is complete, and sweep what decrypting left.

        Both in steps of their own: a collection in the midst of decryption makes that too long.
        """
        self._litter += count
        while self._p1.busy or self._litter >= _LITTER:
            await clock.sleep_ms(0)
            if self._litter >= _LITTER:
                self._litter = 0
                gc.collect()
                continue
            self._p1.proceed()
            self._litter += _LITTER // 2

    async def _pause_request(self) -> None:
        if self._entry["request"] == "pulse" and self._request:
            self._ask(0)
            await clock.sleep_ms(_PULSE_OFF_MS)
            self._ask(1)

    def _ask(self, level: int) -> None:
        if self._request:
            self._request.value(level)

    def _say_silent(self) -> None:
        if self.state != "silent":
            self.silences += 1
            self._log.warning("no telegram: %s (tools/doctor.py tells more)", self._advice())
        self.state = "silent"

    def _advice(self) -> str:
        p1 = self._p1
        if p1.accepted:
            return "the meter has fallen silent, or its cable is out"
        if p1.tag_errors:
            return "the tags are wrong; check `key` and `auth_key`"
        if p1.crc_errors:
            return "all CRCs are wrong; check pull-up, ground and cable"
        if self._entry["key"] and p1.frames:
            return "encrypted frames come, but `key` does not open them"
        return "is the port activated, the cable in, the data request line high?"
