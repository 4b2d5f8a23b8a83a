"""The console sink: its lines and its table, character by character."""

import asyncio
import sys
import unittest

from civil import seconds

from joulelog import clock
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source
from joulelog.flow.watch import Watch
from joulelog.sinks import console, table

NOON = seconds(2026, 11, 20, 12)
DAY = ("energy_import_t1", "kWh", 3, "total_increasing", "energy")
POWER = ("power_import", "W", 0, "measurement", "power")
GAS = ("gas", "m³", 3, "total_increasing", "gas")
TEXT = ("message", "", 0, "text", "")
P1 = Source("p1", (DAY, POWER, GAS, TEXT))
READING = (NOON, P1, (45678123, None, 5, "power cut at 3 o'clock"))


class FakeClock:
    def resolve(self, stamp):
        return stamp if stamp >= 0 else None


class Log:
    stream = "the terminal"


class App:
    def __init__(self):
        self.log = Log()
        self.clock = clock.Clock()


class Screen:
    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


class Stdout:
    """Stands for the module `sys` in the sink."""

    def __init__(self):
        self.stdout = Screen()


class Cursor:
    """A sink's, of which the table wants two numbers."""

    def __init__(self, waiting, oldest_time):
        self.waiting = waiting
        self.oldest_time = oldest_time


class Other:
    """Another sink."""

    def __init__(self, name, state, waiting=0, oldest_time=None):
        self.name = name
        self.state = state
        self.cursor = Cursor(waiting, oldest_time)


def terminal(columns=80, rows=24, colours=False):
    """What the table asks of its terminal."""
    return lambda: (columns, rows, colours)


def show(*readings, style="lines", terminal=None, channels=None, log=()):
    """Run the sink over readings; return (what it wrote, cursor, app, the log's stream)."""
    queue = Queue(16, FakeClock())
    app = App()
    entry = {"name": "console", "sources": None, "channels": channels, "every": 0, "style": style}
    cursor = queue.sink_cursor(console, entry, True, terminal)
    sink = console.Sink("console", entry, cursor, app.clock, app.log, terminal, [])
    screen = Stdout()
    printed = []
    table.sys = screen

    def keep(*words, end="\n"):
        printed.append(" ".join([str(word) for word in words]) + end)

    console.print = keep
    streams = []

    async def story():
        task = asyncio.create_task(sink.run())
        await asyncio.sleep(0)
        for line in log:
            app.log.stream.write(line)
        for reading in readings:
            queue.put(reading)
        for _ in range(3 * len(readings) + 3):
            await asyncio.sleep(0.001)
        streams.append(app.log.stream)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass

    try:
        asyncio.run(story())
    finally:
        table.sys = sys
        del console.print
    return (screen.stdout.text or "".join(printed).rstrip("\n")), cursor, app, streams[0]


def made_table(readings, size, sinks=(), app_clock=None, state="", silent=(), sources=None):
    """A table over readings, as its sink makes it."""
    queue = Queue(64, FakeClock())
    cursor = Watch(queue, "console", sources, None, 0)
    for name in silent:
        queue.latest.row(name).state = "no answer"
    for reading in readings:
        queue.put(reading)
        queue.latest.row(reading[1].name).state = state
    return table.Table(cursor, app_clock or clock.Clock(), Log(), size, list(sinks))


def shape(readings, columns=80, rows=24, **about):
    """The lines of a table, without styles."""
    made = made_table(readings, terminal(columns, rows), **about)
    return ["".join([part[1] for part in line]).rstrip() for line in made.lines(columns, rows)]


def drawn(readings, size):
    """(a table that was drawn, the screen it writes to)."""
    made = made_table(readings, size)
    output = Stdout()
    table.sys = output
    made._put("", made.lines(size()[0], size()[1]), size())
    return made, output.stdout


def shown_and_missing(found):
    """Values that are shown, and those that are said to be missing."""
    text = "\n".join(found)
    missing = text.split("… ")[-1].split(" more values")[0] if " more values" in text else "0"
    return text.count("kvarh") + text.count("kWh") + text.count("message ") + int(missing)


class Emulated:
    """A terminal that never scrolls: CUU, EL, ED from the cursor on, and folding."""

    def __init__(self, columns):
        self.columns = columns
        self.lines = [""]
        self.at = self.column = 0

    def write(self, text):
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                end = at + 2
                while text[end].isdigit():
                    end += 1
                self._code(text[end], text[at + 2 : end])
                at = end
            elif text[at] == "\n":
                self._down()
            elif text[at] == "\r":
                self.column = 0
            else:
                if self.column == self.columns:
                    self._down()
                line = self.lines[self.at]
                self.lines[self.at] = line[: self.column] + text[at] + line[self.column + 1 :]
                self.column += 1
            at += 1

    def _down(self):
        self.at += 1
        self.column = 0
        if self.at == len(self.lines):
            self.lines.append("")

    def _code(self, letter, number):
        if letter == "A":
            self.at -= int(number)
            assert self.at >= 0
        elif letter in "KJ":
            self.lines[self.at] = self.lines[self.at][: self.column]
            if letter == "J":
                del self.lines[self.at + 1 :]

    def shown(self):
        """The lines, without blanks at the end of each; the cursor's is the last."""
        return [line.rstrip() for line in self.lines]


class TestLines(unittest.TestCase):
    def test_a_time_beside_its_reading(self):
        source = Source("p1", (GAS, ("gas_time", "", 0, "time", "timestamp")))
        text = show((NOON, source, (5, NOON - 300)))[0]
        wanted = "p1 gas=0.005 m³ gas_time=2026-11-20T11:55:00Z"
        self.assertEqual(text[-len(wanted) :], wanted)
        for time, told in ((NOON - 300, " 11:55:00(Ctrl"), (NOON - 86400, " 11-19 12:00(Ctrl")):
            for start in (NOON, -5):  # whose own time is not known
                lines = "".join(shape([(start, source, (12345678, time))], 120))
                if start < 0 and time == NOON - 300:
                    told = " 11-20 11:55(Ctrl"
                self.assertIn(told, lines)

    def test_a_line(self):
        text, cursor, app, stream = show(READING)
        self.assertEqual(
            text,
            "2026-11-20T12:00:00Z p1 energy_import_t1=45678.123 kWh gas=0.005 m³ "
            "message=power cut at 3 o'clock",
        )
        self.assertEqual((cursor.sent, cursor.waiting), (1, 0))
        self.assertEqual((stream, app.log.stream), ("the terminal", "the terminal"))

    def test_the_chosen_channels_only(self):
        text, _, _, _ = show(READING, channels=["gas"])
        self.assertEqual(text, "2026-11-20T12:00:00Z p1 gas=0.005 m³")

    def test_an_unknown_time(self):
        text, cursor, _, _ = show((-1000, P1, (0, -5, None, "")))
        self.assertEqual(
            text, "time unknown p1 energy_import_t1=0.000 kWh power_import=-5 W message="
        )
        self.assertEqual(cursor.sent, 1)

    def test_a_text_cannot_move_the_cursor(self):
        text, _, _, _ = show((NOON, P1, (1, 2, 3, "\x1b[2J\x9b1A\u202ex")), channels=["message"])
        self.assertEqual(text, "2026-11-20T12:00:00Z p1 message= [2J 1A x")

    def test_each_reading_in_order(self):
        many = [(NOON + number, P1, (number, 1, 1, "")) for number in range(5)]
        text, cursor, _, _ = show(*many)
        self.assertEqual(
            [line[17:20] for line in text.split("\n")], ["00Z", "01Z", "02Z", "03Z", "04Z"]
        )
        self.assertEqual(cursor.sent, 5)

    def test_styles(self):
        queue = Queue(4, FakeClock())
        for style, size, expected in (
            ("auto", None, "one line per reading"),
            ("auto", terminal(), "a live table"),
            ("lines", terminal(), "one line per reading"),
            ("table", None, "a live table"),
        ):
            sink = console.Sink(
                "console", {"style": style}, queue.cursor("x"), queue.clock, Log(), size, []
            )
            self.assertEqual(sink.describe(), expected)


class TestTable(unittest.TestCase):
    def test_a_table(self):
        text, _, app, stream = show(READING, style="auto", terminal=terminal(colours=True))
        self.assertEqual(
            text,
            "\x1b[1mp1\x1b[0m  2026-11-20T12:00:00Z\x1b[K\n"
            "energy_import_t1  45678.123 kWh   gas                   0.005 m³ \x1b[K\n"
            "power_import              - W     message  power cut at 3 o'clock\x1b[K\n"
            "\x1b[K\n(Ctrl-C stops)\x1b[K\n\x1b[J",
        )
        self.assertFalse(stream == "the terminal")  # the log's lines stand above the table
        self.assertEqual(app.log.stream, "the terminal")  # and it has its terminal back

    def test_it_is_redrawn_in_place_and_the_log_stands_above(self):
        later = (NOON + 1, P1, (45678124, None, 5, ""))
        text, _, _, _ = show(READING, later, style="auto", terminal=terminal(), log=["one\n"])
        screen = Emulated(80)
        screen.write("a report\n" + text)
        found = screen.shown()
        self.assertEqual(found[:3], ["a report", "one", "p1  2026-11-20T12:00:01Z"])
        self.assertEqual(found[3][:31], "energy_import_t1  45678.124 kWh")
        self.assertEqual(found[5:], ["", "(Ctrl-C stops)", ""])

    def test_lines_of_the_log_while_the_table_stands(self):
        made, output = drawn([(NOON, P1, READING[2])], terminal())
        made.write("x" * 200 + "\n")
        made.write("two\n")
        screen = Emulated(80)
        screen.write(output.text)
        found = screen.shown()
        self.assertEqual([len(line) for line in found[:3]], [80, 80, 40])
        self.assertEqual(found[3:5], ["two", "p1  2026-11-20T12:00:00Z"])
        self.assertEqual(found.count("(Ctrl-C stops)"), 1)

    def test_a_terminal_that_became_narrower(self):
        size = [80, 24, False]
        made, output = drawn([(NOON, P1, READING[2])], lambda: tuple(size))
        self.assertEqual(output.text.count("\x1b["), 6)
        size[0] = 40  # two of its five lines are 65 characters long, and fold
        output.text = ""
        made.write("log\n")
        self.assertEqual(output.text[:7], "\r\x1b[7A\x1b[")

    def test_every_meter_keeps_its_place(self):
        heat = Source("heat", (POWER,))
        found = shape([READING, (NOON + 1, heat, (7,))])
        self.assertEqual(
            found,
            [
                "heat  2026-11-20T12:00:01Z",
                "power_import              7 W",
                "",
                "p1  2026-11-20T12:00:00Z",
                "energy_import_t1  45678.123 kWh   gas                   0.005 m³",
                "power_import              - W     message  power cut at 3 o'clock",
                "",
                "(Ctrl-C stops)",
            ],
        )

    def test_any_number_of_meters_fits_any_terminal(self):
        words = ("x" * 1024, "\x1b[2J\u202e")
        for meters in (1, 2, 5, 40):
            for channels in (1, 3, 29, 100):
                names = [
                    "reactive_energy_import_of_the_whole_house_t%d" % n for n in range(channels)
                ]
                keys = [(n, "kvarh", 3, "total_increasing", "") for n in names[:-1]] + [TEXT]
                values = (-2147483647123,) * (channels - 1) + (words[meters % 2],)
                readings = [
                    (NOON, Source("meter%d" % n, tuple(keys)), values) for n in range(meters)
                ]
                for columns, rows in ((80, 24), (60, 20), (200, 50), (20, 5), (1, 1), (300, 9)):
                    found = shape(readings, columns, rows)
                    self.assertTrue(len(found) <= max(3, rows - 4) + 12 * (columns < 20))
                    self.assertTrue(max([len(line) for line in found]) <= max(1, columns - 1))
                    self.assertFalse("\x1b" in "".join(found) or "\u202e" in "".join(found))
                    if columns >= 60:
                        self.assertEqual("".join(found).count("(Ctrl-C stops)"), 1)
                        self.assertEqual(shown_and_missing(found), meters * channels)

    def test_small_meters_get_all_they_need(self):
        small = (NOON, Source("z", (POWER,)), (7,))
        keys = tuple(["channel_number_%d" % n for n in range(100)])
        large = Source("a", tuple([(key, "W", 0, "measurement", "") for key in keys]))
        found = shape([small, (NOON, large, (1,) * 100)], 60, 20)
        self.assertEqual(len(found), 16)
        self.assertEqual(found[-4][:1] + found[-3][:5], "zpower")
        self.assertEqual(found[-2], "… %d more values: a larger window shows them" % (100 - 22))

    def test_a_whole_meter_in_24_lines_of_80_characters(self):
        names = ["reactive_energy_import_t%d" % n for n in range(28)]
        meter = Source("p1", tuple([(n, "kWh", 3, "total_increasing", "") for n in names]))
        found = shape([(NOON, meter, (45678123,) * 28)])
        self.assertEqual(len(found), 17)
        self.assertEqual(found[1].split()[:3], ["reactive_energy_…ort_t0", "45678.123", "kWh"])
        self.assertEqual(shown_and_missing(found), 28)

    def test_a_long_key_keeps_its_end(self):
        source = Source(
            "p1", tuple([("x" * 60 + name, "W", 0, "", "") for name in ("_t1", "_t2")])
        )
        first, second = shape([(NOON, source, (1, 2))])[1].split("   ")[0:2]
        self.assertTrue("…xxx_t1" in first and len(first) < 80, (first, second))

    def test_the_state_of_a_meter(self):
        found = shape([READING], state="no answer")
        self.assertEqual(found[0], "p1  2026-11-20T12:00:00Z  no answer")

    def test_a_meter_that_never_answered(self):
        found = shape([READING], silent=["car", "zoo"], sources=["p1", "car"])
        self.assertEqual(
            found[:3], ["car  no reading yet  no answer", "", "p1  2026-11-20T12:00:00Z"]
        )
        self.assertEqual(shape([], silent=["car"]), [found[0], "", "(Ctrl-C stops)"])

    def test_a_cell_for_each_sink(self):
        told = clock.Clock()
        told.set(NOON, "ntp")
        sinks = [
            Other("mqtt", "ok"),
            Other("ours", "ok", 3, NOON - 9),
            Other("influxdb", "waiting: no answer", 12, NOON - 3600),
            Other("old", "ok", 1, NOON - 86400),
            Other("emoncms", "denied: HTTP 401", 2, NOON - 5),
            Other("early", "waiting: no network", 1),
            Other("new", "idle"),
        ]
        found = shape([READING], sinks=sinks, app_clock=told)
        self.assertEqual(
            found[-2:],
            [
                "mqtt ok   ours ok   influxdb 12 wait since 11:00   old 1 wait since 11-19T12:00",
                "emoncms denied, 2 wait since 11:59   early 1 wait   new idle   (Ctrl-C stops)",
            ],
        )

    def test_colours_only_where_wanted(self):
        for colours, expected in ((True, 2), (False, 0)):
            text, _, _, _ = show(READING, style="table", terminal=terminal(colours=colours))
            self.assertEqual(
                text.count("m"),
                text.replace("\x1b[1m", "").replace("\x1b[0m", "").count("m") + expected,
            )
