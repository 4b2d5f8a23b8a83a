"""A clock that moves only when a test says so: days of waiting take no time.

    virtual = VirtualClock()
    virtual.install()                   # in place of joulelog.clock's functions
    async def story():
        task = asyncio.create_task(reader.run())
        await virtual.advance(35000)    # everything that is due by then runs, in order of time
    virtual.play(story())               # with restore() at the end

Works for code that waits by joulelog.clock alone. The same on CPython and MicroPython.
"""

import asyncio

from joulelog import clock

_ROUNDS = 3  # of the loop without anything new: as long as the chains of wake-ups here


class VirtualClock:
    """Stands for joulelog.clock's uptime_ms, sleep_ms and wait_for_ms."""

    def __init__(self, uptime_ms: int = 0) -> None:
        self.ms = uptime_ms
        self._sleepers: list = []  # [deadline, event]
        self._calls = 0
        self._originals = (clock.uptime_ms, clock.sleep_ms, clock.wait_for_ms)

    def install(self) -> None:
        clock.uptime_ms = self.uptime_ms
        clock.sleep_ms = self.sleep_ms
        clock.wait_for_ms = self.wait_for_ms

    def restore(self) -> None:
        clock.uptime_ms, clock.sleep_ms, clock.wait_for_ms = self._originals

    def play(self, story):
        """Run a coroutine by this clock."""
        self.install()
        try:
            return asyncio.run(story)
        finally:
            self.restore()

    def forget(self) -> None:
        """Nobody sleeps any more: the board has restarted."""
        self._sleepers = []

    def uptime_ms(self) -> int:
        return self.ms

    async def sleep_ms(self, ms: int) -> None:
        self._calls += 1
        if ms <= 0:
            await asyncio.sleep(0)
            return
        sleeper = [self.ms + ms, asyncio.Event()]
        self._sleepers.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    async def wait_for_ms(self, awaitable, ms: int):
        raise NotImplementedError("no test needs it yet")

    async def settle(self) -> None:
        """Let all tasks run until each waits for a later time, or for another's event."""
        quiet = 0
        while quiet < _ROUNDS:
            before = self._calls
            await asyncio.sleep(0)
            quiet = quiet + 1 if self._calls == before else 0

    async def advance(self, ms: int) -> None:
        """Let time pass; tasks wake in the order of their deadlines."""
        end = self.ms + ms
        await self.settle()
        while self._sleepers:
            due = min([sleeper[0] for sleeper in self._sleepers])
            if due > end:
                break
            self.ms = due
            for sleeper in [s for s in self._sleepers if s[0] == due]:
                self._sleepers.remove(sleeper)
                sleeper[1].set()
            await self.settle()
        self.ms = end
