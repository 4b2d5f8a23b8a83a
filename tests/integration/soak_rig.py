"""The firmware as an image has it, in a chip's heap, for weeks of compressed time.

    with Soak(folder, "esp8266", "p1", ["mqtt"]) as soak:
        soak.start()
        soak.outage(["mqtt"])        # ten minutes without the server, then all has come
        soak.kill()                  # a power cut: the flash stays
        soak.start()
        soak.finish()
        soak.check()                 # AssertionError: what was lost, changed or restarted
        soak.figures()

The VM is that of tools/rig/frozen.py; tests/vm/scripts/soak_run.py starts the firmware on it as
main.py does and tells each reading. Servers are real ones, and EmonCMS's contract server.
Time is compressed: SPEED times. A meter is read every INTERVAL_S; each of its readings has a
number of its own, and all its other values follow from that: a P1 telegram's is its time, a PZEM's
its energy.
"""

import os
import re
import signal
import statistics
import subprocess
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from tests import tiers
from tests.integration.test_pipeline import expected
from tests.servers.emoncms import WRITE_KEY, EmonCms
from tests.servers.real_influxdb import RealInfluxdb
from tests.servers.real_mosquitto import Mosquitto, Recorder
from tests.servers.udp import UdpServer, time_server
from tests.waiting import HANG_S
from tools.rig import frozen
from tools.sim import pzem, slaves
from tools.sim.p1 import Meter, Pty, Ticks, serve

LONG = bool(os.environ.get("JOULELOG_LONG"))
SPEED = 80 if LONG else 40  # beside other tests the VM gets less of the computer
INTERVAL_S = 3  # between two readings
OUTAGE = (600 if LONG else 300) // INTERVAL_S  # readings
HEAPS = {"esp8266": 38 * 1024, "esp32": 140 * 1024}
_UNIX_2000 = 946684800
_NTP_PORT = 123
_BAD = re.compile(
    r"Traceback|MemoryError|memory allocation|no(?:t enough)? memory| failed:"
    r"|the flash (?:fails|is full|cannot)"
)
_NEVER = ("restarts", "dropped", "refused", "superseded", "flash_errors", "segments_lost")
_SAMPLES = 10  # of the heap, early and late
_CALM = 4  # readings that wait until a batch is due

Found = list[tuple[int, dict, str]]  # number, {key: text}, id where the server has one


class Sample(NamedTuple):
    """The heap behind a collection, in bytes."""

    readings: int  # of this run so far
    waiting: int
    on_way: int
    used: int
    free: int
    largest: int


class Mqtt:
    """A real mosquitto, and all that it got."""

    def __init__(self, folder: Path) -> None:
        tiers.require("mosquitto", "servers", "apt install mosquitto")
        self._broker = Mosquitto(folder / "broker")
        self._broker.start()
        self._recorder = Recorder(self._broker.port, "logger/#")
        self._recorder.__enter__()
        self.start, self.stop = self._broker.start, self._broker.stop
        self.entry = {"type": "mqtt", "host": "127.0.0.1", "port": self._broker.port}

    def close(self) -> None:
        self._recorder.__exit__()
        self._broker.stop()

    def found(self) -> Found:
        return self._recorder.readings()


class Influxdb:
    """A real InfluxDB."""

    def __init__(self, folder: Path) -> None:
        self._server = RealInfluxdb(folder / "influx").start()
        self._server.create("energy")
        self.start, self.stop = self._server.start, self._server.stop
        url = self._server.url
        self.entry = {"type": "influxdb", "url": url, "database": "energy"}

    def close(self) -> None:
        self._server.stop()

    def found(self) -> Found:
        rows = self._server.rows("energy", 'SELECT * FROM "energy"')
        return [(int(row.pop("time")), row, "") for row in rows]


class Emoncms:
    """EmonCMS's contract server."""

    def __init__(self, folder: Path) -> None:
        self.server = self._server = EmonCms().start()
        self.start, self.stop = self._server.start, self._server.stop
        self.entry = {"type": "emoncms", "url": self._server.url, "key": WRITE_KEY}

    def close(self) -> None:
        self._server.stop()

    def found(self) -> Found:
        return [(row[1], row[2], "") for row in self._server.rows]


SERVERS = {"mqtt": Mqtt, "influxdb": Influxdb, "emoncms": Emoncms}


class P1:
    """A P1 meter; a reading's number is its time."""

    def __init__(self, begin: int, speed: int) -> None:
        self.sent: list[dict] = []
        self._pty = Pty()
        self._stop = threading.Event()
        ticks = Ticks(begin)
        meter = Meter("nl50", 7, ticks)
        meter.about = meter.about._replace(interval_s=INTERVAL_S)
        arguments = (self._pty, meter, ticks, None, speed, 0, self.sent.append, self._stop)
        about = {"patient": True}  # or a firmware that gets no CPU for a while has lost some
        self._thread = threading.Thread(target=serve, args=arguments, kwargs=about, daemon=True)
        self._thread.start()
        self.uart = self._pty.device
        self.entry = {"type": "dsmr", "name": "p1", "uart": self.uart, "time": "meter"}

    def fall_silent(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def close(self) -> None:
        self.fall_silent()
        self._pty.close()

    def wanted(self) -> dict[int, dict[str, Decimal]]:
        """{number: {key: value}} of what was on the wire."""
        return {when - _UNIX_2000: values for when, values in expected(self.sent).items()}

    def number(self, when: int, values: dict) -> int:
        return when - _UNIX_2000


class Numbered(slaves.Pzem):
    """A PZEM whose every answer is another one."""

    def advance(self, now: float) -> None:
        """Only answers count here."""

    def words(self) -> list[int]:
        self.energy_wh += 1
        return self.of(int(self.energy_wh))

    @staticmethod
    def of(number: int) -> list[int]:
        power, current = slaves.low_first(number % 22000), slaves.low_first(number % 90000)
        energy = slaves.low_first(number)
        return [2300 + number % 100, *current, *power, *energy, 500, number % 101, 0]


class Pzem:
    """A PZEM; a reading's number is its energy in Wh."""

    def __init__(self, begin: int, speed: int) -> None:
        self._meter = Numbered("ac")
        self._first = int(self._meter.energy_wh)
        self._server = pzem.Server({1: self._meter}, pzem.Faults(), speed).start()
        self.uart = self._server.device
        # A real one answers within 250 ms; compressed, that is less than a busy computer takes.
        self.entry = {"type": "pzem", "uart": self.uart, "interval": INTERVAL_S}
        self.entry["timeout_ms"] = 5000

    def fall_silent(self) -> None:
        self._server.faults.silent.add(1)

    def close(self) -> None:
        self._server.close()

    def wanted(self) -> dict[int, dict[str, Decimal]]:
        """{number: {key: value}} of what was on the wire."""
        found = {}
        for number in range(self._first + 1, int(self._meter.energy_wh) + 1):
            words = Numbered.of(number)
            found[number] = {
                "voltage": Decimal(words[0]) / 10,
                "current": Decimal(words[1] | words[2] << 16) / 1000,
                "power": Decimal(words[3] | words[4] << 16) / 10,
                "energy": Decimal(words[5] | words[6] << 16) / 1000,
                "frequency": Decimal(words[7]) / 10,
                "power_factor": Decimal(words[8]) / 100,
            }
        return found

    def number(self, when: int, values: dict) -> int:
        return int(Decimal(values["energy"]) * 1000)


_METERS = {"p1": P1, "pzem": Pzem}


class Run:
    """One run of the firmware, from its start to its end."""

    def __init__(self, command: list[str], folder: Path, number: int) -> None:
        self.readings: list[tuple[str, int]] = []  # id, number
        self.samples: list[Sample] = []
        self.counts: dict[str, int] = {}
        self.said: list[str] = []
        self.drained = 0
        self.killed = False
        self.bound = 0  # readings that a power cut may take, as the start report says
        self._part = b""
        path = folder / f"said{number}"
        with path.open("wb") as said:
            self.process = subprocess.Popen(command, stdout=said, stderr=said, cwd=folder)
        self._file = path.open("rb")

    def read(self) -> None:
        """Take what it has printed since."""
        *lines, self._part = (self._part + self._file.read()).split(b"\n")
        for line in lines:
            self._take(line.decode(errors="replace"))

    def tail(self) -> str:
        """The newest lines, for a person."""
        self.read()
        return "\n".join(self.said[-40:])

    def _take(self, line: str) -> None:
        word, *rest = line.split()[:40] or [""]
        if word == "READ":
            self.readings.append((rest[0], int(rest[1])))
        elif word == "DRAINED":
            self.drained += 1
        elif word == "COUNT":
            self.counts = {key: int(n) for key, n in zip(rest[::2], rest[1::2], strict=True)}
        elif word == "GC:":
            self._heap = [int(n) for n in re.findall(r"(?:used|free): (\d+)", line)]
        elif "max free sz" in line:
            largest = int(line.rsplit(":", 1)[1]) * 16
            waiting, on_way = self.counts["waiting"], self.counts["on_way"]
            used, free = self._heap
            count = len(self.readings)
            self.samples.append(Sample(count, waiting, on_way, used, free, largest))
        elif word not in ("mem:", "stack:"):
            self.said.append(line)
            told = re.search(r"a power cut takes at most the newest (\d+)", line)
            if told:
                self.bound = int(told[1])


class Soak:
    """A meter, servers, and one run of the firmware after the other; see the module's text.

    sinks: keys of servers; speed: how much faster than a real meter's time.
    """

    def __init__(
        self,
        folder: Path,
        chip: str,
        meter: str,
        sinks: list[str],
        servers: dict = SERVERS,
        speed: int = SPEED,
    ) -> None:
        self.runs: list[Run] = []
        self.outages = 0
        self._spoke = 0  # samples until the meter fell silent
        self._told: dict[str, tuple[int, int]] = {}  # sink -> readings lost, come again
        self._folder = folder
        self._chip = chip
        self._meter_kind = meter
        self._speed = speed
        try:
            self._program = frozen.build(None, chip)
        except frozen.LeftOut as reason:
            tiers.missing("the frozen VM", "micropython", str(reason))
        self._begin = int(time.time()), time.monotonic()
        self.servers: dict = {}
        self._clock = self._time_server()
        self._clock.__enter__()
        self.meter = _METERS[meter](self._begin[0], speed)
        try:
            for kind in sinks:
                self.servers[kind] = servers[kind](folder)
        except BaseException:
            self.__exit__()
            raise
        self._flash = frozen.new_flash(self._program, folder / "flash")
        heap_bytes = HEAPS[chip] + frozen.shims(self._program, self.meter.uart)
        self._command = frozen.command(
            self._program, "soak_run.py", self._flash, self.meter.uart, [], heap_bytes
        )
        self._write_config()

    def __enter__(self) -> "Soak":
        return self

    def __exit__(self, *error) -> None:
        for run in self.runs:
            if run.process.poll() is None:
                run.process.kill()
                run.process.wait()
        for server in self.servers.values():
            server.close()
        self.meter.close()
        self._clock.__exit__()

    @property
    def run(self) -> Run:
        """The newest run."""
        return self.runs[-1]

    def start(self) -> None:
        """The next run, on the flash that the last one left; returns once it has read."""
        self.runs.append(Run(self._command, self._folder, len(self.runs)))
        self.wait(lambda run: run.readings)

    def wait(self, condition, limit_s: float = HANG_S) -> None:
        """Until the condition, a function of the newest run, holds."""
        run = self.run
        deadline = time.monotonic() + limit_s
        run.read()
        while not condition(run):
            assert run.process.poll() is None, "it has ended: " + run.tail()
            assert time.monotonic() < deadline, f"not in {limit_s} s: {run.counts} " + run.tail()
            time.sleep(0.01)
            run.read()

    def wait_readings(self, count: int) -> None:
        """For so many more readings."""
        wanted = len(self.run.readings) + count
        self.wait(lambda run: len(run.readings) >= wanted, HANG_S + count)

    def outage(self, kinds: list[str], end=None, at: int = OUTAGE) -> None:
        """Servers are away for ten minutes (five); returns when they have got what waited.

        end: self.kill or self.stop, after so many readings of the outage; then the firmware
        starts again.
        """
        for kind in kinds:
            self.servers[kind].stop()
        self.outages += 1
        self.wait_readings(at)
        if end:
            end()
            self.start()
            self.wait_readings(OUTAGE - at)
        drained = self.run.drained
        for kind in kinds:
            self.servers[kind].start()
        self.wait(lambda run: run.drained > drained)

    def kill(self) -> None:
        """A power cut."""
        run = self.run
        run.process.kill()
        run.process.wait()
        run.killed = True
        run.read()

    def stop(self) -> None:
        """Ctrl-C: what is in RAM goes to the flash."""
        run = self.run
        run.process.send_signal(signal.SIGINT)
        try:
            run.process.wait(HANG_S)
        except subprocess.TimeoutExpired:
            raise AssertionError("it does not stop: " + run.tail())
        run.read()
        assert "STOPPED" in run.said and not run.process.returncode, run.tail()

    def finish(self) -> None:
        """The meter falls silent, everything is delivered, Ctrl-C."""
        self.meter.fall_silent()
        seen = self._spoke = len(self.run.samples)
        self.wait(lambda run: len(run.samples) > seen + 1 and run.counts["waiting"] == 0)
        self.stop()

    def check(self) -> None:
        """Nothing lost beyond what was said, nothing changed, no task restarted."""
        wanted = self.meter.wanted()
        for run in self.runs:
            for line in run.said:
                assert not _BAD.search(line), line + "\n" + run.tail()
            wrong = {key: n for key, n in run.counts.items() if n and key in _NEVER}
            assert not wrong, f"{wrong}: " + run.tail()
        for kind, server in self.servers.items():
            self._check_server(kind, self._numbered(server), wanted)

    def _check_server(self, kind: str, found: Found, wanted: dict) -> None:
        came: dict[int, tuple] = {}
        for number, values, name in found:
            assert number in wanted, f"{kind}: nobody sent {number}"
            first = came.setdefault(number, (values, name))
            assert first == (values, name), f"{kind}: {number} came as two"
            for key, value in wanted[number].items():
                assert Decimal(values[key]) == value, (kind, number, key, values[key], value)
        if kind == "emoncms":
            assert list(came) == sorted(came), "a newer one came before an older one"
        ids = [name for _, name in came.values() if name]
        assert len(set(ids)) == len(ids), f"{kind}: one id, two readings"
        read = {}
        for run in self.runs:
            numbers = [number for _, number in run.readings if number >= 0]
            assert numbers == sorted(set(numbers)), f"{kind}: a reading was read twice"
            read |= {number: name for name, number in run.readings}
            safe = numbers[: len(numbers) - run.bound] if run.killed else numbers
            lost = [number for number in safe if number not in came]
            assert not lost, f"{kind}: {len(lost)} of {len(numbers)} lost: {lost[:9]} {run.tail()}"
        for number, (_, name) in came.items():
            if name and number in read:
                assert name == read[number], f"{kind}: {number} has another id"
        unread = came.keys() - read.keys()  # Ctrl-C came before it was told
        assert len(unread) <= len(self.runs), f"{kind}: {len(unread)} that nobody read"
        self._told[kind] = (
            sum(number not in came for number in read if number >= 0),
            len(found) - len(came),
        )

    def calm(self) -> tuple[list[Sample], list[Sample]]:
        """Early and late samples of the newest run, taken while nothing was on its way."""
        spoke = self.run.samples[: self._spoke]
        calm = [one for one in spoke if one.waiting <= _CALM and not one.on_way]
        early = [one for one in calm if one.readings > OUTAGE]
        many = min(_SAMPLES, max(1, len(early) // 2))
        return early[:many], early[-many:]

    def figures(self) -> str:
        """Heap and deliveries, in a line for people."""
        early, late = self.calm()
        worst = min(one.free for one in self.run.samples)
        smallest = min(one.largest for one in self.run.samples)
        count = sum(len(run.readings) for run in self.runs)
        killed = sum(run.killed for run in self.runs)
        told = ", ".join(
            f"{kind} {lost} lost, {again} came again" for kind, (lost, again) in self._told.items()
        )
        return (
            f"{self._chip} {self._meter_kind}: {count} readings, {self.outages} outages, "
            f"{killed} power cuts, {len(self.runs) - killed - 1} times Ctrl-C; {told}; "
            f"used {median(early, 'used')} early, {median(late, 'used')} late; "
            f"free {min(one.free for one in late)}, worst {worst}; largest block "
            f"{min(one.largest for one in early)} early, {min(one.largest for one in late)} late, "
            f"worst {smallest}"
        )

    # The rest is the machinery.

    def _numbered(self, server) -> Found:
        found = []
        for when, values, name in server.found():
            if values.get("energy") is None and self._meter_kind == "pzem":
                continue  # it did not answer
            found.append((self.meter.number(when, values), values, name))
        return found

    def _time_server(self) -> UdpServer:
        def answer(datagram: bytes) -> list[bytes]:
            begin, then = self._begin
            return time_server(begin + int((time.monotonic() - then) * self._speed))(datagram)

        # The port is fixed; an address for each soak, so that several can run.
        self._ntp = "127.%d.%d.1" % divmod(os.getpid() % 65536, 256)
        try:
            return UdpServer(answer, (self._ntp, _NTP_PORT))
        except PermissionError:
            how = "root, or sysctl net.ipv4.ip_unprivileged_port_start=0"
            tiers.missing("a time server's port", "servers", how)
            raise

    def _write_config(self) -> None:
        (self._folder / "config.py").write_text(
            f"SPEED = {self._speed}\ndevice = 'logger'\nreaders = {[self.meter.entry]!r}\n"
            f"sinks = {[server.entry for server in self.servers.values()]!r}\n"
            "wifi = {'ssid': 'home', 'password': 'its password'}\n"
            f"clock = {{'ntp': [{self._ntp!r}]}}\n"
        )


def median(samples: list[Sample], what: str) -> int:
    """The median of a figure."""
    return int(statistics.median(getattr(one, what) for one in samples))
