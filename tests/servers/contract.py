"""An HTTP/1.1 server on 127.0.0.1 that keeps a contract, and breaks it on request.

    with EmonCms() as server:                # a subclass says what a request means
        server.script = ["hang", "cut_before", "ok"]     # one per request, then `mode`
        ... server.url, server.requests ...

Modes that every server knows (subclasses add theirs in `answer_in_mode`):

    ok          the contract
    slow        the contract, after `delay_s`
    hang        takes the request, stores nothing, never answers
    cut_before  closes without an answer; nothing stored
    cut_after   stores, closes in mid-answer (in the body, else in the status line)
    silent      stores, closes without an answer
    500 502 503 429 413 408   that status, nothing stored (429 and 503: Retry-After)

It runs in a thread of its own, so that tests of any kind, and other processes, can use it.
Standard library only.
"""

import asyncio
import threading
from urllib.parse import parse_qsl, unquote, urlsplit

REASONS = {200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized"}


class Request:
    """One HTTP request."""

    def __init__(self, method: str, target: str, headers: dict, body: bytes) -> None:
        parts = urlsplit(target)
        self.method = method
        self.target = target
        self.path = unquote(parts.path)
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.headers = headers  # lower-case names
        self.body = body
        self.mode = ""


class Answer(Exception):
    """What the server says; raised or returned."""

    def __init__(self, status: int, body: str | bytes = b"", headers: dict | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body.encode() if isinstance(body, str) else body
        self.headers = headers or {}


class ContractServer:
    """The HTTP part; `handle` is the contract."""

    def __init__(self, port: int = 0, tls_context=None, mode: str = "ok") -> None:
        self.port = port
        self.mode = mode
        self.script: list[str] = []
        self.delay_s = 0.5
        self.retry_after = "1"
        self.requests: list[Request] = []
        self._tls = tls_context
        self._loop = None
        self._thread = None
        self._failure = None

    def handle(self, request: Request) -> Answer:
        """Store what the request holds; return the answer, or raise it."""
        raise NotImplementedError

    def answer_in_mode(self, mode: str, request: Request) -> Answer:
        """The answer in a mode that only this kind of server knows."""
        raise ValueError("unknown mode %r" % mode)

    @property
    def url(self) -> str:
        """Where it listens."""
        return "%s://127.0.0.1:%d" % ("https" if self._tls else "http", self.port)

    def start(self) -> "ContractServer":
        """Listen; returns when it does."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait(10)
        if self._failure:
            raise self._failure
        return self

    def stop(self) -> None:
        """Close all connections and stop listening; what was stored stays. start() goes on."""
        if self._loop and self._thread:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
        self._thread = None

    __enter__ = start

    def __exit__(self, *error) -> None:
        self.stop()

    def _run(self, ready) -> None:
        try:
            asyncio.run(self._serve(ready))
        except OSError as failure:  # the port is taken
            self._failure = failure
            ready.set()

    async def _serve(self, ready) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._connections: set = set()
        server = await asyncio.start_server(
            self._connection, "127.0.0.1", self.port, ssl=self._tls
        )
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connection(self, reader, writer) -> None:
        task = asyncio.current_task()
        self._connections.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, EOFError, ValueError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _exchange(self, reader, writer) -> bool:
        """One request and its answer; returns whether the connection stays."""
        line = await reader.readline()
        if not line:
            return False
        method, target, version = line.decode("latin-1").split()
        headers: dict = {}
        while True:
            line = (await reader.readline()).decode("latin-1").rstrip("\r\n")
            if not line:
                break
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        request = Request(method, target, headers, body)
        request.mode = self.script.pop(0) if self.script else self.mode
        self.requests.append(request)
        return await self._respond(request, version, writer)

    async def _respond(self, request: Request, version: str, writer) -> bool:
        mode = request.mode
        if mode == "hang":
            await asyncio.sleep(3600)
        if mode == "cut_before":
            return False
        if mode == "slow":
            await asyncio.sleep(self.delay_s)
        answer = self._answer(mode, request)
        if mode == "silent":
            return False
        keep = version == "HTTP/1.1" and request.headers.get("connection", "").lower() != "close"
        head = ["%s %d %s" % ("HTTP/1.1", answer.status, REASONS.get(answer.status, "Other"))]
        fields = {"Connection": "keep-alive" if keep else "close"}
        if answer.status != 204:
            fields["Content-Length"] = str(len(answer.body))
        fields.update(answer.headers)
        head.extend("%s: %s" % field for field in fields.items())
        data = ("\r\n".join(head) + "\r\n\r\n").encode() + answer.body
        if mode == "cut_after":
            data = data[: len(data) - (len(answer.body) + 1) // 2] if answer.body else data[:7]
            keep = False
        writer.write(data)
        await writer.drain()
        if not keep:
            writer.close()  # a clean end, so that what was written arrives
            await writer.wait_closed()
        return keep

    def _answer(self, mode: str, request: Request) -> Answer:
        if mode.isdigit():
            headers = {"Retry-After": self.retry_after} if mode in ("429", "503") else {}
            return Answer(int(mode), b"", headers)
        try:
            if mode in ("ok", "slow", "cut_after", "silent"):
                return self.handle(request)
            return self.answer_in_mode(mode, request)
        except Answer as answer:
            return answer
