"""Pulse meters from the light to a reading: figures with known truth, and the real firmware."""

import json
import re
import subprocess
import sys
from array import array

import pytest

from tests import tiers
from tests.integration.run_rig import Run
from tests.servers.real_influxdb import RealInfluxdb
from tests.servers.real_mosquitto import Mosquitto, Recorder
from tests.waiting import HANG_S
from tools import ROOT
from tools.rig import pulses
from tools.sim import pulse as sim

CONFIG = """
readers = [
    {"type": "pulse", "pin": "sim", "pulses_per_kwh": 1000, "window": 5, "calibrate": True},
    {"type": "health", "interval": 5},
]
sinks = [{"type": "console"}]
log = {"directory": "%s"}
"""


def test_no_error_at_the_limit() -> None:
    missed, invented, detector = pulses.errors(20000, seed=7)
    assert (missed, invented) == (0, 0)
    assert detector.count >= 20000


def test_no_error_at_the_limit_where_flashes_are_dark() -> None:
    missed, invented, detector = pulses.errors(20000, seed=7, inverted=True)
    assert (missed, invented) == (0, 0)
    assert detector.count >= 20000 and detector.state == "ok"


@pytest.mark.parametrize(
    "options",
    [
        {"missing": 10},
        {"double": 10, "spacing_ms": (30, 30)},
        {"drift": 6000, "drift_s": 60},
        {"flicker": 100},
        {"spacing_ms": (20, 400), "pulses": 500},
        {"dark": 0, "spacing_ms": (100, 100), "pulses": 500},
        {"noise": 0},
        {"contrast": 7500},
        {"pulse_ms": 15, "gap_ms": 17},
    ],
    ids=str,
)
def test_no_error_beside_it(options: dict) -> None:
    missed, invented, _ = pulses.errors(**({"pulses": 2000} | options))
    assert (missed, invented) == (0, 0)


def test_the_bench_sees_errors() -> None:
    """With too little light, so that a figure of 0 means something."""
    missed, _, _ = pulses.errors(500, contrast=500)
    assert missed > 100


def test_a_lamp_costs_half_a_second() -> None:
    options = {"spacing_ms": (700, 1500), "pulse_ms": 20}
    lamp = lambda second: 1500 if 60 < second < 120 else 0  # noqa: E731
    missed, invented, detector = pulses.errors(200, lamp=lamp, **options)
    assert missed <= 2 and invented == 0
    assert detector.relearned == 2


def test_a_trace_and_its_truth(tmp_path) -> None:
    path = tmp_path / "led.u16"
    count = sim.write(path, 20, pulse_ms=20, spacing_ms=(300, 900))
    truth = json.loads(path.with_suffix(".json").read_text())
    assert truth["pulses"] == count == len(truth["ms"]) > 15
    assert path.stat().st_size == 20 * 2 * 1000000 // truth["period_us"]
    text = tmp_path / "led.txt"
    readings = array("H", path.read_bytes())
    text.write_text("\n".join(map(str, readings)))
    for name in (path, text):
        lines = decode("pulse", str(name), "--pulse-ms", "20")
        for line, ms in zip(lines, truth["ms"], strict=False):
            assert ms <= line["ms"] <= ms + 20
        assert lines[-1]["pulses"] == count
        assert 9 < float(lines[-1]["contrast"]) < 13
    dark = tmp_path / "dark.u16"
    dark.write_bytes(b"\x00\x10" * 4000)
    assert run_decode("pulse", str(dark)).returncode == 1


def run_decode(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "tools.decode", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=HANG_S)


def decode(*arguments: str) -> list[dict]:
    done = run_decode(*arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("runtime", [[], ["--vm", "--profile", "esp32"]], ids=["cpython", "vm"])
def test_the_firmware_counts_what_the_recording_has(runtime, tmp_path) -> None:
    config = tmp_path / "pulse_config.py"
    config.write_text(CONFIG % tmp_path)
    run = Run("--config", str(config), *runtime)
    try:
        run.wait_for(r"light \d+\.\d %, flash \+1\d\.\d %, noise 0\.\d\d %, margin", 8)
        run.wait_for(r"pulse pulses=\d+ pulses_total=\d+ energy_import=0\.\d\d\d", 4)
        counts = re.findall(r"pulses=(\d+) pulses_total=(\d+)", run.output)
        assert sum(int(pulses) for pulses, _ in counts) == int(counts[-1][1]) >= 5
        assert set(re.findall(r" pulse_blind_ms=(\d+)", run.output)) == {"0"}  # in health
    finally:
        run.interrupt()


ROOMY = ["--vm", "--profile", "esp32", "--heap", "180k"]  # two servers from ROMFS: PSRAM
SERVERS = """
readers = [{"type": "pulse", "pin": "sim", "pulses_per_kwh": 1000, "window": 5}]
sinks = [
    {"type": "console"},
    {"type": "mqtt", "host": "127.0.0.1", "port": %d},
    {"type": "influxdb", "url": "%s", "database": "energy", "interval": 1},
]
log = {"directory": "%s"}
"""


@pytest.mark.parametrize("runtime", [[], ROOMY], ids=["cpython", "vm"])
def test_into_all_three_and_over_a_restart(runtime, tmp_path) -> None:
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    tiers.require("influxd", "servers", "apt install influxdb")
    if runtime:
        from tools.host import deps

        if deps.path() is None:
            tiers.missing("mqtt_as and micropython-lib", "deps", "make deps")
    broker = Mosquitto(tmp_path / "mosquitto")
    broker.start()
    config = tmp_path / "pulse_config.py"
    shown: list[tuple[int, int]] = []
    with RealInfluxdb(tmp_path / "influxdb") as server, Recorder(broker.port) as recorder:
        server.create("energy")
        config.write_text(SERVERS % (broker.port, server.url, tmp_path))
        for _ in range(2):  # the second time it goes on where the first one ended
            run = Run("--config", str(config), *runtime)
            try:
                run.wait_for(r"pulse pulses=\d+ pulses_total", 4)
                said = re.search(r"(\d+) pulses so far", run.output)
                assert said and (not shown or int(said.group(1)) >= shown[-1][1] > 0)
            finally:
                run.interrupt()
            found = re.findall(r"pulses=(\d+) pulses_total=(\d+)", run.output)
            shown += [(int(pulses), int(total)) for pulses, total in found]
        rows = server.rows("energy", 'SELECT * FROM "energy" ORDER BY time')
        payloads = [
            json.loads(text)
            for topic, text, _ in recorder.messages
            if "pulse/" in topic and not topic.endswith("/status")
        ]
    broker.stop()
    stored = [(int(row["pulses"]), int(row["pulses_total"])) for row in rows]
    assert len(stored) >= 6
    assert len(payloads) >= 6
    assert set(stored) <= set(shown)
    totals = [total for _, total in shown]
    assert totals == sorted(totals) and totals[-1] > totals[3]
