"""SNTP requests and answers as bytes: the time of day from a server.

Follows RFC 4330 (SNTP 4) with the checks of its section 5, and RFC 5905's packet layout.
It opens no socket and asks no clock: the caller sends the bytes and passes in what comes back.

    stamp = os.urandom(8)                   # what a server must echo; no need to know the time
    datagram = ntpq.request(stamp)
    ...
    found = ntpq.answer(received, stamp)
    if found:                               # None: not the answer to this request
        seconds, ms = found                 # UTC since 2000-01-01T00:00:00Z

Seconds pass 2034, 2036-02-07 (where NTP's own counter starts again at 0) and 2038 unharmed.
"""

from micropython import const

PORT = const(123)
SIZE = const(48)

_VERSION_4_CLIENT = const(0x23)
_MODE_SERVER = const(4)
_LEAP_UNKNOWN = const(3)
_ORIGINATE = const(24)
_TRANSMIT = const(40)
# Seconds from 2000-01-01 back to 1900-01-01, and on to 2036-02-07T06:28:16Z.
_ERA_0 = 36524 * 86400
_ERA_1 = 13186 * 86400 + 23296


class NtpError(Exception):
    """The server answered, and its answer is no time; the text says why."""

    refused = False  # a kiss of death: it is not to be asked again, or not that often


def request(stamp: bytes) -> bytes:
    """Return the 48 bytes to send; stamp: 8 random bytes that the answer has to echo."""
    if len(stamp) != 8:
        raise ValueError("a stamp has 8 bytes")
    return bytes((_VERSION_4_CLIENT,)) + bytes(_TRANSMIT - 1) + bytes(stamp)


def answer(data: bytes, stamp: bytes) -> tuple[int, int] | None:
    """Return (UTC seconds since 2000-01-01, ms), or None when it answers another request.

    Raises NtpError when the server says that it does not know the time or will not tell.
    """
    if len(data) < SIZE or data[0] & 7 != _MODE_SERVER:
        return None
    if bytes(data[_ORIGINATE : _ORIGINATE + 8]) != bytes(stamp):
        return None
    stratum = data[1]
    if stratum == 0:
        error = NtpError("the server refuses: " + _kiss_code(data))
        error.refused = True
        raise error
    if stratum > 15:
        raise NtpError("the server is not synchronised (stratum %d)" % stratum)
    if data[0] >> 6 == _LEAP_UNKNOWN:
        raise NtpError("the server's clock is not set")
    if not any(data[_TRANSMIT : _TRANSMIT + 8]):
        raise NtpError("the server sent no time")
    seconds = 0
    for byte in data[_TRANSMIT : _TRANSMIT + 4]:
        seconds = seconds << 8 | byte
    # RFC 4330 section 3: with the top bit set the counter began in 1900, else in 2036.
    seconds = seconds - _ERA_0 if data[_TRANSMIT] & 0x80 else seconds + _ERA_1
    fraction = data[_TRANSMIT + 4] << 8 | data[_TRANSMIT + 5]
    return seconds, fraction * 1000 >> 16


def _kiss_code(data: bytes) -> str:
    """The four letters of a kiss-o'-death packet, such as "RATE" (ask less often)."""
    return "".join([chr(byte) if 32 < byte < 127 else "?" for byte in data[12:16]])
