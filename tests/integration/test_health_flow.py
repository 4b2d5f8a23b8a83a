"""What a reader `health` publishes while a server is away, against what the servers hold.

P1 and health to a real mosquitto and to InfluxDB 2's contract server, which stops for a while, is
busy, and refuses some readings. Time is compressed twenty times.
"""

import json
import time

import pytest
from spool_rig import SLOTS, SPEED, Stage, in_mqtt

from tests.servers import influxdb_v2
from tests.servers.influxdb_v2 import InfluxDb2
from tests.servers.real_mosquitto import Recorder

OUTAGE = 100  # readings of the meter: the ring has 16


def serial_of(name: str) -> int:
    """Of an id."""
    return int(name.split("-")[1], 16)


class Health:
    """The rows as they come over MQTT."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def rows(self) -> list[dict]:
        """All so far, in order of their ids: a backlog comes later."""
        found = in_mqtt(self._recorder)[0]
        rows = [found[name] for name in sorted(found, key=serial_of) if "uptime" in found[name]]
        return [{k: int(v) if v.isdigit() else v for k, v in row.items() if v} for row in rows]

    def until(self, condition) -> dict:
        """The first row from now on that meets the condition."""
        begun = len(self.rows())

        def met() -> list[dict]:
            return [row for row in self.rows()[begun:] if condition(row)]

        try:
            self._recorder.wait_for(met)
        except AssertionError:
            raise AssertionError(self.rows()[-1])
        return met()[0]


@pytest.mark.parametrize("how", [[], ["--vm", "--heap", "200k"]], ids=["cpython", "vm"])
def test_an_outage_of_one_server(how, tmp_path) -> None:
    with Stage(tmp_path, how) as stage, InfluxDb2() as influx:
        stage.readers = [{"type": "health", "interval": 5}]
        sink = {"type": "influxdb", "url": influx.url, "interval": 0, "timeout": 60}
        sink |= {"org": influxdb_v2.ORG, "bucket": influxdb_v2.BUCKET, "token": influxdb_v2.TOKEN}
        stage.broker.start()
        with Recorder(stage.broker.port, "logger/#") as recorder:
            health = Health(recorder)
            firmware = stage.start([stage.mqtt, sink], console=False)
            well = health.until(lambda row: row["influxdb_sent"] > 3)
            assert well["influxdb_waiting"] <= 8 and well["flash_used"] == 0
            assert well["flash_stored"] == well["influxdb_retried"] == 0

            influx.stop()
            begun, sent = time.monotonic(), len(influx.points)
            away = health.until(lambda row: row["influxdb_waiting"] >= OUTAGE)
            passed_s = (time.monotonic() - begun) * SPEED
            assert abs(away["influxdb_oldest"] - passed_s) < passed_s / 3, "seconds"
            assert away["influxdb_sent"] - sent in (0, 1, 2), "what was on its way may count"
            assert away["influxdb_retried"] >= 2
            assert away["mqtt_waiting"] <= 8 and away["mqtt_retried"] == 0
            assert away.get("mqtt_oldest", 0) < 60
            assert away["flash_used"] > 500 and away["flash_stored"] >= OUTAGE - 2 * SLOTS
            assert 1 <= away["flash_life"] <= 100, "years"
            stored = sum(path.stat().st_size for path in (tmp_path / "log/spool").iterdir())
            assert away["flash_used"] <= stored < away["flash_used"] + 2000

            influx.start()
            back = health.until(lambda row: row["influxdb_waiting"] <= 8)
            assert back.get("influxdb_oldest", 0) < 60
            assert back["flash_errors"] == 0

            influx.script = ["422"] * 12
            health.until(lambda row: row["influxdb_set_aside"] and not influx.script)
            last = health.until(lambda row: row["influxdb_waiting"] <= 8)
            points, messages = len(influx.points), len(in_mqtt(recorder)[0])
            firmware.close()
        refused = [
            json.loads(line)
            for line in (tmp_path / "log/refused.log").read_text().splitlines()
            if line.startswith("{")
        ]
        assert last["influxdb_set_aside"] == len(refused) == len({one["id"] for one in refused})
        # The server's 422 says that it has kept what was good: all of it, here.
        told = last["influxdb_sent"] + last["influxdb_set_aside"]
        assert 0 <= points - told <= 12, "what came since that row was made"
        assert 0 <= messages - last["mqtt_sent"] <= 12
        for name in ("influxdb", "mqtt"):
            assert last[name + "_dropped"] == last[name + "_superseded"] == 0
        rows = health.rows()
        for one, other in zip(rows, rows[1:]):
            for name in ("influxdb_sent", "influxdb_retried", "mqtt_sent", "flash_stored"):
                assert one[name] <= other[name], name
