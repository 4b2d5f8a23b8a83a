"""Heap and steps of set-up, as images have it: for size.py.

    with Setup(folder, port_of_the_broker) as setup:
        run = setup.run(Way("esp8266"), heap_bytes)  # Run: used, most, free, largest, delivered
        setup.steps(Way("esp8266"), 5)               # {task: its longest step in ms of chip time}

Two ways: set-up mode, a boot of its own; and the access point beside the app, P1 to MQTT and
InfluxDB, once its Wi-Fi is gone. A client in a process of its own, this one, asks for all that
there is; then it gives a network, or sends the board away. The name server runs as well, and
Improv on the standard input. What is in use is looked at 25 times a second, each time behind a
collection; what a step needs for itself is in the smallest heap alone, in which everything was
answered. "No telegram missed": InfluxDB has the time of each that the meter has sent.
"""

import calendar
import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import tempfile
import time
import urllib.parse
from pathlib import Path
from typing import NamedTuple

from tests.servers.influxdb_v2 import BUCKET, ORG, TOKEN, InfluxDb2
from tools import boards
from tools.images import features
from tools.rig import frozen, step_times
from tools.sim import p1

_SPEED = 20
_BLOCK = 16
_HANG_S = 120
# The tasks of set-up beside the app; the steps of the others are those of `steps`.
_BESIDE = ("setup", "run", "portal", "names", "_visited", "_request", "_serve", "_write")
_FACTORS = {"esp32": 200, "esp8266": 500}
_NETWORK = {"ssid": "home & garden", "password": "its password"}
_JSON = {"Content-Type": "application/json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_SETTINGS = {
    "readers": [{"type": "dsmr", "uart": "sim", "name": "house"}],
    "sinks": [
        {"type": "mqtt", "host": "mqtt.example.org", "user": "me", "password": "its password"},
        {"type": "influxdb", "url": "http://192.0.2.9", "org": "o", "bucket": "b", "token": "t"},
        {"type": "emoncms", "url": "http://192.0.2.9/emoncms", "key": "0123456789abcdef" * 2},
    ],
}


class Way(NamedTuple):
    """On which chip, and how."""

    chip: str
    beside: bool = False

    @property
    def name(self) -> str:
        """As it is called in budgets."""
        what = "set-up beside P1 -> mqtt, influxdb" if self.beside else "set-up mode"
        return f"{self.chip} {what}"


WAYS = (Way("esp8266"), Way("esp32"), Way("esp32", True))


class Run(NamedTuple):
    """Bytes in use before anybody asks, and at most; free and in the largest block at least."""

    used: int
    most: int
    free: int
    largest: int
    delivered: bool
    text: str


def program(chip: str) -> Path:
    """The frozen VM with the features of the chip's plain board, and set-up."""
    own = getattr(boards.load(boards.FOLDERS / f"{chip.upper()}_GENERIC"), "FEATURES", None)
    return frozen.build(None, chip, wanted=own and features.named(" ".join((*own, "setup"))))


class Setup:
    """Servers and the client; see the module's text."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        self._folder = folder
        self._broker = broker_port
        self._influxdb = InfluxDb2()
        self._shims: dict[tuple[Path, bool], int] = {}

    def __enter__(self) -> "Setup":
        self._influxdb.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._influxdb.__exit__(*error)

    def run(self, way: Way, heap_bytes: int) -> Run:
        """On the frozen VM in so much heap, as a chip has it."""
        text, shims, whole = self._run(way, "heap", heap_bytes)
        return _figures(text, shims, whole)

    def steps(self, way: Way, runs: int) -> dict[str, int]:
        """In ms of chip time, loading of modules included: the shortest of several runs'.

        Beside the app they are those of set-up's own tasks.
        """
        longest = step_times.Longest()
        for _ in range(runs):
            text, _, whole = self._run(way, "steps", frozen.HEAPS[way.chip])
            if not whole:
                raise SystemExit("setup: not all was answered:\n" + text[-2000:])
            longest.add(text)
        return {
            name: us * _FACTORS[way.chip] // 1000
            for name, us in longest.by_task()
            if name in _BESIDE or not way.beside
        }

    def _run(self, way: Way, what: str, heap_bytes: int) -> tuple[str, int, bool]:
        """(What it printed, bytes of a computer's own, whether all was answered and delivered)."""
        vm = program(way.chip)
        with tempfile.TemporaryDirectory(prefix="joulelog-setup-") as name:
            folder = Path(name)
            flash = frozen.new_flash(vm, folder / "flash")
            meter, about = "", []
            if way.beside:
                meter, config = self._meter(folder)
                about = [str(config), meter]
            port = _free_port()
            words = [what, str(port), str(_free_port()), *about]
            shims = self._shims_of(vm, meter)
            line = frozen.command(vm, "size_setup.py", flash, meter, words, heap_bytes + shims)
            text, walked = _walked(line, folder, port, way)
            whole = walked and (not way.beside or self._has_all(folder / "sent"))
        return text, shims, whole

    def _shims_of(self, vm: Path, meter: str) -> int:
        key = vm, bool(meter)
        if key not in self._shims:
            self._shims[key] = frozen.shims(vm, meter)
        return self._shims[key]

    def _meter(self, folder: Path) -> tuple[str, Path]:
        """A P1 meter of this run's own, and the config of who reads it."""
        self._influxdb.points.clear()
        about = {"org": ORG, "bucket": BUCKET, "token": TOKEN}
        settings = {
            "SPEED": _SPEED,
            "device": "size",
            "wifi": {"ssid": "its old one", "password": "its password"},
            "log": {},
            "queue": {"flash_kb": 100},
            "readers": [{"type": "dsmr", "uart": "sim", "time": "meter"}],
            "sinks": [
                {"type": "mqtt", "host": "127.0.0.1", "port": self._broker},
                {"type": "influxdb", "url": self._influxdb.url, **about},
            ],
        }
        config = folder / "config_beside.py"
        config.write_text("".join(f"{key} = {value!r}\n" for key, value in settings.items()))
        return p1.start("nl50", _SPEED, ("--log", str(folder / "sent"))), config

    def _has_all(self, log: Path) -> bool:
        """Whether InfluxDB has each telegram between its first and its last one."""
        points = self._influxdb.points
        got = sorted({int(str(when)[:10]) for _, _, when in points})
        rows = [json.loads(line) for line in log.read_text().splitlines()]
        sent = [_unix(row["time"]) for row in rows if row["sent"] == "whole"]
        if not got or not sent:
            return False
        last = min(got[-1], sent[-1])  # the one that was sent just now may be in one of them
        return [when for when in got if when <= last] == [
            when for when in sent if got[0] <= when <= last
        ]


def _unix(text: str) -> int:
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _walked(line: list[str], folder: Path, port: int, way: Way) -> tuple[str, bool]:
    """(What it printed, whether everything was answered as it has to be)."""
    around = [] if way.beside else [[*_NETWORK.values(), -50], ["café", "", -70]]
    said = folder / "said"
    walked = False
    with said.open("wb") as file:
        process = subprocess.Popen(
            line,
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=file,
            cwd=folder,
            env={**os.environ, "AROUND": json.dumps(around)},
        )
        try:
            client = _Client(port, process)
            with contextlib.suppress(OSError, http.client.HTTPException, _Ended):
                walked = client.beside() if way.beside else client.alone() and client.leave()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_HANG_S if walked else 0.1)
        finally:
            process.kill()
            process.wait()
    return said.read_text("utf-8", "replace"), walked


def _figures(text: str, shims: int, whole: bool) -> Run:
    looks: list[tuple[str, int, int, int]] = []
    pattern = r"^MEM (\w+) (\d+) (\d+)\n(?:.*\n){0,4}?.*max free sz: (\d+)"
    for name, used, free, largest in re.findall(pattern, text, re.M):
        looks.append((name, int(used) - shims, int(free), int(largest) * _BLOCK))
    asked = [look for look in looks if look[0] == "asked"]
    running = [look for look in looks if look[0] == "running"]
    if not asked or not running:
        return Run(0, 0, 0, 0, False, text)
    done = re.search(r"^DONE (\d+) (\d+) (\d+)$", text, re.M)
    fine = bool(done) and int(done[2]) > 0 and not int(done[3]) and "Traceback" not in text
    fine = fine and "TIMEOUT" not in text and not re.search(r"MemoryError|no memory", text)
    return Run(
        running[0][1],
        max(look[1] for look in asked),
        min(look[2] for look in asked),
        min(look[3] for look in asked),
        whole and fine,
        text,
    )


class _Ended(Exception):
    """The firmware has."""


class _Client:
    """Somebody with a phone."""

    def __init__(self, port: int, process: subprocess.Popen) -> None:
        self._port = port
        self._process = process

    def alone(self) -> bool:
        """Through all that there is; whether each answer was the right one."""
        self._wait_for(lambda: self._ask("GET", "/api/state")[0] == 200)
        right = [self._walk_wifi()]
        right.append(self._ask("GET", "/api/schema")[0] == 200)
        right.append(self._ask("GET", "/plain/add?section=readers&type=dsmr")[0] == 200)
        right.append(self._ask("GET", "/plain/add?section=sinks&type=mqtt")[0] == 200)
        wrong = json.dumps({"sinks": [{"type": "mqtt", "hots": "x", "port": 0}]})
        right.append(self._ask("POST", "/api/settings", wrong, _JSON)[0] == 422)
        right.append(self._ask("POST", "/api/settings", json.dumps(_SETTINGS), _JSON)[0] == 200)
        form = urllib.parse.urlencode({"host": "192.0.2.9", "user": "ä+%", "password": "p" * 30})
        path = "/plain/add?section=sinks&type=mqtt"
        right.append(self._ask("POST", path, form, _FORM)[0] == 303)
        right.append(self._ask("GET", "/plain")[0] == 200)
        right.append(self._ask("GET", "/api/settings")[0] == 200)
        return all(right)

    def leave(self) -> bool:
        """Let it start."""
        return self._ask("POST", "/api/restart", "{}", _JSON)[0] == 200

    def beside(self) -> bool:
        """Once the point is open, the Wi-Fi form: the right password ends it."""
        self._wait_for(lambda: self._ask("GET", "/api/state")[0] == 200)
        return self._walk_wifi()

    def _walk_wifi(self) -> bool:
        right = [self._ask("GET", path)[0] == 200 for path in ("/plain", "/api/networks")]
        for path in ("/setup.js", "/setup.css", "/plain.css"):
            right.append(self._ask("GET", path)[0] in (200, 404))
        right.append(self._ask("GET", "/")[0] in (200, 302))
        form = urllib.parse.urlencode({"ssid": _NETWORK["ssid"], "password": "a wrong one"})
        right.append(self._ask("POST", "/plain/wifi", form, _FORM)[0] == 200)
        self._wait_for(lambda: not self._state()["trying"])
        right.append("not accepted" in self._state()["problem"])
        right.append(self._ask("POST", "/api/wifi", json.dumps(_NETWORK), _JSON)[0] == 202)
        self._wait_for(lambda: not self._state()["trying"])
        right.append(bool(self._state()["address"]))
        return all(right)

    def _state(self) -> dict:
        return json.loads(self._ask("GET", "/api/state")[1])

    def _ask(self, method: str, path: str, body=None, headers=None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_HANG_S)
        with contextlib.closing(connection):
            origin = {"Origin": f"http://127.0.0.1:{self._port}"}
            connection.request(method, path, body, origin | (headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()

    def _wait_for(self, done) -> None:
        deadline = time.monotonic() + _HANG_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise _Ended
            with contextlib.suppress(ConnectionError):
                if done():
                    return
            time.sleep(0.1)
        raise _Ended
