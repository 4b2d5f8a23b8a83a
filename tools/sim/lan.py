"""A device on the LAN that answers over HTTP, with a login where it has one, and on bad days.

    device = Device(answer, Login("digest", "admin", "secret"))      # on a free port of 127.0.0.1
    device.url                       # "http://127.0.0.1:40123"
    device.mode = "reset"            # from now on
    device.requests                  # [(method, target, body)] of those that were let in
    device.close()

answer(method, target, body) gives (status, content type, bytes) or None: 404. Logins as RFC 7617
and RFC 7616 have them; a nonce holds until `new_nonce()`, which is what a restart does.

The modes: "ok", "hang" (accepts and never answers), "reset" (cuts in mid-answer), "half" (half an
answer, and the connection stays open), "garbage", "huge" (10 MB), "401" (whatever is sent), or a
number: that status. A function of how many requests have come makes each request's mode.
"""

import base64
import hashlib
import os
import re
import select
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

_HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
Answer = Callable[[str, str, bytes], "tuple[int, str, bytes] | None"]


class Login(NamedTuple):
    """kind: "basic", "digest" or "digest-md5"."""

    kind: str
    user: str
    password: str
    realm: str = "device"


class Device:
    """See the module's text."""

    def __init__(
        self,
        answer: Answer,
        login: Login | None = None,
        port: int = 0,
        free: tuple = (),
        address: str = "127.0.0.1",
    ) -> None:
        """free: targets that need no login."""
        self.answer = answer
        self.login = login
        self._free = free
        self.mode: str | Callable[[int], str] = "ok"
        self.count = 0  # requests that came
        self.requests: list[tuple[str, str, bytes]] = []
        self.refused = 0  # requests that were answered by 401
        self._used: set[tuple[str, str]] = set()  # (nonce, count): each is good for one request
        self._closing = threading.Event()
        self.new_nonce()
        device = self

        class Handler(_Handler):
            owner = device

        self._server = ThreadingHTTPServer((address, port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://{address}:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Nobody answers any more."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def new_nonce(self) -> None:
        """As after a restart."""
        self.nonce = os.urandom(8).hex()

    def hang(self, connection: socket.socket) -> None:
        """Until the device is closed, or has another mode, or the client has gone."""
        mode = self.mode
        while self.mode == mode and not self._closing.is_set():
            if select.select([connection], [], [], 0.05)[0]:
                return

    def mode_now(self) -> str:
        """Of the request that has just come."""
        self.count += 1
        return self.mode(self.count) if callable(self.mode) else self.mode

    def challenge(self) -> str:
        """The value of WWW-Authenticate."""
        assert self.login
        kind, realm = self.login.kind, self.login.realm
        if kind == "basic":
            return f'Basic realm="{realm}"'
        algorithm = "MD5" if kind == "digest-md5" else "SHA-256"
        nonce = f'nonce="{self.nonce}", algorithm={algorithm}'
        return f'Digest qop="auth", realm="{realm}", {nonce}'

    def lets_in(self, method: str, target: str, authorization: str) -> bool:
        """Whether a request's Authorization is right."""
        if not self.login or target in self._free:
            return True
        kind, user, password, realm = self.login
        if kind == "basic":
            wanted = base64.b64encode(f"{user}:{password}".encode()).decode()
            return authorization == "Basic " + wanted
        if authorization[:7].lower() != "digest ":
            return False
        found = re.findall(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^,\s]*))', authorization[7:])
        told = {name.lower(): quoted or plain for name, quoted, plain in found}
        once = (told.get("nonce", ""), told.get("nc", ""))
        if told.get("uri") != target or once[0] != self.nonce or once in self._used:
            return False
        algorithm = "MD5" if kind == "digest-md5" else "SHA-256"
        made = _HASHES[algorithm]
        secret = made(f"{user}:{realm}:{password}".encode()).hexdigest()
        asked = made(f"{method}:{target}".encode()).hexdigest()
        parts = [secret, once[0], once[1], told.get("cnonce", ""), "auth", asked]
        if told.get("response") != made(":".join(parts).encode()).hexdigest():
            return False
        self._used.add(once)
        return told.get("username") == user and told.get("qop") == "auth"


class _Handler(BaseHTTPRequestHandler):
    owner: Device

    def do_GET(self) -> None:
        device = self.owner
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        mode = device.mode_now()
        if mode == "hang":
            device.hang(self.connection)
            return
        if mode == "garbage":
            self.wfile.write(os.urandom(300))
            return
        if mode.isdigit() and mode != "401":
            self._send(int(mode), "text/plain", b"not now")
            return
        authorization = self.headers.get("Authorization", "")
        if mode == "401" or not device.lets_in(self.command, self.path, authorization):
            device.refused += 1
            more = {"WWW-Authenticate": device.challenge()} if device.login else {}
            self._send(401, "text/plain", b"Unauthorized", more)
            return
        device.requests.append((self.command, self.path, body))
        status, kind, text = device.answer(self.command, self.path, body) or (
            *(404, "text/plain"),
            b"Not Found",
        )
        if mode in ("reset", "half"):
            self._begin(status, kind, len(text))
            self.wfile.write(text[: len(text) // 2])
            self.wfile.flush()
            if mode == "half":
                device.hang(self.connection)
            else:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
            return
        if mode == "huge":
            text += b" " * 10_000_000
        self._send(status, kind, text)

    do_POST = do_PUT = do_GET

    def _begin(self, status: int, kind: str, size: int, more: dict | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, status: int, kind: str, text: bytes, more: dict | None = None) -> None:
        try:
            self._begin(status, kind, len(text), more)
            self.wfile.write(text)
        except OSError:
            pass  # the client has gone

    def log_message(self, format: str, *arguments) -> None:
        """Nothing on the terminal."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (OSError, ValueError):
            self.close_connection = True
