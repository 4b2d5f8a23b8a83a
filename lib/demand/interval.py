"""Intervals of a clock out of readings of a counter, whenever these come.

    running = Running(900)
    for time, local, energy in readings:                 # energy: mWh
        closed = running.take(time, local, energy)
        if closed:
            start, energy, seconds = closed

An interval's energy is the difference of the counter at the first readings at or behind its two
ends; seconds is what lies between these readings. Such a reading may be late by a 15th of the
interval. Where there is none so soon, the intervals beside that end were not seen from end to
end, and their energy belongs to no interval. A counter that falls, or leaps by more than any house
can draw, is the end of what was seen of the interval, as is another meter.

Intervals begin by local time (an hour, in zones that are half an hour off), and are told apart by
UTC, so that the hour which comes twice in autumn is two.
"""

from micropython import const

_LATE = const(15)  # th part of the interval
_MOST_PER_S = const(27778)  # mWh: 100 kW
_MARGIN = const(10000)  # mWh that a counter may always grow: its last digit


class Running:
    """The interval that runs."""

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self.start: int | None = None  # when it began; None: nothing was read yet
        self.gaps = 0  # intervals that were not seen from end to end
        self.events = 0  # counters that fell or leapt
        self._begun: tuple | None = (
            None  # (time, mWh) of the reading at its begin, if that was seen
        )
        self._last: tuple | None = None  # the same of the newest one

    def take(self, time: int, local: int, energy: int) -> tuple | None:
        """(start, mWh, seconds) of an interval that this reading closes, or None."""
        start = time - local % self.interval
        before = self._last
        self._last = time, energy
        if before is not None:
            grown, passed = energy - before[1], time - before[0]
            if passed < 0:  # the clock was set back
                self.cut()
            elif not 0 <= grown <= _MOST_PER_S * passed + _MARGIN:
                self.events += 1
                self.cut()
        if start == self.start:
            return None
        in_time = time - start <= self.interval // _LATE
        closed = None
        if self._begun and in_time and self.start == start - self.interval:
            closed = self.start, energy - self._begun[1], time - self._begun[0]
        elif self.start is not None:
            self.gaps += max(1, (start - self.start) // self.interval)
        self.start = start
        self._begun = (time, energy) if in_time else None
        return closed

    def cut(self) -> None:
        """Nothing of what was read belongs together with what comes: another meter."""
        self._begun = None

    def demand(self) -> int | None:
        """mW: its energy so far, over its whole length; None where its begin was not seen."""
        if not self._begun or not self._last:
            return None
        return (self._last[1] - self._begun[1]) * 3600 // self.interval

    def text(self) -> str:
        """What a restart needs to go on with this interval."""
        if not self._begun:
            return ""
        return "%d %d %d" % (self.start, self._begun[0], self._begun[1])

    def load(self, text: str) -> None:
        """Go on with what text() gave, before anything is read."""
        words = text.split(" ")
        if len(words) == 3 and all([word.isdigit() for word in words]):
            self.start, time, energy = [int(word) for word in words]
            self._begun = self._last = (time, energy)
