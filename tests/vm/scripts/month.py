"""The whole app through a month of bad luck, by a clock that moves only when told.

    month.py DAYS [SECONDS [UPTIME]]

A meter that is read every SECONDS (60), a server that keeps times, the app's own Wi-Fi, clock,
queue, supervisor and watchdog between them, which have been up for UPTIME days (0); fakes only
where the air, the chip and the server begin. 20 outages a day of 5 s to 20 minutes, and what is in
`story` below. Prints "MONTH" and what came of it as JSON; test_month.py says what it has to be.
Runs on CPython and on the VM.
"""

import asyncio
import gc
import json
import sys

from civil import seconds
from fake_network import Air, Point
from virtual_clock import VirtualClock

from joulelog import app as app_module
from joulelog import clock, net, registry
from joulelog.config import schema
from joulelog.device import guard
from joulelog.errors import NetError
from joulelog.net import ntp, wifi
from joulelog.net.server import Retry
from joulelog.sinks import batch

DAYS = int(sys.argv[1])
EVERY_S = int(sys.argv[2]) if len(sys.argv) > 2 else 60
UPTIME_DAYS = int(sys.argv[3]) if len(sys.argv) > 3 else 0
NOON = seconds(2026, 11, 20, 12)
TIMEOUT_MS = 10000  # of a request
MINUTE = 60000
HOUR = 3600000
DAY = 24 * HOUR
CHANNELS = (("serial", "", 0, "total_increasing", ""),)
CONFIG = {
    "wifi": {"ssid": "home", "password": "correct horse"},
    "readers": [{"type": "meter"}],
    "sinks": [{"type": "server", "interval": 10}],
    "log": {"size_kb": 0, "directory": "/nowhere", "level": "error"},
    "queue": {"slots": 64},
}


class Board:
    NAME = "TEST"
    UARTS: dict = {}
    LED = None
    LOG_DIRECTORY = "/nowhere"
    WATCHDOG_MS = 60000
    NO_ROOM = ("setup", "button")  # no access point, no line for Improv


class World:
    """All that is outside the firmware, and the books about it."""

    def __init__(self) -> None:
        self.clock = VirtualClock(UPTIME_DAYS * DAY)
        self.home = Point("home", "correct horse")
        self.air = Air(self.clock, self.home)
        self.server = True
        self.deaf_ms = 0
        self.early = 0
        self.deaf = False  # the link says it is connected, and carries nothing
        self.lie_s = 0  # of the time server
        self.hangs = False  # the meter's reader, at its next reading
        self.produced = 0
        self.stored = 0
        self.gaps = 0  # readings that are missing before one that is there
        self.disorder = 0  # readings that came twice, or behind a newer one
        self.mistimed = 0
        self.times: list = []  # of the readings on their way: (serial, UTC)
        self.last = -1
        self.resets = 0
        self.fed_ms = self.clock.ms
        self.longest_ms = 0
        self.largest = 0  # heap in use, after a collection

    def answers(self) -> bool:
        if self.deaf and self.air.station.off and self.air.station.off[-1] > self.deaf_ms:
            self.deaf = False  # switched off and on: it works again
        return self.air.station.isconnected() and not self.deaf

    def utc(self) -> int:
        return NOON + self.clock.ms // 1000

    def store(self, serial: int, time: int) -> None:
        self.stored += 1
        if serial <= self.last:
            self.disorder += 1
            return
        self.gaps += serial - self.last - 1
        self.last = serial
        while self.times and self.times[0][0] < serial:
            self.times.pop(0)
        if abs(self.times[0][1] - time) > 1:
            self.mistimed += 1

    # machine, for guard.py

    def reset_cause(self) -> int:
        return 1

    def reset(self) -> None:
        self.resets += 1

    def WDT(self, timeout: int):
        return self

    def feed(self) -> None:
        self.longest_ms = max(self.longest_ms, self.clock.ms - self.fed_ms)
        self.fed_ms = self.clock.ms


world = World()


class Reader:
    """A meter that counts its readings."""

    def __init__(self, name, entry, output, app_clock) -> None:
        self.name = name
        self._clock = app_clock
        self._output = output

    async def run(self) -> None:
        while True:
            await clock.sleep_ms(EVERY_S * 1000)
            if world.hangs:
                world.hangs = False
                await asyncio.Event().wait()
            world.times.append((world.produced, world.utc()))
            self._output.publish(self._clock.stamp(), CHANNELS, [world.produced])
            world.produced += 1
            if len(world.times) > 400:  # those that the ring lost meanwhile
                world.times.pop(0)


class Sink(batch.BatchSink):
    """Sends to the server what keeps times."""

    def add(self, out, time, reading, first) -> None:
        out.put("%d,%d;" % (reading[2][0], time))

    async def post(self, body) -> None:
        if not world.answers() or not world.server:
            await clock.sleep_ms(TIMEOUT_MS)
            net.unanswered()
            raise Retry("no answer")
        await clock.sleep_ms(200)
        net.answered()
        for line in bytes(body).decode().split(";")[:-1]:
            serial, time = line.split(",")
            world.store(int(serial), int(time))


class Parts:
    """Stands for two modules."""

    def __init__(self, **parts) -> None:
        for name in parts:
            setattr(self, name, parts[name])


async def query(server: str, timeout_ms: int) -> int:
    """The time server."""
    if not world.answers():
        await clock.sleep_ms(timeout_ms)
        raise NetError("no answer")
    net.answered()
    return world.utc() + world.lie_s


async def outage(ms: int) -> None:
    world.home.there = False
    await world.clock.advance(ms)
    world.home.there = True


async def bad_luck(day: int) -> int:
    """What a day has in store beside its 20 outages; returns how long it took."""
    started = world.clock.ms
    advance = world.clock.advance
    kind = day % 8
    if kind == 1:  # longer than the ring
        await outage(90 * MINUTE)
    elif kind == 2:  # the router is back, its DHCP server is not
        world.home.dhcp = False
        await outage(2 * MINUTE)
        await advance(40 * MINUTE)
        world.home.dhcp = True
    elif kind == 3:
        world.deaf = True
        world.deaf_ms = world.clock.ms
    elif kind == 4:
        world.server = False
        await advance(50 * MINUTE)
        world.server = True
    elif kind == 5:  # an hour ahead until the next question but one
        world.lie_s = 3600
        await advance(7 * HOUR)
        world.lie_s = 0
    elif kind == 6:
        world.lie_s = -3600
        await advance(7 * HOUR)
        world.lie_s = 0
    elif kind == 7:
        world.hangs = True
    return world.clock.ms - started


async def story(app) -> None:
    task = asyncio.create_task(app.run())
    await outage(10 * MINUTE)  # after a power cut: the router needs longer than the board
    for day in range(DAYS):
        spent = await bad_luck(day)
        for number in range(20):
            away = (5000, 30000, 120000, 1200000)[number % 4]
            await world.clock.advance((DAY - spent - 10 * MINUTE) // 20 - away)
            await outage(away)
        await world.clock.advance(10 * MINUTE)  # to catch up
        # The fake's books would be the largest thing; from day 13 on each time in them is a big
        # number, an object of its own.
        world.air.station.attempts = []
        world.air.station.off = world.air.station.off[-1:]
        gc.collect()
        if day > 1 and hasattr(gc, "mem_alloc"):
            world.largest = max(world.largest, gc.mem_alloc())
        if day == 1 and hasattr(gc, "mem_alloc"):
            world.early = gc.mem_alloc()
    await world.clock.advance(HOUR)  # to catch up
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass


def main() -> None:
    sys.modules["month_meter"] = Parts(SCHEMA="", NEEDS=("clock",), Reader=Reader)  # type: ignore[assignment]
    sys.modules["month_server"] = Parts(SCHEMA=batch.SCHEMA, NEEDS=(), DESTINATION=(), Sink=Sink)
    registry.READERS = (("meter", "month_meter"),)
    registry.SINKS = (("server", "month_server"),)
    wifi.network = world.air
    guard.machine = world
    ntp.query = query
    clock.board_time = lambda: None
    if hasattr(gc, "threshold"):
        gc.threshold(50000)
    world.clock.install()
    app = app_module.App(schema.check(CONFIG, Board, registry), Board)
    app.log.stream = None
    world.clock.play(story(app))
    cursor = app.sinks[0].cursor
    found = {
        "produced": world.produced,
        "stored": world.stored,
        "waiting": cursor.waiting,
        "dropped": cursor.dropped,
        "gaps": world.gaps,
        "disorder": world.disorder,
        "mistimed": world.mistimed,
        "outages": app.network.outages,
        "restarts": app.supervisor.restarts,
        "clock_steps": app.clock.steps,
        "drift_ppm": app.clock.drift_ppm,
        "resets": world.resets,
        "longest_without_feed_ms": world.longest_ms,
    }
    if world.largest:
        found["heap_growth"] = world.largest - world.early
    print("MONTH", json.dumps(found))


main()
