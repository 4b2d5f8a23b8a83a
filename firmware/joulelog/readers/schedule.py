"""When a meter is asked, and when it counts as silent.

    schedule = Schedule(interval_s, misses)
    while True:
        if schedule.new: ...              # ask twice: what a meter sends when its power comes
                                          # can be garbage
        if schedule.heard(): ...          # an answer; True: it had been silent
        if schedule.missed(): ...         # no answer; True: now it is silent
        schedule.tell([16, 32], hex, log) # what of it has not answered this time: .silent
        missed += await schedule.wait()   # due times that have passed altogether
    ... schedule.wait(listen)         # listen(ms) in place of a pause of so many ms

Times are due at multiples of the interval of the uptime: they do not drift, meters with the same
interval are asked one after the other, and a silent one costs the others its time-out. One that
is late does not shift those after it.
"""

from .. import clock


class Schedule:
    """The due times and the misses of one meter."""

    def __init__(self, interval_s: int, patience: int) -> None:
        self.new = True  # nothing was heard yet, or not for long
        self._interval_ms = interval_s * 1000
        self._due = clock.uptime_ms()
        self._patience = patience
        self._misses = 0
        self.silent: list = []

    def heard(self) -> bool:
        """An answer came; True where the meter had been silent."""
        silent = self._misses >= self._patience
        self._misses = 0
        self.new = False
        return silent

    def missed(self) -> bool:
        """No answer came; True where that makes the meter a silent one, which is told once."""
        self._misses += 1
        if self._misses != self._patience:
            return False
        self.new = True
        return True

    def tell(self, silent: list, name, log) -> None:
        """Log which registers fall silent, by name(one), or that they are back: once each."""
        if silent != self.silent:
            self.silent = silent
            if silent:
                log.warning("no answer for the registers %s", ", ".join(map(name, silent)))
            else:
                log.info("all registers answer again")

    async def wait(self, pause=None) -> int:
        """Sleep until the next time is due; how many have passed already."""
        interval_ms = self._interval_ms
        now = clock.uptime_ms()
        passed = max(0, (now - self._due) // interval_ms)
        self._due = (now // interval_ms + 1) * interval_ms
        while now < self._due:
            await (pause or clock.sleep_ms)(max(1, self._due - now))
            now = clock.uptime_ms()
        return passed
