"""What the version before has left on the flash is delivered by this one: all of it, as it was.

See tests/fixtures/backlog/README.md.
"""

import json
import shutil
from pathlib import Path

import pytest
from civil import UNIX_2000

from joulelog import clock
from tests.integration.run_rig import Run
from tests.servers import emoncms, influxdb_v2
from tests.servers.emoncms import EmonCms
from tests.servers.influxdb_v2 import InfluxDb2
from tests.servers.real_mosquitto import Mosquitto, Recorder

FOLDER = Path(__file__).resolve().parents[1] / "fixtures/backlog"
ROMFS = ["--vm", "--profile", "esp32", "--heap", "1M"]  # three servers: a board with PSRAM
RUNTIMES = pytest.mark.parametrize("how", [[], ROMFS], ids=["cpython", "esp32"])
DEVICE = "old house"


class Backlog:
    """What was read, and whom it waits for."""

    def __init__(self) -> None:
        found = json.loads((FOLDER / "expected.json").read_text())
        self.places = found["places"]
        self.sources = found["sources"]
        self.readings = found["readings"]

    def waiting(self, sink: str, texts: bool = True):
        """Yield (id, time, source, {key: value as text}) of what a sink has not delivered yet."""
        for name, time, index, values in self.readings:
            if int(name[9:], 16) < self.places[sink]:
                continue
            source, channels = self.sources[index]
            shown = {
                channel[0]: value
                for channel, value in zip(channels, values, strict=True)
                if value is not None and (texts or channel[3] != "text")
            }
            if shown:  # one without a value has nothing to deliver
                yield name, time, source, shown


def expected_in_influxdb(backlog: Backlog) -> dict:
    """{(source, Unix time): {field: text}}."""
    return {
        (source, time + UNIX_2000): values
        for _, time, source, values in backlog.waiting("influxdb")
    }


def in_influxdb(server: InfluxDb2) -> dict:
    """The same of what has come from the old device."""
    found = {}
    for (measurement, tags, when), fields in server.points.items():
        about = dict(tags)
        if about["source"] != "now":
            assert (measurement, about["device"]) == ("energy", DEVICE)
            found[about["source"], when] = fields
    return found


def in_emoncms(server: EmonCms) -> list:
    """[(node, Unix time, {input: text})] in the order of their coming."""
    rows = [(node, when, inputs) for node, when, inputs in server.rows if node != "now"]
    return [(node, when, {k: str(v) for k, v in inputs.items()}) for node, when, inputs in rows]


def in_mqtt(recorder: Recorder) -> list:
    """[(id, time, source, {key: text})] in the order of their coming."""
    found = []
    for topic, payload, _ in list(recorder.messages):
        device, source, kind = (topic + "//").split("/")[:3]
        if source in ("status", "now"):
            continue
        assert (device, kind) == (DEVICE, "backlog")
        for reading in json.loads(payload, parse_float=str, parse_int=str)["readings"]:
            found.append((reading.pop("id"), reading.pop("time"), source, reading))
    return found


@RUNTIMES
def test_every_reading_arrives_as_it_was(how, tmp_path) -> None:
    """The same times, ids and values, from where each sink had come to, and none twice."""
    for name in ("spool", "state.a", "state.b"):
        copy = shutil.copytree if (FOLDER / name).is_dir() else shutil.copy
        copy(FOLDER / name, tmp_path / name)
    backlog = Backlog()
    wanted_influx = expected_in_influxdb(backlog)
    wanted_emoncms = [
        (source, time + UNIX_2000, values)
        for _, time, source, values in backlog.waiting("emoncms", texts=False)
    ]
    wanted_mqtt = [
        (name, clock.iso(time), source, values)
        for name, time, source, values in backlog.waiting("mqtt")
    ]
    broker = Mosquitto(tmp_path / "broker")
    broker.start()
    firmware = None
    try:
        with InfluxDb2() as influx, EmonCms() as cms, Recorder(broker.port) as recorder:
            sinks = [
                {
                    "type": "influxdb",
                    "url": influx.url,
                    "org": influxdb_v2.ORG,
                    "bucket": influxdb_v2.BUCKET,
                    "token": influxdb_v2.TOKEN,
                    "interval": 1,
                    "backfill": "live_first",
                },
                {"type": "emoncms", "url": cms.url, "key": emoncms.WRITE_KEY, "interval": 1},
                # What health read of ten parts is larger than the default.
                {"type": "mqtt", "host": "127.0.0.1", "port": broker.port, "batch": 4096},
            ]
            path = tmp_path / "my_config.py"
            path.write_text(
                f"device = {DEVICE!r}\n"
                "readers = [{'type': 'health', 'name': 'now', 'interval': 5}]\n"
                f"sinks = {sinks!r}\n"
                "queue = {'slots': 16, 'flash_kb': 40}\n"
                f"log = {{'directory': {str(tmp_path)!r}, 'size_kb': 50}}\n"
            )
            firmware = Run("--config", str(path), *how)
            firmware.wait_for(r"\d+ readings of earlier runs wait on the flash")
            firmware.wait_for("connected, address")
            recorder.wait_for(
                lambda: (
                    len(in_mqtt(recorder)) >= len(wanted_mqtt)
                    and len(in_influxdb(influx)) >= len(wanted_influx)
                    and len(in_emoncms(cms)) >= len(wanted_emoncms)
                ),
                120,
            )
            assert firmware.interrupt() == 0, firmware.output
            assert in_influxdb(influx) == wanted_influx
            assert in_emoncms(cms) == wanted_emoncms
            assert in_mqtt(recorder) == wanted_mqtt
    finally:
        if firmware is not None:
            firmware.close()
        broker.stop()
