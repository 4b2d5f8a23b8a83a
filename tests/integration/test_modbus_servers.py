"""Two PZEMs and an SDM120 on one line, into mosquitto and InfluxDB, digit for digit.

The whole firmware runs in a process of its own, on CPython and on the MicroPython VM. The
simulated line and the firmware's clock run in real time.
"""

import json
import signal
import subprocess
import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests import tiers
from tests.servers.real_influxdb import RealInfluxdb
from tests.servers.real_mosquitto import Mosquitto, Recorder
from tests.waiting import HANG_S
from tools import ROOT, run
from tools.host import deps
from tools.rig import vm
from tools.sim import slaves
from tools.sim.pzem import Server

COUNT = 8  # readings of each meter


def powers(answers: list[dict], address: int) -> list[Decimal]:
    """What a PZEM has answered, in its order, but the first answer, which is asked for twice."""
    found = []
    for answer in answers:
        frame = bytes.fromhex(answer["answer"])
        if frame[0] == address:
            high, low = frame[11:13], frame[9:11]
            found.append(Decimal(int.from_bytes(high + low, "big")) / 10)
    return found[1:]


@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_mqtt_and_influxdb(runtime: str, tmp_path: Path) -> None:
    """Must show 1."""
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    tiers.require("influxd", "servers", "apt install influxdb")
    if runtime == "vm" and deps.path() is None:
        tiers.missing("mqtt_as and micropython-lib", "deps", "make deps")
    answers: list[dict] = []
    meters = {1: slaves.Pzem("ac", 1), 2: slaves.Pzem("ac", 2), 3: slaves.Sdm("sdm120", 3)}
    line = Server(meters, think_s=0.005)
    line.log = answers.append
    line.start()
    readers = [
        {"type": "pzem", "name": "heat_pump", "uart": line.device, "address": 1, "interval": 1},
        {"type": "pzem", "name": "car", "uart": line.device, "address": 2, "interval": 1},
        {
            "type": "modbus",
            "name": "solar",
            "uart": line.device,
            "address": 3,
            "meter": "sdm120",
            "interval": 2,
        },
    ]
    broker = Mosquitto(tmp_path / "broker")
    broker.start()
    influx = RealInfluxdb(tmp_path / "influx").start()
    influx.create("energy")
    sinks = [
        {"type": "mqtt", "host": "127.0.0.1", "port": broker.port},
        {"type": "influxdb", "url": influx.url, "database": "energy", "measurement": "meters"},
    ]
    sinks[1]["interval"] = 1
    log = {"directory": str(tmp_path), "size_kb": 100}
    config = tmp_path / "config.py"
    config.write_text(
        f"device = 'logger'\nreaders = {readers!r}\nsinks = {sinks!r}\nlog = {log!r}\n"
    )
    said = tmp_path / "firmware.out"
    heap = "180k" if runtime == "vm" else None  # two servers from ROMFS: a board with PSRAM
    try:
        command = run.command(config, [], runtime == "vm", "esp32", heap)
    except vm.Unavailable as error:
        tiers.missing("the MicroPython VM", "vm", str(error))
    with open(said, "wb") as output:
        firmware = subprocess.Popen(
            command, stdout=output, stderr=output, env=run.environment(False), cwd=ROOT
        )
    try:
        with Recorder(broker.port, "logger/#") as recorder:

            def stored(name: str) -> list[dict]:
                return influx.rows("energy", f"SELECT * FROM \"meters\" WHERE source = '{name}'")

            deadline = time.monotonic() + HANG_S
            while len(stored("car")) < COUNT or len(stored("solar")) < COUNT // 2:
                assert time.monotonic() < deadline and firmware.poll() is None, said.read_text()
                time.sleep(0.5)
            firmware.send_signal(signal.SIGINT)
            assert firmware.wait(HANG_S) == 0
            for name, address in (("heat_pump", 1), ("car", 2)):
                rows = stored(name)
                found = [Decimal(row["power"]) for row in rows]
                assert found == powers(answers, address)[: len(found)]
                times = [int(row["time"]) for row in rows]
                assert times == list(range(times[0], times[0] + len(times)))  # no second lost
                sent = [
                    json.loads(payload, parse_float=Decimal, parse_int=Decimal)
                    for topic, payload, kept in recorder.messages
                    if topic == f"logger/{name}/state" and not kept
                ]
                assert len(sent) >= COUNT
                assert [one["power"] for one in sent] == powers(answers, address)[: len(sent)]
            for row in stored("solar"):
                assert Decimal(row["voltage"]) == Decimal("230.3")
                assert Decimal(row["energy_export"]) == Decimal("1.5")
        text = said.read_text()
        assert "WARNING" not in text and "failed" not in text, text
    finally:
        firmware.kill()
        firmware.wait()
        influx.stop()
        broker.stop()
        line.close()
