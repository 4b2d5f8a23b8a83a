"""Tables of registers: what a meter's registers mean, as text, one channel per line.

    table = Table('''
    voltage | 0      | u16   | 1 | V   | measurement      | voltage | 0..400
    energy  | 3:0x10 | u64lo | 3 | kWh | total_increasing | energy
    ''')
    table.blocks                          # ((3, 16, 4), (4, 0, 1)): function, first, how many
    table.decode([payload, ...])          # one per block, None where there is none -> values

The columns: key, register, type, decimals, unit, kind, device class, and the least and most
that can be true, in the channel's unit (`0..400`, `-50..`, `..0.5`); beyond them there is no
value. Before the register may stand the function that reads it: 3 (holding registers) or 4
(input registers), which is the table's own otherwise. Types:

    u16 i16        one register, without or with a sign
    u32 i32        two, u64 i64: four; the high word first
    single         IEEE 754 binary32 in two registers, double: binary64 in four; likewise
    u32lo          the low word first; so any of more than one register
    flag           0x0000 is 0, 0xFFFF is 1, and anything else is not plausible
    u16*10         any of them but flag: times 10

A value is an integer in units of 10^-decimals. For the whole-number types that is the register
itself: 2413 with 1 decimal is 241.3. A single is rounded to the decimals, halves away from zero:
it has 24 bits, so that 3 decimals are exact below 16384, and the last digit jumps above.
"""

from exact import parse
from micropython import const

_COLUMNS = const(7)  # without the limits
_LIMIT = const(60)  # registers in one request: more than some meters allow
_KINDS = ("measurement", "total", "total_increasing", "code", "flag")
# Type -> its form: how many registers, and what they are.
_WORDS = const(7)
_SIGNED = const(8)
_BINARY = const(16)
_FLAG = const(32)
_LOW_FIRST = const(64)
_TYPES = {
    "u16": 1,
    "i16": 1 | _SIGNED,
    "flag": 1 | _FLAG,
    "u32": 2,
    "i32": 2 | _SIGNED,
    "single": 2 | _BINARY,
    "u64": 4,
    "i64": 4 | _SIGNED,
    "double": 4 | _BINARY,
}
_BOUND = 1 << 160  # no value is further away from 0


class Table:
    """The channels of a meter, and where their values are."""

    def __init__(self, rows, hole: int = 0, function: int = 4) -> None:
        """rows: text, or a list of lines. hole: registers between two rows that may be read too.

        function: what reads the rows that name none. ValueError says which row is wrong, and why.
        """
        if isinstance(rows, str):
            rows = rows.split("\n")
        fields = []
        channels = []
        for row in rows:
            if row.strip() and row.strip()[0] != "#":
                channel, field = _parse(row, function)
                if channel[0] in [c[0] for c in channels]:
                    raise ValueError("%r: the key is there twice" % row.strip())
                channels.append(channel)
                fields.append(field)
        if not fields:
            raise ValueError("a table needs at least one row")
        self.channels = tuple(channels)
        self.blocks = _blocks(fields, hole)
        self._fields = tuple(fields)

    def decode(self, payloads: list, implausible: list | None = None) -> list:
        """The values: None where a block has none, and for what cannot be true.

        implausible: gets (channel, value, least, most) of each of the latter.
        """
        values = []
        for channel, field in zip(self.channels, self._fields):
            value = self._value(field, payloads, channel[2])
            if value is not None and not field[3] <= value <= field[4]:
                if implausible is not None:
                    implausible.append((channel, value, field[3], field[4]))
                value = None
            values.append(value)
        return values

    def _value(self, field: tuple, payloads: list, decimals: int) -> int | None:
        for (function, first, count), payload in zip(self.blocks, payloads):
            at = field[0] - (function << 16 | first)
            if payload is not None and 0 <= at <= count - (field[1] & _WORDS):
                return _number(payload, 2 * at, field[1], field[2], decimals)
        return None


def _number(payload: bytes, at: int, form: int, factor: int, decimals: int) -> int | None:
    words = form & _WORDS
    value = 0
    for index in range(words):
        place = at + 2 * (words - 1 - index if form & _LOW_FIRST else index)
        value = value << 16 | payload[place] << 8 | payload[place + 1]
    if form & _FLAG:
        return {0: 0, 0xFFFF: 1}.get(value, 2)  # 2 is beyond the limits
    if form & _BINARY:
        return single(value, decimals, factor, words)
    if form & _SIGNED and value >> 16 * words - 1:
        value -= 1 << 16 * words
    return value * factor


def single(bits: int, decimals: int, factor: int = 1, words: int = 2) -> int | None:
    """The value of an IEEE 754 binary32 in units of 10^-decimals, or None for none (NaN, inf).

    Rounded to the nearest, halves away from zero; exact in between, whatever the decimals. With 4
    words it is a binary64.
    """
    places, top = (52, 2047) if words == 4 else (23, 255)
    exponent = bits >> places & top
    if exponent == top:
        return None
    value = bits & (1 << places) - 1
    if exponent:
        value |= 1 << places
    else:
        exponent = 1  # without the leading one: smaller than the smallest normal number
    value *= 10**decimals * factor
    shift = places + (top >> 1) - exponent
    if shift > 0:
        value = value + (1 << shift - 1) >> shift
    else:
        value <<= -shift
    return -value if bits >> 16 * words - 1 else value


def _parse(row: str, function: int) -> tuple[tuple, tuple]:
    """(channel, (function and register, form, factor, least, most)) of a row."""
    row = row.strip()
    parts = [part.strip() for part in row.split("|")]
    if len(parts) not in (_COLUMNS, _COLUMNS + 1):
        raise ValueError(
            "%r has %d columns; allowed: key | register | type | decimals | unit | kind |"
            " device class | least..most (this one may be left out)" % (row, len(parts))
        )
    key, register, name, decimals, unit, kind, device_class = parts[:_COLUMNS]
    if not key:
        raise ValueError("%r has no key" % row)
    form, factor = _form(row, name)
    if kind not in _KINDS:
        raise ValueError("%r: kind %r; allowed: %s" % (row, kind, ", ".join(_KINDS)))
    places = _whole(row, "decimals", decimals, 0, 9)
    colon = register.find(":")
    if colon >= 0:
        function = _whole(row, "function", register[:colon].strip(), 3, 4)
        register = register[colon + 1 :].strip()
    place = function << 16 | _whole(row, "register", register, 0, 0x10000 - (form & _WORDS))
    limits = parts[_COLUMNS] if len(parts) > _COLUMNS else ""
    least, most = (0, 1) if form & _FLAG else _limits(row, limits, places)
    unit = unit.replace("m3", "m³")  # as all channels have it
    return (key, unit, places, kind, device_class), (place, form, factor, least, most)


def _form(row: str, text: str) -> tuple[int, int]:
    """(form, factor) of a type."""
    factor = 1
    star = text.find("*")
    name = text
    if star >= 0:
        factor = _whole(row, "factor", text[star + 1 :], 1, 1000000)
        name = text[:star]
    low_first = 0
    if name[-2:] == "lo":
        low_first = _LOW_FIRST
        name = name[:-2]
    form = _TYPES.get(name, 0)
    if not form or (low_first and form & 1) or (form & _FLAG and star >= 0):
        allowed = ", ".join(sorted(_TYPES))
        raise ValueError("%r: type %r; allowed: %s, u32lo, u16*10" % (row, name, allowed))
    return form | low_first, factor


def _limits(row: str, text: str, places: int) -> tuple[int, int]:
    dots = text.find("..")
    if text and dots < 0:
        raise ValueError("%r: limits %r; allowed: 0..400, 0.. or ..400" % (row, text))
    least = _bound(row, "least", text[: max(0, dots)], places, -_BOUND)
    most = _bound(row, "most", text[dots + 2 :], places, _BOUND)
    if least > most:
        raise ValueError("%r: limits %r; allowed: the least first" % (row, text))
    return least, most


def _bound(row: str, what: str, text: str, places: int, default: int) -> int:
    text = text.strip()
    number = parse(text.encode()) if text else (default, places)
    if number is None or number[1] > places:
        allowed = "%r: %s %r; allowed: a number with at most the decimals of the row, %d"
        raise ValueError(allowed % (row, what, text, places))
    return number[0] * 10 ** (places - number[1])


def _whole(row: str, what: str, text: str, least: int, most: int) -> int:
    try:
        value = int(text, 16) if text[:2] in ("0x", "0X") else int(text)
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        raise ValueError("%r: %s %r; allowed: %d to %d" % (row, what, text, least, most))
    return value


def _blocks(fields: list, hole: int) -> tuple:
    """As few requests as the limit and the holes allow: ((function, first, count), ...)."""
    blocks: list = []
    for place, words in sorted([(field[0], field[1] & _WORDS) for field in fields]):
        function, register = place >> 16, place & 0xFFFF
        end = register + words
        if blocks and blocks[-1][0] == function:
            _, first, count = blocks[-1]
            if register <= first + count + hole and end - first <= _LIMIT:
                blocks[-1] = (function, first, max(count, end - first))
                continue
        blocks.append((function, register, words))
    return tuple(blocks)
