"""A board with two slots on a file: a bootloader, and the firmware that it starts, as processes.

    with Flashed("cpython", tmp_path) as board:      # or "vm", or "frozen": as images have it
        board.said(); board.port; board.slot; board.state()
        data = board.update("0.3.0")                 # a file that it takes

Each restart that the firmware asks for goes through tools/sim/bootloader.py. Which version runs is
what the slot's image says of itself.
"""

import calendar
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import esp32
import update_helpers as made
import updatefile

from tests import esp_images, tiers
from tests.waiting import until
from tools import ROOT
from tools.images import espimage
from tools.rig import frozen, run_vm, vm
from tools.sim import bootloader
from tools.sim.p1 import Meter, Pty, Ticks, serve

SCRIPT = ROOT / "tests/vm/scripts/update_serve.py"
UNIT = ROOT / "tests/unit"
HEAP = "220k"  # of the VM, from ROMFS
PASSWORD = "correct horse battery"
RESET = 86
OLD = "0.1.0"
MADE = "2026-11-01T00:00:00Z"
_UNIX_2000 = 946684800


def image(version: str, size: int = 40_000, date: str = MADE) -> bytes:
    return esp_images.application("esp32", esp_images.says("HOST", version, date), size)


class Flashed:
    """See the module's text."""

    def __init__(
        self,
        runtime: str,
        folder: Path,
        speed: int = 1,
        more: str = "",
        flash: bytes = b"",
        serves: bool = True,
        heap: str = HEAP,
        **environment: str,
    ) -> None:
        self._heap = heap
        self._environment = environment
        self._serves = serves
        self.runtime = runtime
        self.folder = folder
        self.slot = ""
        self.starts: list[str] = []  # versions
        self.sent: list[dict] = []
        self._flash = folder / "flash.bin"
        self._flash.write_bytes(flash or bytes(made.flash_image(image(OLD))))
        self._said = folder / "said.txt"
        self._said.touch()
        self._ends = False
        self.process: subprocess.Popen | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self._pty = Pty()
        self._stop = threading.Event()
        ticks = Ticks(1795000000)
        arguments = (self._pty, Meter("nl50", 3, ticks), ticks, None, speed, 0, self.sent.append)
        self._meter = threading.Thread(target=serve, args=(*arguments, self._stop), daemon=True)
        self._config = folder / "my_config.py"
        logs = "/flash" if runtime == "frozen" else str(folder)
        self._config.write_text(
            f"SPEED = {speed}\ndevice = 'logger'\nupdate = {{}}\n"
            "readers = [{'type': 'dsmr', 'name': 'p1', 'uart': 'sim', 'time': 'meter'}]\n"
            "sinks = [{'type': 'console', 'style': 'lines'}]\n"
            "queue = {'slots': 8, 'flash_kb': 0}\n"
            f"log = {{'directory': {logs!r}, 'size_kb': 50}}\n" + more
        )
        self._power = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Flashed":
        self._power.start()
        if self._serves:
            until(self.answers, self.said)
        self._meter.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends = True
        while self._power.is_alive():  # it may be about to start another one
            if self.process:
                self.process.kill()
            self._power.join(0.2)
        self.fall_silent()
        self._pty.close()

    def fall_silent(self) -> None:
        self._stop.set()
        self._meter.join(10)

    def _run(self) -> None:
        """Power: the bootloader, the firmware, and again where that restarts."""
        while not self._ends:
            slot = bootloader.start(esp32.Flash(str(self._flash)))
            assert slot
            self.slot = slot
            told = espimage.told(self.application())
            assert told
            self.starts.append(told.version)
            with self._said.open("ab") as said:
                command = self._command(told.version, told.date)
                about = {"JOULELOG_FLASH": str(self._flash), "JOULELOG_SLOT": slot}
                about |= {"PYTHONPATH": str(UNIT)} | self._environment
                self.process = subprocess.Popen(
                    command, stdout=said, stderr=said, cwd=ROOT, env={**os.environ, **about}
                )
                if self.process.wait() != RESET:
                    return

    def _command(self, version: str, date: str) -> list[str]:
        arguments = [str(self._config), self._pty.device, str(self.port), version, date]
        if self.runtime == "frozen":
            return self._frozen(arguments)
        if self.runtime != "vm":
            return [sys.executable, "-m", "tests.vm.scripts.update_serve", *arguments]
        try:
            return run_vm.command(SCRIPT, arguments, "esp32", self._heap, folders=(UNIT,))
        except vm.Unavailable as reason:
            tiers.missing("the MicroPython VM", "vm", str(reason))
            raise

    def _frozen(self, arguments: list[str]) -> list[str]:
        """In the heap of an ESP32 without PSRAM, with a file system of its own."""
        try:
            program = frozen.build(None, "esp32")
        except frozen.LeftOut as reason:
            tiers.missing("the frozen VM", "micropython", str(reason))
            raise
        files = self.folder / "files"
        if not files.exists():
            frozen.new_flash(program, files)
        heap = frozen.HEAPS["esp32"] + frozen.shims(program, self._pty.device)
        return frozen.command(program, SCRIPT.name, files, self._pty.device, arguments, heap)

    def application(self, slot: str = "") -> bytes:
        flash = esp32.Flash(str(self._flash))
        row = next(row for row in esp32.rows(flash) if row[4] == (slot or self.slot))
        return flash.read(row[2], row[3])

    def update(self, version: str, size: int = 40_000, date: str = MADE, **about) -> bytes:
        """A file for this board."""
        layout = updatefile.layout(esp32.rows(esp32.Flash(str(self._flash))))
        told = {"board": "HOST", "chip": "host", "layout": layout, "version": version}
        return made.update(image(version, size, date), **{**told, "made": date, **about})

    def answers(self) -> bool:
        assert self._power.is_alive() and "Traceback" not in self.said(), self.said()
        try:
            return self.get("/api/session") is not None
        except OSError:
            return False

    def get(self, path: str) -> dict:
        with urllib.request.urlopen(f"http://{self.host}{path}", timeout=60) as answer:
            return json.loads(answer.read())

    def post(self, path: str, fields: dict, **headers: str) -> tuple[int, dict, str]:
        """(status, JSON, cookie)."""
        about = {"Origin": f"http://{self.host}", "Content-Type": "application/json", **headers}
        asked = urllib.request.Request(
            f"http://{self.host}{path}", json.dumps(fields).encode(), about
        )
        try:
            with urllib.request.urlopen(asked, timeout=120) as answer:
                cookie = (answer.headers["Set-Cookie"] or "").split(";")[0]
                return answer.status, json.loads(answer.read()), cookie
        except urllib.error.HTTPError as answer:
            return answer.code, json.loads(answer.read()), ""

    def log_in(self, path: str = "/api/password") -> dict[str, str]:
        """The headers of a session."""
        status, found, cookie = self.post(path, {"password": PASSWORD})
        assert status == 200, found
        return {"Cookie": cookie, "X-CSRF-Token": found["csrf"]}

    def state(self) -> dict:
        """Of /state, when nobody else is connected."""
        found: dict = {}

        def calm() -> bool:
            try:
                found.update(self.get("/state"))
            except OSError:
                return False
            return found["open"] == 1

        until(calm, self.said)
        return found

    def said(self) -> str:
        return self._said.read_text("utf-8", "replace")[-4000:]

    def said_whole(self) -> str:
        return self._said.read_text("utf-8", "replace")

    def read(self) -> list[int]:
        """Times of the readings, in seconds since 2000."""
        text = self._said.read_text("utf-8", "replace")
        return [int(found) for found in re.findall(r"^READ (\d+)$", text, re.M)]

    def times(self) -> list[int]:
        """Those of the telegrams that were sent whole."""
        return [
            calendar.timegm(time.strptime(row["time"], "%Y-%m-%dT%H:%M:%SZ")) - _UNIX_2000
            for row in self.sent
            if row["sent"] == "whole"
        ]
