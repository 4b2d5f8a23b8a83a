"""A real InfluxDB 1 (the distribution's `influxd`) on a free port, with its data in a folder.

    with RealInfluxdb(folder) as server:
        server.create("energy")
        ... POST server.url + "/write?db=energy" ...
        server.rows("energy", 'SELECT * FROM "energy"')    # dicts; numbers as their texts

stop() and start() keep the data. With auth=True the user ADMIN exists, with the password PASSWORD.
"""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from base64 import b64encode
from pathlib import Path

from tests import tiers

ADMIN = "admin"
PASSWORD = "pass:word \u00e9"

_CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:%(rpc)d"
[meta]
  dir = "%(folder)s/meta"
[data]
  dir = "%(folder)s/data"
  wal-dir = "%(folder)s/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:%(port)d"
  auth-enabled = %(auth)s
  log-enabled = false
  max-body-size = %(largest_body)d
"""


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RealInfluxdb:
    """One influxd process."""

    def __init__(self, folder: Path, auth: bool = False, largest_body: int = 25_000_000) -> None:
        self.program = tiers.require("influxd", "servers", "apt install influxdb")
        self.folder = Path(folder)
        self.port = free_port()
        self.auth = auth
        self._process = None
        self._config = {
            "folder": self.folder,
            "port": self.port,
            "rpc": free_port(),
            "auth": "true" if auth else "false",
            "largest_body": largest_body,
        }
        self._admin_made = False

    @property
    def url(self) -> str:
        """Where it listens."""
        return "http://127.0.0.1:%d" % self.port

    def start(self) -> "RealInfluxdb":
        """Start it, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "influxdb.conf"
        config.write_text(_CONFIG % self._config)
        log = open(self.folder / "influxd.log", "ab")
        self._process = subprocess.Popen(
            [self.program, "-config", str(config)],
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(self.folder)},
        )
        log.close()
        for _ in range(300):
            if self._process.poll() is not None:
                raise RuntimeError("influxd ended: " + (self.folder / "influxd.log").read_text())
            try:
                urllib.request.urlopen(self.url + "/ping", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            self.stop()
            raise RuntimeError("influxd did not answer within 30 s")
        if self.auth and not self._admin_made:
            self.query(
                "CREATE USER \"%s\" WITH PASSWORD '%s' WITH ALL PRIVILEGES" % (ADMIN, PASSWORD)
            )
            self._admin_made = True
        return self

    def stop(self, kill: bool = False) -> None:
        """Stop it (or kill it); the data stays."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    __enter__ = start

    def __exit__(self, *error) -> None:
        self.stop()

    def create(self, database: str, duration: str = "") -> None:
        """Create a database; its default retention policy keeps data for the duration ("1w")."""
        policy = " WITH DURATION " + duration if duration else ""
        self.query('CREATE DATABASE "%s"%s' % (database, policy))

    def query(self, text: str, database: str = "") -> dict:
        """The answer to an InfluxQL statement; numbers are strings, as the server wrote them."""
        form = {"q": text, "db": database, "epoch": "s"}
        headers = {}
        if self.auth and self._admin_made:
            plain = "%s:%s" % (ADMIN, PASSWORD)
            headers["Authorization"] = "Basic " + b64encode(plain.encode()).decode()
        data = urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(self.url + "/query", data, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.loads(answer.read(), parse_float=str, parse_int=str)
        result = found["results"][0]
        if "error" in result:
            raise ValueError(result["error"])
        return result

    def rows(self, database: str, text: str) -> list[dict]:
        """The rows of a SELECT, as dicts of texts; numbers without an exponent."""
        rows = []
        for series in self.query(text, database).get("series", []):
            for values in series["values"]:
                rows.append(dict(zip(series["columns"], map(_expanded, values), strict=True)))
        return rows


def _expanded(value):
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?e\+?-?\d+", value):
        from decimal import Decimal

        return format(Decimal(value), "f")
    return value
