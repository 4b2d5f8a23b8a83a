"""tools/play_meter: what comes out of a cable, a pty, and a second board."""

import fcntl
import os
import pty
import re
import subprocess
import sys
import termios
import threading
import time
import tty
import types
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests import tiers
from tests.waiting import HANG_S
from tools import ROOT
from tools.play_meter import __main__ as play_meter
from tools.rig import run_vm, vm

TELEGRAMS = ROOT / "tests/fixtures/dsmr"
NL50 = TELEGRAMS / "nl_ene5-xs210-esmr-5-0.txt"
BE = TELEGRAMS / "be_flu5-253769484-a.txt"
NO_CRC = TELEGRAMS / "nl_isk5-2mt382-1004.txt"
ENCRYPTED = ROOT / "tests/fixtures/dlms/luxembourg.hex"


class Device:
    """A pty in place of a cable: the tool gets its device, we hear what comes out."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave
        self.heard = bytearray()
        self.times: list[tuple[float, int]] = []
        self._stop = threading.Event()
        fcntl.fcntl(self.master, fcntl.F_SETFL, os.O_NONBLOCK)
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> "Device":
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        time.sleep(0.1)
        self.settings = termios.tcgetattr(self.master)
        self._stop.set()
        self._thread.join()
        os.close(self.master)
        os.close(self._slave)

    def _listen(self) -> None:
        while not self._stop.wait(0.002):
            try:
                self.heard += os.read(self.master, 4096)
                self.times.append((time.monotonic(), len(self.heard)))
            except (BlockingIOError, OSError):
                pass

    def starts(self) -> list[float]:
        """When each telegram began."""
        begins = [found.start() for found in re.finditer(rb"/[A-Za-z]{3}\d", self.heard)]
        return [next(at for at, count in self.times if count > begin) for begin in begins]


def crcs(data: bytes) -> list[bool]:
    """Whether the CRC of each telegram is right, by a definition of its own."""
    found = []
    for telegram in re.findall(rb"(/.*?!)([0-9A-F]{4})\r\n", data, re.DOTALL):
        crc = 0
        for byte in telegram[0]:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        found.append(b"%04X" % crc == telegram[1])
    return found


def play(*arguments: str) -> tuple[int, list[str]]:
    said: list[str] = []
    status = play_meter.main([str(argument) for argument in arguments], said.append)
    return status, said


def test_recorded_telegrams_over_a_cable_byte_by_byte() -> None:
    with Device() as device:
        status, said = play("--every", "1", device.path, NL50, BE)
    assert status == 0
    assert device.heard == NL50.read_bytes() + BE.read_bytes()
    assert said[-1] == "2 telegrams sent"
    assert device.settings[4] == termios.B115200
    assert device.settings[2] & termios.CSIZE == termios.CS8
    first, second = device.starts()
    assert 0.9 < second - first < 1.4


def test_a_telegram_without_crc_goes_out_as_9600_7e1_and_as_slowly() -> None:
    data = NO_CRC.read_bytes()
    with Device() as device:
        status, _ = play("--every", "1", device.path, NO_CRC)
    assert status == 0
    assert device.heard == data
    assert device.settings[4] == termios.B9600
    took = device.times[-1][0] - device.times[0][0]
    assert 0.8 * len(data) / 960 < took < 1.5 * len(data) / 960


def test_loop_count_and_a_binary_recording() -> None:
    frame = bytes.fromhex(ENCRYPTED.read_text())
    with Device() as device:
        status, _ = play("--loop", "--count", "2", "--every", "1", device.path, ENCRYPTED)
    assert status == 0
    assert device.heard == frame * 2


def test_the_present_time_in_an_old_recording() -> None:
    with Device() as device:
        status, _ = play("--now", "--every", "1", device.path, NL50, BE)
    assert status == 0
    assert crcs(device.heard) == [True, True]
    assert_now(device.heard, "Europe/Brussels")
    gone = re.compile(rb"0-0:1\.0\.0\(\d{12}[SW]\)|![0-9A-F]{4}")
    assert gone.sub(b"", bytes(device.heard)) == gone.sub(
        b"", NL50.read_bytes() + BE.read_bytes()
    ), "nothing else has changed"


def assert_now(heard: bytes, zone: str) -> None:
    """All stamps show the present time of a zone, whatever the computer's own zone is."""
    stamps = re.findall(rb"0-0:1\.0\.0\((\d{12})([SW])\)", heard)
    assert len(stamps) == 2
    for digits, season in stamps:
        shown = datetime.strptime(digits.decode(), "%y%m%d%H%M%S")
        now = datetime.now(ZoneInfo(zone))
        assert abs((now.replace(tzinfo=None) - shown).total_seconds()) < 10
        assert (season == b"S") == bool(now.dst())


def test_the_present_time_in_another_zone() -> None:
    zone = "EET-2EEST,M3.5.0/3,M10.5.0/4"
    with Device() as device:
        play("--now", "--tz", zone, "--every", "1", device.path, NL50, BE)
    assert_now(device.heard, "Europe/Helsinki")


def test_a_file_that_lost_its_carriage_returns(tmp_path) -> None:
    lost = tmp_path / "lost.txt"
    lost.write_bytes(NL50.read_bytes().replace(b"\r", b""))
    assert play_meter.read(lost) == [NL50.read_bytes()]


def test_every_fixture_is_sent_as_it_is() -> None:
    for path in sorted(TELEGRAMS.glob("*.txt")):
        assert b"".join(play_meter.read(path)) == path.read_bytes(), path.name


def test_a_simulated_meter_at_another_pace() -> None:
    with Device() as device:
        status, said = play("--model", "nl42", "--every", "1", "--count", "3", device.path)
    assert status == 0
    assert crcs(device.heard) == [True] * 3
    assert said[0].endswith("115200 8N1, every 1 s")
    starts = device.starts()
    assert 1.8 < starts[-1] - starts[0] < 2.6


def test_a_pty() -> None:
    """The device is printed; whoever opens it gets what the meter says."""
    command = [
        sys.executable,
        "-m",
        "tools.play_meter",
        "--loop",
        "--every",
        "1",
        "pty",
        str(NL50),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout
        path = process.stdout.readline().split(":")[0]
        reader = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        heard = b""
        end = time.monotonic() + HANG_S
        while heard.count(b"\r\n!") < 2 and time.monotonic() < end:
            try:
                heard += os.read(reader, 4096)
            except BlockingIOError:
                time.sleep(0.01)
        os.close(reader)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
    assert any(crcs(heard))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/dev/no-such-cable"], "No such file"),
        (["/dev/null", str(NL50)], "not a serial device"),
        (["pty", "Makefile"], "the first character is not '/'"),
        (["pty", str(NL50), str(NO_CRC)], "choose with --line"),
        (["pty", "no-such-file.txt"], "No such file"),
        (
            ["--now", "--tz", "Europe/Brussels", "pty", str(NL50)],
            "the offset in hours is expected",
        ),
    ],
)
def test_errors_say_what_to_do(arguments, words, capsys) -> None:
    assert play(*arguments)[0] == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--invert", "pty"], "add --board"),
        (["--every", "0", "pty"], "is not 1 or more"),
        (["--model", "be", "pty", str(NL50)], "leave it out"),
        (["--board", "--model", "be", "/dev/ttyUSB1"], "its own invented meter"),
    ],
)
def test_options_that_do_not_go_together(arguments, words, capsys) -> None:
    with pytest.raises(SystemExit):
        play(*arguments)
    assert words in capsys.readouterr().err


def test_without_mpremote(monkeypatch, capsys) -> None:
    monkeypatch.setattr(play_meter, "find_spec", lambda name: None)
    assert play("--board", "/dev/ttyUSB1")[0] == 1
    assert "pip install mpremote" in capsys.readouterr().err


def test_too_much_for_a_board(capsys) -> None:
    files = [str(NL50)] * 12
    assert play("--board", "/dev/ttyUSB1", *files)[0] == 1
    assert "name fewer files" in capsys.readouterr().err


class FakeUart:
    """machine.UART, to see how a chip's is opened."""

    INV_TX = 32
    opened: list = []

    def __init__(self, number, **options) -> None:
        self.opened.append((number, options))

    def write(self, data) -> int:
        return min(len(data), 20)


def opened_on(platform: str, monkeypatch, **settings) -> tuple:
    """What the board's script asks of machine.UART on a chip."""
    clock = types.ModuleType("time")
    clock.sleep_ms = lambda ms: None
    clock.ticks_ms = lambda: 0
    clock.ticks_diff = lambda later, earlier: later - earlier
    clock.localtime = time.gmtime
    machine = types.ModuleType("machine")
    machine.UART = FakeUart
    monkeypatch.setitem(sys.modules, "time", clock)
    monkeypatch.setitem(sys.modules, "machine", machine)
    monkeypatch.setattr(sys, "platform", platform)
    FakeUart.opened.clear()
    exec(play_meter.board_script([], {"count": 2, **settings}), {})
    return FakeUart.opened[0]


def test_how_a_chip_opens_its_uart(monkeypatch) -> None:
    plain = {"baudrate": 115200, "bits": 8, "parity": None, "stop": 1}
    assert opened_on("esp32", monkeypatch) == (1, {**plain, "tx": 17})
    assert opened_on("esp32", monkeypatch, tx=4, uart=2, invert=True) == (
        2,
        {**plain, "tx": 4, "invert": FakeUart.INV_TX},
    )
    old = {"baudrate": 9600, "bits": 7, "parity": 0, "stop": 1}
    assert opened_on("esp8266", monkeypatch, baud=9600, seven_bits=True) == (1, old)
    with pytest.raises(SystemExit, match="cannot invert"):
        opened_on("esp8266", monkeypatch, invert=True)


PTYS = Path("/dev/pts")


def on_board(device: Device) -> str:
    """The device as the board sees it, whose file system is its own but for one folder."""
    return "/before0/" + Path(device.path).name


def on_vm(script: Path) -> list[str]:
    try:
        return run_vm.command(script)
    except vm.Unavailable as error:
        tiers.missing("the MicroPython VM", "vm", str(error))


def run_script(tmp_path: Path, telegrams: list[bytes], device: Device, **settings) -> str:
    """Run the board's script on the VM, where a UART has a device path."""
    script = tmp_path / "played.py"
    settings["uart"] = device.path
    script.write_text(play_meter.board_script(telegrams, settings))
    done = subprocess.run(
        on_vm(script), capture_output=True, text=True, timeout=HANG_S, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_boards_own_meter(tmp_path) -> None:
    begin = (2026, 12, 31, 23, 59, 59)
    with Device() as device:
        said = run_script(tmp_path, [], device, count=3, every_s=1, begin=begin, season="W")
    assert said.count("sent telegram") == 3
    assert crcs(device.heard) == [True] * 3
    stamps = re.findall(rb"0-0:1\.0\.0\((\d{12}W)\)", device.heard)
    assert stamps == [b"261231235959W", b"270101000000W", b"270101000001W"]
    assert device.settings[4] == termios.B115200
    starts = device.starts()
    assert 1.8 < starts[-1] - starts[0] < 2.8


def test_recorded_telegrams_on_the_board(tmp_path) -> None:
    telegrams = play_meter.read(NL50) + play_meter.read(BE)
    with Device() as device:
        run_script(tmp_path, telegrams, device, count=2, every_s=1)
    assert device.heard == b"".join(telegrams), "untouched without `begin`"
    with Device() as device:
        begin = (2026, 7, 1, 12, 0, 0)
        run_script(
            tmp_path, telegrams, device, count=2, every_s=1, begin=begin, season="S", invert=True
        )
    assert crcs(device.heard) == [True, True]
    stamps = re.findall(rb"0-0:1\.0\.0\((\d{12}S)\)", device.heard)
    assert stamps == [b"260701120000S", b"260701120001S"]


def test_an_old_dialect_on_the_board(tmp_path) -> None:
    telegrams = play_meter.read(NO_CRC)
    with Device() as device:
        run_script(
            tmp_path,
            telegrams,
            device,
            count=1,
            baud=9600,
            seven_bits=True,
            begin=(2026, 1, 1, 0, 0, 0),
        )
    assert device.heard == telegrams[0]
    assert device.settings[4] == termios.B9600


def test_by_mpremote(tmp_path) -> None:
    """The real mpremote, and the VM behind a REPL as the second board."""
    from tools.rig import raw_repl

    tiers.require("mpremote", "host", "pip install mpremote")
    on_vm(ROOT / "tests/vm/scripts/where.py")
    with Device() as device, raw_repl.Board(tmp_path, before=[PTYS]) as board:
        done = subprocess.run(
            [sys.executable, "-m", "tools.play_meter", "--board", "--uart", on_board(device)]
            + ["--now", "--every", "1", board.port, str(NL50), str(BE)],
            capture_output=True,
            text=True,
            timeout=HANG_S,
            cwd=ROOT,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("sent telegram") == 2
    assert crcs(device.heard) == [True, True]
    assert_now(device.heard, "Europe/Brussels")


def test_settings_by_mpremote_alone(tmp_path) -> None:
    """As the script's own description says: exec, then run."""
    from tools.rig import raw_repl

    tiers.require("mpremote", "host", "pip install mpremote")
    on_vm(ROOT / "tests/vm/scripts/where.py")
    with Device() as device, raw_repl.Board(tmp_path, before=[PTYS]) as board:
        done = subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", board.port]
            + ["exec", "uart = %r; count = 1; invert = True" % on_board(device)]
            + ["run", "tools/play_meter/board.py"],
            capture_output=True,
            text=True,
            timeout=HANG_S,
            cwd=ROOT,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert crcs(device.heard) == [True]
