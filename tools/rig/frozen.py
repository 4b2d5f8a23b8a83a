"""A 32-bit MicroPython for this computer with the application frozen in, as in a chip's image.

    program = frozen.build(None, "esp8266")    # of deps.micropython(); LeftOut: what is missing
    program = frozen.build(None, "esp8266", wanted=("dsmr", "mqtt"))    # with these features
    text = frozen.run(program, "size_run.py", ["config.py", device, "70"], 40 * 1024)

No image from ROMFS and no .mpy file has the heap of frozen code, so `make size ONLY=frozen`
measures this one. It is built from the patched copy of the checkout (tools/romcode), with code
objects in flash as in our images, or without them to compare; in a folder of the cache, never in
the repository or in the checkout. Settings that the heap can feel, and what is frozen, are those
of the chip (tools/rig/frozen_vm). Its board is boards/ESP8266_GENERIC or boards/ESP32_GENERIC, and
so are its features where no others are given. The flash is a file with a littlefs in it.

Needs make and a gcc that can make 32-bit programs (Debian: gcc-multilib).
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools import ROOT, romcode
from tools.host import deps
from tools.host.cache import locked
from tools.images import features
from tools.rig import vm

_VARIANT = ROOT / "tools/rig/frozen_vm"
_BLOCK = 4096
# The pins of the chip do nothing on a computer, and its UART is where the meter is.
_BOARD = """
NAME = "HOST"
CHIP = "host"
UARTS = {}
LOG_DIRECTORY = "/flash"
"""
# chip -> its board, blocks of the file system, what else is different from the board's
_CHIPS = {
    # Its port has the UART's buffer in the heap; the LED's pin is the log's where a meter is.
    # Set-up is a mode of its own there: its app, which looks at CHIP, has no point beside it.
    "esp8266": (
        "ESP8266_GENERIC",
        251,
        'LED = None\nHEAP_BUFFER = RX_BUFFER + 1\nNO_ROOM = ("setup",)\n',
    ),
    "esp32": ("ESP32_GENERIC", 512, "HEAP_BUFFER = 0\n"),
}
# bytes of heap: ports/esp8266/main.c; the least that an ESP32 without PSRAM has
HEAPS = {"esp8266": 38 * 1024, "esp32": 140 * 1024}
# The fourth argument of __import__ makes the VM run the module as __main__.
_START = (
    "import sys,chip;chip.start(*sys.argv[1:3]);sys.argv[:]=sys.argv[2:];"
    "__import__(%r,None,None,False)"
)
_FILL = "import sys,chip;chip.fill(*sys.argv[1:3])"


class LeftOut(Exception):
    """It cannot be built here; the text says what it needs."""


def build(
    micropython: Path | None,
    chip: str,
    rom_code: bool = True,
    wanted: tuple[str, ...] | None = None,
) -> Path:
    """Build what is not up to date for "esp8266" or "esp32"; return the program.

    rom_code: with functions, classes and globals of frozen modules in flash.
    """
    micropython = checked(micropython)
    packages = deps.path()
    if packages is None:
        raise LeftOut("mqtt_as (make deps)")
    try:
        tree = romcode.prepare(micropython)
    except romcode.Unknown as reason:
        raise LeftOut(str(reason))
    # make does not compile anew what other settings were made for.
    settings = "".join(path.read_text() for path in sorted(_VARIANT.rglob("*.[cmh]*")))
    kind = vm.cache() / "frozen" / _key(f"{tree} {ROOT} {chip} {rom_code} {settings}")
    folder = kind / _key(str(wanted))
    folder.mkdir(parents=True, exist_ok=True)
    name, blocks, changes = _CHIPS[chip]
    board = (ROOT / "boards" / name / "board.py").read_text()
    if wanted is not None:
        board = features.in_board(board, wanted)
    _write(folder / "board.py", (board + _BOARD + changes).encode())
    _write(folder / "empty.flash", b"\xff" * (blocks * _BLOCK))
    with locked(vm.cache() / "frozen/lock"):  # of the copy's mpy-cross
        begin(folder / "output", kind)
        for step in (
            ["make", "-C", str(tree / "mpy-cross"), "-j2"],
            [
                *("make", "-C", str(tree / "ports/unix"), "-j2", f"VARIANT_DIR={_VARIANT}"),
                *(f"BUILD={folder / 'output'}", f"FROZEN_MANIFEST={_VARIANT / 'manifest.py'}"),
                f"CFLAGS_EXTRA=-DMICROPY_ROM_CODE={int(rom_code)}",
            ],
        ):
            variables = {**os.environ, "JOULELOG_DEPS": str(packages)}
            variables |= {"JOULELOG_FROZEN": str(folder), "JOULELOG_CHIP": chip}
            done = subprocess.run(step, env=variables, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit("frozen: this failed:\n" + (done.stdout + done.stderr)[-2000:])
    return folder / "output/micropython"


def begin(output: Path, kind: Path) -> None:
    """Take what was compiled beside it, in kind/<other>/output: only what is frozen is another."""
    made = [path for path in kind.glob(f"*/{output.name}") if (path / "micropython").exists()]
    if output.exists() or not made:
        return
    frozen_ones = shutil.ignore_patterns("frozen_*", "micropython*")
    work = Path(tempfile.mkdtemp(prefix="new-", dir=output.parent))
    shutil.copytree(made[0], work, ignore=frozen_ones, dirs_exist_ok=True)
    for path in work.rglob("*.P"):  # what make knows of each object
        path.write_text(path.read_text().replace(str(made[0]), str(output)))
    work.rename(output)


def _key(told: str) -> str:
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _write(path: Path, data: bytes) -> None:
    """Write a file that differs: what is newer is built again, under the feet of who runs it."""
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)


def checked(micropython: Path | None) -> Path:
    """The checkout's full path; LeftOut says what it or this machine lacks."""
    micropython = micropython or deps.micropython()
    if micropython is None:
        raise LeftOut("MicroPython (make deps, or MICROPYTHON=<checkout>)")
    micropython = micropython.expanduser().resolve()
    if not (micropython / "ports/unix/Makefile").exists():
        raise LeftOut(f"a checkout of MicroPython; {micropython} has no ports/unix")
    if not (micropython / "lib/micropython-lib/python-stdlib").is_dir():
        raise LeftOut(f"git -C {micropython} submodule update --init lib/micropython-lib")
    if not shutil.which("make") or not _makes_32_bits():
        raise LeftOut("make and a gcc for 32-bit programs (apt install gcc-multilib make)")
    return micropython


def run(
    program: Path,
    script: str,
    arguments: list[str],
    heap_bytes: int,
    timeout_s: int = 300,
    spool: Path | None = None,
) -> str:
    """Run a script that is frozen with a meter at arguments[1]; return what it printed.

    spool: a folder of readings that wait on the flash.
    """
    with tempfile.TemporaryDirectory(prefix="joulelog-frozen-") as folder:
        flash = new_flash(program, Path(folder) / "flash", spool)
        done = subprocess.run(
            command(program, script, flash, arguments[1], arguments, heap_bytes),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            cwd=folder,
            check=False,
        )
    return done.stdout.decode(errors="replace")


def command(
    program: Path, script: str, flash: Path, uart: str, arguments: list[str], heap_bytes: int
) -> list[str]:
    """The command for a frozen script: main.py, tools/host/start.py, one of frozen_vm/manifest.py.

    uart: the device of a meter; "" where there is none.
    """
    start = _START % Path(script).stem
    line = [program, "-X", f"heapsize={heap_bytes}", "-c", start, flash, uart, *arguments]
    return [str(word) for word in line]


def new_flash(program: Path, path: Path, spool: Path | None = None) -> Path:
    """Make an empty flash, or one with the files of a folder in its spool; return its path."""
    shutil.copyfile(program.parent.parent / "empty.flash", path)
    if spool:
        line = [program, "-X", "heapsize=4M", "-c", _FILL, path, spool]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    return path


def in_ram(program: Path) -> list[tuple[str, str, str, str]]:
    """What of our own modules is no constant: (kind, name, file:line, why), by the freezer."""
    text = (program.parent / "frozen_content.c").read_text()
    found = re.findall(r"^in ram: (\w+) (\S+) (\S+): (.*)$", text, re.M)
    ours = tuple(f"{path.name}/" for path in (ROOT / "lib").iterdir()) + ("joulelog/",)
    return [row for row in found if row[2].startswith(ours)]


def shims(program: Path, uart: str) -> int:
    """Bytes of heap that only a computer needs: for what is C code on a chip."""
    with tempfile.TemporaryDirectory(prefix="joulelog-frozen-") as folder:
        flash = new_flash(program, Path(folder) / "flash")
        line = command(program, "chip", flash, uart, [], 1 << 20)
        done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout.split()[1])


def _makes_32_bits() -> bool:
    """Whether gcc can link a 32-bit program."""
    if not shutil.which("gcc"):
        return False
    done = subprocess.run(
        ["gcc", "-m32", "-x", "c", "-", "-o", os.devnull, "-lm"],
        input=b'#include <stdio.h>\nint main(void) { return puts(""); }\n',
        capture_output=True,
        check=False,
    )
    return done.returncode == 0
