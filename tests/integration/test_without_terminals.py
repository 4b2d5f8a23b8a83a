"""What a user needs on Windows, by `python -m`: without termios, pty, fcntl, and without make."""

import json
import os
import re
import socket
import subprocess
import sys
import threading

import pytest

from tests.waiting import HANG_S
from tools import ROOT
from tools.host import windows
from tools.sim.p1 import Meter

REPLAY = "examples/configs/replay.py"


def environment() -> dict[str, str]:
    """Nothing of terminals, and no make."""
    places = f"{ROOT / 'tests/fakes/without_terminals'}{os.pathsep}{ROOT}"
    return os.environ | {"PYTHONPATH": places, "JOULELOG_ROOT": str(ROOT), "PATH": "/nowhere"}


def run(module: str, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    """What a module of ours does there."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environment(),
        input=given,
        capture_output=True,
        timeout=HANG_S,
        check=False,
    )
    said = [text.decode("utf-8", "replace") for text in (done.stdout, done.stderr)]
    assert "Traceback" not in said[1], said[1]
    return subprocess.CompletedProcess(done.args, done.returncode, *said)


def test_what_is_hidden_is_hidden():
    done = subprocess.run(
        [sys.executable, "-c", "from tools.host.shims import serialport_posix"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "No module named 'fcntl'" in done.stderr


def readings(config: str) -> str:
    """Run a config until it has printed three readings."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.run", "--config", config],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    guard = threading.Timer(HANG_S, process.kill)
    guard.start()
    said = ""
    assert process.stdout
    for line in process.stdout:
        said += line
        if len(re.findall(r"energy_import_t1=\d", said)) == 3:
            break
    process.terminate()
    process.stdout.close()
    process.wait()
    guard.cancel()
    assert len(re.findall(r"energy_import_t1=\d", said)) == 3, said
    return said


def test_a_recorded_meter_is_read():
    assert "reader house: file examples/telegrams.txt" in readings(REPLAY)


@pytest.fixture
def port():
    """A P1 meter behind a serial port in the network, as pyserial has it; its address."""
    ends = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(HANG_S)

        def serve() -> None:
            meter = Meter("nl50", 1, lambda: 1782036000)
            while not ends.is_set():
                try:
                    listener, _ = server.accept()
                except OSError:
                    return
                with listener:
                    try:
                        while not ends.wait(0.4):  # the pause behind a telegram ends it
                            listener.sendall(meter.telegram())
                    except OSError:  # it has heard enough
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield "socket://127.0.0.1:%d" % server.getsockname()[1]
        ends.set()
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_a_serial_port_of_pyserial_is_read(port, tmp_path):
    config = tmp_path / "config.py"
    config.write_text(
        f'readers = [{{"type": "dsmr", "uart": "{port}", "time": "board"}}]\n'
        f'sinks = [{{"type": "console"}}]\nlog = {{"directory": {str(tmp_path)!r}}}\n'
    )
    assert f"UART {port}" in readings(str(config))


def test_the_doctor_listens(port):
    done = run("tools.doctor", "--seconds", "2", port)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "DSMR 5.0" in done.stdout
    done = run("tools.doctor", "--seconds", "2", "socket://127.0.0.1:1")
    assert done.returncode == 2
    assert "cannot be opened: is it there, and does no other program use it?" in done.stderr


def test_bytes_are_decoded():
    done = run("tools.decode", "dsmr", "examples/telegrams.txt")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 12 and {line["crc"] for line in lines} == {"ok"}


def test_a_board_can_be_flashed(tmp_path):
    assert "--port" in run("tools.flash", "--help").stdout
    done = run("tools.flash", "install", "--board", "ESP32_GENERIC")
    assert done.returncode == 1 and "--port without make" in done.stderr
    done = run("tools.flash", "install", "--port", "/dev/ttyNONE", "--board", "ESP32_GENERIC")
    assert done.returncode == 1 and "not there" in done.stderr
    image = tmp_path / "image.bin"
    image.write_bytes(b"none")
    done = run(
        "tools.flash", "micropython", "--port", "COM3", "--board", "ESP32_GENERIC",
        "--image", str(image),
    )  # fmt: skip
    assert done.returncode == 1 and "is no firmware image" in done.stderr
    assert "python -m tools.flash micropython --port … --board ESP32_GENERIC" in done.stderr
    silent = socket.create_server(("127.0.0.1", 0))  # a board that says nothing
    address = "socket://127.0.0.1:%d" % silent.getsockname()[1]
    with silent:
        done = run("tools.flash", "config", "--port", address, "--show")
    assert done.returncode == 1 and "no MicroPython answers on socket://" in done.stderr


def test_boards_and_configs_are_checked():
    done = run("tools.boards", "--config", REPLAY)
    assert done.returncode == 0 and "0 problems" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("module", "arguments", "status"),
    [("tools.run", (), 3), ("tools.sim.p1", (), 1), ("tools.sim.pzem", (), 1)],
)
def test_what_needs_a_pseudo_terminal_says_so(module, arguments, status):
    done = run(module, *arguments)
    assert done.returncode == status, done.stderr
    (line,) = done.stderr.splitlines()
    assert "a simulated meter sits on a pseudo terminal, and this system has none" in line
    assert REPLAY in line and "COM3" in line


# Of Windows itself


class Registry:
    """What winreg tells of two network cards, the first without a cable."""

    HKEY_LOCAL_MACHINE = 0
    CARDS = (
        {"DhcpNameServer": "10.9.9.9", "DhcpIPAddress": "10.9.9.2"},
        {"NameServer": "192.0.2.53,192.0.2.54", "IPAddress": ["192.0.2.7"]},
        {},
    )

    class Key(dict):
        """A key that can be closed."""

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    def OpenKey(self, key, name):  # noqa: N802
        return self.Key(self.CARDS[name]) if isinstance(name, int) else self.Key()

    def QueryInfoKey(self, key):  # noqa: N802
        return len(self.CARDS), 0, 0

    def EnumKey(self, key, number):  # noqa: N802
        return number

    def QueryValueEx(self, key, name):  # noqa: N802
        if name not in key:
            raise FileNotFoundError(name)
        return key[name], 1


def test_the_name_server_is_that_of_the_card_in_use():
    assert windows.name_server("192.0.2.7", Registry()) == "192.0.2.53"
    assert windows.name_server("10.9.9.2", Registry()) == "10.9.9.9"


def test_the_room_of_a_disk():
    size = windows._statvfs(str(ROOT))
    real = os.statvfs(ROOT)
    assert abs(size[0] * size[2] - real.f_frsize * real.f_blocks) < 1 << 20
    assert len(size) == 10
