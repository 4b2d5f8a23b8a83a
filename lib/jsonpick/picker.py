"""Cuts a few values out of a JSON answer that comes in pieces, digit for digit.

    pick = Picker(["em:0/a_act_power", "emeters[1]/total", "registers[obis=1-0:1.8.0*255]/value"])
    pick.feed(b'{"em:0": {"a_act_power": 2574466.6')
    pick.feed(b'29}}')
    if pick.end():
        pick.texts                     # [b"2574466.629", None, None]
        number.exact(pick.texts[0])    # (2574466629, 3)
    else:
        pick.error                     # "cut off"

The answer never lies in memory as a whole, and a number is the text that stood there. What was
picked is known when the whole answer has been read; one that is damaged or cut off gives nothing.

A path is keys with "/" between them; behind a key, or at the beginning, `[2]` is the third element
of an array, and `[key=value]` the element whose member `key` is that text or number. `[0]` as the
last step is a number that stands there without an array as well. A key with "/" in it is written
with "~1" for that, and "~0" for "~" (RFC 6901). Of a member that comes twice the last one counts,
as in Python's json. What C's printf() writes and RFC 8259 does not know, `nan` and `inf`, is null.

The bounds: 16 arrays and objects in one another; a longer key or text than 64 bytes matches
nothing, and a longer number than 40 characters is none. Texts are picked with a '"' in front:
b'"on'.
"""

from micropython import const

from .number import is_number
from .paths import DEEPEST, LONGEST_TEXT, select_at, steps_of

_LONGEST_NUMBER = const(40)

# What may come next. A key, a colon, a comma: in an object; a value: in both.
_VALUE = const(0)
_VALUE_OR_END = const(1)  # behind "["
_KEY = const(2)
_KEY_OR_END = const(3)  # behind "{"
_COLON = const(4)
_COMMA_OR_END = const(5)
_TEXT = const(6)  # in the midst of one
_ESCAPE = const(7)  # behind its backslash
_CODE = const(8)  # in the digits behind "\u"
_LITERAL = const(9)  # in the midst of a number, true, false, null
_DONE = const(10)
_FAILED = const(11)

_BLANKS = b" \t\r\n"
_ENDS = b",]} \t\r\n"  # of a literal
_ESCAPES = {
    34: b'"',
    92: b"\\",
    47: b"/",
    98: b"\b",
    102: b"\f",
    110: b"\n",
    114: b"\r",
    116: b"\t",
}
_NO_NUMBERS = (b"nan", b"-nan", b"inf", b"-inf", b"infinity", b"-infinity")
_MARK = b"\xef\xbb\xbf"  # of UTF-8, which some devices send in front


class Picker:
    """Reads one answer after the other; see the module's text."""

    error = ""  # what is wrong with this answer

    def __init__(self, paths) -> None:
        """paths: texts. Raises PathError."""
        known: dict = {}  # steps that several paths share take room once
        self._steps = [steps_of(path, known) for path in paths]
        self._selects = [select_at(steps) for steps in self._steps]
        self.begin()

    def begin(self) -> None:
        """The next answer."""
        count = len(self._steps)
        self.texts: list = [None] * count  # per path: bytes, or None
        self.error = ""
        self._held: list = [None] * count  # in an element that may yet turn out to be another
        self._chosen = 0  # paths whose element it is, as bits
        self._asked = 0  # paths whose element is told by the value that comes
        self._state = _VALUE
        self._is_key = False
        self._text: bytes | None = None  # of a text so far; None: nobody wants it
        self._escaped = ""  # digits of a code
        self._half = 0  # the first half of a pair of codes
        self._depth = 0
        # Per depth: the paths that lead here, as bits, and the element that is read; -1: an object
        self._paths = [0] * (DEEPEST + 1)
        self._at = [-1] * (DEEPEST + 1)
        self._below = (1 << count) - 1  # the paths that lead to the value that comes

    def feed(self, data: bytes) -> None:
        """The next piece of the answer, of any length."""
        at = 0
        end = len(data)
        while at < end:
            state = self._state
            if state == _TEXT:
                at = self._in_text(data, at, end)
            elif state == _LITERAL:
                at = self._in_literal(data, at, end)
            elif state == _FAILED:
                return
            else:
                byte = data[at]
                at += 1
                if state >= _ESCAPE and state <= _CODE:
                    self._escape(state, byte)
                elif byte not in _BLANKS and (byte not in _MARK or self._begun()):
                    self._step(state, byte)

    def end(self) -> bool:
        """The answer ends here: whether it was whole; if not, `error` says why."""
        if self._state == _LITERAL and not self._depth:
            self._literal_ends()
        if self._state != _DONE:
            self._fail("cut off" if self._begun() else "empty")
        return self._state == _DONE

    def _begun(self) -> bool:
        return self._state != _VALUE or self._depth > 0

    def _fail(self, why: str) -> None:
        if self._state != _FAILED:
            self._state = _FAILED
            self.error = why
            self.texts = [None] * len(self._steps)

    def _step(self, state: int, byte: int) -> None:
        """A byte outside of texts and literals."""
        if state <= _VALUE_OR_END and byte == 0x7B:
            self._open(-1, _KEY_OR_END)
        elif state <= _VALUE_OR_END and byte == 0x5B:
            self._open(0, _VALUE_OR_END)
        elif byte == 0x22 and state <= _KEY_OR_END:
            self._is_key = state >= _KEY
            wanted = self._paths[self._depth] if self._is_key else self._below | self._asked
            self._text = b"" if wanted else None
            self._half = 0
            self._state = _TEXT
        elif byte == 0x3A and state == _COLON:
            self._state = _VALUE
        elif byte == 0x2C and state == _COMMA_OR_END:
            if self._at[self._depth] < 0:
                self._state = _KEY
            else:
                self._at[self._depth] += 1
                self._state = _VALUE
                self._enter_element()
        elif byte == 0x7D and (state == _KEY_OR_END or state == _COMMA_OR_END):
            self._close(True)
        elif byte == 0x5D and (state == _VALUE_OR_END or state == _COMMA_OR_END):
            self._close(False)
        elif state <= _VALUE_OR_END and byte not in _ENDS:
            self._text = bytes((byte,))
            self._state = _LITERAL
        else:
            self._fail("there is more behind its end" if state == _DONE else "is no JSON")

    def _open(self, first: int, state: int) -> None:
        depth = self._depth + 1
        if depth > DEEPEST:
            self._fail("is nested more than %d deep" % DEEPEST)
            return
        self._asked = 0
        self._depth = depth
        self._paths[depth] = self._below
        self._at[depth] = first
        self._state = state
        if first == 0:
            self._enter_element()

    def _enter_element(self) -> None:
        """Which paths lead to the element of an array that comes."""
        depth = self._depth
        here = self._paths[depth]
        below = 0
        if here:
            index = self._at[depth]
            for number, steps in self._of(here):
                step = steps[depth - 1] if len(steps) >= depth else None
                if step == index:
                    below |= 1 << number
                elif isinstance(step, tuple):
                    below |= 1 << number
                    self._held[number] = None
                    self._chosen &= ~(1 << number)
        self._below = below
        self._forget(below, depth)

    def _enter_member(self, key: bytes | None) -> None:
        """Which paths lead to the member of an object that comes."""
        depth = self._depth
        here = self._paths[depth]
        below = 0
        asked = 0
        for number, steps in self._of(here):
            if len(steps) >= depth and steps[depth - 1] == key:
                below |= 1 << number
            if depth > 1 and isinstance(steps[depth - 2], tuple) and steps[depth - 2][0] == key:
                asked |= 1 << number
        self._below = below
        self._asked = asked
        self._chosen &= ~asked  # of two members the last one counts
        self._forget(below, depth)

    def _forget(self, below: int, depth: int) -> None:
        """What was found under these paths before is not there any more."""
        for number, _ in self._of(below):
            (self._held if self._selects[number] < depth else self.texts)[number] = None

    def _of(self, paths: int):
        """(number, steps) of each of these paths."""
        found = []
        number = 0
        while paths:
            if paths & 1:
                found.append((number, self._steps[number]))
            paths >>= 1
            number += 1
        return found

    def _close(self, is_object: bool) -> None:
        depth = self._depth
        if is_object != (self._at[depth] < 0):
            self._fail("is no JSON")
            return
        self._depth = depth - 1
        self._value_ends()

    def _value_ends(self) -> None:
        """Behind a value; where it was an element that had to be told apart, it is known now."""
        depth = self._depth
        self._asked = 0
        self._state = _COMMA_OR_END if depth else _DONE
        if depth and self._at[depth] >= 0 and self._chosen:
            for number, steps in self._of(self._paths[depth] & self._chosen):
                if len(steps) >= depth and isinstance(steps[depth - 1], tuple):
                    self.texts[number] = self._held[number]
                    self._chosen &= ~(1 << number)

    def _found(self, text: bytes | None) -> None:
        """A value that is no array and no object."""
        depth = self._depth
        for number, steps in self._of(self._below):
            count = len(steps)
            if count == depth or (count == depth + 1 and steps[depth] == 0 and is_number(text)):
                (self._held if self._selects[number] < depth else self.texts)[number] = text
        for number, steps in self._of(self._asked):
            wanted = steps[depth - 2][1]
            if text is not None and (text[1:] if text[:1] == b'"' else text) == wanted:
                self._chosen |= 1 << number
        self._value_ends()

    def _in_text(self, data: bytes, at: int, end: int) -> int:
        """Read on in a key or a text; where it goes on."""
        stop = data.find(b'"', at)
        back = data.find(b"\\", at, stop if stop >= 0 else end)
        until = back if back >= 0 else stop if stop >= 0 else end
        if until > at:
            self._add(data[at : min(until, at + LONGEST_TEXT + 1)])
        if back >= 0:
            self._state = _ESCAPE
        elif stop >= 0:
            self._text_ends()
        return until + 1

    def _add(self, piece: bytes) -> None:
        text = self._text
        self._half = 0
        if text is not None and len(text) <= LONGEST_TEXT:
            self._text = (text + piece)[: LONGEST_TEXT + 1]

    def _text_ends(self) -> None:
        text = self._text
        if text is not None and len(text) > LONGEST_TEXT:
            text = None
        self._text = None
        if self._is_key:
            self._state = _COLON
            self._enter_member(text)
        else:
            self._found(None if text is None else b'"' + text)

    def _escape(self, state: int, byte: int) -> None:
        """A byte behind a backslash."""
        if state == _ESCAPE:
            self._state = _TEXT
            if byte == 0x75:
                self._state = _CODE
                self._escaped = ""
            elif byte in _ESCAPES:
                self._add(_ESCAPES[byte])
            else:
                self._fail("is no JSON")
            return
        self._escaped += chr(byte)
        if byte not in b"0123456789abcdefABCDEF":
            self._fail("is no JSON")
        elif len(self._escaped) == 4:
            self._state = _TEXT
            self._code(int(self._escaped, 16))

    def _code(self, code: int) -> None:
        """A character that was written as a code; characters beyond 65535 are a pair of them."""
        half = self._half
        if 0xDC00 <= code < 0xE000 and half:
            if self._text is not None:  # what stands for the first half
                self._text = self._text[:-3]
            self._add(_utf8(0x10000 + ((half - 0xD800) << 10) + code - 0xDC00))
            return
        self._add(_utf8(code))
        self._half = code if 0xD800 <= code < 0xDC00 else 0

    def _in_literal(self, data: bytes, at: int, end: int) -> int:
        until = at
        while until < end and data[until] not in _ENDS:
            until += 1
        text = self._text or b""
        if len(text) <= _LONGEST_NUMBER:
            piece = data[at : min(until, at + _LONGEST_NUMBER + 1)]
            self._text = (text + piece)[: _LONGEST_NUMBER + 1]
        if until < end:
            self._literal_ends()
        return until

    def _literal_ends(self) -> None:
        text = self._text or b""
        self._text = None
        too_long = len(text) > _LONGEST_NUMBER and not text.strip(b"0123456789+-.eE")
        if too_long or text == b"null" or text.lower() in _NO_NUMBERS:
            text = None
        elif text not in (b"true", b"false") and not is_number(text):
            self._fail("is no JSON")
            return
        self._found(text)


def _utf8(code: int) -> bytes:
    """A character; half of a pair as three bytes, though UTF-8 knows none."""
    if code < 0x80:
        return bytes((code,))
    if code < 0x800:
        return bytes((0xC0 | code >> 6, 0x80 | code & 63))
    if code < 0x10000:
        return bytes((0xE0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63))
    rest = (0x80 | code >> 12 & 63, 0x80 | code >> 6 & 63, 0x80 | code & 63)
    return bytes((0xF0 | code >> 18,) + rest)
