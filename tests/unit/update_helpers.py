"""Updates for tests: heads and signatures made by numbers alone, without lib/updatefile.

    data = update(application)               # a whole file, signed with the key of the tests
    data = head(application, board="OTHER")  # 1024 bytes

The key signs nothing but what tests make.
"""

import hashlib
import struct

BITS = 3072
VERSION = "0.2.0"
MADE = "2026-11-20T10:00:00Z"
BOARD = "ESP32_GENERIC"
CHIP = "esp32"
LAYOUT = "0badcafe"

_P = (
    "fea0b1be227ccb5c5bdf844ccb8035b19e8fa81152c6fdf01ea4ef24ada0a5614ae21de756c20e892cd7"
    "cb6e26a8a570a21e7a16e0dc7b71869d0dee8b99fb5952c3e8cc9e2449f1301cadc2e392b775e7df5208"
    "a17a05116b6f16e55646dbe102150374f8d952ce0c815d0d14820185bf9e4eddde8c4471c82454da9cb1"
    "1d092a21f04086f875eeeaa2ce76112fb6099c21766e4c8a8f0101b17f38971e4fb5b7210723ccfa738b"
    "904ac66fb13a55852c71c3ec6bfa560eda90b5f01e53a81b"
)
_Q = (
    "f3b9388e0cef25f16f99d4ca616fde006170648725829b02b355be4f589867ec659d45c6c20229feb716"
    "80c256261f65d9815ccf19a69716ffea009cc274e597498a071f131fe4566452bc97583392a248436be5"
    "34d73f8bf50e13b58a7b98301d3d58841f8cd3238d5a6ebb85ea0e1afb2e4843e2b30936a1d55b4f27f0"
    "5d08b736e4e025f66368793570f70d84be2eebaaa499ff91e0150e3c1e698bd090674b9a6a15a8e938c9"
    "251883994894e04b3cb03972afbf2338b8c2a804ff4cc73d"
)
_P, _Q = int(_P, 16), int(_Q, 16)
MODULUS = (_P * _Q).to_bytes(384, "big")
_INFO = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"


def padded(digest: bytes, filling: int = 330) -> bytes:
    return b"\x00\x01" + b"\xff" * filling + b"\x00" + _INFO + digest


def power(base: int) -> bytes:
    """What the private key makes of a number, by both primes: four times as fast."""
    exponent = _inverse(65537, (_P - 1) * (_Q - 1))
    of_p = pow(base % _P, exponent % (_P - 1), _P)
    of_q = pow(base % _Q, exponent % (_Q - 1), _Q)
    return (of_q + (of_p - of_q) * _inverse(_Q, _P) % _P * _Q).to_bytes(384, "big")


def _inverse(number: int, modulus: int) -> int:
    one, other, factor, last = number % modulus, modulus, 1, 0
    while one:
        times = other // one
        other, one = one, other - times * one
        last, factor = factor, last - times * factor
    return last % modulus


def sign(data: bytes) -> bytes:
    return power(int.from_bytes(padded(hashlib.sha256(data).digest()), "big"))


def head_unsigned(application, board=BOARD, chip=CHIP, layout=LAYOUT, version=VERSION, **more):
    made = more.get("made", MADE)
    texts = ((board, 32), (chip, 16), (layout, 32), (version, 32), (made, 32))
    size = more.get("size", len(application))
    data = b"JLUPDATE" + struct.pack("<II", more.get("format", 1), size)
    data += more.get("digest") or hashlib.sha256(application).digest()
    for text, length in texts:
        data += text.encode() + bytes(length - len(text))
    return data + bytes(640 - len(data))


def head(application, **about) -> bytes:
    data = head_unsigned(application, **about)
    return data + sign(data)


def update(application, **about) -> bytes:
    return head(application, **about) + application


# A flash with two slots of 64 kB; see tools/host/shims/esp32.py.
ROOM = 0x10000
OTA_DATA = 0xD000
SLOTS = (0x10000, 0x20000)
FLASH_BYTES = 0x30000
ROWS = (
    (1, 0, OTA_DATA, 0x2000, "otadata"),
    (0, 0x10, SLOTS[0], ROOM, "ota_0"),
    (0, 0x11, SLOTS[1], ROOM, "ota_1"),
)


def image(size: int, fill: int = 0) -> bytes:
    """An application that the bootloader takes: one segment, checksum, SHA-256."""
    content = bytes([(at * 7 + at // 256 + fill) & 255 for at in range(size - 24 - 8 - 16 - 32)])
    data = b"\xe9\x01\x02\x20" + bytes(19) + b"\x01" + struct.pack("<II", 0x3F400020, len(content))
    data += content
    total = 0xEF
    for byte in content:
        total ^= byte
    data += bytes(15 - len(data) % 16) + bytes([total])
    return data + hashlib.sha256(data).digest()


def flash_image(application, other=b"") -> bytearray:
    """A flash with this application in its first slot."""
    data = bytearray(b"\xff" * FLASH_BYTES)
    at = 0x8000
    for kind, subtype, address, size, label in ROWS:
        name = label.encode()
        row = struct.pack("<BBII", kind, subtype, address, size) + name + bytes(16 - len(name))
        data[at : at + 32] = b"\xaa\x50" + row + bytes(4)
        at += 32
    data[SLOTS[0] : SLOTS[0] + len(application)] = application
    data[SLOTS[1] : SLOTS[1] + len(other)] = other
    return data


class RamFlash:
    """A NOR flash in memory; it notes where it was written."""

    def __init__(self, data) -> None:
        self.data = bytearray(data)
        self.sectors: set = set()
        self.operations = 0
        self.fails = 0  # from this operation on
        self.forgets = -1  # a place that keeps no write

    def read(self, at: int, size: int) -> bytes:
        return bytes(self.data[at : at + size])

    def erase(self, at: int) -> None:
        self._put(at, b"\xff" * 4096)

    def program(self, at: int, data) -> None:
        old = self.data[at : at + len(data)]
        if old == b"\xff" * len(old):
            self._put(at, data)
        else:
            self._put(at, bytes([old[place] & data[place] for place in range(len(old))]))

    def _put(self, at: int, data) -> None:
        self.operations += 1
        self.sectors.add(at // 4096)
        if self.fails and self.operations >= self.fails:
            raise OSError(5)
        self.data[at : at + len(data)] = data
        if at <= self.forgets < at + len(data):
            self.data[self.forgets] = 0
