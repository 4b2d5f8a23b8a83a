"""Tables of what stands where in a meter's JSON, as text, one channel per line.

    table = Table('''
    power         | em:0/total_act_power         | W  | 1 | W   | measurement      | power
    energy_import | aenergy/total -? ret/total   | Wh | 3 | kWh | total_increasing | energy
    voltage       | V/v @ V/d when reachable     | V  | 1 | V   | measurement      | voltage | 0..9
    ''')
    pick = Picker(table.paths)
    ...                                   # pick.feed(piece) as often as one comes, pick.end()
    values = table.decode(pick.texts)     # of table.channels, in units of 10^-decimals
    table.channels                        # those that had a value so far, in the order of their
                                          # first one; the same object while nothing changes

The columns: key, where, unit in the answer, decimals, unit, kind, device class, and the least and
most that can be true (`0..400`), in the channel's unit; beyond them there is no value.

Where: a path (jsonpick), or several with blanks and signs between them: ` + `, ` - `, and ` +? `,
` -? ` for what may be missing. ` @ path`: there stands how many decimals are real, and the value
is rounded to them, half away from zero. ` when path`: only where that is true; ` when path <= 60`,
or `>=`: where it is such a number; ` when age path <= 60`: where no more seconds have passed since
that moment (Unix seconds), as far as the time is known. There may be several of these.
` by path A B`: the number is a size alone, + where A stands there and - where B does; else there
is no value.

A value is exact. With more decimals than its channel has it widens the channel, up to 9; those
behind are cut off. Wh, W·min (Wmin), W·s (Ws) and the like become kWh, and so on (see _SCALES);
0.1, 0.01 and the like in front of a unit say that such parts of it are counted. Where a division
has no end, as with minutes, it is cut at the row's decimals: never ahead of the device.
"""

from exact import DECIMALS, KIND, parse, rescale
from jsonpick import number
from micropython import const

_COLUMNS = const(7)  # without the limits
_MOST_ROWS = const(60)
_MOST_DECIMALS = const(9)
_BOUND = 10**40
_KINDS = ("measurement", "total", "total_increasing", "text", "code", "flag")
# (in the answer, in the channel) -> times, divided by
_SCALES = {
    ("kW", "W"): (1000, 1),
    ("mW", "W"): (1, 1000),
    ("mV", "V"): (1, 1000),
    ("mA", "A"): (1, 1000),
    ("kvar", "var"): (1000, 1),
    ("kVA", "VA"): (1000, 1),
    ("Wh", "kWh"): (1, 1000),
    ("mWh", "kWh"): (1, 1000000),
    ("MWh", "kWh"): (1000, 1),
    ("Wmin", "kWh"): (1, 60000),
    ("Ws", "kWh"): (1, 3600000),
    ("l", "m³"): (1, 1000),
    ("%", ""): (1, 100),
}
_SIGNS = {"+": 1, "-": -1, "+?": 1, "-?": -1}


class Table:
    """The channels of a meter, and where their values are."""

    def __init__(self, rows) -> None:
        """rows: text, or a list of lines. ValueError says which row is wrong, and why."""
        if isinstance(rows, str):
            rows = rows.split("\n")
        self.paths: list = []  # each once, in the order that decode() wants
        known: dict = {}  # what many rows share takes room once
        channels = []
        fields = []
        for row in rows:
            if row.strip() and row.strip()[0] != "#":
                channel, field = self._parse(row.strip(), known)
                if channel[0] in [c[0] for c in channels]:
                    raise ValueError("%r: the key is there twice" % row.strip())
                channels.append(channel)
                fields.append(field)
        if not 0 < len(fields) <= _MOST_ROWS:
            raise ValueError("a table needs 1 to %d rows" % _MOST_ROWS)
        self.rows = tuple(channels)
        self.channels: tuple = ()
        self._fields = tuple(fields)
        self._met: list = []  # indexes of rows, as in channels

    def decode(self, texts: list, now: int | None = None) -> list:
        """The values, None for what is not there, not true or no number; now: Unix seconds."""
        wider = None
        found = [self._value(*pair, texts, now) for pair in zip(self._fields, self.rows)]
        for row, value in enumerate(found):
            if value is not None and row not in self._met:
                self._met.append(row)
                wider = wider or list(self.channels)
                wider.append(self.rows[row])
        values = []
        for index, row in enumerate(self._met):
            value = found[row]
            channel = (wider or self.channels)[index]
            if value is not None and channel[KIND] != "text":
                value, decimals = value
                if decimals > channel[DECIMALS]:
                    wider = wider or list(self.channels)
                    wider[index] = channel[:DECIMALS] + (decimals,) + channel[DECIMALS + 1 :]
                else:
                    value = rescale(value, decimals, channel[DECIMALS])
            values.append(value)
        if wider:
            self.channels = tuple(wider)
        return values

    def _value(self, field: tuple, channel: tuple, texts: list, now):
        """(value, decimals) of a channel, or its text; None."""
        terms, places, tests, (times, parts), limits, cut, by = field
        for path, *test in tests:
            if not _holds(texts[path], now, *test):
                return None
        text = texts[terms[0][0]]
        if channel[KIND] == "text":
            return None if text is None or text[:1] != b'"' else _decoded(text[1:])
        if channel[KIND] == "flag":
            return {b"true": (1, 0), b"false": (0, 0), b"1": (1, 0), b"0": (0, 0)}.get(text)
        value, decimals = 0, 0
        for path, sign, needed in terms:
            found = _number(texts[path])
            if found is None:
                if needed:
                    return None
                continue
            most = max(decimals, found[1])
            value = rescale(value, decimals, most) + sign * rescale(found[0], found[1], most)
            decimals = most
        if places is not None:
            real = _number(texts[places])
            if real is not None and not real[1] and 0 <= real[0] < decimals:
                value, decimals = _rounded(value, decimals - real[0]), real[0]
        if by is not None and value:
            told = texts[by[0]] or b""
            told = told[1:] if told[:1] == b'"' else told
            if told not in by:
                return None
            value = abs(value) if told == by[1] else -abs(value)
        value, decimals = _scaled(value * times, decimals, parts, cut)
        for least, other, sign in limits:
            if sign * value * 10**other > sign * least * 10**decimals:
                return None
        return value, decimals

    def _parse(self, row: str, known: dict) -> tuple:
        """(channel, field) of a row."""
        columns = [known.setdefault(part.strip(), part.strip()) for part in row.split("|")]
        if len(columns) not in (_COLUMNS, _COLUMNS + 1):
            raise ValueError(
                "%r has %d columns; allowed: key | where | unit in the answer | decimals | unit |"
                " kind | device class | least..most (this one may be left out)"
                % (row, len(columns))
            )
        key, where, wire, decimals, unit, kind, device_class = columns[:_COLUMNS]
        if not key:
            raise ValueError("%r has no key" % row)
        if kind not in _KINDS:
            raise ValueError("%r: kind %r; allowed: %s" % (row, kind, ", ".join(_KINDS)))
        if not decimals.isdigit() or int(decimals) > _MOST_DECIMALS:
            raise ValueError("%r: decimals %r; allowed: 0 to 9" % (row, decimals))
        scale = _scale(wire, unit)
        if scale is None:
            others = ", ".join([one for one, other in sorted(_SCALES) if other == unit])
            text = "%r: %s cannot be made %s; allowed: %s"
            raise ValueError(text % (row, wire or "nothing", unit or "nothing", others or unit))
        terms, places, tests, by = self._where(row, where)
        limits = _limits(row, columns[_COLUMNS] if len(columns) > _COLUMNS else "")
        cut = int(decimals)
        channel = (key, unit, cut, kind, device_class)
        shared = [known.setdefault(one, one) for one in (terms, tests, scale, limits)]
        return channel, (shared[0], places, shared[1], shared[2], shared[3], cut, by)

    def _where(self, row: str, where: str) -> tuple:
        """(terms, path of the real decimals or None, tests, direction) of the second column."""
        value, *conditions = where.split(" when ")
        tests = tuple([self._test(row, condition.strip()) for condition in conditions])
        value, *directions = value.split(" by ")
        value, *real = value.split(" @ ")
        if len(real) > 1 or len(directions) > 1:
            raise ValueError("%r: one ` @ ` and one ` by ` are allowed" % row)
        by = self._direction(row, directions[0]) if directions else None
        places = self._path(row, real[0]) if real else None
        terms = []
        words: list = []
        sign, needed = 1, True
        for word in value.split(" ") + ["+"]:
            if word not in _SIGNS:
                words.append(word)
                continue
            terms.append((self._path(row, " ".join(words)), sign, needed))
            words = []
            sign, needed = _SIGNS[word], len(word) == 1
        return tuple(terms), places, tests, by

    def _direction(self, row: str, text: str) -> tuple:
        """(path, what stands there for +, and for -)."""
        words = text.strip().split(" ")
        if len(words) < 3 or words[-1] == words[-2]:
            raise ValueError("%r: ` by ` is followed by a path and two words, for + and -" % row)
        path = self._path(row, " ".join(words[:-2]))
        return path, words[-2].encode(), words[-1].encode()

    def _test(self, row: str, condition: str) -> tuple:
        """(path, 1 for at most and -1 for at least and 0 for true, the number, whether an age)."""
        sign, limit = 0, None
        for mark, found in ((" <= ", 1), (" >= ", -1)):
            at = condition.find(mark)
            if at >= 0:
                sign, limit = found, parse(condition[at + 4 :].strip().encode())
                if limit is None:
                    raise ValueError("%r: behind%sstands no number" % (row, mark))
                condition = condition[:at]
        is_age = condition[:4] == "age "
        if is_age and not sign:
            raise ValueError("%r: an age is compared: ` when age path <= 60`" % row)
        return self._path(row, condition[4:] if is_age else condition), sign, limit, is_age

    def _path(self, row: str, path: str) -> int:
        """The number of a path."""
        path = path.strip()
        if not path:
            raise ValueError("%r: a path is missing" % row)
        if path not in self.paths:
            self.paths.append(path)
        return self.paths.index(path)


def _scale(wire: str, unit: str) -> tuple[int, int] | None:
    """(times, divided by) from one unit to the other."""
    parts = 1
    if wire[:2] == "0.":
        digits = wire[2:].lstrip("0")
        if digits[:1] != "1":
            return None
        parts = 10 ** (len(wire) - 1 - len(digits))
        wire = digits[1:]
    scale = (1, 1) if wire == unit else _SCALES.get((wire, unit))
    return None if scale is None else (scale[0], scale[1] * parts)


def _number(text: bytes | None) -> tuple[int, int] | None:
    """(value, decimals), also of a number that stands in a text."""
    if text is not None and text[:1] == b'"':
        text = text[1:]
    return number.exact(text)


def _decoded(text: bytes) -> str | None:
    try:
        return text.decode()
    except UnicodeError:
        return None


def _holds(text: bytes | None, now: int | None, sign: int, limit, is_age: bool) -> bool:
    """Whether a condition is true."""
    if not sign:
        return text in (b"true", b"1")
    found = _number(text)
    if found is None:
        return False
    value, decimals = found
    if is_age:
        if now is None:
            return True
        value = now * 10**decimals - value
    return sign * value * 10 ** limit[1] <= sign * limit[0] * 10**decimals


def _rounded(value: int, digits: int) -> int:
    """Without so many last digits, half away from zero."""
    part = 10**digits
    size = (abs(value) * 2 + part) // (2 * part)
    return -size if value < 0 else size


def _scaled(value: int, decimals: int, parts: int, cut: int) -> tuple[int, int]:
    """Divided; without zeros at the end beyond the channel's decimals, cut towards zero."""
    sign = -1 if value < 0 else 1
    value = abs(value)
    while parts > 1 and parts % 10 == 0:
        parts //= 10
        decimals += 1
    if parts > 1:
        if decimals < cut:
            value, decimals = value * 10 ** (cut - decimals), cut
        value //= parts
        value, decimals = value // 10 ** (decimals - cut), cut
    while decimals > cut and not value % 10:
        value //= 10
        decimals -= 1
    if decimals > _MOST_DECIMALS:
        value //= 10 ** (decimals - _MOST_DECIMALS)
        decimals = _MOST_DECIMALS
    return sign * value, decimals


def _limits(row: str, text: str) -> tuple:
    """((bound, its decimals, 1 for the most and -1 for the least), ...)"""
    if not text:
        return ()
    at = text.find("..")
    if at < 0:
        raise ValueError("%r: limits %r; allowed: 0..400, 0.. or ..400" % (row, text))
    found = []
    for part, sign in ((text[:at].strip(), -1), (text[at + 2 :].strip(), 1)):
        if part:
            bound = parse(part.encode())
            if bound is None:
                raise ValueError("%r: limits %r; allowed: 0..400, 0.. or ..400" % (row, text))
            found.append(bound + (sign,))
    return tuple(found)
