"""lib/modbus and pymodbus, which others wrote, agree on every frame; it reads pymodbus's server.

MODBUS_FRAMES sets how many random frames are compared (default 100,000).
"""

import os
import random

from modbus import rtu

from tests import tiers

HOW = "pip install pymodbus"


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
        crc = rtu.crc16(spoilt, 0, len(spoilt) - 2)
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


def test_100000_random_frames() -> None:
    """Must show 3."""
    client, server = pymodbus_parts()
    dice = random.Random(20261120)
    total = int(os.environ.get("MODBUS_FRAMES", "100000"))
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
