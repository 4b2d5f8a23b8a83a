"""The logger itself as a meter: memory, uptime, and every reader's and sink's counters.

    readers = [{"type": "health", "interval": 60}]

What is counted is listed in each module's COUNTERS.
"""

import gc

from .. import clock, wear

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
            rows.append(("heap_free", "B", gc.mem_free(), "measurement", ""))
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
