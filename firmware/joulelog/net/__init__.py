"""Everything on the network has its home here: names, time, TLS and HTTP with time-outs.

    from joulelog.net import http, tls

Whatever fails in here raises NetError, whose text a person can read; `words` makes that text.
"""

import errno

TRUNCATED = "truncated"  # a key in an answer's headers: the body was longer than the limit

_WORDS = (
    ("ECONNREFUSED", "connection refused"),
    ("ECONNRESET", "the server cut the connection"),
    ("ECONNABORTED", "the connection was cut"),
    ("EPIPE", "the server cut the connection"),
    ("ENOTCONN", "not connected"),
    ("EHOSTUNREACH", "the host cannot be reached"),
    ("ENETUNREACH", "no network"),
    ("ENETDOWN", "no network"),
    ("ETIMEDOUT", "no answer"),
    ("ENOMEM", "not enough memory"),
    ("ENOBUFS", "not enough memory"),
)


def words(error: BaseException) -> str:
    """Return what an OSError means, in plain words; never more than its number says."""
    number = error.args[0] if error.args else None
    if isinstance(number, int):
        for name, text in _WORDS:
            if getattr(errno, name, None) == number:
                return text
        return "network error %d" % number
    return type(error).__name__
