"""net/dns and net/ntp against good and bad servers, on CPython and on the VM (real time)."""

import calendar

import pytest

from tests import tiers
from tests.integration import net_runtimes
from tests.servers.hostile_http import HostileServer
from tests.servers.udp import UdpServer, name_server, silent, time_server

NAMES = {"broker.example": "192.0.2.7", "alias.example": "www.example", "www.example": "192.0.2.8"}
UNIX_2000 = 946684800


@pytest.fixture(params=net_runtimes.RUNTIMES)
def runtime(request) -> str:
    tiers.require("dns", "host", "pip install dnspython")
    return request.param


def lookup(host: str, timeout_ms: int = 3000) -> dict:
    return {"do": "dns", "host": host, "timeout_ms": timeout_ms}


def run(runtime: str, folder, servers: list, steps: list[dict], **job) -> dict:
    known = [["127.0.0.1", server.port] for server in servers]
    return net_runtimes.run(runtime, {"dns": known, "steps": steps, **job}, folder)


def test_names(runtime, tmp_path):
    hosts = ("broker.example", "BROKER.example", "alias.example", "localhost", "192.0.2.9")
    with UdpServer(name_server(NAMES, noise=True)) as server:
        steps = [lookup(host) for host in hosts]
        results = run(runtime, tmp_path, [server], steps)["results"]
    found = [result.get("address", result) for result in results]
    assert found == ["192.0.2.7", "192.0.2.7", "192.0.2.8", "127.0.0.1", "192.0.2.9"]
    assert len(server.received) == 2, "the second look-up came out of the cache"


def test_no_such_name_is_said_at_once(runtime, tmp_path):
    with UdpServer(name_server(NAMES)) as server:
        result = run(runtime, tmp_path, [server], [lookup("nobody.example")])["results"][0]
    assert result["error"] == 'name "nobody.example": no such name'
    assert result["ms"] < 500 and len(server.received) == 1


def test_the_second_server_helps(runtime, tmp_path):
    with (
        UdpServer(silent) as mute,
        UdpServer(name_server(NAMES, rcode=2)) as failing,
        UdpServer(name_server(NAMES)) as good,
    ):
        job = run(runtime, tmp_path, [failing, mute, good], [lookup("broker.example")])
    assert job["results"][0].get("address") == "192.0.2.7", job
    assert job["longest_step_ms"] < 500


def test_dead_name_servers_stop_nobody_else(runtime, tmp_path):
    with UdpServer(silent) as mute, HostileServer() as web:
        with UdpServer(silent) as gone:
            pass
        steps = [
            lookup("broker.example", 2000),
            {"do": "http", "url": "http://broker.example/", "timeout_ms": 1000},
            {"do": "http", "url": web.url("/ok")},
        ]
        job = run(runtime, tmp_path, [mute, gone], steps, together=True)
    waiting, request, other = job["results"]
    assert "broker.example" in waiting["error"] and "127.0.0.1" in waiting["error"]
    assert 1900 <= waiting["ms"] < 3000
    assert "broker.example" in request["error"] and request["ms"] < 1500
    assert other["status"] == 200 and other["ms"] < 500
    assert job["longest_step_ms"] < 500
    assert job["fds"][0] == job["fds"][1]


def test_no_server_is_known(runtime, tmp_path):
    result = run(runtime, tmp_path, [], [lookup("broker.example")])["results"][0]
    assert "no DNS server" in result["error"]


def test_time(runtime, tmp_path):
    for date in ((2026, 11, 20), (2034, 1, 9), (2036, 2, 7), (2036, 2, 8), (2038, 1, 20)):
        unix = calendar.timegm((*date, 7, 0, 0))
        with UdpServer(time_server(unix)) as server:
            step = {"do": "ntp", "host": "127.0.0.1", "port": server.port, "timeout_ms": 1000}
            result = run(runtime, tmp_path, [], [step])["results"][0]
        assert result.get("time") == unix - UNIX_2000, result


def test_a_lost_datagram_is_asked_again(runtime, tmp_path):
    unix = calendar.timegm((2026, 11, 20, 0, 0, 0))
    with UdpServer(time_server(unix, skip=1)) as server:
        step = {"do": "ntp", "host": "127.0.0.1", "port": server.port, "timeout_ms": 1000}
        result = run(runtime, tmp_path, [], [step])["results"][0]
    assert result.get("time") == unix - UNIX_2000, result


@pytest.mark.parametrize(
    ("behaviour", "word"),
    [
        (silent, "no answer within 1 s"),
        (time_server(UNIX_2000), "2000-01-01T00:00:00Z is not believable"),
        (time_server(UNIX_2000 * 2, first=0xE4), "not set"),
        (time_server(UNIX_2000 * 2, stratum=16), "not synchronised"),
        (time_server(UNIX_2000 * 2, stratum=0), "RATE"),
    ],
)
def test_servers_without_time(runtime, tmp_path, behaviour, word):
    with UdpServer(behaviour) as server:
        step = {"do": "ntp", "host": "127.0.0.1", "port": server.port, "timeout_ms": 1000}
        result = run(runtime, tmp_path, [], [step])["results"][0]
    assert result["kind"] == "NetError" and word in result["error"]
