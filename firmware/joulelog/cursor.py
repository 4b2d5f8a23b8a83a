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
import logging

from exact import KEY
from micropython import const

from . import clock
from .reading import SOURCE, TIME

_SOURCES_CACHED = const(16)
_SERIAL = const(0)  # of an entry in _flight: (serial, source name, period, the one before, time)
_NAME = const(1)
_PERIOD = const(2)
_BEFORE = const(3)
_TIME = const(4)


_MOST_FAILURES = const(10)  # of the flash: then it goes on behind the segment
_PAUSE_MS = const(10000)


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
        self._queue = queue
        self._sources = sources
        self._channels = channels
        self._every = every
        self._ahead = queue.newest + 1  # the next serial to read
        self._end = -1  # where reading stops; -1: nowhere
        self._flight: list = []  # what is on its way, in order
        self._first: tuple = (-1, 0, 0)  # (serial, boot, stamp) of a first waiting reading
        self._period: dict = {}  # source name -> period of the newest confirmed reading
        self._period_ahead: dict = {}  # the same for what is read ahead
        self._superseded_to: dict = {}  # source name -> newest serial counted as superseded
        self._columns: dict = {}  # Source -> indexes of the wanted channels
        self._event = asyncio.Event()
        self.holes = None  # what is lost, where there is a spool: see holes.py
        self._refused_to = -1  # the newest serial whose time nobody will ever know
        self._failures = 0  # of the flash in a row
        self._pause_ms = 0  # uptime before which the flash is not read again
        self._reader = None  # of the spool
        self._reader_at = -1  # the serial that it gives next, if it has it
        self._stored: tuple = (-1, 0, None)  # (serial, boot, reading) that it gave last

    def start(self, serial: int) -> None:
        """Begin at this serial number; for a new cursor, or one that was kept on flash."""
        self._ahead = serial
        self._event.set()

    @property
    def position(self) -> int:
        """The first serial number that is not confirmed."""
        return self._flight[0][_SERIAL] if self._flight else self._ahead

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

    @property
    def backlog(self) -> bool:
        """True while readings are waiting that were not read ahead."""
        return self._backlog()

    # What a subclass may change: super() of MicroPython cannot get at properties.

    def _waiting(self) -> int:
        return self._queue.newest + 1 - self.position

    def _in_flight(self) -> int:
        return len(self._flight)

    def _backlog(self) -> bool:
        return self._ahead <= self._queue.newest

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
        while self._ahead <= queue.newest and (self._end < 0 or self._ahead < self._end):
            serial = self._ahead
            reading = queue.get(serial)
            boot = queue.boot
            if reading is None:
                if self._stored[0] != serial:
                    if not await self._load():
                        return None
                    continue
                serial, boot, reading = self._stored
            time = queue.resolve(boot, reading[TIME])
            if time is None and not timeless:
                if boot == queue.boot or not queue.clock.source:
                    return None
                self._ahead = serial + 1
                if serial > self._refused_to and self._wants(reading, None):
                    self._refused_to = serial
                    self._refuse(
                        (serial, None, reading, boot), "nobody told the time of that start"
                    )
                continue
            self._ahead = serial + 1
            if not self._wants(reading, time):
                continue
            name = reading[SOURCE].name
            period = time // self._every if self._every and time is not None else None
            self._flight.append((serial, name, period, self._period_ahead.get(name), time))
            self._period_ahead[name] = period
            return serial, time, reading, boot
        return None

    def unread(self) -> None:
        """Give back the reading that next() returned last."""
        entry = self._flight.pop()
        self._ahead = entry[_SERIAL]
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
                self._flight = [entry for entry in self._flight if entry[_SERIAL] != old]
                self._supersede(old, name)
            found[name] = item

    def confirm(self, serial: int) -> None:
        """The consumer is done with everything up to this serial."""
        entry = None
        while self._flight and self._flight[0][_SERIAL] <= serial:
            entry = self._flight.pop(0)
            self.sent += 1
            self._period[entry[_NAME]] = entry[_PERIOD]
        if entry and not self._flight and entry[_TIME] is not None:
            # What waits behind it is nearly as old, and may lie on the flash.
            self.look(self._ahead, self._queue.boot, entry[_TIME])

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
        self.dismiss(item[0])
        self._refuse(item, why)

    def rewind(self) -> None:
        """Go back to the first reading that is not confirmed."""
        queue = self._queue
        if self._flight and self._flight[0][_TIME] is not None:
            self._first = (self._flight[0][_SERIAL], queue.boot, self._flight[0][_TIME])
        position = self.position
        for entry in self._flight:
            serial = entry[_SERIAL]
            if self.holes.has(serial) if self.holes else serial < queue.oldest:
                self._count_lost()  # overwritten while it was on its way
        self._flight = []
        self._ahead = position if self.holes else max(position, queue.oldest)
        self._period_ahead = dict(self._period)
        self._event.set()

    def lose(self, serial: int, reading: tuple, time: int | None) -> None:
        """Nobody holds this reading any more: count it if it was still wanted."""
        if self.holes and (serial < self.position or not self.holes.add(serial, serial + 1)):
            return
        if serial < self._ahead:
            return  # confirmed, or on its way: then rewind() counts it
        if serial == self._ahead:
            self._ahead = serial + 1
        if not self._wants(reading, time):
            return
        if self.newest_only:
            self._supersede(serial, reading[SOURCE].name)
        else:
            self.dropped += 1

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

    async def _load(self) -> bool:
        """Read the next reading that the spool holds, or go on to where there is one.

        False: later, the flash fails.
        """
        queue = self._queue
        if not self.holes:
            self._ahead = queue.oldest  # what was there is counted
            return True
        if clock.uptime_ms() < self._pause_ms:
            return False
        reader = self._reader
        if reader is None:
            self._reader = reader = queue.spool.reader()
        if self._reader_at != self._ahead:
            reader.seek(self._ahead)
        self._reader_at = -1
        found = None
        while found is None:
            try:
                found = reader.step()
            except OSError as error:
                return self._unreadable(error)
            # In this step: what the ring loses in the next one is on the flash by then.
            waits = min(queue.oldest, queue.spool.unwritten)
            if found and reader.serial < waits:
                self._pass(reader.serial)
                self._failures = 0
                if self._ahead == reader.serial:
                    self._reader_at = reader.serial + 1
                    reading = (reader.stamp, reader.source, reader.values)
                    self._stored = (reader.serial, reader.boot, reading)
            elif found is not None:
                self._pass(waits)
                return self._ahead >= queue.oldest or 0 <= self._end <= self._ahead
            await clock.sleep_ms(0)  # also behind a reading: decoding it was a step
        return True

    def _pass(self, serial: int) -> None:
        """Nobody holds what is before this one; whether it was wanted, nobody knows."""
        if 0 <= self._end < serial:
            serial = self._end
        if serial > self._ahead:
            self.dropped += self.holes.add(self._ahead, serial)  # type: ignore[union-attr]
            self._ahead = serial

    def _unreadable(self, error: OSError) -> bool:
        """The flash fails: try again, but not for ever."""
        spool = self._queue.spool
        spool.complain_of_reading(error)
        self._failures += 1
        self._pause_ms = clock.uptime_ms() + _PAUSE_MS
        if self._failures < _MOST_FAILURES:
            return False
        self._failures = self._pause_ms = 0
        before = self.dropped
        self._pass(min(spool.log.end_of(self._ahead), self._queue.oldest))
        logging.getLogger(self.name).error(
            "up to %d readings on the flash cannot be read (%s): they are lost",
            self.dropped - before,
            error,
        )
        return True

    def _refuse(self, item: tuple, why: str) -> None:
        self.refused += 1
        if self._queue.aside:
            self._queue.aside(self, item, why)

    def _count_lost(self) -> None:
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
