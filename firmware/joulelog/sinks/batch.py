"""What all sinks share that send several readings in one request and get one answer.

A subclass says how a batch looks and what an answer means:

    class Sink(BatchSink):
        order = "strict"
        def begin(self, out): ...                       # what comes before the readings
        def add(self, out, time, reading, first): ...   # one reading; may overrun
        def finish(self, out): ...                      # what comes behind; fits into `tail` bytes
        async def post(self, body): ...                 # returns, or raises Retry, Refused, Denied

`post` may return how many readings of the batch the server left out for good while it stored
the others; they count as set aside.

The loop here does the rest: it fills a preallocated buffer up to its bytes, posts it, and
moves the cursor only when the server confirmed. Retry waits with backoff and jitter and
sends the same again. Refused halves the batch until the offending reading is alone, sets
that one aside (counted, logged) and goes on. Denied waits and says so; nothing is lost.
"""

import logging
import os

from micropython import const

from .. import clock
from ..errors import Denied, Refused, Retry
from ..queue import Consumer

_FIRST_PAUSE_MS = const(1000)
_LONGEST_PAUSE_MS = const(60000)
_DENIED_PAUSE_MS = const(60000)

SCHEMA = """\
interval   | int 0..3600      | 10   | seconds between two requests; a backlog makes no pauses
batch      | int 256..65536   | 4096 | largest request body in bytes
timeout    | int 1..120       | 10   | seconds that a request may take
"""


class Writer:
    """Text appended to a buffer that never grows."""

    def __init__(self, size: int) -> None:
        self._buffer = bytearray(size)
        self._view = memoryview(self._buffer)
        self.length = 0
        self.overrun = False  # something did not fit since the last cut()

    def put(self, text: str | bytes) -> None:
        """Append text (as UTF-8), or remember that it did not fit."""
        data = text.encode() if isinstance(text, str) else text
        end = self.length + len(data)
        if self.overrun or end > len(self._buffer):
            self.overrun = True
            return
        self._view[self.length : end] = data
        self.length = end

    def cut(self, length: int) -> None:
        """Forget everything behind this length."""
        self.length = length
        self.overrun = False

    def room(self) -> int:
        """Bytes that still fit."""
        return len(self._buffer) - self.length

    def view(self) -> memoryview:
        """What was written; valid until the next cut()."""
        return self._view[: self.length]


class BatchSink(Consumer):
    """A sink that sends batches; see the module's text."""

    COUNTERS = ("sent", "retried", "superseded", "set_aside", "dropped")
    carries_time = True
    order = "any"
    tail = 0  # bytes to keep free for finish()

    def __init__(self, name: str, entry: dict, app, cursor) -> None:
        self.name = name
        self.entry = entry
        self.app = app
        self.cursor = cursor
        self.state = "idle"
        self.retried = 0
        self.set_aside = 0
        self.log = logging.getLogger(name)
        self._out = Writer(entry["batch"])
        self._limit = 0  # most readings per batch while one that is refused is looked for; 0 = all
        self._more = False  # the batch is full, or is to be tried again: do not pause
        self._last = -1  # serial of the last reading in the buffer
        self._count = 0  # readings in the buffer
        self._failures = 0  # in a row

    def describe(self) -> str:
        """Where it delivers to: for the start report."""
        return self.entry.get("url") or self.entry["host"]

    async def run(self) -> None:
        """Send for ever."""
        self.cursor.rewind()
        while True:
            started = clock.uptime_ms()
            if not await self._fill():
                await self.cursor.wait()
                continue
            await self._deliver()
            spent = clock.uptime_ms() - started
            pause = self.entry["interval"] * 1000 - spent
            if pause > 0 and not self._more:
                await clock.sleep_ms(pause)

    def begin(self, out: Writer) -> None:
        """Write what comes before the first reading."""

    def add(self, out: Writer, time: int, reading: tuple, first: bool) -> None:
        """Write one reading; time is UTC in seconds since 2000-01-01."""
        raise NotImplementedError

    def finish(self, out: Writer) -> None:
        """Write what comes behind the last reading."""

    async def post(self, body: memoryview) -> int | None:
        """Send a batch; return when it is confirmed, else raise Retry, Refused or Denied."""
        raise NotImplementedError

    async def _fill(self) -> int:
        """Fill the buffer with waiting readings; return how many."""
        out = self._out
        out.cut(0)
        self.begin(out)
        self._count = 0
        self._more = True
        while not self._limit or self._count < self._limit:
            found = self.cursor.next()
            if found is None:
                self._more = False
                break
            serial, time, reading = found
            mark = out.length
            self.add(out, time, reading, self._count == 0)
            if out.overrun or out.room() < self.tail:
                out.cut(mark)
                if self._count:
                    self.cursor.unread()
                    break
                self._put_aside(serial, "a reading of %s is larger than `batch`" % reading[1].name)
                continue
            if out.length == mark:  # it had no value that this server takes
                self.cursor.skip()
            else:
                self._last = serial
                self._count += 1
            await clock.sleep_ms(0)  # a reading takes a few ms of a chip, a batch too long
        self.finish(out)
        return self._count

    async def _deliver(self) -> None:
        try:
            left_out = await self.post(self._out.view())
        except Retry as failure:
            self._say("waiting", failure.args[0])
            after_s = failure.args[1] if len(failure.args) > 1 else 0
            await self._step_back(max(self._backoff_ms(), after_s * 1000))
        except Denied as failure:
            self._say("denied", failure.args[0])
            await self._step_back(_DENIED_PAUSE_MS)
        except Refused as failure:
            self._more = True
            if self._count == 1:
                self._put_aside(self._last, failure.args[0])
                self._failures = 0
                return
            self._limit = max(1, self._count // 2)
            self.cursor.rewind()
        else:
            self.cursor.confirm(self._last)
            if left_out:
                self.cursor.sent -= left_out
                self.set_aside += left_out
            self._failures = 0
            self._limit *= 2  # 0 stays 0
            if self._limit > 64:
                self._limit = 0
            self._say("ok", "")

    def _put_aside(self, serial: int, why: str) -> None:
        self.cursor.set_aside(serial)
        self.set_aside += 1
        self.log.error("a reading was refused and set aside: %s", why)

    async def _step_back(self, pause_ms: int) -> None:
        self.retried += 1
        self._failures += 1
        self._more = True
        self.cursor.rewind()
        await clock.sleep_ms(pause_ms)

    def _backoff_ms(self) -> int:
        """1 s, 2 s, 4 s … 60 s, less up to a quarter, so that loggers do not march in step."""
        pause = min(_FIRST_PAUSE_MS << min(self._failures, 6), _LONGEST_PAUSE_MS)
        return pause - pause // 4 * os.urandom(1)[0] // 256

    def _say(self, state: str, text: str) -> None:
        """Remember the state, and log it when it changes."""
        new = state + (": " + text if text else "")
        if new == self.state:
            return
        if state == "ok":
            if self.state not in ("idle", "ok"):
                self.log.info("delivering again")
        elif state == "denied":
            self.log.error("%s (%d readings wait)", text, self.cursor.waiting)
        else:
            self.log.warning("%s (%d readings wait)", text, self.cursor.waiting)
        self.state = new
