"""Modbus RTU frames for a master: make a request, find its answer in a stream of bytes.

Modbus over Serial Line 1.02 and Modbus Application Protocol 1.1b3; function 0x42 is that of
Peacefair's PZEM meters (reset the energy counter, a request of four bytes).

    request = read(1, 4, 0, 10)            # 01 04 00 00 00 0a 70 0d
    answer = Answer()
    answer.begin(request)
    answer.take(data, 0, len(data))        # True as soon as the answer is complete
    answer.exception                       # 0, or the meter's refusal: see REFUSALS
    answer.payload                         # bytes of the registers, two each, high byte first;
                                           # behind a write the register and its value

The length of an answer is known from its request. What has not the request's address, its
function, that number of bytes and a right CRC is no answer: noise, an echo, half a frame, the late
answer of another meter. All of it is passed over, whatever stands before and behind it.
"""

from crc16 import MODBUS, update
from micropython import const

READ_HOLDING = const(3)
READ_INPUT = const(4)
WRITE = const(6)
RESET_ENERGY = const(0x42)

REFUSALS = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "it needs longer",
    6: "it is busy",
    10: "the gateway has no way to it",
    11: "the gateway gets no answer from it",
}

_REFUSED = const(0x80)  # added to the function
_EXCEPTION_BYTES = const(5)
_LONGEST = const(255)  # an answer of 125 registers
_KEEP = const(320)  # bytes: the longest answer with some noise before it


def _closed(frame: bytearray) -> bytes:
    crc = update(MODBUS, frame, 0, len(frame))
    frame.append(crc & 0xFF)
    frame.append(crc >> 8)
    return bytes(frame)


def read(address: int, function: int, register: int, count: int) -> bytes:
    """The request for some registers; ValueError where Modbus cannot do that."""
    if function not in (READ_HOLDING, READ_INPUT):
        raise ValueError("function %d does not read registers; allowed: 3, 4" % function)
    if not 1 <= count <= 125 or not 0 <= register <= 0x10000 - count:
        raise ValueError("%d registers from %d on; allowed: 1 to 125" % (count, register))
    return _request(address, function, register, count)


def write(address: int, register: int, value: int) -> bytes:
    """The request to write one holding register."""
    if not 0 <= register <= 0xFFFF or not 0 <= value <= 0xFFFF:
        raise ValueError("register %d, value %d; allowed: 0 to 65535" % (register, value))
    return _request(address, WRITE, register, value)


def reset_energy(address: int) -> bytes:
    """The request to set a PZEM's energy counter to 0."""
    return _closed(bytearray((_checked(address), RESET_ENERGY)))


def _request(address: int, function: int, first: int, second: int) -> bytes:
    return _closed(
        bytearray(
            (_checked(address), function, first >> 8, first & 255, second >> 8, second & 255)
        )
    )


def _checked(address: int) -> int:
    if not 1 <= address <= 255:  # 0 is for all, and nobody answers
        raise ValueError("address %d; allowed: 1 to 247, or 248 for a PZEM alone" % address)
    return address


def answer_length(request: bytes) -> int:
    """How many bytes the answer to a request has, when it is no exception."""
    if request[1] in (READ_HOLDING, READ_INPUT):
        return 5 + 2 * (request[4] << 8 | request[5])
    return len(request)  # the others send the request back


class Answer:
    """Looks for the answer to one request at a time; its counters only grow."""

    def __init__(self) -> None:
        self.frames = 0  # answers, exceptions among them
        self.exceptions = 0
        self.garbage = 0  # bytes that belonged to no answer
        self.payload = b""
        self.exception = 0
        self.heard = 0  # bytes since begin()
        self.broken = False  # as tcp's: it finds an answer behind anything
        self._buffer = bytearray(_KEEP)
        self._request = b""
        self._length = 0
        self._filled = 0
        self._at = 0  # no answer begins before it

    def begin(self, request: bytes) -> None:
        """Wait for the answer to this request, and forget what came before."""
        self.garbage += self._filled
        self.payload = b""
        self.exception = 0
        self.heard = 0
        self._request = request
        self._length = answer_length(request)
        self._filled = 0
        self._at = 0

    def restart(self) -> None:
        """As tcp's: a new connection, or none at all, is the same to it."""

    def take(self, data, start: int, end: int) -> bool:
        """Take data[start:end]; True once the answer is there (what is behind it is left out)."""
        if not self._request:
            self.garbage += end - start
            return False
        buffer = self._buffer
        while start < end:
            if self._filled == _KEEP:
                self._forget()
            size = min(end - start, _KEEP - self._filled)
            buffer[self._filled : self._filled + size] = data[start : start + size]
            self._filled += size
            self.heard += size
            start += size
            if self._find():
                self.garbage += end - start
                return True
        return False

    def _forget(self) -> None:
        """Make room: what lies before the last possible answer goes."""
        drop = max(self._at, _KEEP - _LONGEST + 1)
        self.garbage += drop
        self._buffer[: self._filled - drop] = self._buffer[drop : self._filled]
        self._filled -= drop
        self._at = 0

    def _find(self) -> bool:
        at = self._at
        settled = True  # nothing begins before `at`
        while at + 1 < self._filled:
            size = self._size_at(at)
            if size and at + size > self._filled:
                settled = False  # not all here yet; meanwhile look behind it as well
            elif size and not update(MODBUS, self._buffer, at, at + size):
                self._found(at, size)
                return True
            at += 1
            if settled:
                self._at = at
        return False

    def _size_at(self, at: int) -> int:
        """How long the answer is that may begin here, 0 for none."""
        buffer = self._buffer
        request = self._request
        if buffer[at] != request[0]:
            return 0
        function = buffer[at + 1]
        if function == request[1] | _REFUSED:
            return _EXCEPTION_BYTES
        if function != request[1]:
            return 0
        if function not in (READ_HOLDING, READ_INPUT):
            ready = min(self._filled - at, len(request))
            return self._length if buffer[at : at + ready] == request[:ready] else 0
        if at + 2 < self._filled and buffer[at + 2] != self._length - 5:
            return 0
        return self._length

    def _found(self, at: int, size: int) -> None:
        self.frames += 1
        self.garbage += self._filled - size
        self._filled = 0
        self._request = b""
        if self._buffer[at + 1] & _REFUSED:
            self.exceptions += 1
            self.exception = self._buffer[at + 2]
        else:
            start = at + (3 if self._buffer[at + 1] in (READ_HOLDING, READ_INPUT) else 2)
            self.payload = bytes(self._buffer[start : at + size - 2])
