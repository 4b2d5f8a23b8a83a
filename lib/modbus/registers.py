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
    acc32 acc64    u32 and u64 that count: 0 means that it has no such counter
    u16*10         any of them but flag: times 10; i16*-1: with the other sign
    i16^40084      any whole number: times 10 to the power of what register 40084 holds, -10..10
    single/1000    a single or double: that part of it, a power of ten

A value is an integer in units of 10^-decimals. For the whole-number types that is the register
itself: 2413 with 1 decimal is 241.3. A single is rounded to the decimals, halves away from zero:
it has 24 bits, so that 3 decimals are exact below 16384, and the last digit jumps above.

A scale factor is read by the same request as its number. A negative one widens the channel, up to
9 decimals; those behind are cut off. As in SunSpec (Device Information Model Specification 1.1,
section 4.4) a factor of 0x8000, and the numbers 0xFFFF (u), 0x8000 (i) and alike, are no value.
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
_COUNTS = const(128)
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
    "acc32": 2 | _COUNTS,
    "acc64": 4 | _COUNTS,
}
_MOST_DECIMALS = const(9)
_MOST_POWER = const(10)
_SCALED = const(7)  # members of a row's field that has a scale: the last two are that
_BOUND = 1 << 160  # no value is further away from 0


class Table:
    """The channels of a meter, and where their values are."""

    def __init__(
        self, rows, hole: int = 0, function: int = 4, also: tuple = (), base: int = 0
    ) -> None:
        """rows: text, or a list of lines. hole: registers between two rows that may be read too.

        function: what reads the rows that name none. ValueError says which row is wrong, and why.
        also: registers that are read as well, for word(). base: added to the rows' registers.
        """
        if isinstance(rows, str):
            rows = rows.split("\n")
        fields = []
        channels = []
        for row in rows:
            if row.strip() and row.strip()[0] != "#":
                channel, field = _parse(row, function, base)
                if channel[0] in [c[0] for c in channels]:
                    raise ValueError("%r: the key is there twice" % row.strip())
                channels.append(channel)
                fields.append(field)
        if not fields:
            raise ValueError("a table needs at least one row")
        self.channels = tuple(channels)  # another one where some have more decimals
        spans = [_span(field) for field in fields]
        spans.extend([(function << 16 | register, 1) for register in also])
        self.blocks = _blocks(spans, hole)
        self._fields = tuple(fields)

    def decode(self, payloads: list, implausible: list | None = None) -> list:
        """The values: None where a block has none, and for what cannot be true.

        implausible: gets (channel, value, least, most) of each of the latter.
        """
        values = []
        for index, field in enumerate(self._fields):
            channel = self.channels[index]
            if len(field) == _SCALED:
                values.append(self._scaled(index, field, payloads, implausible))
                continue
            value = None
            found = self._at(payloads, field[0], field[1] & _WORDS)
            if found:
                value = _number(found[0], found[1], field[1], field[2], channel[2])
            if value is not None and not field[3] <= value <= field[4]:
                if implausible is not None:
                    implausible.append((channel, value, field[3], field[4]))
                value = None
            values.append(value)
        return values

    def word(self, payloads: list, function: int, register: int) -> int | None:
        """What a register that was read holds."""
        found = self._at(payloads, function << 16 | register, 1)
        if not found:
            return None
        payload, at = found
        return payload[at] << 8 | payload[at + 1]

    def _at(self, payloads: list, place: int, words: int) -> tuple | None:
        """(payload, where in it) of registers that stand in one."""
        for (function, first, count), payload in zip(self.blocks, payloads):
            at = place - (function << 16 | first)
            if payload is not None and 0 <= at <= count - words:
                return payload, 2 * at
        return None

    def _scaled(self, index: int, field: tuple, payloads: list, implausible) -> int | None:
        """The value of a row with a scale; its channel gets the decimals that it needs."""
        place, form, factor, least, most, scale, decimals = field
        first, words = _span(field)
        found = self._at(payloads, first, words)
        if not found:
            return None
        payload, start = found
        at = start + 2 * (place - first)
        if scale < 0:
            value = _number(payload, at, form, factor, decimals + scale)
        else:
            value = _number(payload, at, form, 1, 0)
            power = payload[start + 2 * (scale - first)] << 8
            power |= payload[start + 2 * (scale - first) + 1]
            power -= 0x10000 if power & 0x8000 else 0
            if value is None or _is_none(value, form) or abs(power) > _MOST_POWER:
                return None
            value *= factor
            if power < 0:
                cut = max(0, decimals - power - _MOST_DECIMALS)
                size = abs(value) // 10**cut
                value = -size if value < 0 else size
                more = -power - cut
                least, most, decimals = least * 10**more, most * 10**more, decimals + more
            else:
                value *= 10**power
        channel = self.channels[index]
        if value is None:
            return None
        if not least <= value <= most:
            if implausible is not None:
                channel = channel[:2] + (decimals,) + channel[3:]
                implausible.append((channel, value, least, most))
            return None
        if decimals > channel[2]:
            channel = channel[:2] + (decimals,) + channel[3:]
            self.channels = self.channels[:index] + (channel,) + self.channels[index + 1 :]
        return value * 10 ** (channel[2] - decimals)


def _span(field: tuple) -> tuple[int, int]:
    """(function and register, how many) of all that a row needs."""
    place = field[0]
    end = place + (field[1] & _WORDS)
    if len(field) == _SCALED and field[5] > 0:
        place, end = min(place, field[5]), max(end, field[5] + 1)
    return place, end - place


def _is_none(value: int, form: int) -> bool:
    """Whether that is how SunSpec says that there is none."""
    bits = 16 * (form & _WORDS)
    return value == (-1 << bits - 1 if form & _SIGNED else (1 << bits) - 1)


def _number(payload: bytes, at: int, form: int, factor: int, decimals: int) -> int | None:
    words = form & _WORDS
    value = 0
    for index in range(words):
        place = at + 2 * (words - 1 - index if form & _LOW_FIRST else index)
        value = value << 16 | payload[place] << 8 | payload[place + 1]
    if form & _FLAG:
        return {0: 0, 0xFFFF: 1}.get(value, 2)  # 2 is beyond the limits
    if form & _COUNTS and not value:
        return None
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


def _parse(row: str, function: int, base: int) -> tuple[tuple, tuple]:
    """(channel, (function and register, form, factor, least, most)) of a row.

    With a scale there are two more: the place of its factor, or -3 for thousandths; decimals.
    """
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
    form, factor, scale = _form(row, name)
    if kind not in _KINDS:
        raise ValueError("%r: kind %r; allowed: %s" % (row, kind, ", ".join(_KINDS)))
    places = _whole(row, "decimals", decimals, 0, 9)
    colon = register.find(":")
    if colon >= 0:
        function = _whole(row, "function", register[:colon].strip(), 3, 4)
        register = register[colon + 1 :].strip()
    most = 0x10000 - (form & _WORDS) - base
    place = (function << 16) + base + _whole(row, "register", register, 0, most)
    limits = parts[_COLUMNS] if len(parts) > _COLUMNS else ""
    least, most = (0, 1) if form & _FLAG else _limits(row, limits, places)
    unit = unit.replace("m3", "m³")  # as all channels have it
    channel = (key, unit, places, kind, device_class)
    field = (place, form, factor, least, most)
    if not scale:
        return channel, field
    field += (_scale(row, scale, (function << 16) + base, places), places)
    if _span(field)[1] > _LIMIT:
        raise ValueError("%r: its scale factor is not among the %d registers" % (row, _LIMIT))
    return channel, field


def _form(row: str, text: str) -> tuple[int, int, str]:
    """(form, factor, "^register", "/1000" or "") of a type."""
    factor = 1
    scale = ""
    for sign in "^/":
        if text.find(sign) >= 0:
            scale = text[text.find(sign) :]
            text = text[: -len(scale)]
    star = text.find("*")
    name = text.strip()
    if star >= 0:
        factor = _whole(row, "factor", text[star + 1 :].strip(), -1000000, 1000000)
        name = text[:star].strip()
    low_first = 0
    if name[-2:] == "lo":
        low_first = _LOW_FIRST
        name = name[:-2]
    form = _TYPES.get(name, 0)
    odd = (low_first and form & 1) or (form & _FLAG and (star >= 0 or scale)) or not factor
    if not form or odd or (scale and (scale[0] == "/") != bool(form & _BINARY)):
        allowed = ", ".join(sorted(_TYPES))
        more = "u32lo, u16*10, u16^40084, single/1000"
        raise ValueError("%r: type %r; allowed: %s, %s" % (row, name + scale, allowed, more))
    return form | low_first, factor, scale


def _scale(row: str, text: str, base: int, places: int) -> int:
    """What a field holds of its scale."""
    if text[0] == "^":
        return base + _whole(row, "scale factor", text[1:].strip(), 0, 0xFFFF - (base & 0xFFFF))
    for power in range(1, places + 1):
        if text[1:].strip() == str(10**power):
            return -power
    raise ValueError("%r: %r; allowed: a power of ten, with at most its decimals" % (row, text))


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


def _blocks(spans: list, hole: int) -> tuple:
    """As few requests as the limit and the holes allow: ((function, first, count), ...)."""
    blocks: list = []
    for place, words in sorted(spans):
        function, register = place >> 16, place & 0xFFFF
        end = register + words
        if blocks and blocks[-1][0] == function:
            _, first, count = blocks[-1]
            if register <= first + count + hole and end - first <= _LIMIT:
                blocks[-1] = (function, first, max(count, end - first))
                continue
        blocks.append((function, register, words))
    return tuple(blocks)
