"""Run net/ on CPython and on the MicroPython VM: `run` does a job (tests/vm/scripts/net_vm.py)."""

import json
import subprocess
import sys
from pathlib import Path

from tests import tiers
from tools import ROOT
from tools.host import deps
from tools.rig import run_vm, vm

SCRIPT = ROOT / "tests" / "vm" / "scripts" / "net_vm.py"
RUNTIMES = ("cpython", "vm")


def run(
    runtime: str, job: dict, folder: Path, profile: str = "esp32", timeout_s: int = 60
) -> dict:
    """Do the job in a process of its own and return its report."""
    job_file = folder / "job.json"
    job_file.write_text(json.dumps(job))
    done = subprocess.run(
        _vm(job_file, profile) if runtime == "vm" else _cpython(job_file),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def _cpython(job_file: Path) -> list[str]:
    tiers.require("aiohttp", "host", "pip install aiohttp")
    return [sys.executable, "-m", "tests.vm.scripts.net_vm", str(job_file)]


def _vm(job_file: Path, profile: str) -> list[str]:
    if deps.path() is None:
        tiers.missing("micropython-lib's aiohttp", "deps", "make deps")
    try:
        return run_vm.command(SCRIPT, [str(job_file)], profile)
    except vm.Unavailable as error:
        return tiers.missing("the MicroPython VM", "vm", str(error))
