"""Finds the pages of a segment, and loads them: what Log.open() and the readers share.

    walk = Walk(segments, name)
    for found in walk.run():   # None: go on later; True: a page, see walk; False: the end, for now
        if found and walk.kind == STATE:
            whole = yield from segments.buffer.load(walk, owner)
            walk.whole = whole               # what is not whole is searched for the next page

A header says where the next page begins, and how far behind the page before it stands itself.
Where these two disagree, and at the end, the page before is checked; if it is not whole, the
next one is looked for in it byte by byte. Such a find must have a right CRC.
"""

import crc32
from micropython import const

from .ringpage import HEAD, MAGIC, READINGS, SERIAL, TAIL, check_head, crc_of

_SLICE = const(128)  # bytes that are read and checked at a time
_PATIENCE = const(80)  # steps that a reader waits for another one's page: more than 8 kB take


class Walk:
    """One way through a segment, from its first byte on."""

    def __init__(self, segments, name: str) -> None:
        self.name = name
        self.at = 0  # of the page
        self.kind = 0
        self.count = 0
        self.payload = 0  # bytes
        self.first = 0  # serial number, of a page with readings
        self.whole: bool | None = None  # whether the page's CRC is right, once that is known
        self.torn = False  # whether anything was not whole
        self.segments = segments
        self._head = bytearray(HEAD + SERIAL)
        self._before = -1  # where the page before begins, if nobody has checked it

    def size(self) -> int:
        """Bytes of the page, with header and CRC."""
        return HEAD + self.payload + TAIL

    def run(self):
        """Go from page to page."""
        at = 0
        trusted = True  # we come from a page, and not from a search
        while True:
            size = self.segments.size_of(self.name)
            if at + HEAD + TAIL > size:
                if self._before < 0:
                    if at < size:
                        self.torn = True
                    yield False
                    continue
                self._read_head(self._before)
                if not (yield from self.check()):
                    at, trusted = self._damaged(self._before)
                self._before = -1
                continue
            good = self._read_head(at)
            yield None
            fits = good and self.at + self.size() <= size
            if self._before >= 0 and not (fits and at - self._before == self._back()):
                at = self._before
                self._read_head(at)
                if (yield from self.check()):
                    at += self.size()
                else:
                    at, trusted = self._damaged(at)
                self._before = -1
                continue
            if not fits:
                at, trusted = self._damaged(at) if trusted else (at + 1, False)
                at = yield from self._search(at)
                continue
            self.whole = None
            if not trusted:
                if not (yield from self.check()):
                    at = yield from self._search(at + 1)
                    continue
                self.whole = trusted = True
            yield True
            if self.whole is False:
                at, trusted = self._damaged(self.at)
                self._before = -1
                at = yield from self._search(at)
                continue
            self._before = -1 if self.whole else at
            at += self.size()

    def _damaged(self, at: int) -> tuple:
        self.torn = True
        self.segments.damaged += 1
        return at + 1, False

    def _back(self) -> int:
        return self._head[7] + (self._head[8] << 8)

    def _read_head(self, at: int) -> bool:
        """Read a header into our fields; whether it is one."""
        head = self._head
        self.segments.folder.read(self.name, at, head)
        self.at = at
        if not check_head(head):
            return False
        self.kind = head[2]
        self.count = head[3] + (head[4] << 8)
        self.payload = head[5] + (head[6] << 8)
        if self.kind == READINGS:
            if self.payload < SERIAL:
                return False
            high = head[HEAD + 3]
            self.first = head[HEAD] + (head[HEAD + 1] << 8) + (head[HEAD + 2] << 16)
            self.first += (high & 127) << 24
        return True

    def check(self, data=None, owner=None):
        """Whether the page's CRC is right; a generator.

        data: gets the payload; where it is the shared buffer, only as long as that is the owner's.
        """
        segments = self.segments
        crc = crc32.START
        done = 0
        while done < self.payload:
            size = min(self.payload - done, _SLICE)
            start = done if data else 0
            view = memoryview(data or segments.scratch)[start : start + size]
            if segments.folder.read(self.name, self.at + HEAD + done, view) != size:
                return False
            crc = crc32.update(crc, view)
            done += size
            yield None
            if data is segments.buffer.data and not segments.buffer.is_kept(owner):
                return False
        view = memoryview(segments.scratch)[:TAIL]
        if segments.folder.read(self.name, self.at + HEAD + done, view) != TAIL:
            return False
        crc = crc_of(crc, memoryview(self._head)[:HEAD], self.name)
        return crc == (view[2] | view[3] << 8, view[0] | view[1] << 8)

    def check_at(self, at: int):
        """The same for a page of which only the place is known."""
        return self._read_head(at) and (yield from self.check())

    def _search(self, at: int):
        """The next place from there on where a page may begin; a generator."""
        segments = self.segments
        piece = segments.scratch
        while True:
            left = segments.size_of(self.name) - at
            if left < HEAD + TAIL:
                return at
            got = segments.folder.read(self.name, at, piece)
            found = piece.find(MAGIC, 0, min(got, left))
            if found >= 0:
                return at + found
            if got < 2:
                return at
            at += min(got, left) - 1
            yield None


class PageBuffer:
    """Holds one page, for whoever asked last; larger pages get a buffer of their own."""

    def __init__(self, size: int) -> None:
        self.data = bytearray(size)
        self._name = ""
        self._at = -1  # of the page that is in it, whole
        self._owner = None
        self._patience = 0

    def holds(self, walk: Walk, at: int) -> bool:
        """Whether this page is in it."""
        return self._at == at and self._name == walk.name

    def forget(self) -> None:
        """There is nothing in it."""
        self._at = -1
        self._owner = None

    def release(self, owner) -> None:
        """The owner has used its page."""
        if self._owner is owner:
            self._owner = None

    def load(self, walk: Walk, owner):
        """Load the page: a generator that yields between slices; its value is whether it is whole.

        The data are in owner.data from byte 0 on, without the header.
        """
        need = walk.payload + TAIL
        if need > len(self.data):
            owner.data = bytearray(need)
            return (yield from walk.check(owner.data))
        owner.data = self.data
        while not self.holds(walk, walk.at):
            while self._owner is not owner:
                if self._owner is None or self._patience <= 0:
                    self._owner = owner
                    self._patience = _PATIENCE
                    break
                self._patience -= 1
                yield None
            self._at = -1
            whole = yield from walk.check(self.data, owner)
            if self._owner is owner:
                if not whole:
                    self._owner = None
                    return False
                self._name = walk.name
                self._at = walk.at
        return True

    def is_kept(self, owner) -> bool:
        """Whether it is still the owner's; then nobody takes it from him before his next slice."""
        if self._owner is not owner:
            return False
        self._patience = _PATIENCE
        return True
