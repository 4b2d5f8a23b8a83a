"""What waits on the flash, over restarts that a person makes: Ctrl-C, and other configs.

A simulated P1 meter goes on while the firmware does not run; time is compressed twenty times.
"""

import os
import re
import signal
import subprocess
import sys

import pytest

from tests import with_unit_tests
from tests.integration.run_rig import Run
from tests.integration.spool_rig import (
    READ,
    SLOTS,
    Stage,
    boot_of,
    check_values,
    in_mqtt,
    read_by,
    serials,
)
from tests.servers import influxdb_v2
from tests.servers.influxdb_v2 import InfluxDb2
from tests.servers.real_mosquitto import Recorder
from tools import ROOT

LONG = bool(os.environ.get("JOULELOG_LONG"))
CPYTHON: list = []
ESP32 = ["--vm", "--profile", "esp32"]
RUNTIMES = pytest.mark.parametrize("how", [CPYTHON, ESP32], ids=["cpython", "esp32"])


def ctrl_c(firmware: Run) -> None:
    """As a terminal does."""
    os.killpg(firmware._process.pid, signal.SIGINT)


def sigterm(firmware: Run) -> None:
    """To tools/run.py, as `kill` does."""
    os.kill(firmware._process.pid, signal.SIGTERM)


def sigterm_to_all(firmware: Run) -> None:
    """To tools/run.py and the firmware, as systemd does."""
    os.killpg(firmware._process.pid, signal.SIGTERM)


@pytest.mark.parametrize(
    ("how", "end"),
    [(CPYTHON, ctrl_c), (CPYTHON, sigterm_to_all), (ESP32, ctrl_c), (ESP32, sigterm)],
    ids=["cpython-ctrl_c", "cpython-sigterm", "esp32-ctrl_c", "esp32-sigterm"],
)
def test_a_server_that_was_away_from_the_beginning(how, end, tmp_path) -> None:
    """Whoever ends the firmware, what was read before arrives after the next start."""
    with Stage(tmp_path, how) as stage:
        first = stage.start()
        first.wait_for(READ, count=3 * SLOTS)
        end(first)
        assert first.status() == 0, first.output
        stage.broker.start()
        with Recorder(stage.broker.port, "logger/#") as recorder:
            second = stage.start()
            told = re.search(r"(\d+) readings of earlier runs wait on the flash", second.output)
            assert told, second.output
            second.wait_for(READ, count=5)
            recorder.wait_for(
                lambda: (
                    len(serials(in_mqtt(recorder)[0], boot_of(second))) > 5
                    and len(serials(in_mqtt(recorder)[0], boot_of(first))) >= int(told[1])
                )
            )
            assert second.interrupt() == 0
        found = in_mqtt(recorder)[0]
        old, new = (serials(found, boot_of(one)) for one in (first, second))
        assert old == list(range(int(told[1])))
        assert read_by(first) <= len(old) <= read_by(first) + 2
        assert new == list(range(old[-1] + 1, old[-1] + 1 + len(new)))
        check_values(stage, found)
        assert "Traceback" not in first.output + second.output


@pytest.mark.timeout(1800 if LONG else 900)
def test_ctrl_c_in_any_line() -> None:
    """JOULELOG_LONG=1: in each line that runs."""
    line = [sys.executable, "-m", "tests.integration.ctrl_c_story", "10000" if LONG else "80"]
    done = subprocess.run(
        line, env=with_unit_tests(), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    interrupted, running = map(int, re.findall(r"\d+", done.stdout))
    assert running > 400
    assert interrupted == (running if LONG else 80)


@RUNTIMES
def test_a_folder_that_cannot_be_written(how, tmp_path) -> None:
    """It is said once and clearly, and readings are delivered from RAM."""
    place = tmp_path / "spool"
    place.write_text("a file")
    with Stage(tmp_path, how) as stage:
        firmware = stage.start(directory=str(place))
        assert "ERROR spool: " + str(place) in firmware.output
        assert "`queue.directory` has to be a folder that can be written" in firmware.output
        assert "what it holds is lost at a power cut" in firmware.output
        firmware.wait_for(READ, count=2 * SLOTS)
        stage.fall_silent()  # 20 readings a second push the ring's out before they are sent
        stage.broker.start()
        with Recorder(stage.broker.port, "logger/#") as recorder:
            recorder.wait_for(lambda: len(in_mqtt(recorder)[0]) >= SLOTS)
            found = serials(in_mqtt(recorder)[0], boot_of(firmware))
            stage.go_on()
            recorder.wait_for(lambda: len(in_mqtt(recorder)[0]) > len(found) + 5)
            assert firmware.interrupt() == 0
        assert found == list(range(found[0], found[0] + SLOTS)), "as many as the ring holds"
        assert SLOTS <= found[0]
        check_values(stage, in_mqtt(recorder)[0])
        assert firmware.output.count("ERROR spool") == 1, firmware.output
        assert place.read_text() == "a file"


def a_run(stage: Stage, *about, count: int = 20, **queue) -> Run:
    """A run that reads a while, and ends by Ctrl-C."""
    firmware = stage.start(*about, **queue)
    firmware.wait_for(r"\d\d:\d\d:\d\dZ \w+ energy_import", count=count)
    assert firmware.interrupt() == 0
    assert "Traceback" not in firmware.output and "failed" not in firmware.output
    return firmware


def test_other_configs(tmp_path) -> None:
    """Sinks come and go and change, a reader has another name: what is still wanted arrives."""
    with Stage(tmp_path, CPYTHON) as stage, InfluxDb2() as influx:
        dead = {"type": "influxdb", "name": "dead", "url": "http://127.0.0.1:9", "database": "x"}
        first = {**stage.mqtt, "name": "first"}
        second = {**stage.mqtt, "name": "second", "topic": "other"}
        a_run(stage, [first, dead])
        gone = a_run(stage, [first])  # a sink is removed
        assert re.search(
            r'WARNING start: \d\d readings wait for where the sink "dead" went', gone.output
        )
        a_run(stage, [first, second], "house")  # one is added, and the meter has another name
        a_run(stage, [second, first], "house", durability="always", sync_seconds=5)
        a_run(stage, [first, {**second, "sources": ["house"]}], "house", flash_kb=8)
        # Another type of server by the same name that takes over what waits.
        server = {"type": "influxdb", "url": influx.url, "interval": 0, "name": "first"}
        server |= {"take_over": "first"}
        server |= {"org": influxdb_v2.ORG, "bucket": influxdb_v2.BUCKET}
        server |= {"token": influxdb_v2.TOKEN}
        stage.broker.start()
        with Recorder(stage.broker.port, "other/#") as recorder:
            last = stage.start([server, second], "house")
            waiting = int(re.findall(r"(\d+) readings of earlier runs wait", last.output)[0])
            recorder.wait_for(lambda: len(serials(in_mqtt(recorder)[0], boot_of(last))) > 3)
            stage.fall_silent()
            # The server that took over the name gets all that was read since the first start.
            recorder.wait_for(
                lambda: (
                    len(influx.points)
                    > max(waiting + 3, serials(in_mqtt(recorder)[0], boot_of(last))[-1] - 2)
                )
            )
            assert last.interrupt() == 0
        boots = [boot_of(firmware) for firmware in stage.runs]
        found = in_mqtt(recorder)[0]
        assert not serials(found, boots[0]) and not serials(found, boots[1])
        numbers = [number for boot in boots[2:] for number in serials(found, boot)]
        assert numbers == list(range(numbers[0], numbers[-1] + 1)), "from its first start on"
        check_values(stage, found)
        points = {(dict(tags)["source"], when) for _, tags, when in influx.points}
        assert len(points) == len(influx.points) >= numbers[-1] + 1 - 2
        assert {source for source, _ in points} == {"p1", "house"}
        assert waiting >= numbers[0] + 60


def test_a_sink_by_another_name(tmp_path) -> None:
    """It is another sink: what waits for the old one waits on, and that is said."""
    with Stage(tmp_path, CPYTHON) as stage:
        a_run(stage, [{**stage.mqtt, "name": "old"}])
        stage.broker.start()
        with Recorder(stage.broker.port, "logger/#") as recorder:
            second = stage.start([{**stage.mqtt, "name": "new"}])
            recorder.wait_for(lambda: len(in_mqtt(recorder)[0]) > 5)
            assert second.interrupt() == 0
            told = re.search(r'(\d+) readings wait for where the sink "old" went', second.output)
            assert told and int(told[1]) >= 20, second.output
            found = serials(in_mqtt(recorder)[0], boot_of(second))
            assert found == list(range(int(told[1]), int(told[1]) + len(found)))
            assert not serials(in_mqtt(recorder)[0], boot_of(stage.runs[0]))
            third = stage.start([{**stage.mqtt, "name": "new", "take_over": "old"}])
            assert "went before" not in third.output
            recorder.wait_for(
                lambda: len(serials(in_mqtt(recorder)[0], boot_of(stage.runs[0]))) >= int(told[1])
            )
            assert third.interrupt() == 0
        found = serials(in_mqtt(recorder)[0], boot_of(stage.runs[0]))
        assert found == list(range(int(told[1])))


def test_no_flash_any_more(tmp_path) -> None:
    """With flash_kb 0 nobody looks for what an earlier run has left: that is said."""
    with Stage(tmp_path, CPYTHON) as stage:
        a_run(stage)
        without = a_run(stage, count=3, flash_kb=0)
        assert "readings of earlier runs stay in" in without.output, without.output
        stage.broker.start()
        with Recorder(stage.broker.port, "logger/#") as recorder:
            last = stage.start()
            recorder.wait_for(lambda: len(serials(in_mqtt(recorder)[0], boot_of(last))) > 3)
            recorder.wait_for(
                lambda: len(serials(in_mqtt(recorder)[0], boot_of(stage.runs[0]))) >= 20
            )
            assert last.interrupt() == 0
