"""What all sinks share that send several readings in one request and get one answer.

A subclass says how a batch looks and what an answer means:

    class Sink(BatchSink):
        def begin(self, out): ...                       # what comes before the readings
        def add(self, out, time, reading, first): ...   # one reading; may overrun, or say why not
        def finish(self, out): ...                      # what comes behind; fits into `tail` bytes
        async def post(self, body): ...                 # returns, or raises Retry, Refused, Denied
        def plan(self, source): ...                     # for put_values(), which add() may use

The loop here does the rest: it fills a preallocated buffer up to its bytes, posts it, and
moves the cursor only when the server confirmed. Retry waits with backoff and jitter and
sends the same again. Refused halves the batch until the offending reading is alone, sets
that one aside (counted, logged, kept) and goes on. Denied waits and says so; nothing is lost.

A server that has taken nothing since the start may be no such server at all: what it refuses is
held, and set aside once it has taken something else.
"""

from micropython import const

from .. import clock
from ..flow.reading import SOURCE, VALUES, texts
from ..net.server import Denied, Refused, Retry
from .sink import DENIED_PAUSE_MS, ServerSink, Writer

SCHEMA = """\
interval   | int 0..3600      | 10   | seconds between two requests; a backlog makes no pauses
batch      | int 256..65536   | 4096 | largest request body in bytes
rate       | int 0..1000      | 0    | most readings of a backlog per second; 0: no limit
"""

PLANS = const(8)  # sources whose constant parts are kept ready
_HELD = const(8)  # readings that are tried before a server is believed to take none


class BatchSink(ServerSink):
    """A sink that sends batches; see the module's text."""

    tail = 0  # bytes to keep free for finish()
    most = 0  # readings per request; 0: as many as fit

    def __init__(self, name: str, entry: dict, cursor) -> None:
        ServerSink.__init__(self, name, entry, cursor)
        self._limit = 0  # most readings per batch while one that is refused is looked for; 0 = all
        self._more = False  # the batch is full, or is to be tried again: do not pause
        self._last: tuple = ()  # the last item in the buffer
        self._count = 0  # readings in the buffer
        self._old = 0  # those of them that wait in a backlog: they have a rate
        self._failures = 0  # in a row
        self._held: list | None = []  # (item, why) refused so far; None: the server takes readings
        self._plans: dict = {}  # Source -> its plan

    async def run(self) -> None:
        """Send for ever."""
        self._rewind()
        while True:
            started = clock.uptime_ms()
            if len(self._held or ()) >= _HELD:
                await self._step_back(DENIED_PAUSE_MS)
            if not await self._fill():
                await self.cursor.wait()
                continue
            await self._deliver()
            await self._pause(clock.uptime_ms() - started)

    def begin(self, out: Writer) -> None:
        """Write what comes before the first reading."""

    def add(self, out: Writer, time: int, reading: tuple, first: bool) -> str | None:
        """Write one reading; time is UTC in seconds since 2000-01-01.

        A text says why no server will take it.
        """
        raise NotImplementedError

    def finish(self, out: Writer) -> None:
        """Write what comes behind the last reading."""

    async def post(self, body: memoryview) -> None:
        """Send a batch; return when it is confirmed, else raise Retry, Refused or Denied."""
        raise NotImplementedError

    def plan(self, source) -> tuple:
        """What is constant in the readings of a source: see put_values()."""
        raise NotImplementedError

    def put_values(self, out: Writer, begin: tuple, reading: tuple, words) -> bool:
        """Write a reading's values with the source's plan; False: there are none, nor anything.

        A plan is (what is before the first value, the source's channels, with keys as they are
        written, a comma before them). begin: what comes before that; words: as of texts().
        """
        source = reading[SOURCE]
        plan = self._plans.get(source)
        if plan is None:
            if len(self._plans) >= PLANS:
                self._plans.clear()
            plan = self._plans[source] = self.plan(source)
        begun = False
        columns = self.cursor.columns(source)
        for piece in texts(reading[VALUES], plan[1], columns, words, clock.unix):
            if not begun:
                for before in begin:
                    out.put(before)
                out.put(plan[0])
                piece = piece[1:]  # without its comma
                begun = True
            out.put(piece)
        return begun

    async def _fill(self) -> int:
        """Fill the buffer with waiting readings; return how many."""
        out = self.out
        out.cut(0)
        self.begin(out)
        self._count = self._old = 0
        self._more = True
        limit = self.most or self._limit
        rate = self.entry["rate"]
        # A second's worth, so that new readings come through.
        while not ((limit and self._count >= limit) or (rate and self._old >= rate)):
            item = await self.cursor.next()
            if item is None:
                self._more = False
                break
            mark = out.length
            why = self.add(out, item[1], item[2], self._count == 0)
            if why or out.overrun or out.room() < self.tail:
                out.cut(mark)
                if self._count:
                    self.cursor.unread()
                    break
                text = "a reading of %s is larger than `batch`" % item[2][1].name
                self.put_aside(item, why or text)
                if len(self._held or ()) >= _HELD:
                    break
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
                self._failures = 0
                if self._held is None:
                    self.put_aside(self._last, failure.args[0])
                    return
                self._held.append((self._last, failure.args[0]))
                self._limit = 1
                text = "the server has taken no reading so far; it says: "
                self.say("denied", text + failure.args[0])
                return
            self._limit = max(1, self._count // 2)
            self._rewind()
        else:
            held, self._held = self._held, None
            for item, why in held or ():
                self.put_aside(item, why)
            self.cursor.confirm_all()
            self._failures = 0
            self._limit *= 2  # 0 stays 0
            if self._limit > 64:
                self._limit = 0
            self.say("ok", "")

    async def _pause(self, spent_ms: int) -> None:
        """Wait for the next request; without a backlog until readings have gathered."""
        if not (self._more and self.cursor.waiting):
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
        self._rewind()
        await clock.sleep_ms(pause_ms)

    def _rewind(self) -> None:
        if self._held:
            self._held = []
        self.cursor.rewind()

    def put_aside(self, item: tuple, why: str) -> None:
        """The server will never take this item; behind one that is held it is held as well."""
        if self._held:
            self._held.append((item, why))
        else:
            ServerSink.put_aside(self, item, why)
