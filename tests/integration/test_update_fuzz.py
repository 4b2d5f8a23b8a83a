"""Damaged uploads: each is refused with a reason, and what runs stays as it is, on flash and heap.

Heads, lengths, pieces, stalls, several at once, with and without a login. The quick form has 150
for each runtime, the long one 10,000.
"""

import json
import os
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import update_helpers as made

from tests.integration.update_rig import OLD, Flashed
from tests.waiting import until

LONG = bool(os.environ.get("JOULELOG_LONG"))
COUNT = 5000 if LONG else 150
WARM_UP = 60
SPEED = 6  # a stall of 30 s is five
STALLS = 0.005 if LONG else 0.02
HEAP_BYTES = 2000  # half a telegram, and the meter's own texts
LOST_S = 120  # nobody answers any more


class Upload:
    """What is sent: a request's head, and pieces of a body with pauses between them."""

    def __init__(
        self, head: bytes, body: bytes, pieces: int, pause_s: float, closes: bool
    ) -> None:
        self.head = head
        self.body = body
        self.pieces = pieces
        self.pause_s = pause_s
        self.closes = closes

    def send(self, port: int) -> bytes:
        """The answer; b"" where there is none."""
        found = b""
        try:
            with socket.create_connection(("127.0.0.1", port), LOST_S) as connection:
                connection.sendall(self.head)
                size = max(1, len(self.body) // self.pieces)
                for at in range(0, len(self.body), size):
                    connection.sendall(self.body[at : at + size])
                    time.sleep(self.pause_s / self.pieces)
                if self.closes:
                    connection.shutdown(socket.SHUT_WR)
                while True:
                    piece = connection.recv(65536)
                    if not piece:
                        return found
                    found += piece
        except OSError:  # it has ended before all was sent
            return found


def damaged(seeded: random.Random, whole: bytes, session: dict[str, str], host: str) -> Upload:
    """An upload with something wrong in it."""
    body = bytearray(whole)
    kind = seeded.choice(
        ("head", "other", "body", "length", "cut", "long", "garbage", "login", "signed")
    )
    declared = None
    closes = False
    headers = {"Origin": f"http://{host}", **session}
    pieces, pause_s = seeded.choice((1, 1, 3, 40)), seeded.choice((0, 0, 0.02))
    if kind == "head":
        for _ in range(seeded.choice((1, 1, 2, 20))):
            body[seeded.randrange(640)] ^= 1 << seeded.randrange(8)
    elif kind == "other":
        at, text = seeded.choice(
            ((8, b"\2"), (48, b"OTHER"), (80, b"esp32c3"), (96, b"0badcafe"), (128, b"0.0.1"))
        )
        body[at : at + len(text)] = text
    elif kind == "signed":
        body[seeded.randrange(640, 1024)] ^= 1 << seeded.randrange(8)
    elif kind == "body":
        body[seeded.randrange(1024, len(body))] ^= 1 << seeded.randrange(8)
    elif kind == "length":
        declared = seeded.choice((0, 1, 1023, 1024, len(body) - 1, len(body) + 1, 10**8, 10**12))
        closes = declared > len(body)
    elif kind == "cut":
        declared = len(body)
        del body[seeded.randrange(len(body)) :]
        closes = True
        if seeded.random() < STALLS * 8:
            closes = False  # nothing comes any more, and nobody says so
    elif kind == "long":
        body += seeded.randbytes(seeded.randrange(1, 9000))
    elif kind == "garbage":
        body = bytearray(seeded.randbytes(seeded.randrange(1, 20000)))
    else:
        headers = seeded.choice(
            (
                {"Origin": f"http://{host}"},
                {**headers, "X-CSRF-Token": "0" * 32},
                {**headers, "Origin": "http://evil.example"},
                {**headers, "Cookie": "joulelog=" + "0" * 32},
            )
        )
    length = len(body) if declared is None else declared
    lines = ["POST /update HTTP/1.1", f"Host: {host}", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode()
    return Upload(head, bytes(body), pieces, pause_s, closes)


def refusal(answer: bytes) -> str:
    """The name of a refusal, or the status of one without; "" without an answer."""
    if not answer:
        return ""
    head, _, body = answer.partition(b"\r\n\r\n")
    found = json.loads(body)
    assert found["problem"] and head[9:10] == b"4" or head[9:12] == b"503", answer
    return found.get("name", head[9:12].decode())


@pytest.mark.parametrize("runtime", ("cpython", "vm"))
def test_each_is_refused_and_nothing_changes(runtime, tmp_path):
    seeded = random.Random(15)
    with Flashed(runtime, tmp_path, SPEED) as board:
        session = board.log_in()
        whole = board.update("0.2.0")
        running = board.application("ota_0")
        before: dict = {}
        names: dict[str, int] = {}

        def one(upload: Upload) -> None:
            name = refusal(upload.send(board.port))
            names[name] = names.get(name, 0) + 1

        def some(count: int) -> None:
            made_of = [damaged(seeded, whole, session, board.host) for _ in range(count)]
            for upload in made_of[count // 3 :]:
                one(upload)
            with ThreadPoolExecutor(3) as pool:
                list(pool.map(one, made_of[: count // 3]))

        for _ in range(8):  # so many sessions there are
            session.update(board.log_in("/api/login"))
        some(WARM_UP)  # what is made once is made
        before = board.state()
        left = COUNT - WARM_UP
        while left > 0:
            some(min(left, 500))
            left -= 500
            session.update(board.log_in("/api/login"))
        after = board.state()
        told = f"{runtime}: {names} {before} {after}"
        assert after["failures"] == 0 and after["no_memory"] == 0, told
        assert after["restarts"] == 0 and after["updates"] == 0, told
        assert after["descriptors"] == before["descriptors"], told
        if runtime == "vm":
            assert abs(after["heap"] - before["heap"]) < HEAP_BYTES, told
        wanted = {"signature", "hash", "short", "long", "magic", "busy", "401", "403"}
        if LONG:  # of few uploads each may be one that comes while another one is written
            wanted |= {"stalled", "head", "board", "chip", "layout", "format", "older"}
        assert wanted <= set(names), told
        assert board.starts == [OLD] and board.application("ota_0") == running
        flash = (tmp_path / "flash.bin").read_bytes()
        assert flash[made.OTA_DATA + 0x1000 : made.OTA_DATA + 0x2000] == b"\xff" * 0x1000
        board.fall_silent()
        until(lambda: board.read()[-1:] == board.times()[-1:], board.said)
        sent = board.times()
        sent = sent[sent.index(board.read()[0]) :]
        missed = len(set(sent) - set(board.read()))
        assert missed == 0, told
        print(f"{runtime}: {COUNT} uploads refused {names}; heap {before['heap']} then", end=" ")
        print(f"{after['heap']}, {len(sent)} telegrams, {missed} missed")
