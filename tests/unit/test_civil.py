"""lib/civil: the calendar, there and back."""

import unittest

from civil import UNIX_2000, days, fields, iso, seconds, summer


class TestCalendar(unittest.TestCase):
    def test_known_days(self):
        for date, day in (
            ((2000, 1, 1), 0),
            ((1999, 12, 31), -1),
            ((1970, 1, 1), -10957),
            ((2000, 2, 29), 59),
            ((2000, 3, 1), 60),
            ((2001, 1, 1), 366),
            ((2024, 2, 29), 8825),
            ((2026, 11, 20), 9820),
            ((2100, 2, 28), 36583),
            ((2100, 3, 1), 36584),
        ):
            self.assertEqual((date, days(*date)), (date, day))
        self.assertEqual(UNIX_2000, -days(1970, 1, 1) * 86400)

    def test_known_seconds(self):
        for moment, text in (
            (0, "2000-01-01T00:00:00Z"),
            (848484000, "2026-11-20T10:00:00Z"),
            (2**30 - 1, "2034-01-09T13:37:03Z"),
            (2**30, "2034-01-09T13:37:04Z"),  # a small integer no longer holds it
            (2**32 - UNIX_2000 - 2208988800, "2036-02-07T06:28:16Z"),  # NTP's era ends
            (2**31 - UNIX_2000, "2038-01-19T03:14:08Z"),  # Unix time's 32 bits
            (2**31, "2068-01-19T03:14:08Z"),
        ):
            self.assertEqual(iso(moment), text)
            self.assertEqual(seconds(*fields(moment)), moment)

    def test_every_day_of_two_centuries(self):
        lengths = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
        day = days(1968, 1, 1)
        for year in range(1968, 2110):
            leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
            for month in range(1, 13):
                length = lengths[month - 1] + (1 if leap and month == 2 else 0)
                for of_month in (1, 2, length):  # each first and last, and what follows the first
                    at = day + of_month - 1
                    self.assertEqual(days(year, month, of_month), at)
                    self.assertEqual(
                        fields(at * 86400 + 86399), (year, month, of_month, 23, 59, 59)
                    )
                day += length


class TestSummer(unittest.TestCase):
    def test_the_sundays(self):
        for year, march, october in (
            (2021, 28, 31),
            (2022, 27, 30),
            (2023, 26, 29),
            (2024, 31, 27),
            (2025, 30, 26),
            (2026, 29, 25),
            (2036, 30, 26),
            (2040, 25, 28),
        ):
            for base in (0, 1, 2):
                start = seconds(year, 3, march, 1 + base)
                end = seconds(year, 10, october, 2 + base)
                self.assertFalse(summer(start - 1, base), (year, base))
                self.assertTrue(summer(start, base), (year, base))
                self.assertTrue(summer(end - 1, base), (year, base))
                self.assertFalse(summer(end, base), (year, base))

    def test_far_from_the_changes(self):
        self.assertFalse(summer(seconds(2026, 1, 1), 1))
        self.assertTrue(summer(seconds(2026, 7, 1), 1))
        self.assertFalse(summer(seconds(2026, 12, 31, 23, 59, 59), 1))
