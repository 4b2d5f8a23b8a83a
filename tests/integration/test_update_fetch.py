"""An update that a board fetches by itself: what is newer, whole and signed, and nothing else."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import update_helpers as made
import updatefile

from tests import tiers
from tests.integration.update_rig import OLD, Flashed
from tests.waiting import HANG_S, until
from tools import ROOT
from tools.rig import run_vm, vm

SCRIPT = ROOT / "tests/vm/scripts/update_fetch.py"
UNIT = ROOT / "tests/unit"
NEW = made.image(50000, 5)


class Files:
    """A web server: path -> bodies, one after the other; of a text the status."""

    def __init__(self, files: dict[str, list]) -> None:
        self.files = files
        self.sent: list[tuple[str, int]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                bodies = outer.files.get(self.path, [])
                body = (bodies.pop(0) if len(bodies) > 1 else bodies[0]) if bodies else 404
                cut = isinstance(body, tuple)
                if isinstance(body, int):
                    self.send_error(body)
                    return
                data = body[0] if cut else body
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                try:
                    self.wfile.write(data[: body[1]] if cut else data)
                except OSError:  # it has seen enough
                    pass
                outer.sent.append((self.path, len(data)))

            def log_message(self, *_) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Files":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


LAYOUT = updatefile.layout(made.ROWS)


def file(application: bytes = NEW, **about) -> bytes:
    return made.update(application, layout=LAYOUT, **about)


@pytest.mark.parametrize("runtime", ("cpython", "vm"))
def test_what_is_taken_and_what_is_left(runtime):
    newer, older = file(version="0.2.0"), file(version="0.0.9")
    unsigned = newer[:640] + bytes(384) + newer[1024:]
    other = file(made.image(50000, 9), version="0.2.1")
    files: dict[str, tuple[list, str]] = {
        "newer": ([newer], "taken: 0.2.0"),
        "older": ([older], "left: no newer one than version"),
        "missing": ([404], "left: no update: HTTP 404"),
        "no-update": ([b"<html>" * 1000], "left: no update: this is no update"),
        "unsigned": ([unsigned], "left: no update: this update is not signed"),
        "damaged": ([newer[:-1] + b"!"], "left: no update: what arrived is not"),
        "cut": ([newer, (newer, 30000)], "left: no update: 127.0.0.1"),
        "gone": ([newer, 404], "left: no update: HTTP 404"),
        "changed": ([newer, other], "left: no update: the file has changed"),
        "short": ([newer, newer[:-9]], "left: no update: the file is shorter"),
        "longer": ([newer, newer + b"more"], "left: no update: the file is longer"),
        "wrong-board": ([file(version="0.2.0", board="OTHER")], "left: no update: this update is"),
    }
    arguments = [name for name in files]
    with Files({f"/{name}": bodies for name, (bodies, _) in files.items()}) as server:
        command = [sys.executable, "-m", "tests.vm.scripts.update_fetch", server.url, *arguments]
        if runtime == "vm":
            try:
                command = run_vm.command(
                    SCRIPT, [server.url, *arguments], "esp32", "4M", folders=(UNIT,)
                )
            except vm.Unavailable as reason:
                tiers.missing("the MicroPython VM", "vm", str(reason))
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(UNIT)},
            capture_output=True,
            text=True,
            timeout=HANG_S,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    said = [line for line in done.stdout.splitlines() if " taken: " in line or " left: " in line]
    assert len(said) == len(files), done.stdout
    for line in said:
        name, _, told = line.partition(" ")
        assert told.startswith(files[name][1]), line


def test_a_board_that_looks_once_a_day(tmp_path):
    with Files({}) as server:
        section = f"update = {{'url': '{server.url}/some.update', 'page': False}}\n"
        with Flashed("cpython", tmp_path, 60, section, serves=False) as board:
            server.files["/some.update"] = [board.update("0.2.0")]
            until(lambda: board.starts == [OLD, "0.2.0"], board.said)
            assert board.slot == "ota_1"
            assert "an update to version 0.2.0" in board.said_whole()
