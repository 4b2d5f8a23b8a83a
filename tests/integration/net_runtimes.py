"""Run net/ on CPython and on the MicroPython VM: `run` does a job (tests/vm/scripts/net_vm.py)."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests import tiers

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "vm" / "scripts" / "net_vm.py"
RUNTIMES = ("cpython", "vm")

sys.path.insert(0, str(ROOT / "tools" / "host"))

import deps  # noqa: E402 - tools/host is no package: its modules find each other by name
import run_vm  # noqa: E402
import vm  # noqa: E402


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
        env={**os.environ, "PYTHONPATH": _cpython_path()},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def _cpython(job_file: Path) -> list[str]:
    tiers.require("aiohttp", "host", "pip install aiohttp")
    return [sys.executable, str(SCRIPT), str(job_file)]


def _cpython_path() -> str:
    return os.pathsep.join(
        str(ROOT / folder) for folder in ("firmware", "lib", "tools/host/shims")
    )


def _vm(job_file: Path, profile: str) -> list[str]:
    if deps.path() is None:
        tiers.missing("micropython-lib's aiohttp", "deps", "make deps")
    try:
        return run_vm.command(SCRIPT, [str(job_file)], profile)
    except vm.Unavailable as error:
        return tiers.missing("the MicroPython VM", "vm", str(error))
