"""RSA-3072 signatures, checked in steps: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2.2).

    signature = Signature(modulus, signature, data)      # bytes all of them; ValueError: no key
    while not signature.step():          # 17 of them, a multiplication each
        ...                              # the others' turn
    signature.good

The exponent is 65537: sixteen squarings and one more multiplication. What comes out is compared
whole with what RFC 8017, 9.2, makes of the data's hash. Nobody looks for the hash in it: a check
that reads padding takes what stands in the wrong place of it.
"""

import hashlib

from micropython import const

BYTES = 384
_SQUARINGS = const(16)
# DigestInfo of SHA-256, DER (RFC 8017, 9.2, note 1); 32 bytes of hash follow.
_DIGEST_INFO = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"


class Signature:
    """See the module's text."""

    good = False

    def __init__(self, modulus: bytes, signature: bytes, data: bytes) -> None:
        if len(modulus) != BYTES or not modulus[0] & 0x80 or not modulus[-1] & 1:
            raise ValueError("no public key of 3,072 bits")
        self._modulus = int.from_bytes(modulus, "big")
        self._signature = int.from_bytes(signature, "big")
        self._power = self._signature
        self._expected = int.from_bytes(encoded(hashlib.sha256(data).digest()), "big")
        self._left = _SQUARINGS + 1
        if len(signature) != BYTES or self._signature >= self._modulus:
            self._left = 0

    def step(self) -> bool:
        """One multiplication; whether it was the last one."""
        if not self._left:
            return True
        self._left -= 1
        if self._left:
            self._power = self._power * self._power % self._modulus
            return False
        self.good = self._power * self._signature % self._modulus == self._expected
        return True


def encoded(digest: bytes) -> bytes:
    """What a signature of a SHA-256 hash is when the key is taken off it (EMSA-PKCS1-v1_5)."""
    filling = BYTES - 3 - len(_DIGEST_INFO) - len(digest)
    return b"\x00\x01" + b"\xff" * filling + b"\x00" + _DIGEST_INFO + digest
