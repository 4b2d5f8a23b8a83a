"""Serve a simulated meter from a child process that ends with this one, however that ends.

    device = start("tools.sim.p1", ("--speed", "10"))     # "/tmp/joulelog-k2x9/meter"

The module gets --child as well; it prints its device, and calls wait_for_parent() in a thread.
"""

import atexit
import os
import subprocess
import sys
import threading

from tools import ROOT
from tools.sim import terminal

_children: list[subprocess.Popen] = []


def start(module: str, arguments: tuple[str, ...]) -> str:
    """Start the module, and return the device that it prints; OSError where it cannot start."""
    return launch(module, arguments)[1]


def launch(module: str, arguments: tuple[str, ...]) -> tuple[subprocess.Popen, str]:
    """The same, and the process as well: its standard input ends it when it is closed."""
    if not terminal.are_there():
        raise OSError(terminal.NONE)
    command = [sys.executable, "-m", module, *arguments, "--child"]
    # A session of its own: Ctrl-C ends the firmware first, which then finds its meter alive.
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, start_new_session=True
    )
    assert child.stdout is not None
    device = child.stdout.readline().decode().strip()
    if not device:
        told = " ".join((module.rpartition(".")[2], *arguments))
        raise OSError(f"the simulated {told} did not start, exit status {child.wait()}")
    _children.append(child)
    atexit.register(_end, child)
    return child, device


def wait_for_parent(stop: threading.Event) -> None:
    """The parent holds the other end of our standard input: it ends when the parent does."""
    while os.read(0, 64):
        pass
    stop.set()


def until_the_end(is_child: bool) -> None:
    """Return when the parent ends; of what people have started themselves, at Ctrl-C."""
    if is_child:
        wait_for_parent(threading.Event())
        return
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass


def _end(child: subprocess.Popen) -> None:
    if child.stdin:
        child.stdin.close()
    child.wait(5)
