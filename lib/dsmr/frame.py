"""Cut P1 telegrams out of a byte stream, line by line, in a buffer of the caller's.

DSMR P1 Companion Standard 5.0.2, section 6.2 (framing and CRC), 2.2 and 3 (no CRC); the
telegram is "/" identification CR LF, an empty line, lines, "!" CRC CR LF.

    framer = Framer(bytearray(1024), listener)
    framer.feed(data, 0, n)       # any number of bytes, cut anywhere

The listener is told, in this order:

    listener.begin(line)          # identification, without its '/'
    listener.line(line)           # each line that is not empty, as bytes without CR LF
    listener.end(crc)             # OK, ABSENT or BAD; only now is what came before to be believed

begin() may come again without an end(): then the telegram before was cut off. A line that
begins with '(' belongs to the line before (DSMR 2.2: the gas value) and is joined to it.

'/' and '!' count at the beginning of a line; elsewhere they are text, and also there where a
bracket is open. A '/' behind garbage, or behind a line that was cut off, is told by what follows:
letters, no brackets, an empty line. Where doubt is left the CRC decides: without one such a
telegram is none.

The buffer holds one line, not a telegram: 512 bytes serve a chip with little memory. A line
that is longer is left out (long_lines), and still counts for the CRC. What is longer than
`longest` bytes without an end is no telegram: overflow, and wait for the next '/'.
"""

from crc16 import ARC, update
from micropython import const

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
_CLOSE = const(41)
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
        self.wrong_crc = -1  # the last one
        self.wrong_alike = 0  # wrong ones like the one before that no line makes: a constant
        self._computed = -1  # what the last wrong one should have been
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
        self._doubt = False  # whether this '/' begins a telegram only the CRC can tell
        self._filled = 0  # bytes of the line in the buffer
        self._raw = 0  # the same, with the line's end
        self._held = False  # the line in the buffer is whole; the next may continue it
        self._skipping = False  # the line does not fit
        self._open = False  # a bracket is, at the end of the line before
        self._crc = ARC
        self._second_crc = -1  # from another '/' inside the identification, or -1
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
                start = self._tail(data, start)
            else:
                start = self._take(data, start, end)

    def flush(self) -> None:
        """The line fell silent: a telegram that lacks no more than its last CR LF is complete."""
        if self._state == _TAIL and (self._digit or not self._open):
            self._finish()

    def _hunt(self, data, start: int, end: int) -> int:
        slash = data.find(b"/", start, end)
        last = (end if slash < 0 else slash) - 1
        fresh = self._fresh if last < start else data[last] == _LF
        self.reset()
        self._fresh = fresh
        if slash < 0:
            return end
        self._doubt = not fresh
        self._state = _HEAD
        return slash

    def _take(self, data, start: int, end: int) -> int:
        """Take bytes up to the end of the line, or of data."""
        if self._fresh and self._state == _BODY:
            first = data[start]
            if first != _OPEN or not self._held:
                self._emit(first == _CR or first == _LF)
            self._held = False
            if self._state == _HUNT:
                return start
            if first == _EXCLAMATION:
                self._count(data, start, start + 1)
                self._digit = 0
                self._state = _TAIL
                return start + 1
        newline = data.find(b"\n", start, end)
        stop = end if newline < 0 else newline + 1
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
        """Add to the line in the buffer; of one that does not fit keep what a '/' begins."""
        buffer = self._buffer
        while self._filled + stop - start > len(buffer):
            self._skipping = True
            filled = self._filled
            if not filled:
                start = data.find(b"/", start + 1, stop)
                if start < 0:
                    return
                continue
            slash = buffer.find(b"/", 1, filled)
            self._filled = 0
            if slash > 0:
                self._filled = filled - slash
                self._view[: self._filled] = self._view[slash:filled]
        if self._skipping and not self._filled:
            start = data.find(b"/", start, stop)
            if start < 0:
                return
        size = stop - start
        self._view[self._filled : self._filled + size] = self._chunk[start:stop]
        self._filled += size

    def _end_of_line(self) -> None:
        buffer = self._buffer
        self._raw = filled = self._filled
        while filled and (buffer[filled - 1] == _LF or buffer[filled - 1] == _CR):
            filled -= 1
        self._filled = filled
        if self._skipping:
            self.long_lines += 1
            self._doubt = self._doubt or self._state == _HEAD
        if self._state == _BODY:
            self._held = filled > 0
        elif filled:
            self._begin(0)
        else:  # no identification is that long
            self.reset()

    def _begin(self, start: int) -> None:
        """The buffer holds an identification from here on: a telegram begins, or it was noise.

        Of several '/' the last with a maker's name behind it counts: what was before was cut off.
        """
        buffer = self._buffer
        filled = self._filled
        at = last = slash = start
        sure = False
        while slash >= 0:
            last = slash
            if self._named(slash) and 48 <= buffer[slash + 4] <= 57:
                at = slash
                sure = True
            slash = buffer.find(b"/", slash + 1, filled)
        if last > at and self._noisy(at, last):
            at = last
            sure = False
        text = buffer[filled - 1] == _CLOSE and buffer.find(b"(", at, filled) < 0
        if text or self._noisy(at, filled):  # the rest of a line of text, or noise
            self.reset()
            return
        raw = self._raw
        self._doubt = not sure and (self._doubt or at > start)
        # The CRC tells which of two it was.
        one = at if last > at else start
        other = last if last > at else at
        self._crc = update(ARC, buffer, one, raw)
        self._second_crc = update(ARC, buffer, other, raw) if other > one else -1
        self._size = raw - one
        self._listener.begin(bytes(self._view[at + 1 : filled]))
        self._filled = 0
        self._skipping = self._open = False
        self._state = _BODY

    def _named(self, at: int) -> bool:
        """Whether three letters follow a '/', as in every identification, and one more byte."""
        return at + 4 < self._filled and bytes(self._view[at + 1 : at + 4]).isalpha()

    def _noisy(self, start: int, end: int) -> bool:
        """True for what no identification has: a wrong key, or a wrong baud rate."""
        for index in range(start, end):  # noqa: SIM110 - a generator is one function more
            if self._buffer[index] > 126:
                return True
        return False

    def _emit(self, empty: bool) -> None:
        """Hand over the line that no other continued; empty: so is the next one."""
        if self._held:
            slash = self._restart(empty)
            if slash >= 0:
                self.interrupted += 0 if self._doubt else 1
                self._doubt = slash > 0
                self._begin(slash)
                return
            if not self._skipping:
                filled = self._filled
                self._listener.line(bytes(self._view[:filled]))
                opened = self._buffer.rfind(b"(", 0, filled)
                closed = self._buffer.rfind(b")", 0, filled)
                if opened != closed:
                    self._open = opened > closed
        self._filled = 0
        self._skipping = False

    def _restart(self, empty: bool) -> int:
        """Where in the held line another telegram begins, or -1."""
        buffer = self._buffer
        filled = self._filled
        slash = buffer.find(b"/", 0, filled)
        while slash >= 0:
            first = slash == 0 and not self._skipping and not self._open
            opened = buffer.find(b"(", slash, filled)
            closed = buffer.find(b")", slash, filled)
            # No brackets; before an empty line also whole ones, as no end of a text has.
            fits = first or empty if opened == closed else empty and 0 < opened < closed
            if (first and empty) or (fits and self._named(slash)):
                return slash
            slash = buffer.find(b"/", slash + 1, filled)
        return -1

    def _tail(self, data, at: int) -> int:
        """Take one byte behind '!'."""
        byte = data[at]
        count = self._digit
        stops = byte == _CR or byte == _LF or byte == _SLASH
        if count < 4 and not stops:
            self._digits[count] = byte
            self._digit += 1
            if self._digit == 4 and self._verdict() == OK:
                self._finish()
            return at + 1
        digits = self._digits
        if stops and (not self._open or self._verdict() == OK):
            self._finish()
            return at
        # A line of text that begins with '!'.
        self._count(digits, 0, count)
        self._view[0] = _EXCLAMATION
        self._view[1 : count + 1] = memoryview(digits)[:count]
        self._filled = count + 1
        self._fresh = False
        self._state = _BODY
        return at

    def _verdict(self) -> int:
        if not self._digit:
            return ABSENT
        crc = _hexadecimal(bytes(self._digits[: self._digit]))
        return OK if crc == self._crc or crc == self._second_crc >= 0 else BAD

    def _finish(self) -> None:
        verdict = self._verdict()
        doubt = self._doubt
        if verdict == BAD:
            sent = _hexadecimal(bytes(self._digits[: self._digit]))
            alike = sent == self.wrong_crc and (self._crc != self._computed or sent in (0, 0xFFFF))
            self.wrong_alike = self.wrong_alike + 1 if alike else 0
            self.wrong_crc = sent
            self._computed = self._crc
        if self._size > self.longest_telegram:
            self.longest_telegram = self._size
        self.reset()
        if verdict == OK or not doubt:
            if verdict == BAD:
                self.crc_errors += 1
            else:
                self.telegrams += 1
            self._listener.end(verdict)


def _hexadecimal(digits: bytes) -> int:
    """The number that hexadecimal digits of either case stand for, or -1."""
    try:
        return int(digits, 16)
    except ValueError:
        return -1
