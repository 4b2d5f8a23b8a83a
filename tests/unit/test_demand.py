"""lib/demand: rows of tariffs, intervals out of readings, months out of intervals."""

import unittest

from civil import fields, seconds
from demand import Price, believable, forecast, mean_power, number, room, watts
from demand.book import Book
from demand.interval import Running
from demand.scheme import SCHEMES, Scheme, month_of, name_of, named, rows

ROW = "own | 3600 | month | nov-mar mon-fri 7-19 | 100 | 3 | day | 0 | 1 | month"


def changed(column, text):
    """The row with another text in one column."""
    columns = ROW.split("|")
    columns[column] = text
    return "|".join(columns)


class TestNumbers(unittest.TestCase):
    def test_what_meters_said(self):
        """1-0:1.4.0 beside 1-0:1.7.0 and the seconds of the quarter that were gone."""
        for demand, power, gone, end in (
            (32, 524, 56, 523396),
            (27, 132, 183, 132160),
            (52, 338, 48, 371973),
            (2351, 0, 549, 2351000),
        ):
            self.assertEqual(forecast(1000 * demand, 1000 * power, 900 - gone, 900), end)

    def test_room_keeps_the_target(self):
        for demand in (0, 32000, 2499999, 2500000):
            for left in (1, 7, 844, 900):
                found = room(2500000, demand, left, 900)
                self.assertTrue(demand * 900 + found * left <= 2500000 * 900)
                self.assertTrue(demand * 900 + (found + 1) * left > 2500000 * 900)
        self.assertEqual(room(2500000, 2500001, 10, 900), 0)
        self.assertEqual(room(2500000, 0, 0, 900), 2500000 * 900)

    def test_a_demand_that_is_of_the_quarter_before(self):
        for demand, gone, is_so in (
            (32, 56, True),
            (2351, 549, True),
            (0, 0, True),
            (1336, 0, False),
            (1336, 26, False),
            (1336, 27, True),
        ):
            self.assertEqual(believable(1000 * demand, gone), is_so)

    def test_mean_power(self):
        self.assertEqual(mean_power(131000, 900), 524000)
        self.assertEqual(mean_power(1000, 3600), 1000)
        self.assertEqual(mean_power(131000, 907), 519955)

    def test_numbers_of_people(self):
        self.assertEqual(number("40.40"), (4040, 2))
        self.assertEqual(watts("2.5"), 2500)
        for text in ("", "-1", "2,5", "1e3", "2.5 kW", "٣"):
            with self.assertRaises(ValueError):
                number(text)
        with self.assertRaises(ValueError):
            watts("2.5001")


class TestPrice(unittest.TestCase):
    def test_a_rate(self):
        price = Price("40.40", {})
        self.assertEqual((price.text(4456), price.decimals), ("180.02240", 5))
        self.assertEqual(Price("7", {}).text(1), "0.007")
        self.assertEqual(Price("0.1123456789", {}).text(12345), "1.3869074060205")

    def test_steps(self):
        price = Price("", {"10": "400", "0": "125.5", "2": "206", "5": "350.25"})
        for value, cost in (
            (0, "125.50"),
            (1999, "125.50"),
            (2000, "206.00"),
            (4999, "206.00"),
            (5000, "350.25"),
            (99000, "400.00"),
        ):
            self.assertEqual(price.text(value), cost)
        self.assertIsNone(Price("", {"2": "206"}).text(1999))

    def test_mistakes(self):
        for rate, steps in (("1", {"0": "1"}), ("x", {}), ("", {"a": "1"}), ("", {"1": ""})):
            with self.assertRaises(ValueError):
                Price(rate, steps)
        self.assertFalse(Price("", {}).known())
        self.assertTrue(Price("1", {}).known() and Price("", {"0": "0"}).known())


class TestScheme(unittest.TestCase):
    def test_the_table(self):
        found = [named(name_of(row)) for row in rows(SCHEMES)]
        names = [scheme.name for scheme in found]
        self.assertEqual(names, ["flanders", "month_max", "three_days", "weeks", "excess"])
        self.assertEqual([scheme.plain() for scheme in found], [True] + 4 * [False])
        self.assertEqual([scheme.excess for scheme in found], 4 * [False] + [True])

    def test_the_window(self):
        scheme = Scheme(ROW)
        monday = seconds(2026, 11, 30)
        for local, counts in (
            (monday + 7 * 3600, True),
            (monday + 7 * 3600 - 1, False),
            (monday + 19 * 3600 - 1, True),
            (monday + 19 * 3600, False),
            (monday + 4 * 86400 + 43200, True),
            (monday + 5 * 86400 + 43200, False),
            (monday + 6 * 86400 + 43200, False),
            (seconds(2026, 3, 31, 12), True),
            (seconds(2026, 4, 1, 12), False),
            (seconds(2026, 10, 30, 12), False),
        ):
            self.assertEqual(scheme.counts(local), counts, fields(local))

    def test_windows_over_the_end(self):
        night = Scheme(changed(3, "sat-mon 22-6"))
        saturday = seconds(2026, 7, 4)
        hours = [hour for hour in range(168) if night.counts(saturday + hour * 3600)]
        self.assertEqual(len(hours), 3 * 8)
        self.assertEqual(hours[:9], [0, 1, 2, 3, 4, 5, 22, 23, 24])
        dear = Scheme(changed(3, "7-11 17-22"))
        hours = [hour for hour in range(24) if dear.counts(saturday + hour * 3600)]
        self.assertEqual(hours, [7, 8, 9, 10, 17, 18, 19, 20, 21])

    def test_holidays(self):
        """They are Sundays."""
        scheme = Scheme(ROW, "", ["2026-12-24", "12-25", "01-01"])
        for day, counts in (
            ((2026, 12, 24), False),
            ((2027, 12, 24), True),
            ((2026, 12, 25), False),
            ((2028, 12, 25), False),
            ((2029, 1, 1), False),
            ((2029, 1, 2), True),
        ):
            self.assertEqual(scheme.counts(seconds(*day) + 43200), counts, day)
        self.assertTrue(Scheme(changed(3, "all"), "", ["12-25"]).counts(seconds(2026, 12, 25)))

    def test_mistakes_are_told(self):
        for column, text, told in (
            (1, "60", "interval"),
            (2, "week", "period"),
            (3, "now-mar", "hour"),
            (3, "nov-mai", "nov-: jan"),
            (3, "7-25", "hour"),
            (3, "7", "from-to"),
            (3, "7-7", "from-to"),
            (4, "1 2", "twelve"),
            (4, "-5", "weight"),
            (5, "10", "pick"),
            (5, "0", "kWh"),
            (6, "month", "apart"),
            (7, "x", "number"),
            (8, "13", "over"),
            (8, "0", "over"),
            (9, "kW", "price"),
            (9, "kWh", "kWh"),
            (9, "month | 1", "columns"),
        ):
            with self.assertRaises(ValueError) as caught:
                Scheme(changed(column, text))
            self.assertIn(told, str(caught.exception))
        for day in ("2026-02-29", "13-01", "1-1", "", "2026", "12-25-2026"):
            with self.assertRaises(ValueError):
                Scheme(ROW, "", [day])
        with self.assertRaises(ValueError) as caught:
            named("vlaanderen", [ROW])
        self.assertIn("there are own, flanders, month_max", str(caught.exception))

    def test_rows_of_ones_own_come_first(self):
        own = "flanders" + ROW[3:]
        self.assertEqual(named("flanders", [own]).interval, 3600)
        self.assertEqual(named("own", [own, ROW], "4.2").floor, 4200000)


class Meter:
    """A counter that is read, and the intervals that come out of it."""

    def __init__(self, interval=900, offset=0):
        self.running = Running(interval)
        self.offset = offset
        self.closed = []

    def read(self, time, energy):
        closed = self.running.take(time, time + self.offset, energy)
        if closed:
            self.closed.append(closed)

    def counts(self):
        return self.running.gaps, self.running.events


T = seconds(2026, 11, 20, 10)


class TestIntervals(unittest.TestCase):
    def test_every_second(self):
        meter = Meter()
        for second in range(0, 2701, 10):
            meter.read(T + second, 5000000 + 1000 * second)
        self.assertEqual(
            meter.closed,
            [(T, 900000, 900), (T + 900, 900000, 900), (T + 1800, 900000, 900)],
        )
        self.assertEqual(meter.counts(), (0, 0))

    def test_readings_that_are_late(self):
        """The energy is that of the time between them."""
        meter = Meter()
        for second in (7, 897, 913, 1795, 1800):
            meter.read(T + second, 1000 * second)
        self.assertEqual(meter.closed, [(T, 906000, 906), (T + 900, 887000, 887)])
        self.assertEqual([mean_power(e, s) for _, e, s in meter.closed], 2 * [3600000])

    def test_the_first_one_is_cut(self):
        meter = Meter()
        for second in (300, 600, 900, 1500, 1800):
            meter.read(T + second, 1000 * second)
        self.assertEqual(meter.closed, [(T + 900, 900000, 900)])

    def test_a_gap_over_a_boundary(self):
        """Two intervals are lost, and their energy goes to none."""
        meter = Meter()
        for second in (0, 890, 961, 1800, 2700):
            meter.read(T + second, 1000 * second)
        self.assertEqual(meter.closed, [(T + 1800, 900000, 900)])
        self.assertEqual(meter.counts(), (2, 0))
        meter = Meter()
        for second in (0, 890, 960, 1800):  # just in time
            meter.read(T + second, 1000 * second)
        self.assertEqual(meter.closed, [(T, 960000, 960), (T + 900, 840000, 840)])

    def test_a_gap_inside_an_interval_costs_nothing(self):
        meter = Meter()
        for second in (0, 1, 899, 900):
            meter.read(T + second, 1000 * second)
        self.assertEqual((meter.closed, meter.counts()), ([(T, 900000, 900)], (0, 0)))

    def test_a_long_gap(self):
        meter = Meter()
        for second in (0, 10, 86400, 87300):
            meter.read(T + second, 1000 * second)
        self.assertEqual(meter.closed, [(T + 86400, 900000, 900)])
        self.assertEqual(meter.counts(), (96, 0))

    def test_a_counter_that_falls_or_leaps(self):
        for energy in (0, 99000000):
            meter = Meter()
            meter.read(T, 5000000)
            meter.read(T + 400, 5100000)
            meter.read(T + 410, energy)
            meter.read(T + 900, energy + 490000)
            meter.read(T + 1800, energy + 1390000)
            self.assertEqual(meter.closed, [(T + 900, 900000, 900)])
            self.assertEqual(meter.counts(), (1, 1))

    def test_the_most_that_a_house_draws(self):
        meter = Meter()
        meter.read(T, 0)
        meter.read(T + 900, 25000000)  # 100 kW
        self.assertEqual((len(meter.closed), meter.counts()), (1, (0, 0)))

    def test_another_meter(self):
        meter = Meter()
        meter.read(T, 5000000)
        meter.running.cut()
        meter.read(T + 900, 5000000)
        self.assertEqual((meter.closed, meter.running.gaps), ([], 1))

    def test_a_clock_that_is_set_back(self):
        meter = Meter()
        for second in (0, 900, 950, 850, 900, 1800):
            meter.read(T + second, 5000000)
        self.assertEqual([start for start, _, _ in meter.closed], [T, T + 900])
        self.assertEqual(meter.running.gaps, 2)

    def test_demand(self):
        meter = Meter()
        meter.read(T + 500, 1000)
        self.assertIsNone(meter.running.demand())
        meter.read(T + 900, 8000)
        self.assertEqual(meter.running.demand(), 0)
        meter.read(T + 956, 16000)
        self.assertEqual(meter.running.demand(), 32000)

    def test_hours_of_local_time(self):
        """Half an hour off UTC, and the hour that comes twice in autumn."""
        meter = Meter(3600, 19800)
        for second in range(0, 9001, 1800):
            meter.read(T + second, second)
        self.assertEqual([start for start, _, _ in meter.closed], [T + 1800, T + 5400])
        running = Running(3600)
        end = seconds(2026, 10, 25, 1)  # 03:00 summer time is 02:00 winter time
        starts = []
        for hour in range(-3, 4):
            time = end + hour * 3600
            closed = running.take(time, time + (7200 if time < end else 3600), 1000 * hour + 9000)
            starts.append(closed and closed[0])
        self.assertEqual(starts[1:], [end + hour * 3600 for hour in range(-3, 3)])
        self.assertEqual(running.gaps, 0)

    def test_a_restart(self):
        meter = Meter()
        meter.read(T, 5000000)
        meter.read(T + 100, 5100000)
        text = meter.running.text()
        for second, closed, gaps in ((900, [(T, 900000, 900)], 0), (1800, [], 2)):
            again = Meter()
            again.running.load(text)
            again.read(T + second, 5900000)
            self.assertEqual((again.closed, again.running.gaps), (closed, gaps))
        for damaged in ("", "1 2", "1 2 x", "1 2 3 4"):
            again = Running(900)
            again.load(damaged)
            self.assertEqual((again.start, again.text()), (None, ""))


class TestBook(unittest.TestCase):
    def test_a_restart(self):
        """What is kept fits into short texts, and goes on as it was."""
        for row in rows(SCHEMES):
            scheme = named(name_of(row))
            book = Book(scheme)
            random = Random()
            start = seconds(2025, 1, 1)
            for hour in range(0, 400 * 24, 7):
                time = start + hour * 3600
                fallen = 99000000 - hour * 1000  # each week less: the most that has to be kept
                book.add(time, time, random.below(900000) + fallen)
                book.tell(month_of(time), 99999999)
            texts = book.texts()
            self.assertTrue(max([len(text) for text in texts]) <= 200)
            self.assertTrue(len(texts) <= 11, len(texts))
            again = Book(scheme)
            self.assertTrue(again.load(texts))
            self.assertEqual(again.texts(), texts)
            time = start + 400 * 86400
            for one in (book, again):
                one.add(time, time + 3600, 99999999)
            self.assertEqual(again.mean(), book.mean())
            self.assertEqual(again.texts(), book.texts())

    def test_what_is_no_text_of_it(self):
        book = Book(named("flanders"))
        self.assertTrue(book.add(T, T, 4000000))
        good = book.texts()
        for texts in ([], [""], ["s"], good[:1] + ["p1 2"], good[:1] + ["mx 1 2"], ["s1"]):
            self.assertFalse(Book(named("flanders")).load(texts))
        self.assertFalse(Book(named("flanders", (), "3")).load(good))
        self.assertFalse(Book(named("month_max")).load(good))
        self.assertTrue(Book(named("flanders")).load(good))

    def test_a_month_that_is_over(self):
        book = Book(named("month_max"))
        book.add(T, T, 5000000)
        self.assertFalse(book.add(T - 30 * 86400, T - 30 * 86400, 9000000))
        self.assertEqual(book.mean(), (5000, 1))
        self.assertTrue(book.begin(book.month + 1))
        self.assertEqual((book.highest, book.mean()), (None, (None, 0)))
        self.assertEqual(book.own(book.month - 1), 5000000)

    def test_a_date_that_was_wrong(self):
        book = Book(named("flanders"))
        book.add(T, T, 5000000)
        month = book.month
        later = T + 5 * 365 * 86400
        book.add(later, later, 9000000)
        self.assertFalse(book.begin(month))
        book.go_back(month)
        self.assertEqual((book.month, book.mean()), (month, (None, 0)))
        book.add(T, T, 4000000)
        self.assertEqual((book.highest, book.mean()), (4000000, (4000, 1)))

    def test_months_are_forgotten(self):
        book = Book(named("flanders"))
        for month in range(300, 330):
            book.begin(month)
            book.tell(month, 1000 * month)
            book.tell(month - 13, 9000000)
            book.tell(month + 1, 9000000)
        self.assertEqual(len(book._months), 13)
        self.assertIsNone(book.of_meter(316))
        self.assertEqual(book.of_meter(317), 317000)

    def test_against_all_intervals_at_once(self):
        """Two years of hours, each scheme, beside what somebody counts who has kept them all."""
        for row in rows(SCHEMES) + [ROW, WEIGHTED]:
            scheme = Scheme(row)
            book = Book(scheme)
            random = Random()
            taken = []
            month = 0
            for hour in range(0, 2 * 365 * 24, 5):
                local = seconds(2025, 1, 1) + hour * 3600
                power = random.below(9000) * 1000
                if month and month_of(local) != month:
                    self.assertEqual(book.mean(), counted(scheme, taken, month), row)
                month = month_of(local)
                taken.append((local, power))
                book.add(local, local, power)


WEIGHTED = (
    "half | 1800 | year | 6-22 | 80 90 10 11 12 13 14 15 16 17 18 19 | 9 | day | 1 | 1 | year"
)


def counted(scheme, taken, month):
    """What is charged, out of all intervals; each month anew."""
    values = []
    for one in range(month - scheme.over + 1, month + 1):
        first = one - 11 if scheme.yearly else one
        best = {}
        above = 0
        for local, power in taken:
            if not first <= month_of(local) <= one or not scheme.counts(local):
                continue
            above += max(0, power - scheme.floor) * scheme.interval // 3600
            group = local // 86400
            group = {0: local, 1: group, 2: (group + 5) // 7}[scheme.apart]
            best[group] = max(best.get(group, 0), power * scheme.weight(local) // 100)
        if scheme.excess:
            return (above + 500) // 1000, 1
        picked = sorted(best.values())[-scheme.pick :]
        if picked:
            values.append(max(scheme.floor, sum(picked) // len(picked)))
    count = len(values)
    return (sum(values) + 500 * count) // (1000 * count) if count else None, count


class Random:
    """The same numbers each time, on both runtimes."""

    state = 12345

    def below(self, limit):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 8) % limit
