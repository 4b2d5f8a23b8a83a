"""Write a MicroPython image with esptool, or erase the whole flash.

    command = write_command(target, port, image, erase=True)
    run(command)

The image has to be a whole one (bootloader, partition table, application), which is what
micropython.org offers as .bin; an .app-bin is only for updates over the air.
"""

import re
import subprocess
import sys
from pathlib import Path

from . import FlashError, ports
from .target import OLDEST, Target

_MAGIC = 0xE9  # first byte of every image of Espressif's chips
_TABLE = 0x8000  # where the partition table of an ESP32 lies in flash
_TABLE_MAGIC = b"\xaa\x50"
# The chip's number in bytes 12 and 13 of an ESP32's image header (ESP-IDF, esp_app_format.h).
_CHIP_IDS = {0: "esp32", 2: "esp32s2", 5: "esp32c3", 9: "esp32s3", 13: "esp32c6"}
_VERSION = re.compile(rb"MicroPython v(\d+)\.(\d+)")


def write_command(target: Target, port: str, image: Path | None, erase: bool) -> list[str]:
    """The esptool command line that writes an image; FlashError when it is not one for BOARD."""
    if image is None:
        raise FlashError("which image? IMAGE is missing. " + target.image_advice())
    try:
        data = image.read_bytes()
    except OSError as problem:
        raise FlashError(f"IMAGE={image}: {problem.strerror}. {target.image_advice()}") from None
    check(data, target, image.name)
    command = [*_esptool(target.chip, port), "write-flash"]
    if erase:
        command.append("--erase-all")
    if target.chip == "esp8266":
        command.append("--flash-size=detect")
    return [*command, hex(target.offset), str(image)]


def erase_command(chip: str, port: str) -> list[str]:
    """The esptool command line that erases all of the flash."""
    return [*_esptool(chip, port), "erase-flash"]


def check(data: bytes, target: Target, name: str) -> None:
    """FlashError when the bytes are no MicroPython for that board."""
    if not data or data[0] != _MAGIC:
        raise FlashError(f"{name} is no firmware image. {target.image_advice()}")
    if target.chip != "esp8266":
        _check_esp32(data, target, name)
    found = _VERSION.search(data)
    if found and (int(found[1]), int(found[2])) < OLDEST:
        version = (found[0].decode(), *OLDEST)
        raise FlashError(
            f"{name} is %s; JouleLog needs %d.%d or newer. " % version + target.image_advice()
        )


def _check_esp32(data: bytes, target: Target, name: str) -> None:
    table = _TABLE - target.offset
    if data[table : table + 2] != _TABLE_MAGIC:
        raise FlashError(
            f"{name} has no partition table at {hex(_TABLE)}: it is an image for updates"
            f" (.app-bin) or for another chip, and would not start. {target.image_advice()}"
        )
    chip = _CHIP_IDS.get(int.from_bytes(data[12:14], "little"), "chip unknown to this tool")
    if chip != target.chip:
        raise FlashError(
            f"{name} is for an {chip}, BOARD={target.name} is an {target.chip}."
            f" {target.image_advice()}"
        )


def _esptool(chip: str, port: str) -> list[str]:
    return [sys.executable, "-m", "esptool", "--chip", chip, "--port", port, "--baud", "460800"]


def run(command: list[str], target: Target | None) -> None:
    """Run esptool; FlashError says how to get into download mode when it cannot connect."""
    problem = ports.fault(command[command.index("--port") + 1])
    if problem:
        raise FlashError(problem)
    if subprocess.run(command, check=False).returncode:
        way = target.info["download_mode"] if target else "hold BOOT, tap RESET, let go of BOOT"
        raise FlashError(
            "esptool did not do it (its reason is above). If it could not connect, put the board"
            f" into download mode: {way}. A slow cable or hub may need another USB port."
        )
