"""What all sinks share that send several readings in one request and get one answer.

A subclass says how a batch looks and what an answer means:

    class Sink(BatchSink):
        order = "strict"
        def begin(self, out): ...                       # what comes before the readings
        def add(self, out, time, reading, first): ...   # one reading; may overrun
        def finish(self, out): ...                      # what comes behind; fits into `tail` bytes
        async def post(self, body): ...                 # returns, or raises Retry, Refused, Denied

The loop here does the rest: it fills a preallocated buffer up to its bytes, posts it, and
moves the cursor only when the server confirmed. Retry waits with backoff and jitter and
sends the same again. Refused halves the batch until the offending reading is alone, sets
that one aside (counted, logged, kept) and goes on. Denied waits and says so; nothing is lost.
"""

from .. import clock
from .errors import Denied, Refused, Retry
from .sink import DENIED_PAUSE_MS, ServerSink, Writer

SCHEMA = """\
interval   | int 0..3600      | 10   | seconds between two requests; a backlog makes no pauses
batch      | int 256..65536   | 4096 | largest request body in bytes
timeout    | int 1..120       | 10   | seconds that a request may take
rate       | int 0..1000      | 0    | most readings of a backlog per second; 0: no limit
"""


class BatchSink(ServerSink):
    """A sink that sends batches; see the module's text."""

    tail = 0  # bytes to keep free for finish()

    def __init__(self, name: str, entry: dict, app, cursor) -> None:
        ServerSink.__init__(self, name, entry, app, cursor)
        self._limit = 0  # most readings per batch while one that is refused is looked for; 0 = all
        self._more = False  # the batch is full, or is to be tried again: do not pause
        self._last: tuple = ()  # the last item in the buffer
        self._count = 0  # readings in the buffer
        self._old = 0  # those of them that wait in a backlog: they have a rate
        self._failures = 0  # in a row

    async def run(self) -> None:
        """Send for ever."""
        self.cursor.rewind()
        while True:
            started = clock.uptime_ms()
            if not await self._fill():
                await self.cursor.wait()
                continue
            await self._deliver()
            await self._pause(clock.uptime_ms() - started)

    def begin(self, out: Writer) -> None:
        """Write what comes before the first reading."""

    def add(self, out: Writer, time: int, reading: tuple, first: bool) -> None:
        """Write one reading; time is UTC in seconds since 2000-01-01."""
        raise NotImplementedError

    def finish(self, out: Writer) -> None:
        """Write what comes behind the last reading."""

    async def post(self, body: memoryview) -> None:
        """Send a batch; return when it is confirmed, else raise Retry, Refused or Denied."""
        raise NotImplementedError

    async def _fill(self) -> int:
        """Fill the buffer with waiting readings; return how many."""
        out = self.out
        out.cut(0)
        self.begin(out)
        self._count = self._old = 0
        self._more = True
        limit = self._limit
        rate = self.entry["rate"]
        # A second's worth, so that new readings come through.
        while not ((limit and self._count >= limit) or (rate and self._old >= rate)):
            item = await self.cursor.next()
            if item is None:
                self._more = False
                break
            mark = out.length
            self.add(out, item[1], item[2], self._count == 0)
            if out.overrun or out.room() < self.tail:
                out.cut(mark)
                if self._count:
                    self.cursor.unread()
                    break
                self.put_aside(item, "a reading of %s is larger than `batch`" % item[2][1].name)
                continue
            if out.length == mark:  # it had no value that this server takes
                self.cursor.skip()
            else:
                self._last = item
                self._count += 1
                self._old += not self.cursor.live
            await clock.sleep_ms(0)  # a reading takes a few ms of a chip, a batch too long
        self.finish(out)
        return self._count

    async def _deliver(self) -> None:
        try:
            await self.post(self.out.view())
        except Retry as failure:
            self.say("waiting", failure.args[0])
            after_s = failure.args[1] if len(failure.args) > 1 else 0
            await self._step_back(max(clock.backoff_ms(self._failures), after_s * 1000))
        except Denied as failure:
            self.say("denied", failure.args[0])
            await self._step_back(DENIED_PAUSE_MS)
        except Refused as failure:
            self._more = True
            if self._count == 1:
                self.put_aside(self._last, failure.args[0])
                self._failures = 0
                return
            self._limit = max(1, self._count // 2)
            self.cursor.rewind()
        else:
            self.cursor.confirm_all()
            self._failures = 0
            self._limit *= 2  # 0 stays 0
            if self._limit > 64:
                self._limit = 0
            self.say("ok", "")

    async def _pause(self, spent_ms: int) -> None:
        """Wait for the next request; without a backlog until readings have gathered."""
        if not self._more:
            pause_ms = self.entry["interval"] * 1000
        elif self.entry["rate"]:
            pause_ms = self._old * 1000 // self.entry["rate"]
        else:
            return
        if pause_ms > spent_ms:
            await clock.sleep_ms(pause_ms - spent_ms)

    async def _step_back(self, pause_ms: int) -> None:
        self.retried += 1
        self._failures += 1
        self._more = True
        self.cursor.rewind()
        await clock.sleep_ms(pause_ms)
