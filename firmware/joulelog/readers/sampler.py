"""Readings of an ADC at an even pace, for a detector that works on blocks of them.

    sampler = Sampler(adc, tick_ms=2, slots=512)
    sampler.start(timer=True)              # False: a task calls tick() often enough
    count = sampler.take(block)            # samples into an array("i"), 0: none are waiting
    sampler.blind_ms                       # for how long nobody could look

A sample is the sum of READS readings; a negative one stands for so many ms without any. With a
timer, samples are taken while other tasks compute, but not while C code keeps the chip: a name
look-up, a TLS handshake, a garbage collection, a flash erase. The gaps are measured by the
chip's clock, and counted. A recording (on a computer) waits for its listener and has no gaps.
"""

from array import array

import machine
from micropython import const

from .. import clock

READS = const(2)

_TIMERS = const(4)  # at most

_taken: list = []  # numbers of the timers in use


class Sampler:
    """One ADC."""

    def __init__(self, adc, tick_ms: int, slots: int) -> None:
        self.blind_ms = 0
        self.errors = 0  # readings that failed: an ADC that Wi-Fi uses as well
        self.needs_ticks = False  # of a task: there is no timer, and no recording
        self._adc = adc
        self._read = adc.read_u16
        self._tick_ms = tick_ms
        self._ring = array("i", [0] * slots)
        self._head = 0  # written by the interrupt
        self._tail = 0  # written by the task
        self._last = clock.ticks_ms()
        self._bunched = False
        self._timer = None
        self._number = 0  # the timer's
        self._seek = getattr(adc, "seek_us", None)
        self._played_ms = clock.uptime_ms()

    def start(self, timer: bool, esp8266: bool = False) -> None:
        """Begin, by a timer where one is wanted and there is a free one."""
        self._last = clock.ticks_ms()
        self._played_ms = clock.uptime_ms()
        self.needs_ticks = not self._seek
        if not timer or self._seek or not hasattr(machine, "Timer"):
            return
        number = -1  # virtual: as many as one likes
        if not esp8266:
            free = [n for n in range(_TIMERS) if n not in _taken]
            if not free:
                return
            number = free[0]
        try:
            self._timer = machine.Timer(number)
            self._timer.init(period=self._tick_ms, mode=self._timer.PERIODIC, callback=self.tick)
        except ValueError:  # the chip has fewer
            self._timer = None
            return
        self._number = number
        _taken.append(number)
        self.needs_ticks = False

    def stop(self) -> None:
        """Leave the timer to others."""
        if self._timer:
            self._timer.deinit()
            self._timer = None
            _taken.remove(self._number)

    def tick(self, _timer=None) -> None:
        """Take one sample: called by the timer, so that nothing in here allocates."""
        now = clock.ticks_ms()
        since = clock.ticks_diff(now, self._last)
        tick = self._tick_ms
        if (self._bunched and since < tick - 1) or since < 0:
            return  # calls that were held back come all at once
        self._bunched = False
        if since > 2 * tick + 1:
            self._bunched = True
            self.blind_ms += since - tick
            self._put(tick - since)
        self._last = now
        try:
            self._put(self._read() + self._read())
        except (OSError, ValueError):
            self.errors += 1

    def take(self, block) -> int:
        """Move samples that wait into the block; how many."""
        if self._seek:
            return self._play(block)
        ring = self._ring
        tail = self._tail
        head = self._head
        count = 0
        while tail != head and count < len(block):
            block[count] = ring[tail]
            tail = tail + 1 if tail + 1 < len(ring) else 0
            count += 1
        self._tail = tail
        return count

    def _put(self, sample: int) -> None:
        head = self._head
        following = head + 1 if head + 1 < len(self._ring) else 0
        if following == self._tail:  # the task has not come round for too long
            self.blind_ms += self._tick_ms if sample >= 0 else 0
            return
        self._ring[head] = sample
        self._head = following

    def _play(self, block) -> int:
        """What a recording has for the time that has passed."""
        due = (clock.uptime_ms() - self._played_ms) // self._tick_ms
        count = min(due, len(block))
        for index in range(count):
            self._seek(self._played_ms * 1000)  # type: ignore[misc]
            self._played_ms += self._tick_ms
            block[index] = self._read() + self._read()
        return count
