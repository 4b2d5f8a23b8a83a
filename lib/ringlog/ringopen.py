"""What the segments tell when a log is opened: which there are, and what the newest one holds.

    found = Opening(log)
    yield from found.run()
    found.last, found.state, found.state_end, found.is_fresh, found.tracks, found.back

Only headers are read, and of whole pages the schemas, the states, and the last one with readings.
"""

from .nibbles import PageError
from .ringpage import READINGS, SCHEMA, state_of, take_schema
from .ringseg import first_of
from .ringwalk import Walk


class Opening:
    """Looks through segments, newest first, until a state was found."""

    def __init__(self, segments) -> None:
        self.data = bytearray(0)  # what the buffer has loaded for us
        self.last = -1
        self.state: dict = {}
        self.state_end = 0  # the first serial number that a later, lost state may be about
        self.is_readable = True  # the newest segment
        self.is_torn = False  # it ends, or is, not whole
        self.is_fresh = True  # no whole state page in the newest segment
        self.tracks: dict = {}
        self.back = 0  # size of the newest page, 0 where that is unknown
        self._segments = segments
        self._has_state = False
        self._damaged = 0  # of the segments, when that state was found
        self._page_at = -1  # of the newest page with readings

    def run(self):
        """Find everything; a generator. OSError where the folder cannot be listed."""
        yield from self._find()
        names = self._segments.names
        self.last = first_of(names[-1]) - 1 if names else -1
        beyond = -1  # of the last segment that was looked through
        for index in range(len(names) - 1, -1, -1):
            is_newest = index == len(names) - 1
            try:
                yield from self._scan(names[index], is_newest, False)
                if is_newest and self._page_at >= 0:
                    yield from self._find_last(names[index])
            except OSError:
                self._segments.damaged += 1
                self.back = 0
                self.is_readable = self.is_readable and not is_newest
            if self._has_state and beyond >= 0:
                self.state_end = min(self.state_end, beyond)
            elif self._has_state and self._damaged == self._segments.damaged:
                self.state_end = self.last + 1
            if self._has_state:
                return
            beyond = first_of(names[index])

    def _find(self):
        segments = self._segments
        folder = segments.folder
        segments.buffer.forget()
        segments.names = sorted([name for name in folder.names() if _is_segment(name)])
        segments.sizes = {}
        segments.used_bytes = 0
        for name in segments.names:
            try:
                size = folder.size(name)
            except OSError:
                size = 0
                segments.damaged += 1
            segments.sizes[name] = size
            segments.used_bytes += size
            yield

    def _find_last(self, name: str):
        walk = Walk(self._segments, name)
        whole = yield from walk.check_at(self._page_at)
        if whole:
            self.last = max(self.last, walk.first + walk.count - 1)
        else:  # an earlier one counts, that has to be found
            self.tracks = {}
            yield from self._scan(name, True, True)

    def _scan(self, name: str, is_newest: bool, every_page: bool):
        walk = Walk(self._segments, name)
        size = 0
        following = first_of(name)
        for found in walk.run():
            yield
            if found is False:
                break
            if not found:
                continue
            size = walk.size()
            if walk.kind == READINGS:
                following = max(following, walk.first + walk.count)
            if not self._has_state or self._damaged == self._segments.damaged:
                self.state_end = following
            if walk.kind != READINGS:
                walk.whole = yield from self._segments.buffer.load(walk, self)
                if walk.whole:
                    self._take(walk, is_newest)
                self._segments.buffer.release(self)
            elif every_page:
                walk.whole = yield from walk.check_at(walk.at)
                if walk.whole:
                    self.last = max(self.last, walk.first + walk.count - 1)
            elif is_newest:
                self._page_at = walk.at
        if is_newest:
            self.is_torn = walk.torn
            self.back = 0 if walk.torn else size
            self.is_fresh = not self._has_state

    def _take(self, walk: Walk, is_newest: bool) -> None:
        try:
            if walk.kind != SCHEMA:
                self.state = state_of(self.data, walk.payload)
                self._has_state = True
                self._damaged = self._segments.damaged
            elif is_newest:
                make_source = self._segments.make_source
                take_schema(self.tracks, walk.count, self.data, walk.payload, make_source)
        except PageError:
            self._segments.damaged += 1


def _is_segment(name: str) -> bool:
    if len(name) not in (12, 17) or name[-4:] != ".log" or (len(name) == 17 and name[8] != "_"):
        return False
    for character in name[:8] + name[9:-4]:
        if character not in "0123456789abcdef":
            return False
    return name[0] < "8"
