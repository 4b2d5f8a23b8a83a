"""Print each reading: for a first look, and for a terminal that shows a live table.

    sinks = [{"type": "console"}]

The table holds the newest reading of each meter, and below it the last lines of the log.
"""

import sys

from exact import DECIMALS, KEY, UNIT, text

from .. import clock

SCHEMA = """\
style | choice auto table lines | "auto" | auto: a table where the terminal can redraw it
"""


class Sink:
    """Prints what the cursor gives."""

    COUNTERS = ("sent", "dropped")
    carries_time = True
    order = "any"
    durable = False

    def __init__(self, name: str, entry: dict, app, cursor) -> None:
        self.name = name
        self.cursor = cursor
        self.state = "ok"
        style = entry["style"]
        self._app = app
        self._tail = _Tail()
        self._latest: dict = {}  # source name -> (when, reading): what the table shows
        self._table = style == "table" or (style == "auto" and app.terminal)

    @property
    def sent(self) -> int:
        """Readings that were printed."""
        return self.cursor.sent

    @property
    def dropped(self) -> int:
        """Readings that came too fast to be printed."""
        return self.cursor.dropped

    def describe(self) -> str:
        """For the start report."""
        return "a live table" if self._table else "one line per reading"

    async def run(self) -> None:
        """Print for ever."""
        stream = self._app.log.stream
        if self._table:
            self._app.log.stream = self._tail
        try:
            await self._show()
        finally:
            self._app.log.stream = stream

    async def _show(self) -> None:
        while True:
            found = await self.cursor.next(True)
            if found is None:
                await self.cursor.wait()
                continue
            serial, time, reading, _ = found
            when = "time unknown" if time is None else self._app.clock.text(time)
            if self._table:
                self._latest[reading[1].name] = (when, reading)
                self._draw()
            else:
                self._print(when, reading)
            self.cursor.confirm(serial)
            await clock.sleep_ms(0)

    def _print(self, when: str, reading: tuple) -> None:
        source, values = reading[1], reading[2]
        print(when, source.name, end="")  # in pieces: a line takes 3 kB at a time
        for index in self.cursor.columns(source):
            channel = source.channels[index]
            value = values[index]
            if value is not None:
                print(" %s=%s" % (channel[KEY], shown(channel, value)), end="")
        print()

    def _draw(self) -> None:
        write = sys.stdout.write
        write("\x1b[H")  # over what is there: clearing the screen first would flicker
        for name in sorted(self._latest):
            when, reading = self._latest[name]
            write("\x1b[1m%s\x1b[0m  %s   (Ctrl-C stops)\x1b[K\n\x1b[K\n" % (name, when))
            cells = self._cells(reading)
            half = (len(cells) + 1) // 2  # two columns: a meter has more channels than 24 lines
            for row in range(half):
                right = cells[row + half] if row + half < len(cells) else ""
                write("%-40s%s\x1b[K\n" % (cells[row], right))
            write("\x1b[K\n")
        write("\x1b[J" + "".join(self._tail.lines))

    def _cells(self, reading: tuple) -> list:
        source, values = reading[1], reading[2]
        cells = []
        for index in self.cursor.columns(source):
            channel = source.channels[index]
            value = values[index]
            number = "-" if value is None else shown(channel, value)
            cells.append("%-25s%9s %s" % (channel[KEY], number, channel[UNIT]))
        return cells


class _Tail:
    """Takes the log's lines while the table has the screen, and keeps the last few."""

    def __init__(self) -> None:
        self.lines: list = []

    def write(self, line: str) -> None:
        """Keep a line."""
        self.lines = self.lines[-2:] + [line]


def shown(channel: tuple, value) -> str:
    """A value as text, with its decimals."""
    return value if isinstance(value, str) else text(value, channel[DECIMALS])
