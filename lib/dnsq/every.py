"""A name server's answer that gives every name the same IPv4 address: for a board's access point.

    reply = every.reply(datagram, b"\\xc0\\xa8\\x04\\x01")      # None: no question, say nothing

Follows RFC 1035 section 4.1, and RFC 6891 section 6.1.1 (what a question has behind it is left
out). A question for anything but an IPv4 address gets the answer that there is none, at once: a
phone that asks for IPv6 (AAAA) or HTTPS records would otherwise wait for it.
"""

from micropython import const

_HEAD = const(12)
_LONGEST_QUESTION = const(259)  # a name of 255 bytes, type, class
_TYPE_A = const(1)
_CLASS_IN = const(1)
_ANSWER = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04"  # that name, A, IN, kept for 0 s


def reply(data: bytes, address: bytes) -> bytes | None:
    """The datagram that answers a question; address: four bytes."""
    if len(data) < _HEAD or data[2] & 0xF8 or data[4] or data[5] != 1:
        return None  # an answer, no standard query, or not one question
    at = _HEAD
    while at < len(data) and data[at]:
        if data[at] > 63:  # a pointer: there is nothing in a question to point to
            return None
        at += 1 + data[at]
    end = at + 5
    if end > len(data) or end - _HEAD > _LONGEST_QUESTION:
        return None
    known = data[at + 1] == 0 and data[at + 2] == _TYPE_A
    known = known and data[at + 3] == 0 and data[at + 4] == _CLASS_IN
    flags = bytes((0x84 | data[2] & 1, 0x80))  # an authority's, no error
    head = bytes(data[:2]) + flags + b"\x00\x01\x00" + bytes((1 if known else 0,)) + b"\0\0\0\0"
    return head + bytes(data[_HEAD:end]) + (_ANSWER + address if known else b"")
