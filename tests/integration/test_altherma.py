"""The altherma reader against the simulated unit on a pty, paced as the real line, by run.py."""

import json
import re
import subprocess
import sys
import time

import pytest

from tests import tiers
from tests.integration.run_rig import ON_THE_VM, config
from tests.servers.real_influxdb import RealInfluxdb
from tests.servers.real_mosquitto import Mosquitto, Recorder
from tests.waiting import HANG_S
from tools import ROOT
from tools.host import deps
from tools.sim import altherma

FRAMES = json.loads((ROOT / "tests/fixtures/x10a/frames.json").read_text())["frames"]
CONFIG = (
    "readers = [{'type': 'altherma', 'name': 'hp', 'uart': 'sim', 'interval': 2%s}]\n"
    "sinks = [{'type': 'console'}]"
)
ROOMY = [*ON_THE_VM[0], "--heap", "180k"]  # two servers from ROMFS: a board with PSRAM
HOW = pytest.mark.parametrize("how", [[], ON_THE_VM[0]], ids=["cpython", "esp32"])


@pytest.mark.parametrize("item", FRAMES, ids=lambda item: item["frame"][:4])
def test_the_simulator_says_what_units_say(item) -> None:
    """First of all: recorded requests get the recorded answers, byte by byte."""
    frame = bytes.fromhex(item["frame"])
    payload = frame[3:-1] if item["protocol"] == "I" else frame[1:-1]
    unit = altherma.Unit(item["protocol"], payloads={item["register"]: payload})
    assert unit.answer(bytes.fromhex(item["request"])) == frame


def test_the_simulator_refuses() -> None:
    for protocol, text in (("I", "034065"), ("S", "0257"), ("I", "0255a8"), ("S", "0340605c")):
        request = bytes.fromhex(text)
        whole = request + altherma.checksum(request) if len(request) < 3 else request
        assert altherma.Unit(protocol).answer(whole) == b"\x15\xea"
    assert altherma.Unit("I").answer(bytes.fromhex("0340605d")) == b"\x15\xea"  # checksum


@HOW
def test_core(start, tmp_path, how) -> None:
    run = start("--config", config(tmp_path, CONFIG % ""), *how)
    run.wait_for("hp operation_mode=Heating .* flow=.* water_pressure=1.6", count=3)
    assert "simulated altherma on /" in run.output
    assert "9600 8E1" in run.output
    flow, back = re.findall(r" (?:flow_temperature|return_temperature)=([\d.]+)", run.output)[:2]
    assert 25 < float(back) < float(flow) < 45
    assert run.interrupt() == 0
    assert "Traceback" not in run.output


@HOW
def test_rotex(start, tmp_path, how) -> None:
    text = CONFIG % ", 'model': 'PROTOCOL_S_ROTEX'"
    run = start("--config", config(tmp_path, text), *how)
    run.wait_for("hp .*dhw_temperature=48.19921875")
    assert "protocol S, model protocol-s-rotex" in run.output
    assert run.interrupt() == 0


@HOW
def test_a_whole_model(start, tmp_path, how) -> None:
    """The model with the most channels; what the unit has not is left out, once."""
    model = "altherma-epra-e-etsh-x-16p30-50-e-series-8-12kw-ech2o"
    run = start("--config", config(tmp_path, CONFIG % f", 'model': '{model}'"), *how)
    run.wait_for("hp operation_mode=Heating .* flow=", count=3)
    assert run.output.count("the unit has no register A0") == 1
    assert "182 channels" in run.output
    assert run.interrupt() == 0


@pytest.mark.parametrize(
    "arguments",
    [["--noise", "3"], ["--echo"], ["--bad-every", "5"], ["--silent", "21,30", "--absent", "20"]],
    ids=lambda arguments: arguments[0],
)
def test_a_bad_line(start, tmp_path, arguments) -> None:
    """The console's numbers are either right or not there."""
    unit = subprocess.Popen(
        [sys.executable, "-m", "tools.sim.altherma", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert unit.stdout is not None
        device = unit.stdout.readline().strip()
        text = (CONFIG % "").replace("'sim'", repr(device))
        run = start("--config", config(tmp_path, text))
        run.wait_for("hp operation_mode=Heating .* flow=.* water_pressure=1.6", count=4)
        currents = set(re.findall(r"inverter_current=(\S+)", run.output))
        assert currents <= {"6.4", "0.1"}
        if "--silent" in arguments:
            assert not currents
            assert "no answer for the registers 21, 30" in run.output
            assert "outdoor_temperature=" not in run.output
        assert run.interrupt() == 0
    finally:
        unit.terminate()
        unit.wait(5)
        if unit.stdout:
            unit.stdout.close()


ERLA = "'altherma-erla-d-ebv-ebb-ebvz-d-series-11-16kw'"
LABELS = (
    "['operation_mode', 'flow', 'Leaving water temp. before BUH (R1T)', 'return_temperature',"
    " 'inverter_current', 'water_pressure', 'Fan 1 (step)']"
)


# All 181 channels and three destinations are too much for the heap of an ESP32.
@pytest.mark.parametrize(
    "how, model",
    [
        ([], "'core'"),
        ([], ERLA),
        (ROOMY, "'core'"),
        (ROOMY, ERLA + ", 'labels': " + LABELS),
    ],
    ids=["cpython-core", "cpython-model", "esp32-core", "esp32-labels"],
)
def test_into_console_mqtt_and_influxdb(start, tmp_path, how, model) -> None:
    """The heat pump and what is derived from it, in every place where people keep it."""
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    if how and deps.path() is None:
        tiers.missing("mqtt_as and micropython-lib", "deps", "make deps")
    broker = Mosquitto(tmp_path / "broker")
    broker.start()
    try:
        with RealInfluxdb(tmp_path / "influx") as server, Recorder(broker.port) as recorder:
            server.create("energy")
            batch = 2560 if how else 8192  # bytes; the chip has not got more
            text = (CONFIG % f", 'model': {model}").replace(
                "}]\n", "}, {'type': 'heat', 'source': 'hp'}]\n", 1
            )
            text = text.replace(
                "[{'type': 'console'}]",
                "[{'type': 'console'}, {'type': 'mqtt', 'host': '127.0.0.1', 'port': %d,"
                " 'batch': %d, 'in_flight': 1},"
                " {'type': 'influxdb', 'url': %r, 'database': 'energy', 'batch': %d}]"
                % (broker.port, batch, server.url, batch),
            )
            text += "\nqueue = {'slots': 8}"  # of 181 channels each
            run = start("--config", config(tmp_path, text), *how)
            run.wait_for("heat thermal_power=.* electric_energy=", count=6)
            recorder.wait_for(lambda: len(_states(recorder, "heat")) >= 5)
            deadline = time.monotonic() + HANG_S  # the database gets its readings in batches
            while not all(_stored(server, key) for key in ("water_pressure", "thermal_power")):
                assert time.monotonic() < deadline, run.output
                time.sleep(0.5)
            assert "Traceback" not in run.output
            assert "set aside" not in run.output
            run.close()  # Ctrl-C breaks a VM that is collecting; tests of run.py have it
            pump, heat = _states(recorder, "hp")[-1], _states(recorder, "heat")[-1]
            assert pump["operation_mode"] == "Heating"
            assert pump["water_pressure"] == 1.6
            difference = pump["flow_temperature"] - pump["return_temperature"]
            watts = pump["flow"] * difference * 4176 / 60
            assert abs(heat["thermal_power"] - watts) <= 1
            assert set(_stored(server, "water_pressure")) == {"1.6"}
    finally:
        broker.stop()


def _stored(server: RealInfluxdb, key: str) -> list[str]:
    rows = server.rows("energy", 'SELECT * FROM "energy"')
    return [row[key] for row in rows if row.get(key)]


def _states(recorder: Recorder, source: str) -> list[dict]:
    found = []
    for topic, payload, _ in list(recorder.messages):
        if f"/{source}/" in f"/{topic}/" and topic.endswith("/state"):
            told = json.loads(payload)
            found.append(told.get("values", told))
    return found


def test_decode() -> None:
    data = "".join(item["request"] + item["frame"] for item in FRAMES if item["protocol"] == "I")
    command = [sys.executable, "-E", "-s", "-S", "-m", "tools.decode", "x10a"]
    done = subprocess.run(command, input=data.encode(), capture_output=True, timeout=HANG_S)
    told = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [entry["register"] for entry in told] == ["00", "60", "21"]
    assert told[1]["values"]["dhw_setpoint"] == "45.0"
    assert told[2]["values"] == {"inverter_current": "24.9"}
    done = subprocess.run(
        [*command, "--model", "x"], input=b"00", capture_output=True, timeout=HANG_S
    )
    assert done.returncode == 2
    assert b"there is no model x; allowed: core, " in done.stderr
