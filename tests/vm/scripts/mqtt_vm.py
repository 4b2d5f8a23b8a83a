"""Run the MQTT sink as a job file says, and print what came of it, as one JSON object.

Runs on MicroPython and on CPython alike; tests/integration/test_mqtt.py starts it.

    {"entry": {"host": ..., "port": ...},   the sink's config, where it differs from the defaults
     "count": 1000, "interval_ms": 4,       readings, and the pause between two
     "slots": 1200, "speed": 1,
     "until": "sent" | "waiting" | "denied" | "retried",   stop when this has come
     "link_down_ms": [2000, 3000],          when the network goes, and when it is back
     "timeout_ms": 20000,
     "warm_ms": 1000}                       when to take the first of "heap" and "fds"

Reading i of "meter" has the channels energy (45678.123 + i thousandths), total (12 digits), text.
"""

import asyncio
import gc
import json
import logging
import os
import sys

from joulelog import clock
from joulelog.queue import Queue
from joulelog.reading import Source
from joulelog.sinks import mqtt
from joulelog.supervisor import Supervisor

START = 848000000
_STATES = 100  # a longer list would be memory that grows
METER = Source(
    "meter",
    (
        ("energy", "kWh", 3, "total_increasing", "energy"),
        ("total", "kWh", 3, "total_increasing", "energy"),
        ("text", "", 0, "text", ""),
        ("missing", "W", 0, "measurement", "power"),
    ),
)


class Network:
    """A network that can be taken down."""

    up = True

    async def wait_up(self) -> None:
        while not self.up:
            await clock.sleep_ms(50)


class App:
    """What the sink needs of the app."""

    device = "cellar"
    board = None

    def __init__(self, slots: int) -> None:
        self.network = Network()
        self.supervisor = Supervisor()
        self.clock = clock.Clock()
        self.clock.set(START, "meter")
        self.queue = Queue(slots, self.clock, 0x5F0C1A22)


def defaults() -> dict:
    """What the schema would make of an entry without keys."""
    entry: dict = {"name": "mqtt", "sources": None, "channels": None, "every": 0}
    for line in "\n".join(mqtt.SCHEMA).split("\n"):
        parts = [part.strip() for part in line.split("|")]
        if len(parts) > 2:
            entry[parts[0]] = None if parts[2] == "required" else json.loads(parts[2])
    return entry


async def feed(app: App, job: dict) -> None:
    """Be the meter."""
    for i in range(job["count"]):
        values = (45678123 + i, 987654321012 + i, 'no. "%d"' % i, None)
        app.queue.put((START + i, METER, values))
        if job.get("interval_ms"):
            await asyncio.sleep(job["interval_ms"] / 1000)


async def cut_link(app: App, job: dict) -> None:
    """Take the network down for a while."""
    down_ms, up_ms = job["link_down_ms"]
    await clock.sleep_ms(down_ms)
    app.network.up = False
    await clock.sleep_ms(up_ms - down_ms)
    app.network.up = True


def footprint() -> list:
    """Bytes of heap in use (0 on CPython) and open files."""
    gc.collect()
    heap = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
    return [heap, len(os.listdir("/proc/self/fd"))]


def reached(sink, job: dict) -> bool:
    """Whether that has come which the job waits for."""
    until = job.get("until", "sent")
    if until == "sent":
        return sink.cursor.sent + sink.cursor.superseded + sink.set_aside >= job["count"]
    if until == "retried":
        return sink.retried > 0
    return sink.state.startswith(until)


async def main(job: dict) -> dict:
    entry = defaults()
    entry.update(job["entry"])
    app = App(job.get("slots", 1200))
    sink = mqtt.Sink("mqtt", entry, app, app.queue.sink_cursor(mqtt, entry, True))
    tasks = [asyncio.create_task(sink.run()), asyncio.create_task(feed(app, job))]
    if "link_down_ms" in job:
        tasks.append(asyncio.create_task(cut_link(app, job)))
    started = clock.uptime_ms()
    ticks = 0
    states = []
    used = []
    while not reached(sink, job) and clock.uptime_ms() - started < job.get("timeout_ms", 20000):
        await asyncio.sleep(0.005)
        ticks += 1
        if not states or (states[-1] != sink.state and len(states) < _STATES):
            states.append(sink.state)
        if len(used) < 2 and clock.uptime_ms() - started > job.get("warm_ms", 0):
            used += footprint()
    took = clock.uptime_ms() - started
    await asyncio.sleep(job.get("linger_s", 0.1))
    for task in tasks:
        task.cancel()
    await asyncio.sleep(0.1)
    used += footprint()
    return {
        "heap": used[::2],
        "fds": used[1::2],
        "states": states,
        "ms": took,
        "ticks": ticks,
        "sent": sink.sent,
        "retried": sink.retried,
        "superseded": sink.superseded,
        "dropped": sink.dropped,
        "set_aside": sink.set_aside,
        "waiting": sink.cursor.waiting,
    }


logging.basicConfig(level=logging.INFO)
with open(sys.argv[1]) as file:
    given = json.loads(file.read())
clock.set_speed(given.get("speed", 1))
print(json.dumps(asyncio.run(main(given))))
