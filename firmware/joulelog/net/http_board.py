"""The board's half of net/http: micropython-lib's aiohttp, with the connection in our own hands.

aiohttp has no time-out and loses its socket when a request fails. Here `request_raw` is
overridden: the connection is ours, so that it is closed on every path, opened to an address that
net/dns found, and a body goes out without being copied. Needs aiohttp 0.0.8.
"""

import asyncio
import errno
import select
import socket
import sys

from .. import clock
from ..errors import NetError
from . import TRUNCATED, dns, words
from .bounded import BoundedReader


class _NoWebSockets:
    """In the place of a module of aiohttp that is not used here and takes 5 kB from files."""

    ClientWebSocketResponse = None
    WebSocketClient = None
    WSMsgType = None
    _WSRequestContextManager = None


sys.modules["aiohttp.aiohttp_ws"] = _NoWebSockets  # type: ignore[assignment]
import aiohttp  # type: ignore[import-not-found] # noqa: E402 - micropython-lib

RESOLVING = "looking up the name"
CONNECTING = "connecting"
_WAITING_FOR_TLS = "waiting for another TLS handshake"
_HANDSHAKE = "in the TLS handshake"
_SENDING = "sending"
_RECEIVING = "receiving"

ERRORS = (OSError, EOFError, IndexError, KeyError, ValueError, MemoryError, AssertionError)

_IPPROTO_TCP = 6
_TCP_NODELAY = 1
_X509_REFUSED = 0x2700  # MBEDTLS_ERR_X509_CERT_VERIFY_FAILED
_BODILESS = (204, 304)
_PIECE = 512


class _Redirected(Exception):
    """aiohttp wants to follow a redirect. args: (the reader of the first answer,)."""


class Exchange(aiohttp.ClientSession):
    """One request and its answer over one connection. step says how far it came."""

    def __init__(self, host: str, port: int, path: str, tls_context, timeout_ms: int) -> None:
        aiohttp.ClientSession.__init__(self)
        self.step = RESOLVING
        self._host = host
        self._port = port
        self._path = path
        self._tls_context = tls_context
        self._timeout_ms = timeout_ms
        self._head = {}
        self._answer = None
        self._socket = None
        self._stream = None

    async def run(self, method: str, body, headers: dict, limit: int, receiver=None):
        """Return (status, headers, at most limit bytes of the body); see http.request."""
        self._head = headers
        try:
            async with self.request(method, self._path, data=body) as response:
                return await self._receive(method, response, limit, receiver)
        except _Redirected as first:
            answer = first.args[0]
            return answer.status, {"location": answer.location}, b""

    async def _receive(self, method: str, response, limit: int, receiver):
        received = {}
        for name in response.headers:
            if name.lower() != TRUNCATED:
                received[name.lower()] = response.headers[name]
        challenges = self._answer.challenges  # type: ignore[union-attr]
        if challenges:
            received["www-authenticate"] = ", ".join(challenges)
        if method == "HEAD" or response.status in _BODILESS:
            return response.status, received, b""
        if received.get("content-encoding", "identity") != "identity":
            raise NetError("the answer is compressed, although we did not ask for that")
        if not 200 <= response.status < 300:
            receiver = None
        text, truncated = await self._body(response, received, limit, receiver)
        if truncated:
            received[TRUNCATED] = "yes"
        return response.status, received, text

    def end(self) -> None:
        """Close whatever is open; any number of times."""
        for opened in (self._stream, self._socket):
            if opened is not None:
                try:
                    opened.close()
                except OSError:
                    pass
        self._stream = self._socket = None

    def explain(self, error: Exception) -> str:
        """Return plain words for what this request died of."""
        if isinstance(error, NetError):
            return str(error)
        if isinstance(error, OSError):
            number = error.args[0] if error.args else 0
            if number in (_X509_REFUSED, -_X509_REFUSED):
                return "certificate not accepted"
            if self.step == _HANDSHAKE and words(error).startswith("network error"):
                return "TLS failed: %s" % words(error)
            return words(error)
        if isinstance(error, EOFError):
            return "the connection was cut in mid-answer"
        if isinstance(error, MemoryError):
            return "not enough memory"
        if self.step == _HANDSHAKE:  # a ValueError; mbedtls says what is wrong in its text
            return "certificate not accepted: %s" % str(error).strip()
        return "the server does not speak HTTP"

    async def request_raw(self, method, url, data=None, *unused, **also_unused):
        """Called by aiohttp: connect, send, and return what it reads the answer from."""
        if self._answer is not None:
            raise _Redirected(self._answer)
        address = await dns.resolve(self._host, self._timeout_ms * 3 // 4)
        self.step = CONNECTING
        await self._connect(address)
        lines = ["%s %s HTTP/1.0" % (method, url)]
        for name in self._head:
            lines.append("%s: %s" % (name, self._head[name]))
        if data is not None:
            lines.append("Content-Length: %d" % len(data))
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        if self._tls_context is None:
            self._stream = self._socket
            stream = asyncio.StreamWriter(self._stream)
            self.step = _SENDING
            await _send(stream, head)
        else:
            # The first write drives the handshake. Without an end of its own one server that
            # never answers would keep all others from theirs.
            self.step = _WAITING_FOR_TLS
            from . import handshake

            async with handshake.gate:
                self.step = _HANDSHAKE
                stream = await clock.wait_for_ms(self._secure(head), self._timeout_ms // 2)
        self.step = _SENDING
        if data:
            await _send(stream, memoryview(data))
        self.step = _RECEIVING
        self._answer = BoundedReader(stream)
        return self._answer

    async def _connect(self, address: str) -> None:
        self._socket = socket.socket()
        self._socket.setblocking(False)
        try:
            # Head and body are two writes: do not let the second wait for the first one's receipt.
            self._socket.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
        except OSError:
            pass
        try:
            self._socket.connect(socket.getaddrinfo(address, self._port)[0][-1])
        except OSError as error:
            if error.args[0] != errno.EINPROGRESS:
                raise
        poller = select.poll()
        poller.register(self._socket, select.POLLOUT)
        ready = poller.poll(0)
        while not ready:
            await clock.sleep_ms(10)
            ready = poller.poll(0)
        if ready[0][1] != select.POLLOUT:  # refused, which the next write says: it may have moved
            dns.forget(self._host)

    async def _secure(self, head: bytes):
        """Handshake, then send the head: nothing goes out before the certificate is checked."""
        self._stream = self._tls_context.wrap_socket(
            self._socket, server_hostname=self._host, do_handshake_on_connect=False
        )
        self._stream.setblocking(False)
        stream = asyncio.StreamWriter(self._stream)
        await _send(stream, head)
        return stream

    async def _body(self, response, received: dict, limit: int, receiver) -> tuple[bytes, bool]:
        """Return at most limit bytes, and whether there was more; EOFError when it is cut."""
        chunked = hasattr(response, "chunk_size")
        source = response if chunked else response.content
        left = limit + 1
        got = 0
        expected = None
        if not chunked and "content-length" in received:
            expected = int(received["content-length"])
            if expected < 0:
                raise ValueError
            left = min(left, expected)
        parts = []
        while left:
            part = await source.read(min(left, _PIECE))
            if not part:
                if expected is not None:
                    raise EOFError
                break
            left -= len(part)
            got += len(part)
            if receiver is None:
                parts.append(part)
            else:
                receiver(part)
                await clock.sleep_ms(0)  # what is here already would come without a pause
        return _join(parts, limit) if receiver is None else (b"", got > limit)


def _join(parts: list[bytes], limit: int) -> tuple[bytes, bool]:
    """Return at most limit bytes, and whether there was more, or no room for more."""
    truncated = False
    while True:
        try:
            text = b"".join(parts)
            return text[:limit], truncated or len(text) > limit
        except MemoryError:
            if len(parts) < 2:
                raise
            parts.pop()
            truncated = True


async def _send(stream, data) -> None:
    """Write all of it. Set as the stream's pending output it goes out without a copy."""
    stream.out_buf = data
    await stream.drain()
