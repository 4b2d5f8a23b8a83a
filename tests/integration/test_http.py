"""net/http against servers on a bad day, on CPython and on the MicroPython VM (real time)."""

import asyncio

import aiohttp
import pytest

from tests.integration import net_runtimes
from tests.servers.hostile_http import HostileServer
from tools.sim import lan

SECRET = "s3cr3t-token"
HEADERS = {"Authorization": "Bearer " + SECRET, "Content-Type": "application/x-test"}

# path -> (status, body) or a piece of the error's text
EXPECTED = {
    "/ok": (200, "ok"),
    "/echo": (200, "a=b"),
    "/no-length": (200, "until the end"),
    "/bare-lf": (200, "ok"),
    "/ok-open": (200, "ok"),
    "/204": (204, ""),
    "/401": (401, "key?"),
    "/429": (429, ""),
    "/long-line": (400, "no"),
    "/refuse-body": (413, ""),
    "/redirect": (302, ""),
    "/permanent": (308, ""),
    "/chunked": (200, "wikipedia"),
    "/chunked-huge": (200, "x" * 100),
    "/huge-body": (500, "x" * 100),
    "/endless-body": (200, "x" * 100),
    "/endless-chunks": (200, "x" * 100),
    "/compressed": "compressed",
    "/bad-status": "does not speak HTTP",
    "/bad-code": "does not speak HTTP",
    "/bad-length": "does not speak HTTP",
    "/negative-length": "does not speak HTTP",
    "/chunked-bad": "does not speak HTTP",
    "/endless-line": "",
    "/endless-head": "",
    "/chunked-cut": "cut in mid-answer",
    "/cut-at-once": "cut in mid-answer",
    "/cut-status": "cut in mid-answer",
    "/cut-head": "cut in mid-answer",
    "/cut-after-line": "cut in mid-answer",
    "/cut-body": "cut in mid-answer",
}
TRUNCATED = ("/chunked-huge", "/huge-body", "/endless-body", "/endless-chunks")


@pytest.fixture(params=net_runtimes.RUNTIMES)
def runtime(request) -> str:
    return request.param


@pytest.fixture
def server():
    with HostileServer() as running:
        yield running


def step(url: str, **more) -> dict:
    return {"do": "http", "url": url, "body": "a=b", "headers": HEADERS, "limit": 100, **more}


def test_answers(runtime, server, tmp_path):
    steps = [step(server.url(path)) for path in EXPECTED]
    report = net_runtimes.run(runtime, {"steps": steps}, tmp_path)
    for (path, expected), result in zip(EXPECTED.items(), report["results"], strict=True):
        if isinstance(expected, tuple):
            assert (result.get("status"), result.get("body")) == expected, (path, result)
            assert ("truncated" in result["headers"]) == (path in TRUNCATED), path
        else:
            assert result["kind"] == "NetError" and expected in result["error"], (path, result)
            assert SECRET not in result["error"]
    results = dict(zip(EXPECTED, report["results"], strict=True))
    assert results["/429"]["headers"]["retry-after"] == "7"
    assert results["/redirect"]["headers"]["location"] == "/ok"
    assert [path for _, path, _, _ in server.requests] == list(EXPECTED), "one request each"
    assert report["fds"][0] == report["fds"][1]


def test_what_is_sent(runtime, server, tmp_path):
    steps = [
        step(server.url("/ok?x=1&y=%20")),
        step(server.url("/ok", "localhost"), method="GET", body=None),
        step(server.url("/ok"), body=""),
    ]
    net_runtimes.run(runtime, {"steps": steps}, tmp_path)
    method, path, headers, body = server.requests[0]
    assert (method, path, body) == ("POST", "/ok?x=1&y=%20", b"a=b")
    assert headers["Content-Type"] == "application/x-test"
    assert headers["Authorization"] == "Bearer " + SECRET
    assert headers["Content-Length"] == "3"
    assert headers["Connection"] == "close"
    assert headers["Host"] == "127.0.0.1:%d" % server.port
    method, path, headers, body = server.requests[1]
    assert (method, path, body) == ("GET", "/ok", b"")
    assert headers["Host"] == "localhost:%d" % server.port
    assert "Content-Length" not in headers
    assert server.requests[2][2]["Content-Length"] == "0"


def test_a_body_of_some_size_arrives_whole(runtime, server, tmp_path):
    body = "".join("line %d\n" % number for number in range(450))
    job = {"steps": [step(server.url("/echo"), body=body, limit=5000)]}
    result = net_runtimes.run(runtime, job, tmp_path)["results"][0]
    assert result["body"] == body


def test_every_wait_ends(runtime, server, tmp_path):
    paths = ("/hang", "/hang-head", "/hang-body", "/slow")
    job = {
        "together": True,
        "steps": [step(server.url(path), timeout_ms=1000) for path in paths],
    }
    report = net_runtimes.run(runtime, job, tmp_path)
    for result in report["results"]:
        assert "no answer within 1 s" in result["error"]
        assert 950 <= result["ms"] < 2000
    assert report["longest_step_ms"] < 500  # on a busy machine; a blocking call would take 1000
    assert report["fds"][0] == report["fds"][1]


def test_what_cannot_be_sent_is_refused(runtime, server, tmp_path):
    bad = {
        "ftp://127.0.0.1/": "http:// or https://",
        "127.0.0.1:80/": "http:// or https://",
        "http://user:%s@127.0.0.1/" % SECRET: "keys of their own",
        "http:///path": "names no host",
        "http://127.0.0.1:99999/": "65535",
        "http://[::1]/": "IPv6",
        "http://127.0.0.1/a b": "%XX",
        "http://127.0.0.1/\r\nX: y": "%XX",
    }
    steps = [step(url) for url in bad]
    steps.append(step(server.url("/ok"), headers={"Authorization": SECRET + "\r\nX: y"}))
    results = net_runtimes.run(runtime, {"steps": steps}, tmp_path)["results"]
    for expected, result in zip([*bad.values(), "Authorization"], results, strict=True):
        assert result["kind"] == "NetError" and expected in result["error"], result
        assert SECRET not in result["error"]
    assert server.connections == 0


def test_nothing_listens(runtime, tmp_path):
    with HostileServer() as gone:
        url = gone.url("/ok")
    result = net_runtimes.run(runtime, {"steps": [step(url)]}, tmp_path)["results"][0]
    assert "connection refused" in result["error"]


def test_a_thousand_failures_leave_nothing_behind(runtime, server, tmp_path):
    with HostileServer() as gone:
        refused = gone.url("/ok")
    paths = ("/cut-at-once", "/cut-status", "/cut-head", "/cut-body", "/bad-status", "/redirect")
    steps = [step(server.url(path)) for path in (*paths, "/endless-head", "/huge-body")]
    steps += [step(refused), step(server.url("/hang-head"), timeout_ms=20)]
    job = {"warm": 10, "repeat": 100, "steps": steps}
    report = net_runtimes.run(runtime, job, tmp_path)
    assert report["fds"][0] == report["fds"][1], "file descriptors leak"
    before, after = report["heap"]
    assert after <= before * 1.01, "the heap grew from %d to %d bytes" % (before, after)


def test_it_fits_into_an_esp8266(server, tmp_path):
    steps = [step(server.url("/echo")), step(server.url("/huge-body"), limit=2048)]
    report = net_runtimes.run("vm", {"steps": steps}, tmp_path, "esp8266")
    assert [result.get("status") for result in report["results"]] == [200, 500], report


def whole(method: str, target: str, body: bytes) -> tuple[int, str, bytes]:
    return 200, "application/json", b'{"power": 12.50}'


@pytest.fixture
def devices():
    """Devices with each kind of login, which a client of others accepts."""
    kinds = ("basic", "digest", "digest-md5")
    made = [lan.Device(whole, lan.Login(kind, "admin", "s3cr3t")) for kind in kinds]
    yield made
    for device in made:
        device.close()


def asked(device: lan.Device, password: str = "s3cr3t", path: str = "/status?x=1") -> dict:
    return step(device.url + path, method="GET", body=None, headers={}, login=["admin", password])


def test_the_simulated_logins_take_what_aiohttp_sends(devices):
    """Of three, aiohttp knows Digest; RFC 7617's header is a constant."""

    async def ask(device: lan.Device, password: str) -> int:
        login = aiohttp.DigestAuthMiddleware("admin", password)
        async with aiohttp.ClientSession(middlewares=[login]) as session:
            async with session.get(device.url + "/status?x=1") as response:
                return response.status

    for device in devices[1:]:
        assert asyncio.run(ask(device, "s3cr3t")) == 200
        assert asyncio.run(ask(device, "other")) == 401
    assert devices[0].lets_in("GET", "/", "Basic YWRtaW46czNjcjN0")
    assert not devices[0].lets_in("GET", "/", "Basic YWRtaW46czNjcjN1")


def test_logins(runtime, devices, tmp_path):
    """One request more for the question, and a nonce that is used on."""
    steps = [asked(device) for device in devices for _ in range(5)]
    report = net_runtimes.run(runtime, {"steps": steps}, tmp_path)
    assert [result["status"] for result in report["results"]] == [200] * 15
    # Here one login served all three: each of them asked for it once.
    assert [device.refused for device in devices] == [1, 1, 1]
    assert [len(device.requests) for device in devices] == [5, 5, 5]


def test_a_nonce_that_does_not_hold(runtime, devices, tmp_path):
    digest = devices[1]

    def answer(method: str, target: str, body: bytes) -> tuple[int, str, bytes]:
        digest.new_nonce()  # each is good for one request
        return whole(method, target, body)

    digest.answer = answer
    report = net_runtimes.run(runtime, {"steps": [asked(digest)] * 5}, tmp_path)
    assert [result["status"] for result in report["results"]] == [200] * 5
    assert digest.refused == 5


def test_wrong_password(runtime, devices, tmp_path):
    """Two requests at first, one each time after; nothing of the login gets into a text."""
    steps = [asked(device, "wr0ng-one") for device in devices for _ in range(3)]
    report = net_runtimes.run(runtime, {"steps": steps}, tmp_path)
    assert [result["status"] for result in report["results"]] == [401] * 9
    assert [device.refused for device in devices] == [4, 3, 3]
    assert "wr0ng" not in str(report["results"])
    devices[1].mode = "401"
    report = net_runtimes.run(runtime, {"steps": [asked(devices[1])] * 3}, tmp_path)
    assert [result["status"] for result in report["results"]] == [401] * 3


def test_a_body_in_pieces(runtime, server, tmp_path):
    body = "".join("line %d\n" % number for number in range(450))
    steps = [
        step(server.url("/echo"), body=body, limit=5000, pieces=True),
        step(server.url("/chunked"), pieces=True),
        step(server.url("/huge-body"), pieces=True),  # a 500: its words are no meter's
        step(server.url("/endless-body"), limit=1000, pieces=True),
        step(server.url("/cut-body"), pieces=True),
    ]
    echo, chunked, huge, endless, cut = net_runtimes.run(runtime, {"steps": steps}, tmp_path)[
        "results"
    ]
    assert echo["body"] == body and len(echo["pieces"]) > 1 and "truncated" not in echo["headers"]
    assert chunked["body"] == "wikipedia" and chunked["pieces"]
    assert huge["body"] == "x" * 100 and not huge["pieces"]
    assert endless["body"][:1000] == "x" * 1000 and "truncated" in endless["headers"]
    assert sum(endless["pieces"]) <= 1001
    assert "cut in mid-answer" in cut["error"]
