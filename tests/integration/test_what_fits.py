"""What cannot fit is told at the start; what is let through lives, whatever its servers do.

The whole firmware on the VM from ROMFS, with a simulated P1 meter, a real mosquitto, a real
influxd and EmonCMS's contract server. Time is compressed twenty times. JOULELOG_LONG=1: 20 minutes
of it with an outage every two, in each heap; else six minutes in the smallest that is let through.
"""

import calendar
import os
import re
import time

import pytest

from tests import tiers
from tests.integration.run_rig import Run
from tests.integration.spool_rig import SPEED, Stage, check_values, in_mqtt
from tests.integration.test_pipeline import expected
from tests.servers.emoncms import WRITE_KEY, EmonCms
from tests.servers.real_influxdb import RealInfluxdb
from tests.servers.real_mosquitto import Recorder

LONG = os.environ.get("JOULELOG_LONG") == "1"
MINUTES = 20 if LONG else 6
REFUSED = "it does not fit"
HEAP = 140  # kB: what an ESP32 has
ROOMY = 256


@pytest.fixture
def stage(tmp_path):
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    with Stage(tmp_path, []) as found:
        with RealInfluxdb(tmp_path / "influx") as found.influx:
            found.influx.create("energy")
            with EmonCms() as found.emoncms:
                found.all = [
                    found.mqtt,
                    {"type": "influxdb", "url": found.influx.url, "database": "energy"},
                    {"type": "emoncms", "url": found.emoncms.url, "key": WRITE_KEY},
                ]
                yield found


def begin(stage: Stage, heap_kb: int, sinks: list, **queue):
    """A run from ROMFS in so much heap: (the run, whether it was let through)."""
    how = ["--vm", "--profile", "esp32", "--heap", f"{heap_kb}k"]
    firmware = stage.begin(how, sinks, console=False, **queue)
    firmware.wait_for(f"{REFUSED}|start: network")
    if REFUSED in firmware.output:
        assert firmware.status() == 2
        return firmware, False
    return firmware, True


def smallest(stage: Stage, sinks: list, **queue) -> int:
    """The smallest heap in kB that is let through."""
    low, high = 80, ROOMY
    while high - low > 1:
        middle = (low + high) // 2
        firmware, fits = begin(stage, middle, sinks, **queue)
        firmware.close()
        if fits:
            high = middle
        else:
            low = middle
    return high


def test_three_servers_are_refused_with_what_would_fit(stage):
    firmware, fits = begin(stage, HEAP, stage.all)
    assert not fits
    said = firmware.output
    print(said[said.index(REFUSED) :])
    assert re.search(r"it needs \d+ kB of memory from ROMFS, and \d+ kB are free", said)
    for part in ("p1 ", "mqtt ", "influxdb ", "emoncms ", "readings on the flash "):
        assert re.search(part + r"\d+", said), (part, said)
    assert "what would fit: " in said and '`queue = {"flash_kb": 0}`' in said
    assert re.search(r"in an image .* it needs \d+ kB instead of \d+", said)
    assert "Traceback" not in said.split("Error")[0] and "MemoryError" not in said


@pytest.mark.parametrize("heap, least", [(HEAP, 1), (HEAP + 28, 3)])
def test_what_the_refusal_advises_is_let_through(stage, heap, least):
    firmware, fits = begin(stage, heap, stage.all)
    advised = re.findall(r"(?:fit:|or) (.*?): \d+ kB less", firmware.output)
    assert not fits and len(advised) >= least, firmware.output
    for advice in advised:
        without = re.search("leave out (.*?)(?: and `|$)", advice)
        names = without[1].split(" and ") if without else []
        sinks = [sink for sink in stage.all if sink["type"] not in names]
        queue = {"flash_kb": 0} if "flash_kb" in advice else {}
        firmware, fits = begin(stage, heap, sinks, **queue)
        firmware.close()
        print(advice, names, queue)
        assert fits, (advice, firmware.output)


@pytest.mark.timeout(900)
def test_what_is_let_through_lives(stage):
    least = smallest(stage, stage.all)
    print(f"let through from {least} kB on")
    for heap in (least, least + 8, least + 24) if LONG else (least,):
        _lives(stage, heap)


def _lives(stage: Stage, heap: int) -> None:
    stage.broker.start()
    firmware, fits = begin(stage, heap, stage.all)
    assert fits, firmware.output
    with Recorder(stage.broker.port, "logger/#") as recorder:
        until = time.monotonic() + MINUTES * 60 / SPEED
        number = 0
        while time.monotonic() < until:
            _outage(stage, firmware, number)
            number += 1
            _minutes(firmware, 1)
        since = max(expected(stage.sent[-1:]))  # when the meter was read last, in Unix seconds
        # All three have what was read after the last outage.
        for _ in range(600):
            if all(_reached(stage, recorder, since)):
                break
            _minutes(firmware, 0.05)
        assert all(_reached(stage, recorder, since)), firmware.output[-4000:]
        found = in_mqtt(recorder)[0]
    check_values(stage, found)
    assert "restarting the board" not in firmware.output
    failed = re.findall(r"ERROR supervisor: .* failed.*", firmware.output)
    print(f"{heap} kB: {number} outages, {len(found)} readings, tasks that failed: {failed}")
    assert not re.findall("Traceback.*MemoryError", firmware.output.split("connected")[0], re.S)
    firmware.close()
    stage.broker.stop()


def _outage(stage: Stage, firmware: Run, number: int) -> None:
    """One minute without the broker, the database, EmonCMS, or any of them, in turn."""
    kinds = (("mqtt",), ("influxdb",), ("emoncms",), ("mqtt", "influxdb", "emoncms"))[number % 4]
    if "mqtt" in kinds:
        stage.broker.stop()
    if "influxdb" in kinds:
        stage.influx.stop()
    stage.emoncms.mode = "503" if "emoncms" in kinds else "ok"
    _minutes(firmware, 1)
    if "mqtt" in kinds:
        stage.broker.start()
    if "influxdb" in kinds:
        stage.influx.start()
    stage.emoncms.mode = "ok"


def _minutes(firmware: Run, count: float) -> None:
    firmware.listen(count * 60 / SPEED)


def _reached(stage: Stage, recorder: Recorder, since: int) -> list[bool]:
    """Whether MQTT, InfluxDB and EmonCMS have something newer."""
    times = [
        calendar.timegm(time.strptime(reading["time"], "%Y-%m-%dT%H:%M:%SZ"))
        for reading in in_mqtt(recorder)[0].values()
    ]
    rows = stage.influx.rows("energy", 'SELECT last("power_import") FROM "energy"')
    newest = max((int(row["time"]) for row in rows), default=0)
    emoncms = max((int(row[1]) for row in stage.emoncms.rows), default=0)
    return [max(times, default=0) > since, newest > since, emoncms > since]
