"""lib/modbus and pymodbus, which others wrote, agree on every frame, and on what registers mean.

MODBUS_FRAMES sets how many random frames are compared (10,000, or 100,000 with JOULELOG_LONG=1).
The tables are made by hypothesis: any rows over any words, read from a meter whose frames pymodbus
makes, by the codec and by the firmware's reader; what they mean says pymodbus's conversion, in
exact fractions.
"""

import math
import os
import random
from fractions import Fraction

import pytest
from crc16 import MODBUS, update
from modbus import rtu
from modbus.registers import Table
from modbus_stand import Stand

from joulelog.readers import modbus
from tests import tiers

HOW = "pip install pymodbus"
FRAMES = 100_000 if os.environ.get("JOULELOG_LONG") else 10_000


def pymodbus_parts():
    tiers.require("pymodbus", "host", HOW)
    from pymodbus.framer import FramerRTU
    from pymodbus.pdu import DecodePDU

    return FramerRTU(DecodePDU(False)), FramerRTU(DecodePDU(True))


def random_exchange(dice: random.Random, client, server):
    """(our request, pymodbus's request bytes, its answer bytes) of a random transaction."""
    from pymodbus.pdu import ExceptionResponse
    from pymodbus.pdu import register_message as messages

    address = dice.randrange(1, 248)
    kind = dice.randrange(3)
    if kind < 2:
        count = dice.choice((1, 2, 8, 10, 60, dice.randrange(1, 126)))
        register = dice.randrange(0, 0x10000 - count)
        request_class, answer_class = (
            (messages.ReadHoldingRegistersRequest, messages.ReadHoldingRegistersResponse),
            (messages.ReadInputRegistersRequest, messages.ReadInputRegistersResponse),
        )[kind]
        request = request_class(address=register, count=count, dev_id=address)
        values = [dice.getrandbits(16) for _ in range(count)]
        answer = answer_class(registers=values, dev_id=address)
        ours = rtu.read(address, 3 + kind, register, count)
    else:
        register, value = dice.getrandbits(16), dice.getrandbits(16)
        request = messages.WriteSingleRegisterRequest(
            address=register, registers=[value], dev_id=address
        )
        answer = messages.WriteSingleRegisterResponse(
            address=register, registers=[value], dev_id=address
        )
        ours = rtu.write(address, register, value)
    if not dice.randrange(5):
        answer = ExceptionResponse(ours[1], dice.randrange(1, 5), device_id=address)
    return ours, client.buildFrame(request), server.buildFrame(answer)


def damaged(dice: random.Random, frame: bytes) -> bytes:
    """The frame as it is, or as lines, adapters and other meters spoil it."""
    spoilt = bytearray(frame)
    kind = dice.randrange(8)
    if kind == 0:
        for _ in range(dice.randrange(1, 4)):
            spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8)
    elif kind == 1:
        del spoilt[dice.randrange(len(spoilt)) :]
    elif kind == 2:
        del spoilt[dice.randrange(len(spoilt))]
    elif kind == 3:
        spoilt[-2:] = dice.randbytes(2)
    elif kind == 4:  # another meter's, or of another function, with a right CRC
        spoilt[dice.randrange(2)] = dice.randrange(256)
        crc = update(MODBUS, spoilt, 0, len(spoilt) - 2)
        spoilt[-2:] = bytes((crc & 255, crc >> 8))
    elif kind == 5:
        spoilt += dice.randbytes(dice.randrange(1, 9))
    return bytes(spoilt)


def theirs(client, request: bytes, data: bytes):
    """pymodbus's verdict: (payload, exception), or None for no answer to this request."""
    from pymodbus.exceptions import ModbusException

    try:
        _, pdu = client.handleFrame(data, request[0], 0)
    except ModbusException:
        return None
    if pdu is None or pdu.function_code & 0x7F != request[1]:
        return None
    if pdu.function_code & 0x80:
        return b"", pdu.exception_code
    # pymodbus leaves it to its caller whether these are the registers that were asked for.
    payload = b"".join(value.to_bytes(2, "big") for value in pdu.registers)
    if request[1] == rtu.WRITE:
        payload = pdu.address.to_bytes(2, "big") + payload
        return (payload, 0) if payload == request[2:6] else None
    return (payload, 0) if len(payload) == rtu.answer_length(request) - 5 else None


def ours(request: bytes, data: bytes):
    answer = rtu.Answer()
    answer.begin(request)
    if not answer.take(data, 0, len(data)):
        return None
    return answer.payload, answer.exception


def test_random_frames() -> None:
    """Must show 3."""
    client, server = pymodbus_parts()
    dice = random.Random(20261120)
    total = int(os.environ.get("MODBUS_FRAMES", FRAMES))
    accepted = 0
    for number in range(total):
        request, their_request, frame = random_exchange(dice, client, server)
        assert request == their_request
        data = damaged(dice, frame)
        expected = theirs(client, request, data)
        assert ours(request, data) == expected, (number, request.hex(), data.hex())
        accepted += expected is not None
    assert total // 3 < accepted < total * 2 // 3  # both kinds, in number
    print(f"{total} frames, {accepted} accepted by both, {total - accepted} by neither")


# Tables --------------------------------------------------------------------------------------

TYPES = {
    "u16": "UINT16",
    "i16": "INT16",
    "u32": "UINT32",
    "i32": "INT32",
    "u64": "UINT64",
    "i64": "INT64",
    "single": "FLOAT32",
    "double": "FLOAT64",
}
# Where signs, infinities, and what is missing lie.
WORDS = (0, 1, 0xFFFF, 0x8000, 0x7FFF, 0x7F80, 0xFF80, 0x7FC0, 0x7FF0, 0x3F80, 0x4640, 0x40C8)


class Row:
    """One row, as text, and what its registers mean."""

    def __init__(self, draw, number: int, function: int) -> None:
        from hypothesis import strategies as st

        self.key = "k%d" % number
        self.name = draw(st.sampled_from((*TYPES, "flag")))
        self.words = {"1": 1, "3": 2, "6": 4, "s": 2, "d": 4, "f": 1}[
            self.name[1] if self.name[0] in "ui" else self.name[0]
        ]
        self.low_first = self.words > 1 and draw(st.booleans())
        self.function = draw(st.sampled_from((None, 3, 4))) or 0
        self.register = draw(
            st.one_of(st.integers(0, 150), st.integers(0xFF00, 0x10000 - self.words))
        )
        self.decimals = draw(st.integers(0, 6))
        self.factor = 1 if self.name == "flag" else draw(st.sampled_from((1, 1, 10, 1000)))
        bound = st.one_of(st.none(), st.integers(-(10**9), 10**9))
        low, high = (draw(bound), draw(bound)) if draw(st.booleans()) else (None, None)
        limits = (low, high) if low is None or high is None else sorted((low, high))
        self.limits = [None if n is None else Fraction(n, 10**self.decimals) for n in limits]
        kind = draw(st.sampled_from(("measurement", "total", "code")))
        self.text = "%s | %s%s | %s%s%s | %d | W | %s | power" % (
            self.key,
            "%d:" % self.function if self.function else "",
            draw(st.sampled_from(("%d", "0x%X"))) % self.register,
            self.name,
            "lo" if self.low_first else "",
            "*%d" % self.factor if self.factor > 1 else "",
            self.decimals,
            kind,
        )
        if limits != [None, None]:
            least, most = [self.decimal(n) for n in limits]
            self.text += " | %s..%s" % (least, most)
        self.function = self.function or function

    def decimal(self, number: int | None) -> str:
        """In the channel's unit."""
        if number is None:
            return ""
        sign = "-" if number < 0 else ""
        digits = str(abs(number)).rjust(self.decimals + 1, "0")
        at = len(digits) - self.decimals
        return sign + digits[:at] + ("." + digits[at:] if self.decimals else "")

    def value(self, words: list[int]) -> tuple[int | None, bool]:
        """(what pymodbus makes of it, in units of 10^-decimals, whether it is implausible)."""
        from pymodbus.client.mixin import ModbusClientMixin as Client

        if self.name == "flag":
            value = {0: 0, 0xFFFF: 1}.get(words[0])
            return value, value is None
        kind = Client.DATATYPE[TYPES[self.name]]
        order = "little" if self.low_first else "big"
        found = Client.convert_from_registers(words, kind, word_order=order)
        assert isinstance(found, (int, float))
        if not math.isfinite(found):
            return None, False
        exact = Fraction(found) * self.factor
        if isinstance(found, float):
            exact *= 10**self.decimals
        number = math.floor(abs(exact) + Fraction(1, 2)) * (-1 if exact < 0 else 1)
        least, most = self.limits
        shown = Fraction(number, 10**self.decimals)
        beyond = (
            (least is not None and shown < least)
            or (most is not None and shown > most)
            or abs(number) > 1 << 160
        )
        return (None, True) if beyond else (number, False)


def tables(draw):
    """(rows, hole, function, words by function and register)."""
    from hypothesis import strategies as st

    function = draw(st.sampled_from((3, 4)))
    rows = [Row(draw, number, function) for number in range(draw(st.integers(1, 8)))]
    dice = random.Random(draw(st.integers(0, 1 << 32)))
    memory = {}
    for row in rows:
        for register in range(row.register, row.register + row.words):
            word = dice.choice(WORDS) if dice.randrange(3) == 0 else dice.getrandbits(16)
            memory[row.function, register] = word
    return rows, draw(st.sampled_from((0, 2, 60))), function, memory


def read_tables(count: int) -> None:
    """So many tables: what codec and reader make of them is what pymodbus makes of them."""
    tiers.require("hypothesis", "host", "pip install hypothesis")
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st
    from pymodbus.pdu import register_message as messages

    _, server = pymodbus_parts()
    seen: dict = {}

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.composite(tables)())
    def one(made) -> None:
        rows, hole, function, memory = made

        def meter(request: bytes) -> bytes:
            _, asked = server.handleFrame(request, 0, 0)
            assert asked.dev_id == 9
            registers = [
                memory.get((request[1], register), 0x5A5A)
                for register in range(asked.address, asked.address + asked.count)
            ]
            answers = {
                3: messages.ReadHoldingRegistersResponse,
                4: messages.ReadInputRegistersResponse,
            }
            return server.buildFrame(answers[request[1]](registers=registers, dev_id=9))

        table = Table([row.text for row in rows], hole, function)
        payloads = []
        for block in table.blocks:
            request = rtu.read(9, *block)
            found = ours(request, meter(request))
            assert found is not None
            payloads.append(found[0])
        expected = []
        doubtful = 0
        for row in rows:
            words = [memory[row.function, row.register + n] for n in range(row.words)]
            value, implausible = row.value(words)
            expected.append(value)
            doubtful += implausible
            seen[row.name, implausible] = seen.get((row.name, implausible), 0) + 1
        told: list = []
        assert table.decode(payloads, told) == expected
        assert len(told) == doubtful

        stand = Stand()
        entry = {"registers": [row.text for row in rows], "hole": hole, "function": function}
        rest = {"meter": None, "which": 1, "address": 9, "uart": 1, "host": None}
        rest |= {"tx": None, "rx": None, "de": None}
        assert list(modbus.problems({**rest, **entry}, None)) == []
        reader = stand.add(modbus, address=9, **entry)
        stand.wire.meters[9] = lambda request: ((20, meter(request)),)
        stand.play(9000)
        readings = [list(reading.values()) for _, reading in stand.outputs[0].readings]
        nothing = doubtful and set(expected) == {None}
        assert readings == ([] if nothing else [expected])
        assert reader._rest_ms == 0

    one()
    assert {name for name, _ in seen} == {*TYPES, "flag"}
    assert sum(number for (_, implausible), number in seen.items() if implausible)
    print(f"{count} tables, {sum(seen.values())} rows")


def test_tables() -> None:
    read_tables(250)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_tables_long() -> None:
    read_tables(10000)
