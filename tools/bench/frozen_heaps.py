"""Heap of the firmware as images have it, frozen with code objects in flash: for size.py.

    with Heaps(folder, program, "esp8266", broker_port) as heaps:
        for target in TARGETS["esp8266"]:
            heaps.measure(target, heap_bytes)        # Run: used, free, largest block, delivered

A target is a meter, its servers, and whether readings may wait on the flash, or a day of them
leaves it: then what is in use is the most meanwhile. Meters are simulated;
mosquitto is the real one, InfluxDB and EmonCMS are contract servers. Everything else is as on a
board: Wi-Fi, a log on littlefs, the board's own buffers and slots. What only a computer has in its
heap is taken off the figures.
"""

import re
import time
from pathlib import Path
from typing import NamedTuple

from tests.servers.emoncms import WRITE_KEY, EmonCms
from tests.servers.influxdb_v2 import BUCKET, ORG, TOKEN, InfluxDb2
from tools.rig import frozen
from tools.sim import p1, pzem

_SPEED = 10  # the clock of the firmware; the meter's line is as much faster
_READINGS = "70"
_BLOCK = 16
_BACKLOG = 8640  # readings: a day's
_DRAINED = "2000"


class Target(NamedTuple):
    """What one board does."""

    meter: str  # "P1" or "PZEM"
    sinks: tuple[str, ...]
    spool: bool = True
    drains: bool = False

    @property
    def name(self) -> str:
        """As it is called in budgets."""
        how = ", draining" if self.drains else "" if self.spool else ", no spool"
        return f"{self.meter} -> {', '.join(self.sinks)}{how}"

    @property
    def covered(self) -> bool:
        """Whether others have all of it: the P1 meter's servers, and this meter with MQTT."""
        return self.meter == "PZEM" and self.sinks != ("mqtt",)


_SERVERS = ("mqtt", "emoncms", "influxdb")
_THREE = ("mqtt", "influxdb", "emoncms")
TARGETS = {
    "esp8266": (
        Target("P1", ("console",), False),
        Target("P1", ("mqtt",), False),
        *(Target(meter, (sink,)) for meter in ("P1", "PZEM") for sink in _SERVERS),
    ),
    "esp32": (Target("P1", ("mqtt",)), Target("P1", _THREE), Target("P1", _THREE, drains=True)),
}


class Run(NamedTuple):
    """One run: bytes in use, free, in the largest free block; whether all was delivered."""

    used: int
    free: int
    largest: int
    delivered: bool
    text: str


class Heaps:
    """Servers and meters; see the module's text."""

    def __init__(self, folder: Path, program: Path, chip: str, broker_port: int) -> None:
        self._folder = folder / chip
        self._folder.mkdir(exist_ok=True)
        self._program = program
        self._port = broker_port
        self._emoncms = EmonCms()
        self._influxdb = InfluxDb2()
        self._shims = frozen.shims(program, p1.start("nl50", _SPEED))

    def __enter__(self) -> "Heaps":
        self._emoncms.__enter__()
        self._influxdb.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._emoncms.__exit__(*error)
        self._influxdb.__exit__(*error)

    def measure(self, target: Target, heap_bytes: int, script: str = "size_run.py") -> Run:
        """Run a target in so much heap (as a chip has it) until its ring is full."""
        text = self.run(target, heap_bytes, script)
        found = re.findall(r"^MEM (running|draining) (\d+) (\d+)", text, re.M)
        if not found or target.drains != (found[0][0] == "draining"):
            return Run(0, 0, 0, False, text)
        largest = int(re.findall(r"max free sz: (\d+)", text)[-1]) * _BLOCK
        used = int(found[0][1]) - self._shims
        return Run(used, int(found[-1][2]), largest, delivered(text), text)

    def run(self, target: Target, heap_bytes: int, script: str, readings: str = "") -> str:
        """Run a target with a script of tools/bench/vm; return what it printed."""
        wanted = readings or (_DRAINED if target.drains else _READINGS)
        arguments = [str(self._config(target)), self._meter(target), wanted]
        spool = self._backlog(target) if target.drains else None
        return frozen.run(self._program, script, arguments, heap_bytes + self._shims, spool=spool)

    def _backlog(self, target: Target) -> Path:
        """A day of readings that its servers have not got."""
        from tests.servers import drain

        folder = self._folder / "backlog"
        if not folder.exists():
            drain.write_backlog(folder, _BACKLOG, int(time.time()) - 60, target.sinks)
        return folder

    def _meter(self, target: Target) -> str:
        """The device of a meter of this run's own: it ends with this program."""
        if target.meter == "P1":
            return p1.start("nl50", _SPEED)
        return pzem.start(self._reader(target), _SPEED)

    def _readers(self, target: Target) -> list[dict]:
        return [self._reader(target)]

    def _reader(self, target: Target) -> dict:
        if target.meter == "P1":
            return {"type": "dsmr", "uart": "sim"}
        return {"type": "pzem", "uart": "sim", "interval": 1}

    def _sink(self, kind: str) -> dict:
        if kind == "console":
            return {"type": kind, "style": "lines"}
        if kind == "mqtt":
            return {"type": kind, "host": "127.0.0.1", "port": self._port}
        if kind == "emoncms":
            return {"type": kind, "url": self._emoncms.url, "key": WRITE_KEY}
        about = {"org": ORG, "bucket": BUCKET, "token": TOKEN}
        return {"type": kind, "url": self._influxdb.url, **about}

    def _config(self, target: Target) -> Path:
        path = self._folder / (re.sub(r"\W+", "_", target.name) + ".py")
        settings = {
            "SPEED": _SPEED,
            "device": "size",
            "wifi": {"ssid": "home", "password": "its password"},
            "log": {},
            "queue": {"flash_kb": 200 if target.drains else 100 if target.spool else 0},
            "readers": self._readers(target),
            "sinks": [self._sink(kind) for kind in target.sinks],
        }
        path.write_text("".join(f"{key} = {value!r}\n" for key, value in settings.items()))
        return path


def delivered(text: str) -> bool:
    """Whether a script came to its end with readings delivered and no task restarted."""
    found = re.search(r"^DONE (\d+) (\d+)(?: (\d+))?", text, re.M)
    return bool(found) and int(found[2]) > 0 and not int(found[3] or 0) and "Traceback" not in text
