"""Exact decimals: text <-> integer, and the channel that says what an integer means.

A value is an integer in units of 10^-decimals, so that no digit is lost on a chip whose
binary fractions hold 22 or 24 bits: 45678.123 kWh is 45678123 with 3 decimals.

    parse(b"0045678.123")       -> (45678123, 3)
    text(45678123, 3)           -> "45678.123"
    rescale(45678123, 3, 6)     -> 45678123000

A channel describes one number, as a tuple:

    (key, unit, decimals, kind, device_class)
    ("energy_import_t1", "kWh", 3, "total_increasing", "energy")

kind is "measurement", "total", "total_increasing", "text" (then the value is a str), "time" (UTC
in seconds since 2000-01-01), "code" (a number that stands for a name) or "flag" (0 or 1);
device_class is Home Assistant's word, or "" where it has none.
"""

from micropython import const

KEY = const(0)
UNIT = const(1)
DECIMALS = const(2)
KIND = const(3)
DEVICE_CLASS = const(4)

_LONGEST = const(40)  # characters of a number; longer ones are no meter's
_MINUS = const(45)
_PLUS = const(43)


def parse(number: bytes) -> tuple[int, int] | None:
    """Return (value, decimals) of decimal text such as b"-063" or b"00032549.506", or None.

    Takes an optional sign, digits, and at most one point with digits on both sides; at most 40
    characters.
    """
    if not number or len(number) > _LONGEST:
        return None
    sign = number[0]
    digits = number[1:] if sign == _MINUS or sign == _PLUS else number
    decimals = 0
    point = digits.find(b".")
    if point >= 0:
        decimals = len(digits) - point - 1
        if point == 0 or decimals == 0:
            return None
        digits = digits[:point] + digits[point + 1 :]
    if not digits.isdigit():  # int() alone would take blanks and underscores
        return None
    value = int(digits)
    return (-value if sign == _MINUS else value), decimals


def text(value: int, decimals: int) -> str:
    """Return the decimal text of an integer in units of 10^-decimals: text(-5, 2) is "-0.05"."""
    if decimals <= 0:
        return str(value)
    digits = str(-value if value < 0 else value)
    if len(digits) <= decimals:
        digits = "0" * (decimals + 1 - len(digits)) + digits
    sign = "-" if value < 0 else ""
    return sign + digits[:-decimals] + "." + digits[-decimals:]


def rescale(value: int, decimals: int, wanted: int) -> int:
    """Return value, given with some decimals, in units of 10^-wanted; wanted must not be less.

    Raises ValueError where digits would be lost.
    """
    if wanted < decimals:
        raise ValueError("%d decimals do not fit into %d" % (decimals, wanted))
    return value * 10 ** (wanted - decimals)
