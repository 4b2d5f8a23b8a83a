"""Local time with daylight saving from a POSIX TZ string.

Follows IEEE Std 1003.1-2017, section 8.3 (variable TZ), and RFC 8536, section 3.3.1, for times
beyond a day: "CET-1CEST,M3.5.0/02,M10.5.0/03", "<-03>3", "IST-2IDT,M3.4.4/26,M10.5.0". It opens
no file and asks no clock; all times are whole seconds since 2000-01-01.

    zone = posixtz.Zone("CET-1CEST,M3.5.0,M10.5.0/3")
    zone.local(848484000)        # (848487600, False): 2026-11-20T11:00:00 in winter
    zone.abbreviation(False)     # "CET"

Zones without a rule are refused where they name a summer time: whose rule is meant is not said.
"""

from civil import days, fields
from micropython import const

_DAY_S = const(86400)
_DEFAULT_TIME_S = const(7200)  # a change without a time of day comes at 02:00:00
_FOREVER = 1 << 62


class Zone:
    """The local time of one TZ string; raises ValueError for a string that it does not know."""

    def __init__(self, text: str) -> None:
        scan = _Scanner(text)
        self._names = [scan.name()]
        self._standard_s = -scan.time(24, "the offset")  # POSIX counts what is west of Greenwich
        self._summer_s = self._standard_s
        self._rules: tuple | None = None
        # The last answer holds from here …
        self._from = -_FOREVER
        self._until = _FOREVER  # … to before here.
        self._dst = False
        if scan.ended():
            return
        self._names.append(scan.name())
        self._summer_s = self._standard_s + 3600
        if not scan.ended() and scan.peek() != ",":
            self._summer_s = -scan.time(24, "the offset of the summer time")
        if scan.ended():
            raise scan.error("the rule is missing, such as %s,M3.5.0,M10.5.0/3" % text)
        scan.take(",")
        start = scan.change()
        scan.take(",")
        self._rules = (start, scan.change())
        if not scan.ended():
            raise scan.error("nothing may follow")
        self._until = self._from

    def local(self, utc: int) -> tuple[int, bool]:
        """Return (local seconds since 2000-01-01, whether it is summer time) at UTC seconds."""
        if not self._from <= utc < self._until:
            self._look_up(utc)
        return utc + (self._summer_s if self._dst else self._standard_s), self._dst

    def abbreviation(self, dst: bool) -> str:
        """What the zone calls its time, such as "CEST"."""
        return self._names[-1] if dst else self._names[0]

    def _look_up(self, utc: int) -> None:
        """Find the last change until this moment, and the next one."""
        start, end = self._rules  # type: ignore[misc]
        self._from = -_FOREVER
        self._until = _FOREVER
        year = fields(utc + self._standard_s)[0]
        # A change may be a week away from its day, and so belong to the year before or after.
        for near in (year - 1, year, year + 1):
            # The end comes first: where both fall together the summer time goes on for ever.
            self._consider(utc, _moment(end, near) - self._summer_s, False)
            self._consider(utc, _moment(start, near) - self._standard_s, True)

    def _consider(self, utc: int, moment: int, dst: bool) -> None:
        if moment > utc:
            self._until = min(self._until, moment)
        elif moment >= self._from:
            self._from = moment
            self._dst = dst


def _moment(change: tuple, year: int) -> int:
    """The local time of a change in a year: seconds since 2000-01-01."""
    kind, month, week, day, time_s = change
    first = days(year, 1, 1)
    if kind == "M":
        first = days(year, month, 1)
        first += (day - first - 6) % 7 + 7 * week - 7  # 2000-01-01 was a Saturday: day 6
        last = days(year, month + 1, 1) if month < 12 else days(year + 1, 1, 1)
        return (first if first < last else first - 7) * _DAY_S + time_s  # week 5: the last one
    if kind == "J" and (day < 60 or days(year, 3, 1) - first == 59):
        day -= 1  # counted from 1, and 29 February is not counted
    return (first + day) * _DAY_S + time_s


class _Scanner:
    """Reads a TZ string from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def error(self, problem: str) -> ValueError:
        """What is wrong, and where."""
        return ValueError("TZ %r, character %d: %s" % (self._text[:60], self._at + 1, problem))

    def ended(self) -> bool:
        return self._at >= len(self._text)

    def peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def take(self, character: str) -> None:
        if self.peek() != character:
            raise self.error("%r is expected" % character)
        self._at += 1

    def name(self) -> str:
        """At least three letters, or <letters, digits, + and ->."""
        quoted = self.peek() == "<"
        if quoted:
            self._at += 1
        start = self._at
        while _is_letter(self.peek()) or (quoted and (self._digit() or self.peek() in ("+", "-"))):
            self._at += 1
        name = self._text[start : self._at]
        if len(name) < 3:
            raise self.error("a name of three letters or more is expected, such as CET or <-03>")
        if quoted:
            self.take(">")
        return name

    def number(self, least: int, most: int, what: str) -> int:
        start = self._at
        while self._digit() and self._at - start < 3:
            self._at += 1
        digits = self._text[start : self._at]
        if not digits or not least <= int(digits) <= most:
            self._at = start
            raise self.error("%s is expected, %d to %d" % (what, least, most))
        return int(digits)

    def time(self, most_hours: int, what: str) -> int:
        """[+-]hh[:mm[:ss]] in seconds."""
        sign = -1 if self.peek() == "-" else 1
        if self.peek() in ("+", "-"):
            self._at += 1
        seconds = 3600 * self.number(0, most_hours, what + " in hours")
        if self.peek() == ":":
            self._at += 1
            seconds += 60 * self.number(0, 59, "minutes")
            if self.peek() == ":":
                self._at += 1
                seconds += self.number(0, 59, "seconds")
        return sign * seconds

    def change(self) -> tuple:
        """Mm.w.d, Jn or n, and /time: (kind, month, week, day, seconds after midnight)."""
        kind = self.peek()
        month = week = 0
        if kind == "M":
            self._at += 1
            month = self.number(1, 12, "a month")
            self.take(".")
            week = self.number(1, 5, "a week")
            self.take(".")
            day = self.number(0, 6, "a day of the week")
        elif kind == "J":
            self._at += 1
            day = self.number(1, 365, "a day of the year")
        else:
            kind = ""
            day = self.number(0, 365, "M (month.week.day), J or a day of the year")
        time_s = _DEFAULT_TIME_S
        if self.peek() == "/":
            self._at += 1
            time_s = self.time(167, "the time of the change")
        return kind, month, week, day, time_s

    def _digit(self) -> bool:
        return "0" <= self.peek() <= "9"


def _is_letter(character: str) -> bool:
    return "a" <= character <= "z" or "A" <= character <= "Z"
