"""What it takes to read a long history: how often the flash is read, whatever the time asked for.

A day is found by its number: the reads for it do not grow with the years. Two years of quarters
(ten with JOULELOG_LONG=1) and ten of days. The CPU time of this computer is printed.
"""

import json
import os
import time

import test_history
import test_past

from joulelog.web import past

YEARS = 10 if os.environ.get("JOULELOG_LONG") else 2
DAYS = 3652
DAY = 96


class Counting(test_history.Medium):
    reads = 0

    def read(self, name, offset, buffer):
        self.reads += 1
        return test_history.Medium.read(self, name, offset, buffer)


def asked(service, medium, what, given) -> tuple[int, list, int]:
    """(reads of the medium, rows, CPU time in ms)."""
    medium.reads = 0
    begun = time.process_time()
    text = "".join(getattr(past, what)(service, given))
    took = int((time.process_time() - begun) * 1000)
    return medium.reads, json.loads(text)[what], took


def test_a_day_of_many_years_is_found_by_its_number():
    reads = {}
    for years in (1, YEARS):
        quarters, days = Counting(), Counting()
        history = test_history.opened(quarters, days, None, 7000000, 100000)
        first = test_history.NOV // 900 - years * 365 * DAY
        test_history.fill(history, first, years * 365 * DAY)
        service = test_past.Service({"quarter": history}, test_history.NOV - 1)
        for back in (300, 100, 2):
            day = (test_history.NOV // 86400) - back
            date = past._date(day, 3)
            reads[years, back], rows, took = asked(
                service, quarters, "quarters", {"from": date, "to": date}
            )
            assert [row["time"][:10] for row in rows] == [date] * DAY
            print(f"{years} years, a day: {reads[years, back]} reads, {took} ms")
        print(f"{quarters_bytes(quarters) / (years * 365 * DAY):.1f} bytes a quarter")
    worst = max(reads[1, back] for back in (300, 100, 2))
    for back in (300, 100, 2):
        assert reads[YEARS, back] <= 2 * worst, reads


def test_ten_years_of_days():
    quarters, days = Counting(), Counting()
    history = test_history.opened(quarters, days, None, 40000, 100000)
    first = test_history.NOV // 900 - DAYS * DAY
    for day in range(DAYS):  # a quarter each: the days are what is read
        test_history.fill(history, first + day * DAY, 1)
    service = test_past.Service({"quarter": history}, test_history.NOV - 1)
    reads, rows, took = asked(service, days, "days", {"from": "2016-01-01"})
    assert len(rows) == DAYS - 1
    size = quarters_bytes(days)
    print(f"{len(rows)} days: {size} bytes, {reads} reads, {took} ms")
    assert size < 100000 and reads < len(rows)
    _, months, took = asked(service, days, "months", {})
    assert len(months) in (120, 121)
    print(f"{len(months)} months: {took} ms")


def quarters_bytes(medium) -> int:
    return sum(len(data) for data in medium.files.values())
