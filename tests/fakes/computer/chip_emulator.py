"""Stands in for an emulator of a whole chip: called as one, it runs the firmware on the real VM.

    python -m tests.fakes.computer.chip_emulator -machine help
    … -M esp32c3-picsimlab -drive file=flash.bin,if=mtd,format=raw … -serial pty

It looks at flash and fuses as they were written for it, and prints its serial port as QEMU does.
Behind that is tools/rig/raw_repl.py with the real firmware: littlefs, REPL, MQTT and the story of
a boot are real; the chip, its Wi-Fi and the code in the image are not. With FAULT=silent nothing
starts.
"""

import os
import signal
import sys
import tempfile
from pathlib import Path

from tools import ROOT
from tools.flash.link import Link
from tools.host import deps
from tools.rig import raw_repl, romfs

MACHINE = "ESP32C3 module with ESP32C3"
HEAP = 400  # kB; the code lies in it


def options(arguments: list[str]) -> dict[str, list[str]]:
    """{option: its values}."""
    found: dict[str, list[str]] = {}
    for name, value in zip(arguments[::2], arguments[1::2], strict=True):
        found.setdefault(name, []).append(value)
    return found


def check(found: dict[str, list[str]]) -> None:
    """What a real one would not start with, or not as wanted."""
    drives = [dict(part.split("=", 1) for part in text.split(",")) for text in found["-drive"]]
    flash = Path(next(drive["file"] for drive in drives if drive["if"] == "mtd")).read_bytes()
    fuses = Path(next(drive["file"] for drive in drives if drive.get("id") == "efuse"))
    assert len(flash) == 4 << 20 and flash[0] == 0xE9
    assert set(flash[0x390000:]) == {0xFF}  # the files, as on a new chip
    assert len(fuses.read_bytes()) == 1024
    assert found["-M"] == ["esp32c3-picsimlab"] and found["-serial"] == ["pty"]
    assert any("model=esp32c3_wifi" in text for text in found["-nic"])


def run(folder: Path) -> None:
    board = folder / "board"
    tree = romfs.build("esp32-files", deps.path()) / "tree"
    romfs.compile_file(ROOT / "boards/ESP32_GENERIC_C3/board.py", board / "board.mpy", "board.py")
    romfs.compile_file(ROOT / "firmware/config.py", folder / "frozen/config.mpy", "config.py")
    before = [board, tree, folder / "frozen"]
    with raw_repl.Board(folder, machine=MACHINE, heap_kb=HEAP, before=before) as chip:
        with Link(chip.port) as link:
            link.attach()
            if os.environ.get("FAULT") != "silent":
                link.write("/main.py", (ROOT / "firmware/main.py").read_bytes())
            link.restart()
        print(f"char device redirected to {chip.port} (label serial0)", flush=True)
        signal.pause()


if __name__ == "__main__":
    if sys.argv[1:] == ["-machine", "help"]:
        print("Supported machines are:\nesp32c3-picsimlab    Espressif ESP32C3\nnone    empty")
        sys.exit(0)
    check(options(sys.argv[1:]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory() as name:
        run(Path(name))
