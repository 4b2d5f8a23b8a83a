"""A consumer of the table: for messages that carry no time, and so must be of now.

    watch = Watch(queue, "mqtt", sources, channels, every)

    await watch.wait()                    # until something in the table changes
    for number, time, reading, _ in watch.newest():
        ...
        watch.confirm(number)             # the server has it, and those before

Each source's newest reading comes once, and again until it is confirmed; those that a newer one
has replaced by then count as superseded. The arguments are a cursor's.
"""

from .queue import Cursor
from .reading import SOURCE, TIME


class Watch(Cursor):
    """See the module's text."""

    def __init__(self, queue, name: str, sources, channels, every: int) -> None:
        Cursor.__init__(self, queue, name, sources, channels, every)
        self._had: dict = {}  # source name -> how many had come with the one confirmed last
        queue.latest.watchers.append(self)

    @property
    def waiting(self) -> int:
        """Sources whose newest reading is not confirmed."""
        return len(self._news())

    @property
    def oldest_time(self) -> int | None:
        """UTC of the oldest of these readings; None where there is none, or it is not known."""
        times = [item[1] for item in self._news() if item[1] is not None]
        return min(times) if times else None

    def rows(self) -> list:
        """(name, row) of each wanted source that has a reading."""
        rows = self._queue.latest.rows
        found = [(name, rows[name]) for name in sorted(rows) if rows[name].reading]
        return [pair for pair in found if self.columns(pair[1].reading[SOURCE])]

    def silent(self) -> list:
        """(name, row) of each wanted source without a reading, where its reader says why."""
        rows = self._queue.latest.rows
        found = [
            (name, rows[name]) for name in rows if rows[name].state and not rows[name].reading
        ]
        return [pair for pair in found if self._sources is None or pair[0] in self._sources]

    def newest(self) -> list:
        """Items (number, UTC or None, reading, count) of the sources with news, not confirmed."""
        self._flight = self._news()
        return list(self._flight)

    async def next(self, timeless: bool = False) -> tuple | None:
        """One of these after the other, for who sends them as those of a log."""
        if self._flight:
            return None
        self._flight = self._news()[:1]
        for number, time, reading, _ in self._flight:
            return number, time, reading, self._queue.boot
        return None

    def skip(self) -> None:
        self.dismiss(self._flight[0][0])

    def confirm(self, serial: int) -> None:
        """The consumer is done with everything up to this number of an item of newest()."""
        while self._flight and self._flight[0][0] <= serial:
            _, time, reading, count = self._flight.pop(0)
            name = reading[SOURCE].name
            if not self._every:  # else those in between were not wanted
                self.superseded += count - self._had.get(name, 0) - 1
            self._had[name] = count
            if self._every and time is not None:
                self._period_ahead[name] = time // self._every
            self.sent += 1

    def rewind(self) -> None:
        """What is not confirmed comes again."""
        self._flight = []
        self.wake()

    def _news(self) -> list:
        found = []
        for name, row in self.rows():
            time = self._queue.clock.resolve(row.reading[TIME])
            if row.count != self._had.get(name, 0) and self._wants(row.reading, time):
                found.append((len(found), time, row.reading, row.count))
        return found
