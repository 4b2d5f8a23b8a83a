"""A 32-bit MicroPython for this computer with the application frozen in, as in an ESP8266's image.

    program = frozen.build(Path("~/micropython"))       # LeftOut says what is missing
    text = frozen.run(program, "size_run.py", ["config.py", device, "70"], 40 * 1024)

No image from ROMFS and no .mpy file has the heap of frozen code, so `make size ONLY=frozen
MICROPYTHON=<checkout>` measures this one. It is built in a folder of the cache, never in the
repository; in the checkout only mpy-cross is built. Settings that the heap can feel are those of
the ESP8266's port (tools/host/frozen); its board is boards/ESP8266_GENERIC.

Needs make and a gcc that can make 32-bit programs (Debian: gcc-multilib).
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools/host")]

import deps  # noqa: E402
import vm  # noqa: E402

_VARIANT = ROOT / "tools/host/frozen"
_FLASH_BYTES = 251 * 4096  # as in chip.py
# The pins of the chip do nothing on a computer, and its only UART is where the meter is.
_BOARD = """
NAME = "HOST"
CHIP = "host"
UARTS = {}
LED = None
LOG_DIRECTORY = "/flash"
"""
_START = "import sys,chip;chip.start(*sys.argv[1:3]);sys.argv[:]=sys.argv[2:];__import__(%r)"


class LeftOut(Exception):
    """It cannot be built here; the text says what it needs."""


def build(micropython: Path | None) -> Path:
    """Build what is not up to date; return the program."""
    if micropython is None:
        raise LeftOut("MICROPYTHON=<checkout of github.com/micropython/micropython>")
    micropython = micropython.expanduser().resolve()
    if not (micropython / "ports/unix/Makefile").exists():
        raise LeftOut(f"a checkout of MicroPython; {micropython} has no ports/unix")
    if not (micropython / "lib/micropython-lib/python-stdlib").is_dir():
        raise LeftOut(f"git -C {micropython} submodule update --init lib/micropython-lib")
    if not shutil.which("make") or not _makes_32_bits():
        raise LeftOut("make and a gcc for 32-bit programs (apt install gcc-multilib make)")
    packages = deps.path()
    if packages is None:
        raise LeftOut("mqtt_as (make deps)")
    key = hashlib.sha256(f"{micropython} {ROOT}".encode()).hexdigest()[:12]
    folder = vm.cache() / "frozen" / key
    folder.mkdir(parents=True, exist_ok=True)
    board = (ROOT / "boards/ESP8266_GENERIC/board.py").read_text()
    (folder / "board.py").write_text(board + _BOARD)
    for step in (
        ["make", "-C", str(micropython / "mpy-cross"), "-j2"],
        [
            *("make", "-C", str(micropython / "ports/unix"), "-j2", f"VARIANT_DIR={_VARIANT}"),
            *(f"BUILD={folder / 'output'}", f"FROZEN_MANIFEST={_VARIANT / 'manifest.py'}"),
        ],
    ):
        variables = {**os.environ, "JOULELOG_DEPS": str(packages), "JOULELOG_FROZEN": str(folder)}
        done = subprocess.run(step, env=variables, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit("frozen: this failed:\n" + (done.stdout + done.stderr)[-2000:])
    return folder / "output/micropython"


def run(
    program: Path, script: str, arguments: list[str], heap_bytes: int, timeout_s: int = 300
) -> str:
    """Run a script of tests/vm/scripts with a meter at arguments[1]; return what it printed."""
    with tempfile.TemporaryDirectory(prefix="joulelog-frozen-") as folder:
        flash = Path(folder) / "flash"
        flash.write_bytes(b"\xff" * _FLASH_BYTES)
        done = subprocess.run(
            [
                *(program, "-X", f"heapsize={heap_bytes}", "-c", _START % Path(script).stem),
                *(flash, arguments[1], *arguments),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            cwd=folder,
            check=False,
        )
    return done.stdout.decode(errors="replace")


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
