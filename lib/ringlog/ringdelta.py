"""A reading as what has changed since the reading before of the same source.

    track = Track(source, base)        # base: the values that the source's schema page holds
    track.begin(stamp)                 # at the beginning of each page
    write(packer, slot, track, stamp, values)
    slot = read_slot(unpacker, head)   # the same on the way back: the first nibble is the head
    read(unpacker, head, track)        # then track.stamp and track.values are those of the reading

Format, in nibbles: a head with the slot (0 to 2; 3: a number with the others follows), 4 where the
changed channels are the same as in the reading before, 8 where the time is not as expected; the
slot less 3; the error of the expected time; which channels have joined or left the changed ones,
four per nibble (with more than 16 channels a nibble in front of each 16 tells which of their
nibbles follow); and per changed channel the signed change as a number. That is never 0: a 0 says
that another nibble follows: 0 None, 1 a text, 2 the integer 0 where there was none before.
"""

from micropython import const

from .nibbles import PageError

_MOST_CHANNELS = const(255)
_SAME = const(4)  # bits of the head
_TIME = const(8)
_FURTHER = const(3)  # slots from here on have a number of their own
_WIDE = const(4)  # nibbles of channels: more have a map in front

_NONE = const(0)
_TEXT = const(1)
_ZERO = const(2)

_changed = bytearray((_MOST_CHANNELS + 3) // 4)  # of the reading that is being written


class Track:
    """What was last written, or read, of one source in a page."""

    def __init__(self, source, base: tuple) -> None:
        self.source = source
        self.base = base
        self.schema = b""  # payload of the schema page that the segment lacks
        self.values: list | tuple = base  # a tuple where they are written, a list where read
        self.groups = bytearray((len(base) + 3) // 4)  # the channels that changed, four each
        self.stamp = 0
        self._interval = 0
        self._step = 0
        self._seen = 0

    def begin(self, stamp: int) -> None:
        """A new page, that begins with this time stamp."""
        self.values = self.base
        self.stamp = stamp
        self._interval = 0
        self._step = 0
        self._seen = 0
        for index in range(len(self.groups)):
            self.groups[index] = 0

    def expected(self) -> int:
        """The time stamp that the next reading has if nothing is late."""
        return self.stamp + self._interval

    def take(self, stamp: int) -> None:
        """The time stamp that it has. One late reading does not change the interval, two do."""
        step = stamp - self.stamp
        if self._seen == 1 or (self._seen and step == self._step):
            self._interval = step
        if self._seen < 2:
            self._seen += 1
        self._step = step
        self.stamp = stamp


def write(packer, slot: int, track: Track, stamp: int, values: tuple) -> None:
    """Write a reading; PageError where there is no room; the track is then as it was."""
    error = stamp - track.expected()
    groups = track.groups
    count = len(groups)
    same = _find_changes(values, track.values, groups)
    head = slot if slot < _FURTHER else _FURTHER
    packer.nibble(head | (_SAME if same else 0) | (_TIME if error else 0))
    if slot >= _FURTHER:
        packer.number(slot - _FURTHER)
    if error:
        packer.signed(error)
    if not same:
        _write_map(packer, groups)
    write_values(packer, values, track.values, _changed)
    track.take(stamp)  # the last that may find no memory
    for index in range(count):
        groups[index] = _changed[index]
    track.values = values


def _find_changes(values, before, groups) -> bool:
    """Fill _changed; whether it is the same as groups."""
    same = True
    index = 0
    end = len(values)
    for at in range(len(groups)):
        bits = 0
        bit = 1
        while bit < 16 and index < end:
            value = values[index]
            old = before[index]
            if value is not old and value != old:
                bits |= bit
            bit <<= 1
            index += 1
        _changed[at] = bits
        if bits != groups[at]:
            same = False
    return same


def _write_map(packer, groups) -> None:
    count = len(groups)
    for start in range(0, count, 4):
        end = min(start + 4, count)
        if count > _WIDE:
            bits = 0
            for at in range(start, end):
                if _changed[at] != groups[at]:
                    bits |= 1 << (at - start)
            packer.nibble(bits)
        for at in range(start, end):
            if count <= _WIDE or _changed[at] != groups[at]:
                packer.nibble(_changed[at] ^ groups[at])


def write_values(packer, values, before, groups) -> None:
    """Write the values whose bit is set in the groups, as changes of the values before."""
    index = 0
    for at in range((len(values) + 3) // 4):
        bits = groups[at]
        index = at * 4
        while bits:
            if bits & 1:
                value = values[index]
                old = before[index]
                if value is None:
                    packer.nibble(0)
                    packer.nibble(_NONE)
                elif isinstance(value, str):
                    packer.nibble(0)
                    packer.nibble(_TEXT)
                    packer.text(value)
                else:
                    change = value - old if isinstance(old, int) else value
                    if change:
                        packer.signed(change)
                    else:
                        packer.nibble(0)
                        packer.nibble(_ZERO)
            index += 1
            bits >>= 1


def read_slot(unpacker, head: int) -> int:
    """The slot of the reading that begins with this nibble."""
    slot = head & _FURTHER
    return slot + unpacker.number() if slot == _FURTHER else slot


def read(unpacker, head: int, track: Track) -> None:
    """Read the rest of a reading into the track; PageError where it cannot be."""
    error = unpacker.signed() if head & _TIME else 0
    if not head & _SAME:
        _read_map(unpacker, track.groups)
    values = track.values
    if not isinstance(values, list):
        values = list(values)
        track.values = values
    read_values(unpacker, values, track.groups)
    track.take(track.expected() + error)


def _read_map(unpacker, groups) -> None:
    count = len(groups)
    for start in range(0, count, 4):
        bits = unpacker.nibble() if count > _WIDE else 15
        for at in range(start, min(start + 4, count)):
            if bits & 1:
                groups[at] ^= unpacker.nibble()
            bits >>= 1


def read_values(unpacker, values: list, groups) -> None:
    """Change the values whose bit is set in the groups."""
    end = len(values)
    for at in range(len(groups)):
        bits = groups[at]
        index = at * 4
        while bits:
            if bits & 1:
                if index >= end:
                    raise PageError
                change = unpacker.number()
                if change:
                    change = -(change >> 1) - 1 if change & 1 else change >> 1
                    old = values[index]
                    values[index] = old + change if isinstance(old, int) else change
                else:
                    values[index] = _read_other(unpacker)
            index += 1
            bits >>= 1


def _read_other(unpacker):
    kind = unpacker.nibble()
    if kind == _NONE:
        return None
    if kind == _TEXT:
        return unpacker.text()
    if kind == _ZERO:
        return 0
    raise PageError
