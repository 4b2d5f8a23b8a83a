"""The influxdb sink: line protocol, addresses, credentials, and what it makes of each answer."""

import asyncio
import unittest

from influxdb_entry import entry_of

from joulelog import COMPILED, VERSION, clock
from joulelog.errors import NetError
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source
from joulelog.net.server import Denied, Refused, Retry
from joulelog.sinks import influxdb

TOKEN = "s3cr3t-t0ken=="
PASSWORD = "pass:w\u00f6rd"
DAY = ("energy_import_t1", "kWh", 3, "total_increasing", "energy")
POWER = ("power_import", "W", 0, "measurement", "power")
MESSAGE = ("message", "", 0, "text", "")
P1 = Source("p1", (DAY, POWER, MESSAGE))
NOON = 848404800
UNIX = NOON + 946684800


class App:
    device = "joulelog"

    def __init__(self):
        self.clock = clock.Clock()


class Net:
    """Stands for net/http: answers what the test says, keeps what it got."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    async def request(self, method, url, body, headers, tls_context, timeout_ms, limit):
        self.calls.append((method, url, bytes(body).decode(), headers))
        answer = self.answers.pop(0) if self.answers else (204, {}, b"")
        if isinstance(answer, Exception):
            raise answer
        return answer


def sink_for(net, **changes):
    if "bucket" not in changes and "database" not in changes:
        changes["database"] = "energy"
    app = App()
    queue = Queue(64, app.clock)
    sink = influxdb.Sink(
        "influx", entry_of(**changes), queue.cursor("influx"), app.clock, app.device, net.request
    )
    return sink, queue


def call_of(readings, **changes):
    """(method, url, body, headers) of one batch."""
    net = Net()
    sink, queue = sink_for(net, **changes)
    for reading in readings:
        queue.put(reading)

    async def scenario():
        if await sink._fill():
            await sink._deliver()

    asyncio.run(scenario())
    return net.calls[0] if net.calls else None


def body_of(readings, **changes):
    return call_of(readings, **changes)[2]


def outcome(answer, count=3, **changes):
    """What post() makes of an answer: its result or the exception."""
    sink, _ = sink_for(Net(), **changes)
    sink._count = count
    return post(sink, answer)


def post(sink, answer):
    """The same of a sink that is there."""
    sink.server.request = Net(answer).request

    async def scenario():
        try:
            return await sink.post(memoryview(b"x y=1 1\n"))
        except (Retry, Refused, Denied) as failure:
            return failure

    return asyncio.run(scenario())


def error(words):
    return ('{"error":"%s"}\n' % words.replace('"', '\\"')).encode()


class TestLines(unittest.TestCase):
    TAGS = "device=joulelog,source=p1"

    def test_lines(self):
        readings = [
            (NOON, P1, (45678123, 1193, 'say "hi" \\ bye')),
            (NOON + 1, P1, (123456789012345, None, None)),
            (NOON + 2, P1, (None, -5, "")),
        ]
        self.assertEqual(
            body_of(readings),
            "energy,%s energy_import_t1=45678.123,power_import=1193,"
            'message="say \\"hi\\" \\\\ bye" %d\n'
            "energy,%s energy_import_t1=123456789012.345 %d\n"
            'energy,%s power_import=-5,message="" %d\n'
            % (self.TAGS, UNIX, self.TAGS, UNIX + 1, self.TAGS, UNIX + 2),
        )

    def test_nothing_to_send(self):
        self.assertTrue(call_of([(NOON, P1, (None, None, None))]) is None)

    def test_a_reading_without_values_between_others(self):
        body = body_of([(NOON, P1, (None, None, None)), (NOON + 1, P1, (1, None, None))])
        self.assertEqual(body.count("\n"), 1)
        self.assertTrue(body.endswith("0.001 %d\n" % (UNIX + 1)))

    def test_time_beyond_31_and_32_bits(self):
        for time in (1073741824, 1140134400, 1200798848, 3348282496):
            self.assertTrue(
                body_of([(time, P1, (1, 2, None))]).endswith(" %d\n" % (time + 946684800))
            )

    def test_tags(self):
        body = body_of(
            [(NOON, Source("my meter", (POWER,)), (1,))],
            measurement="my energy,x=y",
            tags={
                "z": "a,b=c d",
                "house no": "1\n2\\",
                "empty": "",
                "a\\,b": "\u00fc",
                "device": "d2",
            },
        )
        self.assertEqual(
            body,
            "my\\ energy\\,x=y,a\\\\,b=\u00fc,device=d2,house\\ no=1\\ 2,"
            "source=my\\ meter,z=a\\,b\\=c\\ d power_import=1 %d\n" % UNIX,
        )

    def test_the_line_of_a_pulse_logger(self):
        value = ("value", "", 0, "measurement", "")
        body = body_of(
            [(NOON, Source("led", (value,)), (7,))],
            measurement="energy_meter_reading",
            version_tags=True,
            sources=["led"],
        )
        tags = "compiled=%s,device=joulelog,version=%s" % (COMPILED, VERSION)
        self.assertEqual(body, "energy_meter_reading,%s value=7 %d\n" % (tags, UNIX))

    def test_times_codes_and_flags_are_numbers(self):
        kinds = Source(
            "m",
            (
                ("since", "", 0, "time", ""),
                ("tariff", "", 0, "code", ""),
                ("on", "", 0, "flag", ""),
            ),
        )
        body = body_of([(NOON, kinds, (NOON - 7, 2, 0))])
        self.assertTrue(" since=%d,tariff=2,on=0 %d" % (UNIX - 7, UNIX) in body)

    def test_field_keys(self):
        channels = (("a b,c=d", "", 1, "total", ""), ("time", "", 0, "total", ""))
        body = body_of([(NOON, Source("p1", channels), (15, 2))])
        self.assertTrue(" a\\ b\\,c\\=d=1.5,time_=2 " in body)

    def test_bytes_are_bounded_and_plans_too(self):
        net = Net()
        sink, queue = sink_for(net, batch=256)
        for number in range(40):
            source = Source("p1", (DAY,))
            queue.put((NOON + number, source, (45678123 + number,)))

        async def scenario():
            while await sink._fill():
                await sink._deliver()

        asyncio.run(scenario())
        lines = []
        for call in net.calls:
            self.assertTrue(len(call[2]) <= 256)
            lines.extend(call[2].split("\n")[:-1])
        self.assertEqual([int(line.split(" ")[-1]) - UNIX for line in lines], list(range(40)))
        self.assertTrue(len(sink._plans) <= 8)
        self.assertEqual(sink.cursor.sent, 40)


class TestAddress(unittest.TestCase):
    def test_version_1(self):
        method, url, _, headers = call_of(
            [(NOON, P1, (1, 2, None))],
            database="en ergy&x",
            retention_policy="a b",
            user="me",
            password=PASSWORD,
        )
        self.assertEqual(method, "POST")
        self.assertEqual(
            url, "http://influx.example:8086/write?db=en%20ergy%26x&precision=s&rp=a%20b"
        )
        self.assertEqual(headers["Authorization"], "Basic bWU6cGFzczp3w7ZyZA==")

    def test_version_1_without_a_user(self):
        _, url, _, headers = call_of([(NOON, P1, (1, 2, None))], url="http://x:8086/sub/")
        self.assertEqual(url, "http://x:8086/sub/write?db=energy&precision=s")
        self.assertFalse("Authorization" in headers)

    def test_a_long_password(self):
        _, _, _, headers = call_of([(NOON, P1, (1, 2, None))], user="me", password="x" * 100)
        self.assertFalse("\n" in headers["Authorization"])

    def test_version_2(self):
        _, url, _, headers = call_of(
            [(NOON, P1, (1, 2, None))], bucket="b/1", org="my org", token=TOKEN
        )
        self.assertEqual(
            url, "http://influx.example:8086/api/v2/write?org=my%20org&bucket=b%2F1&precision=s"
        )
        self.assertEqual(headers["Authorization"], "Token " + TOKEN)

    def test_config_errors(self):
        for changes, words in (
            ({"database": "a", "user": "u", "password": "p"}, []),
            ({"bucket": "b", "org": "o", "token": "t"}, []),
            ({}, ["missing"]),
            ({"database": "a", "bucket": "b"}, ["not both"]),
            ({"database": "a", "org": "x", "token": "hidden"}, ["`org`", "`token`"]),
            ({"bucket": "b", "org": "o", "token": "t", "user": "x"}, ["`user`"]),
            ({"bucket": "b", "org": "o", "token": "t", "password": "hidden"}, ["`password`"]),
            ({"database": "a", "user": "a:b"}, ["colon"]),
            ({"database": "a", "measurement": ""}, ["`measurement`"]),
            ({"database": "a", "measurement": "#x"}, ["`measurement`"]),
            ({"database": "a", "tags": {"source": "x"}}, ['"source"']),
            ({"database": "a", "tags": {"time": "x"}}, ['"time"']),
            ({"database": "a", "version_tags": True}, ["one meter"]),
            ({"database": "a", "version_tags": True, "sources": ["p1", "gas"]}, ["one meter"]),
            ({"database": "a", "version_tags": True, "sources": ["p1"]}, []),
            ({"bucket": "a"}, ["`org`", "`token`"]),
            ({"database": "a", "url": "http://i:8086/write"}, ["/write"]),
            ({"database": "a", "url": "http://i:8086/api/v2/write"}, ["/api"]),
            ({"database": "a", "url": "http://i/proxy/influx/"}, []),
        ):
            found = list(influxdb.problems(entry_of(**changes), None))
            self.assertEqual(len(found), len(words))
            for text, word in zip(found, words):
                self.assertTrue(word in text)
                self.assertFalse("hidden" in text)


class TestAnswers(unittest.TestCase):
    def test_only_204_is_stored(self):
        self.assertTrue(outcome((204, {}, b"")) is None)
        for status in (200, 201, 202, 206):
            self.assertTrue(isinstance(outcome((status, {}, b"")), Denied))

    def test_bad_points(self):
        for status, body in (
            (400, error("unable to parse 'energy x=a 1': invalid boolean")),
            (400, error("partial write: unable to parse 'x': invalid boolean dropped=0")),
            (400, error('partial write: field type conflict: input field "w" dropped=1')),
            (400, error("time outside range -9223372036854775806 - 9223372036854775806")),
            (400, b'{"code":"invalid","message":"unable to parse \'invalid\': missing fields"}'),
            (422, b'{"code":"unprocessable entity","message":"failure writing points"}'),
            (422, b"..."),
            (400, b'{"error":"partial write of line protocol occurred","data":[]}'),
            (413, error("Request Entity Too Large")),
            (
                500,
                b'{"code":"internal error","message":"unexpected error writing points to database:'
                b' partial write: field type conflict: input field \\"w\\" dropped=1"}',
            ),
            (500, error("partial write: points beyond retention policy dropped=3")),
            (422, error('field type conflict: input field "phase limit" is type float')),
        ):
            self.assertTrue(isinstance(outcome((status, {}, body)), Refused))

    def test_a_limit_can_be_lifted(self):
        for status, words in (
            (400, "partial write: max-values-per-tag limit exceeded (100000/100000) dropped=1"),
            (400, "partial write: max-series-per-database limit exceeded: (1000000) dropped=1"),
            (422, "Update to schema would exceed number of columns per table limit of 500"),
            (422, "Adding this table would exceed limit of 2000 tables"),
        ):
            failure = outcome((status, {}, error(words)))
            self.assertTrue(isinstance(failure, Denied))
            self.assertTrue("raise it there" in failure.args[0] and words[:20] in failure.args[0])

    def test_words_from_the_header(self):
        failure = outcome((400, {"x-influxdb-error": "unable to parse 'x': missing fields"}, b""))
        self.assertTrue(isinstance(failure, Refused))

    def test_a_bad_request_is_not_a_bad_point(self):
        for body in (
            error("database is required"),
            b"Client sent an HTTP request to an HTTPS server.\n",
            b"<html>400 Bad Request</html>",
            b"",
        ):
            failure = outcome((400, {}, body))
            self.assertTrue(isinstance(failure, Denied))
            self.assertTrue("`url`" in failure.args[0])

    def test_too_old(self):
        body = error("partial write: points beyond retention policy dropped=2")
        failure = outcome((400, {}, body))
        self.assertTrue(isinstance(failure, Refused) and "retention policy" in failure.args[0])

    def test_credentials(self):
        failure = outcome((401, {}, error("authorization failed")), user="u", password="p")
        self.assertTrue(isinstance(failure, Denied) and "`password`" in failure.args[0])
        failure = outcome((401, {}, b'{"code":"unauthorized"}'), bucket="b", token=TOKEN)
        self.assertTrue(isinstance(failure, Denied) and "`token`" in failure.args[0])
        failure = outcome((403, {}, error('"reader" user is not authorized to write')))
        self.assertTrue(isinstance(failure, Denied) and "may not write" in failure.args[0])

    def test_what_has_to_be_created(self):
        failure = outcome((404, {}, error('database not found: "energy"')))
        self.assertTrue(isinstance(failure, Denied))
        self.assertTrue('CREATE DATABASE "energy"' in failure.args[0])
        body = b'{"code":"not found","message":"bucket \\"energy\\" not found"}'
        failure = outcome((404, {}, body), bucket="energy")
        self.assertTrue(isinstance(failure, Denied) and "create the bucket" in failure.args[0])
        failure = outcome((404, {}, b"404 page not found\n"), bucket="energy")
        self.assertTrue(isinstance(failure, Denied) and "no InfluxDB 2" in failure.args[0])
        failure = outcome((500, {}, error("retention policy not found: nope")))
        self.assertTrue(isinstance(failure, Denied) and "retention_policy" in failure.args[0])

    def test_temporary(self):
        for status, headers, seconds in (
            (429, {"retry-after": "120"}, 120),
            (503, {"retry-after": "10"}, 10),
            (503, {}, 0),
            (503, {"retry-after": "100000"}, 600),
            (500, {}, 0),
            (502, {}, 0),
        ):
            failure = outcome((status, headers, b'{"error":"timeout"}'))
            self.assertTrue(isinstance(failure, Retry))
            self.assertEqual(failure.args[1], seconds)
        failure = outcome(NetError("connection refused"))
        self.assertTrue(isinstance(failure, Retry))

    def test_a_date_is_compared_with_the_clock_of_the_app(self):
        sink, queue = sink_for(Net())
        date = {"retry-after": "Fri, 20 Nov 2026 10:00:45 GMT"}
        for now, seconds in ((None, 10), (848484000, 45), (848484100, 0), (840000000, 600)):
            if now is not None:
                queue.clock.set(now, "meter")
            failure = post(sink, (503, date, b""))
            self.assertEqual(failure.args[1], seconds)

    def test_no_secret_in_any_text(self):
        for status in (200, 302, 400, 401, 403, 404, 422, 429, 500):
            for changes, secret in (
                ({"bucket": "b", "token": TOKEN}, TOKEN),
                ({"user": "me", "password": PASSWORD}, PASSWORD),
                ({"user": "me", "password": PASSWORD}, "bWU6cGFzczp3w7ZyZA=="),
            ):
                failure = outcome((status, {"location": secret}, secret.encode()), **changes)
                self.assertTrue(isinstance(failure, (Retry, Refused, Denied)))
                self.assertFalse(secret in str(failure))


class TestFlow(unittest.TestCase):
    def test_the_one_that_is_too_old_is_found(self):
        old = (400, {}, error("partial write: points beyond retention policy dropped=1"))
        net = Net(old, (204, {}, b""), old)  # all three, the first, the other two …
        sink, queue = sink_for(net)
        refused = []
        queue.aside = lambda cursor, item, why: refused.append((item[0], why))
        for number in range(3):
            queue.put((NOON + number, P1, (1, 2, "")))

        async def scenario():
            while sink.cursor.waiting:
                await sink._fill()
                await sink._deliver()
                net.answers.extend([old] if len(net.calls) == 3 else [])

        asyncio.run(scenario())
        self.assertEqual((sink.cursor.sent, sink.cursor.refused, sink.cursor.waiting), (2, 1, 0))
        self.assertEqual([serial for serial, _ in refused], [1])
        self.assertIn("beyond retention policy", refused[0][1])
