"""Print each reading: for a first look, and for a terminal that shows a live table (table.py).

    sinks = [{"type": "console"}]

A line has what the meter told, each value with its unit.
"""

from exact import UNIT

from .. import clock
from ..device.logging_setup import plain
from ..flow.reading import SOURCE, TIME, VALUES, texts

SCHEMA = """\
style | choice auto table lines | "auto" | auto: a table where a terminal redraws it
"""
NEEDS = ("clock", "log", "terminal", "sinks")


class Sink:
    """Prints what the cursor gives; terminal: see table.py, None where there is none."""

    def __init__(self, name: str, entry: dict, cursor, app_clock, log, terminal, sinks) -> None:
        self.name = name
        self.cursor = cursor
        self.state = "ok"
        self._clock = app_clock
        self._table = None
        if reads(entry, terminal) == "table":
            from .table import Table

            self._table = Table(cursor, app_clock, log, terminal, sinks)

    def counters(self) -> tuple:
        """(name, number) of readings that were printed, and of those that came too fast."""
        return (("sent", self.cursor.sent), ("dropped", self.cursor.dropped))

    def describe(self) -> str:
        """For the start report."""
        return "a live table" if self._table else "one line per reading"

    async def run(self) -> None:
        """Print for ever."""
        if self._table:
            await self._table.run()
        while True:
            await self.cursor.wait()
            await self._print()

    async def _print(self) -> None:
        while True:
            found = await self.cursor.next(True)
            if found is None:
                return
            self._line(found[2])
            self.cursor.confirm(found[0])
            await clock.sleep_ms(0)

    def _line(self, reading: tuple) -> None:
        source = reading[SOURCE]
        values = reading[VALUES]
        time = self._clock.resolve(reading[TIME])
        when = "time unknown" if time is None else self._clock.text(time)
        print(when, source.name, end="")  # in pieces: a line takes 3 kB at a time
        columns = self.cursor.columns(source)
        found = texts(values, source.channels, columns, plain)
        for index in columns:
            if values[index] is not None:
                print(" %s=%s" % (next(found), next(found)), end="")
                unit = source.channels[index][UNIT]
                if unit:
                    print("", unit, end="")
        print()


def reads(entry: dict, terminal) -> str:
    """See sink.py."""
    style = entry["style"]
    return "table" if style == "table" or (style == "auto" and terminal) else "ram"
