"""What Tuya's frames are sealed with, on MicroPython's cryptolib and hashlib.

pads = hmac_pads(key)             # of at most 64 bytes
hmac(pads, message)               # HMAC-SHA256, RFC 2104: 32 bytes
unpadded(padded(b"text"))         # PKCS #7 to blocks of 16 (RFC 5652, section 6.3)
same(tag, other)                  # takes as long whatever is different
"""

import hashlib

from micropython import const

_BLOCK = 64
_STEP = const(64)  # bytes of GCM between two yields


def hmac_pads(key: bytes) -> tuple[bytes, bytes]:
    """What a key gives to the inner and to the outer hash."""
    key = key + bytes(_BLOCK - len(key))
    return bytes([byte ^ 0x36 for byte in key]), bytes([byte ^ 0x5C for byte in key])


def hmac(pads: tuple, message: bytes) -> bytes:
    """The 32 bytes of a message's HMAC."""
    inner = hashlib.sha256(pads[0])
    inner.update(message)
    outer = hashlib.sha256(pads[1])
    outer.update(inner.digest())
    return outer.digest()


def padded(text: bytes) -> bytes:
    """Filled up to whole blocks, by 1 to 16 bytes."""
    count = 16 - len(text) % 16
    return text + bytes([count]) * count


def unpadded(text: bytes) -> bytes | None:
    """Without what padded() has added; None where nothing did."""
    count = text[-1] if text else 0
    if not 1 <= count <= 16 or text[-count:] != bytes([count]) * count:
        return None
    return text[:-count]


def same(one: bytes, other: bytes) -> bool:
    """Whether two tags are equal."""
    if len(one) != len(other):
        return False
    difference = 0
    for at in range(len(one)):
        difference |= one[at] ^ other[at]
    return difference == 0


def in_steps(turn, body: bytearray):
    """Encrypt or decrypt a body in place; a generator of steps that a chip can stand."""
    view = memoryview(body)
    for at in range(0, len(body), _STEP):
        turn(body, at, min(at + _STEP, len(body)), view[at:])
        yield
