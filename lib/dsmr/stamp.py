"""Time stamps of P1 telegrams -> UTC in seconds since 2000-01-01.

    utc(b"231026204015S", 1)       -> 751660815      YYMMDDhhmmss, S summer, W winter time
    utc(b"140101004100", 1)        -> 441848460      no flag: the European Union's rule decides
    utc(b"20240111 09:35:00", 1)   -> 758277300      as a Danish meter writes it
    utc(b"632525252525W", 1)       -> None           no date: a channel without a meter

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
    if size == 17:  # YYYYMMDD hh:mm:ss
        text = text[2:8] + text[9:11] + text[12:14] + text[15:17]
        size = 12
    if size != 12 and size != 13:
        return None
    digits = text[:12]
    if not digits.isdigit():
        return None
    month = int(digits[2:4])
    day = int(digits[4:6])
    hour = int(digits[6:8])
    minute = int(digits[8:10])
    second = int(digits[10:12])
    if not 1 <= month <= 12 or not 1 <= day <= _MONTH_DAYS[month - 1]:
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    local = seconds(2000 + int(digits[:2]), month, day, hour, minute, second)
    flag = text[12] if size == 13 else 0
    if flag != _SUMMER and flag != _WINTER:
        if flag:
            return None
        flag = _SUMMER if summer(local, base_hours) else _WINTER
    return local - base_hours * 3600 - (3600 if flag == _SUMMER else 0)
