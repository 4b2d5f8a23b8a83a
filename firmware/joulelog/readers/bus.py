"""A serial line that several Modbus meters share: one question at a time, in turn.

    line = bus.of(buses, board, entry, settings)   # one Bus per UART, the first one makes it
    await line.hold(output, "waiting", work)  # see device/uart
    payload, exception, heard = await line.ask(request, 250, 0)   # in work()
    line.rested_ms                            # how long the line had rested before the request

payload is None where no answer came; heard tells then whether there were bytes at all. Before each
request what is left in the UART is thrown away: the late answer of the request before. Behind each
answer the line rests for 3.5 characters, as the standard wants it, and as long as who asks next
wants: there are meters that hear nothing for a while behind an answer, theirs or another's.

A transceiver that does not turn by itself has its DE and /RE at the pin `de`. While a request is
sent with it the loop stands still (8.3 ms for 8 bytes at 9600 baud): the meter may answer 3.6 ms
later, and a task that takes longer than that would keep the line from turning in time.
"""

import asyncio

import machine
from micropython import const
from modbus import rtu

from .. import clock
from ..device.uart import Line

SCHEMA = """\
uart       | bus         | required | of the board; on a computer a device path, or "sim"
tx         | pin         | null     | another pin than the board's
rx         | pin         | null     | another pin than the board's
de         | pin         | null     | to DE and /RE of an RS485 transceiver; null: turns by itself
interval   | int 1..3600 | 10       | seconds from one reading to the next
timeout_ms | int 20..5000| 250      | how long a meter may think before it answers
misses     | int 1..1000 | 3        | polls without an answer until the values are unknown
rest_ms    | int 0..5000 | null     | pause between an answer and a request; null: finds it itself
"""
NEEDS = ("clock", "board", "buses")  # of the readers

_PARITIES = {"none": None, "even": 0, "odd": 1}
_PATIENT_STEPS = const(12)  # looks a millisecond apart, then fewer
_STEP_MS = const(5)
_DRAINS = const(64)  # chunks thrown away before a request, at most
_WRITE_MS = const(100)
_LAST_LOOKS = const(8)  # chunks that were there when the time was over


def settings(entry: dict, baud: int, parity: str, stop: int) -> dict:
    """How an entry uses the line; all entries of one UART have to agree."""
    found = {"baud": baud, "parity": parity, "stop": stop}
    for key in ("tx", "rx", "de"):
        found[key] = entry[key]
    return found


def of(buses: dict, board, entry: dict, line: dict):
    """The bus of an entry's UART, of those by UART."""
    uart = entry["uart"]
    if uart not in buses:
        buses[uart] = Bus(board, entry, line)
    return buses[uart]


class Bus(Line):
    """One UART, its lock, and the answer that is waited for."""

    patience_ms = 250  # of entries that say nothing
    rested_ms = 0
    _heard_ms = -100000  # uptime when something was heard last

    def __init__(self, board, entry: dict, line: dict) -> None:
        baud, stop = line["baud"], line["stop"]
        parity = _PARITIES[line["parity"]]
        Line.__init__(self, board, entry, (baud, 8, parity, stop))
        self.answer = rtu.Answer()
        self._chunk = bytearray(64)
        self._lock = asyncio.Lock()
        self._de = None
        if line["de"] is not None:
            self._de = machine.Pin(line["de"], machine.Pin.OUT, value=0)
        bits = 9 + stop + (0 if parity is None else 1)
        self._character_us = bits * 1000000 // baud
        # 3.5 characters; above 19200 baud the standard has one pause for all.
        self._rest_us = max(self._character_us * 7 // 2, 1750)

    def describe(self, *named: str) -> str:
        """For the start report."""
        text = Line.describe(self, *named)
        return text if self._de is None else text + ", DE on GPIO %d" % self._entry["de"]

    def read(self, *what: int) -> bytes:
        """The request for some registers."""
        return rtu.read(*what)

    def why(self, address: int) -> str:
        """Why it is silent: a line does not tell."""
        return ""

    async def ask(self, request: bytes, timeout_ms: int, rest_ms: int = 0) -> tuple:
        """(payload or None, exception, bytes heard) of the answer to a request."""
        async with self._lock:
            if rest_ms:
                await clock.sleep_ms(max(0, self._heard_ms + rest_ms - clock.uptime_ms()))
            uart = self.ready()
            self.rested_ms = clock.uptime_ms() - self._heard_ms
            self._drain(uart)
            answer = self.answer
            answer.begin(request)
            await self._send(uart, request)
            found = await self._listen(uart, request, timeout_ms)
            await clock.sleep_ms((self._rest_us + 999) // 1000)
            if answer.heard:
                self._heard_ms = clock.uptime_ms()
            return (answer.payload if found else None), answer.exception, answer.heard

    def _drain(self, uart) -> None:
        for _ in range(_DRAINS):
            count = uart.readinto(self._chunk)
            if not count:
                return
            self.answer.garbage += count

    async def _send(self, uart, request: bytes) -> None:
        if self._de:
            self._de.value(1)
        try:
            sent = uart.write(request) or 0
            waited = 0
            while sent < len(request):  # a chip's buffer holds a request: a computer's may be full
                if waited == _WRITE_MS:
                    raise OSError(5, "UART %s takes no bytes" % self._entry["uart"])
                waited += 1
                await clock.sleep_ms(1)
                sent += uart.write(request[sent:]) or 0
            if self._de:
                if hasattr(uart, "flush"):
                    uart.flush()  # until the last bit is out: see above
                else:
                    await clock.sleep_ms(len(request) * self._character_us // 1000 + 1)
        finally:
            if self._de:
                self._de.value(0)

    async def _listen(self, uart, request: bytes, timeout_ms: int) -> bool:
        """Wait for the answer; False when it has not come in time."""
        characters = len(request) + rtu.answer_length(request)
        soonest_us = characters * self._character_us + self._rest_us
        deadline = clock.uptime_ms() + soonest_us // 1000 + timeout_ms
        await clock.sleep_ms(soonest_us // 1000)
        steps = 0
        left = _LAST_LOOKS
        while left:
            late = clock.uptime_ms() > deadline  # looked at before the line: its bytes still count
            count = uart.readinto(self._chunk)
            if count and self.answer.take(self._chunk, 0, count):
                return True
            if late:
                left = left - 1 if count else 0
            steps += 1
            pause_ms = 1 if steps < _PATIENT_STEPS else _STEP_MS
            await clock.sleep_ms(0 if count else pause_ms)
        return False
