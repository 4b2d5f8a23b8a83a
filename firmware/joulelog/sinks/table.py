"""The live table of the console: the newest reading of each meter, and how the sinks are.

    table = Table(cursor, app.clock, app.log, terminal, app.sinks)
    await table.run()

terminal() tells (columns, rows, colours) of the terminal as it is now; None: nobody knows. The
table is redrawn in place, below what was written before it; the log's lines come to stand above
it, and scroll away as lines do. The last three of them stay in sight. Where not all values fit,
each meter has its share of the lines, and the table says how many are missing.

Codes: ECMA-48 (CUU, EL, ED, SGR).
"""

import asyncio
import sys

from exact import KEY, KIND, UNIT
from micropython import const

from .. import clock
from ..device.logging_setup import plain
from ..flow.reading import SOURCE, TIME, VALUES, texts

_LOG_ROWS = const(4)  # three lines of the log, and the one that the cursor stands in
_GAP = const(3)  # blanks between two cells
_MOST_KEY = const(32)  # characters of a key; one alone must not widen all
_LEAST_KEY = const(14)  # characters that a key may be cut to, for another column of cells
_TAIL = const(6)  # of them are its end: keys differ in their beginnings and ends
_REDRAW_MS = const(1000)  # sinks and the terminal tell nobody that they are not as they were
_RECENT_S = const(60)  # what waits for so long only is on its way
_BOLD = "\x1b[1m"
_YELLOW = "\x1b[33m"
_PLAIN = "\x1b[0m"


class Table:
    """Draws in place; takes the log's lines meanwhile."""

    def __init__(self, cursor, app_clock, log, terminal, sinks: list) -> None:
        self._cursor = cursor
        self._clock = app_clock
        self._log = log
        self._terminal = terminal or _unknown
        self._sinks = sinks
        self._drawn: list = []  # lines that are on the screen, as `lines` gives them

    async def run(self) -> None:
        """Draw for ever."""
        stream = self._log.stream
        self._drawn = []
        self._log.stream = self
        size: tuple = ()
        try:
            while True:
                try:
                    await clock.wait_for_ms(self._cursor.wait(), _REDRAW_MS)
                except asyncio.TimeoutError:
                    pass
                for item in self._cursor.newest():
                    self._cursor.confirm(item[0])
                now = self._terminal()
                lines = self.lines(now[0], now[1])
                if lines != self._drawn or size != now:
                    size = now
                    self._put("", lines, now)
        finally:
            self._log.stream = stream

    def write(self, text: str) -> None:
        """Show a line of the log, above the table."""
        self._put(text, self._drawn, self._terminal())

    def lines(self, columns: int, rows: int) -> list:
        """The table as it fits a terminal of this size: of each line its (style, text) pairs."""
        columns = max(1, columns - 1)  # who writes into the last one may wrap
        meters = [(name, row, self._cells(row.reading)) for name, row in self._cursor.rows()]
        meters += [(name, row, []) for name, row in self._cursor.silent()]
        meters.sort(key=lambda meter: meter[0])
        footer = self._footer(columns)
        left = max(2, rows - _LOG_ROWS - len(footer))
        across, key, number, unit = _shape([meter[2] for meter in meters], columns, left)
        needs = [-(-len(cells) // across) for _, _, cells in meters]
        blank = len(meters) + sum(needs) + len(meters) <= left
        if not blank and len(meters) + sum(needs) > left:
            left -= 1  # for the line that says what is missing
        shown = min(len(meters), max(1, left // 2))
        shares = _shares(needs[:shown], left - shown)
        lines = []
        missing = 0
        for (name, row, cells), share in zip(meters, shares):
            line = [(_BOLD, name), ("", "  " + self._when(row.reading))]
            if row.state not in ("", "ok"):
                line.append((_YELLOW, "  " + row.state))
            lines.append(line)
            missing += max(0, len(cells) - share * across)
            cells = [_cell(cell, key, number, unit) for cell in cells[: share * across]]
            height = -(-len(cells) // across)
            for at in range(height):
                lines.append([("", (" " * _GAP).join(cells[at::height]))])
            if blank:
                lines.append([])
        missing += sum([len(meter[2]) for meter in meters[shown:]])
        if missing:
            hidden = len(meters) - shown
            text = "… %d more values" % missing
            text += ", %d more meters" % hidden if hidden else ""
            lines.append([(_YELLOW, text + ": a larger window shows them")])
        return [_cut(line, columns) for line in lines + footer]

    def _when(self, reading: tuple | None) -> str:
        if reading is None:
            return "no reading yet"
        time = self._clock.resolve(reading[TIME])
        return "time unknown" if time is None else self._clock.text(time)

    def _cells(self, reading: tuple) -> list:
        """(key, text, unit) of each channel; unit None: no number."""
        source = reading[SOURCE]
        values = reading[VALUES]
        columns = self._cursor.columns(source)
        today = self._when(reading)[:10]

        def short(time: int) -> str:  # the place of a number is narrow
            text = self._clock.text(time)
            return text[11:19] if text[:10] == today else text[5:10] + " " + text[11:16]

        found = texts(values, source.channels, columns, str, short)
        cells = []
        for index in columns:
            channel = source.channels[index]
            text = "-"
            if values[index] is not None:
                next(found)
                text = next(found)
            words = channel[KIND] in ("text", "time")
            cells.append((channel[KEY], plain(text), None if words else channel[UNIT]))
        return cells

    def _footer(self, columns: int) -> list:
        """A cell for each other sink, on as many lines as they take, and how this ends."""
        cells = []
        for sink in self._sinks:
            if sink.cursor is not self._cursor:
                cells.append(self._state(sink))
        cells.append(("", "(Ctrl-C stops)"))
        lines: list = []
        used = columns
        for cell in cells:
            if lines and used + _GAP + len(cell[1]) <= columns:
                lines[-1].append(("", " " * _GAP))
            else:
                lines.append([])
                used = -_GAP
            lines[-1].append(cell)
            used += _GAP + len(cell[1])
        return lines

    def _state(self, sink) -> tuple:
        """What a sink does: "ok", or how many readings wait, and since when."""
        state = sink.state.split(":")[0]
        waiting = sink.cursor.waiting
        since = sink.cursor.oldest_time if waiting else None
        now = self._clock.now()
        recent = since is not None and now is not None and now - since <= _RECENT_S
        if not waiting or (state == "ok" and recent):
            return "" if state in ("ok", "idle") else _YELLOW, sink.name + " " + state
        text = sink.name + " " + (state + ", " if state == "denied" else "")
        text += "%d wait" % waiting
        if since is not None and now is not None:
            when, today = self._clock.text(since), self._clock.text(now)
            text += " since " + when[11 if when[:10] == today[:10] else 5 : 16]
        return _YELLOW, text

    def _put(self, log: str, lines: list, size: tuple) -> None:
        columns, _, colours = size
        text = ""
        if self._drawn:  # some terminals fold what was drawn when they become narrower
            folded = [-(-sum([len(part[1]) for part in line]) // columns) for line in self._drawn]
            text = "\r\x1b[%dA" % sum([max(1, height) for height in folded])
        if log:
            text += "\x1b[J" + log
        for line in lines:
            for style, part in line:
                text += style + part + _PLAIN if style and colours else part
            text += "\x1b[K\n"
        self._drawn = lines
        sys.stdout.write(text + "\x1b[J")


def _unknown() -> tuple:
    return 80, 24, True


def _shape(meters: list, columns: int, rows: int) -> tuple:
    """(cells side by side, widths of key, number and unit) with which all fits, if any does.

    meters: the cells of each. As few keys as possible are cut.
    """
    cells = [cell for meter in meters for cell in meter]
    numbers = [cell for cell in cells if cell[2] is not None]
    key = min(_MOST_KEY, max([len(cell[0]) for cell in cells] + [1]))
    number = max([len(cell[1]) for cell in numbers] + [1])
    unit = max([len(cell[2]) for cell in numbers] + [0])
    rest = 2 + number + 1 + unit
    across = max(1, (columns + _GAP) // (key + rest + _GAP))
    most = max(across, (columns + _GAP) // (min(key, _LEAST_KEY) + rest + _GAP))
    while across < most and sum([1 - (-len(meter) // across) for meter in meters]) > rows:
        across += 1
    return across, max(1, min(key, (columns + _GAP) // across - _GAP - rest)), number, unit


def _shares(needs: list, rows: int) -> list:
    """Lines for each meter: what it needs, or its part of what the smaller ones leave."""
    shares = [0] * len(needs)
    for done, at in enumerate(sorted(range(len(needs)), key=lambda at: needs[at])):
        shares[at] = min(needs[at], max(0, rows) // (len(needs) - done))
        rows -= shares[at]
    return shares


def _cell(cell: tuple, key: int, number: int, unit: int) -> str:
    name, text, of = cell
    if of is None:  # words, which may have the place of what a key leaves
        width = key + 2 + number + 1 + unit
        name = _shortened(name, max(key, width - 2 - len(text)))
        room = width - len(name) - 2
        text = text if len(text) <= room else text[: max(0, room - 1)] + "…"
        return name + " " * (width - len(name) - len(text)) + text
    name = _shortened(name, key)
    blanks = " " * (key + 2 + number - len(name) - len(text))
    return name + blanks + text + " " + of + " " * (unit - len(of))


def _shortened(key: str, width: int) -> str:
    """A key in so many characters."""
    if len(key) <= width:
        return key
    tail = _TAIL if width > 2 * _TAIL else 0
    return key[: max(0, width - 1 - tail)] + "…" + (key[-tail:] if tail else "")


def _cut(line: list, columns: int) -> list:
    """The parts of a line as far as they fit, without control characters."""
    parts = []
    for style, text in line:
        text = plain(text)
        if len(text) > columns:
            text = text[: max(0, columns - 1)] + "…"[:columns]
        columns -= len(text)
        if text:
            parts.append((style, text))
    return parts
