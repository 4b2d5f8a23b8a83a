"""The history of one source: its quarter hours, and a record for each local day, in two logs.

    history = History(files, other_files, 100000, 40000, queue.source, local)
    for _ in history.opening(): ...        # slices of work
    history.add(stamp, source, values)     # a reading of derive/quarter; OSError: the medium fails
    for _ in history.closing(stamp): ...   # the days that have ended before this time
    history.flush()                        # before a planned restart
    for row in history.rows(history.quarters, 942000, 942096):
        row                                # None: a pause; else (stamp, source, values)

Quarters have the serial number UTC // 900, days that of the local date since 2000: a time needs no
index. Quarters are written four at a time: a page costs as much as one. What a power cut takes is
their shape; energy is a difference of counters, and each record has these. A day is made of its
quarters on the medium, so a restart makes again what was not written of the days.

local(utc) -> seconds of local time. Formats: lib/ringlog.
"""

from exact import KEY, KIND
from micropython import const
from ringlog.ringlog import Log

from ..flow.reading import Source

QUARTER_S = const(900)
DAY_S = const(86400)
_TOGETHER = const(4)  # records in a page
_PAGE = const(512)
_LEAST_SEGMENT = const(4096)
_MOST_SEGMENT = const(65536)  # whoever looks for a time reads the heads of its pages
DAY = (
    ("power_import_peak", "W", 0, "measurement", "power"),
    ("peak_time", "", 0, "time", ""),
    ("quarters", "", 0, "measurement", ""),
    ("silent", "s", 0, "measurement", "duration"),
    ("whole", "", 0, "flag", ""),
)


class _Day:
    """One that is made of its quarters."""

    def __init__(self, number: int, is_begun: bool) -> None:
        """is_begun: its first quarter is the one that comes now."""
        self.number = number
        self.peak_w: int | None = None
        self.peak_time: int | None = None
        self.quarters = 0
        self.silent_s = 0
        self.is_whole = is_begun
        self.end = 0  # UTC of the end of its last quarter, whose counters are the day's
        self.source: Source | None = None
        self.values: tuple = ()

    def add(self, stamp: int, source, values: tuple) -> None:
        """A quarter of it."""
        found = {}
        for index, channel in enumerate(source.channels):
            if channel[KIND] != "total_increasing":
                found[channel[KEY]] = values[index]
        if self.end and stamp != self.end:
            self.is_whole = False
        self.end = stamp + QUARTER_S
        self.quarters += 1
        self.silent_s += found.get("silent") or 0
        self.is_whole = self.is_whole and found.get("whole") == 1
        power = found.get("power_import_mean")
        if power is not None and (self.peak_w is None or power > self.peak_w):
            self.peak_w = power
            self.peak_time = stamp
        self.source = source
        self.values = values

    def record(self) -> tuple:
        """(channels, values): what is told of a day, and the counters at its end."""
        channels = self.source.channels  # type: ignore[union-attr]
        kept = [at for at in range(len(channels)) if channels[at][KIND] == "total_increasing"]
        own = (self.peak_w, self.peak_time, self.quarters, self.silent_s, int(self.is_whole))
        return (
            DAY + tuple([channels[at] for at in kept]),
            own + tuple([self.values[at] for at in kept]),
        )


class History:
    """See the module's text; the capacities are bytes, make_source that of lib/ringlog."""

    def __init__(self, quarters, days, quarter_bytes, day_bytes, make_source, local) -> None:
        self._make_source = make_source
        self._local = local
        self.quarters = _log(quarters, quarter_bytes, make_source)
        self.days = _log(days, day_bytes, make_source)
        self._today = -1  # all days before have their records
        self._recent: list = []  # in the pages in RAM: (log, serial, stamp, source, values)

    def opening(self):
        """Find what is there: a generator of pauses; OSError."""
        yield from self.quarters.open()
        yield from self.days.open()

    def day_of(self, utc: int) -> int:
        """The number of the local day."""
        return self._local(utc) // DAY_S

    def add(self, stamp: int, source, values: tuple) -> bool:
        """Keep a quarter; False where it is there already. OSError: try again later."""
        return self._append(self.quarters, stamp // QUARTER_S, stamp, source, values)

    def flush(self) -> None:
        """Write what is in RAM; OSError."""
        self._write(self.quarters)
        self._write(self.days)

    def closing(self, until: int):
        """Make the records of all days that have ended before: a generator of pauses; OSError."""
        today = self.day_of(until)
        if today == self._today:
            return
        self._write(self.quarters)
        reader = self.quarters.reader()
        # No zone is more than a day away from UTC.
        reader.seek(max(0, (self._newest(self.days) * DAY_S) // QUARTER_S))
        day = None
        while True:
            found = reader.step()
            yield
            if found is None:
                continue
            number = self.day_of(reader.stamp) if found else today
            if day and number != day.number:
                self._close(day)
                day = None
            if number >= today:
                self._today = today
                return
            if number > self._newest(self.days):
                if not day:
                    day = _Day(number, self.day_of(reader.stamp - QUARTER_S) < number)
                day.add(reader.stamp, reader.source, reader.values)

    def rows(self, log, first: int, last: int):
        """Yield (stamp, source, values) of these serial numbers, and None for a pause; OSError."""
        reader = log.reader()
        reader.seek(first)
        while True:
            found = reader.step()
            if found is None:
                yield None
                continue
            if not found or reader.serial > last:
                break
            yield reader.stamp, reader.source, reader.values
        for one in list(self._recent):
            if one[0] is log and first <= one[1] <= last and one[1] > log.last:
                yield one[2:]

    def _close(self, day: _Day) -> None:
        channels, values = day.record()
        before = day.source
        source = self._make_source(before.name, channels, before.identity)  # type: ignore
        self._append(self.days, day.number, day.end, source, values)

    def _newest(self, log) -> int:
        return log.pending_first + log.pending - 1 if log.pending else log.last

    def _append(self, log, serial: int, stamp: int, source, values: tuple) -> bool:
        if serial <= self._newest(log):
            return False
        if log.pending >= _TOGETHER or not log.append(serial, 0, stamp, source, values):
            self._write(log)
            log.append(serial, 0, stamp, source, values)
        self._recent.append((log, serial, stamp, source, values))
        if log.pending >= _TOGETHER:
            try:
                self._write(log)
            except OSError:
                pass  # it is in RAM: the next one needs the room
        return True

    def _write(self, log) -> None:
        while log.pending and not log.flush():
            log.drop_oldest()
        self._recent = [one for one in self._recent if one[0] is not log]


def _log(files, capacity: int, make_source) -> Log:
    segment = max(_LEAST_SEGMENT, min(_MOST_SEGMENT, capacity // 16))
    return Log(files, max(capacity, 2 * segment), segment, _PAGE, make_source)
