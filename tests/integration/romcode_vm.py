"""32-bit MicroPython programs that have the same modules frozen, with and without code in flash.

    program = romcode_vm.build(checkout, "plain", "upstream", {"t_a.py": Path("basics/a.py")})
    other = romcode_vm.build(checkout, "patched", "upstream", …)

"plain" is the checkout as it is, "patched" the copy that tools/romcode makes of it, with
MICROPY_ROM_CODE, "off" that copy without, and "broken" a checkout with another switch turned off,
which a comparison has to find; "plain-chip" and "patched-chip" have objects as an ESP8266. What is
frozen is the manifest of that name in tests/vm/romcode_vm and the files given, by their place in
the image. It is built in a folder of the cache, and again only where something changed; nothing is
built in the checkout.
"""

import fcntl
import hashlib
import os
import subprocess
from pathlib import Path

from tools import ROOT, romcode
from tools.host import deps
from tools.rig import frozen, vm

VARIANT = ROOT / "tests/vm/romcode_vm"
# As an ESP8266 has objects and floats, and another size of hash.
_CHIP = "-DMICROPY_OBJ_REPR=2 -DMICROPY_FLOAT_IMPL=1 -DMICROPY_QSTR_BYTES_IN_HASH=1"
# how -> the compiler's flags
WAYS = {
    "plain": "",
    "patched": "-DMICROPY_ROM_CODE=1",
    "off": "-DMICROPY_ROM_CODE=0",
    "plain-chip": _CHIP,
    "patched-chip": f"{_CHIP} -DMICROPY_ROM_CODE=1",
    "broken": "-DMICROPY_PY_DELATTR_SETATTR=0",
}


def build(checkout: Path, how: str, manifest: str, files: dict[str, Path]) -> Path:
    """Build what is not up to date; return the program. frozen.LeftOut says what is missing."""
    checkout = frozen.checked(checkout)
    if not (checkout / "lib/axtls/ssl").is_dir():
        raise frozen.LeftOut(f"git -C {checkout} submodule update --init lib/axtls")
    packages = deps.path()
    if packages is None:
        raise frozen.LeftOut("mqtt_as (make deps)")
    tree = romcode.prepare(checkout) if how.startswith(("patched", "off")) else checkout
    key = hashlib.sha256(f"{tree} {ROOT}".encode()).hexdigest()[:12]
    kind = vm.cache() / "romcode-vm" / f"{how}-{key}"
    folder = kind / manifest
    folder.mkdir(parents=True, exist_ok=True)
    with open(kind / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test runs share the folder
        frozen.begin(folder / "output", kind)
        if stage(folder / "files", files):  # MicroPython's make does not see a file that went
            (folder / "output/frozen_content.c").unlink(missing_ok=True)
        make(
            [
                *("-C", str(tree / "ports/unix"), f"VARIANT_DIR={VARIANT}"),
                *(f"BUILD={folder / 'output'}", f"FROZEN_MANIFEST={VARIANT / manifest}.py"),
                f"CFLAGS_EXTRA={WAYS[how]}",
            ],
            JOULELOG_FROZEN=str(folder / "files"),
            JOULELOG_DEPS=str(packages),
            MICROPY_MPYCROSS=str(mpy_cross(checkout)),
        )
    return folder / "output/micropython"


def mpy_cross(checkout: Path) -> Path:
    """The compiler, built in the copy that tools/romcode makes."""
    folder = romcode.prepare(checkout) / "mpy-cross"
    (vm.cache() / "frozen").mkdir(parents=True, exist_ok=True)
    with open(vm.cache() / "frozen/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the one that tools/rig/frozen.py has for it
        make(["-C", str(folder)])
    return folder / "build/mpy-cross"


def make(arguments: list[str], **variables: str) -> None:
    done = subprocess.run(
        ["make", "-j2", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit("romcode: this failed:\n" + (done.stdout + done.stderr)[-3000:])


def stage(folder: Path, files: dict[str, Path]) -> bool:
    """Make the folder have these files and no others; True where a file came or went."""
    before = {str(path.relative_to(folder)) for path in folder.rglob("*.py")}
    for gone in before - set(files):
        (folder / gone).unlink()
    for place, source in files.items():
        target = folder / place
        text = source.read_bytes()
        if place not in before or target.read_bytes() != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
    return before != set(files)
