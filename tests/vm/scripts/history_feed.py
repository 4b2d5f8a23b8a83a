"""A meter that counts on, its quarter hours and their history, for test_history_month and _kill.

    history_feed.py FOLDER FIRST SECONDS STEP ZONE SPEED [OUTAGES]

Readings every STEP seconds from FIRST on (since 2000) for so many SECONDS, in all speed (SPEED 0),
or as much faster than the clock of the computer as SPEED says, from the time on that is now. What
the meter shows at any time is told by shown(). OUTAGES: "from-to,from-to" in seconds behind FIRST.
Prints "DONE quarters gaps breaks" at the end.
"""

import asyncio
import sys
import time

import posixtz

from joulelog import clock
from joulelog.derive import quarter
from joulelog.device.state import Store
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Output, Source
from joulelog.sinks import history

CHANNELS = (
    ("energy_import_t1", "kWh", 3, "total_increasing", "energy"),
    ("energy_import_t2", "kWh", 3, "total_increasing", "energy"),
    ("energy_export_t1", "kWh", 3, "total_increasing", "energy"),
    ("power_import", "W", 0, "measurement", "power"),
    ("power_export", "W", 0, "measurement", "power"),
    ("gas", "m3", 3, "total_increasing", "gas"),
)
P1 = Source("p1", CHANNELS, ("logger", "dsmr", None, None, None))
_ENTRY = {"sources": ["quarter"], "directory": None, "flash_kb": 4000}
_TOGETHER = 60  # readings
_AT_ONCE = 1000000  # times as fast: nobody waits


def watts(at: int) -> int:
    """Import less export, in each minute the same."""
    minute = at // 60
    return minute * minute * 7919 % 9001 - 2500


def shown(first: int, at: int, before: tuple = ()) -> tuple:
    """(minute, import, export): counters in W x s, by whole minutes; before: the same, earlier."""
    minute, imported, exported = before or (first // 60, 0, 0)
    while minute < at // 60:
        power = watts(minute * 60)
        imported += max(0, power) * 60
        exported += max(0, -power) * 60
        minute += 1
    return minute, imported, exported


def reading(at: int, known: tuple) -> tuple:
    """What the meter sends."""
    power = watts(at)
    _, imported, exported = known
    wh = imported // 3600
    values = (wh // 3, wh - wh // 3, exported // 3600)
    return values + (max(0, power), max(0, -power), at // 100)


class Feed:
    """All between the meter and the flash."""

    def __init__(self, folder: str, zone: str) -> None:
        self.clock = clock.Clock()
        if zone:
            self.clock.zone = posixtz.Zone(zone)
        self.queue = Queue(8 * _TOGETHER, self.clock)
        self.store = Store(folder)
        self.store.open()
        identity = ("logger", "quarter", None, None, None)
        output = Output(self.queue, "quarter", {}, {}, None, identity)
        about = (self.clock, self.queue, self.store)
        entry = {"source": "p1", "pause": 120}
        self.quarter = quarter.Reader("quarter", entry, output, *about)
        cursor = self.queue.use(self.queue.cursor("history", ["quarter"]))
        self.sink = history.Sink("history", _ENTRY, cursor, self.clock, self.queue, folder)
        self.tasks: list = []

    def put(self, at: int, values: tuple) -> None:
        self.clock.set(at, "meter")
        self.queue.put((at, P1, values))

    async def start(self) -> None:
        for run in (self.quarter.run, self.sink.run):
            self.tasks.append(asyncio.create_task(run()))
        while not self.sink.histories:
            await asyncio.sleep(0)

    async def settle(self) -> None:
        """Until all has come through."""
        while self.quarter._cursor.waiting or self.sink.cursor.waiting:
            for task in self.tasks:
                if task.done():
                    await task
            await asyncio.sleep(0)
        self.store.save()


async def fast(feed: Feed, first: int, seconds: int, step: int, outages: list) -> None:
    """Everything as fast as it goes."""
    known: tuple = ()
    for count, at in enumerate(range(first, first + seconds, step)):
        known = shown(first, at, known)
        if not any([begin <= at - first < end for begin, end in outages]):
            feed.put(at, reading(at, known))
        if count % _TOGETHER == 0:
            await feed.settle()
    await feed.settle()
    feed.sink.save()


async def slow(feed: Feed, first: int, until: int, step: int, speed: int) -> None:
    """By the computer's clock, whose seconds since `until` count `speed` times."""
    known: tuple = ()
    last = 0
    while True:
        at = first + int((time.time() - until) * speed) // step * step  # type: ignore
        if at > last:
            known = shown(first, at, known)
            feed.put(at, reading(at, known))
            last = at
        await feed.settle()
        await asyncio.sleep(0.001)


def main(folder: str, first: int, seconds: int, step: int, zone: str, speed: int, told="") -> None:
    clock.set_speed(speed or _AT_ONCE)
    feed = Feed(folder, zone)
    outages = [tuple([int(end) for end in one.split("-")]) for one in told.split(",") if one]

    async def run() -> None:
        await feed.start()
        if hasattr(sys.stdout, "flush"):
            print("STARTED")
            sys.stdout.flush()
        if speed:
            await slow(feed, first, seconds, step, speed)
        await fast(feed, first, seconds, step, outages)
        print("DONE", feed.sink.cursor.sent, *[number for _, number in feed.quarter.counters()])

    asyncio.run(run())


if __name__ == "__main__":
    given = sys.argv[1:]
    numbers = [int(text) for text in given[1:4]]
    main(given[0], *numbers, given[4].strip("-"), int(given[5]), *given[6:])
