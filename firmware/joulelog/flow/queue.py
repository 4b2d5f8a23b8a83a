"""The log: a bounded ring of readings, and one cursor per consumer.

    queue = Queue(64, app.clock, boot)
    cursor = queue.cursor("mqtt", sources=["p1"], every=60)
    queue.put(reading)                    # a reader; never waits, never raises

    await cursor.wait()
    item = await cursor.next()            # (serial, time, reading, boot), or None: nothing yet
    cursor.confirm(serial)                # the server has it: everything up to serial is done
    cursor.rewind()                       # the server has not: read again from what is confirmed

Readings carry serial numbers that go on after a restart where a spool stands behind the ring:
the flash that holds what a durable cursor has not confirmed (backlog/spool.py). A full ring loses
its oldest reading unless the spool holds it; who still wanted it counts one `dropped`. Only one
task may read from a cursor; confirm() may come from another.

boot tells this run of the firmware from all others: a reading is known for ever by its boot and
its serial number. Each reading is shown in the table as well (`latest`, see latest.py).

A slot holds a reading, not values of its own: ring and table share it, and nobody changes it while
one of them shows it. Who writes values in place takes the memory of an evicted reading, if its
source's row in the table shows another and no cursor has it in hand.
"""

import asyncio

from exact import KEY
from micropython import const

from .latest import Latest
from .reading import SOURCE, TIME, Source

_SOURCES = const(8)  # of stored readings that are not the newest ones
_SOURCES_CACHED = const(16)  # by a cursor
_SERIAL = const(0)  # of an entry in _flight: (serial, source name, period, the one before, time)
_NAME = const(1)
_PERIOD = const(2)
_BEFORE = const(3)
_TIME = const(4)


class Cursor:
    """One consumer's place in the queue: what is confirmed, what is read ahead, what it wants.

    sources: list of source names or None; channels: list of keys or None; every: at most one
    reading per source in each period of so many seconds, aligned to the clock.
    """

    superseded = 0  # readings of the table that a newer one replaced: see watch.py
    durable = False  # what the ring loses, and what a restart finds, waits on the flash

    def __init__(self, queue, name: str, sources, channels, every: int) -> None:
        self.name = name
        self.sent = 0
        self.dropped = 0  # wanted readings that were lost before they were sent
        self.refused = 0  # set aside: no server will ever take them
        self.stored = None  # what it has on the flash, where there is a spool: backlog/reader.py
        self.live = False  # what next() gave has overtaken a backlog
        self.ahead = queue.newest + 1  # the next serial to read
        self.end = -1  # where reading stops; -1: nowhere
        self._first: tuple = (-1, 0, 0)  # (serial, boot, stamp) of a first waiting reading
        self._queue = queue
        self._sources = sources
        self._channels = channels
        self._every = every
        self._flight: list = []  # what is on its way, in order
        self._period: dict = {}  # source name -> period of the newest confirmed reading
        self._period_ahead: dict = {}  # the same for what is read ahead
        self._columns: dict = {}  # Source -> indexes of the wanted channels
        self._event = asyncio.Event()
        self._refused_to = -1  # the newest serial whose time nobody will ever know

    def start(self, serial: int) -> None:
        """Begin at this serial number; for a new cursor, or one that was kept on flash."""
        self.ahead = serial
        self._event.set()

    @property
    def position(self) -> int:
        """The first serial number that is not confirmed."""
        return self._flight[0][_SERIAL] if self._flight else self.ahead

    @property
    def oldest_time(self) -> int | None:
        """UTC of the oldest reading that waits; None where none does, or it is not known."""
        position = self.position
        if self._flight:
            return self._flight[0][_TIME]
        reading = self._queue.get(position)
        if reading is not None:
            return self._queue.clock.resolve(reading[TIME])
        serial, boot, stamp = self._first
        if serial != position or position > self._queue.newest:
            return None
        return self._queue.resolve(boot, stamp)

    def look(self, serial: int, boot: int, stamp: int) -> None:
        """This is the time of a reading that only the flash will have."""
        if serial == self.position:
            self._first = (serial, boot, stamp)

    @property
    def waiting(self) -> int:
        """Readings that are not confirmed yet (those that the filters will skip included)."""
        return self._between(self.position, self._queue.newest + 1)

    @property
    def in_flight(self) -> int:
        """Readings that were taken and are not confirmed yet."""
        return len(self._flight)

    def wake(self) -> None:
        """Let wait() return."""
        self._event.set()

    async def wait(self) -> None:
        """Wait until something has come; return at once where that was since the last call."""
        await self._event.wait()
        self._event.clear()

    async def next(self, timeless: bool = False) -> tuple | None:
        """Read ahead: (serial, UTC, reading, boot) of the next wanted reading, or None.

        A reading whose time is not known yet holds the queue; a timeless consumer takes it,
        with None for the time. One whose time nobody will ever know is set aside.
        """
        queue = self._queue
        while self.ahead <= queue.newest and (self.end < 0 or self.ahead < self.end):
            serial = self.ahead
            reading = queue.get(serial)
            boot = queue.boot
            if reading is None:
                stored = self.stored
                if stored is None:
                    self.ahead = queue.oldest  # what was there is counted
                    continue
                if stored.found[0] != serial:
                    if not await stored.read(self):  # type: ignore[misc]
                        return None
                    continue
                serial, boot, reading = stored.found  # type: ignore[misc]
            time = queue.resolve(boot, reading[TIME])
            if time is None and not timeless:
                if boot == queue.boot or not queue.clock.source:
                    return None
                if serial > self._refused_to and self._wants(reading, None):
                    self._refuse(
                        (serial, None, reading, boot), "nobody told the time of that start"
                    )
                    self._refused_to = serial
                self.ahead = serial + 1
                continue
            if not self._wants(reading, time):
                self.ahead = serial + 1
                continue
            name = reading[SOURCE].name
            period = time // self._every if self._every and time is not None else None
            self._flight.append((serial, name, period, self._period_ahead.get(name), time))
            self.ahead = serial + 1  # behind it: Ctrl-C may come in between, position must hold
            self._period_ahead[name] = period
            return serial, time, reading, boot
        return None

    def unread(self) -> None:
        """Give back the reading that next() returned last."""
        self.ahead = self._flight[-1][_SERIAL]
        self.skip()

    def skip(self) -> None:
        """What next() returned last has nothing for this consumer: done, but not sent."""
        entry = self._flight.pop()
        self._period_ahead[entry[_NAME]] = entry[_BEFORE]

    def confirm(self, serial: int) -> None:
        """The consumer is done with everything up to this serial."""
        entry = None
        while self._flight and self._flight[0][_SERIAL] <= serial:
            entry = self._flight[0]
            self._period[entry[_NAME]] = entry[_PERIOD]
            self._flight.pop(0)
            self.sent += 1
        if entry and not self._flight and entry[_TIME] is not None:
            # What waits behind it is nearly as old, and may lie on the flash.
            self.look(self.ahead, self._queue.boot, entry[_TIME])

    def confirm_all(self) -> None:
        """The consumer is done with everything that was read ahead."""
        if self._flight:
            self.confirm(self._flight[-1][_SERIAL])

    def dismiss(self, serial: int) -> None:
        """Like confirm(), but this last one was not sent: there was nothing in it."""
        before = self.sent
        self.confirm(serial)
        self.sent = max(before, self.sent - 1)

    def set_aside(self, item: tuple, why: str) -> None:
        """The server refuses this item for good: not sent, but kept with the reason."""
        self._refuse(item, why)
        self.dismiss(item[0])

    def rewind(self) -> None:
        """Go back to the first reading that is not confirmed."""
        queue = self._queue
        flight = self._flight
        periods = dict(self._period)
        if flight and flight[0][_TIME] is not None:
            self._first = (flight[0][_SERIAL], queue.boot, flight[0][_TIME])
        stored = self.stored
        self._period_ahead = periods
        self.ahead = self.position
        # Overwritten while they were on their way. Memory may run out: each is counted once.
        while flight:
            serial = flight[-1][_SERIAL]
            if stored.gaps.has(serial) if stored else serial < queue.oldest:
                if stored:
                    stored.found = (-1, 0, None)  # or it would come all the same
                self.dropped += 1
            flight.pop()
        if not stored:
            self.ahead = max(self.ahead, queue.oldest)
        self._event.set()

    def lose(self, serial: int, reading: tuple, time: int | None) -> None:
        """Nobody holds this reading any more: count it if it was still wanted."""
        if serial < self.position:
            return
        on_way = serial < self.ahead  # then rewind() counts it
        wanted = not on_way and self._wants(reading, time)
        # From here on memory can only run out before something is changed.
        if self.stored and not self.stored.gaps.add(serial, serial + 1):
            return
        if wanted:
            self.dropped += 1
        if serial == self.ahead:
            self.ahead = serial + 1

    def columns(self, source):
        """Indexes of the channels of this source that the consumer wants; none: nothing of it."""
        found = self._columns.get(source)
        if found is None:
            if len(self._columns) >= _SOURCES_CACHED:
                self._columns.clear()
            keys = self._channels
            if self._sources is not None and source.name not in self._sources:
                found = ()
            elif keys is None:  # without a number for each
                found = range(len(source.channels))
            else:
                found = tuple([i for i, c in enumerate(source.channels) if c[KEY] in keys])
            self._columns[source] = found
        return found

    def _between(self, first: int, end: int) -> int:
        """How many readings of this stretch are this consumer's."""
        return end - first - (self.stored.skipped(first) if self.stored else 0)

    def _refuse(self, item: tuple, why: str) -> None:
        if self._queue.aside:
            self._queue.aside(self, item, why)
        self.refused += 1

    def _wants(self, reading: tuple, time: int | None) -> bool:
        source = reading[SOURCE]
        if not self.columns(source):
            return False
        if not self._every or time is None:
            return True
        return self._period_ahead.get(source.name) != time // self._every


class Queue:
    """A ring of readings with serial numbers."""

    def __init__(self, slots: int, clock, boot: int = 0) -> None:
        self.clock = clock
        self.boot = boot
        self.slots = slots
        self.spool = None  # the flash behind the ring
        self.aside = None  # takes what no server wants: a function (cursor, item, why)
        self.newest = -1  # serial number of the newest reading
        self.latest = Latest()
        self.first = 0  # serial number of the first reading of this run
        self.cursors: list = []
        self._ring: list = [None] * slots
        self._sources: list = []

    @property
    def oldest(self) -> int:
        """Serial number of the oldest reading in the ring."""
        return max(self.first, self.newest + 1 - self.slots)

    def cursor(self, name: str, sources=None, channels=None, every: int = 0) -> Cursor:
        """A new consumer's place in the queue: it sees the readings that come from now on."""
        return self.use(Cursor(self, name, sources, channels, every))

    def sink_cursor(self, module, entry: dict, backlog: bool = True, terminal=None):
        """What a sink reads from, as its module and its config entry want it.

        backlog: there can be one that new readings may pass; terminal: the console has one.
        """
        reads = module.reads(entry, terminal) if hasattr(module, "reads") else "log"
        kind = Cursor
        if reads == "table":
            from .watch import Watch as kind
        elif reads == "live_first" and backlog:
            from .live_first import LiveFirst as kind
        sources = module.sources(entry) if hasattr(module, "sources") else entry["sources"]
        found = kind(self, entry["name"], sources, entry["channels"], entry["every"])
        if reads != "table":
            self.use(found).durable = reads != "ram"
        return found

    def use(self, cursor):
        """Tell this cursor of readings from now on; return it."""
        self.cursors.append(cursor)
        return cursor

    def begin(self, serial: int) -> None:
        """Go on with this serial number, before the first reading; cursors start there too."""
        self.first = serial
        self.newest = serial - 1
        for cursor in self.cursors:
            cursor.start(serial)

    def put(self, reading: tuple) -> None:
        """Append a reading; when the ring is full the oldest goes.

        Out of memory, this one is in the ring all the same; whoever waits for it may learn of it
        with the next one, and the oldest one is counted where it cannot be stored.
        """
        serial = self.newest + 1
        slot = serial % self.slots
        evicted = self._ring[slot]
        if evicted is not None:
            self._evict(serial - self.slots, evicted)
        self._ring[slot] = reading
        self.newest = serial
        try:
            self.latest.put(reading)
            self.wake()
        except MemoryError:
            pass

    def wake(self) -> None:
        """Let every consumer look again: the time is known now."""
        for cursor in self.cursors:
            cursor.wake()

    def get(self, serial: int) -> tuple | None:
        """The reading with this serial number; None where the ring has not got it (any more)."""
        if serial > self.newest or serial < self.oldest:
            return None
        return self._ring[serial % self.slots]

    def source(self, name: str, channels: tuple, identity: tuple = ()) -> Source:
        """A source of stored readings: one that is alike where there is one."""
        other = self.alike(name, channels)  # its channels take no room of their own
        made = Source(name, other.channels if other else channels, identity)
        found = self.alike(name, channels, made.identity)
        if found is None:
            found = made
            self._sources = self._sources[1 - _SOURCES :] + [found]
        return found

    def alike(self, name: str, channels: tuple, identity: tuple | None = None) -> Source | None:
        """The source of this name and identity (None: any) with these channels, if there is one.

        Two of a kind would take kB, for their channels and what cursors and sinks keep of each.
        """
        newest = self.latest.of(name)
        for source in ([newest[SOURCE]] if newest else []) + self._sources:
            if source.name != name or source.channels != channels:
                continue
            if identity is None or source.identity == identity:
                return source
        return None

    def resolve(self, boot: int, stamp: int) -> int | None:
        """UTC of a reading's time, taken in this run or an earlier one; None while unknown."""
        if stamp >= 0 or boot == self.boot:
            return self.clock.resolve(stamp)
        return self.spool.resolve(boot, stamp) if self.spool else None

    def _evict(self, serial: int, reading: tuple) -> None:
        stored = None  # not asked yet
        for cursor in self.cursors:
            if cursor.position > serial:
                continue
            try:
                if cursor.durable and self.spool:
                    if stored is None:
                        stored = self.spool.holds(serial)
                    if stored:
                        cursor.look(serial, self.boot, reading[TIME])
                        continue
                cursor.lose(serial, reading, self.clock.resolve(reading[TIME]))
            except MemoryError:
                if not cursor.stored:  # else it is missed on the flash, if it is not there
                    cursor.dropped += 1
