"""A number's text as JSON has it, exactly: RFC 8259, section 6.

exact(b"2574466.629")       # (2574466629, 3), as exact.parse() tells it
exact(b"1.2e-05")           # (12, 6)
"""

from micropython import const

_MOST_ZEROS = const(40)  # that an exponent may add


def exact(text: bytes | None) -> tuple[int, int] | None:
    """(value, decimals) of a number's text, as exact.parse tells it: b"1.2e-05" is (12, 6).

    None for what is no number (RFC 8259, section 6), or has an exponent beyond 40.
    """
    if not is_number(text):
        return None
    mantissa, exponent = text, 0  # type: ignore[assignment]
    at = max(text.find(b"e"), text.find(b"E"))  # type: ignore[union-attr]
    if at >= 0:
        mantissa, exponent = text[:at], int(text[at + 1 :])  # type: ignore[index]
    point = mantissa.find(b".")  # type: ignore[union-attr]
    decimals = 0
    if point >= 0:
        decimals = len(mantissa) - point - 1  # type: ignore[arg-type]
        mantissa = mantissa[:point] + mantissa[point + 1 :]  # type: ignore[index]
    value = int(mantissa)  # type: ignore[arg-type]
    if not -_MOST_ZEROS <= exponent <= _MOST_ZEROS:
        return None
    decimals -= exponent
    if decimals < 0:
        return value * 10**-decimals, 0
    return value, decimals


def is_number(text: bytes | None) -> bool:
    """Whether it is a number as RFC 8259 has them."""
    if not text:
        return False
    at = 1 if text[:1] == b"-" else 0
    digits = _digits(text, at)
    if not digits or (digits > 1 and text[at] == 0x30):
        return False
    at += digits
    if text[at : at + 1] == b".":
        digits = _digits(text, at + 1)
        if not digits:
            return False
        at += 1 + digits
    if text[at : at + 1] in (b"e", b"E"):
        at += 2 if text[at + 1 : at + 2] in (b"+", b"-") else 1
        digits = _digits(text, at)
        if not digits:
            return False
        at += digits
    return at == len(text)


def _digits(text: bytes, at: int) -> int:
    """How many digits stand there."""
    end = at
    while end < len(text) and 0x30 <= text[end] <= 0x39:
        end += 1
    return end - at
