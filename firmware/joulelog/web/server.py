"""The one web server of the house: microdot, with what it lacks in front of it.

    pages = microdot.Microdot()
    server = Server(pages)               # port=80, connections=4; once the pages have their routes
    await server.run()                 # a task for ever; a cancel closes everything
    server.counters()

    async def save(request):           # a handler; always async: CPython runs others in threads
        request.client_addr[0]         # the client's address, as text
        request.g.fields               # the body's form or JSON object, decoded; {} without one
        await request.g.stream.read()  # of a path in server.streams: the next bytes; b"": no more

A board has few sockets and little heap. So four connections are served at a time, three more wait
for their turn, and all others are told to come again. A request is whole within 5 s, its head in
2 kB and its body in 8 kB, and lib/httphead finds nothing odd in it, or no handler sees it. An
answer goes out in pieces of 512 bytes, and is taken within 30 s. Each answer ends its connection.
Where all places are taken, whoever has sent nothing yet is asked to leave first (half-open ones).

microdot's own handle_request() reads without limits and prints what does not please it. So it is
used as its adapters for ASGI and WSGI use it: they make the Request, it finds the handler.
"""

import asyncio
import gc
import json
import logging

import httphead
import microdot  # type: ignore[import-not-found]
from httphead import Refused
from micropython import const

from .. import clock
from . import routes

_HEAD = const(2048)
_BODY = const(8192)
_PIECE = const(512)
_REQUEST_MS = const(5000)
_ANSWER_MS = const(30000)
_TURN_MS = const(3000)  # the longest that a connection waits for its turn
_LOOK_MS = const(20)
_WATCH_MS = const(2000)
_SILENT_MS = const(250)  # who has sent nothing for so long may have to make room
_LINGER_MS = const(1000)  # for the rest of a request that is refused, so that the answer is read
_LINGER = const(16384)
_WAITING = const(3)
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
# What every answer has, unless its handler says something else.
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    # Not no-referrer: with that, browsers send a plain form with "Origin: null" (Fetch, 3.2).
    ("Referrer-Policy", "same-origin"),
    (
        "Content-Security-Policy",
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("Cache-Control", "no-store"),
)
_PROBLEMS = (
    (404, "there is nothing at this address"),
    (405, "this address does not take that method"),
    (500, "this went wrong on the board; its log says more"),
)


def peer(writer) -> str:
    """The address of whoever is at the other end, as text; "" where nobody knows."""
    found = writer.get_extra_info("peername")
    if isinstance(found, (bytes, bytearray)):  # the Unix VM: a packed sockaddr_in
        return "%d.%d.%d.%d" % tuple(found[4:8])
    return str(found[0]) if found else ""


class _Visit:
    """A connection."""

    begun = False  # whether it has sent anything, or is past that

    def __init__(self) -> None:
        self.task = asyncio.current_task()
        self.since_ms = clock.uptime_ms()


class Server:
    """See the module's text."""

    accepted = 0
    answered = 0
    refused = 0  # requests that no handler has seen
    late = 0  # that were not whole in time
    busy = 0  # connections that found no place
    displaced = 0  # connections without a request that had to make room
    slow = 0  # answers that were not taken in time
    broken = 0  # connections that ended before their answer
    no_memory = 0
    failures = 0  # exceptions out of handlers
    streams: tuple = ()  # paths of POSTs whose body is of any length, and the handler's to read

    def __init__(self, pages, port: int = 80, connections: int = 4, host: str = "0.0.0.0") -> None:
        self._pages = pages
        self._port = port
        self._host = host
        self._connections = connections
        self._visits: list = []  # in the order of their coming; the first ones are served
        self._dict = type(microdot.Response().headers)  # with names in any case
        routes.simplify(pages.url_map)
        pages.options_handler = None  # there is no CORS, and so nothing to ask for
        for status, _ in _PROBLEMS:
            pages.error_handlers.setdefault(status, _told(status))
        pages.error_handlers.setdefault(Exception, self._failed)

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        return (
            ("accepted", self.accepted),
            ("answered", self.answered),
            ("refused", self.refused),
            ("late", self.late),
            ("busy", self.busy),
            ("displaced", self.displaced),
            ("slow", self.slow),
            ("broken", self.broken),
            ("no_memory", self.no_memory),
            ("failures", self.failures),
        )

    def open(self) -> int:
        """How many connections there are."""
        return len(self._visits)

    async def run(self) -> None:
        """Serve until cancelled. OSError: the port is not to be had."""
        while True:
            await self._listen()
            # MicroPython's task that accepts is gone: it had no memory for a connection. Its
            # socket goes with the next collection.
            self.no_memory += 1
            gc.collect()

    async def _listen(self) -> None:
        listening = await asyncio.start_server(self._visited, self._host, self._port)
        accepting = getattr(listening, "task", None)
        try:
            while not (accepting and accepting.done()):
                await clock.sleep_ms(_WATCH_MS)
        finally:
            listening.close()
            for visit in list(self._visits):
                visit.task.cancel()
            while self._visits:  # each closes its own
                await clock.sleep_ms(0)
            # MicroPython closes the socket when its task comes to its cancel; CPython's
            # wait_closed() waits for more than that.
            await clock.sleep_ms(0)

    async def _visited(self, reader, writer) -> None:
        """The life of one connection."""
        self.accepted += 1
        visit = _Visit()
        self._visits.append(visit)
        try:
            try:
                if await self._has_turn(visit):
                    await self._serve(visit, reader, writer)
            except Refused as reason:
                await self._refuse(reason, reader, writer)
        except MemoryError:
            self.no_memory += 1
        except asyncio.TimeoutError:  # CPython's is an OSError
            self.slow += 1
        except (OSError, EOFError):
            self.broken += 1
        except Exception as error:
            self.failures += 1
            # Not its text: that may hold what the request had.
            logging.getLogger("web").error("a request ended in %s", type(error).__name__)
        finally:
            visit.begun = True  # nobody asks it to leave any more
            try:
                await _close(writer)
            finally:
                self._visits.remove(visit)

    async def _has_turn(self, visit) -> bool:
        """Wait until it is among those that are served; raises Refused where that takes long."""
        if len(self._visits) <= self._connections:
            return True
        if len(self._visits) <= self._connections + _WAITING:
            visit.begun = True  # what it has sent, nobody has looked at
            while clock.uptime_ms() - visit.since_ms < _TURN_MS:
                self._make_room()
                await clock.sleep_ms(_LOOK_MS)
                if self._visits.index(visit) < self._connections:
                    visit.begun = False
                    return True
        raise Refused(503, "too many connections at a time: try again in a moment")

    def _make_room(self) -> None:
        """Ask the oldest one to leave that has sent nothing."""
        for visit in self._visits[: self._connections]:
            if not visit.begun and clock.uptime_ms() - visit.since_ms > _SILENT_MS:
                self.displaced += 1
                visit.begun = True
                visit.task.cancel()
                return

    async def _serve(self, visit, reader, writer) -> None:
        try:
            request = await clock.wait_for_ms(self._request(visit, reader, writer), _REQUEST_MS)
        except asyncio.TimeoutError:
            self.late += 1
            raise Refused(408, "the request was not whole after %d s" % (_REQUEST_MS // 1000))
        if request is None:
            return
        response = await self._pages.dispatch_request(request)
        await clock.sleep_ms(0)
        if response is microdot.Response.already_handled:
            return
        await self._send(response, writer)
        self.answered += 1
        if request.g.stream:
            await request.g.stream.drain()  # or the connection's end would overtake the answer

    async def _request(self, visit, reader, writer):
        """Read and check a request; None where there is none. Raises Refused."""
        data = b""
        size = 0
        while not size:
            piece = await reader.read(_PIECE)
            if not piece:
                if not data:
                    return None
                raise Refused(400, "the request ends before its head does")
            visit.begun = True
            data += piece
            size = httphead.size(data)
            if max(size, 0 if size else len(data)) > _HEAD:
                raise Refused(431, "the head of the request is longer than %d bytes" % _HEAD)
        head = httphead.Head(data[:size])
        await clock.sleep_ms(0)  # each of these is a step of its own: an ESP8266 is slow
        stream = None
        if head.method == "POST" and head.path in self.streams:
            from .stream import Stream

            stream = Stream(reader, data[size:], head.length)
            body = b""
        elif head.length > _BODY:
            raise Refused(413, "the body of the request is longer than %d bytes" % _BODY)
        else:
            body = await _body(reader, data[size:], head.length)
        url = head.path + ("?" + head.query if head.query else "")
        request = microdot.Request(
            self._pages,
            (peer(writer), 0),
            head.method,
            url,
            head.version[5:],
            self._dict(head.headers),
            body=body,
        )
        await clock.sleep_ms(0)
        request.g.stream = stream
        if stream:
            request.content_length = 0  # for microdot, which has a limit of its own
        kind = "" if stream else head.headers.get("content-type", "")
        request.g.fields = await _fields(kind, body)
        return request

    async def _refuse(self, reason, reader, writer) -> None:
        """Say why, and take what is still coming, or the connection's end would overtake it."""
        self.refused += 1
        status, problem = reason.args
        response = microdot.Response({"problem": problem}, status)
        if status == 503:
            self.busy += 1
            response.headers["Retry-After"] = "2"
        await self._send(response, writer)
        if len(self._visits) > self._connections + _WAITING:
            return  # it has to go at once
        try:
            await clock.wait_for_ms(_take_rest(reader), _LINGER_MS)
        except asyncio.TimeoutError:
            pass

    async def _send(self, response, writer) -> None:
        try:
            await clock.wait_for_ms(_write(response, writer), _ANSWER_MS)
        finally:
            if hasattr(response.body, "close"):
                response.body.close()

    async def _failed(self, request, error):
        """What microdot asks for an answer when a handler has raised."""
        if isinstance(error, MemoryError):
            self.no_memory += 1
            return microdot.Response.already_handled
        self.failures += 1
        name = type(error).__name__
        logging.getLogger("web").error("%s %s ended in %s", request.method, request.path, name)
        return {"problem": _PROBLEMS[2][1]}, 500


def _told(status: int):
    """A handler of microdot's for an answer without a handler."""

    async def handler(request):
        for known, problem in _PROBLEMS:
            if known == status:
                return {"problem": problem}, status

    return handler


async def _body(reader, first: bytes, length: int) -> bytes:
    """The body, of which the first bytes have come."""
    if length <= len(first):
        return first[:length]
    pieces = [first]
    missing = length - len(first)
    while missing:
        piece = await reader.read(min(_PIECE, missing))
        if not piece:
            raise Refused(400, "the request ends before its body does")
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


async def _fields(kind: str, body: bytes) -> dict:
    """What a body says, where it is a form or a JSON object. Raises Refused."""
    kind = kind.split(";")[0].strip().lower()
    found: dict = {}
    if kind == _FORM:
        for _ in httphead.form(body, found):
            await clock.sleep_ms(0)
    elif kind == _JSON:
        try:
            return json.loads(httphead.json_text(body))
        except ValueError:
            pass
        raise Refused(400, "the body is no JSON")
    return found


async def _take_rest(reader) -> None:
    taken = 0
    while taken < _LINGER:
        piece = await reader.read(_PIECE)
        if not piece:
            return
        taken += len(piece)


async def _write(response, writer) -> None:
    """The answer, piece by piece; nothing of it waits in memory of ours."""
    transport = getattr(writer, "transport", None)
    if transport:  # CPython: drain() waits until the system has it
        transport.set_write_buffer_limits(0)
    response.complete()
    headers = response.headers
    for name, value in _HEADERS:
        if name not in headers:
            headers[name] = value
    rows = []
    for name, value in headers.items():
        for one in value if isinstance(value, list) else (value,):
            rows.append((name, one))
    await _pieces(httphead.answer(response.status_code, rows), writer)
    body = response.body
    if response.is_head or not body:
        return
    if isinstance(body, (bytes, bytearray)):
        await _pieces(body, writer)
        return
    response.send_file_buffer_size = _PIECE
    async for part in response.body_iter():
        data = part.encode() if isinstance(part, str) else part
        await (_pieces(data, writer) if data else clock.sleep_ms(0))  # "" is a pause


async def _pieces(data, writer) -> None:
    view = memoryview(data)
    for start in range(0, len(view), _PIECE):
        writer.write(view[start : start + _PIECE])
        await writer.drain()


async def _close(writer) -> None:
    """Let go of the socket, whatever state it is in."""
    try:
        transport = getattr(writer, "transport", None)
        if transport and transport.get_write_buffer_size():
            transport.abort()  # CPython would wait for a client that does not read
        writer.close()
        await writer.wait_closed()
    except (OSError, EOFError):
        pass
