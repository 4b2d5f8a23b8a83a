"""The computer's half of net/http: PyPI's aiohttp, with the habits of the board's half."""

import socket

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from joulelog.errors import NetError
from joulelog.net import TRUNCATED, dns, words

RESOLVING = "looking up the name"
CONNECTING = "connecting"
_EXCHANGING = "sending or receiving"

ERRORS = (OSError, EOFError, ValueError, MemoryError, aiohttp.ClientError)

_HEAD_MAX = 16384
_PIECE = 512


class _Known(AbstractResolver):
    """Answers with the address that net/dns has found already."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def resolve(self, host: str, port: int = 0, family=socket.AF_INET) -> list:
        return [
            {
                "hostname": host,
                "host": self._address,
                "port": port,
                "family": socket.AF_INET,
                "proto": 0,
                "flags": 0,
            }
        ]

    async def close(self) -> None:
        pass


class Exchange:
    """One request and its answer over one connection. step says how far it came."""

    def __init__(self, host: str, port: int, path: str, tls_context, timeout_ms: int) -> None:
        self.step = RESOLVING
        self._host = host
        self._timeout_ms = timeout_ms
        self._tls_context = tls_context
        scheme = "http" if tls_context is None else "https"
        self._url = "%s://%s:%d%s" % (scheme, host, port, path)

    async def run(self, method: str, body, headers: dict, limit: int, receiver=None):
        """Return (status, headers, at most limit bytes of the body); see http.request."""
        address = await dns.resolve(self._host, self._timeout_ms * 3 // 4)
        self.step = CONNECTING
        connector = aiohttp.TCPConnector(resolver=_Known(address), force_close=True)
        session = aiohttp.ClientSession(
            connector=connector,
            version=aiohttp.HttpVersion10,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type"),
            timeout=aiohttp.ClientTimeout(total=None),
            max_line_size=_HEAD_MAX,
            max_field_size=_HEAD_MAX,
            trace_configs=[self._trace()],
        )
        sending = session.request(
            method,
            URL(self._url, encoded=True),
            data=None if body is None else bytes(body),
            headers=headers,
            ssl=True if self._tls_context is None else self._tls_context,
            allow_redirects=False,
        )
        async with session, sending as response:
            return await self._answer(response, limit, receiver)

    def end(self) -> None:
        """Nothing is left open: the session closes on its way out."""

    def explain(self, error: BaseException) -> str:
        """Return plain words for what this request died of."""
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            reason = getattr(error.certificate_error, "verify_message", "")
            return "certificate not accepted: " + (reason or "not valid")
        if isinstance(error, aiohttp.ClientConnectorSSLError):
            return "TLS failed: %s" % (getattr(error.os_error, "reason", "") or "no common ground")
        if isinstance(error, aiohttp.ClientConnectorError):
            return words(error.os_error)
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return "the connection was cut in mid-answer"
        if isinstance(error, aiohttp.ClientPayloadError):
            return "the connection was cut in mid-answer"
        if isinstance(error, aiohttp.ClientResponseError):
            return "the server does not speak HTTP"
        if isinstance(error, NetError):
            return str(error)
        if isinstance(error, OSError):
            return words(error)
        if isinstance(error, MemoryError):
            return "not enough memory"
        return type(error).__name__

    def _trace(self):
        """Tell a connection that was not made from an answer that did not come."""

        async def connected(session, context, params) -> None:
            self.step = _EXCHANGING

        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(connected)
        return trace

    async def _answer(self, response, limit: int, receiver):
        received = {}
        size = 0
        for name, value in response.headers.items():
            name = name.lower()
            if name == "www-authenticate" and name in received:
                value = received[name] + ", " + value
            received[name] = value
            size += len(name) + len(value) + 4
        if size > _HEAD_MAX:
            raise NetError("the head of the answer is longer than %d bytes" % _HEAD_MAX)
        if received.get("content-encoding", "identity") != "identity":
            raise NetError("the answer is compressed, although we did not ask for that")
        parts: list = []
        take = receiver if receiver and 200 <= response.status < 300 else parts.append
        left = limit + 1
        while left:
            part = await response.content.read(min(left, _PIECE))
            if not part:
                break
            take(part)
            left -= len(part)
        received.pop(TRUNCATED, None)
        if not left:
            received[TRUNCATED] = "yes"
        return response.status, received, b"".join(parts)[:limit]
