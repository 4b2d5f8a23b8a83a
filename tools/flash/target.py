"""The board that is to be flashed, as boards/<NAME> describes it.

target = load("ESP32_GENERIC")
target.chip, target.module.UARTS, target.image, target.offset
"""

import json
import types
from pathlib import Path

from tools import ROOT
from tools.flash import FlashError, command

_BOARDS = ROOT / "boards"
OLDEST = (1, 24)
_DOWNLOAD = "https://micropython.org/download/"

# As MicroPython spells them at the end of sys.implementation._machine; "ESP32" is a part of all.
_CHIPS = ("esp32c2", "esp32c3", "esp32c5", "esp32c6", "esp32h2", "esp32p4", "esp32s2", "esp32s3")


class Target:
    """One folder of boards/: its board.py as a module, and board.json."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.module = types.ModuleType("board")
        source = (folder / "board.py").read_text("utf-8")
        exec(compile(source, str(folder / "board.py"), "exec"), self.module.__dict__)  # noqa: S102
        self.source = folder / "board.py"
        self.chip: str = self.module.CHIP
        self.info = json.loads((folder / "board.json").read_text("utf-8"))
        self.image: str = self.info.get("micropython", {}).get("image", "")
        self.offset = int(self.info.get("micropython", {}).get("offset", "0"), 0)

    def image_advice(self) -> str:
        """Which MicroPython to write, and how."""
        return (
            f"Download the newest {self.image}-….bin from {_DOWNLOAD}{self.image.split('-')[0]}/"
            " and write it: "
            + command("micropython", port="…", board=self.name, image="<that file>")
        )


def names(chip: str | None = None) -> list[str]:
    """The boards that can be flashed, or those with that chip."""
    folders = sorted(folder.parent for folder in _BOARDS.glob("*/board.py"))
    return [
        folder.name
        for folder in folders
        if folder.name != "HOST" and (chip is None or Target(folder).chip == chip)
    ]


def load(name: str | None) -> Target:
    """The board of that name; FlashError lists those that there are."""
    if not name or name not in names():
        what = f"there is no boards/{name}" if name else "which board is it? BOARD is missing"
        raise FlashError(f"{what}. BOARD=… is one of: {', '.join(names())}")
    return Target(_BOARDS / name)


def chip_of(machine: str) -> str:
    """The chip that a MicroPython says it runs on: "…module with ESP32-C3FH4" -> "esp32c3"."""
    text = machine.lower().split(" with ")[-1].replace("-", "").strip()
    for chip in (*_CHIPS, "esp32", "esp8266"):
        if text.startswith(chip):
            return chip
    return text
