"""tools/run.py as a person uses it: real processes, real pseudo terminals, real time."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import tiers
from tests.integration.run_rig import ON_THE_VM, Line, Run, config
from tests.waiting import HANG_S
from tools import ROOT
from tools.rig import frozen

TELEGRAM = ROOT / "tests/fixtures/dsmr/nl_ene5-xs210-esmr-5-0.txt"
READING = r"\d\d:\d\d:\d\dZ %s energy_import"
IMAGES = [["--vm", "--profile", "esp8266-frozen"], ["--vm", "--profile", "esp32-frozen"]]


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.mark.parametrize("how", [[], *ON_THE_VM], ids=lambda how: how[2] if how else "cpython")
def test_the_shipped_config(start, how) -> None:
    """Readings within 30 seconds (of CPU time, for others may have it), and Ctrl-C."""
    run = start(*how)
    run.wait_for(READING % "dsmr", count=2)
    assert run.cpu_s() < (30 if not how else 90)
    started = run.descendants()
    assert len(started) == 2  # the meter and the firmware
    assert run.interrupt() == 0
    assert "Traceback" not in run.output
    assert run.output.rstrip().endswith("stopped")
    assert alive(started) == []
    for said in ("simulated meter (nl50) on /", "reader dsmr: UART /", "sink console"):
        assert said in run.output


@pytest.mark.timeout(900)  # the first one builds the VM
@pytest.mark.parametrize("how", IMAGES, ids=lambda how: how[-1])
def test_the_shipped_config_as_an_image_has_it(start, how) -> None:
    try:
        frozen.build(None, how[-1].removesuffix("-frozen"))
    except frozen.LeftOut as reason:
        tiers.missing(str(reason), "micropython", "see tools/rig/frozen.py")
    run = start(*how)
    run.wait_for(READING % "dsmr", count=2)
    assert run.interrupt() == 0
    assert "Traceback" not in run.output
    assert run.output.rstrip().endswith("stopped")


def test_a_live_table_in_a_terminal(start) -> None:
    run = start(terminal=True, TERM="xterm", NO_COLOR="")
    run.wait_for(r"\x1b\[\d+A(\x1b\[J.*\s+)?\x1b\[1mdsmr", count=3)
    assert run.interrupt() == 0
    assert "\x1b[H" not in run.output and "\x1b[2J" not in run.output  # the report stays
    last = re.sub(r"\x1b\[[0-9]*[AJKm]", "", re.split(r"\x1b\[\d+A", run.output)[-1])
    assert re.search(r"energy_import_t1 +\d+\.\d\d\d kWh", last)
    assert re.search(r"gas +\d+\.\d\d\d m³", last)
    assert last.count("(Ctrl-C stops)") == 1
    assert "Traceback" not in run.output


def test_no_colours_and_no_table_where_they_are_not_wanted(start) -> None:
    run = start(terminal=True, TERM="xterm", NO_COLOR="1")
    run.wait_for(r"\x1b\[\d+A")
    assert run.interrupt() == 0
    assert not re.search(r"\x1b\[\d*m", run.output)
    run = start(terminal=True, TERM="dumb")
    run.wait_for(READING % "dsmr", count=2)
    assert run.interrupt() == 0
    assert "\x1b" not in run.output


def test_sigterm_stops_as_ctrl_c_does(start) -> None:
    run = start()
    run.wait_for(READING % "dsmr")
    started = run.descendants()
    os.kill(run._process.pid, signal.SIGTERM)
    assert run.status() == 0
    assert alive(started) == []


def test_ctrl_c_at_any_moment(start) -> None:
    for delay_s in (0.15, 0.3, 0.45, 0.6, 0.8, 1.0):
        run = start()
        time.sleep(delay_s)
        os.killpg(run._process.pid, signal.SIGINT)
        status = run.status()
        if "JouleLog on" in run.output:
            assert status == 0, run.output
            assert "Traceback" not in run.output, run.output
            assert alive(run_children(run)) == []


def run_children(run: Run) -> list[int]:
    try:
        return run.descendants()
    except FileNotFoundError:  # it has ended
        return []


def test_a_compressed_hour(start) -> None:
    run = start(SPEED="20")
    run.wait_for(READING % "dsmr", count=60)
    assert run.interrupt() == 0
    times = re.findall(r"T(\d\d):(\d\d):(\d\d)Z dsmr", run.output)
    seconds = [int(h) * 3600 + int(m) * 60 + int(s) for h, m, s in times]
    assert all((b - a) % 86400 == 1 for a, b in zip(seconds, seconds[1:]))


@pytest.mark.parametrize(
    "text, told",
    [
        (
            'readers = [{"type": "dsmr", "uart": "sim", "buad": 9600}]\nsinks = [{"type": "mqt"}]',
            ["`buad`", "`baud`", '"mqtt"'],
        ),
        ('readers = [{"type": "dsmr"}, 7]\nsinks = []', ["`uart` is missing", "readers[1]"]),
        ("readers = None\nsinks = []", ["`readers`"]),
        ('reader = []\nsinks = [{"type": "console"}]', ["`reader`", "`readers`"]),
    ],
)
@pytest.mark.parametrize("how", [[], ON_THE_VM[0]], ids=["cpython", "esp32"])
def test_a_wrong_config(start, tmp_path, how, text, told) -> None:
    run = start("--config", config(tmp_path, text), *how)
    assert run.status() == 2, run.output
    assert "Traceback" not in run.output
    assert all(word in run.output for word in told), run.output


@pytest.mark.parametrize(
    "arguments, variables, told",
    [
        (["--config", "no/such.py"], {}, "there is no no/such.py"),
        (["--profile", "esp9"], {}, "esp8266"),
        ([], {"SPEED": "fast"}, "SPEED is fast"),
        ([], {"SPEED": "0"}, "SPEED is 0"),
    ],
)
def test_a_wrong_command_line(start, arguments, variables, told) -> None:
    run = start(*arguments, **variables)
    assert run.status() == 2
    assert told in run.output
    assert "Traceback" not in run.output


def test_a_config_that_is_no_python(start, tmp_path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("readers = [\n")
    run = start("--config", str(path))
    assert run.status() == 2
    assert "broken.py" in run.output and "SyntaxError" in run.output
    assert "Traceback" not in run.output


def test_an_unknown_model(start) -> None:
    run = start("--model", "xx99")
    assert run.status() == 3
    assert "xx99" in run.output
    assert "Traceback" not in run.output


@pytest.mark.parametrize("how", [[], ON_THE_VM[0]], ids=["cpython", "esp32"])
def test_a_device_that_comes_and_goes(start, tmp_path, how) -> None:
    """A cable that is plugged in late, pulled out and plugged in again: a state, not an end."""
    link = tmp_path / "ttyP1"
    text = f"readers = [{{'type': 'dsmr', 'name': 'p1', 'uart': {str(link)!r}}}]\n"
    run = start("--config", config(tmp_path, text + "sinks = [{'type': 'console'}]"), *how)
    run.wait_for(r"p1 failed: \w+Error.*ttyP1")
    line = Line(link)
    run.wait_for(READING % "p1")
    line.unplug()
    run.wait_for(r"p1 failed: \w+Error.*ttyP1", count=2)
    before = len(re.findall(READING % "p1", run.output))
    line = Line(link)
    run.wait_for(READING % "p1", count=before + 2)
    assert run.interrupt() == 0, run.output[-2500:]
    line.unplug()
    assert "Traceback" not in run.output


def test_a_replayed_file_and_a_relative_config(start, tmp_path) -> None:
    text = f"readers = [{{'type': 'replay', 'file': {str(TELEGRAM)!r}, 'pause_ms': 100}}]\n"
    config(tmp_path, text + "sinks = [{'type': 'console'}]")
    run = start("--config", "my_config.py", cwd=tmp_path)
    run.wait_for("replay energy_import_t1=8243.448", count=5)
    assert run.interrupt() == 0
    assert "simulated meter" not in run.output


def test_two_meters(start, tmp_path) -> None:
    text = (
        "readers = [{'type': 'dsmr', 'name': 'house', 'uart': 'sim'},"
        " {'type': 'dsmr', 'name': 'barn', 'uart': 'sim'}]\nsinks = [{'type': 'console'}]"
    )
    run = start("--config", config(tmp_path, text), "--model", "be")
    run.wait_for(READING % "house")
    run.wait_for(READING % "barn")
    assert run.interrupt() == 0


@pytest.mark.parametrize("lines", [3, 40])
@pytest.mark.parametrize("how", ["", "--vm"])
def test_who_has_read_enough_ends_it(how: str, lines: int, tmp_path) -> None:
    """`make run | head`: no traceback, exit status 0, and what is in RAM goes to the disk."""
    if how:
        tiers.require("mpremote", "vm", "pip install mpremote")
    command = f"{sys.executable} -m tools.run --config examples/configs/replay.py {how}"
    command += f" --folder {tmp_path}"  # another test may run it at the same time
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -{lines}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and len(done.stdout.splitlines()) == lines
