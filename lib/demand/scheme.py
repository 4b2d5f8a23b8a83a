"""Capacity tariffs as rows of data: which intervals count, how many of them, over how many months.

    flanders = named("flanders")
    flanders.interval                      # 900
    flanders.counts(local)                 # whether an interval counts that begins then
    own = Scheme("winter | 3600 | month | nov-mar mon-fri 7-19 | 100 | 3 | day | 0 | 1 | month")

The columns of a row:

    name       what it is called
    interval   900, 1800 or 3600 seconds, which begin by local time
    period     month, or year: the last twelve months, this one included
    window     all, or months, days of the week and hours: nov-mar mon-fri 7-19. Of several of one
               kind each counts. 7-19 ends when it is 19:00
    weight     percent of an interval's mean that count; one number, or twelve from January on
    pick       how many of the highest make up the period's value, as their mean; of excess 0
    apart      those are each of another day or week; -: of other intervals
    floor      kW that a period has at least; of excess what is free
    over       months whose mean is charged, this one included
    price      of a kW per year, of a kW per month; kWh: of the energy above the floor (excess)

Prices change every year, and with the place: there is none here. Which tariff is whose is in
docs/peak.md of JouleLog.
"""

from civil import days, fields
from micropython import const

from . import watts

SCHEMES = """
flanders | 900 | month | all | 100 | 1 | - | 2.5 | 12 | year
month_max | 3600 | month | all | 100 | 1 | - | 0 | 1 | month
three_days | 3600 | month | all | 100 | 3 | day | 0 | 1 | month
weeks | 3600 | year | all | 100 100 85 50 30 25 25 25 30 45 70 95 | 5 | week | 0 | 1 | year
excess | 900 | month | all | 100 | 0 | - | 3 | 1 | kWh
"""
NEVER = const(0)
DAY = const(1)
WEEK = const(2)

_COLUMNS = "name | interval | period | window | weight | pick | apart | floor | over | price"
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_DAYS = "mon tue wed thu fri sat sun"
_HOURS = const(24)
_MOST_PICKED = const(9)
_SUNDAY = const(6)


def rows(text: str) -> list:
    """The rows of a table."""
    return [row for row in text.split("\n") if row]


def name_of(row: str) -> str:
    """Its first column."""
    return row.split("|", 1)[0].strip()


def named(name: str, own=(), floor: str = "", holidays=()):
    """The scheme of this name, in rows of one's own or of the table; ValueError tells the others.

    floor: kW in the place of its own.
    """
    known = list(own) + rows(SCHEMES)
    for row in known:
        if name_of(row) == name:
            return Scheme(row, floor, holidays)
    names = ", ".join([name_of(row) for row in known])
    raise ValueError("no scheme has that name; there are " + names)


class Scheme:
    """One row, read; ValueError tells what is wrong with it."""

    def __init__(self, row: str, floor: str = "", holidays=()) -> None:
        """holidays: "2026-04-06", or "12-25" for every year; as Sundays to the window."""
        columns = [column.strip() for column in row.split("|")]
        if len(columns) != 10:
            raise ValueError("a row has ten columns: " + _COLUMNS)
        self.name, interval, period, window, weight, pick, apart, least, over, price = columns
        self.row = row if not floor else row + "|" + floor  # what the months were made by
        self.interval = _one_of("interval", interval, ("900", "1800", "3600"), (900, 1800, 3600))
        self.yearly = _one_of("period", period, ("month", "year"), (False, True))
        self.pick = _whole("pick", pick, 0, _MOST_PICKED)
        self.apart = _one_of("apart", apart, ("-", "day", "week"), (NEVER, DAY, WEEK))
        self.floor = 1000 * watts(floor or least)  # mW
        self.over = _whole("over", over, 1, 12)
        self.price = _one_of("price", price, ("year", "month", "kWh"), ("year", "month", "kWh"))
        self.excess = self.pick == 0
        if self.excess != (price == "kWh"):
            raise ValueError("pick; allowed: 0 with the price kWh, and only with it")
        self._weights = _weights(weight)
        self._months, self._days, self._hours = _window(window)
        self._holidays = [_holiday(text) for text in holidays]

    def plain(self) -> bool:
        """Whether a month's value is the highest quarter of an hour, as meters tell it."""
        return (
            self.interval == 900
            and self.pick == 1
            and not self.yearly
            and self._weights == [100] * 12
            and (self._months, self._days, self._hours) == _window("all")
        )

    def counts(self, local: int) -> bool:
        """Whether an interval that begins at this local time is in the window."""
        year, month, day, hour = fields(local)[:4]
        if not self._months >> (month - 1) & 1 or not self._hours >> hour & 1:
            return False
        weekday = (local // 86400 + 5) % 7  # 2000-01-01 was a Saturday
        if (0, month, day) in self._holidays or (year, month, day) in self._holidays:
            weekday = _SUNDAY
        return bool(self._days >> weekday & 1)

    def weight(self, local: int) -> int:
        """Percent of it that count."""
        return self._weights[fields(local)[1] - 1]

    def group(self, start: int, local: int) -> int:
        """Of intervals with the same number one counts."""
        if self.apart == NEVER:
            return start
        day = local // 86400
        return day if self.apart == DAY else (day + 5) // 7


def month_of(local: int) -> int:
    """Months since 2000-01."""
    year, month = fields(local)[:2]
    return (year - 2000) * 12 + month - 1


def _one_of(column: str, word: str, words: tuple, meanings: tuple):
    if word not in words:
        raise ValueError("%s; allowed: %s" % (column, ", ".join(words)))
    return meanings[words.index(word)]


def _whole(column: str, word: str, least: int, most: int) -> int:
    if not word.isdigit() or len(word) > 4 or not least <= int(word) <= most:
        raise ValueError("%s; allowed: a whole number from %d to %d" % (column, least, most))
    return int(word)


def _weights(text: str) -> list:
    found = [_whole("weight", word, 1, 999) for word in text.split()]
    if len(found) == 1:
        return found * 12
    if len(found) != 12:
        raise ValueError("weight; allowed: one number, or twelve")
    return found


def _window(text: str) -> tuple:
    """(months, days, hours) as sets of bits; what is not named is whole."""
    months = week = hours = 0
    for word in text.split() if text != "all" else ():
        first, last = word.split("-", 1) if "-" in word else (word, word)
        if first in _MONTHS.split():
            months |= _between(first, last, _MONTHS.split())
        elif first in _DAYS.split():
            week |= _between(first, last, _DAYS.split())
        else:
            begin = _whole("an hour of the window", first, 0, _HOURS - 1)
            end = _whole("an hour of the window", last, 0, _HOURS)
            if begin == end or "-" not in word:
                raise ValueError("hours of the window; allowed: from-to, as 7-19 or 22-6")
            for number in range(_HOURS):
                if (begin <= number < end) if begin < end else not end <= number < begin:
                    hours |= 1 << number
    return months or (1 << 12) - 1, week or (1 << 7) - 1, hours or (1 << _HOURS) - 1


def _between(first: str, last: str, names: list) -> int:
    """The bits from one name to the other; over the end where that is before the first."""
    if last not in names:
        raise ValueError("the window; allowed behind %s-: %s" % (first, ", ".join(names)))
    at = names.index(first)
    bits = 1 << at
    while names[at] != last:
        at = (at + 1) % len(names)
        bits |= 1 << at
    return bits


def _holiday(text: str) -> tuple:
    """(year or 0, month, day)."""
    parts = text.split("-")
    digits = [part.isdigit() and len(part) in (2, 4) for part in parts]
    if len(parts) in (2, 3) and all(digits):
        year, month, day = [int(part) for part in ["0"] * (3 - len(parts)) + parts]
        leap = year or 2000
        if 1 <= month <= 12 and fields(days(leap, month, day) * 86400)[1:3] == (month, day):
            return year, month, day
    raise ValueError('a holiday; allowed: "2026-04-06", or "12-25" for each year')
