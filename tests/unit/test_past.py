"""The history as the API gives it: JSON and CSV, days and months, wrong parameters."""

import json
import unittest

import test_history
from civil import seconds
from httphead import Refused
from test_history import Medium, fill, opened

from joulelog.web import past

FIRST = seconds(2026, 10, 30, 0, 0, 0) // 900
DAYS = 40


class Clock:
    def __init__(self, now):
        self._now = now

    def now(self):
        return self._now


class Sink:
    def __init__(self, histories):
        self.histories = histories


class Service:
    """What past.py asks for."""

    def __init__(self, histories, now):
        self.clock = Clock(now)
        self.sinks = [Sink(histories)]


def service(zone=None, now=(FIRST + 96 * DAYS - 1) * 900):
    history = opened(Medium(), Medium(), zone)
    fill(history, FIRST, 96 * DAYS, lambda number: 400 + (number * 7919) % 3001)
    return Service({"quarter": history}, now)


def written(found):
    pieces = list(found[1] if isinstance(found, tuple) else found)
    return "".join(pieces), max([len(piece) for piece in pieces])


class TestPast(unittest.TestCase):
    def test_quarters_of_today_and_of_a_day(self):
        about = service()
        text, longest = written(past.quarters(about, {}))
        self.assertLess(longest, 200)
        rows = json.loads(text)["quarters"]
        self.assertEqual(len(rows), 96)
        self.assertEqual(rows[0]["time"], "2026-12-08T00:00:00Z")
        day = {"from": "2026-11-01", "to": "2026-11-02", "source": "quarter"}
        rows = json.loads(written(past.quarters(about, day))[0])["quarters"]
        self.assertEqual(len(rows), 192)
        number = FIRST + 2 * 96
        self.assertEqual(rows[0]["time"], "2026-11-01T00:00:00Z")
        self.assertEqual(rows[0]["end"], "2026-11-01T00:15:00Z")
        self.assertEqual(rows[0]["power_import_mean"], 400 + (number * 7919) % 3001)
        self.assertEqual("%.3f" % rows[0]["energy_import_t1"], "%.3f" % (number / 10))

    def test_a_local_day(self):
        about = service(test_history.BRUSSELS)
        rows = json.loads(
            written(past.quarters(about, {"from": "2026-11-05", "to": "2026-11-05"}))[0]
        )
        times = [row["time"] for row in rows["quarters"]]
        self.assertEqual((times[0], len(times)), ("2026-11-04T23:00:00Z", 96))
        self.assertEqual(times[-1], "2026-11-05T22:45:00Z")

    def test_days_and_months(self):
        about = service()
        days = json.loads(written(past.days(about, {"from": "2026-10-01"}))[0])["days"]
        self.assertEqual(len(days), DAYS - 1)
        self.assertEqual((days[0]["date"], days[0]["end"]), ("2026-10-30", "2026-10-31T00:00:00Z"))
        self.assertEqual(len(json.loads(written(past.days(about, {}))[0])["days"]), 30)
        months = json.loads(written(past.months(about, {}))[0])["months"]
        self.assertEqual([row["month"] for row in months], ["2026-10", "2026-11", "2026-12"])
        self.assertEqual([row["quarters"] for row in months], [192, 96 * 30, 96 * 7])
        for month in months:
            inside = [day for day in days if day["date"][:7] == month["month"]]
            peaks = [(day["power_import_peak"], day["peak_time"]) for day in inside]
            best = max([peak for peak, _ in peaks])
            self.assertEqual(month["power_import_peak"], best)
            first = [when for peak, when in peaks if peak == best][0]
            self.assertEqual(month["peak_time"], first)
            self.assertEqual(month["gas"], inside[-1]["gas"])

    def test_csv_has_the_same_digits(self):
        found = past.days(service(), {"format": "csv", "from": "2026-10-30", "to": "2026-10-31"})
        self.assertEqual(found[0], "text/csv; charset=utf-8")
        lines = written(found)[0].split("\r\n")
        self.assertEqual(len(lines), 4)
        self.assertEqual(lines[0].split(",")[:3], ["date", "power_import_peak", "peak_time"])
        self.assertEqual(lines[1].split(",")[0], "2026-10-30")
        wanted = "%d.%d" % divmod(FIRST + 95, 10) + "00"
        self.assertEqual(lines[1].split(",")[6], wanted)

    def test_what_is_wrong_is_told(self):
        about = service()
        for given, words in (
            ({"from": "yesterday"}, "`from`; allowed: a date as 2026-12-01"),
            ({"to": "2026-02-30"}, "`to`; allowed: a date as 2026-12-01"),
            ({"from": "2026-1-1"}, "`from`; allowed"),
            ({"from": "2026-12-02", "to": "2026-12-01"}, "`from` is behind `to`"),
            ({"source": "p1"}, "`source`; allowed: quarter"),
            ({"format": "xml"}, "`format`; allowed: json, csv"),
        ):
            for function in (past.quarters, past.days):
                with self.assertRaises(Refused) as caught:
                    function(about, given)
                self.assertEqual(caught.exception.args[0], 400)
                self.assertIn(words, caught.exception.args[1])
        with self.assertRaises(Refused) as caught:
            past.days(Service({}, None), {})
        self.assertEqual(caught.exception.args[0], 404)
        with self.assertRaises(Refused) as caught:
            past.days(service(None, None), {})
        self.assertIn("does not know the time", caught.exception.args[1])


if __name__ == "__main__":
    unittest.main()
