"""The app ends by Ctrl-C at the REPL and is started again, in the same heap: on the VM.

Without a soft reset between them the second start had a third of the memory: the tasks of the
first went on, and its modules stayed.
"""

import re
import socket
import subprocess

import pytest

from tests import tiers
from tests.waiting import HANG_S
from tools import ROOT
from tools.rig import run_vm, vm

RUNS = 4
NAMES_BYTES = 40000  # of all modules that come from ROMFS: MicroPython never forgets a name


@pytest.fixture
def closed_port():
    """Nobody listens there, and nobody else gets it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_run_and_ctrl_c_again_and_again(tmp_path, closed_port):
    arguments = [str(tmp_path), str(closed_port), str(RUNS)]
    script = ROOT / "tests/vm/scripts/run_again.py"
    try:
        # It needs 119 kB from ROMFS: two of them would not fit, nor would one and its names twice.
        # 16 more are for the person: a reader that nobody has measured counts as the largest one.
        command = run_vm.command(script, arguments, "esp32", "180k")
    except vm.Unavailable as error:
        tiers.missing("the MicroPython VM", "vm", str(error))
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    pressed = [int(count) for count in re.findall(r"^pressed (\d+)$", done.stdout, re.M)]
    assert len(pressed) == RUNS, "tasks of an earlier run went on"
    assert min(pressed) > 0
    free = [int(count) for count in re.findall(r"^free (\d+)$", done.stdout, re.M)]
    assert len(free) == RUNS + 1
    assert free[0] - free[1] < NAMES_BYTES, free
    assert free[1] - min(free[2:]) <= 64, free
    assert "failed" not in done.stdout
