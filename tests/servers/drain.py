"""A backlog on the flash, drained by the real firmware: for tools/bench/size.py and the tests.

    with Drain(folder, "influxdb", 8640, "live_first") as drain:
        drain.run()
        drain.rate, drain.lateness_s          # readings per second of CPU time, of each live one

A P1 meter's readings of 30 channels, one each 10 seconds as tools/sim/day.py makes them, are
written into a log as the firmware would have. Then it drains into one sink's server: a real
InfluxDB or mosquitto, or EmonCMS's contract server, while a new reading comes each second.

runtime "parts" is the VM in 100 kB of heap with the image of an ESP32: queue, spool and sink as
they are, without the check of the config and the decoding of telegrams. "vm" and "cpython" are the
whole firmware, with a simulated meter, on the VM in the heap of an ESP32. "frozen" is the whole
firmware again, in 100 kB, with what an ESP32's image has frozen in (tools/rig/frozen.py), on
littlefs.

VM time is the CPU time of its process (user and system), from the start report until the last old
reading has arrived: whatever it does for the new ones meanwhile is in it.
"""

import calendar
import json
import os
import signal
import subprocess
import threading
import time
from decimal import Decimal
from pathlib import Path

from civil import UNIX_2000
from exact import DECIMALS, KEY, text
from ringlog.ringlog import Log

from joulelog import registry
from joulelog.backlog.files import Files
from joulelog.config import schema
from joulelog.flow.reading import Source
from tests.servers.emoncms import WRITE_KEY, EmonCms
from tests.servers.real_influxdb import RealInfluxdb
from tests.servers.real_mosquitto import Mosquitto, Recorder
from tests.waiting import HANG_S
from tools import ROOT, run
from tools.rig import frozen, run_vm
from tools.sim.day import INTERVAL_S, P1, Day
from tools.sim.p1 import Meter, Pty, Ticks, serve

KINDS = ("influxdb", "emoncms", "mqtt")
HEAP = "100k"
_PARTS = ROOT / "tests/vm/scripts/drain_parts.py"
_CAPACITY = 600  # kB: what an ESP32 has
_BOOT = 0x2B0BAD5
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")

Readings = dict[int, dict[str, str]]  # Unix time -> {key: value as text}


def write_backlog(
    folder: Path, count: int, end: int, sinks: tuple[str, ...], page: int = 640
) -> tuple[Readings, tuple, tuple]:
    """Write a log of so many readings, the last at this Unix time, that these sinks have not got.

    Returns the readings, the channels, and the last values.
    """
    day = Day(1, end - count * INTERVAL_S)
    source = Source("p1", day.channels)
    capacity = _CAPACITY * 1000
    log = Log(Files(str(folder)), capacity, min(65536, capacity // 8), page, Source)
    for _ in log.open():
        pass
    for sink in sinks:
        log.state[sink] = 0
    readings: Readings = {}
    values: tuple = ()
    taken = (entry for entry in day.readings(count) if entry[1] == P1)
    for serial, (when, _, values) in enumerate(taken):
        if not log.append(serial, _BOOT, when - UNIX_2000, source, values):
            log.flush(True)
            log.append(serial, _BOOT, when - UNIX_2000, source, values)
        readings[when] = {
            channel[KEY]: value if isinstance(value, str) else text(value, channel[DECIMALS])
            for channel, value in zip(day.channels, values, strict=True)
        }
    log.flush(True)
    return readings, day.channels, values


class Drain:
    """Servers, a meter and the firmware; see the module's text."""

    def __init__(
        self,
        folder: Path,
        kind: str,
        count: int,
        backfill: str,
        runtime: str = "parts",
        profile: str = "esp32",
        heap: str | None = None,
        entry: dict | None = None,
        page: int = 640,
        slots: int = 64,
        burst: int = 0,
        program: Path | None = None,
    ) -> None:
        self.old: Readings = {}
        self.live: list[tuple[int, float]] = []  # Unix time of a telegram, when it was sent
        self.lateness_s: list[float] = []
        self.rate = 0.0
        self.cpu_s = 0.0
        self.wall_s = 0.0
        self.kind = kind
        self._folder = folder
        self._count = count
        self._backfill = backfill
        self._runtime = runtime
        self._program = program  # of "frozen": what frozen.build() returns
        self._how = (runtime == "vm", profile, heap)
        self._values: list = []  # of a new reading of "parts", before its number is added
        self._channels: tuple = ()
        self._entry = entry or {}
        self._page = page
        self._slots = slots
        self._burst = burst  # new readings of "parts" that come while mosquitto is away
        self.stored = 0  # of them, as the spool says
        self._recorder: Recorder | None = None
        self._process: subprocess.Popen | None = None
        self._stop = threading.Event()
        self._arrived: dict[int, float] = {}  # Unix time -> when it was seen first
        self.broker: Mosquitto | None = None
        self.influx: RealInfluxdb | None = None
        self.emoncms: EmonCms | None = None

    def __enter__(self) -> "Drain":
        self._folder.mkdir(parents=True, exist_ok=True)
        if self.kind == "mqtt":
            self.broker = Mosquitto(self._folder / "broker")
            self.broker.start()
            self._recorder = _Recorder(self.broker.port, self._arrived)
            self._recorder.__enter__()
        elif self.kind == "influxdb":
            self.influx = RealInfluxdb(self._folder / "influx").start()
            self.influx.create("energy")
        else:
            self.emoncms = EmonCms().start()
        return self

    def __exit__(self, *error) -> None:
        self._stop.set()
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._recorder:
            self._recorder.__exit__(*error)
        for server in (self.broker, self.influx, self.emoncms):
            if server:
                server.stop()

    def run(self, timeout_s: float = HANG_S, meanwhile=None) -> None:
        """Drain all; meanwhile() is called when a fifth has arrived. AssertionError if not."""
        now = int(time.time())
        spool = self._folder / "spool"
        found = write_backlog(spool, self._count, now - 60 - self._burst, (self.kind,), self._page)
        self.old, self._channels, self._values = found[0], found[1], list(found[2])
        if self._burst and self.broker:
            self.broker.stop()
        self._start()
        if self._burst and self.broker:
            while len(self.live) <= self._burst:
                assert self._process and self._process.poll() is None, self.said()
                time.sleep(0.05)
            self.broker.start()
        begin_s = self._cpu_s()
        began = time.monotonic()
        watch = threading.Thread(target=self._watch, daemon=True)
        watch.start()
        deadline = time.monotonic() + timeout_s
        while self.arrived() < self._count:
            assert self._process and self._process.poll() is None, self.said()
            assert time.monotonic() < deadline, f"{self.arrived()} arrived; {self.said()}"
            assert " failed" not in self.said(), self.said()
            assert "not enough memory" not in self.said(), self.said()
            if meanwhile and self.arrived() > self._count // 5:
                meanwhile()
                meanwhile = None
            time.sleep(0.05)
        self.cpu_s = self._cpu_s() - begin_s
        self.wall_s = time.monotonic() - began
        self.rate = self._count / self.cpu_s
        time.sleep(3)
        self._await_live()
        self._stop.set()
        watch.join(5)
        self.finish()
        for when, sent in self.live:
            if when in self._arrived:
                self.lateness_s.append(self._arrived[when] - sent)

    def _await_live(self) -> None:
        """Let the new readings arrive that were there by now; check() says what is missing."""
        sent = {when for when, _ in self.live}
        deadline = time.monotonic() + HANG_S
        while time.monotonic() < deadline:
            here = {row[1] for row in self.emoncms.rows} if self.emoncms else self._arrived.keys()
            if len(sent - here) <= self._unheard(here):
                return
            time.sleep(0.1)

    def _unheard(self, here) -> int:
        """Telegrams that were sent before the reader listened: a wire has no memory."""
        times = [when for when, _ in self.live]
        return next((number for number, when in enumerate(times) if when in here), len(times))

    def finish(self) -> None:
        """Stop the firmware as Ctrl-C does."""
        process = self._process
        assert process
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError("the firmware does not stop: " + self.said())

    def said(self) -> str:
        """What the firmware has printed."""
        return (self._folder / "firmware.out").read_text(errors="replace")[-4000:]

    def arrived(self) -> int:
        """Old readings that the server has."""
        if self.kind == "influxdb":
            return self._seen_old
        if self.kind == "emoncms":
            assert self.emoncms
            return len({row[1] for row in list(self.emoncms.rows)} & self.old.keys())
        return len(self._arrived.keys() & self.old.keys())

    def found(self) -> list[tuple[int, dict[str, str], str]]:
        """(Unix time, {key: text}, id) of what the server has got, in order of arrival."""
        if self.influx:
            rows = self.influx.rows("energy", 'SELECT * FROM "energy"')
            return [(int(row.pop("time")), row, "") for row in rows]
        if self.emoncms:
            return [(row[1], row[2], "") for row in self.emoncms.rows]
        assert self._recorder
        return self._recorder.readings()

    def check(self) -> None:
        """Every old reading has arrived digit for digit, each live one as well."""
        texts = self.kind != "emoncms"
        found = self.found()
        by_time: dict[int, dict] = {}
        ids: dict[str, int] = {}
        for when, values, name in found:
            assert by_time.setdefault(when, values) == values, "one time, two readings"
            if name:
                assert ids.setdefault(name, when) == when, "one id, two readings"
        for when, wanted in self.old.items():
            assert when in by_time, f"the reading of {when} is missing; {self.said()}"
            values = by_time[when]
            for key, value in wanted.items():
                if key in ("meter_id", "p1_version"):
                    assert not texts or values[key] == value, (when, key)
                else:
                    assert Decimal(values[key]) == Decimal(value), (when, key, values[key], value)
        for number, (when, _) in enumerate(self.live[:-2], 1):
            if self._runtime == "parts":
                key, _, decimals = self._channels[2][:3]
                value = Decimal(text(self._values[2] + number, decimals))
                assert when in by_time, f"the reading of {when} is missing; {self.said()}"
                assert Decimal(by_time[when][key]) == value, (when, key)
        sent = [when for when, _ in self.live]
        unheard = self._unheard(by_time)
        assert unheard <= (0 if self._runtime == "parts" else 3), sent
        missing = [when - sent[0] for when in sent[unheard:-2] if when not in by_time]
        assert not missing, f"live readings {missing} of {len(sent)} are missing; {self.said()}"
        if self.kind == "emoncms":
            assert len(found) == len(by_time), "a row came twice"
        if self.kind == "mqtt":
            assert len(ids) == len(by_time)

    def check_order(self) -> None:
        """Nothing newer came before something older, each reading's first time counts."""
        times = list(dict.fromkeys(when for when, _, _ in self.found()))
        assert times == sorted(times)
        assert not self._disorder, self._disorder

    # The rest is the machinery.

    _seen_old = 0
    _disorder = ""

    def _watch(self) -> None:
        """Look into InfluxDB: what is there, and since when."""
        if not self.influx:
            return
        last_old = max(self.old)
        while not self._stop.is_set():
            rows = self.influx.rows("energy", 'SELECT last("power_import") FROM "energy"')
            if rows:
                newest = int(rows[0]["time"])
                seen = time.monotonic()
                for when, _ in list(self.live):
                    if when <= newest:
                        self._arrived.setdefault(when, seen)
                self._seen_old = self._count_to(last_old)
                early = newest > last_old and self._seen_old < self._count
                if early and self._backfill == "in_order":
                    self._disorder = f"{newest} came after {self._seen_old} old readings"
            time.sleep(0.1)

    def _count_to(self, last: int) -> int:
        assert self.influx
        rows = self.influx.rows(
            "energy", 'SELECT count("power_import") FROM "energy" WHERE time <= %ds' % last
        )
        return int(rows[0]["count"]) if rows else 0

    def _sink(self) -> dict:
        entry: dict = {"type": self.kind}
        if self.broker:
            entry.update({"host": "127.0.0.1", "port": self.broker.port})
        elif self.influx:
            entry.update({"url": self.influx.url, "database": "energy", "interval": 1})
        elif self.emoncms:
            entry.update({"url": self.emoncms.url, "key": WRITE_KEY, "interval": 1})
        if self._backfill:
            entry["backfill"] = self._backfill
        entry.update(self._entry)
        return entry

    def _start(self) -> None:
        pty = None
        readers: list = []
        if self._runtime != "parts":
            pty = Pty()
            readers = [{"type": "dsmr", "name": "p1", "uart": pty.device}]
        log = {"directory": str(self._folder), "size_kb": 100}
        config = self._folder / "config.py"
        config.write_text(
            f"device = 'logger'\nreaders = {readers!r}\nsinks = {[self._sink()]!r}\n"
            f"queue = {{'flash_kb': {_CAPACITY}}}\nlog = {log!r}\n"
        )
        parts = self._runtime == "parts"
        cwd = ROOT
        if self._program and pty:
            cwd = self._folder / "chip"
            line = self._frozen(readers, pty.device, cwd)
        elif parts:
            line = self._parts()
        else:
            line = run.command(config, [], *self._how)
        with (self._folder / "firmware.out").open("wb") as output:
            self._process = subprocess.Popen(
                line, stdout=output, stderr=output, env=run.environment(False), cwd=cwd
            )
        deadline = time.monotonic() + HANG_S
        while "wait on the flash" not in self.said():
            assert time.monotonic() < deadline and self._process.poll() is None, self.said()
            time.sleep(0.01)
        if pty:
            ticks = Ticks()
            arguments = (pty, Meter("nl50", 7, ticks), ticks, None, 1, 0, self._sent, self._stop)
            threading.Thread(target=serve, args=arguments, daemon=True).start()
        elif parts:
            threading.Thread(target=self._listen, daemon=True).start()

    def _parts(self) -> list[str]:
        """The command for the parts alone; the job says what the config would have."""
        given = {"device": "logger", "readers": [], "sinks": [self._sink()]}
        checked = schema.check(given, _Board, registry)
        job = {
            "entry": checked.sinks[0],
            "spool": str(self._folder / "spool"),
            "flash_kb": _CAPACITY,
            "page": self._page,
            "slots": self._slots,
            "burst": self._burst,
            "channels": self._channels,
            "values": self._values,
        }
        (self._folder / "job.json").write_text(json.dumps(job))
        arguments = [str(self._folder / "job.json")]
        return run_vm.command(_PARTS, arguments, self._how[1], self._how[2] or HEAP)

    def _frozen(self, readers: list, uart: str, folder: Path) -> list[str]:
        """The command for the whole firmware as main.py starts it; its config is in the folder."""
        assert self._program
        folder.mkdir()
        (folder / "config.py").write_text(
            f"device = 'logger'\nreaders = {readers!r}\nsinks = {[self._sink()]!r}\n"
            "wifi = {'ssid': 'home', 'password': 'its password'}\n"
            f"queue = {{'flash_kb': {_CAPACITY}}}\n"
        )
        flash = frozen.new_flash(self._program, folder / "flash", self._folder / "spool")
        heap_bytes = int((self._how[2] or HEAP).rstrip("k")) * 1024
        heap_bytes += frozen.shims(self._program, uart)
        return frozen.command(self._program, "main.py", flash, uart, [], heap_bytes)

    def _listen(self) -> None:
        """Take the times of new readings from what the parts say."""
        with (self._folder / "firmware.out").open() as output:
            while not self._stop.is_set():
                line = output.readline()
                if line.startswith("LIVE"):
                    when, _, self.stored = map(int, line.split()[1:])
                    self.live.append((when, time.monotonic()))
                elif not line:
                    time.sleep(0.02)

    def _sent(self, telegram: dict) -> None:
        when = calendar.timegm(time.strptime(telegram["time"], "%Y-%m-%dT%H:%M:%SZ"))
        self.live.append((when, time.monotonic()))

    def _cpu_s(self) -> float:
        assert self._process
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * _TICK_S


class _Board:
    """As much of a board as the schema wants to know."""

    NAME = "HOST"
    UARTS = ()


class _Recorder(Recorder):
    """Remembers when each reading came first."""

    def __init__(self, port: int, arrived: dict[int, float]) -> None:
        super().__init__(port, "logger/#")
        self._arrived = arrived

    def _message(self, client, userdata, message) -> None:
        super()._message(client, userdata, message)
        now = time.monotonic()
        for part in message.payload.split(b'"time":"')[1:]:
            when = calendar.timegm(time.strptime(part[:20].decode(), "%Y-%m-%dT%H:%M:%SZ"))
            self._arrived.setdefault(when, now)
