"""Simulated Modbus meters: the registers of PZEMs and Eastron SDMs, and their answers, as bytes.

    line = Line({1: Pzem("ac", seed=1), 2: Sdm("sdm120", seed=2)}, clock=time.monotonic)
    line.answer(bytes.fromhex("01040000000a700d"))     # bytes, or None where nobody answers

Written from the meters' manuals, without lib/modbus; the CRC and the order of bytes are its own.
"""

import math
import struct
from collections.abc import Callable

READ_HOLDING, READ_INPUT, WRITE, RESET = 0x03, 0x04, 0x06, 0x42
GENERAL = 0xF8
MODELS = ("ac", "dc", "sdm120", "sdm230", "sdm630", "sdm72d")

_LENGTHS = {READ_HOLDING: 8, READ_INPUT: 8, WRITE: 8, RESET: 4, 0x41: 6}


def crc(data: bytes) -> bytes:
    """The two bytes behind a frame, low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def request_length(head: bytes) -> int:
    """How long a request is that begins so; 0 for none that anybody knows."""
    return _LENGTHS.get(head[1], 0) if len(head) > 1 else 2


class Refusal(Exception):
    """An exception answer; args: (code,)."""


class Meter:
    """What all meters have: a load that changes, and a counter that follows it."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self.power_w = 0.0
        self.energy_wh = 1000.0 * seed + 234
        self.fixed: list[int] | None = None  # words to answer with, instead of what is measured
        self._time: float | None = None

    def advance(self, now: float) -> None:
        """Let time pass up to now (seconds)."""
        before = self._time if self._time is not None else now
        self._time = now
        self.power_w = 1800 + 1500 * math.sin(now / 47 + self.seed) + 200 * math.sin(now / 3.1)
        self.energy_wh += self.power_w * (now - before) / 3600

    def words(self) -> list[int]:
        """All input registers, from 0 on."""
        raise NotImplementedError

    def read(self, function: int, first: int, count: int) -> list[int]:
        """Registers that a request asks for; Refusal where the meter has them not."""
        words = self.fixed or self.words()
        if function != READ_INPUT:
            raise Refusal(1)
        if not count or first + count > len(words):
            raise Refusal(2)
        return words[first : first + count]


def low_first(value: float) -> list[int]:
    """Two words, the low one first."""
    number = round(value)
    return [number & 0xFFFF, number >> 16 & 0xFFFF]


class Pzem(Meter):
    """PZEM-004T v3, 014 and 016 ("ac"), PZEM-003 and 017 ("dc")."""

    def __init__(self, model: str = "ac", seed: int = 1) -> None:
        super().__init__(seed)
        self.model = model
        self.alarm_w = 23000

    def words(self) -> list[int]:
        wh = int(self.energy_wh)
        if self.model == "dc":
            volt, ampere = 48.12, self.power_w / 48.12
            return [
                round(volt * 100),
                round(ampere * 100),
                *low_first(self.power_w * 10),
                *low_first(wh),
                0,
                0,
            ]
        volt = 230 + 3 * math.sin(self.power_w / 100)
        return [
            round(volt * 10),
            *low_first(self.power_w / volt / 0.95 * 1000),
            *low_first(self.power_w * 10),
            *low_first(wh),
            500,
            95,
            0xFFFF if self.power_w > self.alarm_w else 0,
        ]


class Sdm(Meter):
    """Eastron SDM120, 230, 630, 72D: IEEE 754 singles, two words each, high word first."""

    def __init__(self, model: str = "sdm120", seed: int = 1) -> None:
        super().__init__(seed)
        self.model = model

    def singles(self) -> dict[int, float]:
        """{register: value}; what is not in here is 0."""
        kwh = self.energy_wh / 1000
        volt, power = 230.3, self.power_w
        common = {0x46: 50.02, 0x48: kwh, 0x4A: 1.5, 0x156: kwh + 1.5}
        if self.model == "sdm72d":
            told = {0x34: power, 0x500: max(0, power), 0x502: max(0, -power)}
            return {k: v for k, v in common.items() if k != 0x46} | told
        if self.model != "sdm630":
            return common | {
                0: volt,
                6: power / volt,
                0xC: power,
                0x12: power,
                0x18: -12.5,
                0x1E: 1,
            }
        phases = {}
        for phase in range(3):
            at = 2 * phase
            phases |= {at: volt + phase, 6 + at: power / 3 / volt, 0xC + at: power / 3}
            phases |= {0x15A + at: kwh / 3, 0x160 + at: 0.5}
        return common | phases | {0x34: power, 0x38: power, 0x3C: -12.5, 0x3E: 1}

    def words(self) -> list[int]:
        found = [0] * 0x504
        for register, value in self.singles().items():
            found[register : register + 2] = struct.unpack(">HH", struct.pack(">f", value))
        return found


def make(model: str, seed: int) -> Meter:
    """A meter of a model."""
    return Pzem(model, seed) if model in ("ac", "dc") else Sdm(model, seed)


class Line:
    """Several meters on one bus."""

    def __init__(self, meters: dict[int, Meter], clock: Callable[[], float]) -> None:
        self.meters = meters
        self._clock = clock

    def answer(self, request: bytes) -> bytes | None:
        """What comes back: an answer, an exception, or nothing at all."""
        if len(request) < 4 or request[-2:] != crc(request[:-2]):
            return None
        meter = self._addressed(request[0])
        if meter is None:
            return None
        meter.advance(self._clock())
        try:
            body = self._act(meter, request)
        except Refusal as refusal:
            body = bytes((request[1] | 0x80, refusal.args[0]))
        frame = request[:1] + body
        return frame + crc(frame)

    def _addressed(self, address: int) -> Meter | None:
        if address == GENERAL and len(self.meters) == 1:
            (meter,) = self.meters.values()
            return meter if isinstance(meter, Pzem) else None
        return self.meters.get(address)

    def _act(self, meter: Meter, request: bytes) -> bytes:
        function = request[1]
        if function == RESET and isinstance(meter, Pzem):
            meter.energy_wh = 0
            return request[1:-2]
        if function not in (READ_HOLDING, READ_INPUT, WRITE) or len(request) != 8:
            raise Refusal(1)
        first, second = struct.unpack(">HH", request[2:6])
        if function == WRITE:
            self._write(meter, first, second)
            return request[1:-2]
        if function == READ_HOLDING and isinstance(meter, Pzem):
            holding = {1: meter.alarm_w, 2: self._address_of(meter)}
            wanted = range(first, first + second)
            if not second or not set(wanted) <= set(holding):
                raise Refusal(2)
            words = [holding[register] for register in wanted]
        else:
            words = meter.read(function, first, second)
        return struct.pack(f">BB{len(words)}H", function, 2 * len(words), *words)

    def _address_of(self, meter: Meter) -> int:
        return next(address for address, one in self.meters.items() if one is meter)

    def _write(self, meter: Meter, register: int, value: int) -> None:
        if not isinstance(meter, Pzem) or register not in (1, 2):
            raise Refusal(2)
        if register == 1:
            meter.alarm_w = value
            return
        if not 1 <= value <= 247:
            raise Refusal(3)
        # Two meters with one address would both answer: the last one wins here.
        del self.meters[self._address_of(meter)]
        self.meters[value] = meter
