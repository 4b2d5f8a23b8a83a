"""A simulated month of 20 outages a day and worse: no reading is lost that the ring could hold.

tests/vm/scripts/month.py runs the whole app, on CPython and on the VM, by a clock that moves only
when told (compressed time). The month has 8 days, in which each kind of bad luck comes; the VM's
has 6, from day 10 of the uptime on, which in ms outgrows a small integer on day 13. With
JOULELOG_LONG=1 both have 30.
"""

import json
import os
import subprocess
import sys

import pytest

from tests import tiers, with_unit_tests
from tools import ROOT
from tools.rig import run_vm, vm

SCRIPT = ROOT / "tests/vm/scripts/month.py"
_LONG = bool(os.environ.get("JOULELOG_LONG"))
FAKES = ROOT / "tests/fakes"


def _cpython(days: int) -> subprocess.Popen:
    line = [sys.executable, "-m", "tests.vm.scripts.month", str(days)]
    return subprocess.Popen(
        line, env=with_unit_tests(), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def _vm(days: int) -> subprocess.Popen:
    try:
        arguments = [str(days), "60", "0" if _LONG else "10"]
        line = run_vm.command(SCRIPT, arguments, "esp32", "4M", folders=(FAKES,))
    except vm.Unavailable as problem:
        tiers.missing("the MicroPython VM", "vm", str(problem))
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True)


def _kinds(days: int) -> list[int]:
    """How often each of the eight kinds of bad luck comes in so many days."""
    return [len(range(kind, days, 8)) for kind in range(8)]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("start, days", [(_cpython, 8), (_vm, 6)])
def test_a_month(start, days) -> None:
    days = 30 if _LONG else days
    text = start(days).communicate()[0]
    found = json.loads(text[text.index("MONTH") + 5 :])
    print(found)
    _, long, no_dhcp, deaf, _, ahead, behind, hangs = _kinds(days)

    # 90 minutes are 26 readings more than the ring holds; joining again takes up to 82 s.
    assert 26 * long <= found["dropped"] <= 29 * long
    assert found["gaps"] == found["dropped"], "lost, and not counted"
    assert found["stored"] + found["dropped"] + found["waiting"] == found["produced"]
    assert found["waiting"] <= 1
    assert found["disorder"] == 0
    # A meter that is read once a minute, less what a hanging reader leaves out.
    assert days * 1440 - 10 * hangs <= found["produced"] <= days * 1440 + 120

    # While a time server lies, up to the question after its next one; never beyond that.
    assert found["clock_steps"] == 2 * (ahead + behind)
    assert 0 < found["mistimed"] <= 13 * 60 * (ahead + behind)
    assert found["drift_ppm"] == 0

    assert found["outages"] >= 20 * days + long + no_dhcp + deaf
    assert found["restarts"] == hangs  # the reader that hung is started again, nothing else
    assert found["resets"] == 0
    assert found["longest_without_feed_ms"] <= 5000  # the watchdog waits for 60 s
    assert found.get("heap_growth", 0) < 4000
