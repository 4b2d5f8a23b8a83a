"""Quarter hours of a meter's counters, one after the other: arithmetic without input or output.

    quarters = Quarters(120)
    found = quarters.put(utc, imported, exported, power)      # None, or the one that has ended
    found.number                       # UTC // 900: the same in every zone
    found.import_w, found.export_w     # means; None where it was not seen from end to end
    quarters.begun()                   # (UTC, imported, exported) of the running one's beginning

A quarter lasts from the first reading at or behind its beginning to the first one at or behind its
end, and its energy is the difference of the counters of these two, divided by the seconds between
them: the way of capacity tariffs. utc: seconds since 2000; energies in mWh, power in W (import
less export), None where the meter has no such thing.

What was counted in a gap belongs to the gap: a quarter whose beginning or end was passed with no
reading for longer than `pause_s` has no mean. Nor has one in which a counter fell, or rose by more
than a house can draw: another meter, or a wrong value.
"""

from micropython import const

SECONDS = const(900)
_MOST_W = const(200000)  # three phases of 230 V and 250 A have less


class Quarter:
    """One of them, running or ended."""

    late_s = 0  # of the first reading behind its end
    import_w: int | None = None
    export_w: int | None = None

    def __init__(self, utc: int, imported, exported, is_seen: bool) -> None:
        self.number = utc // SECONDS
        self.begun = (utc, imported, exported)
        self.is_whole = is_seen  # from end to end, as far as it has come
        self.samples = 0
        self.silent_s = 0  # in pauses that were too long
        self.least_w: int | None = None
        self.most_w: int | None = None


class Quarters:
    """The running quarter, and what the last reading was."""

    breaks = 0  # times that a counter fell or leapt
    gaps = 0  # ends of quarters that nobody saw

    def __init__(self, pause_s: int) -> None:
        self._pause_s = pause_s
        self._now: Quarter | None = None
        self._last: tuple = (-1, None, None)

    def begun(self) -> tuple | None:
        """What restore() takes after a restart."""
        return self._now.begun if self._now else None

    def restore(self, utc: int, imported, exported) -> None:
        """The running quarter began so, in an earlier run."""
        self._begin(utc, imported, exported)
        self._last = (utc, imported, exported)

    def put(self, utc: int, imported, exported, power) -> Quarter | None:
        """A reading; its time has to be above the last one's, or it is not counted."""
        last = self._last
        if utc <= last[0]:
            return None
        now = self._now
        ended = None
        if now is None:
            now = self._begin(utc, imported, exported)
        else:
            seconds = utc - last[0]
            if _leaps(seconds, last[1], imported) or _leaps(seconds, last[2], exported):
                self.breaks += 1
                now.is_whole = False
            if utc // SECONDS != now.number:
                self._end(now, utc, imported, exported)
                ended = now
                now = self._begin(utc, imported, exported)
        now.silent_s += self._silent(utc, now)
        now.samples += 1
        if power is not None:
            now.least_w = power if now.least_w is None else min(now.least_w, power)
            now.most_w = power if now.most_w is None else max(now.most_w, power)
        self._last = (utc, imported, exported)
        return ended

    def _begin(self, utc: int, imported, exported) -> Quarter:
        self._now = Quarter(utc, imported, exported, utc % SECONDS <= self._pause_s)
        return self._now

    def _silent(self, utc: int, now: Quarter) -> int:
        """Seconds of this quarter between the last reading and here, where that is too long."""
        pause_s = utc - self._last[0]
        return utc - max(self._last[0], now.number * SECONDS) if pause_s > self._pause_s else 0

    def _end(self, now: Quarter, utc: int, imported, exported) -> None:
        end = (now.number + 1) * SECONDS
        now.late_s = utc - end
        if utc - self._last[0] > self._pause_s:
            now.silent_s += end - max(self._last[0], end - SECONDS)
        if now.late_s > self._pause_s:
            self.gaps += 1
            now.is_whole = False
        if now.is_whole:
            seconds = utc - now.begun[0]
            now.import_w = mean_w(now.begun[1], imported, seconds)
            now.export_w = mean_w(now.begun[2], exported, seconds)


def mean_w(before: int | None, behind: int | None, seconds: int) -> int | None:
    """W between two counters in mWh, rounded half up; None where one of them is not known."""
    if before is None or behind is None:
        return None
    return ((behind - before) * 36 + 5 * seconds) // (10 * seconds)


def _leaps(seconds: int, before: int | None, behind: int | None) -> bool:
    """Whether a counter in mWh fell, or rose by what no house draws."""
    if before is None or behind is None:
        return (before is None) != (behind is None)
    return not 0 <= (behind - before) * 36 <= _MOST_W * 10 * (seconds + 1)
