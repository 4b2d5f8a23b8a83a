"""PBKDF2-HMAC-SHA256 (RFC 8018) in steps: a chip needs seconds for some thousand rounds.

derive = pbkdf2.Pbkdf2(b"password", salt, 4000)
while not derive.step(12):       # rounds; an ESP32 needs some 1 ms for one, an ESP8266 2.5 ms
    ...                          # the others' turn
derive.digest()                  # 32 bytes
pbkdf2.equal(one, other)         # of bytes, in a time that does not tell where they differ
"""

import hashlib

from micropython import const

_BLOCK = const(64)  # bytes that SHA-256 takes at once


class Pbkdf2:
    """32 bytes of a password and a salt, some rounds at a time."""

    def __init__(self, password: bytes, salt: bytes, rounds: int) -> None:
        key = password if len(password) <= _BLOCK else hashlib.sha256(password).digest()
        key += bytes(_BLOCK - len(key))
        self._inner = bytearray([byte ^ 0x36 for byte in key] + [0] * 32)
        self._outer = bytearray([byte ^ 0x5C for byte in key] + [0] * 32)
        self._left = rounds - 1
        first = hashlib.sha256(bytes(self._inner[:_BLOCK]) + salt + b"\x00\x00\x00\x01").digest()
        self._outer[_BLOCK:] = first
        self._last = hashlib.sha256(self._outer).digest()
        self._sum = int.from_bytes(self._last, "big")

    def step(self, rounds: int) -> bool:
        """Go on with at most so many; whether these were the last ones."""
        inner, outer, last, total = self._inner, self._outer, self._last, self._sum
        sha256 = hashlib.sha256
        for _ in range(min(rounds, self._left)):
            inner[_BLOCK:] = last
            outer[_BLOCK:] = sha256(inner).digest()
            last = sha256(outer).digest()
            total ^= int.from_bytes(last, "big")
        self._left -= min(rounds, self._left)
        self._last, self._sum = last, total
        return self._left == 0

    def digest(self) -> bytes:
        """The 32 bytes, behind the last round."""
        return self._sum.to_bytes(32, "big")


def equal(one: bytes, other: bytes) -> bool:
    """Whether two are the same; all bytes are looked at, wherever they differ."""
    if len(one) != len(other):
        return False
    different = 0
    for index in range(len(one)):
        different |= one[index] ^ other[index]
    return different == 0
