"""The influxdb sink with a real InfluxDB 1, and with a contract server for InfluxDB 2.

Time is compressed where a sink waits (SPEED); what the servers do takes its own time.
"""

import asyncio
import ssl
import subprocess
from decimal import Decimal

import exact
import pytest

from joulelog import clock
from joulelog.flow.reading import Source
from tests.integration.sink_rig import NOON, P1, UNIX, Logger
from tests.servers import influxdb_v2, real_influxdb


def logger_with(**entry):
    return Logger({"type": "influxdb", **entry})


@pytest.fixture
def speed():
    """Sets the clock's speed for one test."""
    yield clock.set_speed
    clock.set_speed(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A real InfluxDB, shared by the tests of this module."""
    with real_influxdb.RealInfluxdb(tmp_path_factory.mktemp("influxdb")) as running:
        yield running


def stored(server, database, measurement="energy"):
    return server.rows(database, 'SELECT * FROM "%s" ORDER BY time' % measurement)


def run(coroutine):
    return asyncio.run(coroutine)


def test_digit_for_digit(server):
    server.create("digits")
    logger = logger_with(url=server.url, database="digits")
    values = [45678123, 45678120, 0, 1, 999999999999, 123456789012345, 16777217, 2147483648, -5]
    for number, value in enumerate(values):
        logger.put(number, value, power=value)
    run(logger.drain())
    rows = stored(server, "digits")
    assert [int(row["time"]) - UNIX for row in rows] == list(range(len(values)))
    for row, value in zip(rows, values, strict=True):
        wire = exact.text(value, 3)
        assert Decimal(row["energy_import_t1"]) == Decimal(wire)
        # What the server prints is what was sent, but for zeros at the end.
        assert row["energy_import_t1"] == (wire.rstrip("0").rstrip(".") or "0")
        assert row["power_import"] == str(value)
    assert (logger.cursor.sent, logger.cursor.refused, logger.cursor.dropped) == (
        len(values),
        0,
        0,
    )
    kinds = server.rows("digits", "SHOW FIELD KEYS")
    assert {row["fieldKey"]: row["fieldType"] for row in kinds} == {
        "energy_import_t1": "float",
        "power_import": "float",
    }


def test_times_far_ahead(server):
    server.create("times")
    logger = logger_with(url=server.url, database="times")
    numbers = [0, 1073741824 - NOON, 1140134400 - NOON, 1200798848 - NOON, 3348282496 - NOON]
    for number in numbers:
        logger.put(number, 1)
    run(logger.drain())
    assert [int(row["time"]) - UNIX for row in stored(server, "times")] == numbers


def test_names_tags_and_texts_survive(server):
    server.create("na me.\u00fc&")
    texts = [
        'say "hi"',
        "back\\slash\\",
        "comma, blank = equals",
        "\u00fcml\u00e4ut",
        "two\nlines",
    ]
    tags = {"house no": "1, Main = St\\", "a,b": "c\\d"}
    logger = logger_with(
        url=server.url, database="na me.\u00fc&", measurement="my energy,x=y", tags=tags
    )
    channels = (("k e,y=", "", 1, "total", ""), ("time", "", 0, "total", ""), P1.channels[2])
    source = Source("the meter", channels)
    for number, text in enumerate(texts):
        logger.put_values(number, source, (15, 7, text))
    run(logger.drain())
    rows = stored(server, "na me.\u00fc&", "my energy,x=y")
    assert [row["message"] for row in rows] == texts
    for row in rows:
        assert row["k e,y="] == "1.5"
        assert row["time_"] == "7"
        assert row["source"] == "the meter"
        assert row["device"] == "test"
        assert row["house no"] == "1, Main = St"
        assert row["a,b"] == "c\\d"
        assert "version" not in row and "compiled" not in row


def test_a_batch_is_stored_once_however_often_it_is_sent(server):
    server.create("twice")
    for _ in range(2):
        logger = logger_with(url=server.url, database="twice")
        for number in range(50):
            logger.put(number, number)
        run(logger.drain())
    assert len(stored(server, "twice")) == 50


def test_a_bad_line_is_isolated(server):
    server.create("bad")
    logger = logger_with(url=server.url, database="bad")
    for number in range(40):
        # InfluxDB keeps nanoseconds in 64 bits: a time in the year 2300 is refused.
        logger.put(10_000_000_000 if number == 17 else number, number)
    run(logger.drain())
    rows = stored(server, "bad")
    assert [int(row["time"]) - UNIX for row in rows] == [n for n in range(40) if n != 17]
    assert (logger.cursor.sent, logger.cursor.refused, logger.cursor.dropped) == (
        39,
        1,
        0,
    )


def test_a_field_of_another_type_is_isolated(server):
    server.create("types")
    logger = logger_with(url=server.url, database="types")
    texts = Source("p1", (("energy_import_t1", "", 0, "text", ""),))
    for number in range(20):
        if number == 5:
            logger.put_values(number, texts, ("a text",))
        else:
            logger.put(number, number)
    run(logger.drain())
    rows = stored(server, "types")
    assert [int(row["time"]) - UNIX for row in rows] == [n for n in range(20) if n != 5]
    assert (logger.cursor.sent, logger.cursor.refused) == (19, 1)


def test_points_beyond_the_retention_policy_are_counted(server):
    server.create("short", "1h")
    logger = logger_with(url=server.url, database="short")
    now = server_time(server)
    for number in range(10):
        age = 86400 if number in (2, 3, 7) else 0
        logger.put(now - UNIX - age - number, number)
    run(logger.drain())
    assert len(stored(server, "short")) == 7
    assert (logger.cursor.sent, logger.cursor.refused) == (7, 3)


def server_time(server):
    import time

    return int(time.time())


def test_a_missing_database_waits_until_it_is_there(server, speed):
    speed(20)
    logger = logger_with(url=server.url, database="later", timeout=100)
    for number in range(10):
        logger.put(number, number)

    async def scenario():
        await logger.until(lambda: logger.sink.state.startswith("denied"))
        server.create("later")
        await logger.drain()

    run(scenario())
    assert 'CREATE DATABASE "later"' in " ".join(logger.states)
    assert len(stored(server, "later")) == 10
    assert (logger.cursor.sent, logger.cursor.dropped, logger.cursor.refused) == (
        10,
        0,
        0,
    )


def test_a_missing_retention_policy_waits_too(server, speed):
    speed(20)
    server.create("policies")
    logger = logger_with(url=server.url, database="policies", retention_policy="long", timeout=100)
    logger.put(0, 1)

    async def scenario():
        await logger.until(lambda: logger.sink.state.startswith("denied"))
        server.query('CREATE RETENTION POLICY "long" ON "policies" DURATION INF REPLICATION 1')
        await logger.drain()

    run(scenario())
    assert len(server.rows("policies", 'SELECT * FROM "policies"."long"."energy"')) == 1
    assert logger.cursor.refused == 0


def test_version_2_keys_at_a_version_1_server(server, speed):
    speed(20)
    logger = logger_with(url=server.url, bucket="energy", org="o", token="t" * 20, timeout=100)
    logger.put(0, 1)
    run(logger.until(lambda: logger.sink.state.startswith("denied")))
    assert "no InfluxDB 2" in logger.sink.state
    assert logger.cursor.waiting == 1


def test_larger_than_the_server_takes(tmp_path):
    with real_influxdb.RealInfluxdb(tmp_path, largest_body=2000) as small:
        small.create("energy")
        logger = logger_with(url=small.url, database="energy", batch=8000)
        for number in range(200):
            logger.put(number, number)
        run(logger.drain())
        assert len(stored(small, "energy")) == 200
        assert (logger.cursor.sent, logger.cursor.refused) == (200, 0)


def test_user_and_password(tmp_path, speed, caplog):
    speed(20)
    with real_influxdb.RealInfluxdb(tmp_path, auth=True) as guarded:
        guarded.create("energy")
        right = logger_with(
            url=guarded.url,
            database="energy",
            user=real_influxdb.ADMIN,
            password=real_influxdb.PASSWORD,
            timeout=100,
        )
        for number in range(10):
            right.put(number, number)
        run(right.drain())
        assert len(stored(guarded, "energy")) == 10
        for credentials, words in (
            ({"user": "admin", "password": "wrong-password"}, "wrong `user` or `password`"),
            ({}, "wrong `user` or `password`"),
        ):
            wrong = logger_with(url=guarded.url, database="energy", timeout=100, **credentials)
            wrong.put(99, 1)
            run(wrong.until(lambda sink=wrong.sink: sink.state.startswith("denied")))
            assert words in wrong.sink.state
            assert (wrong.sink.cursor.waiting, wrong.sink.cursor.refused) == (1, 0)
        guarded.query("CREATE USER \"reader\" WITH PASSWORD 'reader-password'")
        guarded.query('GRANT READ ON "energy" TO "reader"')
        reader = logger_with(
            url=guarded.url,
            database="energy",
            timeout=100,
            user="reader",
            password="reader-password",
        )
        reader.put(99, 1)
        run(reader.until(lambda: reader.sink.state.startswith("denied")))
        assert "may not write" in reader.sink.state
        assert len(stored(guarded, "energy")) == 10
    for secret in (real_influxdb.PASSWORD, "wrong-password", "reader-password"):
        assert secret not in caplog.text


@pytest.mark.parametrize("kill", [False, True])
def test_the_server_is_away_for_a_while(tmp_path, speed, kill):
    """Readings keep coming while the server is stopped twice; all are there, as they were sent."""
    speed(20)
    count = 600
    with real_influxdb.RealInfluxdb(tmp_path) as server:
        server.create("energy")
        logger = logger_with(url=server.url, database="energy", batch=1500, timeout=100)

        async def feed():
            for number in range(count):
                logger.put(number, 45678123 + 7 * number, power=number)
                if number in (150, 350):
                    await asyncio.to_thread(server.stop, kill)
                if number in (250, 450):
                    await asyncio.to_thread(server.start)
                await asyncio.sleep(0.002)

        async def scenario():
            feeding = asyncio.create_task(feed())
            await logger.until(lambda: feeding.done() and not logger.cursor.waiting)
            await feeding

        run(scenario())
        rows = stored(server, "energy")
    assert [int(row["time"]) - UNIX for row in rows] == list(range(count))
    for number, row in enumerate(rows):
        assert Decimal(row["energy_import_t1"]) == Decimal(45678123 + 7 * number) / 1000
        assert row["power_import"] == str(number)
    assert (logger.cursor.sent, logger.cursor.dropped, logger.cursor.refused) == (
        count,
        0,
        0,
    )
    assert logger.sink.retried > 0


# InfluxDB 2, by contract


@pytest.fixture
def second():
    """A contract server for InfluxDB 2."""
    with influxdb_v2.InfluxDb2() as running:
        yield running


def logger_of(server, **entry):
    return logger_with(
        **{
            "url": server.url,
            "org": influxdb_v2.ORG,
            "bucket": influxdb_v2.BUCKET,
            "token": influxdb_v2.TOKEN,
            "timeout": 20,
            **entry,
        }
    )


def times(server):
    return sorted(int(line.rsplit(" ", 1)[1]) - UNIX for line in server.lines)


def texts(server):
    return [fields["energy_import_t1"] for _, fields in sorted(server.points.items(), key=_time)]


def _time(item):
    return item[0][2]


def test_v2_digit_for_digit(second):
    logger = logger_of(second)
    values = [45678123, 45678120, 0, 123456789012345]
    for number, value in enumerate(values):
        logger.put(number, value)
    run(logger.drain())
    assert texts(second) == ["45678.123", "45678.120", "0.000", "123456789012.345"]
    assert second.requests[0].query["precision"] == "s"
    assert influxdb_v2.TOKEN not in second.requests[0].target


def test_v2_every_kind_of_trouble_in_a_row(second, speed):
    speed(20)
    modes = ["500", "hang", "429", "cut_before", "503", "cut_after", "401", "silent", "502", "404"]
    second.script = [mode for bad in modes for mode in (bad, "ok")]
    logger = logger_of(second, batch=600)
    for number in range(100):
        logger.put(number, 45678123 + number)
    run(logger.drain())
    assert texts(second) == [exact.text(45678123 + number, 3) for number in range(100)]
    assert (logger.cursor.sent, logger.cursor.dropped, logger.cursor.refused) == (
        100,
        0,
        0,
    )
    assert logger.sink.retried == len(modes)


def test_v2_retry_after_is_honoured(second, speed):
    speed(100)
    second.script = ["429"]
    second.retry_after = "120"
    logger = logger_of(second, timeout=100)
    logger.put(0, 1)
    before = clock.uptime_ms()
    run(logger.drain())
    assert clock.uptime_ms() - before >= 120000
    assert len(second.points) == 1


@pytest.mark.parametrize("partial", [0, 422, 400])
def test_v2_a_bad_line_is_isolated(second, partial):
    second.partial = partial
    logger = logger_of(second)
    second_parse = influxdb_v2.parse

    def parse(line):
        if " energy_import_t1=0.013 " in line:
            raise influxdb_v2.BadLine("invalid number")
        return second_parse(line)

    influxdb_v2.parse = parse
    try:
        for number in range(30):
            logger.put(number, number)
        run(logger.drain())
    finally:
        influxdb_v2.parse = second_parse
    assert sorted(set(times(second))) == [number for number in range(30) if number != 13]
    assert (logger.cursor.sent, logger.cursor.refused) == (29, 1)


def test_v2_too_large(second):
    second.largest_body = 700
    logger = logger_of(second)
    for number in range(60):
        logger.put(number, number)
    run(logger.drain())
    assert times(second) == list(range(60))
    assert (logger.cursor.sent, logger.cursor.refused) == (60, 0)


def test_v2_a_missing_bucket_waits(second, speed):
    speed(20)
    second.buckets = []
    logger = logger_of(second)
    logger.put(0, 1)

    async def scenario():
        await logger.until(lambda: logger.sink.state.startswith("denied"))
        second.buckets = [influxdb_v2.BUCKET]
        await logger.drain()

    run(scenario())
    assert "create the bucket" in " ".join(logger.states)
    assert len(second.points) == 1


def test_v2_over_tls_and_never_to_a_stranger(tmp_path, speed):
    """The token goes to a server whose certificate the CA signed, and to no other."""
    speed(10)
    certificates = {}
    for name in ("good", "wrong"):
        key, certificate = tmp_path / (name + ".key"), tmp_path / (name + ".pem")
        made = subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-keyout", str(key), "-out", str(certificate), "-subj", "/CN=127.0.0.1"),
                *("-addext", "subjectAltName=IP:127.0.0.1"),
            ],
            capture_output=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        certificates[name] = (certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates["good"])
    with influxdb_v2.InfluxDb2(tls_context=context) as server:
        logger = logger_of(server, ca=str(certificates["wrong"][0]), timeout=100)
        logger.put(0, 1)
        run(logger.until(lambda: logger.sink.retried >= 2))
        assert (server.requests, server.points) == ([], {})
        assert "certificate" in logger.sink.state
        logger = logger_of(server, ca=str(certificates["good"][0]), timeout=100)
        logger.put(0, 45678123)
        run(logger.drain())
        assert texts(server) == ["45678.123"]
