"""One run of the firmware after the other, with a meter that goes on and a broker that is away.

    with Stage(folder, ["--vm", "--profile", "esp32"]) as stage:
        firmware = stage.start(slots=16)      # keys of `queue`
        firmware.wait_for(READ, count=40)
        stage.broker.start()

Time is compressed twenty times.
"""

import calendar
import json
import re
import threading
import time
from pathlib import Path

from tests.integration.run_rig import Run
from tests.integration.test_pipeline import expected
from tests.servers.real_mosquitto import Mosquitto, Recorder
from tests.waiting import HANG_S
from tools.sim.p1 import Meter, Pty, Ticks, serve

SPEED = 20
SLOTS = 16
READ = r"\d\d:\d\d:\d\dZ p1 "  # a reading of the meter on the console


class Stage:
    """A meter, a broker that is away, and one run of the firmware after the other."""

    def __init__(self, folder: Path, how: list) -> None:
        self.folder = folder
        self.sent: list[dict] = []  # by the meter
        self.broker = Mosquitto(folder / "broker")
        self.mqtt = {"type": "mqtt", "host": "127.0.0.1", "port": self.broker.port}
        self.readers: list[dict] = []  # beside the meter
        self.runs: list[Run] = []
        self._how = how
        self._stop = threading.Event()
        self._pty = Pty()
        self._ticks = Ticks()
        self._says = Meter("nl50", 7, self._ticks)
        self._meter = threading.Thread()

    def __enter__(self) -> "Stage":
        self.go_on()
        return self

    def go_on(self) -> None:
        """The meter speaks, at first or again."""
        self._stop.clear()
        arguments = (self._pty, self._says, self._ticks, None, SPEED, 0)
        arguments += (self.sent.append, self._stop)
        about = {"patient": True}  # or a firmware that gets no CPU for a while has lost some
        self._meter = threading.Thread(target=serve, args=arguments, kwargs=about, daemon=True)
        self._meter.start()

    def fall_silent(self) -> None:
        """The meter says no more."""
        self._stop.set()
        self._meter.join(HANG_S)

    def __exit__(self, *error) -> None:
        for firmware in self.runs:
            firmware.close()
        self.fall_silent()
        self._pty.close()
        self.broker.stop()

    def start(
        self, sinks: list | None = None, reader: str = "p1", console: bool = True, **queue
    ) -> Run:
        """The next run, up; sinks: beside the console, None: MQTT."""
        firmware = self.begin(self._how, sinks, reader, console, **queue)
        firmware.wait_for("connected, address")
        return firmware

    def begin(
        self, how: list, sinks: list | None, reader: str = "p1", console: bool = True, **queue
    ) -> Run:
        """The next run, whatever comes of it."""
        entry = {"type": "dsmr", "name": reader, "uart": self._pty.device, "time": "meter"}
        readers = [entry, *self.readers]
        sinks = [self.mqtt] if sinks is None else sinks
        sinks = [*sinks, {"type": "console"}] if console else sinks
        log = {"directory": str(self.folder / "log"), "size_kb": 50}
        path = self.folder / "my_config.py"
        path.write_text(
            f"device = 'logger'\nreaders = {readers!r}\n"
            f"sinks = {sinks!r}\n"
            f"queue = { ({'slots': SLOTS} | queue)!r}\nlog = {log!r}\n"
        )
        firmware = Run("--config", str(path), *how, SPEED=str(SPEED))
        self.runs.append(firmware)
        return firmware


def boot_of(firmware: Run) -> str:
    """The boot id of a run."""
    found = re.search(r"started by .*, boot \d+ \((\w{8})\)", firmware.output)
    assert found, firmware.output
    return found[1]


def read_by(firmware: Run) -> int:
    """How many readings it has printed."""
    return len(re.findall(READ, firmware.output))


def in_mqtt(recorder: Recorder) -> tuple[dict[str, dict], list[str]]:
    """{id: reading} of what has come, and the ids in the order of their coming."""
    found: dict[str, dict] = {}
    order = []
    for topic, payload, retained in list(recorder.messages):
        if retained or topic.endswith("/status"):
            continue
        message = json.loads(payload, parse_float=str, parse_int=str)
        for reading in message.get("readings", [message]):
            name = reading["id"]
            assert found.setdefault(name, reading) == reading, f"one id, two readings: {name}"
            order.append(name)
    return found, order


def serials(found: dict[str, dict], boot: str) -> list[int]:
    """The serial numbers of what a run has read, in order."""
    return sorted(int(name[9:], 16) for name in found if name.startswith(boot))


def check_values(stage: Stage, found: dict[str, dict]) -> None:
    """Each reading is a telegram, digit for digit, and none of them came as two."""
    wanted = expected(stage.sent)
    times = []
    for reading in found.values():
        when = calendar.timegm(time.strptime(reading["time"], "%Y-%m-%dT%H:%M:%SZ"))
        times.append(when)
        for field, value in wanted[when].items():
            assert float(reading[field]) == float(value), (when, field)
    assert len(set(times)) == len(times)
