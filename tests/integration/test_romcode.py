"""Code in flash does what code in RAM does: the same programs on the plain and the patched VM.

    make test TESTS=tests/integration/test_romcode.py

Needs MicroPython (make deps), make and a gcc for 32-bit programs; romcode_rig.py as a program
prints the same for a person. JOULELOG_LONG=1 runs MicroPython's tests as scripts too, the cases
with objects as on an ESP8266, and all unit tests, else each eighth file of the quick ones; and it
builds a copy that has the switch off, and a program that has to be found different.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import tiers
from tests.integration import romcode_rig
from tests.integration.romcode_rig import Comparison
from tests.integration.romcode_vm import frozen, romcode

# MicroPython's tests are 800 files, and the unit tests run for minutes.
pytestmark = pytest.mark.timeout(1800)
LONG = bool(os.environ.get("JOULELOG_LONG"))
EVERY = 1 if LONG else 8
long = pytest.mark.long


def given() -> Path:
    """The checkout, or the reason why there is none."""
    try:
        return frozen.checked(None)
    except (frozen.LeftOut, romcode.Unknown) as reason:
        tiers.missing(str(reason), "micropython", "see tests/integration/romcode_vm.py")


def compared(second: str, what: str, every: int = 1, first: str = "plain") -> Comparison:
    """The plain VM against that one, or the reason why it cannot be had here."""
    checkout = given()
    try:
        found = getattr(romcode_rig.Rig(checkout, second, every, first), what)()
    except frozen.LeftOut as reason:
        tiers.missing(str(reason), "micropython", "see tests/integration/romcode_vm.py")
    print(found.summary(what))
    return found


def test_cases_are_python() -> None:
    found = compared("plain", "python")
    assert not found.differ and not found.left_out, found.summary("python")
    assert {outcome.status for outcome in found.same.values()} == {"exit 0"}


@pytest.mark.parametrize(
    "chip", ["", pytest.param("-chip", marks=long)], ids=["computer", "esp8266"]
)
def test_cases(chip: str) -> None:
    found = compared("patched" + chip, "cases", first="plain" + chip)
    assert not found.differ, found.summary("cases")
    assert {outcome.status for outcome in found.same.values()} == {"exit 0"}
    assert set(found.left_out.values()) <= set(romcode_rig.EXCEPTIONS.values())
    assert len(found.same) + len(found.left_out) == 2 * len(romcode_rig.case_names())


@pytest.mark.parametrize("what", ["frozen", pytest.param("scripts", marks=long)])
def test_own_tests_of_micropython(what: str) -> None:
    found = compared("patched", what)
    assert not found.differ, found.summary(what)
    assert len(found.same) >= romcode_rig.FEWEST[what]


def test_unit_tests() -> None:
    found = compared("patched", "units", EVERY)
    assert not found.differ and not found.left_out, found.summary("units")
    failed = {name: out for name, out in found.same.items() if out.status != "exit 0"}
    assert set(failed) <= set(romcode_rig.FAILS_IN_BOTH)
    assert len(found.same) == len(romcode_rig.unit_names(EVERY))


@long
def test_nothing_changes_while_it_is_off() -> None:
    rig = romcode_rig.Rig(given(), "off")
    plain, off = (objects(program) for program in rig.case_programs())
    del off["romcode.o"], off["modsys.o"], plain["modsys.o"]  # sys has the version's text
    assert len(plain) > 100 and plain == off


def objects(program: Path) -> dict[str, list[str]]:
    """Bytes of code and data of the core's objects, and of what is frozen."""
    paths = [*(program.parent / "py").glob("*.o"), program.parent / "frozen_content.o"]
    done = subprocess.run(["size", *paths], capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    return {Path(row[5]).name: row[:3] for row in rows}


def test_a_source_that_is_not_known_is_refused(tmp_path) -> None:
    checkout = given()
    for name in romcode.FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkout / name, tmp_path / name)
    for name in romcode.FILES:
        known = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(known + b"\n")
        with pytest.raises(romcode.Unknown, match=re.escape(name)):
            romcode.prepare(tmp_path)
        (tmp_path / name).unlink()
        with pytest.raises(romcode.Unknown, match=re.escape(name) + " is missing"):
            romcode.prepare(tmp_path)
        (tmp_path / name).write_bytes(known)


@long
def test_a_difference_is_found() -> None:
    found = compared("broken", "cases")
    assert "case_operators" in found.differ and "mp_type_flags" in found.differ
    assert "case_identity" in found.same
