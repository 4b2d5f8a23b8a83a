"""The web server beside a P1 meter, on HOST and on the VM.

50 clients at a time, clients that do not read, half-open and slow ones, damaged requests: no
handler raises, heap and sockets are what they were before, and no telegram is missed. Then the
password: logins, other sites, guesses, a restart; and nothing secret in any answer or log. Time is
compressed. The meter waits until a telegram has been read; in the long form it does not, which is
for a machine that does nothing else. That has 10,000 damaged requests, in ten rounds.
"""

import calendar
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import tiers
from tests.waiting import HANG_S, until
from tools import ROOT
from tools.rig import run_vm, vm
from tools.sim.p1 import Meter, Pty, Ticks, serve

LONG = bool(os.environ.get("JOULELOG_LONG"))
FUZZED = 10000 if LONG else 1000
ROUNDS = 10 if LONG else 2
HEAP = "180k"  # from ROMFS; that all of it fits into 140 kB as images have it is for `make size`
SLOTS = 8
LOOKS = 4  # at the heap
# What a heap may grow by: half a telegram, and the meter's own texts.
HEAP_BYTES = 2000
_UNIX_2000 = 946684800
GOOD = "correct h\u00f6rse & battery; 100%"
NEW = "another one + staple"
GUESS = "a guess that is wrong"
SCRIPTS = ROOT / "tests/vm/scripts"


class Board:
    """The firmware, its meter, and all that it has said and answered."""

    script = "web_serve"
    heap = HEAP
    asked = "/api/session"  # to see whether it answers

    def __init__(self, runtime: str, folder: Path, speed: int, more: str = "") -> None:
        """more: lines of its config."""
        self._more = more
        self.runtime = runtime
        self.folder = folder
        self.sent: list[dict] = []
        self.answered: list[bytes] = []
        self.process: subprocess.Popen | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._pty = Pty()
        self._stop = threading.Event()
        ticks = Ticks(1795000000)
        arguments = (self._pty, Meter("nl50", 3, ticks), ticks, None, speed, 0, self.sent.append)
        # What a firmware that gets no CPU does not read in time is no fault of it.
        arguments += (self._stop, False, not LONG)
        self._meter = threading.Thread(target=serve, args=arguments, daemon=True)
        self._config = folder / "my_config.py"
        self.set_speed(speed)

    def set_speed(self, speed: int) -> None:
        """Of the firmware's time, from its next start on."""
        self._config.write_text(
            f"SPEED = {speed}\ndevice = 'logger'\n"
            "readers = [{'type': 'dsmr', 'name': 'p1', 'uart': 'sim', 'time': 'meter'}]\n"
            "sinks = [{'type': 'console', 'style': 'lines'}]\n"
            f"queue = {{'slots': {SLOTS}, 'flash_kb': 0}}\n"
            f"log = {{'directory': {str(self.folder)!r}, 'size_kb': 50}}\n" + self._more
        )

    def start(self) -> None:
        arguments = [str(self._config), self._pty.device, str(self.port)]
        command = [sys.executable, "-m", f"tests.vm.scripts.{self.script}", *arguments]
        if self.runtime == "vm":
            try:
                command = run_vm.command(
                    SCRIPTS / f"{self.script}.py", arguments, "esp32", self.heap
                )
            except vm.Unavailable as reason:
                tiers.missing("the MicroPython VM", "vm", str(reason))
        said = (self.folder / "said.txt").open("ab")
        self.process = subprocess.Popen(command, stdout=said, stderr=said, cwd=ROOT)
        said.close()
        if not self._meter.is_alive():
            self._meter.start()
        until(self.answers, self.said)

    def answers(self) -> bool:
        """Whether it is served."""
        assert self.process and self.process.poll() is None, self.said()
        return ask(self.port, get(self.asked))[:12] == b"HTTP/1.1 200"

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        self.kill()
        self._stop.set()
        self._meter.join(10)
        self._pty.close()

    def fall_silent(self) -> None:
        self._stop.set()
        self._meter.join(10)

    def all_read(self) -> list[int]:
        """Times of all readings since the first one; none of the telegrams between is missing."""
        self.fall_silent()
        # The last one may have been cut by that.
        until(lambda: self.read()[-1] in self.times()[-2:], self.said)
        read, sent = self.read(), self.times()
        sent = sent[sent.index(read[0]) :]  # the first ones were sent before it listened
        assert read in (sent, sent[:-1]), (len(read), len(sent))
        return read

    def said(self) -> str:
        return (self.folder / "said.txt").read_text("utf-8", "replace")[-4000:]

    def said_whole(self) -> str:
        return (self.folder / "said.txt").read_text("utf-8", "replace")

    def read(self) -> list[int]:
        """Times of the readings, in seconds since 2000."""
        return [int(found) for found in re.findall(r"^READ (\d+)$", self.said_whole(), re.M)]

    def times(self) -> list[int]:
        """Those of the telegrams that were sent whole."""
        return [
            calendar.timegm(time.strptime(row["time"], "%Y-%m-%dT%H:%M:%SZ")) - _UNIX_2000
            for row in self.sent
            if row["sent"] == "whole"
        ]

    def ask(self, data: bytes, patient: bool = True) -> bytes:
        """An answer; where there was no place, or we were too slow, that of the next try."""
        deadline = time.monotonic() + HANG_S
        while True:
            answer = ask(self.port, data)
            self.answered.append(answer)
            full_or_late = not answer or answer[9:12] in (b"503", b"408")
            if not patient or not full_or_late:
                return answer
            assert time.monotonic() < deadline, self.said()
            time.sleep(random.random() / 5)

    def state(self) -> dict:
        """Of /state, when nobody else is connected."""
        found: dict = {}

        def calm() -> bool:
            found.update(json.loads(body(self.ask(get("/state")))))
            return found["open"] == 1

        until(calm, self.said)
        return found

    def leanest(self) -> dict:
        """Of several states the one with the least heap: in the others a telegram was read."""
        return min([self.state() for _ in range(LOOKS)], key=lambda state: state["heap"])

    def write(self, path: str, fields: dict, session=("", ""), **headers: str) -> tuple:
        """(status, JSON, cookie) of a POST of the board's own page."""
        data = json.dumps(fields).encode()
        about = {"Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/json"}
        about["Content-Length"] = str(len(data))
        if session[0]:
            about |= {"Cookie": "joulelog=" + session[0], "X-CSRF-Token": session[1]}
        answer = self.ask(request("POST", path, self.port, about | headers) + data)
        head, _, text = answer.partition(b"\r\n\r\n")
        cookie = ""
        if b"Set-Cookie: joulelog=" in head:
            cookie = head.split(b"Set-Cookie: joulelog=")[1].split(b";")[0].decode()
        return int(answer[9:12]), json.loads(text), cookie


def request(method: str, path: str, port: int = 0, headers: dict | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def get(path: str) -> bytes:
    return request("GET", path)


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def ask(port: int, data: bytes) -> bytes:
    """Send a request and read all that comes back; b"" where the connection fails."""
    found = b""
    try:
        with socket.create_connection(("127.0.0.1", port), HANG_S) as connection:
            connection.sendall(data)
            while True:
                piece = connection.recv(65536)
                if not piece:
                    break
                found += piece
                head, _, rest = found.partition(b"\r\n\r\n")
                if b"\r\nContent-Length: %d\r\n" % len(rest) in head and rest:
                    break  # a refusal lingers until we go
    except OSError:
        pass
    return found


@pytest.fixture(params=("cpython", "vm"))
def board_of(request, tmp_path):
    """A function that makes a board by its speed."""
    made: list[Board] = []

    def of(speed: int) -> Board:
        made.append(Board(request.param, tmp_path, speed))
        made[0].start()
        return made[0]

    yield of
    for one in made:
        one.close()


def fifty_at_once(board: Board, paths: tuple) -> list[bytes]:
    """What 50 clients are answered, each path in its turn."""
    with ThreadPoolExecutor(50) as pool:
        return list(pool.map(board.ask, [get(paths[n % len(paths)]) for n in range(50)]))


def fifty_clients(board: Board) -> None:
    answers = fifty_at_once(board, ("/page",))
    sizes = {len(body(answer)) for answer in answers}
    assert {answer[:15] for answer in answers} == {b"HTTP/1.1 200 OK"}, board.said()
    assert len(sizes) == 1 and sizes.pop() > 20000


def slow_and_half_open(board: Board, large: str = "/large", page: str = "/page") -> None:
    """Clients that do not read, that send nothing, or a byte at a time; another one is served."""
    port = board.port
    held = []
    try:
        for data in [get(large)] * 2 + [b""] * 10 + [get(page)[:9]] * 3 + [b""] * 5:
            connection = socket.create_connection(("127.0.0.1", port), HANG_S)
            held.append(connection)
            if data:
                connection.sendall(data)
        assert board.ask(get(page))[:12] == b"HTTP/1.1 200"
        dripping = socket.create_connection(("127.0.0.1", port), HANG_S)
        held.append(dripping)
        try:
            for byte in get(page):
                dripping.sendall(bytes([byte]))
                time.sleep(0.05)
        except OSError:  # too slow, and so it has been closed
            pass
        assert board.ask(get(page))[:12] == b"HTTP/1.1 200"
    finally:
        for connection in held:
            connection.close()


def damaged(seeded: random.Random) -> bytes:
    """A request with something wrong in it, mostly."""
    fields = b"a=%41&csrf=x&password=12345678"
    kind = seeded.choice(("application/json", "application/x-www-form-urlencoded", "text/x"))
    base = seeded.choice(
        (
            get("/page?a=%20b&c"),
            get("/../../etc/passwd"),
            get("/%2e%2e/%00"),
            request("HEAD", "/page"),
            request("POST", "/echo", 0, {"Content-Type": kind, "Content-Length": len(fields)})
            + fields,
            request("POST", "/echo", 0, {"Content-Type": kind, "Content-Length": 7}) + b'{"a":1}',
            request("POST", "/api/login", 0, {"Content-Type": kind, "Content-Length": 30})
            + fields,
            request(
                "POST", "/echo", 0, {"Content-Length": seeded.choice((-1, 10**9, "1e3", 8193))}
            ),
            request("PUT", "/save", 0, {"Transfer-Encoding": "chunked"})
            + b"5\r\nabcde\r\n0\r\n\r\n",
            request("OPTIONS", "/save", 0, {"Access-Control-Request-Method": "POST"}),
            b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * seeded.randrange(500) + b"\r\n",
            seeded.randbytes(seeded.randrange(1, 3000)),
        )
    )
    data = bytearray(base)
    for _ in range(seeded.choice((0, 0, 1, 2, 8))):
        data[seeded.randrange(len(data))] = seeded.randrange(256)
    if seeded.random() < 0.3:
        del data[seeded.randrange(1, len(data)) :]
    return bytes(data)


def fuzz(board: Board, seeded: random.Random, count: int, of=damaged) -> None:
    """Damaged requests, of which those that end early are closed at once."""

    def one(data: bytes) -> None:
        found = b""
        try:
            with socket.create_connection(("127.0.0.1", board.port), HANG_S) as connection:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                found = connection.recv(4096)
        except OSError:
            pass
        board.answered.append(found)
        assert not found or (found[:9] == b"HTTP/1.1 " and found[9:12].isdigit()), found
        assert found[9:12] != b"500", (data, found)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, [of(seeded) for _ in range(count)]))


def test_it_stands_whatever_comes_and_no_telegram_is_missed(board_of):
    board = board_of(3)
    until(lambda: board.state()["readings"] > SLOTS, board.said)
    seeded = random.Random(9)
    fifty_clients(board)  # what is made once is made
    slow_and_half_open(board)
    fuzz(board, seeded, 50)
    before = board.leanest()
    for _ in range(ROUNDS):
        fifty_clients(board)
        slow_and_half_open(board)
        fuzz(board, seeded, FUZZED // ROUNDS)
    after = board.leanest()
    told = f"{board.runtime}: {before} {after}"
    assert after["failures"] == 0 and after["no_memory"] == 0, told
    assert after["descriptors"] == before["descriptors"], told
    assert after["heap"] - before["heap"] < HEAP_BYTES, told
    assert after["restarts"] == 0, told
    for name in ("late", "busy", "displaced", "refused"):
        assert after[name] > 0, (name, told)
    read = board.all_read()
    assert len(read) > 20, told
    print(
        f"{board.runtime}: {len(board.answered)} requests, heap {before['heap']} then"
        f" {after['heap']}, {len(read)} telegrams, none missed"
    )


def test_who_may_write_and_nothing_secret_is_told(board_of):
    board = board_of(3)  # the store has the count within twenty seconds
    assert board.write("/save", {})[0] == 403
    status, told, cookie = board.write("/api/password", {"password": GOOD})
    assert status == 200
    session = (cookie, told["csrf"])
    assert board.write("/save", {}, session)[:2] == (200, {"saved": True})
    assert board.write("/save", {}, (cookie, "x" * 32))[0] == 403
    assert board.write("/save", {}, session, Origin="http://evil.example")[0] == 403
    assert board.write("/save", {}, session, Host="evil.example")[0] in (400, 403)
    status, told, other = board.write("/api/login", {"password": GOOD})
    assert status == 200 and other != cookie
    assert board.write("/api/logout", {}, (other, told["csrf"]))[0] == 200
    assert board.write("/save", {}, (other, told["csrf"]))[0] == 401
    fields = {"password": NEW, "old": GOOD}
    status, told, cookie = board.write("/api/password", fields, session)
    assert status == 200
    assert board.write("/save", {}, session)[0] == 401
    session = (cookie, told["csrf"])
    assert board.write("/save", {}, session)[0] == 200
    cookies = {session[0], other}
    board.kill()  # a power cut: the session is gone, the password is not
    board.start()
    status, told, _ = board.write("/save", {}, session)
    assert status == 401 and "log in" in told["problem"]
    assert board.write("/api/login", {"password": NEW})[0] == 200
    statuses = [board.write("/api/login", {"password": GUESS})[0] for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert board.write("/api/login", {"password": NEW})[0] == 429
    until(lambda: "tries" in files_of(board) and "127.0.0.1=5" in files_of(board), board.said)
    board.kill()
    board.set_speed(1)  # a minute to start in and to be asked
    board.start()
    status, told, _ = board.write("/api/login", {"password": NEW})
    assert status == 429 and "try again in" in told["problem"]
    kept = json.loads([x for x in files_of(board).splitlines() if x.startswith('["password"')][1])
    secrets = [GOOD, NEW, GUESS, kept[1], *cookies]
    everything = b"\n".join(body(answer) for answer in board.answered).decode("utf-8", "replace")
    everything += board.said_whole()
    for secret in secrets:
        assert secret not in everything and json.dumps(secret)[1:-1] not in everything
    # The browser's own cookie is in no body, and its token only in answers to it.
    assert "no login from 127.0.0.1" in everything


def files_of(board: Board) -> str:
    """What the store has on the disk."""
    return "\n".join(path.read_text() for path in sorted(board.folder.glob("state.*")))
