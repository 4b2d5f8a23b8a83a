"""What the batch sinks that speak HTTP share: the request, and what statuses mean everywhere.

A subclass sets `_headers`, sends with `await self._exchange(target, body)` and hands every answer
that it does not know better to `self._fail(status, headers, words)`. Whatever a server says is
shortened and freed of the sink's secrets before it gets into a text.

What is constant in the readings of a source it returns from `_plan(source)`: the begin of a
reading and, per channel, (index, decimals or TEXT, the key with the comma before it).
"""

import json

import civil
from exact import text as exact_text
from micropython import const

from ..net import tls
from .batch import SCHEMA as _BATCH
from .batch import BatchSink
from .errors import Denied, Refused, Retry
from .sink import Writer

SCHEMA = (_BATCH, tls.SCHEMA)  # not joined: the texts stay in ROM

TEXT = const(-1)  # in place of the decimals: a text channel
_PLANS = const(8)  # sources whose constant parts are kept ready
_ANSWER_LIMIT = const(2048)  # bytes of an answer that are read
_WORDS_LIMIT = const(160)  # characters of the server's words in a log line
_LONGEST_WAIT_S = const(600)
_TELLING = const(6)  # characters of a secret in a row that are too many
_UNREADABLE_WAIT_S = const(10)  # for a Retry-After that is neither a number nor a date
# Most names have nothing else; strip() finds that out at the speed of C.
PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"


class HttpBatchSink(BatchSink):
    """A batch sink on HTTP; see the module's text."""

    def __init__(self, name: str, entry: dict, app, cursor, secrets: tuple, request) -> None:
        BatchSink.__init__(self, name, entry, app, cursor)
        if request is None:  # tests bring their own, and need no client
            from ..net import http

            request = http.request
        self._url = entry["url"].rstrip("/")
        self._secrets = [form for secret in secrets if secret for form in _forms(secret)]
        self._headers: dict = {}
        self._tls = tls.context(entry)
        self._request = request
        self._plans: dict = {}  # Source -> what _plan() made of it

    def _plan(self, source) -> tuple:
        raise NotImplementedError

    def _planned(self, source) -> tuple:
        """What is constant in the readings of a source."""
        plan = self._plans.get(source)
        if plan is None:
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            plan = self._plans[source] = self._plan(source)
        return plan

    def _put_values(self, out: Writer, begin: tuple, columns: tuple, values: tuple) -> bool:
        """Write the values that there are, these texts before the first; False: there are none."""
        begun = False
        for index, decimals, key in columns:
            value = values[index]
            if value is None:
                continue
            if not begun:
                for piece in begin:
                    out.put(piece)
                key = key[1:]  # without its comma
                begun = True
            out.put(key)
            out.put(quoted(value) if decimals == TEXT else exact_text(value, decimals))
        return begun

    async def _exchange(self, target: str, body) -> tuple:
        """POST the body; return (status, headers, body of the answer), or raise Retry."""
        if self._tls is not None:
            from ..net import handshake

            await handshake.time_known(self._tls, self.say)
        timeout_ms = self.entry["timeout"] * 1000
        reason = ""
        try:
            return await self._request(
                "POST",
                self._url + target,
                body,
                self._headers,
                self._tls,
                timeout_ms,
                _ANSWER_LIMIT,
            )
        except OSError as failure:
            reason = self._clean(str(failure)) or "the network failed"
        raise Retry(reason)  # not inside the handler, which would keep the failed one's buffers

    def _fail(self, status: int, headers: dict, words: str) -> None:
        """Raise what a status means on every server; words are the server's, cleaned."""
        said = "HTTP %d" % status + (": " + words if words else "")
        if status == 413:
            raise Refused("too large for the server (%s)" % said)
        if status == 408 or status == 425 or status == 429 or status >= 500:
            raise Retry(said, wait_s(headers.get("retry-after"), self.app.clock.now()))
        if 300 <= status < 400:
            place = self._clean(headers.get("location", "another address"))
            raise Denied("the server sends us on to %s: put the right address into `url`" % place)
        if status == 401 or status == 403:
            raise Denied("access refused, check user and key (%s)" % said)
        raise Denied("not an answer that belongs here, check `url` (%s)" % said)

    def _clean(self, text: str) -> str:
        """One short line without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        for secret in self._secrets:  # and pieces: a server cuts what it quotes
            for start in range(len(secret) - _TELLING + 1):
                text = text.replace(secret[start : start + _TELLING], "***")
        text = " ".join(text.split())
        return text if len(text) <= _WORDS_LIMIT else text[:_WORDS_LIMIT] + "..."

    def _words(self, body: bytes) -> str:
        """What the server says, out of {"error": ...} or {"message": ...} or as it is, cleaned."""
        answer = parsed(body)
        if isinstance(answer, dict):
            for key in ("message", "error"):
                if isinstance(answer.get(key), str):
                    return self._clean(answer[key])
        return self._clean(decoded(body))


def quoted(value: str) -> str:
    """A text field of line protocol."""
    return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')


def _forms(secret: str) -> list:
    """The secret as servers may write it; what they make of it for HTML has pieces of these."""
    forms = [secret]
    for form in (percent(secret), json.dumps(secret)[1:-1]):
        if form not in forms:
            forms.append(form)
    return forms


def percent(value: str) -> str:
    """Percent-encoded for a query or a form."""
    if not value.strip(PLAIN):
        return value
    parts = []
    for byte in value.encode():
        char = chr(byte)
        if char in PLAIN:
            parts.append(char)
        else:
            parts.append("%%%02X" % byte)
    return "".join(parts)


def decoded(body: bytes) -> str:
    """Text of an answer; where its UTF-8 is damaged or cut, "?" for all that is not ASCII."""
    try:
        return bytes(body).decode()
    except UnicodeError:
        return "".join([chr(byte) if byte < 128 else "?" for byte in body])


def parsed(body: bytes):
    """The JSON of an answer, or None."""
    try:
        return json.loads(decoded(body))
    except ValueError:
        return None


def wait_s(retry_after: str | None, now: int | None) -> int:
    """Seconds that a Retry-After header asks for, at most 600; 0 without one.

    now is UTC in seconds since 2000-01-01, or None while it is unknown.
    """
    if not retry_after:
        return 0
    text = retry_after.strip()
    if text.isdigit():
        return min(int(text), _LONGEST_WAIT_S) if len(text) < 6 else _LONGEST_WAIT_S
    then = http_date(text)
    if then is None or now is None:
        return _UNREADABLE_WAIT_S
    return max(0, min(then - now, _LONGEST_WAIT_S))


def http_date(text: str) -> int | None:
    """Seconds since 2000-01-01 of "Fri, 20 Nov 2026 10:00:00 GMT" (RFC 9110 5.6.7), or None."""
    parts = text.replace(":", " ").split()
    if len(parts) != 8 or len(parts[2]) != 3:
        return None
    month = _MONTHS.find(parts[2])
    for index in (1, 3, 4, 5, 6):
        if not parts[index].isdigit():
            return None
    if month < 0 or month % 3:
        return None
    day, year, hour, minute, second = [int(parts[index]) for index in (1, 3, 4, 5, 6)]
    return civil.seconds(year, month // 3 + 1, day, hour, minute, second)
