"""The emoncms sink with a server that keeps EmonCMS's contract, and breaks it in all known ways.

Time is compressed where the sink waits (SPEED); what the server does takes its own time.
"""

import asyncio
from itertools import pairwise
from types import SimpleNamespace

import exact
import pytest

from joulelog import clock
from joulelog.flow.reading import Source
from tests.integration.sink_rig import P1, UNIX, Logger
from tests.servers import emoncms

POWER = ("power", "W", 1, "measurement", "power")


@pytest.fixture
def speed():
    """Sets the clock's speed for one test."""
    yield clock.set_speed
    clock.set_speed(1)


@pytest.fixture
def server():
    """An EmonCMS."""
    with emoncms.EmonCms() as running:
        yield running


def logger_of(server, readers=(), **entry):
    return Logger(
        {"type": "emoncms", "url": server.url, "key": emoncms.WRITE_KEY, "timeout": 20, **entry},
        readers=readers,
    )


def run(coroutine):
    return asyncio.run(coroutine)


def energies(server):
    """What the server has, each time stamp once: a feed overwrites what comes twice."""
    return {when - UNIX: inputs.get("energy_import_t1") for _, when, inputs in server.rows}


def assert_in_order(server):
    """Nothing newer was ever sent before something older; repetitions start again further back."""
    seen = -1
    for _, when, _ in server.rows:
        assert when <= seen + 1 or seen == -1, "a gap was left behind"
        seen = max(seen, when)


def test_digit_for_digit(server):
    logger = logger_of(server)
    values = [45678123, 45678120, 0, 1, 999999999999, 123456789012345, 16777217, -5]
    for number, value in enumerate(values):
        logger.put(number, value, power=number, message="a text")
    run(logger.drain())
    assert server.rows == [
        ("p1", UNIX + n, {"energy_import_t1": exact.text(value, 3), "power_import": str(n)})
        for n, value in enumerate(values)
    ]
    assert (logger.cursor.sent, logger.sink.retried, logger.cursor.refused) == (
        len(values),
        0,
        0,
    )
    assert emoncms.WRITE_KEY not in server.requests[0].target
    assert emoncms.WRITE_KEY.encode() not in server.requests[0].body


def test_missing_values_are_left_out(server):
    logger = logger_of(server)
    logger.put(0, None, power=5)
    logger.put(1, 1)
    logger.put(2, None, message="only a text")
    run(logger.drain())
    assert server.rows == [
        ("p1", UNIX, {"power_import": "5"}),
        ("p1", UNIX + 1, {"energy_import_t1": "0.001"}),
    ]


def test_times_far_ahead(server):
    logger = logger_of(server)
    numbers = [0, 2147483648 - UNIX, 4294967296 - UNIX]
    for number in numbers:
        logger.put(number, 1)
    run(logger.drain())
    assert [when - UNIX for _, when, _ in server.rows] == numbers


def test_names_arrive_as_they_were_sent(server):
    """The sink's cleaning leaves nothing for the server to remove: else two names might meet."""
    keys = (
        "p(1)",
        "p1",
        "p:1",
        "\u00d6l m\u00b2",
        "a\\b",
        '"',
        "l\u00b0",
        "\u96fb\u529b",
        "a+b&c=d%20",
    )
    channels = tuple((key, "", 0, "measurement", "") for key in keys)
    logger = logger_of(server, node="K\u00fcche / 1")
    logger.put_values(0, Source("m", channels), tuple(range(len(keys))))
    run(logger.drain())
    node, _, inputs = server.rows[0]
    assert node == "K\u00fcche  1"
    assert sorted(map(int, inputs.values())) == list(range(len(keys)))
    assert list(inputs)[3] == "\u00d6l m\u00b2"


def test_two_meters_at_one_node_keep_apart(server):
    heat = Source("heat", (P1.channels[1],))
    readers = [SimpleNamespace(name="p1"), SimpleNamespace(name="heat")]
    logger = logger_of(server, readers, node="house", sources=None)
    logger.put_values(0, heat, (2,))
    logger.put(0, None, power=1)
    run(logger.drain())
    merged = {}
    for node, _, inputs in server.rows:
        assert node == "house"
        merged.update(inputs)
    assert merged == {"power_import": "1", "heat_power_import": "2"}


@pytest.mark.parametrize(
    "mode", ["php_fatal", "500", "502", "503", "429", "hang", "cut_before", "slow", "408"]
)
def test_passing_trouble_without_loss_or_repetition(server, speed, mode):
    """What the server did not store is sent again, and is then there exactly once."""
    speed(20)
    server.delay_s = 0.2
    server.script = [mode, "ok", mode, mode]
    logger = logger_of(server, batch=700)
    for number in range(60):
        logger.put(number, 45678123 + number)
    run(logger.drain())
    assert [when - UNIX for _, when, _ in server.rows] == list(range(60))
    assert energies(server) == {n: exact.text(45678123 + n, 3) for n in range(60)}
    assert (logger.cursor.sent, logger.cursor.dropped, logger.cursor.refused) == (
        60,
        0,
        0,
    )
    assert logger.sink.retried == (0 if mode == "slow" else 3)


@pytest.mark.parametrize("mode", ["cut_after", "silent", "truncated"])
def test_an_answer_that_is_lost_after_storing(server, speed, mode):
    """Then, and only then, a batch comes twice, with the same times and the same numbers."""
    speed(20)
    server.script = ["ok", mode]
    logger = logger_of(server, batch=700)
    for number in range(60):
        logger.put(number, 45678123 + number)
    run(logger.drain())
    assert energies(server) == {n: exact.text(45678123 + n, 3) for n in range(60)}
    assert_in_order(server)
    twice = [a for a, b in pairwise(sorted(server.rows, key=_time)) if a == b]
    assert 0 < len(twice) == len(server.rows) - 60
    assert (logger.cursor.sent, logger.sink.retried) == (60, 1)


def _time(row):
    return row[1]


def test_php_without_display_errors(server, speed):
    speed(20)
    server.display_errors = False
    server.script = ["php_fatal"]
    logger = logger_of(server)
    logger.put(0, 1)
    run(logger.drain())
    assert len(server.rows) == 1


@pytest.mark.parametrize(
    "mode, words", [("401", "wrong key"), ("empty", "read-only"), ("node_limit", "32")]
)
def test_what_somebody_has_to_mend_waits(server, speed, mode, words, caplog):
    speed(60)
    server.mode = mode
    logger = logger_of(server, timeout=100)
    for number in range(20):
        logger.put(number, number)

    async def scenario():
        await logger.until(lambda: logger.sink.retried >= 2)
        assert logger.sink.state.startswith("denied")
        assert words in logger.sink.state
        assert (logger.cursor.waiting, logger.cursor.refused) == (20, 0)
        server.mode = "ok"
        await logger.drain()

    run(scenario())
    assert [when - UNIX for _, when, _ in server.rows] == list(range(20))
    assert logger.sink.state == "ok"
    assert emoncms.WRITE_KEY not in caplog.text
    assert words in caplog.text


@pytest.mark.parametrize("key", ["read", "none", "wrong"])
def test_real_keys(server, speed, key):
    speed(60)
    keys = {"read": emoncms.READ_KEY, "none": "x", "wrong": "0" * 32}
    logger = logger_of(server, key=keys[key], timeout=100)
    logger.put(0, 1)
    run(logger.until(lambda: logger.sink.retried >= 1))
    assert logger.sink.state.startswith("denied")
    assert (server.rows, logger.cursor.waiting) == ([], 1)


def test_a_refused_reading_does_not_block_the_others(server):
    """A server that says success: false to one row: it is set aside, the rest arrives in order."""
    handle = server.handle

    def picky(request):
        if b"45678.136" in request.body:
            return emoncms.refusal("Format error, json string supplied is not valid")
        return handle(request)

    server.handle = picky
    logger = logger_of(server)
    for number in range(40):
        logger.put(number, 45678123 + number)
    run(logger.drain())
    assert [when - UNIX for _, when, _ in server.rows] == [n for n in range(40) if n != 13]
    assert (logger.cursor.sent, logger.cursor.refused, logger.cursor.dropped) == (
        39,
        1,
        0,
    )


def test_the_node_limit_repeats_little_and_not_for_ever(server, speed):
    speed(60)
    server.nodes_allowed = 1
    logger = logger_of(server, timeout=100)
    for number in range(10):
        logger.put(number, number)
    logger.put_values(10, Source("heat", (POWER,)), (123,))

    async def scenario():
        await logger.until(lambda: logger.sink.retried >= 3)
        server.nodes_allowed = 2
        await logger.drain()

    run(scenario())
    assert max(server.rows.count(row) for row in server.rows) <= 3
    assert len(server.rows) < 30
    assert server.rows[-1] == ("heat", UNIX + 10, {"power": "12.3"})
    assert energies(server) == {**{n: exact.text(n, 3) for n in range(10)}, 10: None}
    assert (logger.cursor.sent, logger.cursor.refused) == (11, 0)


def test_no_emoncms_there(server, speed):
    speed(60)
    logger = logger_of(server, url=server.url + "/somewhere/else", timeout=100)
    logger.put(0, 1)
    run(logger.until(lambda: logger.sink.retried >= 1))
    assert "`url`" in logger.sink.state
    assert logger.cursor.waiting == 1


def test_in_a_folder(server):
    logger = logger_of(server, url=server.url + "/emoncms/")
    logger.put(0, 1)
    run(logger.drain())
    assert len(server.rows) == 1


def test_a_thousand_readings_through_everything(server, speed):
    """1,000 readings, the server restarted twice and in every bad mood between: none missing,
    none altered, none out of order, repeated only where the answer was lost."""
    speed(20)
    moods = ["php_fatal", "500", "cut_before", "cut_after", "503", "truncated", "silent", "hang"]
    server.script = [mode for mood in moods for mode in ("ok", mood)]
    logger = logger_of(server, batch=2000)

    async def feed():
        for number in range(1000):
            logger.put(number, 45678123 + 7 * number, power=number)
            if number in (300, 600):
                await asyncio.to_thread(server.stop)
            if number in (400, 700):
                await asyncio.to_thread(server.start)
            await asyncio.sleep(0.002)

    async def scenario():
        feeding = asyncio.create_task(feed())
        await logger.until(lambda: feeding.done() and not logger.cursor.waiting)
        await feeding

    run(scenario())
    assert not server.script
    assert energies(server) == {n: exact.text(45678123 + 7 * n, 3) for n in range(1000)}
    for _, when, inputs in server.rows:
        assert inputs["power_import"] == str(when - UNIX)
    assert_in_order(server)
    lost = len([mood for mood in moods if mood in ("cut_after", "truncated", "silent")])
    largest = max(len(request.body) for request in server.requests)
    assert largest <= 2000
    assert len(server.rows) - 1000 <= lost * 30
    assert (logger.cursor.sent, logger.cursor.dropped, logger.cursor.refused) == (
        1000,
        0,
        0,
    )
