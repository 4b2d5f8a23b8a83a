"""HTTP requests with a time-out, a size limit and a checked certificate: one request, one answer.

    status, headers, text = await http.request(
        "POST", "https://influx.example/write?db=energy", body,
        headers={"Authorization": "Token ..."}, tls_context=tls.context(entry), timeout_ms=10000)

aiohttp does the talking: micropython-lib's on a board (http_board), PyPI's on a computer
(tools/host/shims/http_computer.py). Nothing else touches it. Both send HTTP/1.0 with
"Connection: close". A redirect is an answer like any other: no header ever goes to another place
than the config names.
Whatever fails is a NetError whose text never holds a header, the path or the body.
"""

import asyncio
import sys

from joulelog import VERSION, clock, net
from joulelog.errors import NetError
from joulelog.net import TRUNCATED, dns
from joulelog.net.url import check_headers, split

if sys.implementation.name == "micropython":
    from joulelog.net import http_board as client
else:
    import http_computer as client  # type: ignore[import-not-found] - in tools/host/shims

__all__ = ("TRUNCATED", "request")


async def request(
    method: str,
    url: str,
    body=None,
    headers: dict | None = None,
    tls_context=None,
    timeout_ms: int = 10000,
    limit: int = 2048,
) -> tuple[int, dict, bytes]:
    """Return (status, headers with lower-case names, at most `limit` bytes of the body).

    When there was more, the headers have the key TRUNCATED, which no server can set.
    body is None, bytes, bytearray or memoryview. https needs a tls_context (net/tls). All of it,
    from the name to the last byte, takes at most timeout_ms. Raises NetError.
    """
    secure, host, port, path = split(url)
    if secure and tls_context is None:
        raise NetError("https without a TLS context: nothing is sent unchecked")
    sent = {"User-Agent": "JouleLog/" + VERSION, "Connection": "close"}
    sent.update(headers or {})
    sent["Host"] = host if port == (443 if secure else 80) else "%s:%d" % (host, port)
    check_headers(sent)
    exchange = client.Exchange(host, port, path, tls_context if secure else None, timeout_ms)
    started_ms = clock.uptime_ms()
    try:
        answer = await clock.wait_for_ms(exchange.run(method, body, sent, limit), timeout_ms)
        net.answered()
        return answer
    except asyncio.TimeoutError:
        net.unanswered()
        waited_ms = clock.uptime_ms() - started_ms
        reason = "no answer within %d s, %s" % (max(1, (waited_ms + 500) // 1000), exchange.step)
    except client.ERRORS as error:
        net.unanswered(error)
        reason = exchange.explain(error)
    finally:
        exchange.end()
    if exchange.step == client.CONNECTING:
        dns.forget(host)  # it may have moved
    # Not inside the handler: a chained exception would keep the failed one's buffers alive.
    raise NetError("%s:%d: %s" % (host, port, reason))
