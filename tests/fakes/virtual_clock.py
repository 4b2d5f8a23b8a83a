"""A clock that moves only when a test says so: days of waiting take no time.

    virtual = VirtualClock()
    virtual.install()                   # in place of joulelog.clock's functions
    async def story():
        task = asyncio.create_task(reader.run())
        await virtual.advance(35000)    # everything that is due by then runs, in order of time
    virtual.play(story())               # with restore() at the end

Works for code that waits by joulelog.clock alone. The same on CPython and MicroPython; CPython's
event loop says when nothing can go on (virtual_loop), the VM's queue of tasks shows it.
"""

import asyncio
import sys

from joulelog import clock

_MICROPYTHON = sys.implementation.name == "micropython"
if _MICROPYTHON:
    from asyncio import core
    from time import ticks_diff
else:
    import virtual_loop


def _wake(waiting) -> bool:
    """Wake who waits; False where nobody does any more."""
    if _MICROPYTHON:
        waiting.set()
    elif waiting.done():
        return False
    else:
        waiting.set_result(None)
    return True


class VirtualClock:
    """Stands for joulelog.clock's uptime_ms, sleep_ms and wait_for_ms."""

    def __init__(self, uptime_ms: int = 0) -> None:
        self.ms = uptime_ms
        self._sleepers: list = []  # [deadline, event or future]
        self._settling: list = []  # futures of who waits until all others wait (CPython)
        self._end = None  # of the advance that goes on, and its future (CPython)
        self._advancing = None
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
            return asyncio.run(story) if _MICROPYTHON else virtual_loop.run(story, self._idle)
        finally:
            self.restore()

    def forget(self) -> None:
        """Nobody sleeps any more: the board has restarted."""
        self._sleepers = []

    def uptime_ms(self) -> int:
        return self.ms

    async def sleep_ms(self, ms: int) -> None:
        if ms <= 0:
            await asyncio.sleep(0)
            return
        if _MICROPYTHON:
            sleeper = [self.ms + ms, asyncio.Event()]
            waiting = sleeper[1].wait()
        else:
            waiting = asyncio.get_running_loop().create_future()
            sleeper = [self.ms + ms, waiting]
        self._sleepers.append(sleeper)
        try:
            await waiting
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    async def wait_for_ms(self, awaitable, ms: int):
        raise NotImplementedError("no test needs it yet")

    async def settle(self) -> None:
        """Let all tasks run until each waits for a later time, or for another's event."""
        if not _MICROPYTHON:  # its loop knows
            waiting = asyncio.get_running_loop().create_future()
            self._settling.append(waiting)
            await waiting
            return
        while True:
            await asyncio.sleep(0)
            # Who runs is not in the queue, nor is who waits for an event.
            task = core._task_queue.peek()
            if task is None or ticks_diff(task.ph_key, core.ticks()) > 0:
                return

    def _idle(self) -> bool:
        """Nothing goes on by itself: wake who is due next (CPython); False where nobody is."""
        settling, self._settling = self._settling, []
        if any([_wake(waiting) for waiting in settling]):
            return True
        if self._end is None:
            return False
        if not self._wake_next(self._end):
            self._end = None
            _wake(self._advancing)
        return True

    def _wake_next(self, end: int) -> bool:
        """Time goes on to the next deadline, at most to the end; False where that has come."""
        due = end + 1
        for sleeper in self._sleepers:
            if sleeper[0] < due:
                due = sleeper[0]
        if due > end:
            self.ms = end
            return False
        self.ms = due
        for sleeper in [s for s in self._sleepers if s[0] == due]:
            self._sleepers.remove(sleeper)
            _wake(sleeper[1])
        return True

    async def advance(self, ms: int) -> None:
        """Let time pass; tasks wake in the order of their deadlines."""
        end = self.ms + ms
        if not _MICROPYTHON and self._end is None:
            self._end = end
            self._advancing = asyncio.get_running_loop().create_future()
            try:
                await self._advancing
            finally:
                self._end = None
            return
        await self.settle()
        while self._wake_next(end):
            await self.settle()
