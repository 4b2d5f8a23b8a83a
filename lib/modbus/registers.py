"""Tables of registers: what a meter's registers mean, as text, one channel per line.

    table = Table('''
    voltage | 0 | u16   | 1 | V   | measurement      | voltage | 0..4000
    energy  | 5 | u32lo | 3 | kWh | total_increasing | energy
    ''')
    table.blocks                          # ((0, 7),): the first register and how many
    table.decode([payload, ...])          # one per block, None where there is none -> values

The columns: key, register, type, decimals, unit, kind, device class, and the least and most
that can be true, in the channel's own units. Types:

    u16 i16        one register, without or with a sign
    u32 i32        two, the high word first
    u32lo i32lo    two, the low word first
    single         IEEE 754 binary32, the high word first; singlelo: the low word first
    flag           0x0000 is 0, 0xFFFF is 1, and anything else is not plausible
    u16*10         any of them but flag: times 10

A value is an integer in units of 10^-decimals. For the whole-number types that is the register
itself: 2413 with 1 decimal is 241.3. A single is rounded to the decimals, halves away from zero:
it has 24 bits, so that 3 decimals are exact below 16384, and the last digit jumps above.
"""

from micropython import const

_COLUMNS = const(7)  # without the limits
_LIMIT = const(60)  # registers in one request: more than some meters allow
_KINDS = ("measurement", "total", "total_increasing")
# Type -> registers, signed, low word first.
_TYPES = {
    "u16": (1, False, False),
    "i16": (1, True, False),
    "flag": (1, False, False),
    "u32": (2, False, False),
    "i32": (2, True, False),
    "u32lo": (2, False, True),
    "i32lo": (2, True, True),
    "single": (2, False, False),
    "singlelo": (2, False, True),
}


class Implausible(Exception):
    """A value that cannot be true: (key, value)."""


class Table:
    """The channels of a meter, and where their values are."""

    def __init__(self, rows, hole: int = 0) -> None:
        """rows: text, or a list of lines. hole: registers between two rows that may be read too.

        ValueError says which row is wrong, and why.
        """
        if isinstance(rows, str):
            rows = rows.split("\n")
        fields = []
        channels = []
        for row in rows:
            if row.strip() and row.strip()[0] != "#":
                channel, field = _parse(row)
                if channel[0] in [c[0] for c in channels]:
                    raise ValueError("%r: the key is there twice" % row.strip())
                channels.append(channel)
                fields.append(field)
        if not fields:
            raise ValueError("a table needs at least one row")
        self.channels = tuple(channels)
        self.blocks = _blocks(fields, hole)
        self._fields = tuple(fields)

    def decode(self, payloads: list) -> list:
        """The values, None where a block has none; Implausible for what cannot be true."""
        values = []
        for channel, field in zip(self.channels, self._fields):
            value = self._value(field, payloads, channel[2])
            if value is not None and not field[3] <= value <= field[4]:
                raise Implausible(channel[0], value)
            values.append(value)
        return values

    def _value(self, field: tuple, payloads: list, decimals: int) -> int | None:
        register, name, factor = field[:3]
        for (first, count), payload in zip(self.blocks, payloads):
            if first <= register < first + count:
                if payload is None:
                    return None
                return _number(payload, 2 * (register - first), name, factor, decimals)
        return None


def _number(payload: bytes, at: int, name: str, factor: int, decimals: int) -> int | None:
    words, signed, low_first = _TYPES[name]
    value = payload[at] << 8 | payload[at + 1]
    if words == 2:
        second = payload[at + 2] << 8 | payload[at + 3]
        value = second << 16 | value if low_first else value << 16 | second
    if name == "flag":
        return {0: 0, 0xFFFF: 1}.get(value, 2)  # 2 is beyond the limits
    if name in ("single", "singlelo"):
        return single(value, decimals, factor)
    if signed and value >> 16 * words - 1:
        value -= 1 << 16 * words
    return value * factor


def single(bits: int, decimals: int, factor: int = 1) -> int | None:
    """The value of an IEEE 754 binary32 in units of 10^-decimals, or None for none (NaN, inf).

    Rounded to the nearest, halves away from zero; exact in between, whatever the decimals.
    """
    exponent = bits >> 23 & 255
    if exponent == 255:
        return None
    value = bits & 0x7FFFFF
    if exponent:
        value |= 0x800000
    else:
        exponent = 1  # without the leading one: smaller than the smallest normal number
    value *= 10**decimals * factor
    shift = 150 - exponent
    if shift > 0:
        value = value + (1 << shift - 1) >> shift
    else:
        value <<= -shift
    return -value if bits >> 31 else value


def _parse(row: str) -> tuple[tuple, tuple]:
    """(channel, (register, type, factor, least, most)) of a row."""
    parts = [part.strip() for part in row.split("|")]
    if len(parts) not in (_COLUMNS, _COLUMNS + 1):
        raise ValueError(
            "%r has %d columns; allowed: key | register | type | decimals | unit | kind |"
            " device class | least..most (this one may be left out)" % (row.strip(), len(parts))
        )
    key, register, name, decimals, unit, kind, device_class = parts[:_COLUMNS]
    star = name.find("*")
    factor = 1
    if star >= 0:
        factor = _whole(row, "factor", name[star + 1 :], 1, 1000000)
        name = name[:star]
    if not key:
        raise ValueError("%r has no key" % row.strip())
    if name not in _TYPES or (name == "flag" and star >= 0):
        allowed = ", ".join(sorted(_TYPES))
        raise ValueError("%r: type %r; allowed: %s, or u16*10" % (row.strip(), name, allowed))
    if kind not in _KINDS:
        raise ValueError("%r: kind %r; allowed: %s" % (row.strip(), kind, ", ".join(_KINDS)))
    places = _whole(row, "decimals", decimals, 0, 9)
    last = 0x10000 - _TYPES[name][0]
    number = _whole(row, "register", register, 0, last)
    channel = (key, unit, places, kind, device_class)
    least, most = _limits(row, parts[_COLUMNS] if len(parts) > _COLUMNS else "")
    if name == "flag":
        least, most = 0, 1
    return channel, (number, name, factor, least, most)


def _limits(row: str, text: str) -> tuple[int, int]:
    if not text:
        return -(1 << 160), 1 << 160
    dots = text.find("..")
    if dots < 0:
        raise ValueError("%r: limits %r; allowed: 0..4000" % (row.strip(), text))
    bound = 1 << 62
    least = _whole(row, "least", text[:dots], -bound, bound)
    return least, _whole(row, "most", text[dots + 2 :], -bound, bound)


def _whole(row: str, what: str, text: str, least: int, most: int) -> int:
    try:
        value = int(text, 16) if text[:2] in ("0x", "0X") else int(text)
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        raise ValueError("%r: %s %r; allowed: %d to %d" % (row.strip(), what, text, least, most))
    return value


def _blocks(fields: list, hole: int) -> tuple:
    """As few requests as the limit and the holes allow: ((first register, count), ...)."""
    blocks: list = []
    for register, words in sorted([(f[0], _TYPES[f[1]][0]) for f in fields]):
        end = register + words
        if blocks:
            first, count = blocks[-1]
            if register <= first + count + hole and end - first <= _LIMIT:
                blocks[-1] = (first, max(count, end - first))
                continue
        blocks.append((register, words))
    return tuple(blocks)
