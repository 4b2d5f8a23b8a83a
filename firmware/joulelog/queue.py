"""The reading queue: one bounded ring, and one cursor per consumer.

    queue = Queue(64)
    cursor = queue.cursor("mqtt")
    queue.put(reading)                    # a reader; never waits, never raises

    await cursor.wait()                   # a sink
    serial, time, reading = cursor.next() # read ahead; None when there is nothing (yet)
    cursor.confirm(serial)                # the server has it: everything up to serial is done
    cursor.rewind()                       # the server has not: read again from what is confirmed

Readings carry serial numbers 0, 1, 2 … A full ring loses its oldest reading; every cursor
that still wanted it counts one `dropped`. A store on flash may stand behind the ring: an
object with `spill(serial, reading)`, called just before a reading is overwritten that some
cursor has not confirmed, and `fetch(serial) -> reading or None`.
"""

import asyncio

from exact import KEY
from micropython import const

from .reading import SOURCE, TIME

_SOURCES_CACHED = const(16)


class Queue:
    """A ring of readings with serial numbers."""

    def __init__(self, slots: int, clock) -> None:
        self.clock = clock
        self.store = None  # the flash behind the ring
        self.notice = None  # called at each reading: the LED
        self.newest = -1  # serial number of the newest reading
        self.latest: dict = {}  # source name -> newest reading: what pages and health show
        self._ring: list = [None] * slots
        self._cursors: list = []

    @property
    def oldest(self) -> int:
        """Serial number of the oldest reading in the ring."""
        return max(0, self.newest + 1 - len(self._ring))

    def cursor(self, name: str, sources=None, channels=None, every: int = 0) -> "Cursor":
        """A new consumer's place in the queue: it sees the readings that come from now on."""
        cursor = Cursor(self, name, sources, channels, every)
        self._cursors.append(cursor)
        return cursor

    def put(self, reading: tuple) -> None:
        """Append a reading; when the ring is full the oldest goes."""
        serial = self.newest + 1
        slot = serial % len(self._ring)
        evicted = self._ring[slot]
        if evicted is not None:
            self._evict(serial - len(self._ring), evicted)
        self._ring[slot] = reading
        self.newest = serial
        self.latest[reading[SOURCE].name] = reading
        self.wake()
        if self.notice:
            self.notice()

    def wake(self) -> None:
        """Let every consumer look again: the time is known now."""
        for cursor in self._cursors:
            cursor.wake()

    def get(self, serial: int) -> tuple | None:
        """The reading with this serial number, from the ring or the store; None when gone."""
        if serial > self.newest:
            return None
        if serial >= self.oldest:
            return self._ring[serial % len(self._ring)]
        return self.store.fetch(serial) if self.store else None

    def _evict(self, serial: int, reading: tuple) -> None:
        if self.store:
            for cursor in self._cursors:
                if cursor.position <= serial:
                    self.store.spill(serial, reading)
                    return
            return
        for cursor in self._cursors:
            cursor.lose(serial, reading)


class Cursor:
    """One consumer's place: what is confirmed, what is read ahead, and what it wants at all.

    sources: list of source names or None; channels: list of keys or None; every: at most one
    reading per source in each period of so many seconds, aligned to the clock.
    """

    def __init__(self, queue: Queue, name: str, sources, channels, every: int) -> None:
        self.name = name
        self.sent = 0
        self.superseded = 0  # readings without a time of their own that a newer one replaced
        self.dropped = 0  # wanted readings that the ring lost before they were sent
        self.newest_only = False  # what the ring loses counts as superseded, not as dropped
        self._queue = queue
        self._sources = sources
        self._channels = channels
        self._every = every
        self._ahead = queue.newest + 1  # the next serial to read
        self._flight: list = []  # (serial, source name, period, the period before) on their way
        self._period: dict = {}  # source name -> period of the newest confirmed reading
        self._period_ahead: dict = {}  # the same for what is read ahead
        self._superseded_to: dict = {}  # source name -> newest serial counted as superseded
        self._columns: dict = {}  # Source -> indexes of the wanted channels
        self._event = asyncio.Event()

    @property
    def position(self) -> int:
        """The first serial number that is not confirmed."""
        return self._flight[0][0] if self._flight else self._ahead

    @property
    def waiting(self) -> int:
        """Readings that are not confirmed yet (those that the filters will skip included)."""
        return self._queue.newest + 1 - self.position

    @property
    def in_flight(self) -> int:
        """Readings that were read ahead and are not confirmed yet."""
        return len(self._flight)

    @property
    def backlog(self) -> bool:
        """True while readings are waiting that were not read ahead."""
        return self._ahead <= self._queue.newest

    def wake(self) -> None:
        """Let wait() return."""
        self._event.set()

    async def wait(self) -> None:
        """Wait until something is queued; return at once where that was since the last call."""
        await self._event.wait()
        self._event.clear()

    def next(self, timeless: bool = False) -> tuple | None:
        """Read ahead: (serial, UTC, reading) of the next wanted reading, or None.

        A reading whose time is not known yet holds the queue; a timeless consumer takes it,
        with None for the time.
        """
        queue = self._queue
        while self._ahead <= queue.newest:
            serial = self._ahead
            reading = queue.get(serial)
            if reading is None:  # gone, and counted when it went
                self._ahead += 1
                continue
            time = queue.clock.resolve(reading[TIME])
            if time is None and not timeless:
                return None
            self._ahead += 1
            if not self._wants(reading, time):
                continue
            name = reading[SOURCE].name
            period = time // self._every if self._every and time is not None else None
            self._flight.append((serial, name, period, self._period_ahead.get(name)))
            self._period_ahead[name] = period
            return serial, time, reading
        return None

    def unread(self) -> None:
        """Give back the reading that next() returned last."""
        serial, name, _, before = self._flight.pop()
        self._ahead = serial
        self._period_ahead[name] = before

    def skip(self) -> None:
        """What next() returned last has nothing for this consumer: done, but not sent."""
        _, name, _, before = self._flight.pop()
        self._period_ahead[name] = before

    def newest(self) -> list:
        """Read all that is waiting: the newest (serial, UTC, reading) of each source, in order.

        For consumers whose messages carry no time: an old reading must not look like one of
        now. The older ones count as superseded.
        """
        self.newest_only = True
        found: dict = {}
        while True:
            item = self.next(True)
            if item is None:
                return sorted(found.values(), key=_serial)
            name = item[2][SOURCE].name
            if name in found:
                old = found[name][0]
                self._flight = [entry for entry in self._flight if entry[0] != old]
                if old > self._superseded_to.get(name, -1):  # not read again after a rewind()
                    self._superseded_to[name] = old
                    self.superseded += 1
            found[name] = item

    def confirm(self, serial: int) -> None:
        """The consumer is done with everything up to this serial."""
        while self._flight and self._flight[0][0] <= serial:
            _, name, period, _ = self._flight.pop(0)
            self.sent += 1
            self._period[name] = period

    def set_aside(self, serial: int) -> None:
        """The server refuses this reading for good: confirm it without counting it as sent."""
        before = self.sent
        self.confirm(serial)
        self.sent = max(before, self.sent - 1)

    def rewind(self) -> None:
        """Go back to the first reading that is not confirmed."""
        position = self.position
        oldest = self._queue.oldest
        if position < oldest and not self._queue.store:
            for entry in self._flight:
                if entry[0] < oldest:  # overwritten while it was on its way
                    self._count_lost()
            position = oldest
        self._flight = []
        self._ahead = position
        self._period_ahead = dict(self._period)
        self._event.set()

    def lose(self, serial: int, reading: tuple) -> None:
        """The ring overwrites a reading: count it if it was still wanted."""
        if serial < self._ahead:
            return  # confirmed, or on its way: then rewind() counts it
        self._ahead = serial + 1
        if self._wants(reading, self._queue.clock.resolve(reading[TIME])):
            self._count_lost()

    def columns(self, source) -> tuple:
        """Indexes of the channels of this source that the consumer wants."""
        found = self._columns.get(source)
        if found is None:
            if len(self._columns) >= _SOURCES_CACHED:
                self._columns.clear()
            keys = self._channels
            found = tuple(
                [i for i, c in enumerate(source.channels) if keys is None or c[KEY] in keys]
            )
            self._columns[source] = found
        return found

    def _count_lost(self) -> None:
        if self.newest_only:
            self.superseded += 1
        else:
            self.dropped += 1

    def _wants(self, reading: tuple, time: int | None) -> bool:
        source = reading[SOURCE]
        if self._sources is not None and source.name not in self._sources:
            return False
        if not self.columns(source):
            return False
        if not self._every or time is None:
            return True
        return self._period_ahead.get(source.name) != time // self._every


class Consumer:
    """Counters of whoever has a cursor: what the sinks have in common."""

    cursor: Cursor

    @property
    def sent(self) -> int:
        """Readings that the destination confirmed."""
        return self.cursor.sent

    @property
    def superseded(self) -> int:
        """Readings that a newer one replaced, where messages carry no time."""
        return self.cursor.superseded

    @property
    def dropped(self) -> int:
        """Readings lost because the queue was full."""
        return self.cursor.dropped


def _serial(item: tuple) -> int:
    return item[0]
