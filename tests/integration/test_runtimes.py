"""The unit tests again, on the MicroPython VM (test_wasm_builds.py: on npm's builds)."""

import subprocess
from pathlib import Path

import pytest

from tests import tiers
from tests.waiting import HANG_S
from tools import ROOT
from tools.rig import run_vm, vm

UNIT = sorted((ROOT / "tests/unit").glob("test_*.py"))


@pytest.mark.parametrize("test", UNIT, ids=lambda path: path.stem)
def test_on_the_vm(test: Path) -> None:
    try:
        command = run_vm.command(ROOT / "tests/vm/runner.py", [str(test)], "esp32", "4M")
    except vm.Unavailable as error:
        tiers.missing("the MicroPython VM", "vm", str(error))
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=HANG_S, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
