"""Keep tasks running: one fails, it is logged once, waits, and is started again.

    supervisor = Supervisor()
    supervisor.start("p1", reader.run, 120)
    await supervisor.wait(watchdog.feed)

Every step of a task, from one await to the next, is timed: longest_step_ms is the longest that
any of them kept the others waiting, and `slowest` says which task it was.

Each step is a heartbeat as well. A task that has made none for its number of seconds is cancelled
and started again. Meanwhile, and for as long as it does not move, the watchdog is not fed;
`stuck` then says which task it is: one that cancelling does not help either needs a restart of the
board. A task that has ended although it was to run for ever is started again as well.

`short` counts MemoryErrors, one soon after the other: device/guard then restarts the board.
"""

import asyncio
import gc
import logging

from micropython import const

from . import clock
from .device.logging_setup import trace

_FIRST_PAUSE_MS = const(1000)
_LONGEST_PAUSE_MS = const(60000)
_STEADY_MS = const(300000)  # after so long without a failure the next pause is short again
_GRACE_S = const(10)  # for a task that was cancelled to move
_SOON_MS = const(600000)  # a MemoryError later than this behind another begins a new count


class Hung(Exception):
    """A task that made no step for too long."""


class Supervisor:
    """The tasks of the firmware."""

    def __init__(self) -> None:
        self.restarts = 0
        self.longest_step_ms = 0
        self.slowest = ""  # the task whose step that was
        self.stuck = ""  # the task that does not move although it was cancelled
        self.short = 0  # MemoryErrors of tasks, one soon after the other
        self.short_ms = 0  # uptime at the last of them
        self.starved = ""  # the task that it happened to
        self.leaving = ""  # why the app is about to end: then wait() returns
        self.note = None  # called with the text of each failure that is logged
        self.mark = None  # called with the name of each task before its steps
        self._timed: list = []
        self._tasks: list = []  # of each of them
        self._log = logging.getLogger("supervisor")

    def start(self, name: str, run, silent_s: int = 0, owes=None) -> None:
        """Run the coroutine function for ever, and again when it fails.

        silent_s: the longest time without a step that is no fault, 0: any; it counts only while
        owes() is true, where that is given.
        """
        timed = _Timed(None, self, name)
        timed.run = run
        timed._coroutine = self._keep(timed)
        if silent_s:
            timed.silent_s = silent_s
            timed.owes = owes
        self._timed.append(timed)
        self._tasks.append(asyncio.create_task(timed))  # type: ignore[arg-type]

    def child(self, name: str, coroutine):
        """A task of a task's own: timed, its steps are the heartbeat of the one of that name."""
        timed = _Timed(coroutine, self, name)
        for parent in self._timed:
            if parent._name == name and parent.silent_s:
                timed.parent = parent
        return asyncio.create_task(timed)  # type: ignore[arg-type]

    async def wait(self, feed=None) -> None:
        """Wait until the app is to end, feeding the watchdog; then cancel all tasks."""
        try:
            while not self.leaving:
                try:
                    if self.check() and feed:
                        feed()
                except MemoryError:
                    gc.collect()  # in a second there may be some
                await clock.sleep_ms(1000)
        finally:
            for timed in self._timed:
                timed.hung = False  # this time it is the end
            for task in self._tasks:
                task.cancel()
            for _ in range(3):  # let them close what they hold
                await clock.sleep_ms(0)

    def forget(self) -> None:
        """Behind wait(), before a restart: let go of all that the tasks hold."""
        self._timed = self._tasks = []
        asyncio.new_event_loop()  # it knows those tasks as well that we did not start

    def check(self) -> bool:
        """Once a second: True while every task moves; one that does not is started again."""
        fine = True
        stuck = ""
        for number in range(len(self._timed)):
            timed = self._timed[number]
            task = self._tasks[number]
            if task.done() and not timed.ended:
                self._again(number)
                continue
            if not timed.silent_s:
                continue
            if timed.moved or (timed.owes and not timed.owes()):
                timed.moved = timed.ended  # one that has ended owes nothing any more
                timed.silence_s = 0
                continue
            timed.silence_s += 1
            if timed.silence_s < timed.silent_s:
                continue
            fine = False
            if timed.silence_s == timed.silent_s:
                timed.hung = True
                task.cancel()
            elif timed.silence_s > timed.silent_s + _GRACE_S:
                stuck = timed._name
        self.stuck = stuck
        return fine

    def _again(self, number: int) -> None:
        """Start a task whose keeper has failed: there was no memory even for that."""
        self.restarts += 1
        timed = self._timed[number]
        self.miss_memory(timed._name)
        timed._coroutine = self._keep(timed)
        self._tasks[number] = asyncio.create_task(timed)

    def miss_memory(self, name: str) -> None:
        """Count a MemoryError of this task."""
        now = clock.uptime_ms()
        if now - self.short_ms > _SOON_MS:
            self.short = 0
        self.short_ms = now
        self.short += 1
        self.starved = name

    def step(self, name: str, us: int) -> None:
        """Remember how long a step took."""
        ms = us // 1000
        if ms > self.longest_step_ms:
            self.longest_step_ms = ms
            self.slowest = name

    async def _keep(self, timed) -> None:
        pause_ms = _FIRST_PAUSE_MS
        last = ""
        while True:
            failure = None  # Hung
            started = 0
            try:
                started = clock.uptime_ms()
                await timed.run()
                timed.ended = True
                return
            except asyncio.CancelledError:
                if not timed.hung:
                    raise
                timed.hung = False
                timed.moved = True
            except Exception as error:  # whatever it is, only this task stops
                failure = error
            self.restarts += 1
            gc.collect()  # what the task held: to tell of a MemoryError takes memory
            try:
                if isinstance(failure, MemoryError):
                    self.miss_memory(timed._name)
                if clock.uptime_ms() - started > _STEADY_MS:  # all was well in between
                    pause_ms = _FIRST_PAUSE_MS
                    last = ""
                last = self._tell(timed, failure, last)
            except MemoryError:  # the task is started again all the same
                print(timed._name, "failed, and there is no memory to say why")
            failure = None  # it holds the frames of what has failed
            await clock.sleep_ms(pause_ms)
            pause_ms = min(2 * pause_ms, _LONGEST_PAUSE_MS)

    def _tell(self, timed, error: Exception | None, last: str) -> str:
        """Log a failure once; the counter tells of the others. Returns what was said last."""
        if error is None:
            error = Hung("no step in %d s" % timed.silent_s)
        text = "%s: %s" % (type(error).__name__, error)
        if text != last:
            self._log.error("%s failed: %s", timed._name, trace(error))
            if self.note:
                self.note("%s: %s" % (timed._name, text))
        return text


class _Timed:
    """A coroutine that times its own steps."""

    # Of the class as long as they are not changed: most tasks need none of their own.
    run = None
    silent_s = 0
    owes = None
    moved = True  # since the last check
    silence_s = 0
    ended = False
    hung = False

    def __init__(self, coroutine, supervisor: Supervisor, name: str) -> None:
        self._coroutine = coroutine
        self._supervisor = supervisor
        self._name = name
        self.parent = self  # whose heartbeat the steps are

    def send(self, value):
        """Run the coroutine's next step."""
        self.parent.moved = True
        if self._supervisor.mark:
            self._supervisor.mark(self._name)
        started = clock.ticks_us()
        try:
            return self._coroutine.send(value)
        finally:
            self._supervisor.step(self._name, clock.ticks_diff(clock.ticks_us(), started))

    def throw(self, *error):
        """Raise an exception in the coroutine."""
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """End the coroutine."""
        self._coroutine.close()

    def __await__(self):
        return self._coroutine.__await__()
