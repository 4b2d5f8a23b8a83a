"""The XML that a FRITZ!Box sends, read in pieces of any length; a base for what looks into it.

    class List(Xml):
        def _begins(self, name, attributes): ...     # (name, value) of each
        def _ends(self, name, text): ...             # text of an element that has no others in it

Both are told of what self._open has: the names of the elements from the root to this one. end()
tells of an answer that is damaged, cut off, or has another root; what was seen of it counts for
nothing. The bounds: 512 bytes of a tag, 192 of a text (a longer one is none), 12 deep. Entities
are left as they are.
"""

from micropython import const

_LONGEST_TAG = const(512)
_LONGEST_TEXT = const(192)
_DEEPEST = const(12)
_BLANKS = b" \t\r\n"
_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:"
_MARK = b"\xef\xbb\xbf"  # of UTF-8
_CDATA = b"![CDATA["


class Xml:
    """See the module's text."""

    error = ""  # what is wrong with this answer
    _root = b""

    def begin(self) -> None:
        """The next answer."""
        self.error = ""
        self._open: list = []
        self._tag: bytes | None = None  # in the midst of one: what of it has come
        self._text = b""
        self._leaf = False  # nothing but text came since the last element began
        self._whole = False

    def feed(self, data: bytes) -> None:
        """The next piece of the answer, of any length."""
        at = 0
        end = len(data)
        while at < end and not self.error:
            sign = b"<" if self._tag is None else b">"
            until = data.find(sign, at)
            stop = end if until < 0 else until
            if self._tag is None:
                if stop > at:
                    self._add_text(data[at : min(stop, at + _LONGEST_TEXT + 1)])
                if until >= 0:
                    self._tag = b""
            else:
                self._add_tag(data, at, stop, until >= 0)
            at = stop + 1

    def end(self) -> bool:
        """The answer ends here: whether it was whole; if not, `error` says why."""
        if not self._whole:
            self._fail("is cut off" if self._open or self._tag is not None else "is empty")
        return not self.error

    def _begins(self, name: bytes, attributes: list) -> None:
        """An element begins."""

    def _ends(self, name: bytes, text: bytes) -> None:
        """An element ends; it is still the last one of self._open."""

    def _fail(self, why: str) -> None:
        if not self.error:
            self.error = why

    def _add_text(self, piece: bytes) -> None:
        if not self._open:
            if piece.strip(_BLANKS + _MARK):
                self._fail("is no XML")
        elif self._leaf and len(self._text) <= _LONGEST_TEXT:
            self._text = (self._text + piece)[: _LONGEST_TEXT + 1]

    def _add_tag(self, data: bytes, at: int, stop: int, closed: bool) -> None:
        """More of what stands behind a "<"; closed: a ">" follows it."""
        tag = (self._tag or b"") + data[at : min(stop, at + _LONGEST_TAG + 1)]
        if len(tag) > _LONGEST_TAG:
            if tag[:1] not in b"!?":
                self._fail("has a tag that is too long")
                return
            # Only how it ends is of interest.
            last = data[stop - 2 : stop] if stop - at > _LONGEST_TAG else tag[-2:]
            tag = tag[: _LONGEST_TEXT + 16] + last
        self._tag = tag
        if not closed:
            return
        if tag[:1] == b"!" or tag[:1] == b"?":
            self._tag = self._aside(tag)
            return
        if b"=" in tag and _in_quotes(tag):
            self._tag = tag + b">"  # which is part of a value
            return
        self._tag = None
        if b"<" in tag:
            self._fail("is no XML")
        elif tag[:1] == b"/":
            self._close(tag[1:].rstrip(_BLANKS))
        else:
            self._open_one(tag)

    def _aside(self, tag: bytes) -> bytes | None:
        """Comments, instructions, CDATA: None, or what has come where this was not its end."""
        if tag[:3] == b"!--":
            return None if tag[-2:] == b"--" and len(tag) >= 5 else tag + b">"
        if tag[:8] == _CDATA:
            if tag[-2:] != b"]]":
                return tag + b">"
            self._add_text(tag[8:-2])
        elif tag[:1] == b"?" and tag[-1:] != b"?":
            return tag + b">"
        return None

    def _open_one(self, tag: bytes) -> None:
        empty = tag[-1:] == b"/"
        found = attributes_of(tag[:-1] if empty else tag)
        if not found or self._whole or len(self._open) >= _DEEPEST:
            self._fail("is no XML")
            return
        name = found.pop(0)[1]
        if not self._open and name != self._root:
            self._fail("is another page")
            return
        self._open.append(name)
        self._leaf = True
        self._text = b""
        self._begins(name, found)
        if empty:
            self._close(name)

    def _close(self, name: bytes) -> None:
        if not self._open or self._open[-1] != name:
            self._fail("is no XML")
            return
        text = self._text.strip(_BLANKS) if self._leaf else b""
        self._ends(name, b"" if len(self._text) > _LONGEST_TEXT else text)
        self._open.pop()
        self._leaf = False
        self._text = b""
        self._whole = not self._open


def _in_quotes(tag: bytes) -> bool:
    """Whether a value in quotes has begun that has no end."""
    at = 0
    while True:
        quote = tag.find(b'"', at)
        other = tag.find(b"'", at)
        at = quote if other < 0 or 0 <= quote < other else other
        if at < 0:
            return False
        at = tag.find(tag[at : at + 1], at + 1) + 1
        if not at:
            return True


def attributes_of(tag: bytes) -> list | None:
    """[(b"", name of the element), (key, value), ...] of a start tag; None: it is none."""
    if not tag.strip(_PLAIN):  # most have no attributes
        return [(b"", tag)] if tag else None
    end = len(tag)
    at = 0
    while at < end and tag[at] not in _BLANKS:
        at += 1
    name = tag[:at]
    if not name or _odd(name):
        return None
    found = [(b"", name)]
    while True:
        while at < end and tag[at] in _BLANKS:
            at += 1
        if at == end:
            return found
        equals = tag.find(b"=", at)
        key = tag[at:equals].rstrip(_BLANKS)
        at = equals + 1
        while at < end and tag[at] in _BLANKS:
            at += 1
        quote = tag[at : at + 1]
        stop = tag.find(quote, at + 1) if quote == b'"' or quote == b"'" else -1
        if equals < 0 or not key or _odd(key) or stop < 0:
            return None
        found.append((key, tag[at + 1 : stop]))
        at = stop + 1


def _odd(name: bytes) -> bool:
    """Whether a name has what none of theirs has; strip() finds that out at the speed of C."""
    return len(name.strip(_PLAIN)) > 0
