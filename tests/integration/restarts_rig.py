"""A board that is started again after each reset: main.py on the VM, a process for each start.

    board = Board(tmp_path, "readers = []\\n")
    board.reset(POWER_ON)                      # runs until it resets itself
    with board.started(WATCHDOG) as process:   # killed behind it: hung, or without power
        board.wait_for(process, "start: ")

A reset ends the process with a status of its own; what lies in the RTC's memory is in a file, and
a variable says what the chip would call the reason. Switching off empties that file. With a flash
the bootloader (tools/sim/bootloader.py) chooses the slot at each start.
"""

import contextlib
import http.client
import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import esp32

from tests import tiers
from tests.integration.test_setup import free_port
from tools import ROOT
from tools.host import deps
from tools.rig import run_vm, vm
from tools.sim import bootloader

RESET = 86  # tools/host/shims/machine.py
POWER_ON, RESTART, WATCHDOG = "1", "2", "3"
BOARD = """
NAME = "TEST"
CHIP = "esp32"
UARTS = {{}}
GPIO = (1, 2)
INPUT_ONLY = ()
BUTTON = None
LED = None
WATCHDOG_MS = 60000
IMPROV = False
LOG_DIRECTORY = {folder!r}
WEB_PORT = {port}
{more}
from joulelog import clock
clock.set_speed(20)
"""
GOOD = 'readers = [{"type": "health"}]\nsinks = [{"type": "console", "style": "lines"}]\n'
HANG_S = 120


class Board:
    """One that is started again and again."""

    def __init__(self, folder: Path, config: str, more: str = "", flash: bytes = b"") -> None:
        self.folder = folder
        self.port = free_port()
        about = BOARD.format(folder=str(folder), port=self.port, more=more)
        (folder / "board.py").write_text(about)
        self.config(config)
        self.slot = ""  # that has started
        self.flash = folder / "flash.bin"
        if flash:
            self.flash.write_bytes(flash)
        self.rtc = folder / "rtc"
        self.log = folder / "joulelog.log"

    def config(self, text: str) -> None:
        (self.folder / "config.py").write_text(text)

    @contextlib.contextmanager
    def started(self, reason: str):
        """A start of it, for this reason; killed behind it."""
        if reason == POWER_ON:
            self.rtc.unlink(missing_ok=True)
        line = run_vm.command(ROOT / "firmware/main.py", [], "esp32", "2M")
        here = f"gc.collect();sys.path.insert(0,{str(self.folder)!r});"
        line = [part.replace("gc.collect();", here) for part in line]
        variables = {
            **os.environ,
            "JOULELOG_RESET_CAUSE": reason,
            "JOULELOG_RTC": str(self.rtc),
        }
        if self.flash.exists():
            self.slot = bootloader.start(esp32.Flash(str(self.flash))) or ""
            variables |= {"JOULELOG_FLASH": str(self.flash), "JOULELOG_SLOT": self.slot}
        out = self.folder / "out.txt"
        with out.open("wb") as file:
            process = subprocess.Popen(line, stdout=file, stderr=file, env=variables)
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def said(self) -> str:
        return (self.folder / "out.txt").read_text(errors="replace")

    def wait_for(self, process, pattern: str) -> None:
        until = time.monotonic() + HANG_S
        while not re.search(pattern, self.said()):
            assert process.poll() is None, self.said()
            assert time.monotonic() < until, (pattern, self.said())
            time.sleep(0.05)

    def wait_until(self, process, holds: Callable[[], object]) -> None:
        """Wait for something that does not show in what it says."""
        until = time.monotonic() + HANG_S
        while not holds():
            assert process.poll() is None and time.monotonic() < until, self.said()
            time.sleep(0.05)

    def memory(self) -> bytes:
        """What a reset leaves in the RTC's memory."""
        return self.rtc.read_bytes() if self.rtc.exists() else b""

    def reset(self, reason: str) -> None:
        """A start that ends in a reset of its own."""
        with self.started(reason) as process:
            assert process.wait(HANG_S) == RESET, self.said()

    def state(self) -> dict:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_S)
        with contextlib.closing(connection):
            connection.request("GET", "/api/state")
            return json.loads(connection.getresponse().read())

    def safe_mode(self, process) -> str:
        """Wait for it; why, as the page has it."""
        self.wait_for(process, "then open http")
        deadline = time.monotonic() + HANG_S
        while True:
            try:
                return self.state()["safe"]
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, self.said()
                time.sleep(0.05)


def needs() -> None:
    """Skip, or fail, where the VM or the packages are missing."""
    try:
        vm.ensure()
    except vm.Unavailable as reason:
        tiers.missing("the MicroPython VM", "vm", str(reason))
    if deps.path() is None:
        tiers.missing("microdot and micropython-lib", "deps", "make deps")
