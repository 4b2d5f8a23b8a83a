"""Cut P1 telegrams out of a byte stream, line by line, in a buffer of the caller's.

DSMR P1 Companion Standard 5.0.2, section 6.2 (framing and CRC), 2.2 and 3 (no CRC); the
telegram is "/" identification CR LF, lines, "!" CRC CR LF.

    framer = Framer(bytearray(1024), listener)
    framer.feed(data, 0, n)       # any number of bytes, cut anywhere

The listener is told, in this order:

    listener.begin(line)          # identification, without its '/'
    listener.line(line)           # each line that is not empty, as bytes without CR LF
    listener.end(crc)             # OK, ABSENT or BAD; only now is what came before to be believed

begin() may come again without an end(): then the telegram before was cut off. A line that
begins with '(' belongs to the line before (DSMR 2.2: the gas value) and is joined to it.

The buffer holds one line, not a telegram: 512 bytes serve a chip with little memory. A line
that is longer is left out (long_lines), and still counts for the CRC. What is longer than
`longest` bytes without an end is no telegram: overflow, and wait for the next '/'.
"""

from micropython import const

from .crc import update

OK = const(0)
ABSENT = const(1)
BAD = const(2)

_HUNT = const(0)  # waiting for '/'
_HEAD = const(1)  # in the identification line
_BODY = const(2)  # in the lines
_TAIL = const(3)  # behind '!': up to four hexadecimal digits

_LF = const(10)
_CR = const(13)
_EXCLAMATION = const(33)
_OPEN = const(40)
_SLASH = const(47)


class Framer:
    """The state of one byte stream; its counters only grow."""

    def __init__(self, buffer: bytearray, listener, longest: int = 8192) -> None:
        self.telegrams = 0  # complete ones, the CRC right or absent
        self.crc_errors = 0
        self.overflows = 0
        self.interrupted = 0  # telegrams that another one cut off
        self.long_lines = 0
        self.longest_telegram = 0  # bytes
        self._listener = listener
        self._longest = longest
        self._buffer = buffer
        self._view = memoryview(buffer)
        self._chunk = self._view
        self._digits = bytearray(4)
        self.reset()

    def reset(self) -> None:
        """Forget what was begun, and wait for the next '/'."""
        self._state = _HUNT
        self._fresh = True  # at the start of a line
        self._filled = 0  # bytes of the line in the buffer
        self._held = False  # the line in the buffer is whole; the next may continue it
        self._skipping = False  # the line does not fit
        self._crc = 0
        self._second_crc = -1  # from the last '/' inside the identification, or -1
        self._size = 0  # bytes of the telegram so far
        self._digit = 0  # digits of the CRC so far

    def feed(self, data: bytes | bytearray, start: int, end: int) -> None:
        """Take data[start:end]; the listener hears of everything that became complete."""
        self._chunk = memoryview(data)  # slices of it copy nothing
        while start < end:
            state = self._state
            if state == _HUNT:
                start = self._hunt(data, start, end)
            elif state == _TAIL:
                start = self._tail(data, start, end)
            else:
                start = self._take(data, start, end)

    busy = False  # no work is ever left over; a Decryptor, which may stand in front, has some

    def proceed(self) -> None:
        """Do a piece of the work that is left: none."""

    def seal(self, genuine: bool) -> None:
        """Pass on what the decryption in front says of the telegram that it delivered."""
        self.flush()
        self._listener.seal(genuine)

    def flush(self) -> None:
        """The line fell silent: a telegram that lacks no more than its last CR LF is complete."""
        if self._state == _TAIL:
            self._finish()

    def _hunt(self, data, start: int, end: int) -> int:
        slash = data.find(b"/", start, end)
        if slash < 0:
            return end
        self.reset()
        self._state = _HEAD
        return slash

    def _take(self, data, start: int, end: int) -> int:
        """Take bytes up to the end of the line, or of data."""
        if self._fresh and self._state == _BODY:
            first = data[start]
            if first == _EXCLAMATION:
                return self._exclamation(data, start)
            if first != _OPEN or not self._held:
                self._emit()
            self._held = False
        newline = data.find(b"\n", start, end)
        stop = end if newline < 0 else newline + 1
        if self._state == _BODY:
            slash = data.find(b"/", start, stop)
            if slash >= 0:  # only the identification line may hold one: a telegram begins here
                self.interrupted += 1
                return self._hunt(data, slash, end)
        else:
            if self._size and data[start] == _SLASH:
                if self._skipping or self._noisy(self._filled):
                    return self._hunt(data, start, end)
                self._second_crc = 0  # identification or the next telegram: the CRC will tell
            slash = data.find(b"/", start + 1, stop)
            if slash >= 0:
                stop = slash
                newline = -1
        self._count(data, start, stop)
        if self._size > self._longest:
            self.overflows += 1
            self.reset()
            return stop
        self._keep(data, start, stop)
        self._fresh = newline >= 0
        if self._fresh:
            self._end_of_line()
        return stop

    def _count(self, data, start: int, stop: int) -> None:
        """Let these bytes count for the CRC and the size."""
        self._crc = update(self._crc, data, start, stop)
        if self._second_crc >= 0:
            self._second_crc = update(self._second_crc, data, start, stop)
        self._size += stop - start

    def _keep(self, data, start: int, stop: int) -> None:
        size = stop - start
        if self._skipping or self._filled + size > len(self._buffer):
            self._skipping = True
            return
        self._view[self._filled : self._filled + size] = self._chunk[start:stop]
        self._filled += size

    def _end_of_line(self) -> None:
        if self._skipping:
            self.long_lines += 1
            self._skipping = False
            self._filled = 0
            if self._state == _HEAD:  # no identification is that long
                self.reset()
            return
        buffer = self._buffer
        filled = self._filled
        while filled and (buffer[filled - 1] == _LF or buffer[filled - 1] == _CR):
            filled -= 1
        self._filled = filled
        if self._state == _HEAD:
            self._begin(filled)
            return
        self._held = filled > 0

    def _begin(self, filled: int) -> None:
        """The identification line is complete: a telegram begins, or it was noise."""
        if self._noisy(filled):
            self.reset()
            return
        self._listener.begin(bytes(self._view[1:filled]))
        self._filled = 0
        self._state = _BODY

    def _noisy(self, filled: int) -> bool:
        """True for what no identification has: a wrong key, or a wrong baud rate."""
        return any(self._buffer[index] > 126 for index in range(filled))

    def _emit(self) -> None:
        """Hand over the line that no other continued."""
        if self._held:
            self._listener.line(bytes(self._view[: self._filled]))
            self._held = False
        self._filled = 0

    def _exclamation(self, data, at: int) -> int:
        self._emit()
        self._count(data, at, at + 1)
        self._state = _TAIL
        return at + 1

    def _tail(self, data, start: int, end: int) -> int:
        while start < end:
            byte = data[start]
            if byte == _CR or byte == _LF or byte == _SLASH:
                self._finish()
                return start
            self._digits[self._digit] = byte
            self._digit += 1
            start += 1
            if self._digit == 4:
                self._finish()
                return start
        return start

    def _finish(self) -> None:
        digits = bytes(self._digits[: self._digit])
        verdict = ABSENT
        if digits:
            crc = _hexadecimal(digits)
            verdict = OK if crc == self._crc or crc == self._second_crc >= 0 else BAD
        if self._size > self.longest_telegram:
            self.longest_telegram = self._size
        self.reset()
        if verdict == BAD:
            self.crc_errors += 1
        else:
            self.telegrams += 1
        self._listener.end(verdict)


def _hexadecimal(digits: bytes) -> int:
    """The number that hexadecimal digits of either case stand for, or -1."""
    value = 0
    for byte in digits:
        at = b"0123456789ABCDEFabcdef".find(bytes((byte,)))
        if at < 0:
            return -1
        value = value << 4 | (at if at < 16 else at - 6)
    return value
