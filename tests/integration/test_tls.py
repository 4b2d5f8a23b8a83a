"""TLS: what is accepted, what is refused, and that nothing is told to a server that is refused."""

import asyncio
import sys

import pytest

from joulelog.errors import ConfigError, NetError
from joulelog.net import handshake, http, tls
from tests.integration import net_runtimes
from tests.servers import certs
from tests.servers.hostile_http import HostileServer, MuteServer

HEADERS = {"Authorization": "Bearer s3cr3t-token"}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> certs.Certificates:
    return certs.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(params=net_runtimes.RUNTIMES)
def runtime(request) -> str:
    return request.param


def step(url: str, **more) -> dict:
    return {"do": "http", "url": url, "body": "a=b", "headers": HEADERS, **more}


def pem_text(path: str) -> str:
    with open(path) as file:
        return file.read()


def test_a_good_certificate(runtime, made, tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("Another one\n%s\n%s" % (pem_text(made.wrong_ca[0]), pem_text(made.ca)))
    with HostileServer(made.good) as server:
        steps = [
            step(server.url("/echo"), ca=made.ca),
            step(server.url("/echo", "localhost"), ca=made.ca),
            step(server.url("/echo"), ca=made.ca_der),
            step(server.url("/echo"), ca=pem_text(made.ca)),
            step(server.url("/echo"), ca=str(bundle)),
        ]
        report = net_runtimes.run(runtime, {"steps": steps}, tmp_path)
    for result in report["results"]:
        assert (result.get("status"), result.get("body")) == (200, "a=b"), result
    assert server.requests[0][2]["Authorization"] == "Bearer s3cr3t-token"


@pytest.mark.parametrize("kind", ["wrong_ca", "wrong_name", "expired"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_bad_certificate_gets_no_secret(runtime, made, tmp_path, kind, host):
    with HostileServer(getattr(made, kind)) as server:
        job = {"steps": [step(server.url("/echo", host), ca=made.ca)]}
        report = net_runtimes.run(runtime, job, tmp_path)
    assert "certificate not accepted" in report["results"][0]["error"]
    assert "s3cr3t" not in report["results"][0]["error"]
    assert server.received == 0
    assert report["fds"][0] == report["fds"][1]


def test_unchecked_only_when_the_config_says_so(runtime, made, tmp_path):
    with HostileServer(made.wrong_ca) as server:
        steps = [step(server.url("/echo"), verify=False), step(server.url("/echo"))]
        unchecked, checked = net_runtimes.run(runtime, {"steps": steps}, tmp_path)["results"]
    assert unchecked["status"] == 200
    # A board without `ca` has nothing to check with and says so; a computer has its own list.
    expected = ("ConfigError", "verify: False") if runtime == "vm" else ("NetError", "certificate")
    assert checked["kind"] == expected[0] and expected[1] in checked["error"]
    assert len(server.requests) == 1


def test_answers_over_tls(runtime, made, tmp_path):
    paths = ("/204", "/huge-body", "/cut-body", "/chunked", "/endless-head", "/hang-body")
    with HostileServer(made.good) as server:
        steps = [step(server.url(path), ca=made.ca, timeout_ms=1500) for path in paths]
        report = net_runtimes.run(runtime, {"steps": steps}, tmp_path)
    empty, huge, cut, chunked, endless, hanging = report["results"]
    assert empty["status"] == 204 and huge["status"] == 500
    assert huge["body"] == "x" * 2048 and huge["headers"]["truncated"]
    assert "cut in mid-answer" in cut["error"]
    assert chunked["body"] == "wikipedia"
    assert endless["kind"] == "NetError"
    assert "no answer within 2 s" in hanging["error"]
    assert report["fds"][0] == report["fds"][1]


def test_a_large_body_over_tls(runtime, made, tmp_path):
    body = "".join("line %d\n" % number for number in range(450))
    with HostileServer(made.good) as server:
        job = {"steps": [step(server.url("/echo"), ca=made.ca, body=body, limit=5000)]}
        report = net_runtimes.run(runtime, job, tmp_path)
    assert report["results"][0]["body"] == body


def test_a_mute_server_does_not_keep_others_from_their_handshake(runtime, made, tmp_path):
    with HostileServer(made.good) as server, MuteServer() as mute:
        url = "https://127.0.0.1:%d/" % mute.port
        steps = [step(url, ca=made.ca, timeout_ms=2000)]
        steps += [step(server.url("/echo"), ca=made.ca, timeout_ms=20000) for _ in range(3)]
        job = {"steps": steps, "together": True}
        report = net_runtimes.run(runtime, job, tmp_path)
    assert "no answer within" in report["results"][0]["error"]
    for result in report["results"][1:]:
        assert result.get("status") == 200, result
    assert report["longest_step_ms"] < 500
    assert report["fds"][0] == report["fds"][1]


def test_failed_handshakes_leave_nothing_behind(runtime, made, tmp_path):
    with (
        HostileServer(made.wrong_ca) as bad,
        HostileServer(made.good) as good,
        MuteServer() as mute,
    ):
        steps = [step(bad.url("/ok"), ca=made.ca), step(good.url("/cut-body"), ca=made.ca)]
        steps.append(step("https://127.0.0.1:%d/" % mute.port, ca=made.ca, timeout_ms=60))
        job = {"steps": steps, "warm": 10, "repeat": 50}
        report = net_runtimes.run(runtime, job, tmp_path)
    assert report["fds"][0] == report["fds"][1]
    before, after = report["heap"]
    assert after <= before * 1.01


def test_plain_http_behind_an_https_url(runtime, made, tmp_path):
    with HostileServer() as server:
        url = server.url("/ok").replace("http:", "https:")
        job = {"steps": [step(url, ca=made.ca, timeout_ms=1000)]}
        result = net_runtimes.run(runtime, job, tmp_path)["results"][0]
    assert result["kind"] == "NetError"
    assert server.requests == []


def test_no_https_without_a_context():
    with HostileServer() as server:
        url = server.url("/ok").replace("http:", "https:")
        with pytest.raises(NetError, match="unchecked"):
            asyncio.run(http.request("POST", url, b"", HEADERS, None, 1000))
    assert server.connections == 0


def test_an_entry_without_tls_gets_no_context():
    assert tls.context({"url": "http://127.0.0.1/"}) is None


def test_certificates_that_cannot_be_used(made, tmp_path):
    bad = {
        str(tmp_path / "nowhere.pem"): "no file",
        made.good[1]: "holds no certificate",
        pem_text(made.ca)[:200]: "cut off",
        pem_text(made.ca).replace("-----\nMIIB", "-----\nAAAA"): "cannot be read",
        "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----": "damaged",
    }
    for name, content in (("list.pem", b"x" * 20000), ("noise", b"\xff\xfe\x00")):
        (tmp_path / name).write_bytes(content)
    bad[str(tmp_path / "list.pem")] = "longer than"
    bad[str(tmp_path / "noise")] = "neither PEM nor DER"
    for ca, word in bad.items():
        with pytest.raises(ConfigError) as caught:
            tls.context({"url": "https://127.0.0.1/", "ca": ca})
        assert str(caught.value).startswith("ca: ") and word in str(caught.value), ca


def test_an_esp8266_refuses_what_it_cannot_check(monkeypatch, made):
    monkeypatch.setattr(sys, "platform", "esp8266")
    with pytest.raises(ConfigError, match="verify: False"):
        tls.context({"url": "https://127.0.0.1/", "ca": made.ca})
    assert tls.context({"url": "https://127.0.0.1/", "verify": False}) is not None


def test_one_handshake_at_a_time():
    inside = []

    async def enter() -> None:
        async with handshake.gate:
            inside.append(1)
            assert len(inside) == 1
            await asyncio.sleep(0.01)
            inside.pop()

    async def main() -> None:
        cancelled = asyncio.create_task(enter())
        others = asyncio.gather(*[enter() for _ in range(4)])
        await asyncio.sleep(0.005)
        cancelled.cancel()
        inside.clear()
        await others

    asyncio.run(main())
    assert not handshake.gate.busy
