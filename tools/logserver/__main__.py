"""Serve log.php: python3 -m tools.logserver FOLDER --key KEY [--port 8080] [--host 127.0.0.1].

The key may be in the environment as LOG_KEY, where no list of processes shows it.
"""

import argparse
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from tools.logserver import Store

_LONGEST = 4096  # bytes of a body


class Server(ThreadingHTTPServer):
    """One store, any number of clients."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], store: Store) -> None:
        super().__init__(address, Handler)
        self.store = store


class Handler(BaseHTTPRequestHandler):
    """200 with nothing to everything that asks for /log.php."""

    server: Server
    timeout = 30

    def do_GET(self) -> None:
        """A line in the query."""
        self._answer(urlsplit(self.path).query)

    def do_POST(self) -> None:
        """A line in the body."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > _LONGEST:
            self.send_error(400)
            return
        self._answer(self.rfile.read(int(length)).decode(errors="replace"))

    def _answer(self, form: str) -> None:
        if urlsplit(self.path).path.rsplit("/", 1)[-1] != "log.php":
            self.send_error(404)
            return
        self.server.store.take(dict(parse_qsl(form, keep_blank_values=True)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args) -> None:
        """No line per request: a GET has the key in its address."""


def main(arguments: list[str]) -> int:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="tools.logserver", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--key", default=os.environ.get("LOG_KEY", ""))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    given = parser.parse_args(arguments)
    if not given.key:
        parser.error("a key is needed: --key, or LOG_KEY in the environment")
    given.folder.mkdir(parents=True, exist_ok=True)
    store = Store(given.folder, given.key)
    with Server((given.host, given.port), store) as server:
        print(f"http://{given.host}:{server.server_port}/log.php -> {given.folder}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print(f"rejected: {dict(store.rejected)}, repeated: {store.duplicates}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
