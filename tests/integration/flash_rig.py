"""What the tests of `make flash` stand on: simulated boards, and the commands on them.

The board is the MicroPython VM behind a REPL on a pseudo terminal, with littlefs as '/'.
"""

import os
import subprocess
import sys

import serial

from tests import waiting
from tests.waiting import HANG_S
from tools import ROOT
from tools.flash.link import Link
from tools.rig import raw_repl

CONFIG = """\
device = "cellar"
wifi = {"ssid": "home", "password": "very secret word"}
readers = [{"type": "replay", "file": "/telegram.txt", "offsets": {"gas": "1"}}]
sinks = [{"type": "console"}]
"""
REPORT = "INFO start: JouleLog"


def flash(action: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "tools.flash", action, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )


def mpremote(port: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", port, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def on(board: raw_repl.Board, name: str = "ESP32_GENERIC") -> tuple[str, str, str, str]:
    return ("--port", board.port, "--board", name)


def put(board: raw_repl.Board, path: str, data: bytes) -> None:
    with Link(board.port) as link:
        link.attach()
        for at, character in enumerate(path):
            if at and character == "/" and not link.exists(path[:at]):
                link.make_folder(path[:at])
        link.write(path, data)


def get(board: raw_repl.Board, path: str) -> bytes | None:
    with Link(board.port) as link:
        link.attach()
        return link.read(path)


def telegram(board: raw_repl.Board) -> None:
    put(board, "/telegram.txt", (ROOT / "tests/fixtures/dsmr/nl_test.txt").read_bytes())


# A program of somebody's that can be heard.
ALIVE = b"import time\nwhile True:\n print('alive')\n time.sleep(0.05)\n"


def says(board: raw_repl.Board, text: str) -> None:
    """Return once the board says that, from now on."""
    heard = b""
    with serial.Serial(board.port, timeout=0.2) as port:

        def hears() -> bool:
            nonlocal heard
            heard += port.read(4096)
            return text.encode() in heard

        waiting.until(hears, lambda: f"heard no {text!r}: {heard[-2000:]!r}")


def refused(*arguments: str, action: str = "install") -> str:
    """What it says that refuses."""
    done = flash(action, *arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr
