"""A simulated month of 20 outages a day and worse: no reading is lost that the ring could hold.

tests/vm/scripts/month.py runs the whole app, on CPython and on the VM, by a clock that moves only
when told (compressed time). The VM's month has 14 days, in which each kind of bad luck comes, and
the uptime in ms outgrows a small integer on day 13. JOULELOG_LONG=1 gives it all 30.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "tests/vm/scripts/month.py"
_LONG = os.environ.get("JOULELOG_LONG") == "1"
FAKES = str(ROOT / "tests/fakes")

sys.path[:0] = [str(ROOT), str(ROOT / "tools/host")]

import run_vm  # noqa: E402
import vm  # noqa: E402

from tests import tiers  # noqa: E402


def _cpython(days: int) -> subprocess.Popen:
    folders = [ROOT / name for name in ("firmware", "lib", "tools/host/shims")]
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))}
    line = [sys.executable, str(SCRIPT), FAKES, str(days)]
    return subprocess.Popen(line, env=variables, stdout=subprocess.PIPE, text=True)


def _vm(days: int) -> subprocess.Popen:
    try:
        line = run_vm.command(SCRIPT, [FAKES, str(days)], "esp32", "4M")
    except vm.Unavailable as problem:
        tiers.missing("the MicroPython VM", "vm", str(problem))
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True)


def _kinds(days: int) -> list[int]:
    """How often each of the eight kinds of bad luck comes in so many days."""
    return [len(range(kind, days, 8)) for kind in range(8)]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("start, days", [(_cpython, 30), (_vm, 30 if _LONG else 14)])
def test_a_month(start, days) -> None:
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
