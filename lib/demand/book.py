"""Months of demand peaks by a scheme, in bounded memory: what intervals add up to.

    book = Book(named("flanders"))
    book.add(start, local, power)          # each interval that ended: UTC, local time, mW
    book.tell(month, power)                # what the meter says of a month
    book.mean()                            # (W that are charged, of how many months)
    texts = book.texts()                   # to keep, each at most 200 characters
    book.load(texts)                       # False: they are of another scheme, or none

Months are counted from 2000-01 on. Of each of the last 13 are kept: our own value (mW, of excess
mWh), and the meter's. The meter's is charged where there is one, for its operator reads it; ours
is kept beside it. A month of which nothing is known counts for nothing: the mean is of the others.

Of the running period the highest intervals are kept, `pick` of them. Of the last twelve months
those are kept that may be among the highest once older ones are gone: one per week at most.
"""

from micropython import const

from . import divided
from .scheme import Scheme, month_of

_KEPT = const(12)  # months before the running one
_UNIT = const(900)  # seconds: starts are kept in quarters of an hour
_PER_TEXT = const(8)  # rows of at most 24 characters
_OWN = const(0)
_METER = const(1)
_VALUE = const(0)  # of a peak: weighted mW, UTC, local time
_START = const(1)
_LOCAL = const(2)


class Book:
    """The months of one scheme."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        self.month = -1  # the running one
        self.highest: int | None = None  # mW of its highest interval that counts, not weighted
        self.highest_start = 0
        self._months: dict = {}  # month -> [own, the meter's]
        self._peaks: list = []  # in order of time

    def begin(self, month: int) -> bool:
        """It is this month now; False where it was a later one already."""
        if month > self.month:
            self.month = month
            self.highest = None
            old = [one for one in self._months if one < month - _KEPT]
            for one in old:
                del self._months[one]
            oldest = month - _KEPT + 1 if self.scheme.yearly else month
            self._peaks = [peak for peak in self._peaks if month_of(peak[_LOCAL]) >= oldest]
        return month == self.month

    def go_back(self, month: int) -> None:
        """It is this month after all: what is later was of a wrong date."""
        self._months = {one: self._months[one] for one in self._months if one <= month}
        self._peaks = [peak for peak in self._peaks if month_of(peak[_LOCAL]) < month]
        self.month = month - 1
        self.begin(month)

    def add(self, start: int, local: int, power: int) -> bool:
        """An interval of this mean; False where it does not count."""
        scheme = self.scheme
        if not self.begin(month_of(local)) or not scheme.counts(local):
            return False
        if self.highest is None or power > self.highest:
            self.highest = power
            self.highest_start = start
        row = self._row(self.month)
        if scheme.excess:
            above = max(0, power - scheme.floor) * scheme.interval // 3600
            row[_OWN] = (row[_OWN] or 0) + above
            return True
        self._insert((power * scheme.weight(local) // 100, start, local))
        row[_OWN] = self._mean_of_peaks()
        return True

    def tell(self, month: int, power: int) -> None:
        """The meter's own peak of a month, in mW; of two meters the higher one."""
        if self.scheme.plain() and self.month - _KEPT <= month <= self.month:
            row = self._row(month)
            row[_METER] = max(power, row[_METER] or 0)

    def of_meter(self, month: int) -> int | None:
        """What the meter said of a month."""
        return self._months[month][_METER] if month in self._months else None

    def own(self, month: int) -> int | None:
        """What we counted of it, without the floor."""
        if self.scheme.yearly and month == self.month:
            return self._mean_of_peaks()
        return self._months[month][_OWN] if month in self._months else None

    def value(self, month: int) -> int | None:
        """What counts of a month; None where nothing is known of it."""
        found = self.of_meter(month)
        if found is None:
            found = self.own(month)
        if found is None or self.scheme.excess:
            return found
        return max(found, self.scheme.floor)

    def mean(self) -> tuple:
        """(W or Wh that are charged, of how many months they are the mean); (None, 0): of none."""
        months = range(self.month - self.scheme.over + 1, self.month + 1)
        values = [value for value in map(self.value, months) if value is not None]
        count = len(values)
        return (divided(sum(values), 1000 * count) if values else None), count

    def texts(self) -> list:
        """All of it, as short texts."""
        found = ["s" + self.scheme.row[:199]]
        highest = (self.month, self.highest, self.highest_start)
        found.extend(_packed("h", [highest]))
        months = sorted(self._months)
        found.extend(_packed("m", [[month] + self._months[month] for month in months]))
        peaks = [(p[0], p[1] // _UNIT, (p[2] - p[1]) // _UNIT) for p in self._peaks]
        found.extend(_packed("p", peaks))
        return found

    def load(self, texts) -> bool:
        """Go on with what texts() gave; False, and nothing is changed, where that cannot be."""
        if not texts or texts[0] != "s" + self.scheme.row[:199]:
            return False
        loaded = Book(self.scheme)
        try:
            for text in texts[1:]:
                for row in _unpacked(text[1:]):
                    loaded._take(text[:1], row)
        except ValueError:
            return False
        self.month, self.highest = loaded.month, loaded.highest
        self.highest_start = loaded.highest_start
        self._months, self._peaks = loaded._months, loaded._peaks
        return True

    def _take(self, letter: str, row: list) -> None:
        first, second, third = row
        if letter == "h":
            self.month, self.highest, self.highest_start = first, second, third
        elif letter == "m":
            self._months[first] = [second, third]
        elif letter == "p":
            start = second * _UNIT
            self._peaks.append((first, start, start + third * _UNIT))

    def _row(self, month: int) -> list:
        if month not in self._months:
            self._months[month] = [None, None]
        return self._months[month]

    def _insert(self, new: tuple) -> None:
        """Keep an interval, if it may be one of those that are picked."""
        scheme = self.scheme
        group = scheme.group(new[_START], new[_LOCAL])
        kept = []
        for peak in self._peaks:
            if scheme.group(peak[_START], peak[_LOCAL]) == group:
                if peak[_VALUE] >= new[_VALUE]:
                    return
            else:
                kept.append(peak)
        kept.append(new)
        if scheme.yearly:
            kept = self._not_outdone(kept)
        elif len(kept) > scheme.pick:
            kept.remove(min(kept, key=_value_of))
        self._peaks = kept

    def _not_outdone(self, peaks: list) -> list:
        """Without the old ones that enough newer ones are as high as."""
        kept: list = []
        newer: list = []  # the highest of those behind, the least first
        for peak in reversed(peaks):
            value = peak[_VALUE]
            if len(newer) < self.scheme.pick or value > newer[0]:
                kept.append(peak)
                newer = sorted(newer + [value])[-self.scheme.pick :]
        kept.reverse()
        return kept

    def _mean_of_peaks(self) -> int | None:
        values = sorted([peak[_VALUE] for peak in self._peaks])[-self.scheme.pick :]
        return sum(values) // len(values) if values else None


def _value_of(peak: tuple) -> int:
    return peak[_VALUE]


def _packed(letter: str, rows: list):
    """Rows of three numbers as texts; None is a hyphen."""
    for at in range(0, len(rows), _PER_TEXT):
        words = []
        for row in rows[at : at + _PER_TEXT]:
            words.append(" ".join(["-" if n is None else str(n) for n in row]))
        yield letter + ",".join(words)


def _unpacked(text: str):
    for row in text.split(","):
        words = row.split(" ")
        if len(words) != 3:
            raise ValueError("not three numbers")
        yield [None if word == "-" else int(word) for word in words]
