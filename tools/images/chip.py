"""What an ESP8266's image takes of the chip, read from the linked program and its map file.

    found = chip.figures(Path("build/firmware/WEMOS_D1_MINI/output/firmware.elf"))
    found["irom"], found["irom_room"]         # bytes in flash, and how many there may be
    found["sdk"]                              # what is left for the SDK's malloc

The chip has 80 KiB for data: .data, .rodata and .bss, in which Python's heap is an array, and
behind them, up to `_heap_end`, what the SDK allocates from: packets, sockets and the Wi-Fi live
there. An image that leaves less than MicroPython's own does connects badly, and nobody sees why.
"""

import re
import subprocess
from pathlib import Path

_TOOLS = "xtensa-lx106-elf-"
SDK_BYTES = 14240  # that MicroPython's own image leaves


def figures(elf: Path) -> dict[str, int]:
    """Bytes: bss, heap, data (with .rodata), iram, iram_room, irom, irom_room, sdk."""
    sections = _sections(_run("size", "-A", elf))
    symbols = _symbols(_run("nm", "-S", elf))
    rooms = _rooms(elf.with_suffix(".map").read_text(errors="replace"))
    return {
        "bss": sections[".bss"],
        "heap": symbols["heap"][1],
        "data": sections[".data"] + sections[".rodata"],
        "iram": sections[".text"],
        "iram_room": rooms["iram1_0_seg"],
        "irom": sections[".irom0.text"],
        "irom_room": rooms["irom0_0_seg"],
        "sdk": symbols["_heap_end"][0] - symbols["_heap_start"][0],
    }


def rows(board: str, found: dict[str, int]) -> list[tuple[str, int, str]]:
    """The figures of a board for tools/bench/size.py."""
    print(f"  chip {board}: IRAM of {found['iram_room']} bytes, flash of {found['irom_room']}")
    told = (
        ("static RAM (.bss)", "bss"),
        (".data and .rodata", "data"),
        ("IRAM (.text)", "iram"),
        ("flash (.irom0.text)", "irom"),
    )
    table = [(f"chip {board}, {what}", found[key], "bytes") for what, key in told]
    for what, key in (("of that Python's heap", "heap"), ("left for the SDK", "sdk")):
        table.append((f"chip {board}, {what}", -found[key], "bytes, less than nothing is more"))
    return table


def _run(tool: str, option: str, elf: Path) -> str:
    command = [_TOOLS + tool, option, str(elf)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _sections(text: str) -> dict[str, int]:
    return {name: int(size) for name, size in re.findall(r"^(\.\S+)\s+(\d+)\s", text, re.M)}


def _symbols(text: str) -> dict[str, tuple[int, int]]:
    """Name -> address and size; those of the linker script have no size."""
    found = re.findall(r"^([0-9a-f]+) (?:([0-9a-f]+) )?\w (\S+)$", text, re.M)
    return {name: (int(address, 16), int(size or "0", 16)) for address, size, name in found}


def _rooms(text: str) -> dict[str, int]:
    """The regions of the linker script, by the map's table of them."""
    table = text.split("Memory Configuration", 1)[1].split("Linker script", 1)[0]
    rows = re.findall(r"^(\w+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)", table, re.M)
    return {name: int(size, 16) for name, size in rows}
