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

from tools.flash import FlashError, ports
from tools.flash.target import OLDEST, Target
from tools.images import espimage

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
        command.append(f"--flash-size={_flash_size(target, data)}")
    return [*command, hex(target.offset), str(image)]


def _flash_size(target: Target, data: bytes) -> str:
    """By it an ESP8266 knows where its files are: an image of ours has the board's, always."""
    told = espimage.told(data)
    return f"{target.module.FLASH_KB // 1024}MB" if told else "detect"


def erase_command(chip: str, port: str) -> list[str]:
    """The esptool command line that erases all of the flash."""
    return [*_esptool(chip, port), "erase-flash"]


def check(data: bytes, target: Target, name: str) -> None:
    """FlashError when the bytes are no MicroPython for that board."""
    if not data or data[0] != espimage.MAGIC:
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
    table = espimage.TABLE - target.offset
    if data[table : table + 2] != espimage.TABLE_MAGIC:
        raise FlashError(
            f"{name} has no partition table at {hex(espimage.TABLE)}: it is an image for updates"
            f" (.app-bin) or for another chip, and would not start. {target.image_advice()}"
        )
    chip = espimage.chip_id(data)
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
