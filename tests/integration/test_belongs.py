"""A backlog belongs to where it was going: with real configs, one after the other, and influxd.

Both configs of a test name the same folder, as on a board; time is compressed twenty times.
"""

import re
from pathlib import Path

import pytest

from tests import waiting
from tests.integration.run_rig import Run
from tests.servers.real_influxdb import RealInfluxdb

SIM = {"name": "sim", "database": "sim"}
REAL = {"name": "real", "database": "energy"}
ESP32 = ["--vm", "--profile", "esp32"]


class House:
    """An InfluxDB that is away at first, and one config after the other in one folder."""

    def __init__(self, folder: Path, begin, how: list) -> None:
        self.server = RealInfluxdb(folder / "influxdb")
        self.folder = folder
        self._begin = begin
        self._how = how

    def __enter__(self) -> "House":
        return self

    def __exit__(self, *error) -> None:
        self.server.stop()

    def up(self) -> None:
        self.server.start()
        for database in ("sim", "energy"):
            self.server.create(database)

    def start(self, name: str, device: str = "house", **sink) -> Run:
        """A config with a meter of this name; sink: more keys, None takes one away."""
        entry = {"type": "influxdb", "url": self.server.url, "interval": 0} | sink
        entry = {"name": "influxdb"} | {k: v for k, v in entry.items() if v is not None}
        path = self.folder / f"{name}.py"
        path.write_text(
            f"device = {device!r}\n"
            f"readers = [{{'type': 'health', 'name': {name!r}, 'interval': 5}}]\n"
            f"sinks = [{entry!r}, {{'type': 'console'}}]\n"
            "queue = {'slots': 16}\n"
            f"log = {{'directory': {str(self.folder / 'log')!r}, 'size_kb': 50}}\n"
        )
        run = self._begin("--config", str(path), *self._how, SPEED="20")
        run.wait_for("connected, address")
        return run

    def read(self, count: int = 24, **about) -> int:
        """A run while the server is away; how many readings it leaves at least."""
        run = self.start(**about)
        run.wait_for(rf"Z {about['name']} ", count=count)
        assert run.interrupt() == 0, run.output
        assert "Traceback" not in run.output
        return count

    def sources(self, database: str) -> dict[str, int]:
        """Source -> how many of its readings a database has."""
        rows = self.server.rows(database, 'SELECT "uptime", "source" FROM "energy"')
        found: dict[str, int] = {}
        for row in rows:
            found[row["source"]] = found.get(row["source"], 0) + 1
        return found

    def wait_for(self, run: Run, database: str, source: str, count: int) -> None:
        """Until a database has so many readings of a source."""
        waiting.until(
            lambda: self.sources(database).get(source, 0) >= count,
            lambda: f"{self.sources(database)}\n{run.output}",
            0.2,
        )


@pytest.fixture(params=[[], ESP32], ids=["cpython", "esp32"])
def house(request, start, tmp_path):
    with House(tmp_path, start, request.param) as made:
        yield made


def told(run: Run) -> int:
    """How many readings the start says that wait for where the sink went before."""
    found = re.search(
        r'WARNING start: (\d+) readings wait for where the sink "influxdb" went before: .*'
        r'`take_over`: "influxdb"',
        run.output,
    )
    return int(found[1]) if found else 0


def test_a_simulator_s_readings_stay_out_of_the_real_database(house) -> None:
    """And arrive where they were going once that is put back, without the real ones."""
    count = house.read(**SIM)
    house.up()
    run = house.start(**REAL)
    left = told(run)
    assert left >= count, run.output
    assert "readings of earlier runs wait" not in run.output
    house.wait_for(run, "energy", "real", 5)
    assert run.interrupt() == 0
    assert set(house.sources("energy")) == {"real"}
    assert house.sources("sim") == {}
    back = house.start(**SIM)
    assert not told(back), back.output
    assert f"{left} readings of earlier runs wait on the flash" in back.output
    house.wait_for(back, "sim", "sim", left + 5)
    assert back.interrupt() == 0
    assert set(house.sources("sim")) == {"sim"}
    assert set(house.sources("energy")) == {"real"}


def test_a_mistyped_database(house) -> None:
    """What waits is taken over where the config says so."""
    count = house.read(name="real", database="enrgy")
    house.up()
    run = house.start(**REAL, take_over="influxdb")
    assert not told(run), run.output
    house.wait_for(run, "energy", "real", count + 5)
    assert run.interrupt() == 0
    again = house.start(**REAL)
    assert not told(again) and "readings of earlier runs wait" not in again.output, again.output


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://localhost:%d"},
        {"url": "http://127.0.0.1:%d/base"},
        {"retention_policy": "autogen"},
        {"device": "attic"},
        {"type": "emoncms", "key": "0123456789abcdef", "database": None},
    ],
    ids=["host", "path", "policy", "device", "type"],
)
def test_each_part_of_a_destination(start, tmp_path, change) -> None:
    with House(tmp_path, start, []) as house:
        count = house.read(**REAL)
        house.up()
        if "%d" in change.get("url", ""):
            change = {"url": change["url"] % house.server.port}
        run = house.start(**{"name": "other", "database": "energy"} | change)
        assert told(run) >= count, run.output
        run.wait_for("Z other ", count=5)
        assert run.interrupt() == 0
        assert "real" not in house.sources("energy")
        back = house.start(**REAL)
        house.wait_for(back, "energy", "real", count)


@pytest.mark.parametrize(
    "change",
    [
        {"user": "logger", "password": "secret"},
        {"interval": 1, "batch": 1024, "backfill": "live_first"},
        {"measurement": "energy", "tags": {"house": "1"}},
        {"url": "HTTP"},
    ],
    ids=["user", "interval", "tags", "writing"],
)
def test_what_is_no_part_of_it(start, tmp_path, change) -> None:
    with House(tmp_path, start, []) as house:
        count = house.read(**REAL)
        house.up()
        if "url" in change:
            change = {"url": house.server.url + "/"}
        run = house.start(**REAL, **change)
        assert not told(run), run.output
        house.wait_for(run, "energy", "real", count + 2)
