"""MD5 (RFC 1321), where hashlib has none: old devices' logins still ask for it.

    md5.digest(b"abc")        # 16 bytes
    md5.plain(b"abc")         # the same, always by the code here

Broken as a signature, and slow here; chips' images mostly have hashlib's.
"""

import binascii
import hashlib

# Per step of a round: by how many bits is turned (RFC 1321, section 3.4).
_TURNS = b"\x07\x0c\x11\x16\x05\x09\x0e\x14\x04\x0b\x10\x17\x06\x0a\x0f\x15"
# Per round: the word that it begins with, and how far away the next one is.
_WORDS = b"\x00\x01\x01\x05\x05\x03\x00\x07"
# floor(2^32 * abs(sin(i + 1))) for i from 0 to 63, the low byte first.
_SINES = binascii.unhexlify(
    "78a46ad756b7c7e8db702024eecebdc1af0f7cf52ac68747134630a8019546fd"
    "d8988069aff7448bb15bffffbed75c892211906b937198fd8e4379a62108b449"
    "62251ef640b340c0515a5e26aac7b6e95d102fd65314440281e6a1d8c8fbd3e7"
    "e6cde121d60737c3870dd5f4ed145a4505e9e3a9f8a3effcd9026f678a4c2a8d"
    "4239faff81f6718722619d6d0c38e5fd44eabea4a9cfde4b604bbbf670bcbfbe"
    "c67e9b28fa27a1ea8530efd4051d880439d0d4d9e599dbe6f87ca21f6556acc4"
    "442229f497ff2a43a72394ab39a093fcc3595b6592cc0c8f7df4efffd15d8485"
    "4f7ea86fe0e62cfe144301a3a111084e827e53f735f23abdbbd2d72a91d386eb"
)


def digest(data: bytes) -> bytes:
    """The 16 bytes of the hash."""
    if hasattr(hashlib, "md5"):
        return hashlib.md5(data).digest()
    return plain(data)


def plain(data: bytes) -> bytes:
    """The 16 bytes of the hash, without hashlib."""
    bits = len(data) * 8
    padded = data + b"\x80" + bytes((55 - len(data)) % 64) + bits.to_bytes(8, "little")
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    for begin in range(0, len(padded), 64):
        _block(state, padded[begin : begin + 64])
    return b"".join([word.to_bytes(4, "little") for word in state])


def _block(state: list, block: bytes) -> None:
    a, b, c, d = state
    for step in range(64):
        turn = step >> 4
        if turn == 0:
            mixed = (b & c) | (~b & d)
        elif turn == 1:
            mixed = (d & b) | (~d & c)
        elif turn == 2:
            mixed = b ^ c ^ d
        else:
            mixed = c ^ (b | (~d & 0xFFFFFFFF))
        at = ((_WORDS[2 * turn] + _WORDS[2 * turn + 1] * (step & 15)) & 15) * 4
        word = int.from_bytes(block[at : at + 4], "little")
        sine = int.from_bytes(_SINES[4 * step : 4 * step + 4], "little")
        total = (a + mixed + word + sine) & 0xFFFFFFFF
        by = _TURNS[4 * turn + (step & 3)]
        a, d, c, b = d, c, b, (b + ((total << by) | (total >> 32 - by))) & 0xFFFFFFFF
    for index, word in enumerate((a, b, c, d)):
        state[index] = (state[index] + word) & 0xFFFFFFFF
