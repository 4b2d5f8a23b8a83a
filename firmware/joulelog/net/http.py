"""HTTP requests with a time-out, a size limit and a checked certificate: one request, one answer.

    status, headers, text = await http.request(
        "POST", "https://influx.example/write?db=energy", body,
        headers={"Authorization": "Token ..."}, tls_context=tls.context(entry), timeout_ms=10000)

aiohttp does the talking: micropython-lib's on a board (http_board), PyPI's on a computer
(tools/host/shims/http_computer.py). Nothing else touches it. Both send HTTP/1.0 with
"Connection: close". A redirect is an answer like any other: no header ever goes to another place
than the config names.
Whatever fails is a NetError whose text never holds a header, the path or the body.

    pick = Picker(["power"])                        # lib/jsonpick
    login = Login(user, password, os.urandom)       # lib/httpauth; for all requests to a device
    status, headers, _ = await http.request(
        "GET", "http://192.0.2.7/status", limit=16384, receiver=pick.feed, login=login)
"""

import asyncio
import sys

from .. import VERSION, clock, net
from ..errors import NetError
from . import TRUNCATED, dns
from .url import check_headers, split

if sys.implementation.name == "micropython":
    from . import http_board as client
else:
    import http_computer as client  # type: ignore[import-not-found] - in tools/host/shims

__all__ = ("TRUNCATED", "request")


def request(
    method: str,
    url: str,
    body=None,
    headers: dict | None = None,
    tls_context=None,
    timeout_ms: int = 10000,
    limit: int = 2048,
    receiver=None,
    login=None,
):
    """Await it: (status, headers with lower-case names, at most `limit` bytes of the body).

    When there was more, the headers have the key TRUNCATED, which no server can set.
    body is None, bytes, bytearray or memoryview. https needs a tls_context (net/tls). All of it,
    from the name to the last byte, takes at most timeout_ms. Raises NetError.

    receiver: a function that gets the body of a 2xx in pieces; nothing of it is returned then.
    login: answers a 401 once (an object as httpauth.Login); then that is the answer.
    """
    how = (method, url, body, headers or {}, tls_context, timeout_ms, limit, receiver)
    return _let_in(login, *how) if login else _once(*how)


async def _let_in(
    login, method, url, body, headers, tls_context, timeout_ms, limit, receiver
) -> tuple[int, dict, bytes]:
    """A request with a login, and once more where that was not asked for before."""
    sent = dict(headers)
    _, _, _, path = split(url)
    until_ms = clock.uptime_ms() + timeout_ms
    for last in (False, True):
        authorization = login.header(method, path)
        if authorization:
            sent["Authorization"] = authorization
        left_ms = until_ms - clock.uptime_ms()
        answer = await _once(method, url, body, sent, tls_context, left_ms, limit, receiver)
        if answer[0] != 401:
            login.accepted()
            break
        if not login.refused([answer[1].get("www-authenticate", "")]) or last:
            break
    return answer


async def _once(
    method: str, url: str, body, headers: dict, tls_context, timeout_ms: int, limit: int, receiver
) -> tuple[int, dict, bytes]:
    """One request and its answer."""
    secure, host, port, path = split(url)
    if secure and tls_context is None:
        raise NetError("https without a TLS context: nothing is sent unchecked")
    sent = {"User-Agent": "JouleLog/" + VERSION, "Connection": "close"}
    sent.update(headers)
    sent["Host"] = host if port == (443 if secure else 80) else "%s:%d" % (host, port)
    check_headers(sent)
    exchange = client.Exchange(host, port, path, tls_context if secure else None, timeout_ms)
    started_ms = clock.uptime_ms()
    try:
        answer = await clock.wait_for_ms(
            exchange.run(method, body, sent, limit, receiver), timeout_ms
        )
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
