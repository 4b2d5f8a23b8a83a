"""The reading queue: one bounded ring, and one cursor per consumer (see cursor.py).

    queue = Queue(64, app.clock, boot)
    cursor = queue.cursor("mqtt")
    queue.put(reading)                    # a reader; never waits, never raises

Readings carry serial numbers that go on after a restart where a spool stands behind the ring:
the flash that holds what a durable cursor has not confirmed (see spool.py). A full ring loses its
oldest reading unless the spool holds it; every cursor that still wanted it counts one `dropped`.

boot tells this run of the firmware from all others: a reading is known for ever by its boot and
its serial number.
"""

from micropython import const

from .cursor import Cursor
from .reading import SOURCE, TIME, Source

_SOURCES = const(8)  # of stored readings that are not the newest ones


class Queue:
    """A ring of readings with serial numbers."""

    def __init__(self, slots: int, clock, boot: int = 0) -> None:
        self.clock = clock
        self.boot = boot
        self.slots = slots
        self.spool = None  # the flash behind the ring
        self.aside = None  # takes what no server wants: a function (cursor, item, why)
        self.notice = None  # called at each reading: the LED
        self.newest = -1  # serial number of the newest reading
        self.latest: dict = {}  # source name -> newest reading: what pages and health show
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

    def sink_cursor(self, module, entry: dict, backlog: bool = True) -> Cursor:
        """The same for a sink: as its module and its config entry want it.

        backlog: there can be one that new readings may pass.
        """
        kind = Cursor
        if backlog and hasattr(module, "live_first") and module.live_first(entry):
            from .live_first import LiveFirst as kind
        about = entry["sources"], entry["channels"], entry["every"]
        return self.use(kind(self, entry["name"], *about))

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
            self.wake()
            self.latest[reading[SOURCE].name] = reading
            if self.notice:
                self.notice()
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

    def source(self, name: str, channels: tuple) -> Source:
        """A source of stored readings: one that is alike where there is one."""
        found = self.alike(name, channels)
        if found is None:
            found = Source(name, channels)
            self._sources = self._sources[1 - _SOURCES :] + [found]
        return found

    def alike(self, name: str, channels: tuple) -> Source | None:
        """The source of this name with these channels, if readings have one.

        Two of a kind would take kB, for their channels and what cursors and sinks keep of each.
        """
        newest = self.latest.get(name)
        for source in ([newest[SOURCE]] if newest else []) + self._sources:
            if source.name == name and source.channels == channels:
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
                if not cursor.stored:  # else it will be missed on the flash, if it is not there
                    cursor.count_lost()
