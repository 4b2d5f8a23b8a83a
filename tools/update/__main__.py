"""Send a board an update over the network, and wait until it runs: `make update`.

    make update HOST=192.168.1.7 FILE=build/images/joulelog-0.2.0-ESP32_GENERIC.update
    JOULELOG_PASSWORD=… python3 -m tools.update --host 192.168.1.7:8080 --file …  [--force]

The board's password is asked for, or taken from JOULELOG_PASSWORD. Exit status 1: the board has
refused it, or has not come back with it, and why.
"""

import argparse
import getpass
import http.client
import json
import os
import select
import sys
import time
from pathlib import Path

import updatefile

_PIECE = 4096
_PATIENCE_S = 60  # for an answer: a board checks a whole image before it gives one
_BACK_S = 180
_WIDTH = 40


class Failed(Exception):
    """What went wrong, and what to do."""


class Board:
    """A board's pages, as a browser uses them."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._headers = {"Origin": f"http://{host}"}

    def ask(self, method: str, path: str, fields: dict | None = None) -> tuple[int, dict]:
        """(status, JSON); Failed where there is no answer."""
        headers = dict(self._headers)
        body = None
        if fields is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(fields)
        connection = http.client.HTTPConnection(self.host, timeout=_PATIENCE_S)
        try:
            connection.request(method, path, body, headers)
            return self._answer(connection)
        except (OSError, http.client.HTTPException) as problem:
            raise Failed(f"{self.host} does not answer: {problem}") from None
        finally:
            connection.close()

    def _answer(self, connection: http.client.HTTPConnection) -> tuple[int, dict]:
        answer = connection.getresponse()
        cookie = answer.headers.get("Set-Cookie", "").split(";")[0]
        if cookie:
            self._headers["Cookie"] = cookie
        try:
            found = json.loads(answer.read())
        except ValueError:
            found = {}
        return answer.status, found if isinstance(found, dict) else {}

    def log_in(self) -> None:
        """Ask for the password, and have it checked."""
        status, session = self.ask("GET", "/api/session")
        if status != 200:
            raise Failed(f"there is no JouleLog at {self.host} that takes updates: update = {{}}")
        if not session.get("password"):
            raise Failed(f"choose a password first: http://{self.host}/update")
        password = os.environ.get("JOULELOG_PASSWORD") or getpass.getpass("The board's password: ")
        status, found = self.ask("POST", "/api/login", {"password": password})
        if status != 200:
            raise Failed(found.get("problem", f"no login: HTTP {status}"))
        self._headers["X-CSRF-Token"] = found["csrf"]

    def about(self) -> dict:
        """What runs there, and whether it takes updates."""
        status, found = self.ask("GET", "/api/update")
        if status != 200:
            raise Failed(f"{self.host} takes no updates: put `update = {{}}` into its config")
        return found

    def send(self, data: bytes, forced: bool, show) -> str:
        """Send a file; the version that starts next. show(share) is called meanwhile."""
        connection = http.client.HTTPConnection(self.host, timeout=_PATIENCE_S)
        try:
            connection.putrequest("POST", "/update" + ("?force=1" if forced else ""))
            for name, value in self._headers.items():
                connection.putheader(name, value)
            connection.putheader("Content-Type", "application/octet-stream")
            connection.putheader("Content-Length", str(len(data)))
            connection.endheaders()
            self._pour(connection, data, show)
            status, found = self._answer(connection)
        except (OSError, http.client.HTTPException) as problem:
            raise Failed(f"the connection ended: {problem}; the board's log says more") from None
        finally:
            connection.close()
        if status != 200 or "version" not in found:
            raise Failed(found.get("problem", f"HTTP {status}"))
        return found["version"]

    def _pour(self, connection: http.client.HTTPConnection, data: bytes, show) -> None:
        for at in range(0, len(data), _PIECE):
            if select.select([connection.sock], [], [], 0)[0]:
                return  # it has answered: it does not want the rest
            try:
                connection.send(data[at : at + _PIECE])
            except OSError:
                return  # the same, and its answer may be there
            show(min(1, (at + _PIECE) / len(data)))


class Bar:
    """Progress: a bar in a terminal, else a line now and then."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._said = -1
        self._redraws = sys.stdout.isatty()

    def show(self, share: float) -> None:
        percent = int(100 * share)
        if percent == self._said or (not self._redraws and percent < min(100, self._said + 10)):
            return
        self._said = percent
        done = "#" * (_WIDTH * percent // 100)
        text = f"[{done:<{_WIDTH}}] {percent:3} % of {self._total} bytes"
        print(
            f"\r{text}" if self._redraws else text, end="" if self._redraws else "\n", flush=True
        )

    def end(self) -> None:
        if self._redraws and self._said >= 0:
            print()


def wait(board: Board, before: dict, head: updatefile.Head) -> str:
    """Wait until the board is back; what to say of it."""
    end = time.monotonic() + _BACK_S
    was_away = False
    while time.monotonic() < end:
        time.sleep(0.5)
        try:
            now = board.about()
        except Failed:
            was_away = True
            continue
        if (now["version"], now["made"]) == (head.version, head.made):
            return f"version {now['version']} of {now['made']} runs, on trial for now"
        if was_away and (now["version"], now["made"]) == (before["version"], before["made"]):
            raise Failed(
                f"the board runs version {now['version']} again: it has taken the update back; its"
                " log says why (make logs)"
            )
    raise Failed(
        f"the board is not back after {_BACK_S} s: look at it, and at its log (make logs)"
    )


def update(host: str, path: Path, forced: bool) -> str:
    """All of it; what to say at the end."""
    if not host or not path.name:
        raise Failed("HOST=<address of the board> and FILE=<….update> are needed")
    try:
        data = path.read_bytes()
        head = updatefile.Head(data[: updatefile.HEAD])
    except OSError as problem:
        raise Failed(f"FILE={path}: {problem.strerror}") from None
    except updatefile.UpdateError as problem:
        raise Failed(f"FILE={path}: {problem.args[1]}") from None
    board = Board(host)
    before = board.about()
    print(f"{before['board']} runs version {before['version']} of {before['made']}")
    print(f"the file has version {head.version} of {head.made} for {head.board}")
    board.log_in()
    bar = Bar(len(data))
    try:
        version = board.send(data, forced, bar.show)
    finally:
        bar.end()
    print(f"version {version} is written; the board starts it")
    return wait(board, before, head)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--host", default="")
    parser.add_argument("--file", type=Path, default=Path())
    parser.add_argument("--force", action="store_true", help="an older version as well")
    given = parser.parse_args(arguments)
    try:
        print(update(given.host, given.file, given.force))
    except Failed as problem:
        print(f"update: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
