"""Modbus TCP frames for a client: make a request, find its answer in what the connection brings.

Modbus Messaging on TCP/IP Implementation Guide 1.0b, section 3.1.3: a header of transaction,
protocol (0), length and unit, and behind it function and data as on a line, without a CRC.

    request = read(1, 4, 0, 10)            # 01 04 00 00 00 0a
    answer = Answer()
    frame = answer.begin(request)          # 00 01 00 00 00 06 01 04 00 00 00 0a
    answer.take(data, 0, len(data))        # True as soon as the answer is complete
    answer.exception, answer.payload       # as in rtu
    answer.broken                          # what comes is no Modbus TCP: close the connection

Every request has a transaction of its own, so that the late answer to another one is passed over.
Nothing tells where a frame begins but the end of the one before: what is none, or answers the
right transaction for another unit, function or count, is where the reading of a connection ends.
"""

from micropython import const

from . import rtu

_HEADER = const(6)  # bytes before those that the length counts
_LONGEST = const(254)  # of these
_REFUSED = const(0x80)  # added to the function


def read(unit: int, function: int, register: int, count: int) -> bytes:
    """The request for some registers; ValueError where Modbus cannot do that."""
    if not 0 <= unit <= 255:
        raise ValueError("address %d; allowed: 0 to 255" % unit)
    return bytes((unit,)) + rtu.read(1, function, register, count)[1:-2]


class Answer:
    """Looks for the answer to one request at a time; its counters only grow."""

    def __init__(self) -> None:
        self.frames = 0  # answers, exceptions among them
        self.exceptions = 0
        self.garbage = 0  # bytes that belonged to no answer
        self.payload = b""
        self.exception = 0
        self.heard = 0  # bytes since begin()
        self.broken = False
        self._buffer = bytearray(_HEADER + _LONGEST)
        self._filled = 0
        self._request = b""
        self._transaction = 0

    def begin(self, request: bytes) -> bytes:
        """What to send for this request; what came before is forgotten but a frame's beginning."""
        self._transaction = self._transaction + 1 & 0xFFFF
        self._request = request
        self.payload = b""
        self.exception = 0
        self.heard = 0
        number, size = self._transaction, len(request)
        return bytes((number >> 8, number & 255, 0, 0, size >> 8, size & 255)) + request

    def restart(self) -> None:
        """A new connection: nothing of the old one matters."""
        self.garbage += self._filled
        self._filled = 0
        self.broken = False

    def take(self, data, start: int, end: int) -> bool:
        """Take data[start:end]; True once the answer is there (what is behind it is left out)."""
        buffer = self._buffer
        self.heard += end - start
        while start < end and not self.broken:
            wanted = self._size()
            size = min(end - start, wanted - self._filled)
            buffer[self._filled : self._filled + size] = data[start : start + size]
            self._filled += size
            start += size
            if self._filled == _HEADER and not self._is_header():
                self.broken = True
            elif self._filled > _HEADER and self._filled == self._size():
                if self._found():
                    self.garbage += end - start
                    return True
                self.garbage += self._filled
                self._filled = 0
        self.garbage += end - start
        return False

    def _size(self) -> int:
        """How many bytes to wait for: those of the header, then those of the frame."""
        if self._filled < _HEADER:
            return _HEADER
        return _HEADER + (self._buffer[4] << 8 | self._buffer[5])

    def _is_header(self) -> bool:
        buffer = self._buffer
        length = buffer[4] << 8 | buffer[5]
        return not (buffer[2] or buffer[3]) and 3 <= length <= _LONGEST

    def _found(self) -> bool:
        """Whether this frame is the answer."""
        buffer = self._buffer
        request = self._request
        if buffer[0] << 8 | buffer[1] != self._transaction or not request:
            return False  # a late one
        size = self._filled
        function = buffer[_HEADER + 1]
        refused = function == request[1] | _REFUSED and size == _HEADER + 3
        payload = buffer[_HEADER + 3 : size]
        count = 2 * (request[4] << 8 | request[5])
        right = function == request[1] and len(payload) == buffer[_HEADER + 2] == count
        if buffer[_HEADER] != request[0] or not (refused or right):
            self.broken = True
            return False
        self._request = b""
        self._filled = 0
        self.frames += 1
        if refused:
            self.exceptions += 1
            self.exception = buffer[_HEADER + 2]
        else:
            self.payload = bytes(payload)
        return True
