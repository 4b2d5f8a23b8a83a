"""Build a MicroPython image with the application frozen in: `make firmware`.

    make firmware BOARD=ESP32_GENERIC MICROPYTHON=~/micropython
    make firmware BOARD=WEMOS_D1_MINI MICROPYTHON=~/micropython FEATURES="dsmr mqtt led"
    make firmware BOARD=ESP32_GENERIC KEY=~/.joulelog/update.pem
    python3 -m tools.images.firmware --board WEMOS_D1_MINI --micropython ~/micropython [--check]

MICROPYTHON is a checkout of github.com/micropython/micropython (tried with 1.29). The ESP32
family needs Espressif's ESP-IDF, in one of the versions that the checkout's ports/esp32/README.md
names, whose export.sh has been run in this shell; the ESP8266 the compiler xtensa-lx106-elf-gcc
with its SDK, or with ESP_SDK=<folder of an SDK> (boards/README.md).
FEATURES says what the image can do in the place of the board's own. KEY is the private key whose
updates the image takes (tools/images/updates.py); without it the image takes none. --check tells
what is missing and builds nothing.

It is built from a patched copy of the checkout, with code objects in flash (tools/romcode); the
checkout is not touched. Nothing is written into this repository but build/firmware/<board>/:
source/ (what is frozen, with the build's date), mpy-cross/ and output/ (MicroPython's build), and
the image in build/images/, from where `make dist` takes it, with the licences of what it contains,
and with KEY the file for updates.
The last line is the size of the image
against the room that it has: exit status 1 where it does not fit, or where an ESP8266's leaves too
little to the SDK. 3: cannot be built here, and why.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tools import ROOT, boards, romcode
from tools.host import deps
from tools.host.cache import Unavailable
from tools.images import chip as chip_memory
from tools.images import espimage, features, licences, page, releases, stage, updates

_OLDEST = (1, 29)  # the ports' settings that boards/common/ names are those of this version
# Any of these will do.
_COMPILERS = {
    "esp32": ("xtensa-esp-elf-gcc", "xtensa-esp32-elf-gcc"),
    "esp32s2": ("xtensa-esp-elf-gcc", "xtensa-esp32s2-elf-gcc"),
    "esp32s3": ("xtensa-esp-elf-gcc", "xtensa-esp32s3-elf-gcc"),
    "esp32c3": ("riscv32-esp-elf-gcc",),
    "esp8266": ("xtensa-lx106-elf-gcc",),
}
# A newer compiler for the ESP8266 than the official 4.8 warns of more, and gives a variable of a
# header to each file.
_FLAGS_8266 = "-Wno-error -Wno-array-bounds -fcommon"
# The ports' own step "submodules" would need git, which the copy that we build from has not, and
# would change the checkout. btree, whose submodule the ports name too, is in no image of ours.
_SUBMODULES = {
    "esp32": ("lib/micropython-lib",),
    "esp8266": ("lib/micropython-lib", "lib/axtls"),
}
_SDK_FILES = (
    "include/user_interface.h",
    "include/string.h",
    "lib/libmain.a",
    "lib/liblwip_open.a",
)
# A paragraph of the port's README: the version that is best, and those that will do as well.
_SUPPORTED = re.compile(r"recommended\s+version\s+of\s+ESP-IDF.*?\n\s*\n", re.S)
_IDF_VERSION = re.compile(r"\bv(\d+\.\d+(?:\.\d+)?)")
_REFERRED = re.compile(r"\bboards/(?:sdkconfig\.\w+|\w+\.ld)")


def use_own_tools() -> None:
    """`make` starts us from .venv, whose tools (esptool) nobody has put on PATH.

    Behind all others: idf.py has to find the IDF's own python first.
    """
    os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)])


def missing(name: str, micropython: Path | None, sdk: Path | None = None) -> Iterator[str]:
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
        if has_compiler:
            yield from _sdk_problems(_COMPILERS[chip][0], sdk)
        else:
            yield (
                f"{_COMPILERS[chip][0]} is not on PATH: take the archive that MicroPython's"
                " ports/esp8266/README.md names, with its SDK, and put its bin/ on PATH; or"
                " Debian's gcc-xtensa-lx106 with ESP_SDK=<folder of an SDK>"
            )
        if not (shutil.which("esptool") or shutil.which("esptool.py")):
            yield "esptool is not on PATH: pip install esptool"
        return
    if not os.environ.get("IDF_PATH") or not shutil.which("idf.py"):
        yield (
            "ESP-IDF is not set up in this shell (no IDF_PATH, or no idf.py on PATH): install the"
            " version that MicroPython's ports/esp32/README.md names, then: . <esp-idf>/export.sh"
        )
        return
    if not has_compiler:
        yield f"ESP-IDF has no compiler for this chip: <esp-idf>/install.sh {chip}"
    if micropython is not None:
        yield from _idf_problems(Path(os.environ["IDF_PATH"]), micropython)


def _idf_problems(idf: Path, micropython: Path) -> Iterator[str]:
    """The port is built with certain versions only, which its README names."""
    readme = micropython / "ports/esp32/README.md"
    told = _SUPPORTED.search(readme.read_text()) if readme.exists() else None
    allowed = _IDF_VERSION.findall(told[0]) if told else []
    if not allowed:
        return  # it does not say, or the checkout is none, which has been told
    found = _idf_version(idf)
    if found not in allowed:
        best, others = allowed[0], ", ".join(f"v{version}" for version in allowed[1:])
        yield (
            f"ESP-IDF in {idf} is {'v' + found if found else 'of an unknown version'}; this"
            f" MicroPython allows: v{best} (best)" + (f", {others}" if others else "")
        )


def _idf_version(idf: Path) -> str:
    """As its own cmake tells it, v5.3 and not v5.3.0; "" where it does not."""
    try:
        text = (idf / "tools/cmake/version.cmake").read_text()
    except OSError:
        return ""
    numbers = dict(re.findall(r"set\(IDF_VERSION_(MAJOR|MINOR|PATCH)\s+(\d+)\)", text))
    if len(numbers) != 3:
        return ""
    version = f"{numbers['MAJOR']}.{numbers['MINOR']}"
    return version if numbers["PATCH"] == "0" else f"{version}.{numbers['PATCH']}"


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
    lacking = [name for name in _SUBMODULES[port] if not _filled(micropython / name)]
    if lacking:
        yield (
            "MICROPYTHON lacks submodules:"
            f" git -C {micropython} submodule update --init {' '.join(lacking)}"
        )


def _filled(folder: Path) -> bool:
    """Git makes an empty folder for a submodule that nobody has asked for."""
    return folder.is_dir() and any(folder.iterdir())


def _sdk_problems(compiler: str, sdk: Path | None) -> Iterator[str]:
    what = f"ESP_SDK is {sdk}, which"
    if sdk is None:
        sdk = _own_sdk(compiler)
        what = f"{compiler} has no SDK of its own, so give ESP_SDK=<folder>; {sdk}"
    for name in _SDK_FILES:
        if not (sdk / name).exists():
            yield f"{what} has no {name}: what has to be there is in boards/README.md"
            return


def _own_sdk(compiler: str) -> Path:
    told = subprocess.run([compiler, "-print-sysroot"], capture_output=True, text=True)
    return Path(told.stdout.strip() or "/") / "usr"


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


def build(
    name: str,
    micropython: Path,
    extra: list[str],
    sdk: Path | None = None,
    wanted: tuple[str, ...] | None = None,
    key=None,
) -> int:
    """Build a board's image; return the exit status. key: of tools/images/updates.py."""
    if output_of(name, micropython, extra, sdk, wanted, key=key) is None:
        print("firmware: that failed; its own messages are above", file=sys.stderr)
        return 1
    work = ROOT / "build/firmware" / name
    image = ROOT / "build/images" / releases.image_name(name)
    image.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(work / "output/firmware.bin", image)
    print(f"image: {image.relative_to(ROOT)}, made {stage.date()}")
    _write_update(name, image, key)
    chip = boards.load(boards.FOLDERS / name).CHIP
    _write_licences(image.parent / releases.licences_name(name), chip, micropython, sdk)
    return _report(work / "output", boards.facts(boards.FOLDERS / name), chip)


def _write_update(name: str, image: Path, key) -> None:
    """The same for a board that has an image with this key; one of another build goes."""
    path = image.parent / releases.update_name(name)
    path.unlink(missing_ok=True)
    if key is None:
        print("no update beside it, and the image takes none: KEY=… is not given (make key)")
        return
    try:
        path.write_bytes(updates.made(image.read_bytes(), name, key))
        print(f"update: {path.relative_to(ROOT)}, signed with key {updates.fingerprint(key)}")
    except espimage.ImageError as problem:
        print(f"no update beside it: the image {problem}")


def _write_licences(path: Path, chip: str, micropython: Path, sdk: Path | None) -> None:
    """What has to go with an image that is given away."""
    places = {"project": ROOT, "micropython": romcode.prepare(micropython)}
    if chip == "esp8266":
        places["sdk"] = sdk or _own_sdk(_COMPILERS[chip][0])
    else:
        places["idf"] = Path(os.environ["IDF_PATH"])
    texts, problems = licences.collect(chip, {**places, "deps": deps.licences()})
    path.write_text(licences.written(texts))
    for problem in problems:
        print(f"{problem}; make dist refuses the image")


def output_of(
    name: str,
    micropython: Path,
    extra: list[str],
    sdk: Path | None = None,
    wanted: tuple[str, ...] | None = None,
    log: IO | None = None,
    key=None,
) -> Path | None:
    """Run MicroPython's build, its messages to the log; its folder, or None where it failed."""
    chip = boards.load(boards.FOLDERS / name).CHIP
    work = ROOT / "build/firmware" / name
    source = stage.copy(
        work / "source", [f"boards/{name}", "boards/common"], _changed(name, wanted)
    )
    tree = romcode.prepare(micropython)
    # Our BUILD must not reach a nested make of mpy-cross, as it does through MAKEFLAGS: so that
    # one is built before, and the port told where it is.
    cross = work / "mpy-cross"
    environment = {
        **os.environ,
        "JOULELOG_DEPS": str(deps.ensure()),
        "MICROPY_MPYCROSS": str(cross / "mpy-cross"),
        "JOULELOG_PAGE": _page(log),
        "JOULELOG_KEY": str(updates.write_module(key, work / "key")) if key else "",
    }
    environment.pop("MAKEFLAGS", None)
    jobs = f"-j{os.cpu_count() or 1}"
    port = ["make", "-C", str(tree / "ports" / _port(chip)), jobs]
    port += [f"BOARD_DIR={source / 'boards' / name}", f"BUILD={work / 'output'}"]
    if chip == "esp8266":
        # As the headers of a compiler's own SDK: what they do is no concern of the port's.
        headers = f"-isystem {sdk / 'include'} " if sdk else ""
        port += [f"CFLAGS_EXTRA={headers}{_FLAGS_8266}"] + ([f"ESP_SDK={sdk}"] if sdk else [])
    port += extra
    signs = updates.fingerprint(key) if key else ""
    _forget_others(work, " ".join([*port, signs]), source / "boards")
    for step in (["make", "-C", str(tree / "mpy-cross"), jobs, f"BUILD={cross}"], port):
        print("+ " + " ".join(step), flush=True, file=log)
        if subprocess.run(step, env=environment, check=False, stdout=log, stderr=log).returncode:
            return None
    return work / "output"


def _page(log: IO | None) -> str:
    """The folder of set-up's page; "" where it cannot be built here."""
    try:
        return str(page.build().parent)
    except Unavailable as problem:
        print(f"this image has plain forms in the place of set-up's page: {problem}", file=log)
        return ""


def _forget_others(work: Path, command: str, settings: Path) -> None:
    """Remove what was built with other settings: make does not see all that depends on them."""
    digest = hashlib.sha256(command.encode())
    for path in sorted(settings.rglob("*")):
        if path.is_file() and path.suffix not in (".py", ".json"):
            digest.update(path.read_bytes())
    stamp = work / "settings"
    if not stamp.exists() or stamp.read_text() != digest.hexdigest():
        shutil.rmtree(work / "output", ignore_errors=True)
        shutil.rmtree(work / "mpy-cross", ignore_errors=True)
        stamp.write_text(digest.hexdigest())


def _changed(name: str, wanted: tuple[str, ...] | None) -> dict[Path, bytes]:
    """The board's file, which says what the image is, maybe with other features than its own."""
    path = Path("boards") / name / "board.py"
    source = (ROOT / path).read_text()
    if wanted is not None:
        source = features.in_board(source, wanted)
    told = " ".join(wanted) if wanted is not None else "own"
    line = espimage.line(name, stage.version(), stage.date(), told)
    return {path: f"{source.rstrip()}\nIMAGE = {line!r}\n".encode()}


def _report(output: Path, told: dict, chip: str) -> int:
    """Print the size of the firmware against its room."""
    room = told["flash"]["layouts"]["frozen"]["firmware_kb"] * 1024
    fits = True
    if chip == "esp8266":
        found = chip_memory.figures(output / "firmware.elf")
        size = found["irom"]
        what = "flash segment"
        fits = found["sdk"] >= chip_memory.SDK_BYTES
        print(
            f"left for the SDK: {found['sdk']} bytes, {chip_memory.SDK_BYTES} are needed"
            + ("" if fits else "; leave out features: FEATURES=…")
        )
    else:
        size = (output / "micropython.bin").stat().st_size
        what = "application in its slot"
    free = room - size
    print(f"{what}: {size} of {room} bytes, {free} free ({100 * size // room} %)")
    return 0 if fits and free >= 0 else 1


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--board", default="")
    parser.add_argument("--micropython", default="", metavar="CHECKOUT")
    parser.add_argument("--features", default="", help="in the place of the board's own")
    parser.add_argument("--esp-sdk", default="", metavar="FOLDER", help="for an ESP8266")
    parser.add_argument("--key", type=Path, help="the private key that signs its updates")
    parser.add_argument("--check", action="store_true", help="only say what is missing")
    parser.add_argument("extra", nargs="*", help="NAME=value for MicroPython's make")
    given = parser.parse_args(arguments)
    use_own_tools()
    checkout = _folder(given.micropython) or deps.micropython()
    sdk = _folder(given.esp_sdk)
    problems = list(missing(given.board, checkout, sdk))
    wanted = None
    try:
        wanted = features.named(given.features) if given.features else None
    except ValueError as problem:
        problems.append(f"FEATURES: {problem}")
    key = None
    try:
        key = updates.read_key(given.key) if given.key else None
    except updates.KeyProblem as problem:
        problems.append(str(problem))
    for problem in problems:
        print("firmware: " + problem, file=sys.stderr)
    if problems:
        return 3
    if given.check or checkout is None:
        print("firmware: all that is needed is here")
        return 0
    try:
        return build(given.board, checkout, given.extra, sdk, wanted, key)
    except (Unavailable, page.Broken, romcode.Unknown) as problem:
        print(f"firmware: {problem}", file=sys.stderr)
        return 3


def _folder(text: str) -> Path | None:
    return Path(text).expanduser().resolve() if text else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
