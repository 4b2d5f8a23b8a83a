"""Code in flash runs on an ESP8266's CPU core, in QEMU, in the chip's heap and memory map.

    make test TESTS=tests/integration/test_lx106.py

Each case of tests/vm/romcode prints on the core what it prints there with code in RAM, and on this
computer's plain VM (JOULELOG_LONG=1, which builds that); a telegram gives what it does on CPython.
Needs MicroPython (make deps) and Debian's compiler, C library and emulator for the core.

What the emulator cannot show: a byte read from flash is no exception there (on a chip it is; the
compiler's -mforce-l32 is what avoids it), a write into it neither, so main.c compares the flash
before and after. Arithmetic that a chip has in its mask ROM is ours (rom.c). Wi-Fi, devices and
the SDK's share of the memory are not there: `make size ONLY=chip` links those.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiers
from tests.integration import lx106_rig, romcode_rig, romcode_vm
from tests.integration.romcode_vm import ROOT, deps, frozen, romcode

pytestmark = pytest.mark.timeout(1200)
# The chip's settings make them print something else than on a computer, with code in RAM as well:
# they are compared with such an image on the core.
SETTINGS = {
    "case_operators": "no __setattr__ and __delattr__ (MICROPY_PY_DELATTR_SETATTR)",
    "mp_names": "no __file__ (MICROPY_MODULE___FILE__)",
    "mp_type_flags": "no __setattr__ (MICROPY_PY_DELATTR_SETATTR)",
}
BYTES_PER_MODULE = {"mp_rom_code_globals": 8, "mp_rom_code_states": 2}


@pytest.fixture(scope="module")
def checkout() -> Path:
    found = deps.micropython()
    if found is None:
        tiers.missing("MicroPython", "micropython", "make deps")
    if lx106_rig.missing():
        tiers.missing(lx106_rig.missing(), "lx106", lx106_rig.PACKAGES)
    return found


def built(checkout: Path, rom_code: bool) -> Path:
    try:
        return lx106_rig.build(checkout, rom_code)
    except (frozen.LeftOut, romcode.Unknown) as reason:
        tiers.missing(str(reason), "micropython", "see tests/integration/romcode_vm.py")


@pytest.fixture(scope="module")
def image(checkout) -> Path:
    return built(checkout, True)


@pytest.fixture(scope="module")
def image_in_ram(checkout) -> Path:
    return built(checkout, False)


def same(plain: Path, image: Path, names: list[str]) -> None:
    found = romcode_rig.compare(plain, image, lx106_rig.run, names)
    assert not found.differ, found.summary("lx106")
    assert {outcome.status for outcome in found.same.values()} == {"exit 0"}
    assert set(found.left_out.values()) <= set(romcode_rig.EXCEPTIONS.values())
    assert len(found.same) + len(found.left_out) == 2 * len(names)
    print(found.summary("lx106"))


@pytest.mark.long
def test_cases_do_what_they_do_on_a_computer(checkout, image):
    names = [name for name in romcode_rig.case_names() if name not in SETTINGS]
    files = romcode_rig.case_files()
    same(romcode_vm.build(checkout, "plain-chip", "cases", files), image, names)


def test_cases_do_what_they_do_with_code_in_ram(image_in_ram, image):
    same(image_in_ram, image, romcode_rig.case_names())


def test_a_telegram_is_decoded(image):
    found = lx106_rig.imported(image, "telegram")
    folders = [
        lx106_rig.PORT,
        ROOT / "lib",
        ROOT / "tools/host/shims",
        image.parents[1] / "sample",
    ]
    done = subprocess.run(
        [sys.executable, "-B", str(lx106_rig.PORT / "telegram.py")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.output == done.stdout
    assert found.status == "exit 0"
    lines = found.output.splitlines()
    assert len(lines) > 20 and lines[-1] == "1 0"


def addresses(image: Path) -> dict[str, int]:
    found = lx106_rig.imported(image, "where")
    assert found.status == "exit 0"
    return {name: int(at) for name, at in re.findall(r"^(.*) (\d+)$", found.output, re.M)}


def within(places: dict[str, int], image: Path, section: str) -> list[str]:
    return [name for name in places if places[name] in lx106_rig.sections(image)[section]]


def test_functions_classes_and_modules_are_in_flash(image, image_in_ram):
    places = addresses(image)
    in_flash = [name for name in places if not name.startswith("heap")]
    assert len(places) == 10 and len(in_flash) == 7
    assert within(places, image, ".irom0.text") == in_flash
    assert within(places, image, ".bss") == [name for name in places if name not in in_flash]
    places = addresses(image_in_ram)
    assert within(places, image_in_ram, ".bss") == list(places)


def test_frozen_modules_have_10_bytes_each_of_static_ram(image):
    output = image.parent
    content = lx106_rig.symbols(output / "frozen_content.o")
    in_ram = {name: size for name, (_, size, kind) in content.items() if kind in "bBdDC"}
    modules = (output / "frozen_content.c").read_text().count("frozen file name: ")
    assert modules > 40
    assert in_ram == {name: size * modules for name, size in BYTES_PER_MODULE.items()}
    flash = lx106_rig.sections(image)[".irom0.text"]
    linked = lx106_rig.symbols(image)
    in_flash = [name for name in content if name not in in_ram and name in linked]
    assert {"mp_rom_code_modules", "mp_rom_code_functions", "mp_rom_code_classes"} <= set(in_flash)
    assert [name for name in in_flash if linked[name][0] not in flash] == []


def test_what_goes_wrong_is_told(image):
    nothing = lx106_rig.imported(image, "nothing")
    assert nothing.status == "exit 1"
    assert "ImportError: no module named 'nothing'" in nothing.output
    written = lx106_rig.imported(image, "wrong")
    assert written == ("exit 66", "the flash was written\n")
    crashed = lx106_rig.imported(image, "wrong as __main__")
    assert crashed.status == "exit 64" and crashed.output.startswith("crashed: cause ")
