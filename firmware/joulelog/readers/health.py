"""The logger itself as a meter: memory, uptime, and every reader's and sink's counters.

    readers = [{"type": "health", "interval": 60}]

What is counted each part tells by its counters().

`heap_free` and `heap_largest` (the largest free block, 16 kB at most) are looked at every five
minutes, behind a collection: what is garbage is not in use. The block is found by trying: nine
blocks at most are asked for, without a collection, and given back at once. That takes as long as
one collection and leaves 150 bytes of garbage. MicroPython does not count its collections.
"""

import gc
import io

from micropython import const

from .. import clock
from ..backlog import wear

_LOOK_MS = const(300000)
_LARGEST = const(16384)  # bytes; an ESP32's heap would grow for more
_STEP = const(64)

SCHEMA = """\
interval | int 5..86400 | 60 | seconds between two readings
"""
NEEDS = ("clock", "supervisor", "network", "queue", "readers", "sinks")


class Reader:
    """Publishes what the parts of the app count."""

    def __init__(
        self,
        name: str,
        entry: dict,
        output,
        app_clock,
        supervisor,
        network,
        queue,
        readers: list,
        sinks: list,
    ) -> None:
        self.name = name
        self._output = output
        output.say("ok")
        self._clock = app_clock
        self._supervisor = supervisor
        self._network = network
        self._queue = queue
        self._readers = readers  # lists that grow until the app runs
        self._sinks = sinks
        self._interval = entry["interval"]
        self._channels: tuple = ()
        self._heap = (None, None)  # bytes free, and in one piece
        self._look_ms = None  # uptime when that was seen

    def counters(self) -> tuple:
        """Nothing."""
        return ()

    def describe(self) -> str:
        """For the start report."""
        return "counters of all readers and sinks, every %d s" % self._interval

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            await clock.sleep_ms(self._interval * 1000)
            self._publish()

    def _publish(self) -> None:
        rows = [
            ("uptime", "s", clock.uptime_ms() // 1000, "total_increasing", "duration"),
            ("longest_step", "ms", self._supervisor.longest_step_ms, "measurement", ""),
            ("clock_steps", "", self._clock.steps, "total_increasing", ""),
            ("clock_drift", "ppm", self._clock.drift_ppm, "measurement", ""),
            ("restarts", "", self._supervisor.restarts, "total_increasing", ""),
            ("link_outages", "", self._network.outages, "total_increasing", ""),
        ]
        if hasattr(gc, "mem_free"):
            self._look_at_heap()
            rows.append(("heap_free", "B", self._heap[0], "measurement", ""))
            rows.append(("heap_largest", "B", self._heap[1], "measurement", ""))
        for part in self._readers + self._sinks:
            _add(rows, _key(part.name) + "_", part.counters())
        table = self._queue.latest.rows
        for name in table:
            _add(rows, _key(name), (("_left_out", table[name].left_out),))
        now = self._clock.now()
        for sink in self._sinks:
            cursor = sink.cursor
            oldest = cursor.oldest_time
            age = None if now is None or oldest is None else max(0, now - oldest)
            key = _key(sink.name)
            rows.append((key + "_waiting", "", cursor.waiting, "measurement", ""))
            rows.append((key + "_oldest", "s", age, "measurement", "duration"))
        spool = self._queue.spool
        if spool:
            rows.append(("flash_used", "B", spool.used, "measurement", ""))
            rows.append(("flash_life", "years", wear.years_of(spool), "measurement", ""))
            _add(rows, "flash_", spool.counters())
        if len(rows) != len(self._channels):
            self._channels = tuple([(r[0], r[1], 0, r[3], r[4]) for r in rows])
        self._output.publish(self._clock.stamp(), self._channels, [r[2] for r in rows])

    def _look_at_heap(self) -> None:
        now = clock.uptime_ms()
        if self._look_ms is None or now - self._look_ms >= _LOOK_MS:
            self._look_ms = now
            gc.collect()
            self._heap = (gc.mem_free(), largest_block())  # type: ignore[attr-defined]


def _key(name: str) -> str:
    """A name as the beginning of a channel's key, which has no blanks."""
    return name.replace(" ", "_")


def _add(rows: list, prefix: str, counters: tuple) -> None:
    for name, number in counters:
        rows.append((prefix + name, "", number, "total_increasing", ""))


def largest_block() -> int:
    """Bytes of the largest free block, to 64 bytes; 16384 where it has that or more.

    Up to 1 kB less where nothing else is free: what it tries and gets not leaves exceptions there.
    """
    gc.disable()  # what does not fit is no reason to collect
    try:
        low, high = 0, _LARGEST + _STEP
        while high - low > _STEP:
            size = _LARGEST if not low and high > _LARGEST else (low + high) // 2
            if _fits(size):
                low = size
            else:
                high = size
        return low
    finally:
        gc.enable()


def _fits(size: int) -> bool:
    try:
        # The one object whose memory can be given back at once.
        io.BytesIO(size).close()  # type: ignore[attr-defined]
    except MemoryError:
        return False
    return True
