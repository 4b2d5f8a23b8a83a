"""One consumer's place in the queue: what is confirmed, what is read ahead, what it wants at all.

    cursor = queue.cursor("mqtt", sources=["p1"], every=60)

    await cursor.wait()
    item = await cursor.next()            # read ahead; None when there is nothing (yet)
    serial, time, reading, boot = item
    cursor.confirm(serial)                # the server has it: everything up to serial is done
    cursor.rewind()                       # the server has not: read again from what is confirmed

What the ring has lost comes from the spool, if there is one and the cursor is durable. Only one
task may read from a cursor; confirm() may come from another.
"""

import asyncio

from exact import KEY
from micropython import const

from .reading import SOURCE, TIME

_SOURCES_CACHED = const(16)
_SERIAL = const(0)  # of an entry in _flight: (serial, source name, period, the one before, time)
_NAME = const(1)
_PERIOD = const(2)
_BEFORE = const(3)
_TIME = const(4)


class Cursor:
    """See the module's text.

    sources: list of source names or None; channels: list of keys or None; every: at most one
    reading per source in each period of so many seconds, aligned to the clock.
    """

    def __init__(self, queue, name: str, sources, channels, every: int) -> None:
        self.name = name
        self.sent = 0
        self.superseded = 0  # readings without a time of their own that a newer one replaced
        self.dropped = 0  # wanted readings that were lost before they were sent
        self.refused = 0  # set aside: no server will ever take them
        self.durable = False  # what the ring loses, and what a restart finds, waits on the flash
        self.newest_only = False  # what the ring loses counts as superseded, not as dropped
        self.stored = None  # what it has on the flash, where there is a spool: see stored.py
        self.live = False  # what next() gave has overtaken a backlog
        self.ahead = queue.newest + 1  # the next serial to read
        self.end = -1  # where reading stops; -1: nowhere
        self._queue = queue
        self._sources = sources
        self._channels = channels
        self._every = every
        self._flight: list = []  # what is on its way, in order
        self._first: tuple = (-1, 0, 0)  # (serial, boot, stamp) of a first waiting reading
        self._period: dict = {}  # source name -> period of the newest confirmed reading
        self._period_ahead: dict = {}  # the same for what is read ahead
        self._superseded_to: dict = {}  # source name -> newest serial counted as superseded
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
    def waiting(self) -> int:
        """Readings that are not confirmed yet (those that the filters will skip included)."""
        return self._waiting()

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
        return self._queue.resolve(boot, stamp) if serial == position else None

    def look(self, serial: int, boot: int, stamp: int) -> None:
        """This is the time of a reading that only the flash will have."""
        if serial == self.position:
            self._first = (serial, boot, stamp)

    @property
    def in_flight(self) -> int:
        """Readings that were read ahead and are not confirmed yet."""
        return self._in_flight()

    # What a subclass may change: it cannot call a property that it replaces.

    def _waiting(self) -> int:
        return self._queue.newest + 1 - self.position

    def _in_flight(self) -> int:
        return len(self._flight)

    def wake(self) -> None:
        """Let wait() return."""
        self._event.set()

    async def wait(self) -> None:
        """Wait until something is queued; return at once where that was since the last call."""
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
        entry = self._flight.pop()
        self._period_ahead[entry[_NAME]] = entry[_BEFORE]

    def skip(self) -> None:
        """What next() returned last has nothing for this consumer: done, but not sent."""
        entry = self._flight.pop()
        self._period_ahead[entry[_NAME]] = entry[_BEFORE]

    async def newest(self) -> list:
        """Read all that is waiting: the newest item of each source, in order.

        For consumers whose messages carry no time: an old reading must not look like one of
        now. The older ones count as superseded.
        """
        found: dict = {}
        while True:
            item = await self.next(True)
            if item is None:
                return sorted(found.values())  # by serial number, which is first
            name = item[2][SOURCE].name
            if name in found:
                old = found[name][0]
                self._supersede(old, name)
                self._flight = [entry for entry in self._flight if entry[_SERIAL] != old]
            found[name] = item

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
            if stored.holes.has(serial) if stored else serial < queue.oldest:
                if stored:
                    stored.found = (-1, 0, None)  # or it would come all the same
                self.count_lost()
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
        if self.stored and not self.stored.holes.add(serial, serial + 1):
            return
        if wanted and self.newest_only:
            self._supersede(serial, reading[SOURCE].name)
        elif wanted:
            self.dropped += 1
        if serial == self.ahead:
            self.ahead = serial + 1

    def columns(self, source):
        """Indexes of the channels of this source that the consumer wants."""
        found = self._columns.get(source)
        if found is None:
            if len(self._columns) >= _SOURCES_CACHED:
                self._columns.clear()
            keys = self._channels
            if keys is None:  # without a number for each
                found = range(len(source.channels))
            else:
                found = tuple([i for i, c in enumerate(source.channels) if c[KEY] in keys])
            self._columns[source] = found
        return found

    def _refuse(self, item: tuple, why: str) -> None:
        if self._queue.aside:
            self._queue.aside(self, item, why)
        self.refused += 1

    def count_lost(self) -> None:
        """One that it wanted is lost."""
        if self.newest_only:
            self.superseded += 1
        else:
            self.dropped += 1

    def _supersede(self, serial: int, name: str) -> None:
        if serial > self._superseded_to.get(name, -1):  # not read again after a rewind()
            self._superseded_to[name] = serial
            self.superseded += 1

    def _wants(self, reading: tuple, time: int | None) -> bool:
        source = reading[SOURCE]
        if self._sources is not None and source.name not in self._sources:
            return False
        if not self.columns(source):
            return False
        if not self._every or time is None:
            return True
        return self._period_ahead.get(source.name) != time // self._every
