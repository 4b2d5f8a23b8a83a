"""Images for Espressif's chips as MicroPython's ports put them together, without a compiler.

    app = esp_images.application("esp32c3", b"JouleLog image: …", 1_400_000)
    data = esp_images.esp32(0, bootloader, esp_images.table(rows), app)
    data = esp_images.esp8266(b"…", 700_000)
    data = esp_images.image_of("ESP32_GENERIC_C3")       # small, and as a release has it

Written from Espressif's description of the formats, apart from tools/images/espimage.py, which
reads them; esptool reads them too.
"""

import functools
import hashlib
import operator
import re
import struct
import subprocess
import sys
from pathlib import Path

from tools import boards
from tools.images import stage

CHIPS = ("esp8266", "esp32", "esp32s2", "esp32c3", "esp32s3")
CHIP_IDS = {"esp32": 0, "esp32s2": 2, "esp32c3": 5, "esp32s3": 9}
# Where each chip maps the flash for constants, and where its RAM is.
_PLACES = {
    "esp32": (0x3F400020, 0x3FFB0000),
    "esp32s2": (0x3F000020, 0x3FFB0000),
    "esp32c3": (0x3C000020, 0x3FC80000),
    "esp32s3": (0x3C000020, 0x3FC88000),
}
SLOT = 0x10000


def program(chip: str, parts: list[tuple[int, bytes]]) -> bytes:
    """A bootloader or an application: header, segments, checksum, SHA-256."""
    data = struct.pack("<BBBBI", 0xE9, len(parts), 2, 0x20, parts[-1][0])
    data += struct.pack("<B3xHBHH4xB", 0xEE, CHIP_IDS[chip], 0, 0, 0xFFFF, 1)
    whole = _with_checksum(data, parts)
    return whole + hashlib.sha256(whole).digest()


def _with_checksum(data: bytes, parts: list[tuple[int, bytes]]) -> bytes:
    total = 0xEF
    for address, content in parts:
        data += struct.pack("<II", address, len(content)) + content
        total = functools.reduce(operator.xor, content, total)
    return data + bytes(15 - len(data) % 16) + bytes([total])


def application(chip: str, text: bytes, size: int, magic: int = 0xABCD5432) -> bytes:
    """An application of so many bytes, with this text in it."""
    constants, ram = _PLACES[chip]
    content = struct.pack("<I", magic) + bytes(252) + text + b"\0"
    fixed = len(program(chip, [(constants, b""), (ram, b"ramram!!")]))
    content += bytes(size - fixed - len(content))
    return program(chip, [(constants, content), (ram, b"ramram!!")])


def table(rows: list[tuple[int, int, int, int, str]], digest: bool = True) -> bytes:
    """A partition table: (type, subtype, offset, size, name) of each."""
    data = b""
    for kind, subtype, offset, size, name in rows:
        data += struct.pack("<HBBII16sI", 0x50AA, kind, subtype, offset, size, name.encode(), 0)
    if digest:
        data += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(data).digest()
    return data.ljust(0xC00, b"\xff")


def esp32(offset: int, bootloader: bytes, partitions: bytes, app: bytes) -> bytes:
    """All of them, from this place of the flash on."""
    data = bootloader.ljust(0x8000 - offset, b"\xff") + partitions
    return data.ljust(SLOT - offset, b"\xff") + app


def esp8266(text: bytes, size: int) -> bytes:
    """A small application, and behind it so many bytes of code, with this text."""
    ram = struct.pack("<BBBBI", 0xE9, 2, 0, 0, 0x40100004)
    ram = _with_checksum(ram, [(0x40100000, b"iram" * 500), (0x3FFE8000, b"data" * 100)])
    data = ram.ljust(0x9000 - 4, b"\xff") + struct.pack("<I", 0x9000 + size)
    data += text.ljust(size, b"\0")
    return data + hashlib.md5(data[4:]).digest()


# (type, subtype, offset, size, name): boards/common/partitions-4MiB.csv.
TABLE = [
    (1, 2, 0x9000, 0x4000, "nvs"),
    (1, 0, 0xD000, 0x2000, "otadata"),
    (1, 1, 0xF000, 0x1000, "phy_init"),
    (0, 0x10, 0x10000, 0x1C0000, "ota_0"),
    (0, 0x11, 0x1D0000, 0x1C0000, "ota_1"),
    (1, 0x81, 0x390000, 0x70000, "vfs"),
]


DATE = "2026-01-01T00:00:00Z"


def says(board: str, version: str = stage.version(), date: str = DATE, more: str = "own") -> bytes:
    """What an image says of itself."""
    return f"JouleLog image: {board} {version} {date} [{more}]".encode()


def bootloader(chip: str) -> bytes:
    return program(chip, [(0x3FFF0000, b"boot" * 50), (0x40080000, b"code" * 400)])


def app_of(board: str, size: int = 200_000, **other) -> bytes:
    chip = boards.facts(boards.FOLDERS / board)["chip"]
    return application(chip, says(board), size, **other)


def image_of(board: str, app: bytes | None = None, rows: list | None = None) -> bytes:
    """A board's image, as it has to be but for what is given."""
    told = boards.facts(boards.FOLDERS / board)
    if told["chip"] == "esp8266":
        return esp8266(says(board), 300_000)
    offset = int(told["micropython"]["offset"], 0)
    partitions = table(rows or TABLE)
    return esp32(offset, bootloader(told["chip"]), partitions, app or app_of(board))


def check_with_esptool(path: Path, read) -> None:
    """Hold what espimage.py has read of an application against esptool's image-info."""
    done = subprocess.run(
        [sys.executable, "-m", "esptool", "image-info", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    said = done.stdout
    assert f"Image size: {read.size} bytes" in said
    assert f"Detected image type: {read.chip.upper()}" in said.replace("-", "")
    assert re.search(rf"Entry point: +{read.entry:#x}", said)
    rows = re.findall(r"^ +\d+ +(0x[0-9a-f]+) +(0x[0-9a-f]+) +0x", said, re.M)
    assert [(int(address, 16), int(size, 16)) for size, address in rows] == list(read.segments)
    assert re.search(r"Checksum: 0x[0-9a-f]+ \(valid\)", said)
    assert read.chip == "esp8266" or re.search(r"Validation hash: [0-9a-f]+ \(valid\)", said)
