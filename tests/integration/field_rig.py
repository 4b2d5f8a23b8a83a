"""What the field tests share: P1 telegrams of our own, through the codec and through the firmware.

    data = p1("/ISK5\\X", "1-0:1.7.0(00.286*kW)")         # with its CRC; crc=None: without one
    told, framer = codec(data)                            # as tests/unit/dsmr_helpers.decode
    port = Port(source="ntp", now=NOON)                   # a dsmr reader on a line of its own
    port.send(1000, data)
    readings = port.run(5000)                             # [(UTC, {key: text})]
    port.said                                             # what the log was told

Time is that of a clock which moves only when told.
"""

import asyncio
import logging

import exact
from civil import iso, seconds
from crc16 import update
from dsmr_helpers import decode, plain
from fake_machine import Line, Machine
from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.device import uart
from joulelog.readers import dsmr

NOON = seconds(2026, 11, 28, 12)
ENTRY = {
    "name": "p1",
    "uart": 2,
    "baud": 115200,
    "tx": None,
    "rx": None,
    "pull": None,
    "invert": False,
    "request_pin": None,
    "request": "hold",
    "key": "",
    "auth_key": "",
    "utc_offset": None,
    "interval": 0,
    "channels": None,
}


def p1(header: str | bytes, *lines: str | bytes, crc: int | str | None = "right") -> bytes:
    """A telegram: lines as they are, CR LF behind each; crc: "right", None or a wrong number."""
    parts = [header, b"", *lines]
    text = b"".join([_bytes(part) + b"\r\n" for part in parts]) + b"!"
    if crc is None:
        return text + b"\r\n"
    number = update(0, text, 0, len(text)) if crc == "right" else crc
    return text + b"%04X\r\n" % number


def codec(data: bytes, cuts=(), **options) -> tuple[list[dict], object]:
    """(a dict per telegram, the framer), as dsmr_helpers.decode; no texts, nothing beside."""
    options.setdefault("wanted", ())
    found, framer = decode(data, cuts, **options)
    for one in found:
        one["values"] = plain(one["values"])
    return found, framer


class Board:
    NAME = "TEST"
    CHIP = "esp32"
    UARTS = {2: {"tx": 17, "rx": 16}}
    RX_BUFFER = 4096
    LINE_BUFFER = 512
    CAN_INVERT = True


class Output:
    """Keeps readings as text."""

    state = ""

    def __init__(self) -> None:
        self.readings: list = []
        self.units: dict = {}

    def say(self, state: str) -> None:
        self.state = state

    def identify(self, *_meter) -> None:
        pass

    def unknown(self):
        """No value is known any more: not a reading of the meter's."""

    def publish(self, time: int, channels: tuple, values) -> None:
        found = {}
        for channel, value in zip(channels, values):
            self.units[channel[exact.KEY]] = channel[exact.UNIT]
            if value is not None:
                value = iso(value) if channel[exact.KIND] == "time" else value
                shown = value if isinstance(value, str) else exact.text(value, channel[2])
                found[channel[exact.KEY]] = shown
        self.readings.append((iso(time) if time >= 0 else None, found))


class _NoCollector:
    """In the place of gc: CPython's takes the longer the more examples a test has had."""

    @staticmethod
    def collect() -> None:
        pass


class _Said(logging.Handler):
    def __init__(self, lines: list) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record) -> None:
        self._lines.append(record.getMessage())


class Port:
    """A dsmr reader of the firmware, its line, and the clock of both."""

    def __init__(self, source: str = "", now: int = NOON, **changes) -> None:
        self.virtual = VirtualClock()
        self.line = Line(self.virtual)
        dsmr.machine = uart.machine = Machine(self.line)
        dsmr.gc = _NoCollector
        self.clock = clock.Clock()
        self._source = source
        self._now = now
        self.output = Output()
        self.said: list = []
        self.reader = dsmr.Reader("p1", {**ENTRY, **changes}, self.output, self.clock, Board)

    def send(self, ms: int, data: bytes, baudrate: int | None = None) -> None:
        """Bytes that come at this moment."""
        self.line.at(ms, data, baudrate or self.reader._line.settings[0][0])

    def count(self, name: str) -> int:
        return dict(self.reader.counters())[name]

    def run(self, ms: int) -> list:
        """Run the reader for so long; the readings it has published."""
        log = logging.getLogger("p1")
        handler = _Said(self.said)
        level = log.level
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        try:
            self.virtual.play(self._run(ms))
        finally:
            log.removeHandler(handler)
            log.setLevel(level)
        return self.output.readings

    async def _run(self, ms: int) -> None:
        if self._source:
            self.clock.set(self._now, self._source)
        task = asyncio.create_task(self.reader.run())
        await self.virtual.advance(ms)
        self.now = self.clock.now()  # what the board's clock says then
        assert not task.done(), task
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass


def play(*telegrams: bytes, step_ms: int = 1000, **options) -> Port:
    """A reader that has heard these telegrams, one each second."""
    port = Port(**options)
    for number, data in enumerate(telegrams):
        port.send(number * step_ms, data)
    port.run(len(telegrams) * step_ms + 500)
    return port


def values(port: Port) -> list[dict]:
    """The values alone, without what stands beside them."""
    return [plain(found) for _, found in port.output.readings]


def _bytes(part: str | bytes) -> bytes:
    return part.encode("latin-1") if isinstance(part, str) else part
