"""Keep tasks running: one fails, it is logged once, waits, and is started again.

    supervisor = Supervisor()
    supervisor.start("p1", reader.run)
    await supervisor.wait()

Every step of a task, from one await to the next, is timed: longest_step_ms is the longest that
any of them kept the others waiting, and `slowest` says which task it was.
"""

import asyncio
import gc
import logging
import time

from micropython import const

from . import clock
from .log import log_exception

_FIRST_PAUSE_MS = const(1000)
_LONGEST_PAUSE_MS = const(60000)
_STEADY_MS = const(300000)  # after so long without a failure the next pause is short again

if hasattr(time, "ticks_us"):
    _ticks_us = time.ticks_us  # type: ignore[attr-defined]
    _ticks_diff = time.ticks_diff  # type: ignore[attr-defined]
else:  # CPython

    def _ticks_us() -> int:
        return time.perf_counter_ns() // 1000  # type: ignore

    def _ticks_diff(later: int, earlier: int) -> int:
        return later - earlier


class Supervisor:
    """The tasks of the firmware."""

    def __init__(self) -> None:
        self.restarts = 0
        self.longest_step_ms = 0
        self.slowest = ""  # the task whose step that was
        self._tasks: list = []
        self._log = logging.getLogger("supervisor")

    def start(self, name: str, run) -> None:
        """Run the coroutine function for ever, and again when it fails."""
        timed = _Timed(self._keep(name, run), self, name)
        self._tasks.append(asyncio.create_task(timed))  # type: ignore[arg-type]

    async def wait(self) -> None:
        """Wait for ever; cancelling it cancels all tasks."""
        try:
            while True:
                await clock.sleep_ms(1000)
        finally:
            for task in self._tasks:
                task.cancel()
            for _ in range(3):  # let them close what they hold
                await clock.sleep_ms(0)

    def step(self, name: str, us: int) -> None:
        """Remember how long a step took."""
        ms = us // 1000
        if ms > self.longest_step_ms:
            self.longest_step_ms = ms
            self.slowest = name

    async def _keep(self, name: str, run) -> None:
        pause_ms = _FIRST_PAUSE_MS
        last = ""
        while True:
            started = clock.uptime_ms()
            try:
                await run()
                return
            except Exception as error:  # whatever it is, only this task stops
                self.restarts += 1
                if clock.uptime_ms() - started > _STEADY_MS:  # all was well in between
                    pause_ms = _FIRST_PAUSE_MS
                    last = ""
                last = self._tell(name, error, last)
            await clock.sleep_ms(pause_ms)
            pause_ms = min(2 * pause_ms, _LONGEST_PAUSE_MS)

    def _tell(self, name: str, error: Exception, last: str) -> str:
        """Log a failure once; the counter tells of the others. Returns what was said last."""
        gc.collect()  # what the task held: to tell of a MemoryError takes memory
        try:
            text = "%s: %s" % (type(error).__name__, error)
            if text != last:
                log_exception(self._log, name + " failed", error)
            return text
        except MemoryError:  # the task is started again all the same
            print(name, "failed, and there is no memory to say why")
            return last


class _Timed:
    """A coroutine that times its own steps."""

    def __init__(self, coroutine, supervisor: Supervisor, name: str) -> None:
        self._coroutine = coroutine
        self._supervisor = supervisor
        self._name = name

    def send(self, value):
        """Run the coroutine's next step."""
        started = _ticks_us()
        try:
            return self._coroutine.send(value)
        finally:
            self._supervisor.step(self._name, _ticks_diff(_ticks_us(), started))

    def throw(self, *error):
        """Raise an exception in the coroutine."""
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """End the coroutine."""
        self._coroutine.close()

    def __await__(self):
        return self._coroutine.__await__()
