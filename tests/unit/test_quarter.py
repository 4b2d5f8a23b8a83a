"""Quarter hours from a meter's counters: means, gaps, restarts, other meters."""

import asyncio
import random
import unittest

from civil import seconds

from joulelog import clock
from joulelog.derive import quarter
from joulelog.derive.quarters import SECONDS, Quarters
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source

NOON = seconds(2026, 11, 20, 12, 0, 0)
P1 = Source(
    "p1",
    (
        ("energy_import_t1", "kWh", 3, "total_increasing", "energy"),
        ("energy_import_t2", "kWh", 3, "total_increasing", "energy"),
        ("energy_export_t1", "kWh", 3, "total_increasing", "energy"),
        ("power_import", "W", 0, "measurement", "power"),
        ("power_export", "W", 0, "measurement", "power"),
        ("gas", "m3", 3, "total_increasing", "gas"),
    ),
)
PZEM = Source(
    "pzem",
    (
        ("power", "W", 1, "measurement", "power"),
        ("energy", "Wh", 0, "total_increasing", "energy"),
    ),
)
CLAMP = Source("clamp", (("power", "W", 1, "measurement", "power"),))


class Store:
    def __init__(self):
        self.values = {}

    def get(self, key, default=None):
        return self.values.get(key, default)

    def set(self, key, value):
        self.values[key] = value


class Output:
    state = ""

    def __init__(self):
        self.readings = []

    def say(self, state):
        self.state = state

    def publish(self, time, channels, values):
        found = dict(zip([c[0] for c in channels], values))
        found["time"] = time
        self.readings.append(found)


class App:
    """What a reader of quarters needs, over restarts."""

    def __init__(self, name="p1"):
        self.name = name
        self.store = Store()
        self.output = Output()
        self.start()

    def start(self):
        self.clock = clock.Clock()
        self.queue = Queue(2000, self.clock)
        entry = {"source": self.name, "pause": 120}
        about = (self.clock, self.queue, self.store)
        self.reader = quarter.Reader("quarter", entry, self.output, *about)

    def feed(self, rows, source):
        """Rows of (UTC, values)."""
        for time, values in rows:
            self.clock.set(time, "meter")
            self.queue.put((time, source, values))

        async def until_empty():
            task = asyncio.create_task(self.reader.run())
            while self.reader._cursor.waiting:
                await asyncio.sleep(0)
            task.cancel()

        asyncio.run(until_empty())
        return self.output.readings


def p1(first, last, step=10, watts=1800, start_wh=1000000):
    """A steady import, both tariffs in turn, from first to last second behind noon."""
    rows = []
    for second in range(first, last, step):
        wh = start_wh + watts * second // 3600
        rows.append((NOON + second, (wh // 2, wh - wh // 2, 5, watts, 0, 7000 + second)))
    return rows


class TestQuarters(unittest.TestCase):
    def test_means_are_differences_of_counters(self):
        found = App().feed(p1(0, 2710), P1)
        self.assertEqual([row["time"] - NOON for row in found], [0, 900, 1800])
        for row in found:
            self.assertEqual(row["power_import_mean"], 1800)
            self.assertEqual(row["power_export_mean"], 0)
            self.assertEqual((row["power_least"], row["power_most"]), (1800, 1800))
            self.assertEqual((row["samples"], row["silent"], row["late"]), (90, 0, 0))
            self.assertEqual(row["whole"], 1)
        self.assertEqual([row["gas"] for row in found], [7900, 8800, 9700])
        self.assertEqual(found[0]["energy_import_t1"] + found[0]["energy_import_t2"], 1000450)

    def test_the_first_one_was_not_seen_whole(self):
        found = App().feed(p1(400, 1900), P1)
        self.assertEqual([row["whole"] for row in found], [0, 1])
        self.assertIsNone(found[0]["power_import_mean"])
        self.assertEqual(found[1]["power_import_mean"], 1800)

    def test_late_readings_count_their_own_seconds(self):
        found = App().feed(p1(7, 2800, 60), P1)
        self.assertEqual([row["late"] for row in found], [7, 7, 7])
        self.assertEqual([row["power_import_mean"] for row in found], [1800] * 3)

    def test_an_outage_over_a_boundary_is_a_gap(self):
        app = App()
        found = app.feed(p1(0, 1500) + p1(2400, 4600), P1)
        self.assertEqual([row["time"] - NOON for row in found], [0, 900, 1800, 2700, 3600])
        self.assertEqual([row["whole"] for row in found], [1, 0, 0, 1, 1])
        self.assertEqual(found[1]["late"], 600)
        self.assertEqual(found[1]["silent"], 310)
        self.assertEqual(found[2]["silent"], 600)
        self.assertIsNone(found[1]["power_import_mean"])
        self.assertEqual(app.reader.counters(), (("gaps", 1), ("breaks", 0)))

    def test_an_outage_within_one_costs_no_energy(self):
        found = App().feed(p1(0, 200) + p1(700, 1000), P1)
        self.assertEqual((found[0]["whole"], found[0]["power_import_mean"]), (1, 1800))
        self.assertEqual((found[0]["silent"], found[0]["samples"]), (510, 40))

    def test_a_counter_that_falls_or_leaps_ends_the_series(self):
        for start_wh in (2000, 9000000):
            app = App()
            found = app.feed(p1(0, 1000) + p1(1000, 2800, 10, 1800, start_wh), P1)
            self.assertEqual([row["whole"] for row in found], [1, 0, 1])
            self.assertEqual(found[2]["power_import_mean"], 1800)
            self.assertEqual(app.reader.counters(), (("gaps", 0), ("breaks", 1)))

    def test_a_restart_within_one(self):
        app = App()
        app.feed(p1(0, 300), P1)
        app.start()
        found = app.feed(p1(400, 1000), P1)
        self.assertEqual((found[0]["whole"], found[0]["power_import_mean"]), (1, 1800))
        app = App()
        app.feed(p1(0, 300), P1)
        app.start()
        found = app.feed(p1(1100, 2800), P1)
        self.assertEqual([row["whole"] for row in found], [0, 0, 1])

    def test_other_meters(self):
        rows = [(NOON + s, (18005, 500 + s // 2)) for s in range(0, 1000, 5)]
        found = App("pzem").feed(rows, PZEM)
        self.assertEqual((found[0]["power_import_mean"], found[0]["power_most"]), (1800, 1801))
        self.assertIsNone(found[0]["power_export_mean"])
        self.assertEqual(found[0]["energy"], 950)

    def test_a_meter_without_counters_is_added_up(self):
        rows = [(NOON + s, (7200,)) for s in range(0, 905, 5)]
        rows += [(NOON + s, (-3600,)) for s in range(905, 1805, 5)]
        found = App("clamp").feed(rows, CLAMP)
        self.assertEqual((found[0]["power_import_mean"], found[0]["power_export_mean"]), (720, 0))
        self.assertEqual((found[0]["energy_import"], found[0]["energy_export"]), (180, 0))
        self.assertEqual(found[1]["energy_export"], 89)
        self.assertEqual((found[1]["power_least"], found[1]["power_most"]), (-360, 720))

    def test_a_silent_meter_is_none(self):
        rows = p1(0, 600) + [(NOON + 610, (None,) * 6)] + p1(620, 1000)
        found = App().feed(rows, P1)
        self.assertEqual((found[0]["whole"], found[0]["samples"]), (1, 88))


class TestArithmetic(unittest.TestCase):
    def test_means_add_up_to_the_counter(self):
        """Readings at random seconds: means times their seconds are what the counter counted."""
        random.seed(11)
        for _ in range(20):
            quarters = Quarters(120)
            utc, counter, ends, begun = NOON, 10**9, [], None
            while utc < NOON + 10 * SECONDS:
                ended = quarters.put(utc, counter, None, None)
                if ended:
                    ends.append((ended, utc - begun[0], counter - begun[1]))
                if begun is None or ended:
                    begun = (utc, counter)
                step = random.randrange(1, 100)
                utc += step
                counter += random.randrange(0, 20000) * step * 10 // 36
            self.assertGreaterEqual(len(ends), 9)
            for ended, took_s, mwh in ends:
                self.assertTrue(ended.is_whole)
                self.assertLessEqual(abs(ended.import_w * took_s * 10 - mwh * 36), took_s * 5)

    def test_time_that_goes_back_is_not_counted(self):
        quarters = Quarters(120)
        quarters.put(NOON, 1000, None, 5)
        self.assertIsNone(quarters.put(NOON - 1000, 900, None, 5))
        self.assertEqual(quarters.breaks, 0)


if __name__ == "__main__":
    unittest.main()
