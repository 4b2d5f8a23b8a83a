"""What an image for an Espressif chip is, read from its bytes: `make dist` and `make micropython`.

    whole = espimage.read(data, offset=0x1000)     # as it lies in flash from there; ImageError
    whole.chip                                     # "esp32c3"
    whole.table                                    # [Partition("ota_0", "app", 0x10000, 0x1c0000)]
    whole.size                                     # bytes of the application
    espimage.told(data)                            # Told(board, version, date, features) or None

An ESP32's image is a bootloader, at 0x8000 the partition table, and in the first app partition the
application; an ESP8266's is a small application, and at 0x9000 the code that runs from flash, as
MicroPython's ports put them together. Headers, checksums and digests as in the ESP-IDF's
esp_app_format.h, esp_flash_partitions.h and esp_app_desc.h, and esptool's page "Firmware Image
Format"; whatever has one is checked.

What an image is for lies in it as text: `line` makes it, tools/images/firmware.py has it frozen.
"""

import hashlib
import re
import struct
from dataclasses import dataclass

MAGIC = 0xE9  # first byte of every image of Espressif's chips
TABLE = 0x8000  # where the partition table of an ESP32 lies in flash
TABLE_MAGIC = b"\xaa\x50"
# The chip's number in bytes 12 and 13 of an ESP32's image header.
CHIPS = {0: "esp32", 2: "esp32s2", 5: "esp32c3", 9: "esp32s3", 13: "esp32c6"}
UNKNOWN_CHIP = "chip unknown to this tool"

_TABLE_BYTES = 0xC00
_TABLE_SUM = b"\xeb\xeb" + b"\xff" * 14
_TYPES = {0: "app", 1: "data"}
# Subtypes by the names that a partition table's text has.
_SUBTYPES = {
    ("app", 0x00): "factory",
    ("app", 0x10): "ota_0",
    ("app", 0x11): "ota_1",
    ("data", 0x00): "ota",
    ("data", 0x01): "phy",
    ("data", 0x02): "nvs",
    ("data", 0x81): "fat",
}
_DESCRIPTION = struct.pack("<I", 0xABCD5432)  # at the start of an application's first segment
_MOST_SEGMENTS = 16
_SUM_START = 0xEF
_FLASH_CODE = 0x9000  # of an ESP8266, after the segments that are copied to RAM
_SIZES_8266 = {512: 0x00, 1024: 0x20, 2048: 0x30, 4096: 0x40, 8192: 0x80, 16384: 0x90}
_MARK = "JouleLog image"
_TOLD = re.compile(rb"JouleLog image: (\S+) (\S+) (\S+) \[([^\]\0]*)\]")


_Segments = tuple[tuple[int, int], ...]  # (address, bytes) of each


class ImageError(Exception):
    """What is wrong with an image."""


@dataclass(frozen=True)
class Partition:
    """A row of the partition table, in bytes."""

    name: str
    kind: str
    subtype: str
    offset: int
    size: int


@dataclass(frozen=True)
class Whole:
    """An image that a board starts from."""

    chip: str
    table: tuple[Partition, ...]  # () on an ESP8266
    size: int  # bytes of the application, in its slot or from the start of the flash
    entry: int
    segments: _Segments  # of the application


@dataclass(frozen=True)
class Told:
    """What an image says of itself."""

    board: str
    version: str
    date: str
    features: str


def with_flash_size_8266(data: bytes, kib: int) -> bytes:
    """An ESP8266's image whose header says how large the flash is; no checksum covers that."""
    return data[:3] + bytes([_SIZES_8266[kib] | data[3] & 0x0F]) + data[4:]


def line(board: str, version: str, date: str, features: str) -> str:
    """The text by which an image tells what it is for; features: "own", or their names."""
    return f"{_MARK}: {board} {version} {date} [{features}]"


def told(data: bytes) -> Told | None:
    """What the image says of itself; None where it says nothing, or two things."""
    found = {tuple(part.decode() for part in match) for match in _TOLD.findall(data)}
    return Told(*found.pop()) if len(found) == 1 else None


def chip_id(data: bytes) -> str:
    """The chip that an ESP32's header names."""
    return CHIPS.get(int.from_bytes(data[12:14], "little"), UNKNOWN_CHIP)


def read(data: bytes, offset: int, chip: str) -> Whole:
    """Read an image that begins at this place of the flash, as one for an ESP8266 or an ESP32."""
    if not data or data[0] != MAGIC:
        raise ImageError("is no firmware image: its first byte is not 0xe9")
    return _read_8266(data) if chip == "esp8266" else _read_esp32(data, offset)


def _read_8266(data: bytes) -> Whole:
    entry = int.from_bytes(data[4:8], "little")
    if not 0x40100000 <= entry < 0x40110000:
        raise ImageError(f"is for another chip than an ESP8266: it starts at {entry:#x}")
    _, segments, _ = _segments(data, 0, 8)
    if len(data) < _FLASH_CODE + 16:
        raise ImageError(f"ends at {len(data):#x}, before the code that runs from flash")
    size = int.from_bytes(data[_FLASH_CODE - 4 : _FLASH_CODE], "little")
    if len(data) != size + 16:
        raise ImageError(f"has {len(data)} bytes, and says that it has {size + 16}")
    # The first four bytes change when it is written: they say what flash there is.
    if hashlib.md5(data[4:size]).digest() != data[size:]:
        raise ImageError("is damaged: its MD5 is another")
    return Whole("esp8266", (), size + 16, entry, segments)


def _read_esp32(data: bytes, offset: int) -> Whole:
    chip = chip_id(data)
    place = TABLE - offset
    if data[place : place + 2] != TABLE_MAGIC:
        raise ImageError(
            f"has no partition table at {TABLE:#x}: it is an image for updates (.app-bin), or for"
            " a chip that begins at another place of the flash"
        )
    _segments(data, 0, 24)  # the bootloader
    table = tuple(_partitions(data[place : place + _TABLE_BYTES]))
    slots = [part for part in table if part.kind == "app"]
    if not slots:
        raise ImageError("has a partition table without a slot for an application")
    start = slots[0].offset - offset
    if data[start : start + 1] != bytes([MAGIC]):
        raise ImageError(f"has no application in {slots[0].name}, at {slots[0].offset:#x}")
    if chip_id(data[start:]) != chip:
        other = chip_id(data[start:])
        raise ImageError(f"has a bootloader for an {chip} and an application for an {other}")
    entry, segments, end = _segments(data, start, 24)
    if data[start + 32 : start + 36] != _DESCRIPTION:
        raise ImageError("has an application without the description that the IDF gives each")
    if data[end:].strip(b"\xff"):
        raise ImageError(f"goes on behind its application, at {end + offset:#x}")
    return Whole(chip, table, end - start, entry, segments)


def _segments(
    data: bytes, start: int, header: int
) -> tuple[int, tuple[tuple[int, int], ...], int]:
    """(entry, ((address, bytes), …), end) of the image at start; its checksums hold."""
    where = f"at {start:#x} of the file"
    if len(data) < start + header:
        raise ImageError(f"is cut off in the header {where}")
    count = data[start + 1]
    if not 0 < count <= _MOST_SEGMENTS:
        raise ImageError(f"has {count} segments {where}: no image has so many")
    found = []
    total = _SUM_START
    place = start + header
    for _ in range(count):
        if len(data) < place + 8:
            raise ImageError(f"is cut off, in the image {where}")
        address, size = struct.unpack_from("<II", data, place)
        place += 8
        part = data[place : place + size]
        if len(part) < size:
            raise ImageError(f"is cut off, in the image {where}")
        total ^= _xor(part)
        place += size
        found.append((address, size))
    place += 15 - (place - start) % 16  # the checksum is the last byte of 16
    if len(data) <= place:
        raise ImageError(f"is cut off, in the image {where}")
    if data[place] != total:
        raise ImageError(f"is damaged: the checksum of the image {where} is another")
    place += 1
    if header == 24 and data[start + 23]:
        if hashlib.sha256(data[start:place]).digest() != data[place : place + 32]:
            raise ImageError(f"is damaged: the SHA-256 of the image {where} is another")
        place += 32
    return struct.unpack_from("<I", data, start + 4)[0], tuple(found), place


def _xor(part: bytes) -> int:
    """All bytes of a part in one, by exclusive or."""
    size = len(part)
    value = int.from_bytes(part, "little")
    while size > 1:
        half = (size + 1) // 2
        value = (value >> 8 * half) ^ (value & ((1 << 8 * half) - 1))
        size = half
    return value


def _partitions(data: bytes):
    """Yield the rows of a partition table; its MD5, where it has one, holds."""
    for place in range(0, len(data), 32):
        row = data[place : place + 32]
        if row == b"\xff" * 32:
            return
        if row[:16] == _TABLE_SUM:
            if hashlib.md5(data[:place]).digest() != row[16:]:
                raise ImageError("is damaged: the MD5 of its partition table is another")
            continue
        if row[:2] != TABLE_MAGIC:
            raise ImageError(f"has a damaged partition table, in row {place // 32 + 1}")
        number, subtype, offset, size = struct.unpack_from("<BBII", row, 2)
        kind = _TYPES.get(number, hex(number))
        name = row[12:28].rstrip(b"\0").decode("ascii", "replace")
        yield Partition(name, kind, _SUBTYPES.get((kind, subtype), hex(subtype)), offset, size)
