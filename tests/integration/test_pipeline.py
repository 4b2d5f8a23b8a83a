"""The main job: 1,000 telegrams on a wire, 1,000 readings in each server, digit for digit.

The whole firmware runs in a process of its own, on CPython and on the MicroPython VM in the heap
of an ESP32, with a real mosquitto that is restarted twice, a real InfluxDB that is stopped for a
while, and EmonCMS's contract server that fails in every passing way. The meter runs 10 times as
fast as a real one (compressed time); the firmware's own clock is real.
"""

import calendar
import json
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from tests import tiers
from tests.servers.emoncms import WRITE_KEY, EmonCms
from tests.servers.real_influxdb import RealInfluxdb
from tests.servers.real_mosquitto import Mosquitto, Recorder
from tests.waiting import HANG_S, until
from tools import ROOT, run
from tools.host import deps
from tools.rig import vm
from tools.sim.p1 import Meter, Pty, Ticks, serve

COUNT = 1000
SPEED = 10

# OBIS code -> (field, factor): what the simulated DSMR 5 meter's numbers must become
FIELDS = {
    "1-0:1.8.1": ("energy_import_t1", 1),
    "1-0:1.8.2": ("energy_import_t2", 1),
    "1-0:2.8.1": ("energy_export_t1", 1),
    "1-0:2.8.2": ("energy_export_t2", 1),
    "1-0:1.7.0": ("power_import", 1000),
    "1-0:2.7.0": ("power_export", 1000),
    "1-0:32.7.0": ("voltage_l1", 1),
    "1-0:72.7.0": ("voltage_l3", 1),
    "1-0:31.7.0": ("current_l1", 1),
    "1-0:21.7.0": ("power_import_l1", 1000),
    "1-0:62.7.0": ("power_export_l3", 1000),
    "0-1:24.2.1": ("gas", 1),
    "0-0:96.7.21": ("power_failures", 1),
}
FAILURES = [
    "php_fatal",
    "ok",
    "500",
    "cut_before",
    "ok",
    "hang",
    "cut_after",
    "503",
    "ok",
    "truncated",
]


class Firmware:
    """The firmware as a process, with a simulated meter on a pty."""

    def __init__(self, runtime: str, folder: Path, sinks: list) -> None:
        self.sent: list[dict] = []
        self.pty = Pty()
        self.log = folder / "firmware.out"
        config = folder / "config.py"
        readers = [{"type": "dsmr", "name": "p1", "uart": self.pty.device, "time": "meter"}]
        log = {"directory": str(folder), "size_kb": 100}
        config.write_text(
            f"device = 'logger'\nreaders = {readers!r}\nsinks = {sinks!r}\nlog = {log!r}\n"
        )
        try:
            heap = "240k" if runtime == "vm" else None  # up to five servers from ROMFS
            line = run.command(config, [], runtime == "vm", "esp32", heap)
        except vm.Unavailable as error:
            tiers.missing("the MicroPython VM", "vm", str(error))
        self._output = open(self.log, "wb")
        self._process = subprocess.Popen(
            line, stdout=self._output, stderr=self._output, env=run.environment(False), cwd=ROOT
        )
        self._wait_for("connected, address")

    def _wait_for(self, text: str) -> None:
        deadline = time.monotonic() + HANG_S
        while text not in self.log.read_text():
            assert time.monotonic() < deadline and self._process.poll() is None, self.said()
            time.sleep(0.1)

    def said(self) -> str:
        return self.log.read_text()[-4000:]

    def play(self, count: int, speed: int = SPEED) -> threading.Thread:
        """Send telegrams from a thread, so many times as fast as a meter."""
        ticks = Ticks()
        meter = Meter("nl50", 7, ticks)
        arguments = (self.pty, meter, ticks, None, speed, count, self.sent.append)
        about = {"patient": True}  # or a firmware that gets no CPU for a while has lost some
        thread = threading.Thread(target=serve, args=arguments, kwargs=about, daemon=True)
        thread.start()
        return thread

    def stop(self) -> str:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(HANG_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError("the firmware does not stop: " + self.said())
        self._output.close()
        return self.said()


def expected(sent: list[dict]) -> dict[int, dict[str, Decimal]]:
    """{Unix time: {field: value}} of what was on the wire."""
    readings = {}
    for telegram in sent:
        assert telegram["sent"] == "whole"
        when = int(
            time.mktime(time.strptime(telegram["time"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
        )
        readings[when] = {
            FIELDS[code][0]: Decimal(text) * FIELDS[code][1]
            for code, text in telegram["obis"].items()
            if code in FIELDS
        }
    return readings


def check_influxdb(server: RealInfluxdb, wanted: dict) -> None:
    rows = server.rows("energy", 'SELECT * FROM "meters"')
    assert len(rows) == len(wanted)
    for row in rows:
        for field, value in wanted[int(row["time"])].items():
            assert Decimal(row[field]) == value, (row["time"], field)


def ids_in(recorder: Recorder) -> set[bytes]:
    """The ids of all readings that have come."""
    return {name for _, p, _ in recorder.messages for name in re.findall(rb'"id": ?"([^"]+)"', p)}


def check_mqtt(recorder: Recorder, wanted: dict) -> dict[str, int]:
    """Check all readings; return {id: how often it came} of those that came more than once."""
    ids: dict[str, int] = Counter()
    found: dict[int, dict] = {}
    for topic, payload, retained in recorder.messages:
        # What is retained is said again on subscribing.
        if retained or not topic.startswith("logger/p1/") or topic.endswith("/status"):
            continue
        message = json.loads(payload, parse_float=Decimal, parse_int=Decimal)
        for reading in message.get("readings", [message]):
            unix = calendar.timegm(time.strptime(reading["time"], "%Y-%m-%dT%H:%M:%SZ"))
            if unix in found:
                assert found[unix] == reading, "one time, two readings"
            found[unix] = reading
            ids[reading["id"]] += 1
    assert found.keys() == wanted.keys()
    assert len(ids) == len(wanted)
    for when, reading in found.items():
        for field, value in wanted[when].items():
            assert reading[field] == value, (when, field)
    return {name: count for name, count in ids.items() if count > 1}


def check_emoncms(server: EmonCms, wanted: dict) -> None:
    times = [row[1] for row in server.rows]
    firsts = list(dict.fromkeys(times))
    assert firsts == sorted(wanted), "each reading, in order of time"
    for node, when, inputs in server.rows:
        assert node == "p1"
        for field, value in wanted[when].items():
            assert Decimal(inputs[field]) == value, (when, field)


@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_thousand_telegrams(runtime: str, tmp_path: Path) -> None:
    if runtime == "vm" and deps.path() is None:
        tiers.missing("mqtt_as and micropython-lib", "deps", "make deps")
    broker = Mosquitto(tmp_path / "broker")
    broker.start()
    influx = RealInfluxdb(tmp_path / "influx").start()
    influx.create("energy")
    emoncms = EmonCms().start()
    emoncms.script = list(FAILURES)
    sinks = [
        {"type": "mqtt", "host": "127.0.0.1", "port": broker.port, "batch": 2048},
        {
            "type": "influxdb",
            "url": influx.url,
            "database": "energy",
            "measurement": "meters",
            "interval": 1,
        },
        {"type": "emoncms", "url": emoncms.url, "key": WRITE_KEY, "interval": 1, "timeout": 2},
    ]
    firmware = Firmware(runtime, tmp_path, sinks)
    try:
        with Recorder(broker.port, "logger/#") as recorder:
            thread = firmware.play(COUNT)
            for count, action in (
                (150, broker.restart),
                (300, influx.stop),
                (450, influx.start),  # 150 readings later: the ring has 64
                (600, lambda: broker.restart(2)),
            ):
                until(lambda count=count: len(firmware.sent) >= count, firmware.said)
                action()
            thread.join(HANG_S)
            assert len(firmware.sent) == COUNT and firmware.pty.lost == 0
            wanted = expected(firmware.sent)
            assert len(wanted) == COUNT

            def complete() -> bool:
                stored = influx.rows("energy", 'SELECT count("power_import") FROM "meters"')
                return (
                    bool(stored)
                    and int(stored[0]["count"]) >= COUNT
                    and len({row[1] for row in emoncms.rows}) >= COUNT
                    and len(ids_in(recorder)) >= COUNT
                )

            until(complete, firmware.said, 0.5)
            said = firmware.stop()
            check_influxdb(influx, wanted)
            check_emoncms(emoncms, wanted)
            twice = check_mqtt(recorder, wanted)
            assert all(count == 2 for count in twice.values())
            assert len(twice) <= 16, "at most what was on its way at each of two restarts"
            assert "set aside" not in said and "failed" not in said, said
            assert any((tmp_path / "spool").iterdir()), "the outage was longer than the ring"
            assert not emoncms.script, "every failure had its turn"
    finally:
        emoncms.stop()
        influx.stop()
        broker.stop()
