"""An ESP-IDF that compiles nothing: for what `make firmware` does up to idf.py, and after it.

    tools = fake_idf.install(tmp_path / "idf", "v5.5.2")     # a folder for PATH; IDF_PATH is idf
    fake_idf.calls(tmp_path / "idf")                         # how idf.py was called

Its idf.py writes the files that the real one leaves, of the right form, with the text that the
frozen board.py has; checkout, mpy-cross, the port's Makefile and its makeimg.py are real.
"""

import inspect
import json
import os
import re
import struct
import sys
from pathlib import Path

from tests import esp_images
from tools import ROOT

_COMPILERS = ("xtensa-esp-elf-gcc", "riscv32-esp-elf-gcc")
_OFFSETS = {"esp32": 0x1000, "esp32s2": 0x1000, "esp32c3": 0, "esp32s3": 0}
_TYPES = {"app": 0, "data": 1}
_SUBTYPES = {"ota": 0, "phy": 1, "nvs": 2, "ota_0": 0x10, "ota_1": 0x11, "fat": 0x81}


class PartitionTable:
    """A row, as the IDF's module of that name tells it."""

    def __init__(self, row: bytes) -> None:
        self.type, _, self.offset, self.size = struct.unpack_from("<BBII", row, 2)
        self.name = row[12:28].rstrip(b"\0").decode()

    @classmethod
    def from_binary(cls, data: bytes) -> list:
        """All rows of a table."""
        rows = [data[at : at + 32] for at in range(0, len(data), 32)]
        return [cls(row) for row in rows if row[:2] == b"\xaa\x50"]


def install(idf: Path, version: str) -> Path:
    """Make an IDF of this version; the folder of its programs."""
    numbers = zip(("MAJOR", "MINOR", "PATCH"), version.removeprefix("v").split("."), strict=True)
    cmake = idf / "tools/cmake/version.cmake"
    cmake.parent.mkdir(parents=True)
    cmake.write_text("".join(f"set(IDF_VERSION_{part} {number})\n" for part, number in numbers))
    table = idf / "components/partition_table/gen_esp32part.py"
    table.parent.mkdir(parents=True)
    # What makeimg.py asks the IDF for: the rows of a partition table.
    table.write_text("import struct\n\nAPP_TYPE = 0\n\n\n" + inspect.getsource(PartitionTable))
    programs = idf / "bin"
    programs.mkdir()
    (programs / "idf.py").write_text(
        f"#!/bin/sh\nexec env PYTHONPATH={ROOT} {sys.executable}"
        ' -m tests.fakes.computer.fake_idf "$@"\n'
    )
    for name in _COMPILERS:
        (programs / name).write_text("#!/bin/sh\nexit 1\n")
    for path in programs.iterdir():
        path.chmod(0o755)
    return programs


def calls(idf: Path) -> list[dict]:
    """How idf.py was called: arguments, folder, and the environment that matters."""
    return [json.loads(line) for line in (idf / "calls").read_text().splitlines()]


def build(arguments: list[str]) -> None:
    """What idf.py does with `build`."""
    told = {name: os.environ.get(name) for name in ("MICROPY_MPYCROSS", "MAKEFLAGS", "BUILD")}
    with (Path(os.environ["IDF_PATH"]) / "calls").open("a") as file:
        file.write(json.dumps({"arguments": arguments, "folder": os.getcwd(), **told}) + "\n")
    settings = dict(
        text.split("=", 1)
        for option, text in zip(arguments, arguments[1:], strict=False)
        if option == "-D"
    )
    output = Path(arguments[arguments.index("-B") + 1])
    board = Path(settings["MICROPY_BOARD_DIR"])
    (target,) = re.findall(r"IDF_TARGET (\w+)", (board / "mpconfigboard.cmake").read_text())
    (text,) = re.findall(r"^IMAGE = '(.*)'$", (board / "board.py").read_text(), re.M)
    own = board / "partitions.csv"
    table = own if own.exists() else board.parent / "common/partitions-4MiB.csv"
    loader = [(0x3FFF0000, b"boot" * 50), (0x40080000, b"code" * 400)]
    made = {
        "sdkconfig": f'CONFIG_IDF_TARGET="{target}"\n'
        f"CONFIG_BOOTLOADER_OFFSET_IN_FLASH={_OFFSETS[target]:#x}\n",
        "bootloader/bootloader.bin": esp_images.program(target, loader),
        "partition_table/partition-table.bin": esp_images.table(_rows(table.read_text())),
        "micropython.bin": esp_images.application(target, text.encode(), 300_000),
    }
    for name, content in made.items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def _rows(text: str) -> list[tuple[int, int, int, int, str]]:
    found = []
    for line in text.splitlines():
        name, *cells = [cell.strip() for cell in line.split("#")[0].split(",")]
        if cells:
            kind, subtype = _TYPES[cells[0]], _SUBTYPES[cells[1]]
            found.append((kind, subtype, int(cells[2], 0), int(cells[3], 0), name))
    return found


if __name__ == "__main__":  # as idf.py
    build(sys.argv[1:])
