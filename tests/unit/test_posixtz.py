"""lib/posixtz: vectors on both runtimes; on CPython zoneinfo and the C library as oracles."""

import sys
import unittest

import posixtz
from civil import fields, seconds

VM = sys.implementation.name == "micropython"
BRUSSELS = "CET-1CEST,M3.5.0/02,M10.5.0/03"

# (TZ, UTC, local time, summer time); the moments around each change are what zoneinfo says
VECTORS = (
    (BRUSSELS, (2026, 11, 20, 10, 0, 0), (2026, 11, 20, 11, 0, 0), False),
    (BRUSSELS, (2026, 3, 29, 0, 59, 59), (2026, 3, 29, 1, 59, 59), False),
    (BRUSSELS, (2026, 3, 29, 1, 0, 0), (2026, 3, 29, 3, 0, 0), True),
    (BRUSSELS, (2026, 10, 25, 0, 59, 59), (2026, 10, 25, 2, 59, 59), True),
    (BRUSSELS, (2026, 10, 25, 1, 0, 0), (2026, 10, 25, 2, 0, 0), False),
    (BRUSSELS, (2034, 7, 1, 0, 0, 0), (2034, 7, 1, 2, 0, 0), True),
    (BRUSSELS, (2038, 1, 19, 3, 14, 8), (2038, 1, 19, 4, 14, 8), False),
    (BRUSSELS, (2099, 12, 31, 23, 30, 0), (2100, 1, 1, 0, 30, 0), False),
    ("UTC0", (2026, 7, 1, 0, 0, 0), (2026, 7, 1, 0, 0, 0), False),
    ("<+0545>-5:45", (2026, 7, 1, 0, 0, 0), (2026, 7, 1, 5, 45, 0), False),
    ("LMT0:17:30", (2026, 7, 1, 0, 0, 0), (2026, 6, 30, 23, 42, 30), False),
    ("EST5EDT,M3.2.0,M11.1.0", (2026, 3, 8, 6, 59, 59), (2026, 3, 8, 1, 59, 59), False),
    ("EST5EDT,M3.2.0,M11.1.0", (2026, 3, 8, 7, 0, 0), (2026, 3, 8, 3, 0, 0), True),
    ("EST5EDT,M3.2.0,M11.1.0", (2026, 11, 1, 6, 0, 0), (2026, 11, 1, 1, 0, 0), False),
    # the southern summer is at New Year
    ("AEST-10AEDT,M10.1.0,M4.1.0/3", (2026, 1, 1, 0, 0, 0), (2026, 1, 1, 11, 0, 0), True),
    ("AEST-10AEDT,M10.1.0,M4.1.0/3", (2026, 4, 4, 16, 0, 0), (2026, 4, 5, 2, 0, 0), False),
    ("AEST-10AEDT,M10.1.0,M4.1.0/3", (2026, 10, 3, 15, 59, 59), (2026, 10, 4, 1, 59, 59), False),
    # half an hour (Lord Howe), and a winter time that is the deviation (Dublin)
    ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", (2026, 1, 1, 0, 0, 0), (2026, 1, 1, 11, 0, 0), True),
    ("IST-1GMT0,M10.5.0,M3.5.0/1", (2026, 1, 1, 0, 0, 0), (2026, 1, 1, 0, 0, 0), True),
    ("IST-1GMT0,M10.5.0,M3.5.0/1", (2026, 7, 1, 0, 0, 0), (2026, 7, 1, 1, 0, 0), False),
    # the day before (Nuuk), days later (Gaza)
    (
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        (2026, 3, 29, 0, 59, 59),
        (2026, 3, 28, 22, 59, 59),
        False,
    ),
    ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", (2026, 3, 29, 1, 0, 0), (2026, 3, 29, 0, 0, 0), True),
    ("EET-2EEST,M3.4.4/50,M10.4.4/50", (2026, 3, 27, 23, 59, 59), (2026, 3, 28, 1, 59, 59), False),
    ("EET-2EEST,M3.4.4/50,M10.4.4/50", (2026, 3, 28, 0, 0, 0), (2026, 3, 28, 3, 0, 0), True),
    # 1 March is J60 in every year, but day 59 or 60 of those counted from 0
    ("AAA0BBB,J60/0,J300/0", (2024, 2, 29, 23, 59, 59), (2024, 2, 29, 23, 59, 59), False),
    ("AAA0BBB,J60/0,J300/0", (2024, 3, 1, 0, 0, 0), (2024, 3, 1, 1, 0, 0), True),
    ("AAA0BBB,J60/0,J300/0", (2026, 3, 1, 0, 0, 0), (2026, 3, 1, 1, 0, 0), True),
    ("AAA0BBB,J59/0,J300/0", (2024, 2, 28, 0, 0, 0), (2024, 2, 28, 1, 0, 0), True),
    ("AAA0BBB,59/0,300/0", (2024, 2, 29, 0, 0, 0), (2024, 2, 29, 1, 0, 0), True),
    ("AAA0BBB,59/0,300/0", (2026, 2, 28, 23, 59, 59), (2026, 2, 28, 23, 59, 59), False),
    ("AAA0BBB,59/0,300/0", (2026, 3, 1, 0, 0, 0), (2026, 3, 1, 1, 0, 0), True),
    # RFC 8536, section 3.3.1: summer time all the year
    ("XXX3EDT4,0/0,J365/23", (2026, 1, 1, 2, 59, 59), (2025, 12, 31, 22, 59, 59), True),
    ("XXX3EDT4,0/0,J365/23", (2026, 1, 1, 3, 0, 0), (2025, 12, 31, 23, 0, 0), True),
    ("XXX3EDT4,0/0,J365/23", (2024, 12, 31, 12, 0, 0), (2024, 12, 31, 8, 0, 0), True),
)

WRONG = (
    "",
    "CE-1",
    "CET",
    "CET-1CEST",
    "CET-1CEST,",
    "CET-1CEST,M3.5.0",
    "CET-1CEST,M3.5.0,",
    "CET-1CEST,M3.5.0,M10.5.0/",
    "CET-1CEST,M13.5.0,M10.5.0",
    "CET-1CEST,M0.5.0,M10.5.0",
    "CET-1CEST,M3.6.0,M10.5.0",
    "CET-1CEST,M3.0.0,M10.5.0",
    "CET-1CEST,M3.5.7,M10.5.0",
    "CET-1CEST,J0,J300",
    "CET-1CEST,J366,J300",
    "CET-1CEST,366,300",
    "CET-1CEST,M3.5.0/168,M10.5.0",
    "CET-1CEST,M3.5.0/2:60,M10.5.0",
    "CET-1CEST,M3.5.0,M10.5.0/3 ",
    "CET-1CEST,M3.5.0,M10.5.0/3,M1.1.1",
    "CET-25",
    "CET--1",
    "CET-1:00:00:00",
    "<CET-1",
    "<+1>-1",
    "<+0_>-1",
    ":Europe/Brussels",
    "Europe/Brussels",
    "CÉT-1",
    "CET-1CEST,M3.5.٣,M10.5.0",
)


class Vectors(unittest.TestCase):
    def test_each(self):
        for text, utc, local, summer in VECTORS:
            with self.subTest(text, utc=utc):
                found, dst = posixtz.Zone(text).local(seconds(*utc))
                self.assertEqual((fields(found), dst), (local, summer))

    def test_one_zone_asked_in_any_order(self):
        zone = posixtz.Zone(BRUSSELS)
        self.assertEqual(fields(zone.local(0)[0]), (2000, 1, 1, 1, 0, 0))
        for text, utc, local, summer in list(VECTORS) + list(reversed(VECTORS)):
            if text == BRUSSELS:
                found, dst = zone.local(seconds(*utc))
                self.assertEqual((fields(found), dst), (local, summer))

    def test_names(self):
        zone = posixtz.Zone("<-02>2<-01>,M3.5.0/-1,M10.5.0/0")
        self.assertEqual((zone.abbreviation(False), zone.abbreviation(True)), ("-02", "-01"))
        self.assertEqual(posixtz.Zone("UTC0").abbreviation(True), "UTC")


class Wrong(unittest.TestCase):
    def test_each_is_refused(self):
        for text in WRONG:
            with self.subTest(text):
                with self.assertRaises(ValueError):
                    posixtz.Zone(text)

    def test_the_error_says_where_and_what(self):
        for text, words in (
            ("CET-1CEST,M3.6.0,M10.5.0", ("character 14", "a week is expected, 1 to 5")),
            ("CET-1CEST", ("character 10", "the rule is missing")),
            ("Europe/Brussels", ("character 7", "the offset in hours is expected, 0 to 24")),
        ):
            try:
                posixtz.Zone(text)
            except ValueError as error:
                for word in words:
                    self.assertIn(word, str(error))
            else:
                self.fail(text)


def tzif(text: str) -> bytes:
    """A TZif file (RFC 8536) that has no transition, only the TZ string."""
    header = b"TZif2" + bytes(15)
    body = bytes(6) + b"UTC\0"
    counts = b"".join(n.to_bytes(4, "big") for n in (0, 0, 0, 0, 1, 4))
    return 2 * (header + counts + body) + b"\n" + text.encode() + b"\n"


@unittest.skipIf(VM, "zoneinfo is on CPython")
class Oracles(unittest.TestCase):
    FIRST = 1997
    YEARS = 70

    def moments(self, zone, random):
        """UTC seconds around each change that the zone makes, and some in between."""
        found = []
        utc = seconds(self.FIRST, 1, 1)
        end = seconds(self.FIRST + self.YEARS, 1, 1)
        while utc < end:
            zone.local(utc)
            found += [utc, zone._from - 1, zone._from, zone._until - 1]
            utc = min(zone._until, end)
        found = [moment for moment in found if seconds(self.FIRST, 1, 8) < moment < end]
        return found + [random.randrange(seconds(self.FIRST, 1, 8), end) for _ in range(300)]

    def compare(self, text, info):
        import random
        from datetime import datetime, timezone

        zone = posixtz.Zone(text)
        asked = posixtz.Zone(text)
        moments = self.moments(zone, random.Random(text))
        for utc in moments:
            aware = datetime.fromtimestamp(utc + 946684800, timezone.utc).astimezone(info)
            local, dst = asked.local(utc)
            shown = fields(local)
            self.assertEqual(shown, aware.timetuple()[:6], f"{text} {fields(utc)}")
            self.assertEqual(dst, bool(aware.dst()), f"{text} {fields(utc)}")
            self.assertEqual(asked.abbreviation(dst), aware.tzname())
        return len(moments)

    def test_the_strings_of_all_zones(self):
        import io
        import zoneinfo
        from importlib import resources

        texts = set()
        for name in zoneinfo.available_timezones():
            for folder in zoneinfo.TZPATH:
                try:
                    with open(f"{folder}/{name}", "rb") as file:
                        texts.add(file.read().split(b"\n")[-2].decode())
                    break
                except OSError:
                    pass
            else:
                where = resources.files("tzdata").joinpath("zoneinfo", name)
                texts.add(where.read_bytes().split(b"\n")[-2].decode())
        texts.discard("")
        self.assertGreater(len(texts), 60)
        compared = 0
        for text in sorted(texts):
            info = zoneinfo.ZoneInfo.from_file(io.BytesIO(tzif(text)), key=text)
            compared += self.compare(text, info)
        self.assertGreater(compared, 20000)

    def test_real_history_where_the_rule_is_old(self):
        """The zones themselves, not only their strings: the EU's rule holds since 1996."""
        import zoneinfo

        for name, text in (
            ("Europe/Brussels", "CET-1CEST,M3.5.0,M10.5.0/3"),
            ("Europe/Lisbon", "WET0WEST,M3.5.0/1,M10.5.0"),
            ("Europe/Helsinki", "EET-2EEST,M3.5.0/3,M10.5.0/4"),
            ("Asia/Kolkata", "IST-5:30"),
        ):
            self.compare(text, zoneinfo.ZoneInfo(name))

    def test_random_strings(self):
        self.against_the_library(25)

    def test_random_strings_long(self):
        self.against_the_library(150)

    def against_the_library(self, count):
        """Every form, against the C library, which reads TZ itself."""
        import os
        import random
        import time

        chance = random.Random(1)
        before = os.environ.get("TZ")
        try:
            for _ in range(count):
                text = self.random_text(chance)
                os.environ["TZ"] = text
                time.tzset()
                zone = posixtz.Zone(text)
                for utc in self.moments(posixtz.Zone(text), chance):
                    expected = time.localtime(utc + 946684800)
                    local, dst = zone.local(utc)
                    found = fields(local)
                    self.assertEqual(found, tuple(expected)[:6], f"{text} {fields(utc)}")
                    self.assertEqual(dst, bool(expected.tm_isdst), f"{text} {fields(utc)}")
        finally:
            os.environ.pop("TZ", None)
            if before is not None:
                os.environ["TZ"] = before
            time.tzset()

    def random_text(self, chance) -> str:
        offset = chance.randrange(-12, 12)
        # Months apart, and not at New Year: glibc judges by the calendar year.
        start = chance.choice([2, 3, 4, 8, 9, 10])
        end = chance.choice([month for month in range(2, 12) if abs(month - start) > 1])
        minutes = chance.choice(["", ":30", ":45", ":15:20"])
        text = "STD%d%sDST" % (offset, minutes)
        if chance.randrange(2):
            text += "%d%s" % (offset + chance.choice([-2, -1, 1, 2]), minutes)
        for month in (start, end):
            form = chance.randrange(3)
            if form == 0:
                text += ",M%d.%d.%d" % (month, chance.randrange(1, 6), chance.randrange(7))
            elif form == 1:
                text += ",J%d" % (month * 30 + chance.randrange(-10, 10))
            else:
                text += ",%d" % (month * 30 + chance.randrange(-10, 10))
            if chance.randrange(2):
                text += "/%d%s" % (chance.randrange(-100, 100), chance.choice(["", ":30"]))
        return text
