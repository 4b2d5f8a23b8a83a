"""COSEM date-times in hexadecimal, as some P1 meters send them -> UTC in seconds since 2000-01-01.

    utc(b"07EA0612040A2B2B00FF8880", 1)    -> 835087423

DLMS UA "Blue Book", 4.1.6.1: year (2 bytes), month, day, weekday, hour, minute, second,
hundredths, deviation from local time to UTC in minutes (2, 8000 where it is not told), status.
"""

from binascii import unhexlify

from micropython import const

from . import stamp

_SUMMER = const(83)
_WINTER = const(87)
_UNTOLD = const(0x8000)
_MOST_MINUTES = const(840)
_INVALID = const(1)
_IS_SUMMER = const(0x80)
_NO_STATUS = const(0xFF)


def utc(text: bytes, base_hours: int) -> int | None:
    """UTC of 24 hexadecimal digits; base_hours: the winter offset, for those without deviation."""
    try:
        data = unhexlify(text)
    except ValueError:
        return None
    year = data[0] << 8 | data[1]
    status = data[11]
    if not 2000 <= year < 2100 or (status != _NO_STATUS and status & _INVALID):
        return None
    fields = data[1:4] + data[5:8]
    deviation = data[9] << 8 | data[10]
    if deviation == _UNTOLD:
        flag = _SUMMER if status & _IS_SUMMER else _WINTER
        return stamp.of_fields(year, fields, 0 if status == _NO_STATUS else flag, base_hours)
    if deviation & 0x8000:
        deviation -= 0x10000
    local = stamp.of_fields(year, fields, _WINTER, 0)
    return None if local is None or abs(deviation) > _MOST_MINUTES else local + deviation * 60
