"""Code in flash does what code in RAM does: the same programs on the plain and the patched VM.

    make test TESTS=tests/integration/test_romcode.py

Needs MicroPython (make deps), make and a gcc for 32-bit programs; romcode_rig.py as a program
prints the same for a person.
"""

import pytest

from tests import tiers
from tests.integration import romcode_rig
from tests.integration.romcode_rig import Comparison
from tests.integration.romcode_vm import frozen, romcode

# MicroPython's tests are 800 files, and the unit tests run for minutes.
pytestmark = pytest.mark.timeout(1800)


def compared(second: str, what: str) -> Comparison:
    """The plain VM against that one, or the reason why it cannot be had here."""
    try:
        checkout = frozen.checked(None)
        found = getattr(romcode_rig.Rig(checkout, second), what)()
    except (frozen.LeftOut, romcode.Unknown) as reason:
        tiers.missing(str(reason), "micropython", "see tests/integration/romcode_vm.py")
    print(found.summary(what))
    return found


def test_cases_are_python() -> None:
    found = compared("plain", "python")
    assert not found.differ and not found.left_out, found.summary("python")
    assert {outcome.status for outcome in found.same.values()} == {"exit 0"}


def test_cases() -> None:
    found = compared("patched", "cases")
    assert not found.differ, found.summary("cases")
    assert {outcome.status for outcome in found.same.values()} == {"exit 0"}
    assert set(found.left_out.values()) <= set(romcode_rig.EXCEPTIONS.values())
    assert len(found.same) + len(found.left_out) == 2 * len(romcode_rig.case_names())


@pytest.mark.parametrize("what", ["frozen", "scripts"])
def test_own_tests_of_micropython(what: str) -> None:
    found = compared("patched", what)
    assert not found.differ, found.summary(what)
    assert len(found.same) >= romcode_rig.FEWEST[what]


def test_unit_tests() -> None:
    found = compared("patched", "units")
    assert not found.differ and not found.left_out, found.summary("units")
    failed = {name: out for name, out in found.same.items() if out.status != "exit 0"}
    assert not failed
    assert len(found.same) == len(romcode_rig.unit_names())


def test_a_difference_is_found() -> None:
    found = compared("broken", "cases")
    assert "case_operators" in found.differ and "mp_type_flags" in found.differ
    assert "case_identity" in found.same
