"""An update of 1.5 MB while a P1 meter sends each second, three sinks deliver, and somebody looks.

On the frozen VM, as images have it. What was missed is counted, nothing that was read is lost,
also over the restart, and no step is longer than 100 ms of an ESP32's chip time but those of the
flash, which are named. Steps are those of three uploads (six with JOULELOG_LONG), of which the
last one is whole: of each task the shortest of its longest steps counts (tools/rig/step_times.py).
"""

import calendar
import os
import re
import threading
import time
import urllib.request

from tests import esp_images, tiers
from tests.integration.test_update import make_update
from tests.integration.update_rig import OLD, Flashed, image
from tests.servers.emoncms import WRITE_KEY, EmonCms
from tests.servers.influxdb_v2 import BUCKET, ORG, TOKEN, InfluxDb2
from tests.servers.real_mosquitto import Mosquitto, Recorder
from tests.waiting import until
from tools.rig.step_times import Longest

CHIP = 200  # chip time of an ESP32 for CPU time of the VM
LIMIT_MS = 100
LONG = bool(os.environ.get("JOULELOG_LONG"))
ROUNDS = 6 if LONG else 3
OWN = ("_visited", "update", "web", "_served", "read", "_request")  # tasks with an update in them
SIZE = 1_500_000
_UNIX_2000 = 946684800


def flash() -> bytes:
    """A board's whole flash, with its own partition table."""
    whole = esp_images.image_of("ESP32_GENERIC", image(OLD, 1_400_000))
    return (b"\xff" * 0x1000 + whole).ljust(0x400000, b"\xff")


class Browser(threading.Thread):
    """Somebody who looks at the page all the time."""

    def __init__(self, host: str) -> None:
        super().__init__(daemon=True)
        self.looks = 0
        self._host = host
        self._ends = threading.Event()

    def run(self) -> None:
        while not self._ends.wait(0.2):
            for path in ("/update", "/update.js", "/api/update"):
                try:
                    with urllib.request.urlopen(f"http://{self._host}{path}", timeout=60) as page:
                        self.looks += bool(page.read())
                except OSError:  # it restarts, or is busy
                    pass

    def end(self) -> None:
        self._ends.set()
        self.join(60)


def test_an_update_of_full_size_beside_everything_else(tmp_path):
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    with (
        InfluxDb2() as influxdb,
        EmonCms() as emoncms,
        Mosquitto(tmp_path / "broker") as broker,
        Recorder(broker.port) as recorder,
    ):
        sinks = [
            {
                "type": "influxdb",
                "url": influxdb.url,
                "org": ORG,
                "bucket": BUCKET,
                "token": TOKEN,
            },
            {"type": "emoncms", "url": emoncms.url, "key": WRITE_KEY, "interval": 5},
            {"type": "mqtt", "host": "127.0.0.1", "port": broker.port},
        ]
        more = f"sinks = {sinks!r}\nqueue = {{'slots': 32, 'flash_kb': 300}}\n"
        about = {"more": more, "flash": flash(), "STEPS": "1"}
        with Flashed("frozen", tmp_path, 1, **about) as board:
            board.log_in()
            until(lambda: len(influxdb.points) > 3 and emoncms.rows, board.said)
            browser = Browser(board.host)
            browser.start()
            whole = board.update("0.2.0", SIZE)
            board.get("/steps")
            begun = time.monotonic()
            for _ in range(ROUNDS - 1):
                done = make_update(board, whole[:-1] + b"!")
                assert "SHA-256" in done.stderr, (done.stderr, board.said())
                board.get("/steps")
            done = make_update(board, whole)
            assert done.returncode == 0, (done.stderr, done.stdout, board.said())
            took_s = time.monotonic() - begun
            assert board.starts == [OLD, "0.2.0"]
            begins = board.said_whole().index("an update to version 0.2.0")
            switched = len(re.findall(r"^READ ", board.said_whole()[:begins], re.M))
            until(lambda: len(board.read()) > switched + 5, board.said)
            browser.end()
            board.fall_silent()
            read = board.read()
            wanted = {when + _UNIX_2000 for when in read}
            until(lambda: times(influxdb, emoncms, recorder) == [wanted] * 3, board.said)
            sent = board.times()
            check(board.said_whole(), sent[sent.index(read[0]) :], read, read[switched - 1])
            print(
                f"{SIZE} bytes, {ROUNDS} times in {took_s:.0f} s; "
                f"a browser has looked {browser.looks} times"
            )


def times(influxdb, emoncms, recorder) -> list[set[int]]:
    """Unix times of all readings that each of the three has."""
    found = set()
    for _, payload, _ in recorder.messages:
        for text in re.findall(rb'"time": ?"([^"]+)"', payload):
            found.add(calendar.timegm(time.strptime(text.decode(), "%Y-%m-%dT%H:%M:%SZ")))
    return [
        {int(point[2]) for point in influxdb.points},
        {when for _, when, _ in emoncms.rows},
        found,
    ]


def check(said: str, sent: list[int], read: list[int], last: int) -> None:
    """What was missed, and the steps."""
    missed = sorted(set(sent) - set(read))
    beside = [when for when in missed if when < last]
    restart = len(missed) - len(beside)
    print(f"{len(sent)} telegrams, {len(beside)} missed in uploads, {restart} in the restart")
    assert len(beside) <= 1, beside
    longest = Longest()
    for round_ in said.split("TOLD\n")[1 : ROUNDS + 1]:
        longest.add(round_)
    named = {name: us * CHIP // 1000 for name, us in longest.by_task()}
    flash_us = dict(re.findall(r"^FLASH (\w+) (\d+)$", said, re.M))
    print("steps in ms of chip time:", named, "; flash, in us of this computer:", flash_us)
    assert {"ioctl", "writeblocks", "readblocks", "set_boot"} <= set(flash_us)
    own = max(named[name] for name in OWN if name in named)
    others = max(named[name] for name in named if name not in OWN)
    # A computer that does much else lengthens steps of all tasks.
    assert own <= (LIMIT_MS if LONG else max(LIMIT_MS, 2 * others)), named
