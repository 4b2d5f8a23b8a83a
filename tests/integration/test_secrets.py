"""Servers that quote our request in their errors: no secret gets into a file, or to the console.

The whole firmware on CPython and on the VM, with servers that answer every request with a refusal
that holds all headers and the address, as they are and in the ways in which servers write them
into JSON, HTML and addresses.
"""

import base64
import html
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.integration.run_rig import ROOT, Run, config
from tests.servers.contract import Answer, ContractServer, Request

TELEGRAM = ROOT / "tests/fixtures/dsmr/nl_ene5-xs210-esmr-5-0.txt"
USER = "logger"
PASSWORD = 'p"ss/w\\rd+&=<ö> 7'
TOKEN = "t0k+en/of-the_test=="
KEY = "0123456789abcdef0123456789abcdef"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SECRETS = (PASSWORD, TOKEN, KEY, BASIC)
LEAST = 6  # characters of a secret that tell something of it


class Telltale(ContractServer):
    """Refuses all but a sink's first, and says what it got, in other words each time.

    Where nothing has ever been taken the server is at fault, and no reading is set aside.
    """

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.took: set[str] = set()

    def handle(self, request: Request) -> Answer:
        """All of it, in the way whose turn it is."""
        if request.path not in self.took:
            self.took.add(request.path)
            return Answer(204)
        plain = " ".join([request.target, *request.headers.values()])
        # A server may know what it was that it decoded.
        secret = {"basic": PASSWORD, "token": TOKEN, "bearer": KEY}.get(
            request.headers.get("authorization", "").split(" ")[0].lower(), KEY
        )
        number = len(self.requests)
        say = (
            lambda text: text,
            quote,
            quote_plus,
            lambda text: json.dumps(text)[1:-1],
            lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
            html.escape,
            lambda text: text[: len(text) // 2],  # it cuts what it quotes
        )[number % 7]
        status = (400, 200, 400, 401, 500, 400, 302)[number // 7 % 7]
        # A 500 that speaks of a point costs the point: this one is the server's own trouble.
        about = "internal error" if status == 500 else "unable to parse"
        words = f"{about} {say(secret)}; {say(plain)} and {say(secret)}"
        self.said.append(words)
        place = {"Location": f"{self.url}/?apikey={quote(secret)}"} if status == 302 else {}
        if number % 2:
            return Answer(status, json.dumps({"success": False, "message": words}), place)
        return Answer(status, words, place)


def found_in(text: str) -> list[str]:
    """The secrets, or pieces of them, that are in the text."""
    found = []
    for secret in SECRETS:
        escaped = json.dumps(secret, ensure_ascii=False)[1:-1]
        for form in {secret, quote(secret), quote_plus(secret), escaped}:
            found += [form[:LEAST]] if form[:LEAST] in text else []
            found += [form[-LEAST:]] if form[-LEAST:] in text else []
    return found


@pytest.mark.parametrize("how", [[], ["--vm", "--heap", "220k"]], ids=["cpython", "vm"])
def test_a_server_that_quotes_what_it_got(how, tmp_path: Path) -> None:
    with Telltale() as server:
        shared = {"url": server.url, "interval": 0}
        sinks = [
            {"type": "influxdb", "name": "one", "database": "x", "user": USER} | shared,
            {"type": "influxdb", "name": "two", "org": "o", "bucket": "b"} | shared,
            {"type": "emoncms", "key": KEY} | shared,
            {"type": "webhook", "key": KEY, "values": ["replay.power_import"]} | shared,
            {"type": "webhook", "format": "json", "key": KEY, "name": "body"} | shared,
        ]
        sinks[4] |= {"body": "[{time}, {replay.power_import}]", "url": server.url + "/hook"}
        sinks[0]["password"] = PASSWORD
        sinks[1]["token"] = TOKEN
        readers = [{"type": "replay", "file": str(TELEGRAM), "pause_ms": 2000}]
        text = f"readers = {readers!r}\nsinks = {sinks!r}\nqueue = {{'slots': 64}}"
        run = Run("--config", config(tmp_path, text), *how, SPEED="40")
        try:
            for name in ("one", "two", "body"):
                run.wait_for("ERROR %s: a reading was refused and set aside" % name)
            run.wait_for("HTTP 500")
            run.wait_for("HTTP 401")
            run.wait_for("sends us on to")
            assert run.interrupt() == 0
        finally:
            run.close()
    refused = "".join(path.read_text() for path in tmp_path.glob("*efused.log"))
    lines = [json.loads(line) for line in refused.splitlines() if line.startswith("{")]
    assert {line["sink"] for line in lines} >= {"one", "two", "body"} and "***" in refused
    whys = " ".join(line["why"] for line in lines)
    log = "".join(path.read_text() for path in tmp_path.glob("*og.log"))
    assert all(found_in(said) for said in server.said), "the server has quoted them"
    told = found_in(whys) + found_in(log) + found_in(run.output)
    assert "refused and set aside" in log and not told, (told, whys[:500], run.output[-1500:])
    assert "Traceback" not in run.output and " failed" not in run.output
