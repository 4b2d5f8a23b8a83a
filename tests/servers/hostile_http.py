"""An HTTP server that does what servers do on a bad day; the path picks the behaviour.

    with HostileServer() as server:                 # a thread of its own, a free port
        url = server.url("/hang")                   # "http://127.0.0.1:40123/hang"
        ...
        server.requests                             # what came in: (method, path, headers, body)

    python3 tests/servers/hostile_http.py           # the same by hand: prints its URL

For TLS: HostileServer(pair=(certificate, key)); server.handshakes counts the ones that succeeded.
"""

import asyncio
import socket
import ssl
import threading

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

# Whole answers, after which the connection is closed.
ANSWERS = {
    "/ok": _OK,
    "/echo": b"",  # made from the request
    "/no-length": b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    "/bare-lf": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "/chunked": _CHUNKED + b"4\r\nwiki\r\n5;x=y\r\npedia\r\n0\r\n\r\n",
    "/chunked-cut": _CHUNKED + b"4\r\nwiki\r\n50\r\npedia",
    "/chunked-bad": _CHUNKED + b"zz\r\nwiki\r\n0\r\n\r\n",
    "/chunked-huge": _CHUNKED + b"1000\r\n" + b"x" * 4096 + b"\r\n0\r\n\r\n",
    "/compressed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b",
    "/bad-status": b"HELLO I AM NO WEB SERVER\r\n\r\n",
    "/bad-code": b"HTTP/1.1 OK\r\n\r\n",
    "/bad-length": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nok",
    "/negative-length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nok",
    "/cut-at-once": b"",
    "/cut-status": b"HTTP/1.1 20",
    "/cut-head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "/cut-after-line": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
    "/cut-body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
    "/long-line": b"HTTP/1.1 400 Bad\r\nX-Error: "
    + b"e" * 4000
    + b"\r\nContent-Length: 2\r\n\r\nno",
    "/huge-body": b"HTTP/1.1 500 Oops\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000000,
    "/redirect": b"HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n",
    "/permanent": b"HTTP/1.1 308 Moved\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n",
    "/401": b"HTTP/1.1 401 No\r\nContent-Length: 4\r\nWWW-Authenticate: Bearer\r\n\r\nkey?",
    "/429": b"HTTP/1.1 429 Slow\r\nRETRY-AFTER: 7\r\nContent-Length: 0\r\n\r\n",
}

# Answers after which the connection stays open, as with keep-alive or a dead server.
OPEN_ANSWERS = {
    "/204": b"HTTP/1.1 204 No Content\r\nX-Version: 1.6.7\r\n\r\n",
    "/ok-open": _OK,
    "/hang": b"",
    "/hang-head": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
    "/hang-body": b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf of",
}

# What is sent over and over until the client has enough (some MB at most).
_ENOUGH = 5000
ENDLESS = {
    "/endless-line": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 1000),
    "/endless-head": (b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 50),
    "/endless-body": (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000),
    "/endless-chunks": (_CHUNKED, b"3e8\r\n" + b"x" * 1000 + b"\r\n"),
}


class HostileServer:
    """The server in its own thread and event loop, so that it never shares the client's."""

    def __init__(self, pair: tuple[str, str] | None = None) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.received = 0  # bytes that came in, whatever they were
        self.connections = 0
        self.handshakes = 0
        self._context = None
        if pair:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*pair)
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda loop, context: None)  # clients that vanish
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._socket.getsockname()[1]
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "HostileServer":
        self._thread.start()
        self._started.wait(5)
        return self

    def __exit__(self, *error) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The URL of a behaviour."""
        return "%s://%s:%d%s" % ("https" if self._context else "http", host, self.port, path)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(
            asyncio.start_server(self._client, sock=self._socket, ssl=self._context)
        )
        self._loop.call_soon(self._started.set)
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._socket.close()
        self._loop.close()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.handshakes += self._context is not None
        try:
            await self._answer(reader, writer)
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.received += len(head)
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        if path == "/refuse-body":  # says no before it has read all, and hangs up
            self.requests.append((method, path, headers, b""))
            writer.write(b"HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n")
            return
        body = await reader.readexactly(int(headers.get("Content-Length", "0")))
        self.received += len(body)
        self.requests.append((method, path, headers, body))
        name = path.split("?")[0]
        if name == "/echo":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        elif name == "/slow":
            for at in range(len(_OK)):
                writer.write(_OK[at : at + 1])
                await asyncio.sleep(0.1)
        elif name in ENDLESS:
            start, more = ENDLESS[name]
            writer.write(start)
            for _ in range(_ENOUGH):
                if writer.is_closing() or reader.at_eof() or reader.exception():
                    break
                writer.write(more)
                await writer.drain()
                await asyncio.sleep(0)  # a lost connection is only noticed between two steps
        elif name in OPEN_ANSWERS:
            writer.write(OPEN_ANSWERS[name])
            await reader.read()  # until the client goes
        else:
            writer.write(ANSWERS.get(name, b"HTTP/1.1 404 What\r\nContent-Length: 0\r\n\r\n"))
        await writer.drain()


class MuteServer:
    """Accepts connections, into the backlog, and never says a word: not even a TLS handshake."""

    def __enter__(self) -> "MuteServer":
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._socket.getsockname()[1]
        return self

    def __exit__(self, *error) -> None:
        self._socket.close()


if __name__ == "__main__":
    with HostileServer() as shown:
        print(shown.url("/"), *sorted([*ANSWERS, *OPEN_ANSWERS, *ENDLESS, "/slow"]))
        threading.Event().wait()
