"""Time stamps of P1 telegrams -> UTC in seconds since 2000-01-01.

    utc(b"231026204015S", 1)       -> 751660815      YYMMDDhhmmss, S summer, W winter time
    utc(b"140101004100", 1)        -> 441848460      no flag: the European Union's rule decides
    utc(b"20240111 09:35:00", 1)   -> 758277300      as a Danish meter writes it
    utc(b"632525252525W", 1)       -> None           no date: a channel without a meter
    utc(b"07EA0612040A2B2B00FF8880", 1)  -> 835087423   COSEM date-time in hexadecimal

DSMR P1 Companion Standard 5.0.2, section 6.4 (TST). The second argument is the winter offset
of the meter's country in hours: 1 for Central, 2 for Eastern European Time.
"""

from civil import seconds, summer
from micropython import const

_SUMMER = const(83)
_WINTER = const(87)
_MONTH_DAYS = b"\x1f\x1d\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f"


def utc(text: bytes, base_hours: int) -> int | None:
    """UTC of a time stamp, or None where the text is none."""
    size = len(text)
    if size == 24:
        from . import cosem  # few meters send that

        return cosem.utc(text, base_hours)
    if size == 17:  # YYYYMMDD hh:mm:ss
        text = text[2:8] + text[9:11] + text[12:14] + text[15:17]
        size = 12
    if size != 12 and size != 13:
        return None
    digits = text[:12]
    if not digits.isdigit():
        return None
    fields = [int(digits[at : at + 2]) for at in range(0, 12, 2)]
    flag = text[12] if size == 13 else 0
    if flag and flag != _SUMMER and flag != _WINTER:
        return None
    return of_fields(2000 + fields[0], fields, flag, base_hours)


def of_fields(year: int, fields, flag: int, base_hours: int) -> int | None:
    """UTC of local time; fields: anything, month, day, hour, minute, second; flag: 0 untold."""
    _, month, day, hour, minute, second = fields
    if not 1 <= month <= 12 or not 1 <= day <= _MONTH_DAYS[month - 1]:
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    local = seconds(year, month, day, hour, minute, second)
    if not flag:
        flag = _SUMMER if summer(local, base_hours) else _WINTER
    return local - base_hours * 3600 - (3600 if flag == _SUMMER else 0)


def has_season(text: bytes) -> bool:
    """Whether a time stamp says itself if it is summer time."""
    if len(text) == 24:
        return text[18:22] != b"8000" or text[22:].upper() != b"FF"
    return text[-1:] in (b"S", b"W")


def dated(text: bytes) -> bool:
    """Whether digits are a date, also one without seconds, or with a year of four digits."""
    return moment(text, 1) is not None


def moment(text: bytes, base_hours: int) -> int | None:
    """UTC of what dated() takes for a date, None for no date."""
    if 10 <= len(text) <= 11:
        text = text[:10] + b"00" + text[10:]
    elif 14 <= len(text) <= 15:
        text = text[2:]
    return utc(text, base_hours)


def in_summer(time: int, base_hours: int) -> bool:
    """Whether UTC of a time stamp without a flag was taken for summer time."""
    return summer(time + base_hours * 3600, base_hours)
