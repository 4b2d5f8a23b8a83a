"""The logger itself as a meter: memory, uptime, and every reader's and sink's counters.

    readers = [{"type": "health", "interval": 60}]

What is counted is listed in each module's COUNTERS.

`heap_free` and `heap_largest` (the largest free block, 16 kB at most) are looked at every five
minutes, behind a collection: what is garbage is not in use. The block is found by trying: nine
blocks at most are asked for, without a collection, and given back at once. That takes as long as
one collection and leaves 150 bytes of garbage. MicroPython does not count its collections.
"""

import gc
import io

from micropython import const

from .. import clock, wear

_LOOK_MS = const(300000)
_LARGEST = const(16384)  # bytes; an ESP32's heap would grow for more
_STEP = const(64)

SCHEMA = """\
interval | int 5..86400 | 60 | seconds between two readings
"""


class Reader:
    """Publishes what the parts of the app count."""

    COUNTERS = ()

    def __init__(self, name: str, entry: dict, app, output) -> None:
        self.name = name
        self.state = "ok"
        self._app = app
        self._output = output
        self._interval = entry["interval"]
        self._channels: tuple = ()
        self._heap = (None, None)  # bytes free, and in one piece
        self._look_ms = None  # uptime when that was seen

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
            ("longest_step", "ms", self._app.supervisor.longest_step_ms, "measurement", ""),
            ("clock_steps", "", self._app.clock.steps, "total_increasing", ""),
            ("clock_drift", "ppm", self._app.clock.drift_ppm, "measurement", ""),
            ("restarts", "", self._app.supervisor.restarts, "total_increasing", ""),
            ("link_outages", "", self._app.network.outages, "total_increasing", ""),
        ]
        if hasattr(gc, "mem_free"):
            self._look_at_heap()
            rows.append(("heap_free", "B", self._heap[0], "measurement", ""))
            rows.append(("heap_largest", "B", self._heap[1], "measurement", ""))
        for part in self._app.readers + self._app.sinks:
            for counter in part.COUNTERS:
                value = getattr(part, counter)
                rows.append((part.name + "_" + counter, "", value, "total_increasing", ""))
        for output in self._app.outputs:
            name = output.source.name + "_left_out"
            rows.append((name, "", output.left_out, "total_increasing", ""))
        now = self._app.clock.now()
        for cursor in self._app.cursors:
            oldest = cursor.oldest_time
            age = None if now is None or oldest is None else max(0, now - oldest)
            rows.append((cursor.name + "_waiting", "", cursor.waiting, "measurement", ""))
            rows.append((cursor.name + "_oldest", "s", age, "measurement", "duration"))
        spool = self._app.spool
        if spool:
            rows.append(("flash_used", "B", spool.used, "measurement", ""))
            rows.append(("flash_life", "a", wear.years_of(spool), "measurement", ""))
            for counter in spool.COUNTERS:
                value = getattr(spool, counter)
                rows.append(("flash_" + counter, "", value, "total_increasing", ""))
        if len(rows) != len(self._channels):
            self._channels = tuple([(r[0], r[1], 0, r[3], r[4]) for r in rows])
        self._output.publish(self._app.clock.stamp(), self._channels, [r[2] for r in rows])

    def _look_at_heap(self) -> None:
        now = clock.uptime_ms()
        if self._look_ms is None or now - self._look_ms >= _LOOK_MS:
            self._look_ms = now
            gc.collect()
            self._heap = (gc.mem_free(), largest_block())  # type: ignore[attr-defined]


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
