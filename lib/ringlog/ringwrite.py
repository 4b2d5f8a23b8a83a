"""The page in RAM, and the sources of the segment that it is for.

    page = PageInRam(1024)
    page.begin(serial, boot, stamp)
    page.put(stamp, source, values)        # False: there is no room for it
    page.data, page.end(), page.tracks     # what has to be written
    page.clear()

The CRC goes along with each reading: over a whole page it takes long where it is bytecode. It is
one reading behind: where memory runs out in put(), the page is as it was.
"""

import crc32

from .nibbles import Packer, PageError
from .ringdelta import Track, write
from .ringpage import HEAD, MOST, SERIAL, SLOTS, TAIL, base_of, close, schema_payload


class PageInRam:
    """Readings with consecutive serial numbers, and the schemas that the segment lacks."""

    def __init__(self, size: int) -> None:
        self.data = bytearray(size)
        self.count = 0
        self.first = 0  # serial number
        self.boot = 0
        self.tracks: dict = {}  # by slot
        self._ordinary = self.data
        self._packer = Packer(self.data, 0, 0)
        self._stamp = 0
        self._crc = crc32.START
        self._crc_end = 0

    def is_large(self) -> bool:
        """Whether it was made for one large reading."""
        return self.data is not self._ordinary

    def begin(self, serial: int, boot: int, stamp: int) -> None:
        """An empty page."""
        self.count = 0
        self.first = serial
        self.boot = boot
        self._stamp = stamp
        for index in range(SERIAL):
            self.data[HEAD + index] = serial >> 8 * index & 255
        self._packer = Packer(self.data, HEAD + SERIAL, len(self.data) - TAIL)
        self._packer.number(boot)
        self._packer.signed(stamp)
        self._crc = crc32.START
        self._crc_end = HEAD
        for slot in self.tracks:
            self.tracks[slot].begin(stamp)

    def grow(self) -> bool:
        """Take twice the room for the next page; False where that would be too large."""
        if len(self.data) >= MOST:
            self.clear()
            return False
        self.data = bytearray(min(2 * len(self.data), MOST))
        return True

    def clear(self) -> None:
        """The page was written, or is given up."""
        self.count = 0
        self.data = self._ordinary

    def put(self, stamp: int, source, values: tuple) -> bool:
        """Write a reading into the page; False where it has no room, ValueError if it is none."""
        packer = self._packer
        start = packer.pos
        end = start >> 1  # what will not change any more
        self._crc = crc32.update(self._crc, memoryview(self.data)[self._crc_end : end])
        self._crc_end = end
        slot = self._slot_of(source)
        is_new = slot < 0
        if is_new:
            slot = self._add(source, values)
        try:
            write(packer, slot, self.tracks[slot], stamp, values)
        except Exception as error:  # a MemoryError, too, must leave the page as it was
            packer.pos = start
            if is_new:
                del self.tracks[slot]
            if isinstance(error, PageError):
                return False
            raise
        self.count += 1
        return True

    def end(self) -> int:
        """Bytes of the page so far, with header and CRC."""
        return self._packer.end_byte() + TAIL

    def close(self, name: str) -> None:
        """Write the CRC behind it; the header is there."""
        end = self.end() - TAIL
        tail = memoryview(self.data)[self._crc_end : end]
        close(self.data, crc32.update(self._crc, tail), end, name)

    def new_segment(self) -> None:
        """The page is for a segment that has no schemas yet."""
        if not self.count:
            self.tracks = {}
        for slot in self.tracks:
            self.tracks[slot].schema = schema_payload(self.tracks[slot])

    def has_room_for(self, source) -> bool:
        """Whether the segment can have this source."""
        return self._slot_of(source) >= 0 or self._free_slot() >= 0

    def _slot_of(self, source) -> int:
        for slot in self.tracks:
            if self.tracks[slot].source is source:
                return slot
        for slot in self.tracks:
            if _are_alike(self.tracks[slot].source, source):
                self.tracks[slot].source = source
                return slot
        return -1

    def _free_slot(self) -> int:
        for slot in range(SLOTS):
            if slot not in self.tracks:
                return slot
        return -1

    def _add(self, source, values: tuple) -> int:
        track = Track(source, base_of(values))
        track.schema = schema_payload(track)
        track.begin(self._stamp)
        slot = self._free_slot()
        self.tracks[slot] = track
        return slot


def _are_alike(one, other) -> bool:
    if one.name != other.name or one.identity != other.identity:
        return False
    return one.channels == other.channels
