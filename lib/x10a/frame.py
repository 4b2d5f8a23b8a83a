"""Requests and answers of protocols I and S.

    uart.write(request("I", 0x61))          # 03 40 61 5B
    at = find(buffer, count, "I", 0x61)     # 40 61 LEN payload checksum
    if at >= 0:
        payload = buffer[at : count - 1]

LEN counts itself, the payload and the checksum. Answers of protocol S are the register, a
payload whose length goes with the register, and the checksum. In both the sum of all bytes is
0xFF modulo 256, and 15 EA stands for "no such register" (or: not this protocol).

An answer is believed when the line is silent behind it, and when all of it fits: address,
register, length and checksum. So every single wrong bit is found, not only with luck.
15 EA counts with no more than an echo before it: it may be the end of a damaged answer as well.
"""

from micropython import const

NOTHING = const(-1)  # no byte came
REFUSED = const(-2)  # the unit does not know this register
BROKEN = const(-3)  # something else, or not all of it (yet)

LONGEST = const(257)  # bytes of an answer, as far as LEN can tell
TYPICAL_MS = const(60)  # from the request's last byte to the answer's

_UNIT = const(0x40)
_SHORT_S = b"\x50\x56"  # registers of protocol S with 4 bytes instead of 16


def request(protocol: str, register: int) -> bytes:
    """The bytes that ask for a register; protocol is "I" or "S"."""
    head = bytes((0x03, _UNIT, register)) if protocol == "I" else bytes((0x02, register))
    return head + bytes((~sum(head) & 0xFF,))


def find(buffer, count: int, protocol: str, register: int) -> int:
    """Where the payload begins in what was heard (buffer[:count]), which ends at count - 1.

    Bytes before the answer (noise, the echo of the request) are left out. NOTHING, REFUSED or
    BROKEN where there is no answer.
    """
    if not count:
        return NOTHING
    if protocol == "I":
        for at in range(count - 4):
            if (
                buffer[at] == _UNIT
                and buffer[at + 1] == register
                and buffer[at + 2] == count - at - 2
                and _sum(buffer, at, count) == 0xFF
            ):
                return at + 3
    else:
        at = count - (6 if register in _SHORT_S else 18)
        if at >= 0 and buffer[at] == register and _sum(buffer, at, count) == 0xFF:
            return at + 1
    return REFUSED if _is_refusal(buffer, count, protocol, register) else BROKEN


def _is_refusal(buffer, count: int, protocol: str, register: int) -> bool:
    if count < 2 or buffer[count - 2] != 0x15 or buffer[count - 1] != 0xEA:
        return False
    if protocol == "I":
        return count <= 2 + 4 and not (buffer[0] == _UNIT and buffer[1] == register)
    return count <= 2 + 3 and buffer[0] != register


def _sum(buffer, start: int, end: int) -> int:
    total = 0
    for at in range(start, end):
        total += buffer[at]
    return total & 0xFF
