"""The firmware is killed again and again; nothing is lost beyond what it says at its start.

HOST reads a simulated P1 meter and a PZEM into a real InfluxDB and a real mosquitto that come and
go, and gets a SIGKILL at random moments (of a fixed seed), some while it starts. Time is
compressed ten times, and goes on while the firmware does not run. At the end it may drain. What it
has read it has written down before its queue got it (kill_host.py).

JOULELOG_LONG=1 kills 200 times, else 12 times.
"""

import calendar
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests import tiers
from tests.servers.real_influxdb import RealInfluxdb
from tests.servers.real_mosquitto import Mosquitto, Recorder
from tests.waiting import HANG_S
from tools import ROOT, run
from tools.sim import pzem
from tools.sim.p1 import Meter, Pty, Ticks, serve

KILLS = 200 if os.environ.get("JOULELOG_LONG") else 12
SPEED = 10
SYNC_S = 5
SLOTS = 16
_ROUNDING_S = 2  # times are whole seconds, and the spool looks twice a second


class Stage:
    """Meters, servers, and one run of the firmware after the other."""

    def __init__(self, folder: Path, durability: str) -> None:
        self.folder = folder
        self.truth = folder / "truth"
        self.random = random.Random(20261120)
        self.outages = 0
        self.bound = 0  # as the firmware says: seconds, or readings
        self.found = 0  # starts that found readings on the flash
        self._stop = threading.Event()
        self._helper: threading.Thread | None = None
        self._process: subprocess.Popen | None = None
        self._begin = (int(time.time()), time.monotonic())
        self._durability = durability
        self.pty = Pty()
        ticks = Ticks(self._begin[0])
        arguments = (self.pty, Meter("nl50", 7, ticks), ticks, None, SPEED, 0, None, self._stop)
        self._meter = threading.Thread(target=serve, args=arguments, daemon=True)
        self.broker = Mosquitto(folder / "broker")
        self.influx = RealInfluxdb(folder / "influx")
        self._up = {"broker": True, "influx": True}

    def __enter__(self) -> "Stage":
        self.broker.start()
        self.influx.start()
        self.influx.create("energy")
        self._write_config()
        self._meter.start()
        return self

    def __exit__(self, *error) -> None:
        if self._process and self._process.poll() is None:  # it would read the next test's meter
            self._process.kill()
            self._process.wait()
        if self._helper:
            self._helper.join()
        self._stop.set()
        self._meter.join(5)
        self.pty.close()
        self.influx.stop()
        self.broker.stop()

    def _write_config(self) -> None:
        readers = [
            {"type": "dsmr", "name": "p1", "uart": self.pty.device, "time": "meter"},
            {"type": "pzem", "uart": pzem.start({"type": "pzem"}, SPEED), "interval": 2},
        ]
        url = self.influx.url
        sinks = [
            {"type": "mqtt", "host": "127.0.0.1", "port": self.broker.port},
            {"type": "influxdb", "url": url, "database": "energy", "interval": 1},
        ]
        queue = {"durability": self._durability, "sync_seconds": SYNC_S, "slots": SLOTS}
        if self._durability == "always":
            queue["slots"] = 64
        log = {"directory": str(self.folder), "size_kb": 100}
        (self.folder / "config.py").write_text(
            f"device = 'logger'\nreaders = {readers!r}\nsinks = {sinks!r}\n"
            f"queue = {queue!r}\nlog = {log!r}\n"
        )

    def start(self) -> subprocess.Popen:
        """Start the firmware; what it prints is in the file `said`."""
        arguments = [str(self.folder / "config.py"), str(self.truth)]
        arguments += [str(self._begin[0]), str(self._begin[1]), str(SPEED)]
        environment = {**run.environment(False), "SPEED": str(SPEED)}
        with (self.folder / "said").open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.kill_host", *arguments],
                stdout=said,
                stderr=said,
                env=environment,
                cwd=ROOT,
            )
        return self._process

    def said(self) -> str:
        """What this run has printed."""
        return (self.folder / "said").read_text()

    def wait_until_up(self, process: subprocess.Popen) -> None:
        """Return when it runs; take from its report what a power cut may take."""
        deadline = time.monotonic() + HANG_S
        while "connected, address" not in self.said():
            assert process.poll() is None and time.monotonic() < deadline, self.said()
            time.sleep(0.01)
        told = re.search(r"a power cut takes at most (?:the newest )?(\d+)( s)?", self.said())
        assert told, self.said()
        assert bool(told[2]) == (self._durability == "always")
        self.bound = int(told[1])
        self.found += " wait on the flash" in self.said()

    def kill_one(self) -> None:
        """One run, and its end."""
        process = self.start()
        if self.random.random() < 0.1:
            time.sleep(self.random.uniform(0, 1))  # it may not be up
        else:
            self.wait_until_up(process)
            self._come_and_go()
            time.sleep(self.random.uniform(0, 2.5))
        process.kill()
        process.wait()

    def _come_and_go(self) -> None:
        """Stop or start a server, now and then; it takes its time beside the firmware."""
        if self._helper and self._helper.is_alive():
            return
        name = self.random.choice(["broker", "influx"])
        if self._up[name] and self.random.random() < 0.5:
            return
        server = self.broker if name == "broker" else self.influx
        self.outages += self._up[name]
        action = server.stop if self._up[name] else server.start
        self._up[name] = not self._up[name]
        self._helper = threading.Thread(target=action)
        self._helper.start()

    def all_up(self) -> None:
        """End every outage."""
        if self._helper:
            self._helper.join()
        for name, server in (("broker", self.broker), ("influx", self.influx)):
            if not self._up[name]:
                server.start()

    def runs(self) -> list[list[dict]]:
        """What was read, by run; the last line may be half written."""
        found: dict[str, list[dict]] = {}
        for line in self.truth.read_text().split("\n")[:-1]:
            reading = json.loads(line)
            found.setdefault(reading["id"].split("-")[0], []).append(reading)
        return list(found.values())

    def in_influx(self) -> dict:
        """{(source, time): {key: text}} of what InfluxDB holds."""
        found = {}
        for row in self.influx.rows("energy", 'SELECT * FROM "energy"'):
            fields = {key: value for key, value in row.items() if value is not None}
            del fields["device"]
            found[fields.pop("source"), int(fields.pop("time"))] = fields
        return found


def in_mqtt(recorder: Recorder) -> tuple[dict, int]:
    """{(source, time): ({key: text}, id)} of what has come, and how many came again."""
    found: dict = {}
    again = 0
    for topic, payload, retained in list(recorder.messages):
        if retained or topic.endswith("/status"):
            continue
        message = json.loads(payload, parse_float=str, parse_int=str)
        for reading in message.get("readings", [message]):
            when = calendar.timegm(time.strptime(reading.pop("time"), "%Y-%m-%dT%H:%M:%SZ"))
            key = topic.split("/")[1], when
            one = reading, reading.pop("id")
            again += key in found
            assert found.setdefault(key, one) == one, f"one time, two readings: {key}"
    return found, again


@pytest.mark.timeout(900 + 8 * KILLS)
@pytest.mark.parametrize("durability", ["always", "spill"])
def test_killed_at_random_moments(durability: str, tmp_path: Path) -> None:
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    tiers.require("aiomqtt", "host", "pip install aiomqtt")
    with Stage(tmp_path, durability) as stage, Recorder(stage.broker.port, "logger/#") as recorder:
        for _ in range(KILLS):
            stage.kill_one()
        stage.all_up()
        killed = len(stage.runs())  # before the last one starts, and reads
        process = stage.start()
        stage.wait_until_up(process)
        bound = stage.bound
        influx, mqtt = drained(stage, recorder, killed)
        process.send_signal(signal.SIGINT)
        assert process.wait(HANG_S) == 0, stage.said()
        influx = stage.in_influx()
        mqtt, again = in_mqtt(recorder)
        runs = stage.runs()
    truth = {(one["source"], one["time"]): one for readings in runs for one in readings}
    assert len(truth) == sum(map(len, runs)), "two readings have one time"
    for key, fields in influx.items():
        wanted = truth[key]["values"]  # KeyError: nobody read that
        assert fields.keys() == wanted.keys(), key
        for name, value in fields.items():
            told = wanted[name]
            if name.endswith("_time"):  # Unix seconds there
                told = str(calendar.timegm(time.strptime(told, "%Y-%m-%dT%H:%M:%SZ")))
            assert value == told or Decimal(value) == Decimal(told), (key, name)
    for key, (fields, name) in mqtt.items():
        assert fields == truth[key]["values"] and name == truth[key]["id"], key
    lost = {"influxdb": [0], "mqtt": [0]}
    for readings in runs[: killed if killed < len(runs) else -1]:
        for sink, held in (("influxdb", influx), ("mqtt", mqtt)):
            missing = [one for one in readings if (one["source"], one["time"]) not in held]
            if durability == "spill":
                lost[sink].append(len(missing))
            else:
                last = readings[-1]["ran_ms"]
                lost[sink] += [(last - one["ran_ms"]) // 1000 for one in missing]
    most = max(max(figures) for figures in lost.values())
    what = "s of running before the kill" if durability == "always" else "readings of a run"
    print(
        f"{durability}: {KILLS} kills, {stage.outages} outages, {len(truth)} readings, "
        f"{stage.found} starts with readings on the flash, {again} came again; "
        f"lost: InfluxDB {sum(x > 0 for x in lost['influxdb'])}, "
        f"MQTT {sum(x > 0 for x in lost['mqtt'])}, at most {most} {what}, bound {bound}"
    )
    assert most <= bound + (_ROUNDING_S if durability == "always" else 0)
    assert len(truth) > 5 * KILLS and stage.outages > KILLS // 12 and stage.found > KILLS // 3


def drained(stage: Stage, recorder: Recorder, killed: int) -> tuple[dict, dict]:
    """Wait until nothing of the killed runs is on its way any more."""
    deadline = time.monotonic() + HANG_S + KILLS
    before: tuple = ()
    quiet = 0
    while quiet < 6:
        assert time.monotonic() < deadline, stage.said()[-3000:]
        time.sleep(0.5)
        runs = stage.runs()
        old = {(one["source"], one["time"]) for readings in runs[:killed] for one in readings}
        new = {(one["source"], one["time"]) for readings in runs[killed:] for one in readings[:5]}
        influx, mqtt = stage.in_influx(), in_mqtt(recorder)[0]
        now = len(old & influx.keys()), len(old & mqtt.keys())
        begun = new and new <= influx.keys() and new <= mqtt.keys()
        quiet = quiet + 1 if now == before and begun else 0
        before = now
    return influx, mqtt
