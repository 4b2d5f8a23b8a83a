"""The replay reader on recorded telegrams, by a clock that moves only when told."""

import asyncio
import os
import unittest

from civil import seconds
from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.readers import replay

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."

FIXTURES = _HERE + "/../fixtures/dsmr/"
NOON = seconds(2026, 11, 20, 12)
ENTRY = {
    "name": "replay",
    "pause_ms": 1000,
    "repeat": True,
    "times": "now",
    "key": "",
    "auth_key": "",
    "utc_offset": 1,
    "interval": 0,
    "channels": None,
}


class Board:
    LINE_BUFFER = 2560


class App:
    board = Board

    def __init__(self):
        self.clock = clock.Clock()


class Output:
    state = ""

    def say(self, state):
        self.state = state

    def __init__(self, virtual):
        self.virtual = virtual
        self.readings = []  # (ms, time, {key: value})
        self.identity = ()

    def identify(self, *identity):
        self.identity = identity

    def publish(self, time, channels, values):
        found = {}
        for channel, value in zip(channels, values):
            found[channel[0]] = value
        self.readings.append((self.virtual.ms, time, found))


class Stand:
    def __init__(self, file, **changes):
        entry = dict(ENTRY)
        entry["file"] = file
        entry.update(changes)
        self.virtual = VirtualClock()
        self.app = App()
        self.output = Output(self.virtual)
        self.reader = replay.Reader("replay", entry, self.output, self.app.clock, Board)
        self.error = None

    def run(self, ms):
        async def story():
            self.app.clock.set(NOON, "computer")
            task = asyncio.create_task(self.reader.run())
            await self.virtual.advance(ms)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            except OSError as error:
                self.error = error

        self.virtual.play(story())
        return self.output.readings


class TestReplay(unittest.TestCase):
    def setUp(self):
        self.path = "replay-test.txt"

    def tearDown(self):
        try:
            os.remove(self.path)
        except OSError:
            pass

    def _file(self, *names, end=b""):
        with open(self.path, "wb") as file:
            for name in names:
                with open(FIXTURES + name, "rb") as source:
                    file.write(source.read())
            file.write(end)
        return self.path

    def test_paced_and_repeated_with_the_time_of_now(self):
        name = "nl_ene5-xs210-esmr-5-0.txt"
        readings = Stand(FIXTURES + name).run(4500)
        self.assertEqual([ms for ms, _, _ in readings], [0, 1000, 2000, 3000, 4000])
        self.assertEqual([time - NOON for _, time, _ in readings], [0, 1, 2, 3, 4])
        self.assertEqual(readings[0][2]["energy_import_t1"], 8243448)

    def test_recorded_times(self):
        name = "nl_ene5-xs210-esmr-5-0.txt"
        stand = Stand(FIXTURES + name, times="meter")
        readings = stand.run(100)
        self.assertEqual(readings[0][1], seconds(2023, 10, 17, 7, 4, 42))
        self.assertEqual(stand.app.clock.source, "computer")

    def test_each_telegram_has_its_pause(self):
        path = self._file("nl_ene5-xs210-esmr-5-0.txt", "nl_isk5-2mt382-1000.txt")
        readings = Stand(path, pause_ms=250).run(900)
        self.assertEqual([ms for ms, _, _ in readings], [0, 250, 500, 750])

    def test_a_telegram_that_ends_with_the_file(self):
        with open(FIXTURES + "nl_isk5-2mt382-1004.txt", "rb") as source:
            text = source.read().rstrip()
        with open(self.path, "wb") as file:
            file.write(text)
        readings = Stand(self.path).run(2500)
        self.assertEqual([ms for ms, _, _ in readings], [0, 1000, 2000])

    def test_once(self):
        stand = Stand(FIXTURES + "nl_ene5-xs210-esmr-5-0.txt", repeat=False)
        self.assertEqual(len(stand.run(600000)), 1)
        self.assertEqual((stand.reader._output.state, stand.error), ("done", None))

    def test_thinned_out(self):
        stand = Stand(FIXTURES + "nl_ene5-xs210-esmr-5-0.txt", interval=10)
        readings = stand.run(35500)
        self.assertEqual([time - NOON for _, time, _ in readings], [0, 10, 20, 30])
        self.assertEqual(dict(stand.reader.counters())["telegrams"], 36)

    def test_no_file(self):
        stand = Stand("no/such/file.txt")
        stand.run(100)
        self.assertTrue(isinstance(stand.error, OSError))
        self.assertTrue("no/such/file.txt" in str(stand.error))
        self.assertEqual(stand.reader._output.state, "no file")

    def test_nothing_in_the_file(self):
        for content in (
            b"",
            b"nothing of the kind",
            b"/ISK5\r\n\r\n1-0:1.8.1(1*kWh)\r\n!0000\r\n",
        ):
            for repeat in (True, False):
                with open(self.path, "wb") as file:
                    file.write(content)
                stand = Stand(self.path, repeat=repeat)
                self.assertEqual(stand.run(5000), [])
                self.assertTrue("no telegram in replay-test.txt" in str(stand.error))
                self.assertEqual(stand.reader._output.state, "no telegram")

    def test_every_recorded_meter(self):
        names = [name for name in os.listdir(FIXTURES) if name.endswith(".txt")]
        self.assertTrue(len(names) > 20)
        for name in names:
            stand = Stand(FIXTURES + name)
            self.assertTrue(len(stand.run(1500)) >= 1, name)

    def test_counters(self):
        stand = Stand(FIXTURES + "nl_ene5-xs210-esmr-5-0.txt")
        stand.run(100)
        counts = list(stand.reader.counters())
        self.assertEqual([c for c in counts if c[1]], [("telegrams", 1)])
        self.assertTrue("every 1000 ms" in stand.reader.describe())
