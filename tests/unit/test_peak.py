"""Demand peaks: every scheme against months computed by hand; what real meters tell of theirs."""

import asyncio
import json
import unittest

import exact
from civil import seconds
from crc16 import update
from demand import Price, watts
from demand.book import Book
from demand.scheme import Scheme, month_of, named
from folders import ensure_folder
from posixtz import Zone
from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.derive import peak
from joulelog.device import led
from joulelog.device.state import Store
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Output, Source
from joulelog.readers.p1 import P1

# The worked example of nl.wikibooks.org, Capaciteitstarief: kW of twelve months.
YEAR = "0.632 4.6 0 1.028 3.444 4.164 4.564 6 9.2 5 4.12 4.88"


def milliwatts(kilowatts):
    """Of kW as decimal text."""
    return 1000 * watts(kilowatts)


def filled(scheme, *intervals):
    """A book with (year, month, day, hour, kW) in it; local time is UTC."""
    book = Book(scheme)
    for year, month, day, hour, power in intervals:
        time = seconds(year, month, day, hour)
        book.add(time, time, milliwatts(power))
    return book


class TestFlanders(unittest.TestCase):
    def test_the_worked_example(self):
        """Quarters below 2.5 kW count as 2.5 kW, month by month: 4.456 kW."""
        book = Book(named("flanders"))
        for index, power in enumerate(YEAR.split()):
            time = seconds(2026, index + 1, 15, 18)
            book.add(time - 900, time - 900, milliwatts(power) // 2)
            book.add(time, time, milliwatts(power))
        self.assertEqual(book.mean(), (4456, 12))
        self.assertEqual(Price("40.40", {}).text(4456), "180.02240")

    def test_the_same_told_by_the_meter(self):
        book = Book(named("flanders"))
        book.begin(month_of(seconds(2026, 12, 1)))
        for index, power in enumerate(YEAR.split()):
            book.tell(month_of(seconds(2026, index + 1, 1)), milliwatts(power))
        self.assertEqual(book.mean(), (4456, 12))

    def test_the_thirteenth_month_replaces_the_first(self):
        book = Book(named("flanders"))
        for index, power in enumerate(YEAR.split() + ["14.5"]):
            time = seconds(2026 + index // 12, index % 12 + 1, 15, 18)
            book.add(time, time, milliwatts(power))
        self.assertEqual(book.mean(), (5456, 12))  # 12 kW more than the 2.5 kW of the first

    def test_fewer_than_twelve_months(self):
        """The mean is of those that are known; a month without a value is none of 2.5 kW."""
        book = filled(named("flanders"), (2026, 3, 1, 0, "4"))
        self.assertEqual(book.mean(), (4000, 1))
        time = seconds(2026, 5, 31, 23)
        book.add(time, time, 1000000)
        self.assertEqual(book.mean(), (3250, 2))
        self.assertIsNone(book.value(month_of(seconds(2026, 4, 1))))
        book.tell(month_of(seconds(2026, 4, 1)), 5500000)
        self.assertEqual(book.mean(), (4000, 3))

    def test_the_meters_word_is_charged_and_ours_is_kept(self):
        book = filled(named("flanders"), (2026, 3, 1, 0, "4"))
        month = month_of(seconds(2026, 3, 1))
        book.tell(month, 4100000)
        self.assertEqual((book.own(month), book.of_meter(month)), (4000000, 4100000))
        self.assertEqual(book.mean(), (4100, 1))


class TestOthers(unittest.TestCase):
    def test_the_highest_hour(self):
        book = filled(
            named("month_max"),
            (2026, 11, 1, 0, "9.9"),
            (2026, 12, 3, 8, "1.2"),
            (2026, 12, 3, 9, "6.4"),
            (2026, 12, 9, 9, "6.399"),
        )
        self.assertEqual(book.mean(), (6400, 1))
        self.assertEqual(Price("", {"0": "150", "5": "300", "10": "450"}).text(6400), "300")

    def test_three_hours_of_different_days(self):
        """5.0, 4.8 and 3.0: 4.9 is of the day of 5.0."""
        book = filled(
            named("three_days"),
            (2026, 11, 3, 7, "4.9"),
            (2026, 11, 3, 18, "5"),
            (2026, 11, 3, 19, "4.95"),
            (2026, 11, 4, 0, "4.8"),
            (2026, 11, 9, 23, "2.9"),
            (2026, 11, 20, 12, "3"),
        )
        self.assertEqual(book.mean(), (4267, 1))
        self.assertEqual(Price("", {"0": "125", "2": "206", "5": "350"}).text(4267), "206")

    def test_two_days_are_the_mean_of_two(self):
        book = filled(
            named("three_days"),
            (2026, 11, 3, 7, "4"),
            (2026, 11, 3, 8, "3"),
            (2026, 11, 4, 7, "2"),
        )
        self.assertEqual(book.mean(), (3000, 1))

    def test_five_weeks_by_weight(self):
        """8 + 7 + 8 x 0.85 + 6 x 0.95 + 8 x 0.7 = 33.1, a fifth of it is 6.62."""
        book = filled(
            named("weeks"),
            (2026, 1, 7, 7, "8"),
            (2026, 1, 8, 7, "7.9"),  # the same week
            (2026, 2, 4, 7, "7"),
            (2026, 3, 4, 7, "8"),
            (2026, 4, 8, 7, "9"),  # 4.5
            (2026, 7, 8, 7, "20"),  # 5
            (2026, 11, 4, 7, "8"),
            (2026, 12, 2, 7, "6"),
        )
        self.assertEqual(book.mean(), (6620, 1))
        time = seconds(2027, 1, 20)  # that January is twelve months ago: 20 x 0.25 comes in for 8
        book.add(time, time, 1000000)
        self.assertEqual(book.mean(), (6020, 1))

    def test_energy_above_a_reference(self):
        """5 and 3.4 kW are 2 and 0.4 kW above 3 kW, each for a quarter of an hour: 0.6 kWh."""
        powers = ("5", "3", "2", "3.4")
        book = filled(named("excess"), *[(2026, 11, 3, 7 + i, p) for i, p in enumerate(powers)])
        self.assertEqual(book.mean(), (600, 1))
        self.assertEqual(Price("0.1139", {}).text(600), "0.0683400")
        higher = filled(named("excess", (), "4.5"), (2026, 11, 3, 7, "5"))
        self.assertEqual(higher.mean(), (125, 1))

    def test_a_row_of_ones_own(self):
        """Weekdays from 7 to 19 in winter, without holidays, three days."""
        book = filled(
            Scheme(ROW, "", ["12-25"]),
            (2026, 12, 24, 6, "9"),
            (2026, 12, 24, 7, "3"),
            (2026, 12, 24, 19, "9"),
            (2026, 12, 25, 12, "9"),
            (2026, 12, 26, 12, "9"),  # a Saturday
            (2026, 12, 28, 12, "4"),
            (2026, 12, 29, 12, "5"),
        )
        self.assertEqual(book.mean(), (4000, 1))


BRUSSELS = "CET-1CEST,M3.5.0,M10.5.0/3"
P1_ENTRY = {"name": "p1", "key": "", "auth_key": "", "utc_offset": 1, "interval": 0}
P1_ENTRY["channels"] = None
ENTRY = {
    "source": "p1",
    "scheme": "flanders",
    "rows": None,
    "target": "",
    "floor": "",
    "rate": "",
    "steps": {},
    "currency": "EUR",
    "holidays": [],
    "energy": "energy_import",
    "power": "power_import",
    "interval": 1,
}
CHANNELS = (
    ("energy_import", "kWh", 3, "total_increasing", "energy"),
    ("power_import", "W", 0, "measurement", "power"),
    ("demand_import", "W", 0, "measurement", "power"),
    ("demand_import_peak", "W", 0, "measurement", "power"),
    ("demand_import_peak_time", "", 0, "time", "timestamp"),
)
OLD = Source("p1", CHANNELS, (None, "dsmr", "FLU", "X", "1SAG0000000001"))
NEW = Source("p1", CHANNELS, (None, "dsmr", "FLU", "X", "1SAG0000000002"))
NOON = seconds(2026, 11, 20, 11)  # UTC, a Friday
FEW = (None, None, None)  # what a meter without a demand of its own tells of it


def entry(**changes):
    filled = dict(ENTRY)
    filled.update(changes)
    return filled


class Kept:
    """Stands for the store."""

    def __init__(self):
        self.values = {}

    def get(self, key, default=None):
        return self.values.get(key, default)

    def put(self, key, value):
        self.values[key] = list(value)


class Log:
    def __init__(self):
        self.lines = []

    def warning(self, text, *values):
        self.lines.append(text % values)


class Shown:
    """Stands for the LED."""

    def __init__(self):
        self.states = []

    def show(self, state, for_ms=0):
        self.states.append((state, for_ms))


class Told:
    """Takes what the reader publishes."""

    state = ""

    def __init__(self):
        self.readings = []

    def say(self, state):
        self.state = state

    def unknown(self):
        self.readings.append(None)

    def publish(self, time, channels, values):
        self.readings.append(dict(zip([channel[0] for channel in channels], values)))


class Stand:
    """A reader and its source."""

    def __init__(self, store=None, readers=(), zone=BRUSSELS, **changes):
        self.clock = clock.Clock()
        self.clock.zone = Zone(zone) if zone else None
        self.queue = Queue(16, self.clock)
        self.store = store or Kept()
        self.told = Told()
        about = entry(**changes), self.told, self.clock, self.queue, self.store, list(readers)
        self.reader = peak.Reader("peak", *about)
        self.log = Log()
        for part in (self.reader, self.reader._meter, self.reader._target):
            part._log = self.log
        self.energy = 5000000  # Wh

    def read(self, time, watt_hours=None, power=0, demand=FEW, source=OLD):
        """A reading of the source; the counter has grown by so many Wh. What is published then."""
        if watt_hours is not None:
            self.energy += watt_hours
        energy = None if watt_hours is None else self.energy
        before = len(self.told.readings)
        for _ in self.reader._take(time, (time, source, (energy, power) + demand)):
            pass
        return self.told.readings[-1] if len(self.told.readings) > before else None

    def draw(self, start, *means, source=OLD, demand=FEW):
        """Intervals of these means in W, read at their ends and in their middle."""
        length = self.reader._scheme.interval
        found = self.read(start, 0, 0, demand, source)
        for index, mean in enumerate(means):
            half = mean * length // 7200
            time = start + index * length
            self.read(time + length // 2, half, mean, demand, source)
            found = self.read(time + length, mean * length // 3600 - half, mean, demand, source)
        return found

    def count(self, name):
        return dict(self.reader.counters())[name]


class TestInterval(unittest.TestCase):
    def test_forecast_room_and_mean(self):
        stand = Stand(target="4")
        first = stand.read(NOON, 0, 500)
        self.assertEqual((first["demand"], first["demand_forecast"]), (0, 500))
        found = stand.read(NOON + 56, 8, 524)
        # 8 Wh in a quarter are 32 W; 32 + 524 x 844 / 900 = 523.4; (4000 - 32) x 900 / 844
        self.assertEqual((found["demand"], found["demand_forecast"]), (32, 523))
        self.assertEqual(found["demand_room"], 4231)
        self.assertIsNone(found["demand_last"])
        self.assertIsNone(found["peak"])
        found = stand.read(NOON + 900, 123, 0)
        self.assertEqual((found["demand_last"], found["peak"]), (524, 524))
        self.assertEqual((found["peak_time"], found["peak_month"]), (NOON, 2500))
        self.assertEqual((found["demand"], found["demand_room"]), (0, 4000))

    def test_the_meters_own_demand(self):
        """1-0:1.4.0 is there at once; at a boundary some meters show the quarter before."""
        stand = Stand()
        found = stand.read(NOON + 400, 0, 900, (1000, None, None))
        self.assertEqual((found["demand"], found["demand_forecast"]), (1000, 1500))
        found = stand.read(NOON + 900, 0, 812, (1336, None, None))
        self.assertEqual((found["demand"], found["demand_forecast"]), (0, 812))
        found = stand.read(NOON + 901, 0, 812, (1, None, None))
        self.assertEqual((found["demand"], found["demand_forecast"]), (1, 812))

    def test_before_a_boundary_was_seen(self):
        found = Stand(target="4").read(NOON + 400, 0, 900)
        for key in ("demand", "demand_forecast", "demand_last", "demand_room", "peak"):
            self.assertIsNone(found[key], key)
        self.assertEqual((found["demand_warning"], found["peak_months"]), (0, 0))

    def test_an_hour_has_no_demand_of_a_meter(self):
        stand = Stand(scheme="month_max")
        self.assertIsNone(stand.read(NOON + 400, 0, 900, (1000, None, None))["demand"])
        found = stand.draw(NOON + 3600, 4000)
        self.assertEqual((found["demand_last"], found["peak_month"]), (4000, 4000))

    def test_gaps_and_counters_that_fall_or_leap(self):
        stand = Stand()
        stand.draw(NOON, 1000)
        stand.read(NOON + 1900, 900)  # 100 s late: two quarters are lost
        found = stand.draw(NOON + 2700, 3000)
        self.assertEqual((found["peak"], stand.count("gaps")), (3000, 2))
        stand.read(NOON + 3700, -3000)
        found = stand.draw(NOON + 4500, 2000)
        self.assertEqual((found["peak"], stand.count("counter_events")), (3000, 1))
        stand.read(NOON + 5500, 90000)
        found = stand.draw(NOON + 6300, 2000)
        self.assertEqual((found["peak"], stand.count("counter_events")), (3000, 2))

    def test_readings_without_a_counter_change_nothing(self):
        stand = Stand()
        stand.read(NOON, 0)
        stand.read(NOON + 300, None, 1000)
        found = stand.read(NOON + 900, 250)
        self.assertEqual(found["demand_last"], 1000)

    def test_other_units_and_decimals(self):
        for energy, power, grown, drawn in (
            (("Wh", 0), ("kW", 3), 131, 524),
            (("kWh", 3), ("W", 1), 131, 5240),
            (("kWh", 7), ("W", 4), 1310000, 5240000),
            (("kWh", 2), ("W", 0), 13, 524),
        ):
            source = Source("p1", tuple([("energy",) + energy, ("power",) + power]))
            stand = Stand(energy="energy", power="power")
            for time, count in ((NOON, 0), (NOON + 900, grown)):
                for _ in stand.reader._take(time, (time, source, (99000000 + count, drawn))):
                    pass
            found = stand.told.readings[-1]
            mean = 520 if energy[1] == 2 else 524
            self.assertEqual((found["demand_last"], found["demand_forecast"]), (mean, 524))

    def test_how_often_it_is_told(self):
        stand = Stand(interval=60)
        told = [second for second in range(0, 901, 10) if stand.read(NOON + second, 10)]
        self.assertEqual(told, list(range(0, 901, 60)))


class TestTarget(unittest.TestCase):
    def setUp(self):
        self.before = led.of_app
        self.led = led.of_app = Shown()

    def tearDown(self):
        led.of_app = self.before

    def warned(self, stand, *readings):
        """The seconds at which a reading (second, Wh, W) has the flag."""
        found = [(second, stand.read(NOON + second, *about)) for second, *about in readings]
        return [second for second, told in found if told["demand_warning"]]

    def test_once_per_interval(self):
        stand = Stand(target="2.5")
        readings = [(second, 10, 3600) for second in range(0, 900, 10)]
        self.assertEqual(self.warned(stand, *readings), list(range(60, 900, 10)))
        self.assertEqual((stand.count("warnings"), len(stand.log.lines)), (1, 1))
        self.assertEqual(self.led.states, [("warning", 840000)])
        self.assertEqual(
            stand.log.lines[0],
            "3600 W by the end of the interval, in 840 s: more than 2500 W",
        )
        readings = [(second, 10, 3600) for second in range(900, 1800, 10)]
        self.assertEqual(self.warned(stand, *readings), list(range(960, 1800, 10)))
        self.assertEqual(len(self.led.states), 2)

    def test_a_kettle_is_no_reason(self):
        stand = Stand(target="2.5")
        readings = [(second, 6, 2900 if second % 60 else 100) for second in range(0, 900, 10)]
        self.assertEqual(self.warned(stand, *readings), [])

    def test_what_is_too_late_is_told_at_once(self):
        stand = Stand(target="2.5")
        self.assertEqual(self.warned(stand, (0, 0, 0), (300, 600, 0), (301, 26, 0)), [301])
        self.assertEqual(stand.read(NOON + 302, 0, 0)["demand_room"], 0)

    def test_at_the_target_is_not_above_it(self):
        stand = Stand(target="2.5")
        self.assertEqual(self.warned(stand, (0, 0, 2500), (100, 0, 2500), (800, 625, 0)), [])

    def test_without_a_led(self):
        led.of_app = None
        stand = Stand(target="1")
        self.assertEqual(self.warned(stand, (0, 0, 9000), (60, 150, 9000)), [60])


class TestMonths(unittest.TestCase):
    def test_months_begin_by_local_time(self):
        """The quarter before midnight in Brussels is November's, though it is 22:45 UTC."""
        stand = Stand()
        midnight = seconds(2026, 11, 30, 23)
        stand.draw(midnight - 1800, 4000, 5000)
        found = stand.draw(midnight, 3000)
        self.assertEqual((found["peak"], found["peak_time"]), (3000, midnight))
        self.assertEqual((found["peak_mean"], found["peak_months"]), (4000, 2))
        stand = Stand(zone="")
        stand.draw(midnight - 1800, 4000, 5000)
        found = stand.draw(midnight, 3000)
        self.assertEqual((found["peak"], found["peak_months"]), (5000, 1))

    def test_the_cost(self):
        found = Stand(rate="40.40").draw(NOON, 4456)
        self.assertEqual(found["cost"], 18002240)  # 180.02240
        stand = Stand(scheme="month_max", steps={"2": "206", "5": "350.5"}, currency="NOK")
        self.assertEqual(stand.draw(NOON, 5000)["cost"], 3505)
        self.assertIsNone(Stand(scheme="month_max", steps={"2": "1"}).draw(NOON, 1999)["cost"])
        found = Stand(scheme="excess", rate="0.1139").draw(NOON, 5000, 3000, 2000, 3400)
        self.assertEqual((found["excess_energy"], found["cost"]), (600, 683400))

    def test_channels_that_there_are(self):
        always = ["demand", "demand_forecast", "demand_last", "peak", "peak_time"]
        months = ["peak_month", "peak_mean", "peak_months"]
        own = ["peak_meter", "peak_differs"]
        for changes, more in (
            ({}, own + months),
            ({"scheme": "three_days", "rate": "7"}, months + ["cost"]),
            ({"scheme": "excess", "steps": {"0": "1"}}, ["excess_energy", "cost"]),
        ):
            self.assertEqual(peak.keys(entry(**changes)), always + more)
            self.assertEqual(sorted(Stand(**changes).draw(NOON, 1)), sorted(always + more))
        found = peak.keys(entry(target="3"))
        self.assertEqual(found[3:5], ["demand_room", "demand_warning"])
        cost = Stand(rate="40.40").reader._channels[-1]
        self.assertEqual(cost, ("cost", "EUR", 5, "total", "monetary"))

    def test_a_restart(self):
        """Months and the running interval go on, from what was stored at the last boundary."""
        stand = Stand(rate="1")
        stand.draw(NOON, 4000, 3000)
        stand.read(NOON + 2000, 200)
        again = Stand(store=stand.store, rate="1")
        again.energy = stand.energy
        found = again.read(NOON + 2700, 300)
        self.assertEqual((found["demand_last"], again.count("gaps")), (2000, 0))
        self.assertEqual((found["peak"], found["peak_time"]), (4000, NOON))
        other = Stand(store=stand.store, scheme="month_max")
        self.assertIsNone(other.read(NOON + 2700, 0)["peak"])

    def test_the_real_store_keeps_it(self):
        ensure_folder("build/peak-test")
        store = Store("build/peak-test")
        stand = Stand(store=store, scheme="weeks")
        for week in range(80):
            stand.draw(seconds(2025, 1, 1, 8) + week * 7 * 86400, 90000 - 100 * week)
        mean = stand.told.readings[-1]["peak_mean"]
        self.assertTrue(store.save_now())
        store = Store("build/peak-test")
        store.open()
        again = Stand(store=store, scheme="weeks")
        self.assertTrue(len(store.get("peak peak")) > 5)
        time = seconds(2025, 1, 1, 8) + 79 * 7 * 86400 + 7200
        self.assertEqual(again.read(time, 0)["peak_mean"], mean)

    def test_a_date_that_goes_back(self):
        virtual = VirtualClock(1000)

        async def story():
            stand = Stand()
            stand.draw(NOON + 400 * 86400, 9000)
            self.assertIsNone(stand.read(NOON, 0))
            self.assertEqual(stand.told.state, "earlier date")
            await virtual.advance(86400001)
            self.assertEqual(stand.read(NOON + 86400, 0)["peak_months"], 0)
            self.assertEqual(stand.draw(NOON + 87300, 4000)["peak_mean"], 4000)
            self.assertEqual(len(stand.log.lines), 1)

        virtual.play(story())


class TestMeter(unittest.TestCase):
    """What the meter says of its peaks, beside ours."""

    def test_both_are_kept_and_the_meters_is_charged(self):
        stand = Stand()
        found = stand.draw(NOON, 3000, demand=(None, 4100, NOON - 86400))
        self.assertEqual((found["peak"], found["peak_meter"]), (3000, 4100))
        self.assertEqual((found["peak_month"], found["peak_mean"]), (4100, 4100))
        self.assertIsNone(found["peak_differs"])  # its quarter was before we came

    def test_a_month_that_has_just_begun(self):
        """Its peak is 0, with the time of its begin: that is nothing of the month before."""
        stand = Stand()
        midnight = seconds(2026, 11, 30, 23)
        found = stand.draw(midnight, 3000, demand=(None, 0, midnight))
        self.assertEqual((found["peak_mean"], found["peak_months"]), (3000, 1))

    def compared(self, peak_w, at=NOON + 900):
        stand = Stand()
        stand.draw(NOON, 4000)
        stand.read(NOON + 910, 0, 0, (None, peak_w, at))
        found = stand.read(NOON + 920, 0, 0, (None, peak_w, at))
        return found["peak_differs"], stand.count("differences"), len(stand.log.lines)

    def test_the_same_quarter_is_compared(self):
        self.assertEqual(self.compared(4040), (0, 0, 0))
        self.assertEqual(self.compared(4041), (1, 1, 1))
        self.assertEqual(self.compared(3960), (1, 1, 1))  # 40 W are more than 1 % of it
        self.assertEqual(self.compared(3961), (0, 0, 0))
        self.assertEqual(self.compared(4041, NOON + 958), (1, 1, 1))  # an older meter's second
        self.assertEqual(self.compared(4041, NOON + 1800), (None, 0, 0))

    def test_the_last_digits_of_a_counter_are_no_difference(self):
        stand = Stand()
        stand.draw(NOON, 100)
        found = stand.read(NOON + 901, 0, 0, (None, 106, NOON + 900))
        self.assertEqual(found["peak_differs"], 0)

    def test_a_peak_that_the_meter_has_not(self):
        stand = Stand()
        known = (None, 2000, NOON - 86400)
        found = stand.draw(NOON, 4000, demand=known)
        self.assertIsNone(found["peak_differs"])  # it may tell soon
        found = stand.draw(NOON + 900, 1000, 1000, demand=known)
        self.assertEqual((found["peak_differs"], stand.count("differences")), (1, 1))

    def test_another_meter_in_the_middle_of_a_month(self):
        """What the month had stays; the quarter of the change is nobody's; months as before."""
        stand = Stand()
        old = (None, 4800, NOON + 900)
        stand.draw(NOON, 4800, demand=old)
        stand.read(NOON + 1000, 100, 3600, old)
        stand.energy = 0
        fresh = (None, 0, None)
        stand.read(NOON + 1600, 3, 3600, fresh, NEW)
        found = stand.draw(NOON + 1800, 2000, 3000, source=NEW, demand=fresh)
        self.assertEqual((found["peak"], found["peak_time"]), (4800, NOON))
        self.assertEqual((found["peak_meter"], found["demand_last"]), (4800, 3000))
        self.assertEqual(stand.count("gaps"), 1)
        told = (None, 3000, NOON + 3600)
        found = stand.draw(NOON + 3600, 1000, source=NEW, demand=told)
        self.assertEqual((found["peak_meter"], found["peak_differs"]), (4800, 0))
        found = stand.draw(NOON + 4500, 6000, source=NEW, demand=told)
        found = stand.read(NOON + 5401, 0, 0, (None, 6001, NOON + 5400), NEW)
        self.assertEqual((found["peak_meter"], found["peak_mean"]), (6001, 6001))

    def test_a_new_meter_whose_counter_goes_on_where_the_old_one_was(self):
        stand = Stand()
        stand.read(NOON, 0, 0)
        stand.read(NOON + 600, 500, 0, FEW, NEW)
        found = stand.read(NOON + 900, 500, 0, FEW, NEW)
        self.assertEqual((found["demand_last"], stand.count("gaps")), (None, 1))


class Port:
    """A P1 port whose telegrams go to a reader of peaks, as in the app."""

    name = "p1"

    def __init__(self, **changes):
        self.clock = clock.Clock()
        self.queue = Queue(4, self.clock)
        output = Output(self.queue, "p1", {}, {}, None)
        self.p1 = P1(P1_ENTRY, output, self.clock, self, "file")
        self.profile = self.p1.profile
        self.stand = Stand(readers=[self], **changes)

    LINE_BUFFER = 2048

    def send(self, *lines):
        text = b"/FLU5\\253769484_A\r\n\r\n0-0:96.1.1(3153414731)\r\n"
        text += b"".join([line.encode() + b"\r\n" for line in lines]) + b"!"
        return self.send_bytes(text + b"%04X\r\n" % update(0, text, 0, len(text)))

    def send_bytes(self, data):
        """What is derived from the telegrams in there, or None."""
        before = self.queue.newest
        self.p1.feed(data, 0, len(data))
        self.p1.flush()
        if self.queue.newest == before:
            return None
        reading = self.queue.latest.of("p1")
        told = self.stand.told.readings
        count = len(told)
        for _ in self.stand.reader._take(self.clock.resolve(reading[0]), reading):
            pass
        return told[-1] if len(told) > count else None


# What real meters told, with what it comes to by hand: forecast, the meter's peak, mean, months.
# The mean is of the months with a date, each at least 2500 W.
TELEGRAMS = (
    # 549 s: 2351 + 0. (2589 + 3695 + 5980 + 4318) / 4 = 4145.5
    (
        (2351, 2589, 4146, 4),
        "0-0:1.0.0(200512135409S)",
        "1-0:1.8.1(000000.034*kWh)",
        "1-0:1.8.2(000015.758*kWh)",
        "1-0:1.4.0(02.351*kW)",
        "1-0:1.6.0(200509134558S)(02.589*kW)",
        "0-0:98.1.0(3)(1-0:1.6.0)(1-0:1.6.0)(200501000000S)(200423192538S)(03.695*kW)"
        "(200401000000S)(200305122139S)(05.980*kW)(200301000000S)(200210035421W)(04.318*kW)",
        "1-0:1.7.0(00.000*kW)",
    ),
    # 56 s: 32 + 524 x 844 / 900 = 523.4
    (
        (523, 3716, 3716, 1),
        "0-0:1.0.0(221220204556W)",
        "1-0:1.8.1(003457.591*kWh)",
        "1-0:1.8.2(004282.456*kWh)",
        "1-0:1.4.0(00.032*kW)",
        "1-0:1.6.0(221203174500W)(03.716*kW)",
        "0-0:98.1.0(0)(1-0:1.6.0)(1-0:1.6.0)()",
        "1-0:1.7.0(00.524*kW)",
    ),
    # (6235 + 6985 + 6748) / 3
    (
        (0, 6235, 6656, 3),
        "0-0:1.0.0(230629102248S)",
        "1-0:1.8.1(000661.701*kWh)",
        "1-0:1.8.2(000776.784*kWh)",
        "1-0:1.4.0(00.000*kW)",
        "1-0:1.6.0(230622200000S)(06.235*kW)",
        "0-0:98.1.0(2)(1-0:1.6.0)(1-0:1.6.0)(230501000000S)(230423203000S)(06.985*kW)"
        "(230601000000S)(230524193000S)(06.748*kW)",
        "1-0:1.7.0(00.000*kW)",
    ),
    # (6408 + 7465 + 8382 + 7291 + 8323 + 7341 + 5843 + 8682) / 8 = 7466.9
    (
        (0, 6408, 7467, 8),
        "0-0:1.0.0(230730105818S)",
        "1-0:1.8.1(003092.393*kWh)",
        "1-0:1.8.2(003064.322*kWh)",
        "1-0:1.4.0(00.000*kW)",
        "1-0:1.6.0(230716181500S)(06.408*kW)",
        "0-0:98.1.0(7)(1-0:1.6.0)(1-0:1.6.0)(230101000000W)(221219190000W)(07.465*kW)"
        "(230201000000W)(230118153000W)(08.382*kW)(230301000000W)(230203180000W)(07.291*kW)"
        "(230401000000S)(230318180000W)(08.323*kW)(230501000000S)(230402164500S)(07.341*kW)"
        "(230601000000S)(230514214500S)(05.843*kW)(230701000000S)(230618181500S)(08.682*kW)",
        "1-0:1.7.0(00.000*kW)",
    ),
    # 48 s: 52 + 338 x 852 / 900 = 372.0. (3064 + 2500 + 4229 + 4927) / 4; July has no date
    (
        (372, 3064, 3680, 4),
        "0-0:1.0.0(231102121548W)",
        "1-0:1.8.1(000301.548*kWh)",
        "1-0:1.8.2(000270.014*kWh)",
        "1-0:1.4.0(00.052*kW)",
        "1-0:1.6.0(231102114500W)(03.064*kW)",
        "0-0:98.1.0(4)(1-0:1.6.0)(1-0:1.6.0)(230801000000S)(632525252525W)(00.000*kW)"
        "(230901000000S)(230831181500S)(01.862*kW)(231001000000S)(230910183000S)(04.229*kW)"
        "(231101000000W)(231016130000S)(04.927*kW)",
        "1-0:1.7.0(00.338*kW)",
    ),
    # 183 s: 27 + 132 x 717 / 900 = 132.2. (2500 + 2500 + 3260 + 2500) / 4
    (
        (132, 2485, 2690, 4),
        "0-0:1.0.0(240112231803W)",
        "1-0:1.8.1(000116.372*kWh)",
        "1-0:1.8.2(000062.193*kWh)",
        "1-0:1.4.0(00.027*kW)",
        "1-0:1.6.0(240107190000W)(02.485*kW)",
        "0-0:98.1.0(3)(1-0:1.6.0)(1-0:1.6.0)(231101000000W)(231031120000W)(01.747*kW)"
        "(231201000000W)(231109164500W)(03.260*kW)(240101000000W)(231224134500W)(01.981*kW)",
        "1-0:1.7.0(00.132*kW)",
    ),
    # A peak whose stamp has no S or W, before or behind its value; at the boundary 1.4.0 is that
    # of the quarter before, so that 812 W are all there is.
    (
        (812, 5796, 5796, 1),
        "0-0:1.0.0(260318121500W)",
        "1-0:1.8.0(000105.942*kWh)",
        "1-0:1.4.0(01.336*kW)",
        "1-0:1.6.0(05.796*kW)(260302184500)",
        "1-0:1.7.0(00.812*kW)",
    ),
    (
        (812, 5796, 5796, 1),
        "0-0:1.0.0(260318121500W)",
        "1-0:1.8.0(000105.942*kWh)",
        "1-0:1.4.0(01.336*kW)",
        "1-0:1.6.0(260302184500)(05.796*kW)",
        "1-0:1.7.0(00.812*kW)",
    ),
    # A list of a later year than the telegram.
    (
        (None, None, None, 0),
        "0-0:1.0.0(150117185916W)",
        "1-0:1.8.1(000671.578*kWh)",
        "1-0:1.8.2(000842.472*kWh)",
        "1-0:1.7.0(00.333*kW)",
        "0-0:98.1.0(2)(1-0:1.6.0)(1-0:1.6.0)(230201000000W)(230117224500W)(04.329*kW)"
        "(230202000000W)(230214224500W)(04529*W)",
    ),
    # Hungary lists a month's end and its counters: of which import, which tariff, is not said.
    (
        (None, None, None, 0),
        "0-0:1.0.0(230724150730S)",
        "1-0:1.8.0(000057.777*kWh)",
        "1-0:1.7.0(00.333*kW)",
        "0-0:98.1.0(230701000000S)(000040.777*kWh)(000008.950*kWh)(000031.827*kWh)"
        "(000142.250*kWh)(000000.030*kvarh)(000183.027*kWh)(03.564*kW)(02.156*kW)(03.564*kW)",
    ),
)
FIXTURES = "tests/fixtures/dsmr/"


class TestRealMeters(unittest.TestCase):
    def test_what_they_told(self):
        for expected, *lines in TELEGRAMS:
            port = Port(target="4")
            first = port.send(*lines)  # its list comes with the next one: nobody had asked
            later = "%s%02d%s" % (lines[0][:-4], int(lines[0][-4:-2]) + 1, lines[0][-2:])
            port.send(later, *lines[1:])
            found = port.stand.told.readings[-1]
            told = [found[key] for key in ("peak_meter", "peak_mean", "peak_months")]
            self.assertEqual((first["demand_forecast"],) + tuple(told), expected, lines[0])
            self.assertEqual(port.stand.count("differences"), 0)

    def test_every_telegram_of_the_fixtures(self):
        """None is in the way of another, and a peak is told as it was sent."""
        with open(FIXTURES + "expected.json") as file:
            expected = json.load(file)
        peaks = 0
        for name in sorted(expected):
            port = Port()
            port.clock.set(NOON, "computer")
            with open(FIXTURES + name + ".txt", "rb") as file:
                found = port.send_bytes(file.read())
            for one in expected[name] if isinstance(expected[name], list) else [expected[name]]:
                told = one["values"].get("demand_import_peak")
                if told and found:
                    peaks += 1
                    self.assertEqual(exact.text(found["peak_meter"], 0), told.split(".")[0])
        self.assertEqual(peaks, 2)


class TestRun(unittest.TestCase):
    """In its task, with a queue in front of it."""

    def play(self, story, **changes):
        virtual = VirtualClock(1000)
        stand = Stand(**changes)

        async def run():
            task = asyncio.create_task(stand.reader.run())
            await story(stand, virtual)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        virtual.play(run())

    def test_readings_of_the_source(self):
        async def story(stand, virtual):
            for second in range(0, 1801, 100):
                stand.queue.put((NOON + second, OLD, (5000000 + second, 3600) + FEW))
                stand.queue.put((NOON + second, Source("other", CHANNELS), (0, 0) + FEW))
                await virtual.advance(1000)
            self.assertEqual(stand.told.readings[-1]["demand_last"], 3600)
            self.assertEqual((stand.told.state, stand.reader._cursor.waiting), ("ok", 0))

        self.play(story)

    def test_no_source(self):
        async def story(stand, virtual):
            await virtual.advance(600000)
            self.assertEqual((stand.told.state, stand.told.readings), ("no source", [None]))
            self.assertEqual(stand.log.lines, ["`source`: no reading of p1 for 3 minutes"])

        self.play(story)

    def test_no_counter(self):
        async def story(stand, virtual):
            stand.queue.put((NOON, OLD, (5000000, 3600) + FEW))
            await virtual.advance(1000)
            self.assertEqual((stand.told.state, stand.told.readings), ("no counter", []))
            self.assertEqual(
                stand.log.lines[0],
                "`energy`: p1 has no energy; it has demand_import, demand_import_peak, "
                "demand_import_peak_time, energy_import, power_import",
            )

        self.play(story, energy="energy")

    def test_no_time(self):
        async def story(stand, virtual):
            stand.queue.put((stand.clock.stamp(), OLD, (5000000, 3600) + FEW))
            await virtual.advance(1000)
            self.assertEqual((stand.told.state, stand.told.readings), ("no time", []))

        self.play(story)


class TestConfig(unittest.TestCase):
    def test_mistakes(self):
        for changes, told in (
            ({}, []),
            ({"scheme": "winter", "rows": [ROW]}, []),
            ({"scheme": "winter"}, ["`scheme`: no scheme has that name; there are flanders, "]),
            ({"rows": ["a | 1"], "scheme": "a"}, ["`scheme`: a row has ten columns"]),
            ({"holidays": ["tomorrow"]}, ["`scheme`: a holiday; allowed"]),
            ({"target": "4 kW"}, ["`target`: no number"]),
            ({"floor": "2.50001"}, ["`floor`: too many decimals"]),
            ({"rate": "-1"}, ["`rate` or `steps`: no number"]),
            ({"rate": "1", "steps": {"0": "1"}}, ["`rate` or `steps`: a rate and steps"]),
            ({"steps": {"low": "1"}}, ["`rate` or `steps`: no number"]),
        ):
            found = list(peak.problems(entry(**changes), None))
            self.assertEqual([f[: len(t)] for f, t in zip(found, told)], told)
            self.assertEqual(len(found), len(told))

    def test_the_start_report(self):
        self.assertEqual(
            Stand(rate="1").reader.describe(), "peaks of p1 by flanders; cost per year"
        )
        self.assertIn("months of UTC", Stand(zone="").reader.describe())


ROW = "winter | 3600 | month | nov-mar mon-fri 7-19 | 100 | 3 | day | 0 | 1 | month"
