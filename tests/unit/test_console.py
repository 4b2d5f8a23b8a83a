"""The console sink: its lines and its table, character by character."""

import asyncio
import sys
import unittest

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.append(_HERE + "/../fakes")

from civil import seconds  # noqa: E402

from joulelog import clock  # noqa: E402
from joulelog.queue import Queue  # noqa: E402
from joulelog.reading import Source  # noqa: E402
from joulelog.sinks import console  # noqa: E402

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
    def __init__(self, terminal):
        self.terminal = terminal
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


def show(*readings, style="lines", terminal=False, channels=None, log=()):
    """Run the sink over readings; return (what it wrote, cursor, app, the log's stream)."""
    queue = Queue(16, FakeClock())
    cursor = queue.cursor("console", None, channels)
    app = App(terminal)
    sink = console.Sink("console", {"style": style}, app, cursor)
    screen = Stdout()
    printed = []
    console.sys = screen

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
        console.sys = sys
        del console.print
    return (screen.stdout.text or "".join(printed).rstrip("\n")), cursor, app, streams[0]


class TestLines(unittest.TestCase):
    def test_a_line(self):
        text, cursor, app, stream = show(READING)
        self.assertEqual(
            text,
            "2026-11-20T12:00:00Z p1 energy_import_t1=45678.123 gas=0.005 "
            "message=power cut at 3 o'clock",
        )
        self.assertEqual((cursor.sent, cursor.waiting), (1, 0))
        self.assertEqual((stream, app.log.stream), ("the terminal", "the terminal"))

    def test_the_chosen_channels_only(self):
        text, _, _, _ = show(READING, channels=["gas"])
        self.assertEqual(text, "2026-11-20T12:00:00Z p1 gas=0.005")

    def test_an_unknown_time(self):
        text, cursor, _, _ = show((-1000, P1, (0, -5, None, "")))
        self.assertEqual(text, "time unknown p1 energy_import_t1=0.000 power_import=-5 message=")
        self.assertEqual(cursor.sent, 1)

    def test_each_reading_in_order(self):
        many = [(NOON + number, P1, (number, 1, 1, "")) for number in range(5)]
        text, cursor, _, _ = show(*many)
        self.assertEqual(
            [line[17:20] for line in text.split("\n")], ["00Z", "01Z", "02Z", "03Z", "04Z"]
        )
        self.assertEqual(cursor.sent, 5)

    def test_styles(self):
        queue = Queue(4, FakeClock())
        for style, terminal, expected in (
            ("auto", False, "one line per reading"),
            ("auto", True, "a live table"),
            ("lines", True, "one line per reading"),
            ("table", False, "a live table"),
        ):
            sink = console.Sink("console", {"style": style}, App(terminal), queue.cursor("x"))
            self.assertEqual(sink.describe(), expected)


class TestTable(unittest.TestCase):
    def test_a_table(self):
        text, _, app, stream = show(READING, style="auto", terminal=True, log=["one\n", "two\n"])
        self.assertEqual(
            text,
            "\x1b[H\x1b[1mp1\x1b[0m  2026-11-20T12:00:00Z   (Ctrl-C stops)\x1b[K\n\x1b[K\n"
            "energy_import_t1         45678.123 kWh  gas                          0.005 m³\x1b[K\n"
            "power_import                     - W    "
            "message                  power cut at 3 o'clock \x1b[K\n"
            "\x1b[K\n\x1b[Jone\ntwo\n",
        )
        self.assertFalse(stream == "the terminal")  # the log's lines stand below the table
        self.assertEqual(app.log.stream, "the terminal")  # and it has its terminal back

    def test_every_meter_keeps_its_place(self):
        heat = Source("heat", (POWER,))
        text, _, _, _ = show(READING, (NOON + 1, heat, (7,)), style="table")
        last = text.split("\x1b[H")[-1]
        self.assertTrue(last.find("heat") < last.find("p1"))
        self.assertTrue("45678.123" in last and "        7 W" in last)

    def test_a_whole_meter_fits_a_terminal_of_24_lines_and_80_columns(self):
        names = ["reactive_energy_import_t%d" % n for n in range(28)]
        meter = Source("p1", tuple([(n, "kWh", 3, "total_increasing", "") for n in names]))
        text, _, _, _ = show((NOON, meter, (45678123,) * 28), style="table", log=["line\n"] * 10)
        lines = text.replace("\x1b[K", "").split("\n")
        self.assertTrue(len(lines) <= 24)
        self.assertTrue(max([len(line) for line in lines]) <= 80)
        self.assertEqual(text.count("line\n"), 3)
