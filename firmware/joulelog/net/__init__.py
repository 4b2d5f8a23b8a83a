"""Everything on the network has its home here: names, time, TLS and HTTP with time-outs.

    from joulelog.net import http, tls

Whatever fails in here raises NetError, whose text a person can read; `words` makes that text.

Whoever talks to the outside says whether something came back: a link that says it is connected
may be deaf all the same, and the Wi-Fi supervisor can tell only by this.

    net.answered()             # something came from outside, be it a refusal
    net.unanswered()           # somebody waited, and nothing came
    net.deaf_ms()              # how long there have been only unanswered attempts
"""

import errno

from micropython import const

from .. import clock

CUT = "the server cut the connection"  # what words() says of one that is
TRUNCATED = "truncated"  # a key in an answer's headers: the body was longer than the limit

_WORDS = (
    ("ECONNREFUSED", "connection refused"),
    ("ECONNRESET", CUT),
    ("ECONNABORTED", "the connection was cut"),
    ("EPIPE", CUT),
    ("ENOTCONN", "not connected"),
    ("EHOSTUNREACH", "the host cannot be reached"),
    ("ENETUNREACH", "no network"),
    ("ENETDOWN", "no network"),
    ("ETIMEDOUT", "no answer"),
    ("ENOMEM", "not enough memory"),
    ("ENOBUFS", "not enough memory"),
    ("EPROTO", "TLS failed"),
)
_TLS = const(-255)  # errors below are mbedtls's

_ATTEMPTS = const(3)  # so many without an answer before a link may be called deaf
_ANSWERS = const(("ECONNREFUSED", "ECONNRESET", "EPIPE"))

answers = 0  # that came from outside
on_answer = None  # called at each of them: the LED
_unanswered = 0  # attempts since the last answer
_since_ms = 0  # uptime at the first of them


def answered() -> None:
    """Something came from outside."""
    global answers, _unanswered
    answers += 1
    _unanswered = 0
    if on_answer:
        on_answer()


def unanswered(error: BaseException | None = None) -> None:
    """An attempt failed: without an answer, or with the error of one that was refused."""
    global _unanswered, _since_ms
    number = error.args[0] if error and error.args else None
    for name in _ANSWERS:
        if isinstance(number, int) and getattr(errno, name, None) == abs(number):
            return answered()
    if not _unanswered:
        _since_ms = clock.uptime_ms()
    _unanswered += 1


def deaf_ms() -> int:
    """For how long nothing has come although it was tried three times or more; 0: not so."""
    return clock.uptime_ms() - _since_ms if _unanswered >= _ATTEMPTS else 0


def forget() -> None:
    """A new link: what was tried before says nothing about it."""
    global _unanswered
    _unanswered = 0


def is_address(text: str) -> bool:
    """Whether it is an IPv4 address in digits; not 010, which some read as ten, some as eight."""
    parts = text.split(".")
    for part in parts:
        if not part.encode().isdigit() or str(int(part[:4])) != part or int(part) > 255:
            return False
    return len(parts) == 4


def words(error: BaseException) -> str:
    """Return what an OSError means, in plain words; never more than its number says."""
    number = error.args[0] if error.args else None
    if isinstance(number, int):
        if number < _TLS:
            return "TLS failed (mbedtls error -0x%x)" % -number
        for name, text in _WORDS:  # a stream over TLS gives them as negative numbers
            if getattr(errno, name, None) == abs(number):
                return text
        return "network error %d" % number
    return type(error).__name__
