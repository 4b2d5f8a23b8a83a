"""An append-only log of readings in segment files: pages in RAM, then on a medium.

    from ringlog.ringlog import Log

    log = Log(folder, 1048576, 65536, 1024, make_source)
    for _ in log.open():               # slices of work
        pass
    log.append(serial, boot, stamp, source, values)     # False: flush() first
    while not log.flush():             # False: the capacity is used up
        log.drop_oldest()
    log.state["mqtt"] = serial + 1     # a few integers that go with the log: where its readers are
    log.save_state()
    reader = log.reader()              # see ringread

make_source(name, channels, identity) gives an object with these attributes, always the same for
the same arguments; identity is a tuple of texts or None: whatever else tells sources apart. Format
and bounds: README.md here. What is damaged costs its page; nothing is wiped. A medium has names(),
size(), append(), read() and remove(): see there as well.
"""

from micropython import const

from .ringpage import HEAD, MOST, READINGS, SCHEMA, STATE, TAIL, build, fill_head, state_payload
from .ringread import Reader
from .ringseg import Segments, first_of
from .ringwrite import PageInRam

_LEAST_PAGE = const(64)
_MOST_READINGS = const(65535)  # of a page


class Log(Segments):
    """The segments, the page in RAM, and the state."""

    def __init__(
        self, folder, capacity_bytes: int, segment_bytes: int, page_bytes: int, make_source
    ):
        if not _LEAST_PAGE <= page_bytes <= MOST:
            raise ValueError("page_bytes: %d; allowed: 64 to 8192" % page_bytes)
        if segment_bytes < 2 * page_bytes or capacity_bytes < 2 * segment_bytes:
            raise ValueError("a segment holds two pages or more, the capacity two segments")
        Segments.__init__(self, folder, page_bytes)
        self.last = -1
        self.state: dict = {}
        self.state_end = 0  # as it was opened: what is behind may have a state that is lost
        self.is_torn = False  # something was not whole then: save_state() before more is appended
        self.pages = 0
        self.writes = 0
        self.capacity = capacity_bytes
        self.page_bytes = page_bytes
        self._segment_bytes = segment_bytes
        self.make_source = make_source
        self._page = PageInRam(page_bytes)
        self._saved = state_payload({})  # the state as it was saved last
        self._name = ""  # of the segment that is written
        self._is_fresh = True  # it has no state page yet
        self._back = 0  # size of the newest page, 0 where that is unknown

    @property
    def pending(self) -> int:
        """Readings in the page in RAM."""
        return self._page.count

    @property
    def pending_first(self) -> int:
        """Serial number of the first of them."""
        return self._page.first

    @property
    def first(self) -> int:
        """Serial number of the oldest reading, or one before it; -1 where there is none."""
        oldest = self.oldest()
        return first_of(oldest) if oldest and first_of(oldest) <= self.last else -1

    @property
    def oldest_end(self) -> int:
        """The first serial number behind the oldest segment."""
        names = self.names
        return first_of(names[1]) if len(names) > 1 else self.last + 1

    def end_of(self, serial: int) -> int:
        """The first serial number behind the segment that this one is in, or would be."""
        following = self.after(self.containing(serial))
        return first_of(following) if following else self.last + 1

    def reader(self) -> Reader:
        """A new reader, at the oldest reading."""
        return Reader(self)

    def open(self):
        """Find what is on the medium: a generator that yields between slices of work.

        OSError where the folder cannot be listed. Behind a newest segment that cannot be read
        `last` leaves room for all that may be in it.
        """
        from .ringopen import Opening  # needed once: whoever has opened may drop the module

        found = Opening(self)
        yield from found.run()
        self.last = found.last
        self.state = found.state
        self.state_end = min(found.state_end, found.last + 1)
        self.is_torn = found.is_torn or self.damaged > 0
        self._saved = state_payload(found.state)
        self._is_fresh = found.is_fresh
        self._back = found.back
        self._page.tracks = found.tracks
        self._name = self.names[-1] if self.names else ""
        if not found.is_readable:
            # It may be later: what is appended from now on comes behind all that can be in it.
            size = max(self._segment_bytes, self.size_of(self._name))
            self.last = first_of(self._name) + 2 * size
            self._name = ""
            self._is_fresh = True
            self._page.tracks = {}

    def append(self, serial: int, boot: int, stamp: int, source, values: tuple) -> bool:
        """Put a reading into the page in RAM; False: flush() first.

        ValueError for a serial number that is not above those on the medium, and for a reading
        that does not fit into a page of 8192 bytes.
        """
        page = self._page
        if len(values) != len(source.channels):
            raise ValueError("%s: %d values" % (source.name, len(values)))
        if page.count:
            if serial != page.first + page.count or boot != page.boot or page.is_large():
                return False
            if page.count == _MOST_READINGS or not page.has_room_for(source):
                return False
            return page.put(stamp, source, values)
        if not self.last < serial < 1 << 31:
            raise ValueError("serial %d behind %d" % (serial, self.last))
        self._settle()
        if not self._is_on_medium() or self._is_full() or not page.has_room_for(source):
            self._turn(serial)
        try:
            while True:
                page.begin(serial, boot, stamp)
                if page.put(stamp, source, values):
                    return True
                if not page.grow():
                    raise ValueError("a reading of %s is larger than a page" % source.name)
        except Exception:
            page.clear()
            raise

    def forget_page(self) -> None:
        """Give up the page in RAM, whoever was cut off while he made it; append() again."""
        self._page.clear()

    def flush(self, state: bool = False) -> bool:
        """Write the page in RAM, and the state where wanted; False: the capacity is used up.

        OSError where the medium fails; the page stays, and a later flush() tries again.
        """
        page = self._page
        if not page.count:
            if state:
                self.save_state()
            return True
        saved = state_payload(self.state) if state else self._saved
        self._settle()
        pieces = []
        if self._is_fresh:
            self._add(pieces, STATE, 0, saved)
        for slot in sorted(page.tracks):
            schema = page.tracks[slot].schema
            if schema:
                self._add(pieces, SCHEMA, slot, schema)
                self._add(pieces, SCHEMA, slot, schema)  # one damaged copy costs nothing
        end = page.end()
        fill_head(page.data, READINGS, page.count, end - HEAD - TAIL, self._behind(pieces))
        page.close(self._name)
        pieces.append(memoryview(page.data)[:end])
        if saved != self._saved and not self._is_fresh:
            self._add(pieces, STATE, 0, saved)
        size = sum([len(piece) for piece in pieces])
        if self.used_bytes + size > self.capacity:
            return False
        self._write(pieces, size)
        self._saved = saved
        self.last = page.first + page.count - 1
        for slot in page.tracks:
            page.tracks[slot].schema = b""
        page.clear()
        return True

    def save_state(self) -> None:
        """Write the state at once; ValueError where it is no dict of a few integers."""
        saved = state_payload(self.state)
        self._settle()
        page = self._page
        if page.count and self._is_full() and self._is_on_medium():
            self._turn(page.first)
        elif not page.count and (self._is_full() or not self._is_on_medium()):
            self._turn(self.last + 1)
        pieces: list = []
        self._add(pieces, STATE, 0, saved)
        self._write(pieces, len(pieces[0]))
        self._saved = saved
        names = self.names
        if len(names) > 1 and names[-2][:8] == names[-1][:8]:
            self.remove(len(names) - 2)  # it has no readings, and not the newest state

    def drop_oldest(self) -> None:
        """Remove the oldest segment, unless it is the newest as well; OSError where it stays."""
        if len(self.names) < 2:
            return
        if len(self.names) == 2 and self._is_fresh and self._is_on_medium():
            self.save_state()  # so far only the oldest one has it
        self.remove(0)

    def trim(self, serial: int) -> None:
        """Remove the segments whose readings are all below this serial number."""
        while len(self.names) > 1 and self.oldest_end <= serial:
            self.drop_oldest()

    def _add(self, pieces: list, kind: int, count: int, payload: bytes) -> None:
        pieces.append(build(kind, count, payload, self._behind(pieces), self._name))

    def _behind(self, pieces: list) -> int:
        """Size of the page before the next piece."""
        return len(pieces[-1]) if pieces else self._back

    def _write(self, pieces: list, size: int) -> None:
        self.pages += len(pieces)
        back = len(pieces[-1])
        if len(pieces) > 1:
            try:
                pieces = [_joined(pieces, size)]
            except MemoryError:
                pass  # then each costs an erase
        for piece in pieces:
            self.extend(self._name, piece)
        self._is_fresh = False
        self._back = back
        self.writes += 1

    def _settle(self) -> None:
        if self.settle():
            self._back = 0

    def _is_on_medium(self) -> bool:
        return self._name in self.names

    def _is_full(self) -> bool:
        return self.size_of(self._name) >= self._segment_bytes

    def _turn(self, serial: int) -> None:
        """Let a new segment begin with this serial number; the medium learns of it later."""
        self._page.new_segment()  # before the name: it may find no memory
        self._name = self.new_name(serial)
        self._is_fresh = True
        self._back = 0


def _joined(pieces: list, size: int) -> bytearray:
    """For one append: a file that grows costs an erase each time."""
    data = bytearray(size)
    at = 0
    for piece in pieces:
        data[at : at + len(piece)] = piece
        at += len(piece)
    return data
