"""What a reader `health` publishes while a server is away, against what the servers hold.

P1 and health to a real mosquitto and to InfluxDB 2's contract server, which stops for a while, is
busy, and refuses some readings. Time is compressed twenty times.
"""

import calendar
import json
import time

import pytest

from tests import waiting
from tests.integration.spool_rig import SLOTS, Stage, in_mqtt
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
        met: list[dict] = []

        def look() -> bool:
            met.extend([row for row in self.rows()[begun:] if condition(row)])
            return bool(met)

        waiting.until(look, lambda: str(self.rows()[-1:]), 0.2)  # looking takes the meter's time
        return met[0]

    def check(self, row: dict) -> None:
        """What a row says of the servers is what was so when it was made, whenever it comes.

        Its serial number tells how many readings there were, all of which are for both.
        """
        serial = serial_of(row["id"])
        for name in ("influxdb", "mqtt"):
            done = row[name + "_sent"] + row[name + "_set_aside"]
            assert done == serial - row[name + "_waiting"], name
            assert row[name + "_dropped"] == row[name + "_superseded"] == 0
        if not row["influxdb_waiting"]:
            assert "influxdb_oldest" not in row
            return
        boot = row["id"].split("-")[0]
        oldest = "%s-%x" % (boot, serial - row["influxdb_waiting"])
        self._recorder.wait_for(lambda: oldest in in_mqtt(self._recorder)[0])
        taken = in_mqtt(self._recorder)[0][oldest]
        # The meter's clock may be another: it waits for its reader.
        assert row["influxdb_oldest"] == max(0, seconds(row) - seconds(taken)), taken


def seconds(reading: dict) -> int:
    """UTC of a reading."""
    return calendar.timegm(time.strptime(reading["time"], "%Y-%m-%dT%H:%M:%SZ"))


@pytest.mark.parametrize("how", [[], ["--vm", "--heap", "200k"]], ids=["cpython", "vm"])
def test_an_outage_of_one_server(how, tmp_path) -> None:
    with Stage(tmp_path, how) as stage, InfluxDb2() as influx:
        stage.readers = [{"type": "health", "interval": 5}]
        sink = {"type": "influxdb", "url": influx.url, "interval": 0, "timeout": 120}
        sink |= {"org": influxdb_v2.ORG, "bucket": influxdb_v2.BUCKET, "token": influxdb_v2.TOKEN}
        stage.broker.start()
        with Recorder(stage.broker.port, "logger/#") as recorder:
            health = Health(recorder)
            firmware = stage.start([stage.mqtt | {"timeout": 120}, sink], console=False)

            def in_time(row: dict) -> bool:
                return row["influxdb_waiting"] <= SLOTS // 2 and row["mqtt_waiting"] <= SLOTS // 2

            well = health.until(lambda row: row["influxdb_sent"] > 3 and in_time(row))
            health.check(well)
            assert well["influxdb_retried"] == 0
            # Nothing is stored, unless the servers were found late.
            assert (well["flash_used"] > 0) == (well["flash_stored"] > 0)

            influx.stop()
            points = len(influx.points)

            def on_flash() -> int:
                return sum(path.stat().st_size for path in (tmp_path / "log/spool").iterdir())

            away = health.until(
                lambda row: (
                    row["influxdb_waiting"] >= OUTAGE
                    and row["influxdb_retried"] >= 2
                    and row["mqtt_waiting"] <= SLOTS // 2
                )
            )
            health.check(away)
            assert away["influxdb_sent"] <= points and away["influxdb_oldest"] > 0
            assert away["mqtt_retried"] == 0
            stored = away["flash_stored"] - well["flash_stored"]
            assert away["flash_used"] > 500 and stored >= OUTAGE - 2 * SLOTS
            assert 1 <= away["flash_life"] <= 100, "years"
            health.until(lambda row: row["flash_used"] == on_flash())

            influx.start()
            back = health.until(in_time)
            health.check(back)
            assert back["flash_errors"] == 0

            influx.script = ["422"] * 12

            def refused_and_on() -> bool:
                modes = [one.mode for one in list(influx.requests)]
                return modes.count("422") == 12 and modes[-1] == "ok"

            waiting.until(refused_and_on)
            mark = len(influx.points)  # by now it knows of the last refusal
            last = health.until(lambda row: in_time(row) and told(row) >= mark)
            health.check(last)
            points, messages = len(influx.points), len(in_mqtt(recorder)[0])
            firmware.close()
        refused = [
            json.loads(line)
            for line in (tmp_path / "log/refused.log").read_text().splitlines()
            if line.startswith("{")
        ]
        assert last["influxdb_set_aside"] == len(refused) == len({one["id"] for one in refused})
        # The server's 422 says that it has kept what was good: all of it, here.
        assert told(last) <= points and last["mqtt_sent"] <= messages
        rows = health.rows()
        for one, other in zip(rows, rows[1:]):
            for name in ("influxdb_sent", "influxdb_retried", "mqtt_sent", "flash_stored"):
                assert one[name] <= other[name], name


def told(row: dict) -> int:
    """Readings that InfluxDB has got, or has refused, as the row says."""
    return row["influxdb_sent"] + row["influxdb_set_aside"]
