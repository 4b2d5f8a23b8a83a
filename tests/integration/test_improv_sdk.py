"""Improv over serial: npm's improv-wifi-serial-sdk, in Node, against the firmware on a pty.

On CPython and on the VM; the real mpremote in between, on a board whose REPL is simulated.
"""

import json
import os
import pty
import random
import subprocess
import sys
import tty
from pathlib import Path

import pytest

from tests import tiers, waiting
from tests.integration.flash_rig import CONFIG, flash, get, mpremote, on, put, telegram
from tests.waiting import HANG_S
from tools import ROOT
from tools.host import deps
from tools.rig import romfs, run_vm, vm

SCRIPT = ROOT / "tests/vm/scripts/improv_listener.py"
PRINTABLE = "".join(map(chr, range(32, 127)))
# A password of WPA2 has at most 63 bytes.
PASSWORDS = [PRINTABLE[:48], PRINTABLE[48:], "pässwörd€ 日本"]
HOME = ("home", "right password")
FOUND = {"ssid": HOME[0], "password": HOME[1]}
INFORMATION = {"firmware": "JouleLog", "name": "JouleLog-1A2B", "chipFamily": "ESP32-C3"}
STATE = b"\nIMPROV\x01\x03\x02\x02\x00\xe5\n"
READY = b"\nIMPROV\x01\x01\x01\x02\xe2\n"
CTRL_C = b"\x03"
SPEED = "10"  # a refusal takes 5 s of the chip's


def around(*networks: tuple[str, str]) -> str:
    """For the environment: these networks, each weaker than the one before."""
    return json.dumps([[name, key, -40 - at] for at, (name, key) in enumerate(networks)])


def client(port: str, *steps: tuple) -> list[dict]:
    """What the SDK says to each step: a method of it, and what it is called with."""
    node = tiers.require("node", "wasm", "apt install nodejs npm")
    done = subprocess.run(
        [node, "tests/vm/improv_client.mjs", port],
        input=json.dumps(steps),
        capture_output=True,
        text=True,
        timeout=HANG_S,
        cwd=ROOT,
        check=False,
    )
    if done.returncode == 3:
        tiers.missing("npm's improv-wifi-serial-sdk", "wasm", done.stderr.strip()[-200:])
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


class Device:
    """The script on a pty: `line` is the client's end, `port` its path."""

    def __init__(self, command: list[str], networks: str, out: Path) -> None:
        self.firmware, self.line = pty.openpty()
        tty.setraw(self.line)
        self.port = os.ttyname(self.line)
        self._out = out
        self._errors = out.with_suffix(".log")
        with open(self._errors, "w") as log:
            self.process = subprocess.Popen(
                command,
                stdin=self.firmware,
                stdout=self.firmware,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, "AROUND": networks, "SPEED": SPEED},
            )
        waiting.until(out.exists, self.log)

    def log(self) -> str:
        return self._errors.read_text() if self._errors.exists() else ""

    def noted(self) -> list:
        """What was stored, and how it ended."""
        return [json.loads(line) for line in self._out.read_text().splitlines()]

    def send(self, data: bytes) -> None:
        """As fast as it is read."""
        while data:
            data = data[os.write(self.line, data[:1024]) :]

    def heard(self, size: int) -> bytes:
        """So many bytes that the device has written."""
        data = b""
        while len(data) < size:
            data += os.read(self.line, size - len(data))
        return data

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.firmware)
        os.close(self.line)


@pytest.fixture(params=["cpython", "vm"])
def device(request, tmp_path):
    """Start devices on a runtime, with the networks around them."""
    devices: list[Device] = []

    def start(networks: str = around(HOME, ("open", "")), for_ms: int = 0) -> Device:
        out = tmp_path / f"device{len(devices)}"
        arguments = [str(out), str(for_ms)]
        if request.param == "vm":
            try:
                command = run_vm.command(SCRIPT, arguments)
            except vm.Unavailable as problem:
                tiers.missing("the MicroPython VM", "vm", str(problem))
        else:
            command = [sys.executable, str(SCRIPT), *arguments]
        devices.append(Device(command, networks, out))
        return devices[-1]

    yield start
    for each in devices:
        each.close()


@pytest.fixture(autouse=True)
def places(monkeypatch):
    folders = [ROOT / "firmware", ROOT / "lib", ROOT / "tools/host/shims"]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, folders)))


def test_a_browser_sets_up_a_board(device) -> None:
    board = device()
    said = client(
        board.port,
        ("initialize",),
        ("scan",),
        ("provision", "home", "wrong password"),
        ("requestCurrentState",),
        ("provision", "nowhere", "right password"),
        ("getHostname",),
        ("provision", *HOME),
        ("requestCurrentState",),
        ("requestInfo",),
    )
    assert not [one for one in said if one["error"] and one["error"].startswith("TIMEOUT")], said
    info, scan, wrong, still, nowhere, unknown, right, state, again = said
    assert {key: info["answer"][key] for key in INFORMATION} == INFORMATION
    assert scan["answer"] == [
        {"name": "home", "rssi": -40, "secured": True},
        {"name": "open", "rssi": -41, "secured": False},
    ]
    assert (wrong["error"], still["state"]) == ("UNABLE_TO_CONNECT", 2)
    assert (nowhere["error"], unknown["error"]) == ("UNABLE_TO_CONNECT", "UNKNOWN_RPC_COMMAND")
    assert (right["error"], right["state"]) == (None, 4)
    assert right["url"].startswith("http://") and right["url"].endswith("/")
    assert (state["url"], again["error"]) == (right["url"], None)
    assert board.noted() == [FOUND]
    assert "password is not accepted" in board.log()
    assert "right password" not in board.log()
    # Who comes later is told at once where the board is.
    assert client(board.port, ("initialize",))[0]["url"] == right["url"]
    board.send(CTRL_C)
    assert board.process.wait(HANG_S) == 0
    assert board.noted()[1:] == ["interrupted"]


def test_any_password_and_name(device) -> None:
    """Every printable character of ASCII, and others."""
    networks = [
        (password[:10] if at else "Café ☕", password) for at, password in enumerate(PASSWORDS)
    ]
    board = device(around(*networks))
    steps: list[tuple] = [("initialize",), ("scan",)]
    for name, password in networks:
        steps += [("provision", name, password[:-1] + "x"), ("provision", name, password)]
    said = client(board.port, *steps)
    assert {found["name"] for found in said[1]["answer"]} == {name for name, _ in networks}
    assert [one["error"] for one in said[2:]] == ["UNABLE_TO_CONNECT", None] * len(networks)
    assert board.noted() == [{"ssid": name, "password": key} for name, key in networks]


def test_a_million_random_bytes(device) -> None:
    """Nothing but Ctrl-C makes a difference."""
    chance = random.Random(20261130)
    board = device()
    without = bytes(byte for byte in chance.randbytes(1000000) if byte != CTRL_C[0])
    board.send(without)
    board.send(STATE)
    assert board.heard(len(READY)) == READY  # it has said nothing before
    board.send(without[:5000] + CTRL_C)
    assert board.process.wait(HANG_S) == 0
    assert board.noted() == ["interrupted"]


def test_it_ends_by_itself(device) -> None:
    board = device(for_ms=300)
    assert board.process.wait(HANG_S) == 0
    assert board.noted() == ["ended"]


MAIN = """\
import sys
sys.argv = ["", "/out.txt", "0", "ESP32_GENERIC"]
import improv_listener
"""


def test_mpremote_in_between(make, monkeypatch) -> None:
    """The real one, on a board whose interrupt character is off while it listens."""
    monkeypatch.setenv("AROUND", around(HOME))
    monkeypatch.setenv("SPEED", SPEED)
    try:
        base = romfs.build("esp32-files", deps.path())
    except vm.Unavailable as problem:
        tiers.missing("the MicroPython VM", "vm", str(problem))
    board = make(before=[base / "tree", base / "shims", SCRIPT.parent])
    put(board, "/main.py", MAIN.encode())
    restart(board)
    wrong, right = ("provision", HOME[0], "wrong password"), ("provision", *HOME)
    said = client(board.port, ("initialize",), wrong)
    assert [one["error"] for one in said] == [None, "UNABLE_TO_CONNECT"]
    # It takes the board from the app as it always did, and Ctrl-C is Ctrl-C again.
    assert mpremote(board.port, "exec", "print(6 * 7)") == "42\n"
    assert mpremote(board.port, "fs", "cat", ":out.txt").split() == ['"interrupted"']
    endless = [sys.executable, "-m", "mpremote", "connect", board.port, "exec"]
    command = [*endless, "print('on')\nwhile True: pass"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as left:
        assert left.stdout and left.stdout.readline() == b"on\n"
        left.kill()
    assert mpremote(board.port, "exec", "print(6 * 7)") == "42\n"
    restart(board)
    said = client(board.port, ("initialize",), right)
    assert [one["error"] for one in said] == [None, None]
    assert mpremote(board.port, "exec", "print(6 * 7)") == "42\n"
    noted = mpremote(board.port, "fs", "cat", ":out.txt").splitlines()
    assert [json.loads(line) for line in noted] == [FOUND, "interrupted"]


def restart(board) -> None:
    """Let it run main.py anew, until that listens."""
    boots = board.boots
    mpremote(board.port, "reset")
    waiting.until(lambda: board.boots > boots and not board.interrupts())


def test_a_board_with_the_firmware(make, packages, monkeypatch, tmp_path) -> None:
    """From an empty config: in set-up mode, then beside the app, asked while it starts."""
    new = ("new", "another password")
    monkeypatch.setenv("AROUND", around(HOME, new))
    board = make(heap_kb=1000, flash_kib=4096)
    done = flash("install", *on(board))
    assert done.returncode == 0, done.stdout + done.stderr
    ask = ("initialize",), ("provision", *HOME)
    info, joined = client(board.port, *ask)
    assert (info["state"], joined["error"], joined["state"]) == (2, None, 4)
    assert info["answer"]["name"].startswith("JouleLog-")
    assert "(password " in info["answer"]["name"]
    assert mpremote(board.port, "exec", "print(6 * 7)") == "42\n"
    assert b'"right password"' in (get(board, "/settings.a") or b"")
    telegram(board)
    config = tmp_path / "config.py"
    config.write_text(CONFIG)
    done = flash("install", *on(board), "--config", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    # Its Wi-Fi is the one of the settings. Who asks now asks while it starts.
    mpremote(board.port, "reset")
    info, joined = client(board.port, ("initialize",), ("provision", *new))
    assert info["answer"]["name"] == "cellar"
    assert (joined["error"], joined["state"]) == (None, 4)
    assert mpremote(board.port, "exec", "print(6 * 7)") == "42\n"
    kept = (get(board, "/settings.a") or b"") + (get(board, "/settings.b") or b"")
    assert b'"another password"' in kept
