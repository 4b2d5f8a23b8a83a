"""Calendar arithmetic on whole seconds since 2000-01-01T00:00:00 (proleptic Gregorian).

    seconds(2026, 11, 20, 10, 0, 0)    -> 848484000
    fields(848484000)                  -> (2026, 11, 20, 10, 0, 0)
    iso(848484000)                     -> "2026-11-20T10:00:00Z"
    summer(seconds of local time)      -> True where the European Union has summer time

The same on every port: time.localtime() starts in 2000 on a chip and in 1970 on a computer.
Summer time in the European Union: directive 2000/84/EC, last Sunday of March 01:00 UTC to
last Sunday of October 01:00 UTC.
"""

from micropython import const

UNIX_2000 = 946684800  # 2000-01-01T00:00:00Z in Unix seconds

_DAYS_TO_2000 = const(730425)  # from 0000-03-01, where the 400-year cycle is counted from


def days(year: int, month: int, day: int) -> int:
    """Days from 2000-01-01 to a date."""
    # The year begins on 1 March here, so that the leap day comes last.
    if month <= 2:
        year -= 1
        month += 12
    era, of_era = divmod(year, 400)
    of_year = (153 * (month - 3) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - _DAYS_TO_2000


def seconds(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0
) -> int:
    """Seconds from 2000-01-01T00:00:00 to a date and time."""
    return days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second


def fields(since_2000: int) -> tuple[int, int, int, int, int, int]:
    """(year, month, day, hour, minute, second) of seconds since 2000-01-01."""
    day, rest = divmod(since_2000, 86400)
    era, of_era = divmod(day + _DAYS_TO_2000, 146097)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    year += era * 400
    if month >= 10:
        return year + 1, month - 9, day, rest // 3600, rest // 60 % 60, rest % 60
    return year, month + 3, day, rest // 3600, rest // 60 % 60, rest % 60


def iso(since_2000: int) -> str:
    """ISO 8601 in UTC, such as "2026-11-20T10:00:00Z"."""
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % fields(since_2000)


def summer(local: int, base_hours: int) -> bool:
    """True where the EU has summer time at this local time; base_hours is the winter offset.

    The hour that comes twice in October counts as summer time, the one that never comes in
    March too.
    """
    year = fields(local)[0]
    utc = local - base_hours * 3600
    start = _last_sunday(year, 3) * 86400 + 3600
    end = _last_sunday(year, 10) * 86400 + 3600
    return start <= utc < end + 3600


def _last_sunday(year: int, month: int) -> int:
    last = days(year, month, 31)
    return last - (last + 6) % 7  # 2000-01-01 was a Saturday
