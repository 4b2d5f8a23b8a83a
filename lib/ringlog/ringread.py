"""Reads a log from a serial number on, past any damage: see Log.reader().

    reader = log.reader()
    reader.seek(serial)
    while True:
        found = reader.step()       # None: a slice of work was done; call again, later
        if found is None:
            continue
        if not found:
            break                   # the end of what is on the medium; step() again later goes on
        print(reader.serial, reader.boot, reader.stamp, reader.source.name, reader.values)

A step decodes one reading, or checks 128 bytes, or reads one header. It sees what flush() has
written. OSError where the medium fails: the next step tries the same again.
"""

from .nibbles import PageError, Unpacker
from .ringdelta import read, read_slot
from .ringpage import READINGS, SCHEMA, SERIAL, take_schema
from .ringseg import first_of
from .ringwalk import Walk


class Reader:
    """One way through the segments."""

    def __init__(self, segments) -> None:
        self.serial = -1
        self.boot = 0
        self.stamp = 0
        self.source = None
        self.values: tuple = ()
        self.data = segments.buffer.data  # what the buffer has loaded for us
        self._segments = segments
        self._next = 0  # the lowest serial number that is wanted
        self._is_seeking = True  # pages before it are passed over by what their headers say
        self._name = ""  # of the segment
        self._tracks: dict = {}
        self._run = None

    def seek(self, serial: int) -> None:
        """Go on with the first reading that has this serial number or a higher one."""
        self._next = serial
        self._is_seeking = True
        self._stop("")

    def step(self) -> bool | None:
        """Do one slice of work: True, a reading; False, the end for now; None, call again."""
        segments = self._segments
        if self._run is None or (self._name and self._name < segments.oldest()):
            self._stop("")
            self._is_seeking = True
            self._run = self._read()
        try:
            return next(self._run)
        except Exception as error:  # a generator that raised has ended, out of memory too
            self._stop(self._name)
            if isinstance(error, OSError) and self._name and self._name < segments.oldest():
                return None
            raise

    def _stop(self, name: str) -> None:
        self._name = name
        self._run = None
        self._tracks = {}
        self.data = self._segments.buffer.data
        self._segments.buffer.release(self)

    def _read(self):
        segments = self._segments
        while True:
            self._name = segments.containing(self._next)
            while not self._name:
                yield False
                self._name = segments.containing(self._next)
            self._tracks = {}
            yield from self._read_segment(Walk(segments, self._name))

    def _read_segment(self, walk: Walk):
        segments = self._segments
        for found in walk.run():
            if found is None:
                yield None
            elif not found:
                following = segments.after(walk.name)
                if following:
                    self._next = max(self._next, first_of(following))
                    return
                yield False
            elif walk.kind == SCHEMA:
                walk.whole = yield from segments.buffer.load(walk, self)
                if walk.whole:
                    self._take_schema(walk)
                segments.buffer.release(self)
            elif walk.kind == READINGS:
                if self._is_seeking and walk.first + walk.count <= self._next:
                    continue
                self._is_seeking = False
                walk.whole = yield from segments.buffer.load(walk, self)
                if walk.whole:
                    yield from self._read_page(walk)
                segments.buffer.release(self)
                self.data = segments.buffer.data

    def _take_schema(self, walk: Walk) -> None:
        segments = self._segments
        try:
            take_schema(self._tracks, walk.count, self.data, walk.payload, segments.make_source)
        except PageError:
            segments.damaged += 1

    def _read_page(self, walk: Walk):
        """The readings of a page; a generator."""
        segments = self._segments
        buffer = segments.buffer
        unpacker = Unpacker(self.data, SERIAL, walk.payload)
        try:
            boot = unpacker.number()
            base = unpacker.signed()
            for slot in self._tracks:
                self._tracks[slot].begin(base)
            for index in range(walk.count):
                lost = self.data is buffer.data and not buffer.holds(walk, walk.at)
                if lost and not (yield from buffer.load(walk, self)):
                    segments.damaged += 1
                    return
                head = unpacker.nibble()
                track = self._tracks.get(read_slot(unpacker, head))
                if track is None:
                    raise PageError
                read(unpacker, head, track)
                buffer.release(self)
                if walk.first + index < self._next:
                    yield None
                    continue
                self.serial = walk.first + index
                self.boot = boot
                self.stamp = track.stamp
                self.source = track.source
                self.values = tuple(track.values)
                self._next = self.serial + 1
                yield True
        except PageError:
            segments.damaged += 1
