"""Numbers and texts in steps of four bits.

    packer = Packer(bytearray(64), 10, 60)     # from byte 10 on, up to byte 60
    packer.number(300)
    packer.signed(-1)
    unpacker = Unpacker(packer.data, 10, packer.end_byte())
    unpacker.number(), unpacker.signed()       # (300, -1)

A number is a chain of nibbles with three bits each, the lowest first; 8 is added to each but the
last. In a byte the low nibble comes first. Most changes of a meter's values take one or two.
"""

from micropython import const

_MOST_BITS = const(256)  # of a number: what no meter sends, and what takes long to put together


class PageError(Exception):
    """The room of a Packer ends, or an Unpacker has met bytes that no log has written."""


class Packer:
    """Writes nibbles into a bytearray; pos counts nibbles from its beginning."""

    def __init__(self, data: bytearray, start: int, end: int) -> None:
        self.data = data
        self.pos = start * 2
        self._end = end * 2

    def end_byte(self) -> int:
        """The first byte that nothing was written to."""
        return (self.pos + 1) >> 1

    def nibble(self, value: int) -> None:
        """Write four bits; PageError where there is no room."""
        pos = self.pos
        if pos >= self._end:
            raise PageError
        if pos & 1:
            self.data[pos >> 1] = self.data[pos >> 1] & 15 | value << 4
        else:
            self.data[pos >> 1] = value
        self.pos = pos + 1

    def number(self, value: int) -> None:
        """Write an integer that is not negative; ValueError beyond 256 bits."""
        left = _MOST_BITS
        while value > 7:
            self.nibble(value & 7 | 8)
            value >>= 3
            left -= 3
            if left < 0:
                raise ValueError("an integer of more than 256 bits")
        self.nibble(value)

    def signed(self, value: int) -> None:
        """Write any integer: 0, -1, 1, -2 … become 0, 1, 2, 3 …"""
        self.number(value * 2 if value >= 0 else -value * 2 - 1)

    def text(self, value: str) -> None:
        """Write a text: the length of its UTF-8, and that."""
        data = value.encode()
        self.number(len(data))
        pos = self.pos
        end = pos + 2 * len(data)
        if end > self._end:
            raise PageError
        target = self.data
        at = pos >> 1
        if pos & 1:
            for byte in data:
                target[at] = target[at] & 15 | (byte & 15) << 4
                at += 1
                target[at] = byte >> 4
        else:
            target[at : at + len(data)] = data
        self.pos = end


class Unpacker:
    """Reads what a Packer wrote; PageError where it cannot be."""

    def __init__(self, data, start: int, end: int) -> None:
        self.data = data
        self.pos = start * 2
        self._end = end * 2

    def nibble(self) -> int:
        """Read four bits."""
        pos = self.pos
        if pos >= self._end:
            raise PageError
        self.pos = pos + 1
        byte = self.data[pos >> 1]
        return byte >> 4 if pos & 1 else byte & 15

    def number(self) -> int:
        """Read an integer that is not negative."""
        data = self.data
        pos = self.pos
        end = self._end
        value = 0
        shift = 0
        while True:
            if pos >= end or shift > _MOST_BITS:
                raise PageError
            bits = data[pos >> 1]
            bits = bits >> 4 if pos & 1 else bits & 15
            pos += 1
            if bits < 8:
                self.pos = pos
                return value | bits << shift
            value |= (bits & 7) << shift
            shift += 3

    def signed(self) -> int:
        """Read any integer."""
        value = self.number()
        return -(value >> 1) - 1 if value & 1 else value >> 1

    def text(self) -> str:
        """Read a text."""
        size = self.number()
        if size * 2 > self._end - self.pos:
            raise PageError
        data = bytearray(size)
        for index in range(size):
            low = self.nibble()
            data[index] = self.nibble() << 4 | low
        try:
            return str(data, "utf-8")
        except ValueError:
            raise PageError
