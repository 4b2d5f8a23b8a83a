"""Run the MQTT sink as a job file says, and print what came of it, as one JSON object.

Runs on MicroPython and on CPython alike; tests/integration/test_mqtt.py starts it.

    {"entry": {"host": ..., "port": ...},   the sink's config, where it differs from the defaults
     "count": 1000, "interval_ms": 4,       readings, and the pause between two
     "paced": true,                         the next reading when the one before was sent
     "allowed": "/a/file",                  it says how many readings may come by now
     "slots": 1200, "speed": 1,
     "gate": true,                          tell for how long others waited for a TLS handshake
     "until": "sent" | "waiting" | "denied" | "retried",   stop when this has come
     "link_down_ms": [2000, 3000],          when the network goes, and when it is back
     "timeout_ms": 20000,
     "silent": true,                        the meter falls silent behind them: that is the end
     "warm_ms": 1000}                       when to take the first of "heap" and "fds"

Reading i of "meter" has the channels energy (45678.123 + i thousandths), total (12 digits), text.
"""

import asyncio
import gc
import json
import logging
import os
import sys

from joulelog import clock, registry
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Output, Source
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


class Counts:
    """What is counted here, because the sink does not."""

    def __init__(self, sink) -> None:
        self.given_back = 0  # readings that were on their way when the connection was lost
        self.pauses = 0  # the waits for a next look at the socket, nearly all of them
        self._cursor = sink.cursor
        self._rewind = sink.cursor.rewind
        self._sleep_ms = clock.sleep_ms
        sink.cursor.rewind = self.rewind
        clock.sleep_ms = self.sleep_ms

    def rewind(self) -> None:
        self.given_back += self._cursor.in_flight
        self._rewind()

    def sleep_ms(self, ms: int):
        self.pauses += ms > 0
        return self._sleep_ms(ms)


def allowed(job: dict) -> int:
    """How many readings may come by now."""
    if "allowed" not in job:
        return job["count"]
    with open(job["allowed"]) as file:
        return int(file.read() or "0")


async def feed(app: App, job: dict, sink) -> None:
    """Be the meter."""
    most = 0
    for i in range(job["count"]):
        while i >= most:
            most = allowed(job)
            await asyncio.sleep(0.005)
        values = (45678123 + i, 987654321012 + i, 'no. "%d"' % i, None)
        app.queue.put((START + i, METER, values))
        if job.get("interval_ms"):
            await asyncio.sleep(job["interval_ms"] / 1000)
        while job.get("paced") and sink.cursor.sent <= i:
            await asyncio.sleep(0.005)


async def fall_silent(app: App, job: dict, sink) -> None:
    """The meter does not answer any more once its readings are delivered."""
    output = Output(app.queue, "meter", {}, {}, None)
    output.say("ok")
    await feed(app, job, sink)
    while sink.cursor.sent < job["count"]:
        await asyncio.sleep(0.005)
    output.say("no answer")
    for i in range(3):
        app.queue.put((START + job["count"] + i, METER, (None,) * len(METER.channels)))
        await asyncio.sleep(0.05)
    job["over"] = True


async def cut_link(app: App, job: dict) -> None:
    """Take the network down for a while."""
    down_ms, up_ms = job["link_down_ms"]
    await clock.sleep_ms(down_ms)
    app.network.up = False
    await clock.sleep_ms(up_ms - down_ms)
    app.network.up = True


class Gate:
    """Waits for the gate of TLS handshakes, once the sink is in it."""

    def __init__(self) -> None:
        self._task = asyncio.create_task(self._wait())

    async def _wait(self) -> int:
        from joulelog.net import handshake

        while not handshake.gate.busy:
            await asyncio.sleep(0.005)
        began = clock.uptime_ms()
        async with handshake.gate:
            return clock.uptime_ms() - began

    async def end(self) -> int:
        """Milliseconds that it waited; 0 where nobody was in it."""
        try:
            return await asyncio.wait_for(self._task, 1)
        except asyncio.TimeoutError:
            return 0


def footprint() -> list:
    """Bytes of heap in use (0 on CPython) and open files."""
    gc.collect()
    heap = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
    return [heap, len(os.listdir("/proc/self/fd"))]


def reached(sink, job: dict) -> bool:
    """Whether that has come which the job waits for."""
    if job.get("silent"):
        return "over" in job and not sink.on_way
    until = job.get("until", "sent")
    if until == "sent":
        return sink.cursor.sent + sink.cursor.superseded + sink.cursor.refused >= job["count"]
    if until == "retried":
        return sink.retried > 0
    return sink.state.startswith(until)


async def main(job: dict) -> dict:
    entry = defaults()
    entry.update(job["entry"])
    app = App(job.get("slots", 1200))
    sink = mqtt.Sink(
        "mqtt", entry, app.queue.sink_cursor(mqtt, entry, True), *registry.needed(mqtt, app)
    )
    counts = Counts(sink)
    meter = fall_silent if job.get("silent") else feed
    tasks = [asyncio.create_task(sink.run()), asyncio.create_task(meter(app, job, sink))]
    if "link_down_ms" in job:
        tasks.append(asyncio.create_task(cut_link(app, job)))
    started = clock.uptime_ms()
    gate = Gate() if job.get("gate") else None
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
    gate_ms = await gate.end() if gate else 0
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
        "gate_ms": gate_ms,
        "ticks": ticks,
        "sent": sink.cursor.sent,
        "retried": sink.retried,
        "given_back": counts.given_back,
        "pauses": counts.pauses,
        "superseded": sink.cursor.superseded,
        "dropped": sink.cursor.dropped,
        "set_aside": sink.cursor.refused,
        "waiting": sink.cursor.waiting,
    }


logging.basicConfig(level=logging.INFO)
with open(sys.argv[1]) as file:
    given = json.loads(file.read())
clock.set_speed(given.get("speed", 1))
print(json.dumps(asyncio.run(main(given))))
