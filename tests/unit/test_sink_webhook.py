"""The webhook sink: its lines and bodies, what they are made of, and what the check says."""

import asyncio
import json
import unittest

import civil
import posixtz

from joulelog import clock, registry
from joulelog.config import schema
from joulelog.errors import ConfigError
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source
from joulelog.net.server import Denied, Refused, Retry
from joulelog.sinks import webhook, webhook_log

KEY = "s3cr&t key+42"
NOON = 848404800  # 2026-11-19T12:00:00Z in seconds since 2000
GRID = Source(
    "grid",
    (
        ("power", "W", 1, "measurement", "power"),
        ("energy", "kWh", 3, "total_increasing", "energy"),
        ("message", "", 0, "text", ""),
        ("seen", "", 0, "time", ""),
    ),
)
HEAT = Source(
    "heat",
    (
        ("temperature", "°C", 2, "measurement", "temperature"),
        ("power", "W", 4, "measurement", "power"),
        ("kilowatts", "kW", 3, "measurement", "power"),
    ),
)


class Net:
    """Stands for net/http: answers what the test says, keeps what it got."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    async def request(self, method, url, body, headers, tls_context, timeout_ms, limit):
        self.calls.append((method, url, bytes(body).decode(), headers))
        return self.answers.pop(0) if self.answers else (200, {}, b"")


class Logger:
    """A queue and a webhook in it."""

    def __init__(self, net=None, zone="", **changes):
        self.net = net or Net()
        self.aside = []
        self.clock = clock.Clock()
        self.clock.zone = posixtz.Zone(zone) if zone else None
        self.entry = entry_of(**changes)
        self.queue = Queue(64, self.clock)
        self.queue.aside = lambda cursor, item, why: self.aside.append(why)
        self.cursor = self.queue.sink_cursor(webhook, self.entry)
        self.sink = webhook.Sink(
            "hook", self.entry, self.cursor, self.clock, self.queue, self.net.request
        )

    def put(self, number, source, *values):
        values += (None,) * (len(source.channels) - len(values))
        self.queue.put((NOON + number, source, values))

    def send(self):
        """Send all that waits; return the bodies."""
        before = len(self.net.calls)

        async def scenario():
            while await self.sink._fill():
                await self.sink._deliver()

        asyncio.run(scenario())
        return [call[2] for call in self.net.calls[before:]]

    def stats(self):
        """Of these bodies what is behind the key."""
        return [body[body.index("&stats=") + 7 :] for body in self.send()]


def entry_of(**changes):
    entry = {
        "url": "http://home.example/log.php",
        "format": "json" if "body" in changes else "log.php",
        "key": KEY,
        "values": [],
        "body": "",
        "interval": 0,
        "batch": 1024,
        "timeout": 10,
        "rate": 0,
        "every": 0,
        "name": "hook",
        "sources": None,
        "channels": None,
        "ca": None,
        "verify": True,
    }
    entry.update(changes)
    return entry


class TestLine(unittest.TestCase):
    def test_a_line(self):
        logger = Logger(values=["grid.power", "heat.temperature", "", "grid.energy"])
        logger.put(0, HEAT, 2150)
        logger.put(1, GRID, -5, 45678123)
        self.assertEqual(
            logger.send(),
            ["key=s3cr%26t%20key%2B42&stats=19.11.2026,12:00:01,-0.5,21.50,,45678.123"],
        )
        method, url, _, headers = logger.net.calls[0]
        self.assertEqual((method, url), ("POST", "http://home.example/log.php"))
        self.assertEqual(headers, {"Content-Type": "application/x-www-form-urlencoded"})

    def test_the_others_are_as_they_were_then(self):
        logger = Logger(values=["grid.power", "heat.temperature"])
        logger.put(0, GRID, 10)
        logger.put(1, HEAT, 100)
        logger.put(2, GRID, 20)
        logger.put(3, HEAT, 200)
        logger.put(4, HEAT, None)
        logger.put(5, GRID, 30)
        logger.put(6, HEAT, 300)
        logger.put(7, GRID, 40)
        self.assertEqual(
            logger.stats(),
            [
                "19.11.2026,12:00:00,1.0,&buffer=1",
                "19.11.2026,12:00:02,2.0,1.00&buffer=1",
                "19.11.2026,12:00:05,3.0,&buffer=1",
                "19.11.2026,12:00:07,4.0,3.00",
            ],
        )
        self.assertEqual((logger.cursor.sent, logger.cursor.waiting), (4, 0))

    def test_a_value_of_an_hour_ago_is_none_of_now(self):
        logger = Logger(values=["grid.power", "heat.temperature"])
        logger.put(0, HEAT, 100)
        logger.put(3600, GRID, 10)
        logger.put(3601, GRID, 20)
        self.assertEqual(
            logger.stats(),
            ["19.11.2026,13:00:00,1.0,1.00&buffer=1", "19.11.2026,13:00:01,2.0,"],
        )

    def test_no_line_without_a_value(self):
        logger = Logger(values=["grid.power", "heat.temperature"])
        logger.put(0, HEAT, 100)
        logger.put(1, GRID, None, 5)
        self.assertEqual(logger.stats(), [])
        self.assertEqual((logger.cursor.sent, logger.cursor.waiting), (0, 0))

    def test_sums_are_exact(self):
        logger = Logger(values=["grid.power + heat.power", "grid.power+grid.power"])
        logger.put(0, HEAT, None, 12345)
        logger.put(1, GRID, 1)
        logger.put(2, HEAT, None, None)
        logger.put(3, GRID, 3)
        self.assertEqual(
            logger.stats(),
            ["19.11.2026,12:00:01,1.334,0.2&buffer=1", "19.11.2026,12:00:03,,0.6"],
        )

    def test_what_cannot_be_added(self):
        for value in ("grid.power + heat.kilowatts", "grid.power + grid.message"):
            logger = Logger(values=["grid.power", value])
            logger.put(0, HEAT, None, None, 1)
            logger.put(1, GRID, 1, None, "text")
            self.assertEqual(logger.stats(), [])
            self.assertEqual(len(logger.aside), 1)
            self.assertTrue("cannot be added" in logger.aside[0], logger.aside)

    def test_what_does_not_fit_is_set_aside_and_the_rest_goes_on(self):
        logger = Logger(values=["grid.energy"])
        logger.put(0, GRID, None, 1000000000)
        logger.put(1, GRID, None, 999999999)
        self.assertEqual(logger.stats(), ["19.11.2026,12:00:01,999999.999"])
        text = "grid.energy is 1000000.000: log.php takes 6 characters before the point"
        self.assertEqual(logger.aside, [text])
        self.assertEqual((logger.cursor.sent, logger.cursor.refused), (1, 1))

    def test_fields(self):
        for value, decimals, text in (
            (0, 0, "0"),
            (999999, 0, "999999"),
            (-99999, 0, "-99999"),
            (1234567, 3, "1234.567"),
            (12345678, 4, "1234.567"),
            (-12345678, 4, "-1234.567"),
            (-9, 4, "0.000"),
            (-19, 4, "-0.001"),
            (-99999999999, 6, "-99999.999"),
            (2**70, 20, "11.805"),
            (5, 1, "0.5"),
        ):
            self.assertEqual(webhook_log.field("x", value, decimals), text)
        for value, decimals in ((1000000, 0), (-100000, 0), (-1000000000, 4), ("text", 0)):
            with self.assertRaises(ValueError):
                webhook_log.field("x", value, decimals)

    def test_both_nights(self):
        central = "CET-1CEST,M3.5.0,M10.5.0/3"
        for first, lines in (
            (  # 2026-03-29: 01:59:59 CET, then 03:00:00 CEST
                civil.seconds(2026, 3, 29, 0, 59, 59),
                ["29.03.2026,01:59:59", "29.03.2026,03:00:00"],
            ),
            (  # 2026-10-25: 02:59:59 CEST, then 02:00:00 CET
                civil.seconds(2026, 10, 25, 0, 59, 59),
                ["25.10.2026,02:59:59", "25.10.2026,02:00:00"],
            ),
            (
                civil.seconds(2026, 6, 30, 21, 59, 59),
                ["30.06.2026,23:59:59", "01.07.2026,00:00:00"],
            ),
            (civil.seconds(2038, 1, 19, 3, 14, 7), ["19.01.2038,04:14:07", "19.01.2038,04:14:08"]),
        ):
            logger = Logger(zone=central, values=["grid.power"])
            logger.put(first - NOON, GRID, 1)
            logger.put(first - NOON + 1, GRID, 2)
            self.assertEqual(logger.stats(), [lines[0] + ",0.1&buffer=1", lines[1] + ",0.2"])

    def test_what_waited_is_marked(self):
        logger = Logger(values=["grid.power"])
        logger.clock.set(NOON + 100, "ntp")
        logger.put(0, GRID, 1)  # the newest, but old
        self.assertEqual(logger.stats(), ["19.11.2026,12:00:00,0.1&buffer=1"])
        logger.put(100, GRID, 2)
        self.assertEqual(logger.stats(), ["19.11.2026,12:01:40,0.2"])

    def test_one_per_period_is_of_now_until_the_next(self):
        logger = Logger(values=["grid.power"], every=10)
        for number in (0, 3, 10, 14):
            logger.put(number, GRID, number)
        found = logger.stats()
        self.assertEqual(found, ["19.11.2026,12:00:00,0.0&buffer=1", "19.11.2026,12:00:10,1.0"])


class TestBody(unittest.TestCase):
    def bodies(self, body, *readings):
        logger = Logger(Net(*[(204, {}, b"")] * 9), body=body)
        for reading in readings:
            logger.put(*reading)
        return logger.send()

    def test_values(self):
        body = (
            '{"t": {time}, "at": {iso}, "w": {grid.power}, "a": [{}, {grid.message}], "x{y}": 1}'
        )
        found = self.bodies(body, (0, GRID, -5, None, 'a "b" \\ \u00fc'), (1, GRID, 3))
        self.assertEqual(
            [json.loads(text) for text in found],
            [
                {
                    "t": NOON + 946684800,
                    "at": "2026-11-19T12:00:00Z",
                    "w": -0.5,
                    "a": [{}, 'a "b" \\ \u00fc'],
                    "x{y}": 1,
                },
                {
                    "t": NOON + 946684801,
                    "at": "2026-11-19T12:00:01Z",
                    "w": 0.3,
                    "a": [{}, None],
                    "x{y}": 1,
                },
            ],
        )

    def test_digits_and_times(self):
        found = self.bodies(
            "[{time},{grid.energy},{grid.seen},{grid.power + heat.power}]",
            (0, HEAT, None, 1),
            (1, GRID, 1, 123456789012345678, None, NOON),
        )
        self.assertEqual(
            found,
            ['[1795089601,123456789012345.678,"2026-11-19T12:00:00Z",0.1001]'],
        )

    def test_key_in_its_header(self):
        logger = Logger(Net((200, {}, b"ok")), body="[{time},{grid.power}]", url="http://h/a/")
        logger.put(0, GRID, 1)
        logger.send()
        _, url, _, headers = logger.net.calls[0]
        self.assertEqual(url, "http://h/a/")
        self.assertEqual(
            headers, {"Content-Type": "application/json", "Authorization": "Bearer " + KEY}
        )

    def test_without_a_time_only_the_newest(self):
        logger = Logger(body='{"w": {grid.power}, "t": {heat.temperature}}')
        self.assertEqual(webhook.reads(logger.entry, None), "table")
        logger.put(0, HEAT, 1)
        for number in range(5):
            logger.put(number, GRID, number)
        logger.put(6, HEAT, 2)
        self.assertEqual(logger.send(), ['{"w": 0.4, "t": 0.02}'])
        logger.put(7, HEAT, 3)
        self.assertEqual(logger.send(), [])
        logger.put(8, GRID, None, 5)
        self.assertEqual(logger.send(), [])
        logger.put(9, GRID, 9)
        self.assertEqual(logger.send(), ['{"w": 0.9, "t": 0.03}'])
        self.assertEqual((logger.cursor.sent, logger.cursor.superseded), (2, 4))
        self.assertEqual((logger.cursor.refused, logger.cursor.waiting), (0, 0))

    def test_what_is_of_now_needs_no_clock(self):
        logger = Logger(body="[{grid.power}, {heat.temperature}]")
        uptime = -(1 << 29) + 7
        logger.queue.put((uptime, HEAT, (5, None, None)))
        logger.queue.put((uptime, GRID, (1, None, None, None)))
        self.assertEqual(logger.send(), ["[0.1, 0.05]"])
        logger = Logger(body="[{grid.power}, {time}]")
        logger.queue.put((uptime, GRID, (1, None, None, None)))
        self.assertEqual(logger.send(), [])
        self.assertEqual(logger.cursor.waiting, 1)

    def test_other_readings_of_now_are_an_hour_old_at_most(self):
        logger = Logger(Net(*[(204, {}, b"")] * 9), body="[{grid.power}, {heat.temperature}]")
        logger.put(0, HEAT, 5)
        logger.put(1, GRID, 1)
        self.assertEqual(logger.send(), ["[0.1, 0.05]"])
        logger.queue.latest.rows["heat"].came_ms -= 3700000
        logger.put(2, GRID, 2)
        self.assertEqual(logger.send(), ["[0.2, null]"])


class TestAnswers(unittest.TestCase):
    def outcome(self, answer, **changes):
        sink = Logger(Net(answer), **changes).sink

        async def scenario():
            try:
                return await sink.post(memoryview(b"x"))
            except (Retry, Refused, Denied) as failure:
                return failure

        return asyncio.run(scenario())

    def test_log_php(self):
        values = ["grid.power"]
        self.assertEqual(self.outcome((200, {}, b""), values=values), None)
        for status, body in (
            (200, b"hello"),
            (204, b""),
            (404, b"Not Found"),
            (302, b""),
            (403, b""),
        ):
            failure = self.outcome((status, {}, body), values=values)
            self.assertTrue(isinstance(failure, Denied), (status, failure))
            self.assertTrue("url" in failure.args[0] or "key" in failure.args[0], failure)
        for status in (500, 503, 429, 408):
            self.assertTrue(isinstance(self.outcome((status, {}, b""), values=values), Retry))
        said = self.outcome((200, {}, b"you sent " + KEY.encode()), values=values).args[0]
        self.assertTrue("s3cr" not in said and "***" in said, said)

    def test_json(self):
        body = "[{time},{grid.power}]"
        for status in (200, 201, 202, 204):
            self.assertEqual(self.outcome((status, {}, b"whatever"), body=body), None)
        for status, kind in ((400, Refused), (422, Refused), (413, Refused), (401, Denied)):
            failure = self.outcome((status, {}, b'{"error": "no"}'), body=body)
            self.assertTrue(isinstance(failure, kind), (status, failure))
        for status, kind in ((404, Denied), (307, Denied), (500, Retry), (429, Retry)):
            self.assertTrue(isinstance(self.outcome((status, {}, b""), body=body), kind), status)
        failure = self.outcome((400, {}, b""), body="[{grid.power}]")
        self.assertTrue(isinstance(failure, Denied))


class Board:
    NAME = "HOST"
    UARTS = ()


class TestCheck(unittest.TestCase):
    def problems(self, **entry):
        readers = [
            {"type": "pzem", "name": "grid", "uart": "sim"},
            {"type": "dsmr", "name": "p1", "uart": "sim"},
        ]
        sink = {"type": "webhook", "url": "http://h/log.php"}
        sink.update(entry)
        try:
            schema.check({"device": "t", "readers": readers, "sinks": [sink]}, Board, registry)
        except ConfigError as error:
            return str(error)
        return ""

    def test_what_will_do(self):
        for entry in (
            {"key": "k", "values": ["grid.power", "", "p1.anything"]},
            {"key": "k", "values": ["grid.power"] * 14},
            {"format": "json", "body": '{"w": {grid.power}}'},
            {"format": "json", "body": '{ "w": [{ }, {}, {p1.a + grid.power}], "t": {iso}}'},
        ):
            self.assertEqual(self.problems(**entry), "")

    def test_what_will_not(self):
        for words, entry in (
            ("`key` is missing", {"values": ["grid.power"]}),
            ("1 to 14", {"key": "k"}),
            ("1 to 14", {"key": "k", "values": ["grid.power"] * 15}),
            ("1 to 14", {"key": "k", "values": ["", "grid.power"]}),
            ("allowed is source.channel", {"key": "k", "values": ["power"]}),
            ("allowed is source.channel", {"key": "k", "values": ["grid.power + "]}),
            ("no reader has that name", {"key": "k", "values": ["grit.power"]}),
            ('`values` names "powr"', {"key": "k", "values": ["grid.powr"]}),
            ("leave `sources` out", {"key": "k", "values": ["grid.power"], "sources": ["p1"]}),
            ("`body` belongs", {"key": "k", "values": ["grid.power"], "body": "x"}),
            ("`values` belongs", {"format": "json", "body": "{grid.power}", "values": ["p1.a"]}),
            ("`body` is missing, or", {"format": "json"}),
            ("`body` is missing, or", {"format": "json", "body": "{time}"}),
            ("a { without its }", {"format": "json", "body": '{"a": {grid.power'}),
            ("allowed are {time}", {"format": "json", "body": '{"a": {tim}, "b": {grid.power}}'}),
            ("is no JSON", {"format": "json", "body": '{"a": {grid.power}'}),
            ("in quotes", {"format": "json", "body": '{"a": "{iso}", "b": {grid.power}}'}),
            ("in quotes", {"format": "json", "body": '{"a": "x {grid.power}"}'}),
            ('`body` names "wer"', {"format": "json", "body": "{wer.power}"}),
            ('`body` names "volt"', {"format": "json", "body": "{grid.volt}"}),
        ):
            found = self.problems(**entry)
            self.assertTrue(words in found, (words, entry, found))


if __name__ == "__main__":
    unittest.main()
