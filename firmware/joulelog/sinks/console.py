"""Print each reading: for a first look, and for a terminal that shows a live table.

    sinks = [{"type": "console"}]
"""

import sys

from exact import DECIMALS, KEY, UNIT, text

from .. import clock

SCHEMA = """\
style | choice auto table lines | "auto" | a table where the terminal can redraw it, else one line per reading
"""


class Sink:
    """Prints what the cursor gives."""

    COUNTERS = ("sent", "superseded", "dropped")
    carries_time = True
    order = "any"

    def __init__(self, name: str, entry: dict, app, cursor) -> None:
        self.name = name
        self.cursor = cursor
        self.state = "ok"
        style = entry["style"]
        self._app = app
        self._tail = _Tail()
        self._table = style == "table" or (style == "auto" and app.terminal)

    @property
    def sent(self) -> int:
        """Readings printed."""
        return self.cursor.sent

    @property
    def superseded(self) -> int:
        """Always 0: each reading is printed."""
        return self.cursor.superseded

    @property
    def dropped(self) -> int:
        """Readings lost because the queue was full."""
        return self.cursor.dropped

    def describe(self) -> str:
        """For the start report."""
        return "a live table" if self._table else "one line per reading"

    async def run(self) -> None:
        """Print for ever."""
        if self._table:
            self._app.log.stream = self._tail
        while True:
            found = self.cursor.next(True)
            if found is None:
                await self.cursor.wait()
                continue
            serial, time, reading = found
            when = clock.iso(time) if time is not None else "time unknown"
            if self._table:
                self._draw(when, reading)
            else:
                self._print(when, reading)
            self.cursor.confirm(serial)
            await clock.sleep_ms(0)

    def _print(self, when: str, reading: tuple) -> None:
        source, values = reading[1], reading[2]
        parts = [when, source.name]
        for index in self.cursor.columns(source):
            channel = source.channels[index]
            value = values[index]
            if value is not None:
                parts.append("%s=%s" % (channel[KEY], shown(channel, value)))
        print(" ".join(parts))

    def _draw(self, when: str, reading: tuple) -> None:
        source, values = reading[1], reading[2]
        write = sys.stdout.write
        write("\x1b[H\x1b[J\x1b[1m%s\x1b[0m  %s   (Ctrl-C stops)\n\n" % (source.name, when))
        for index in self.cursor.columns(source):
            channel = source.channels[index]
            value = values[index]
            number = "-" if value is None else shown(channel, value)
            write("  %-28s %14s %s\n" % (channel[KEY], number, channel[UNIT]))
        write("\n" + "".join(self._tail.lines))


class _Tail:
    """Takes the log's lines while the table has the screen, and keeps the last few."""

    def __init__(self) -> None:
        self.lines: list = []

    def write(self, line: str) -> None:
        """Keep a line."""
        self.lines = self.lines[-4:] + [line]


def shown(channel: tuple, value) -> str:
    """A value as text, with its decimals."""
    return value if isinstance(value, str) else text(value, channel[DECIMALS])
