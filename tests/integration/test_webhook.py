"""The webhook sink with tools/logserver's log.php, and with anybody's endpoint, in their moods.

Time is compressed where the sink waits (SPEED); what the server does takes its own time.
"""

import asyncio
import json
import logging
import subprocess
import sys
import urllib.request
from urllib.parse import parse_qs, urlencode

import posixtz
import pytest

from joulelog import clock
from joulelog.flow.reading import Source
from tests.integration.sink_rig import NOON, UNIX, Logger
from tests.servers.log_php import KEY, Hook, LogPhp
from tests.waiting import HANG_S
from tools import ROOT
from tools.logserver import day_of

HEAT = Source("heat", (("temperature", "°C", 1, "measurement", "temperature"),))
VALUES = ["p1.power_import", "heat.temperature", "p1.energy_import_t1"]


@pytest.fixture
def speed():
    """Sets the clock's speed for one test."""
    yield clock.set_speed
    clock.set_speed(1)


@pytest.fixture
def server(tmp_path):
    """A log.php."""
    with LogPhp(tmp_path / "log") as running:
        yield running


def logger_of(server, **entry):
    given = {"type": "webhook", "url": server.address, "key": KEY, "values": VALUES, **entry}
    logger = made(given)
    logger.sink.clock.zone = posixtz.Zone("CET-1CEST,M3.5.0,M10.5.0/3")
    return logger


def hook_of(server, body, **entry):
    given = {"type": "webhook", "format": "json", "url": server.url + "/a", "body": body, **entry}
    return made(given)


def made(given):
    logger = Logger(given, meters=("p1", "heat"))
    logger.aside = []
    logger.queue.aside = lambda cursor, item, why: logger.aside.append(why)
    return logger


def forms(server):
    """What came, in order."""
    return [
        {key: value[0] for key, value in parse_qs(request.body.decode(), True).items()}
        for request in server.requests
    ]


def line(number, power, temperature=""):
    minute, second = divmod(number, 60)
    return f"19.11.2026,13:{minute:02}:{second:02},{power},{temperature},45678.123"


def assert_secret(server, logger, caplog):
    """The key is in bodies, and nowhere else."""
    assert not [request for request in server.requests if "Geheim" in request.target]
    assert not [r for r in server.requests if "Geheim" in str(r.headers)]
    assert "Geheim" not in caplog.text + repr(logger.states) + repr(logger.aside)


def test_an_outage_of_an_hour_arrives_once_in_order(server, speed, caplog):
    caplog.set_level(logging.DEBUG)
    logger = logger_of(server)
    logger.sink.clock.set(NOON, "ntp")
    for number in (0, 10):
        logger.put_values(number, HEAT, (200 + number,))
        logger.put(number, 45678123, power=number)
        asyncio.run(logger.drain())
    server.stop()
    speed(20)

    async def outage():
        failing = asyncio.create_task(logger.until(lambda: logger.sink.retried > 2))
        for number in range(20, 3620, 10):
            if number == 1800:
                logger.put_values(number, HEAT, (205,))
            logger.put(number, 45678123, power=number)
        await failing

    asyncio.run(outage())
    speed(1)
    server.start()
    logger.sink.clock.set(NOON + 3611, "ntp")
    asyncio.run(logger.drain())
    found = server.store.lines()
    temperature = {0: "20.0", 10: "21.0"}
    wanted = []
    for number in range(0, 3620, 10):
        temperature[number] = "20.5" if number >= 1800 else temperature.get(number, "21.0")
        hour, rest = divmod(number, 3600)
        clock_text = f"{13 + hour}:{rest // 60:02}:{rest % 60:02}"
        wanted.append(f"19.11.2026,{clock_text},{number},{temperature[number]},45678.123")
    assert found == wanted
    assert [form.get("buffer") for form in forms(server)] == [None, None] + ["1"] * 359 + [None]
    assert (server.store.folder / "stats.txt").read_text() == wanted[-1]
    assert (logger.cursor.sent, logger.cursor.dropped, logger.cursor.refused) == (362, 0, 0)
    assert server.store.rejected == {} and not server.store.duplicates
    assert logger.states[-1] == "ok"
    assert_secret(server, logger, caplog)


def test_a_wrong_key_is_not_told(server, caplog):
    logger = logger_of(server, key=KEY + "!")
    logger.put(0, 45678123, power=1)
    asyncio.run(logger.drain())
    assert server.store.lines() == []
    assert server.store.rejected == {"wrong key": 1}
    assert logger.cursor.sent == 1  # that is what "confirmed" is worth there
    assert_secret(server, logger, caplog)


@pytest.mark.parametrize("mode", ["php", "echo", "404"])
def test_what_is_no_log_php_waits_and_says_so(server, speed, caplog, mode):
    caplog.set_level(logging.DEBUG)
    speed(60)
    server.script = [mode, mode]
    logger = logger_of(server)
    for number in range(3):
        logger.put(number, 45678123, power=number)
    asyncio.run(logger.drain())
    assert server.store.lines() == [line(number, number) for number in range(3)]
    denied = [state for state in logger.states if state.startswith("denied")]
    assert len(denied) == 1 and "`url`" in denied[0], logger.states
    assert len(server.requests) == 5
    assert_secret(server, logger, caplog)


@pytest.mark.parametrize("mode", ["500", "503", "429", "hang", "cut_before", "408"])
def test_passing_trouble_without_loss_or_repetition(server, speed, mode):
    speed(20)
    server.script = [mode, "ok", mode, mode]
    logger = logger_of(server, timeout=20)
    for number in range(5):
        logger.put(number, 45678123, power=number)
    asyncio.run(logger.drain())
    assert server.store.lines() == [line(number, number) for number in range(5)]
    assert (logger.cursor.sent, logger.sink.retried) == (5, 3)


def test_an_answer_that_is_lost(server, speed):
    """What is of now comes once; of a backlog log.php cannot tell that it has it."""
    speed(20)
    server.script = ["ok", "silent", "ok", "silent", "ok"]
    logger = logger_of(server, timeout=20)
    for number in range(3):
        logger.put(number, 45678123, power=number)
    asyncio.run(logger.drain())
    texts = [line(number, number) for number in range(3)]
    assert server.store.lines() == [texts[0], texts[1], texts[1], texts[2]]
    assert server.store.duplicates == 1
    assert logger.cursor.sent == 3


def test_what_does_not_fit_is_set_aside(server):
    logger = logger_of(server, values=["p1.energy_import_t1"])
    for number, energy in enumerate((999999999, 1000000000, 5)):
        logger.put(number, energy)
    asyncio.run(logger.drain())
    assert [text.split(",")[2] for text in server.store.lines()] == ["999999.999", "0.005"]
    assert (logger.cursor.sent, logger.cursor.refused) == (2, 1)
    assert server.store.rejected == {}


def test_both_nights(server):
    logger = logger_of(server, values=["p1.power_import"])
    night = 1774746000 - UNIX  # 2026-03-29T01:00:00Z
    for number in (-2, -1, 0, 1):
        logger.put(night + number, None, power=number)
    night = 1792890000 - UNIX  # 2026-10-25T01:00:00Z
    for number in (-3600, -1, 0, 3600):
        logger.put(night + number, None, power=number)
    asyncio.run(logger.drain())
    assert server.store.lines() == [
        "29.03.2026,01:59:58,-2",
        "29.03.2026,01:59:59,-1",
        "29.03.2026,03:00:00,0",
        "29.03.2026,03:00:01,1",
        "25.10.2026,02:00:00,-3600",
        "25.10.2026,02:59:59,-1",
        "25.10.2026,02:00:00,0",
        "25.10.2026,03:00:00,3600",
    ]


def test_json_confirmed_by_any_2xx(speed, caplog):
    speed(60)
    with Hook() as server:
        server.script = ["ok", "503", "401", "ok", "400", "ok"]
        logger = hook_of(server, '{"t": {time}, "w": {p1.power_import}}', key=KEY)
        for number in range(4):
            logger.put(number, None, power=number)
        asyncio.run(logger.drain())
        found = [json.loads(body) for body in server.bodies]
        assert found == [{"t": UNIX + number, "w": number} for number in (0, 1, 3)]
        assert (logger.cursor.sent, logger.cursor.refused, logger.cursor.dropped) == (3, 1, 0)
        assert "Geheim" not in caplog.text + repr(logger.states)
        assert not [r for r in server.requests if "Geheim" in r.target + r.body.decode()]


def test_without_a_time_only_the_newest_after_an_outage(speed):
    speed(20)
    with Hook() as server:
        logger = hook_of(server, '{"w": {p1.power_import}}')
        logger.put(0, None, power=0)
        asyncio.run(logger.drain())
        server.mode = "503"

        async def outage():
            failing = asyncio.create_task(logger.until(lambda: logger.sink.retried > 1))
            for number in range(1, 50):
                logger.put(number, None, power=number)
            await failing

        asyncio.run(outage())
        server.mode = "ok"
        asyncio.run(logger.drain())
        assert server.bodies == ['{"w": 0}', '{"w": 49}']
        assert (logger.cursor.sent, logger.cursor.superseded) == (2, 48)
        assert (logger.cursor.dropped, logger.cursor.refused) == (0, 0)


def test_the_program(tmp_path):
    """tools/logserver as somebody starts it, asked by a client that is none of ours."""
    command = [sys.executable, "-m", "tools.logserver", str(tmp_path), "--key", KEY, "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout
        url = process.stdout.readline().split()[0]

        def ask(form, query=""):
            data = urlencode(form).encode() if form else None
            with urllib.request.urlopen(url + query, data, timeout=HANG_S) as answer:
                return answer.status, answer.read()

        stats = "20.11.2026,11:00:00,1193,,-0.5"
        for form, query in (
            ({"key": KEY, "stats": stats}, ""),
            ({"key": KEY, "stats": stats}, ""),
            ({"key": "x", "stats": stats}, ""),
            ({"key": KEY, "stats": "nonsense"}, ""),
            ({"key": KEY, "stats": "19.11.2026,10:00:00,1", "buffer": "1"}, ""),
            ({}, "?" + urlencode({"key": KEY, "stats": "20.11.2026,11:00:01,1"})),
            ({}, "?stats=test"),
        ):
            assert ask(form, query) == (200, b"")
        assert (tmp_path / "2026-11-20.csv").read_text() == f"{stats}\n20.11.2026,11:00:01,1\n"
        assert (tmp_path / "2026-11-19.csv").read_text() == "19.11.2026,10:00:00,1\n"
        assert (tmp_path / "stats.txt").read_text() == "20.11.2026,11:00:01,1"
    finally:
        process.terminate()
        process.wait(HANG_S)


@pytest.mark.parametrize(
    ("stats", "day"),
    [
        ("20.11.2026,11:00:00,1", "2026-11-20"),
        ("20.11.2026,11:00:00,", "2026-11-20"),
        ("20.11.2026,11:00:00,-99999.999" + "," * 13, "2026-11-20"),
        ("20.11.2026,11:00:00" + ",1" * 15, None),
        ("20.11.2026,11:00:00", None),
        ("20.11.2026,11:00:00,1234567", None),
        ("20.11.2026,11:00:00,-123456", None),
        ("20.11.2026,11:00:00,1.2345", None),
        ("20.11.2026,11:00:00,1.", None),
        ("20.11.2026,11:00:00,1e-05", None),
        ("20.11.2026,11:00:00,+1", None),
        ("20.11.2026,11:00:00,1\n", None),
        ("20.11.2026,11:00:00,\u0661", None),
        ("2026-11-20,11:00:00,1", None),
        ("../.11.2026,11:00:00,1", None),
        ("", None),
    ],
)
def test_lines_that_log_php_takes(stats, day):
    assert day_of(stats) == day
