#!/usr/bin/env python3
"""Build a MicroPython image with the application frozen in: `make firmware`.

    make firmware BOARD=ESP32_GENERIC MICROPYTHON=~/micropython
    python3 tools/firmware.py --board WEMOS_D1_MINI --micropython ~/micropython [--check]

MICROPYTHON is a checkout of github.com/micropython/micropython (tried with 1.29). The ESP32
family needs Espressif's ESP-IDF, whose export.sh has been run in this shell, the ESP8266 the
compiler xtensa-lx106-elf-gcc with its SDK. --check tells what is missing and builds nothing.

Nothing is written into this repository but build/firmware/<board>/: source/ (what is frozen,
with the build's date), output/ (MicroPython's build) and the image. The last line is the size of
the image against the room that it has: exit status 1 where it does not fit. 3: cannot be built
here, and why.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tools/host")]

import deps  # noqa: E402
import stage  # noqa: E402
from vm import Unavailable  # noqa: E402

import boards  # noqa: E402

_OLDEST = (1, 29)  # the ports' settings that boards/common/ names are those of this version
# Any of these will do.
_COMPILERS = {
    "esp32": ("xtensa-esp-elf-gcc", "xtensa-esp32-elf-gcc"),
    "esp32s2": ("xtensa-esp-elf-gcc", "xtensa-esp32s2-elf-gcc"),
    "esp32s3": ("xtensa-esp-elf-gcc", "xtensa-esp32s3-elf-gcc"),
    "esp32c3": ("riscv32-esp-elf-gcc",),
    "esp8266": ("xtensa-lx106-elf-gcc",),
}
_REFERRED = re.compile(r"\bboards/(?:sdkconfig\.\w+|\w+\.ld)")


def missing(name: str, micropython: Path | None) -> Iterator[str]:
    """Yield what is in the way of building this board, and what to do about it."""
    if name == "HOST" or name not in boards.names():
        known = ", ".join(n for n in boards.names() if n != "HOST")
        yield f"BOARD is {name!r}; allowed: {known}"
        return
    chip = boards.load(boards.FOLDERS / name).CHIP
    yield from _checkout_problems(micropython, boards.FOLDERS / name, _port(chip))
    if not shutil.which("make") or not shutil.which("gcc"):
        yield "mpy-cross is built with make and gcc: install both (Debian: build-essential)"
    has_compiler = any(shutil.which(name) for name in _COMPILERS[chip])
    if chip == "esp8266":
        if not has_compiler:
            yield (
                f"{_COMPILERS[chip][0]} is not on PATH: take the archive that MicroPython's"
                " ports/esp8266/README.md names, with its SDK, and put its bin/ on PATH"
            )
        if not (shutil.which("esptool") or shutil.which("esptool.py")):
            yield "esptool is not on PATH: pip install esptool"
        return
    if not os.environ.get("IDF_PATH") or not shutil.which("idf.py"):
        yield (
            "ESP-IDF is not set up in this shell (no IDF_PATH, or no idf.py on PATH): install the"
            " version that MicroPython's ports/esp32/README.md names, then: . <esp-idf>/export.sh"
        )
    elif not has_compiler:
        yield f"ESP-IDF has no compiler for this chip: <esp-idf>/install.sh {chip}"


def _checkout_problems(micropython: Path | None, folder: Path, port: str) -> Iterator[str]:
    if micropython is None:
        yield (
            "MICROPYTHON is not given, and make deps has fetched none; allowed: a checkout of"
            " github.com/micropython/micropython"
        )
        return
    if not (micropython / "ports" / port / "Makefile").exists():
        yield f"MICROPYTHON is {micropython}, which is no checkout of MicroPython: no ports/{port}"
        return
    found = _version(micropython)
    if found and found < _OLDEST:
        yield "MICROPYTHON is {}.{}; allowed: {}.{} or newer".format(*found, *_OLDEST)
    for path in sorted(referred(folder)):
        if not (micropython / "ports" / port / path).exists():
            yield f"this MicroPython has no ports/{port}/{path}; boards/common is made for 1.29"
    if not (micropython / "lib/micropython-lib/python-stdlib").is_dir():
        yield (
            "MICROPYTHON lacks a submodule:"
            f" git -C {micropython} submodule update --init lib/micropython-lib"
        )


def referred(folder: Path) -> set[str]:
    """Files of the port that a board's build files name."""
    found: set[str] = set()
    suffix = ".mk" if (folder / "mpconfigboard.mk").exists() else ".cmake"
    for place in (folder, boards.FOLDERS / "common"):
        for path in place.glob("*" + suffix):
            found |= set(_REFERRED.findall(re.sub(r"#.*", "", path.read_text())))
    return found


def _version(micropython: Path) -> tuple[int, int] | None:
    text = (micropython / "py/mpconfig.h").read_text()
    numbers = [
        re.search(rf"#define MICROPY_VERSION_{part}\s+(\d+)", text) for part in ("MAJOR", "MINOR")
    ]
    return (int(numbers[0][1]), int(numbers[1][1])) if numbers[0] and numbers[1] else None


def _port(chip: str) -> str:
    return "esp8266" if chip == "esp8266" else "esp32"


def build(name: str, micropython: Path, extra: list[str]) -> int:
    """Build a board's image; return the exit status."""
    chip = boards.load(boards.FOLDERS / name).CHIP
    work = ROOT / "build/firmware" / name
    source = stage.copy(work / "source", [f"boards/{name}", "boards/common"])
    environment = {**os.environ, "JOULELOG_DEPS": str(deps.ensure())}
    port = micropython / "ports" / _port(chip)
    common = [
        f"-j{os.cpu_count() or 1}",
        f"BOARD_DIR={source / 'boards' / name}",
        f"BUILD={work / 'output'}",
        *extra,
    ]
    steps = [
        ["make", "-C", str(micropython / "mpy-cross"), common[0]],
        ["make", "-C", str(port), *common, "submodules"],
        ["make", "-C", str(port), *common],
    ]
    if _has_submodules(micropython, chip):
        del steps[1]
    for step in steps:
        print("+ " + " ".join(step), flush=True)
        if subprocess.run(step, env=environment, check=False).returncode:
            print("firmware: that failed; its own messages are above", file=sys.stderr)
            return 1
    image = work / f"joulelog-{stage.version()}-{name}.bin"
    shutil.copyfile(work / "output/firmware.bin", image)
    print(f"image: {image.relative_to(ROOT)}, made {stage.date()}")
    return _report(work / "output", boards.facts(boards.FOLDERS / name), chip)


def _has_submodules(micropython: Path, chip: str) -> bool:
    """What an ESP8266 needs can lie there without git; the IDF's step knows better itself."""
    return chip == "esp8266" and (micropython / "lib/axtls/ssl").is_dir()


def _report(output: Path, told: dict, chip: str) -> int:
    """Print the size of the firmware against its room."""
    room = told["flash"]["layouts"]["frozen"]["firmware_kb"] * 1024
    if chip == "esp8266":
        size = irom_bytes(output / "firmware.elf")
        what = "flash segment"
    else:
        size = (output / "micropython.bin").stat().st_size
        what = "application in its slot"
    free = room - size
    print(f"{what}: {size} of {room} bytes, {free} free ({100 * size // room} %)")
    return 0 if free >= 0 else 1


def irom_bytes(elf: Path) -> int:
    """The size of an ESP8266's code that runs from flash."""
    done = subprocess.run(
        ["xtensa-lx106-elf-size", "-A", str(elf)], capture_output=True, text=True, check=True
    )
    found = re.search(r"^\.irom0\.text\s+(\d+)", done.stdout, re.M)
    if not found:
        raise ValueError(f"{elf} has no section .irom0.text")
    return int(found[1])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--board", default="")
    parser.add_argument("--micropython", default="", metavar="CHECKOUT")
    parser.add_argument("--check", action="store_true", help="only say what is missing")
    parser.add_argument("extra", nargs="*", help="NAME=value for MicroPython's make")
    given = parser.parse_args(arguments)
    # `make` starts us from .venv, whose tools (esptool) nobody has put on PATH.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    named = Path(given.micropython).expanduser().resolve() if given.micropython else None
    checkout = named or deps.micropython()
    problems = list(missing(given.board, checkout))
    for problem in problems:
        print("firmware: " + problem, file=sys.stderr)
    if problems:
        return 3
    if given.check or checkout is None:
        print("firmware: all that is needed is here")
        return 0
    try:
        return build(given.board, checkout, given.extra)
    except Unavailable as problem:
        print(f"firmware: {problem}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
