"""A day of readings on the flash goes out: quickly, exactly, and beside what is new.

JOULELOG_LONG=1 drains 8,640 readings (a day of a P1 meter), else 1,500. servers/drain.py says
what runs here, and what VM time is.
"""

import os
from pathlib import Path

import pytest

from tests import tiers
from tests.servers import drain
from tests.servers.drain import Drain
from tools.host import deps
from tools.rig import frozen

COUNT = 8640 if os.environ.get("JOULELOG_LONG") else 1500
RATE = 100  # readings per second of VM time
LATEST_S = 2

pytestmark = pytest.mark.timeout(900)  # the first one that is frozen builds a MicroPython


def started(folder: Path, kind: str, count: int, backfill: str, **how) -> Drain:
    """The drain, or the reason why it cannot be had here."""
    if deps.path() is None:
        tiers.missing("mqtt_as and micropython-lib", "deps", "make deps")
    if kind == "mqtt":
        tiers.require("mosquitto", "servers", "apt install mosquitto")
    if how.get("runtime") == "frozen":
        try:
            how["program"] = frozen.build(None, "esp32")
        except frozen.LeftOut as reason:
            tiers.missing("the frozen VM", "micropython", str(reason))
    return Drain(folder, kind, count, backfill, **how)


# Queue, spool and sink alone, from ROMFS; the others have them in the whole firmware.
ROMFS = "156k"  # P1 to a server, draining, from ROMFS: a board with PSRAM; an image needs 100
PARTS = pytest.param("parts", marks=pytest.mark.long)


@pytest.mark.parametrize("runtime", [PARTS, "vm", "frozen"])
@pytest.mark.parametrize("kind", ["influxdb", "mqtt"])
def test_new_readings_pass_the_backlog(runtime: str, kind: str, tmp_path: Path) -> None:
    heap = ROMFS if runtime == "vm" else None
    with started(tmp_path, kind, COUNT, "live_first", runtime=runtime, heap=heap) as found:
        found.run()
        found.check()
    assert found.rate >= RATE
    assert len(found.lateness_s) >= 3 and max(found.lateness_s) <= LATEST_S, found.lateness_s


@pytest.mark.parametrize("runtime", [PARTS, "frozen"])
@pytest.mark.parametrize("kind", drain.KINDS)
def test_in_order(kind: str, runtime: str, tmp_path: Path) -> None:
    backfill = "" if kind == "emoncms" else "in_order"  # it has no other way
    with started(tmp_path, kind, COUNT, backfill, runtime=runtime) as found:
        found.run()
        found.check()
        found.check_order()
    assert found.rate >= RATE


@pytest.mark.parametrize("kind", ["influxdb", "mqtt"])
def test_the_rate_of_a_backlog(kind: str, tmp_path: Path) -> None:
    with started(tmp_path, kind, 400, "live_first", entry={"rate": 100}) as found:
        found.run()
        found.check()
    assert 2.9 <= found.wall_s <= 8, found.wall_s  # the first 100 go at once
    assert max(found.lateness_s) <= LATEST_S, found.lateness_s


@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_broker_restarted_in_mid_drain(runtime: str, tmp_path: Path) -> None:
    entry = {"in_flight": 1, "rate": 400}
    how = {"runtime": runtime, "entry": entry, "heap": ROMFS if runtime == "vm" else None}
    with started(tmp_path, "mqtt", 1500, "in_order", **how) as found:
        broker = found.broker
        assert broker
        found.run(meanwhile=broker.restart)
        found.check()  # repeats have the id and the values of the first
        found.check_order()
        assert "lost" in found.said()
        repeated = len(found.found()) - len({name for _, _, name in found.found()})
    assert repeated <= 4, "more than one message"


# Smallest heaps as `make size ONLY=spool` finds them, and a little: more than the profile's 62k.
@pytest.mark.parametrize(("kind", "heap"), [("influxdb", "98k"), ("emoncms", "96k")])
def test_drain_of_an_esp8266(kind: str, heap: str, tmp_path: Path) -> None:
    entry = {"batch": 1024}
    how = {"profile": "esp8266", "heap": heap, "page": 256, "slots": 8, "entry": entry}
    with started(tmp_path, kind, 500, "", **how) as found:
        found.run()
        found.check()
        found.check_order()
    assert found.rate >= RATE


def test_spill_and_drain_of_an_esp8266(tmp_path: Path) -> None:
    how = {"profile": "esp8266", "heap": "102k", "page": 256, "slots": 8, "burst": 100}
    with started(tmp_path, "mqtt", 400, "live_first", **how) as found:
        found.run()
        found.check()
    assert found.rate >= RATE
    assert found.stored >= 80, "the ring has 8 slots, the outage lasted for 100 readings"
