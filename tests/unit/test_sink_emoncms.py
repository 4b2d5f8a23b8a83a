"""The emoncms sink: what it writes, and what it makes of each answer."""

import asyncio
import unittest

import civil

from joulelog import clock
from joulelog.errors import NetError
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source
from joulelog.net import server
from joulelog.net.server import Denied, Refused, Retry
from joulelog.sinks import emoncms
from joulelog.sinks.sink import Writer

KEY = "0123456789abcdef0123456789abcdef"
DAY = ("energy_import_t1", "kWh", 3, "total_increasing", "energy")
POWER = ("power_import", "W", 0, "measurement", "power")
MESSAGE = ("message", "", 0, "text", "")
P1 = Source("p1", (DAY, POWER, MESSAGE))
NOON = 848404800  # in seconds since 2000


class Reader:
    def __init__(self, name):
        self.name = name


class App:
    def __init__(self):
        self.clock = clock.Clock()
        self.readers = [Reader("p1"), Reader("heat")]


class Net:
    """Stands for net/http: answers what the test says, keeps what it got."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    async def request(self, method, url, body, headers, tls_context, timeout_ms, limit):
        self.calls.append((method, url, bytes(body).decode(), headers, timeout_ms))
        answer = self.answers.pop(0) if self.answers else (200, {}, b"ok")
        if isinstance(answer, Exception):
            raise answer
        return answer


def sink_for(net, sources=None, **changes):
    entry = {
        "url": "http://emon.example/emoncms/",
        "key": KEY,
        "node": "",
        "interval": 0,
        "batch": 4096,
        "timeout": 10,
        "rate": 0,
        "sources": sources,
        "ca": None,
        "verify": True,
    }
    entry.update(changes)
    app = App()
    queue = Queue(64, app.clock)
    cursor = queue.cursor("emon", sources)
    sink = emoncms.Sink("emon", entry, cursor, app.clock, app.readers, net.request)
    return sink, queue


def body_of(readings, **changes):
    """The decoded body of one batch."""
    net = Net()
    sink, queue = sink_for(net, **changes)
    for reading in readings:
        queue.put(reading)

    async def scenario():
        count = await sink._fill()
        if count:
            await sink._deliver()
        return count

    count = asyncio.run(scenario())
    if not count:
        return None
    return unquoted(net.calls[0][2])


def unquoted(text):
    """Percent-decoded."""
    parts = text.split("%")
    found = parts[0].encode()
    for part in parts[1:]:
        found += bytes([int(part[:2], 16)]) + part[2:].encode()
    return found.decode()


def outcome(*answer):
    """What post() makes of an answer: None or the exception."""
    return outcome_after(0, *answer)


def outcome_after(failures, *answer):
    answer = answer[0] if len(answer) == 1 else answer
    sink, _ = sink_for(Net(answer))
    sink._failures = failures

    async def scenario():
        try:
            return await sink.post(memoryview(b"time=0&data=%5B%5D"))
        except (Retry, Refused, Denied) as failure:
            return failure

    return asyncio.run(scenario())


class TestBody(unittest.TestCase):
    def test_rows(self):
        readings = [
            (NOON, P1, (45678123, 1193, "text")),
            (NOON + 1, P1, (45678120, 0, None)),
            (NOON + 2, P1, (None, -5, None)),
        ]
        unix = NOON + 946684800
        self.assertEqual(
            body_of(readings),
            'time=0&data=[[%d,"p1",{"energy_import_t1":45678.123,"power_import":1193}]'
            ',[%d,"p1",{"energy_import_t1":45678.120,"power_import":0}]'
            ',[%d,"p1",{"power_import":-5}]]' % (unix, unix + 1, unix + 2),
        )

    def test_time_beyond_31_and_32_bits(self):
        for time in (1073741823, 1073741824, 1140134400, 1200798847, 1200798848, 3348282496):
            body = body_of([(time, P1, (1, 2, None))])
            self.assertTrue(body.startswith("time=0&data=[[%d," % (time + 946684800)))

    def test_nothing_to_send(self):
        self.assertEqual(body_of([(NOON, P1, (None, None, "only text"))]), None)

    def test_a_reading_without_values_between_others(self):
        body = body_of([(NOON, P1, (None, None, "")), (NOON + 1, P1, (1, None, ""))])
        self.assertTrue(body.startswith("time=0&data=[[%d," % (NOON + 1 + 946684800)))

    def test_the_end_has_its_room(self):
        out = Writer(emoncms.Sink.tail)
        sink_for(Net())[0].finish(out)
        self.assertFalse(out.overrun or out.room())

    def test_wire_is_a_plain_form(self):
        net = Net()
        sink, queue = sink_for(net, node="K\u00fcche & Bad")
        queue.put((NOON, P1, (1, 2, None)))

        async def scenario():
            await sink._fill()
            await sink._deliver()

        asyncio.run(scenario())
        method, url, body, headers, timeout_ms = net.calls[0]
        self.assertEqual((method, timeout_ms), ("POST", 10000))
        self.assertEqual(url, "http://emon.example/emoncms/input/bulk")
        for char in '"[]{} +\u00fc':
            self.assertFalse(char in body)
        self.assertEqual(body.count("&"), 1)
        self.assertTrue('"K\u00fcche  Bad"' in unquoted(body))
        self.assertEqual(headers["Authorization"], "Bearer " + KEY)
        self.assertEqual(headers["Content-Type"], "application/x-www-form-urlencoded")
        self.assertFalse(KEY in url or KEY in body)

    def test_bytes_are_bounded(self):
        net = Net()
        sink, queue = sink_for(net, batch=256)
        for number in range(30):
            queue.put((NOON + number, P1, (45678123 + number, 1000, None)))

        async def scenario():
            while await sink._fill():
                await sink._deliver()

        asyncio.run(scenario())
        times = []
        for call in net.calls:
            self.assertTrue(len(call[2]) <= 256)
            text = unquoted(call[2])
            self.assertTrue(text.endswith("}]]"))
            for row in text[len("time=0&data=[") : -1].split("],"):
                times.append(int(row[1:].split(",")[0]))
        self.assertEqual(times, [NOON + 946684800 + number for number in range(30)])
        self.assertEqual(sink.cursor.sent, 30)


class TestNames(unittest.TestCase):
    def test_what_emoncms_keeps(self):
        for name, expected in (
            ("power_import", "power_import"),
            ("power(W)", "powerW"),
            ("em/on:tx", "emontx"),
            ("a\\u00fc\"b'", "au00fcb"),
            ("1.7.0-x y", "1.7.0-x y"),
            (" a ", "a"),
            ("\u00d6l m\u00b2 5\u20ac \u00b0C", "\u00d6l m\u00b2 5 C"),
            ("\u96fb\u529b", "\u96fb\u529b"),
            ("<>", ""),
        ):
            self.assertEqual(emoncms.cleaned(name), expected)

    def test_collisions_are_made_unique(self):
        channels = [(key, "", 0, "measurement", "") for key in ("p(1)", "p1", "p:1", "()")]
        body = body_of([(NOON, Source("m", tuple(channels)), (1, 2, 3, 4))])
        self.assertTrue('{"p1":1,"p1_2":2,"p1_3":3,"input":4}' in body)

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
        unix = NOON + civil.UNIX_2000
        self.assertTrue('[%d,"m",{"since":%d,"tariff":2,"on":0}]' % (unix, unix - 7) in body)

    def test_two_meters_at_one_node(self):
        heat = Source("heat", (POWER,))
        for readings in (
            [(NOON, P1, (None, 1, "")), (NOON, heat, (2,))],
            [(NOON, heat, (2,)), (NOON, P1, (None, 1, ""))],  # whoever reports first
        ):
            body = body_of(readings, node="house")
            self.assertTrue('"house",{"power_import":1}' in body)
            self.assertTrue('"house",{"heat_power_import":2}' in body)
        body = body_of([(NOON, heat, (2,))], node="house", sources=["heat"])
        self.assertTrue('"house",{"power_import":2}' in body)

    def test_a_node_of_its_own(self):
        heat = Source("heat", (POWER,))
        body = body_of([(NOON, P1, (None, 1, "")), (NOON, heat, (2,))])
        self.assertTrue('"p1",{"power_import":1}' in body)
        self.assertTrue('"heat",{"power_import":2}' in body)

    def test_plans_are_bounded_and_follow_the_source(self):
        net = Net()
        sink, queue = sink_for(net)
        for number in range(50):
            source = Source("p1", (("e", "kWh", number % 5, "total", ""),))
            queue.put((NOON + number, source, (12345,)))

        async def scenario():
            await sink._fill()
            await sink._deliver()

        asyncio.run(scenario())
        self.assertTrue(len(sink._plans) <= 8)
        body = unquoted(net.calls[0][2])
        for text in ("12345}", "1234.5}", "123.45}", "12.345}", "1.2345}"):
            self.assertEqual(body.count(text), 10)


class TestCheck(unittest.TestCase):
    def problems(self, url):
        return list(emoncms.problems({"url": url}, None))

    def test_an_address_that_is_no_base(self):
        for url in (
            "http://e.example/input/post",
            "http://e.example/emoncms/input/bulk.json",
            "http://e.example/emoncms/Input",
            "https://emoncms.org/feed/list.json",
            "https://emoncms.org/user/auth",
        ):
            self.assertEqual(len(self.problems(url)), 1)
        for url in ("http://e.example", "http://e.example/emoncms/", "http://input.example/my"):
            self.assertEqual(self.problems(url), [])

    def test_long_nodes(self):
        def told(node, sources, readers):
            found = list(emoncms.warnings({"node": node, "sources": sources}, readers))
            for text in found:
                self.assertTrue("16" in text and "emoncms.org" in text)
            return len(found)

        long = "basement heat pump"
        self.assertEqual(told("", None, ["p1", long, long + "/"]), 2)
        self.assertEqual(told("", ["p1"], ["p1", long]), 0)
        self.assertEqual(told(long, None, ["p1"]), 1)
        self.assertEqual(told("", None, ["a" * 16, "(" + "b" * 16 + ")"]), 0)

    def test_long_inputs(self):
        said = []

        class Log:
            def warning(self, form, *arguments):
                said.append(form % arguments)

        keys = [letter * length for letter, length in (("a", 64), ("b", 65), ("c", 60))]
        source = Source("heat", tuple([(key, "", 0, "measurement", "") for key in keys]))
        for node, names in (("", ["b" * 65]), ("home", ["heat_" + "a" * 64, "heat_" + "b" * 65])):
            sink, _ = sink_for(Net(), ["p1", "heat"], node=node)
            sink.log = Log
            sink.plan(source)
            if node:
                names.append("heat_" + "c" * 60)
            self.assertEqual(len(said), len(names))
            for text, name in zip(said, names):
                self.assertTrue('"%s"' % name in text and "64" in text)
            said.clear()


class TestAnswers(unittest.TestCase):
    def test_success_is_exact(self):
        self.assertTrue(outcome(200, {}, b"ok") is None)
        self.assertTrue(outcome(200, {}, b'{"success": true}') is None)

    def test_all_else_is_no_success(self):
        for body in (
            b"o",
            b"OK",
            b"ok ",
            b"<br />\n<b>Warning</b>: x<br />\nok",
            b"true",
            b"\xff",
        ):
            self.assertTrue(isinstance(outcome(200, {}, body), Retry))
        for status in (201, 202, 204):
            self.assertTrue(isinstance(outcome(status, {}, b"ok"), Denied))

    def test_keys(self):
        failure = outcome(401, {}, b"Invalid API key")
        self.assertTrue(isinstance(failure, Denied))
        self.assertTrue("key" in failure.args[0])
        failure = outcome(200, {}, b"")
        self.assertTrue(isinstance(failure, Denied))
        self.assertTrue("read-only" in failure.args[0])

    def test_success_false(self):
        words = "Format error, json string supplied is not valid"
        failure = outcome(200, {}, ('{"success": false, "message": "%s"}' % words).encode())
        self.assertTrue(isinstance(failure, Refused))
        self.assertEqual(failure.args[0], words)
        failure = outcome(200, {}, b'{"success":false}')
        self.assertTrue(isinstance(failure, Refused))

    def test_the_account_is_not_the_reading(self):
        for words in (
            "Error: Reached the maximal allowed number of different NodeIds, limit is 32. Node",
            "Error: Device not initialized.",
            "Error: Node 'x' does not belong to device.",
        ):
            failure = outcome(200, {}, ('{"success": false, "message": "%s"}' % words).encode())
            self.assertTrue(isinstance(failure, Denied))
            self.assertTrue(words in failure.args[0])

    def test_rate_limits(self):
        words = '{"success": false, "message": "Error: Too many connections, input queue is full"}'
        self.assertTrue(isinstance(outcome(200, {}, words.encode()), Retry))

    def test_php_errors(self):
        html = b"<br />\n<b>Fatal error</b>:  Uncaught RedisException: Connection refused in /x"
        self.assertTrue(isinstance(outcome(200, {}, html), Retry))
        self.assertTrue(isinstance(outcome_after(10000, 200, {}, html), Retry))
        html = b"<br />\n<b>Fatal error</b>:  Uncaught TypeError: count(): Argument #1 in /x"
        self.assertTrue(isinstance(outcome(200, {}, html), Retry))
        self.assertTrue(isinstance(outcome_after(100, 200, {}, html), Refused))

    def test_temporary(self):
        for status in (500, 502, 503, 504, 429, 408):
            self.assertTrue(isinstance(outcome(status, {}, b""), Retry))
        failure = outcome(NetError("no answer within 10 s"))
        self.assertTrue(isinstance(failure, Retry))
        self.assertEqual(failure.args[0], "no answer within 10 s")

    def test_wrong_address(self):
        for answer in (
            (404, {}, b"not here"),
            (406, {}, b"<html>"),
            (200, {}, b"false"),
            (400, {}, b"<html>"),
            (301, {"location": "https://emon.example/"}, b""),
        ):
            failure = outcome(*answer)
            self.assertTrue(isinstance(failure, Denied))
            self.assertTrue("`url`" in failure.args[0])

    def test_too_large(self):
        self.assertTrue(isinstance(outcome(413, {}, b""), Refused))

    def test_no_secret_in_any_text(self):
        for answer in (
            (500, {}, ("Authorization: Bearer %s" % KEY).encode()),
            (302, {"location": "http://x/?apikey=" + KEY}, b""),
            (200, {}, ('{"success": false, "message": "%s"}' % KEY).encode()),
            (200, {}, ("<b>" + KEY).encode()),
            NetError("cannot reach " + KEY),
        ):
            failure = outcome(answer)
            self.assertFalse(KEY in str(failure))
            self.assertTrue("***" in str(failure))

    def test_words_are_short_and_one_line(self):
        failure = outcome(500, {}, b"a\r\nb" * 1000)
        self.assertTrue(len(failure.args[0]) < 200)
        self.assertFalse("\n" in failure.args[0])


class TestRetryAfter(unittest.TestCase):
    def test_seconds(self):
        for text, expected in (
            (None, 0),
            ("", 0),
            ("0", 0),
            ("10", 10),
            (" 60 ", 60),
            ("600", 600),
            ("601", 600),
            ("99999999999999999999", 600),
            ("soon", 10),
            ("-5", 10),
            ("\u00b2\u0663", 10),
        ):
            self.assertEqual(server.wait_s(text, NOON), expected)

    def test_dates(self):
        self.assertEqual(server.http_date("Sat, 01 Jan 2000 00:00:00 GMT"), 0)
        self.assertEqual(server.http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777 - 946684800)
        self.assertEqual(server.http_date("Tue, 29 Feb 2028 23:59:59 GMT"), 888796799)
        for seconds in range(0, 2000000000, 86400 * 17 + 12345):
            year, month, day, hour, minute, second = civil.fields(seconds)
            name = "JanFebMarAprMayJunJulAugSepOctNovDec"[month * 3 - 3 : month * 3]
            text = "Mon, %02d %s %d %02d:%02d:%02d GMT" % (day, name, year, hour, minute, second)
            self.assertEqual(server.http_date(text), seconds)
        date = "Tue, 29 Feb 2028 23:59:59 GMT"
        self.assertEqual(server.wait_s(date, 888796799 - 30), 30)
        self.assertEqual(server.wait_s(date, 888796799 + 30), 0)
        self.assertEqual(server.wait_s(date, 0), 600)
        self.assertEqual(server.wait_s(date, None), 10)
        for text in ("Tue, 29 Xyz 2028 23:59:59 GMT", "Tue, 29 anF 2028 23:59:59 GMT", "x" * 8):
            self.assertTrue(server.http_date(text) is None)
        for year in ("\u00b2026", "9" * 5000):
            text = "Tue, 29 Feb %s 23:59:59 GMT" % year
            self.assertEqual(server.wait_s(text, NOON), 10)

    def test_a_date_is_compared_with_the_clock_of_the_app(self):
        sink, queue = sink_for(Net((503, {"retry-after": "Fri, 20 Nov 2026 10:00:45 GMT"}, b"")))
        queue.clock.set(848484000, "meter")
        with self.assertRaises(Retry) as raised:
            asyncio.run(sink.post(memoryview(b"")))
        self.assertEqual(raised.exception.args[1], 45)


class TestFlow(unittest.TestCase):
    def test_node_limit_repeats_the_stored_rows_once_only(self):
        limit = (
            200,
            {},
            b'{"success": false, "message": "Error: Reached the maximal allowed number of '
            b"different NodeIds, limit is 32. Node 'heat' was ignored.\"}",
        )
        heat = Source("heat", (POWER,))
        net = Net(limit, (200, {}, b"ok"), limit, limit)
        sink, queue = sink_for(net)
        queue.put((NOON, P1, (1, 1, "")))
        queue.put((NOON + 1, heat, (2,)))

        async def scenario():
            for _ in range(4):
                await sink._fill()
                await sink._deliver()

        clock.set_speed(100000)
        try:
            asyncio.run(scenario())
        finally:
            clock.set_speed(1)
        rows = [call[2].count("power_import") for call in net.calls]
        self.assertEqual(rows, [2, 1, 1, 1])
        self.assertTrue("heat" not in net.calls[1][2] and "p1" not in net.calls[2][2])
        self.assertEqual((sink.cursor.sent, sink.cursor.refused, sink.cursor.waiting), (1, 0, 1))
        self.assertTrue(sink.state.startswith("denied"))
