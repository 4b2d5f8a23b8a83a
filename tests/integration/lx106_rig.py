"""Frozen modules on an ESP8266's CPU core: builds MicroPython for it, and runs it in QEMU.

    image = lx106_rig.build(checkout, rom_code=True)     # an ELF file; LeftOut: what is missing
    outcome = lx106_rig.imported(image, "case_dir")      # or "case_dir as __main__"

QEMU's machine `sim` has the core lx106 with the chip's memory, and nothing else: no mask ROM, no
Wi-Fi, no devices, so no image that a chip runs. tests/vm/lx106 is a port for it of our own, with
the chip's settings, compiler's flags, linker script, stack and heap (38 kB). Frozen are the cases
of tests/vm/romcode, lib/dsmr, and the scripts beside the port.

Time is counted in instructions (-icount), so a run is the same each time.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.integration import romcode_rig, romcode_vm
from tests.integration.romcode_rig import Outcome, Outcomes
from tests.integration.romcode_vm import ROOT, frozen, romcode, vm

PORT = ROOT / "tests/vm/lx106"
SAMPLE = ROOT / "tests/fixtures/dsmr/nl_isk5-2mt382-1000.txt"
PREFIX = "xtensa-lx106-elf-"
EMULATOR = "qemu-system-xtensa"
PACKAGES = "apt install gcc-xtensa-lx106 picolibc-xtensa-lx106-elf qemu-system-misc"
_LIBRARY = ("exact", "civil", "crc16", "dsmr")
# An instruction takes 16 ns, which is 62 MHz; the register that counts cycles has QEMU's rate.
_NS_LOG2 = 4
_CYCLES_PER_US = 40
_SECTION = re.compile(r"^(\.\S+)\s+(\d+)\s+(\d+)$", re.M)


def missing() -> str:
    """What a build or a run needs and this machine has not; "" where nothing is missing."""
    names = [name for name in (PREFIX + "gcc", EMULATOR, "make") if not shutil.which(name)]
    if PREFIX + "gcc" not in names:
        line = [PREFIX + "gcc", "-E", "-", "-o", os.devnull]
        done = subprocess.run(line, input=b"#include <picolibc.h>\n", capture_output=True)
        names += ["picolibc for it"] if done.returncode else []
    return ", ".join(names)


def build(checkout: Path, rom_code: bool) -> Path:
    """Build what is not up to date; return the ELF file."""
    checkout = frozen.checked(checkout)
    tree = romcode.prepare(checkout)
    compiler = romcode_vm.mpy_cross(checkout)
    told = f"{tree} {ROOT} {rom_code}"
    folder = vm.cache() / "lx106" / hashlib.sha256(told.encode()).hexdigest()[:12]
    (folder / "sample").mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test runs share the folder
        if romcode_vm.stage(folder / "files", _files(folder / "sample")):
            (folder / "output/frozen_content.c").unlink(missing_ok=True)
        romcode_vm.make(
            [
                *("-C", str(PORT), f"MICROPYTHON={tree}", f"BUILD={folder / 'output'}"),
                f"FROZEN_MANIFEST={romcode_vm.VARIANT / 'cases.py'}",
                *(f"ROM_CODE={int(rom_code)}", f"CYCLES_PER_US={_CYCLES_PER_US}"),
            ],
            JOULELOG_FROZEN=str(folder / "files"),
            MICROPY_MPYCROSS=str(compiler),
        )
    return folder / "output/lx106.elf"


def imported(image: Path, name: str) -> Outcome:
    """The module, or "module as __main__", on a core that has just been reset."""
    module, _, how = name.partition(" ")
    arguments = f"arg={'main' if how else 'import'},arg={module}"
    line = [
        *(EMULATOR, "-M", "sim", "-cpu", "lx106", "-nographic", "-monitor", "none"),
        *("-serial", "none", "-icount", f"shift={_NS_LOG2}"),
        *("-semihosting-config", f"enable=on,target=native,{arguments}"),
        *("-device", f"loader,file={image},cpu-num=0"),  # -kernel does not set where to begin
    ]
    return romcode_rig.outcome_of(line, image.parent, dict(os.environ))


def run(program: Path, names: list[str], jobs: int) -> Outcomes:
    """For romcode_rig.compare: modules on the core, or on a program of this computer."""
    if program.suffix != ".elf":
        return romcode_rig.run_frozen(program, names, jobs)
    wanted = names + [name + " as __main__" for name in names if " " not in name]
    wanted = list(dict.fromkeys(wanted))
    return romcode_rig.in_parallel(lambda name: imported(program, name), wanted, jobs)


def sections(image: Path) -> dict[str, range]:
    """Section -> its addresses."""
    found = _SECTION.findall(_told("size", "-A", image))
    return {name: range(int(start), int(start) + int(size)) for name, size, start in found}


def symbols(path: Path) -> dict[str, tuple[int, int, str]]:
    """Symbol -> address, bytes, and nm's letter for its section; those that have a size."""
    rows = [line.split() for line in _told("nm", "-S", path).splitlines()]
    return {row[3]: (int(row[0], 16), int(row[1], 16), row[2]) for row in rows if len(row) == 4}


def _told(tool: str, option: str, path: Path) -> str:
    line = [PREFIX + tool, option, str(path)]
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout


def _files(folder: Path) -> dict[str, Path]:
    """Place in the image -> file: cases, packages, scripts and the telegram as a module."""
    (folder / "sample.py").write_text(f"DATA = {SAMPLE.read_bytes()!r}\n")
    files = romcode_rig.case_files()
    files |= {path.name: path for path in [*PORT.glob("*.py"), folder / "sample.py"]}
    for package in _LIBRARY:
        files |= {
            f"{package}/{path.name}": path
            for path in (ROOT / "lib" / package).glob("*.py")
            if path.name not in ("manifest.py", "dlms.py")
        }
    return files
