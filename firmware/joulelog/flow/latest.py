"""The table: what is newest of each source, for all that show or tell what is now.

    row = latest.row("p1")        # one for each reader, from the start on
    row.reading                   # the newest one; None while there is none
    row.came_ms, row.count        # uptime when it came; how many have come
    row.state                     # in words, what its reader says of the meter: "ok", "no answer"
    latest.count                  # of all readings: who looks now and then sees whether it moved

Whoever waits for a change is in `watchers` with a function wake() (see watch.py).
"""

from .. import clock
from .reading import SOURCE


class Row:
    """What is newest of one source."""

    reading: tuple | None = None
    came_ms = 0
    count = 0
    state = ""
    left_out = 0  # readings with a time that another one has


class Latest:
    """All rows, by name."""

    def __init__(self) -> None:
        self.rows: dict = {}
        self.sources = 0  # rows with a reading
        self.count = 0
        self.watchers: list = []

    def row(self, name: str) -> Row:
        """That of this source; made when it is asked for first."""
        row = self.rows.get(name)
        if row is None:
            row = self.rows[name] = Row()
        return row

    def of(self, name: str) -> tuple | None:
        """The newest reading of this source, if there is one."""
        row = self.rows.get(name)
        return row and row.reading

    def put(self, reading: tuple) -> None:
        """This reading is the newest of its source."""
        row = self.row(reading[SOURCE].name)
        if row.reading is None:
            self.sources += 1
        row.reading = reading
        row.came_ms = clock.uptime_ms()
        row.count += 1
        self.count += 1
        self.wake()

    def wake(self) -> None:
        """Let all that watch look again."""
        for watcher in self.watchers:
            watcher.wake()
