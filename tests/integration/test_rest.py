"""The REST API beside a P1 meter, on HOST and on the VM, whoever asks and however.

schemathesis asks what the OpenAPI file allows and what it does not; what is answered is what that
says. 50 clients at a time, clients that do not read, half-open ones and damaged requests: no
handler raises, the heap is what it was before, no telegram is missed (10,000 damaged requests in
the long form). Numbers are those of the telegrams, digit for digit. Prometheus takes /metrics.
"""

import json
import random
import re
import subprocess
import sys

import pytest

from tests import tiers
from tests.integration.test_web_server import (
    FUZZED,
    HEAP_BYTES,
    LONG,
    ROUNDS,
    SLOTS,
    Board,
    body,
    damaged,
    fifty_at_once,
    fuzz,
    get,
    request,
    slow_and_half_open,
)
from tests.waiting import until

KEY = "0123456789abcdef0123456789abcdef"
WEB = "web = {}\n"
MORE = (
    WEB
    + "readers.append({'type': 'health', 'interval': 30})\n"
    + f"sinks.append({{'type': 'emoncms', 'url': 'http://127.0.0.1:9', 'key': {KEY!r}}})\n"
)
PATHS = (
    "/api/latest",
    "/api/live?source=p1",
    "/api/health",
    "/api/log?lines=50",
    "/api/config",
    "/api/openapi.json",
    "/metrics",
)
EXAMPLES = "200" if LONG else "20"  # of each path and way
PROMTOOL = "apt install prometheus"


class Rest(Board):
    """The firmware with the section `web`."""

    script = "rest_serve"
    heap = "230k"
    asked = "/api/health"

    def json(self, path: str) -> dict:
        answer = self.ask(get(path))
        assert answer[:12] == b"HTTP/1.1 200", answer
        return json.loads(body(answer))

    def text(self, path: str) -> str:
        return body(self.ask(get(path))).decode()


@pytest.fixture(params=("cpython", "vm"))
def runtime(request):
    return request.param


@pytest.fixture
def board_of(runtime, tmp_path):
    """A function that makes a board by lines of its config."""
    made: list[Rest] = []

    def of(more: str) -> Rest:
        made.append(Rest(runtime, tmp_path, 3, more))
        made[0].start()
        until(lambda: made[0].read(), made[0].said)
        return made[0]

    yield of
    for one in made:
        one.close()


def test_numbers_are_those_of_the_telegrams(board_of):
    board = board_of(WEB)
    newest = board.all_read()[-1]
    sent = board.sent[board.times().index(newest)]["obis"]  # all were sent whole
    text = board.text("/api/live")  # there is one source
    for obis, key in (("1-0:1.8.1", "energy_import_t1"), ("1-0:32.7.0", "voltage_l1")):
        found = re.search(rf'"{key}":([-0-9.]+)[,}}]', text)
        assert found and found[1] == sent[obis], (text, sent)
    found = json.loads(text)
    source = board.json("/api/latest")["sources"][0]
    assert {row["key"]: row["value"] for row in source["channels"]} == found["values"]
    assert source["identity"]["type"] == "dsmr" and source["state"] == found["state"]
    assert board.json("/api/health")["parts"][0]["counters"]["telegrams"] == source["readings"]
    joules = int(sent["1-0:1.8.1"].replace(".", "")) * 3600
    line = f'joulelog_energy_import_t1_joules_total{{source="p1"}} {joules}.000'
    assert line in metrics(board).splitlines()


def metrics(board: Rest) -> str:
    return board.text("/metrics")


def test_a_history_is_told(board_of):
    """One that has just begun: no quarter has ended yet."""
    board = board_of(
        WEB
        + "readers.append({'type': 'quarter', 'source': 'p1'})\n"
        + "sinks.append({'type': 'history', 'sources': ['quarter'], 'flash_kb': 100})\n"
    )
    until(lambda: board.ask(get("/api/days"))[:12] == b"HTTP/1.1 200", board.said)
    for what in ("quarters", "days", "months"):
        assert board.json(f"/api/{what}") == {"source": "quarter", what: []}
        assert board.text(f"/api/{what}?format=csv") == ""
    answer = board.ask(get("/api/days?from=2026-02-30"))
    assert answer[:12] == b"HTTP/1.1 400" and b"a date as 2026-12-01" in answer


def test_what_is_wrong_is_told_and_no_path_leads_elsewhere(board_of):
    board = board_of(MORE)
    for path, words in (
        ("/api/live?source=nobody", "`source`; allowed: health, p1"),
        ("/api/live?sources=p1", "`sources` is no parameter here; allowed: source"),
        ("/api/log?lines=0", "`lines`; allowed: a whole number, 1 to 1000"),
        ("/api/log?lines=ten", "`lines`; allowed: a whole number, 1 to 1000"),
        ("/api/log?lines=1&lines=2", "`lines` comes twice; allowed: once"),
        ("/api/latest?x", "`x` is no parameter here; allowed: none"),
    ):
        answer = board.ask(get(path))
        assert answer[9:12] == b"400", answer
        assert json.loads(body(answer)) == {"problem": words}
    for path in ("/api/", "/api/log/..", "/api/../../etc/passwd", "/api/log%20records", "/apilog"):
        assert board.ask(get(path))[9:12] in (b"400", b"404"), path
    for path in PATHS:
        posted = request("POST", path, board.port, {"Content-Length": "0"})
        assert board.ask(posted)[9:12] == b"405", path
        head = board.ask(request("HEAD", path, board.port))
        assert head[9:12] == b"200" and not body(head), path
        other = get(path).replace(b"Host: 127.0.0.1", b"Host: evil.example")
        assert board.ask(other)[9:12] == b"403", path
        assert board.ask(get(path))[9:12] == b"200", path
    answers = b"".join(board.answered)
    assert b'"key":true' in answers  # the other sink's
    assert KEY.encode() not in answers
    log = board.text("/api/log?lines=1000").splitlines()
    assert log[-3:] == board.text("/api/log?lines=3").splitlines() and len(log) > 5


def test_prometheus_takes_it(board_of):
    promtool = tiers.require("promtool", "servers", PROMTOOL)
    board = board_of(MORE + "readers[1]['interval'] = 5\n")
    until(lambda: '{source="health"}' in metrics(board), board.said)
    text = metrics(board)
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and not done.stderr, done.stderr + text
    assert text.count("# TYPE") > 60
    assert text.endswith("\n")


def test_what_is_answered_is_what_the_contract_says(board_of, tmp_path):
    tiers.require("schemathesis", "host", "pip install schemathesis")
    board = board_of(MORE)
    contract = board.json("/api/openapi.json")
    command = [sys.executable, "-m", "schemathesis.cli", "run", "--url"]
    command += [f"http://127.0.0.1:{board.port}", "--no-color", "--max-examples", EXAMPLES]
    # What it takes for a name of a source is none: that is 400, and allowed.
    command += ["--exclude-checks", "positive_data_acceptance", "--seed", "1"]
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(contract))
    done = subprocess.run(
        [*command, str(file)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:] + board.said()
    assert board.state()["failures"] == 0


def of_the_api(seeded: random.Random) -> bytes:
    """A damaged request, or an odd one of a path that there is."""
    if seeded.random() < 0.4:
        return damaged(seeded)
    path = seeded.choice(PATHS).split("?")[0]
    odd = "".join(seeded.choice("abz019=&%2F.+-_~/?#") for _ in range(seeded.randrange(30)))
    data = bytearray(get(path + seeded.choice(("", "?", "/", "?lines=", "?source=")) + odd))
    for _ in range(seeded.choice((0, 0, 1, 3))):
        data[seeded.randrange(len(data))] = seeded.randrange(256)
    return bytes(data)


def one_round(board: Rest, seeded: random.Random, count: int) -> None:
    answers = fifty_at_once(board, PATHS)
    assert {answer[:15] for answer in answers} == {b"HTTP/1.1 200 OK"}, board.said()
    slow_and_half_open(board, "/api/log?lines=1000", "/api/latest")
    fuzz(board, seeded, count, of_the_api)


def test_it_stands_whatever_comes_and_no_telegram_is_missed(board_of):
    board = board_of(WEB)
    until(lambda: board.state()["readings"] > SLOTS, board.said)
    seeded = random.Random(10)
    one_round(board, seeded, 50)  # what is made once is made
    before = board.leanest()
    for _ in range(ROUNDS):
        one_round(board, seeded, FUZZED // ROUNDS)
    after = board.leanest()
    told = f"{board.runtime}: {before} {after}"
    assert after["failures"] == 0 and after["no_memory"] == 0, told
    assert after["descriptors"] == before["descriptors"], told
    assert after["heap"] - before["heap"] < HEAP_BYTES, told
    assert after["restarts"] == 0, told
    read = board.all_read()
    assert len(read) > 20, told
    print(f"{board.runtime}: {len(board.answered)} requests, {len(read)} telegrams, none missed")
