"""A server that speaks HTTP: its requests, and what its answers mean to whoever delivers or asks.

    server = Server(entry, (entry["token"],))
    server.headers = {"Authorization": "Token " + entry["token"]}
    status, headers, answer = await server.exchange("/write?db=energy", body, say)  # or Retry
    if status != 204:
        words = server.words(answer)
        server.fail(status, headers, words, app_clock.now())  # Retry, Refused or Denied

entry has `url` and what SCHEMA has. Whatever a server says is shortened and freed of the secrets
before it gets into a text. say(state, text) is told where a request waits for the time.
"""

import binascii
import json

import civil
from micropython import const

from . import tls
from .url import percent

SCHEMA = (
    "timeout    | int 1..120       | 10   | seconds that a request may take",
    tls.SCHEMA,  # not joined: the texts stay in ROM
)

_ANSWER_LIMIT = const(2048)  # bytes of an answer that are read
_WORDS_LIMIT = const(160)  # characters of the server's words in a log line
_LONGEST_WAIT_S = const(600)
_LOOKED_AT = const(512)  # characters of which these are taken
_NO_KEY = const(12)  # characters of a part of an address's path: a key has more
_TELLING = const(6)  # characters of a secret in a row that are too many
_UNREADABLE_WAIT_S = const(10)  # for a Retry-After that is neither a number nor a date
_DATE_LETTERS = const(40)  # a date has 29
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"


class Retry(Exception):
    """A passing failure: send the same again later. args: (text, seconds to wait or 0)."""


class Refused(Exception):
    """The server will never take this. args: (the server's words,)."""


class Denied(Exception):
    """Wrong credentials: nothing is lost, but somebody has to act. args: (what to change,)."""


class Server:
    """See the module's text; request: in place of net/http's, for tests."""

    def __init__(self, entry: dict, secrets: tuple, request=None) -> None:
        if request is None:
            from . import http

            request = http.request
        self.headers: dict = {}
        self.request = request
        self.tls = tls.context(entry)
        self._entry = entry
        # A key may stand in the path of the address as well.
        paths = [part for part in entry["url"].split("/")[3:] if len(part) > _NO_KEY]
        self._secrets = [secret for secret in secrets if secret] + paths

    async def exchange(self, target: str, body, say, limit: int = _ANSWER_LIMIT) -> tuple:
        """POST a body, or GET; return (status, headers, the answer's body), or raise Retry."""
        if self.tls is not None:
            from . import handshake

            await handshake.time_known(self.tls, say)
        reason = ""
        try:
            return await self.request(
                "GET" if body is None else "POST",
                self._entry["url"].rstrip("/") + target,
                body,
                self.headers,
                self.tls,
                self._entry["timeout"] * 1000,
                limit,
            )
        except OSError as failure:
            reason = self.clean(str(failure)) or "the network failed"
        raise Retry(reason)  # not inside the handler, which would keep the failed one's buffers

    def fail(self, status: int, headers: dict, words: str, now: int | None) -> None:
        """Raise what a status means on every server.

        words: the server's, cleaned; now: UTC in seconds since 2000-01-01, None while unknown.
        """
        said = "HTTP %d" % status + (": " + words if words else "")
        if status == 413:
            raise Refused("too large for the server (%s)" % said)
        if status == 408 or status == 425 or status == 429 or status >= 500:
            raise Retry(said, wait_s(headers.get("retry-after"), now))
        if 300 <= status < 400:
            place = self.clean(headers.get("location", "another address"))
            raise Denied("the server sends us on to %s: put the right address into `url`" % place)
        if status == 401 or status == 403:
            raise Denied("access refused, check user and key (%s)" % said)
        raise Denied("not an answer that belongs here, check `url` (%s)" % said)

    def clean(self, text: str) -> str:
        """One short line without secrets."""
        data = _encoded(text[:_LOOKED_AT])
        low = data.lower()  # a server may write another case: %2b, hex
        hidden = bytearray(len(low))
        for secret in self._secrets:
            for form, step in _forms(secret):
                size = min(len(form), _TELLING)  # pieces: a server cuts what it quotes
                for start in range(0, len(form) - size + 1, step):
                    _hide(hidden, low, form[start : start + size].lower())
        text = " ".join(_decoded(_without(data, hidden)).split())
        return text if len(text) <= _WORDS_LIMIT else text[:_WORDS_LIMIT] + "..."

    def words(self, body: bytes) -> str:
        """What the server says, out of {"error": ...} or {"message": ...} or as it is, cleaned."""
        answer = parsed(body)
        if isinstance(answer, dict):
            for key in ("message", "error"):
                if isinstance(answer.get(key), str):
                    return self.clean(answer[key])
        return self.clean(_decoded(body))


def no_base(url: str, targets: tuple):
    """Yield what is wrong with a `url` whose path goes on into what a sink adds by itself."""
    for part in url.split("/")[3:]:
        if part.rsplit(".", 1)[0].lower() in targets:
            yield "`url` ends too late: leave out what begins with /%s" % part
            return


def _forms(secret: str):
    """Yield (the secret as servers may write it, how far apart pieces of it begin).

    What they make of it for HTML has pieces of these.
    """
    raw = _encoded(secret)
    yield raw, 1
    for form in (percent(secret), json.dumps(secret)[1:-1]):
        if form != secret:
            yield form.encode(), 1
    yield binascii.hexlify(raw), _TELLING
    for skipped in range(min(3, len(raw))):  # whatever stands before it
        form = binascii.b2a_base64(raw[skipped:]).strip().rstrip(b"=")
        yield form, _TELLING
        yield form.replace(b"+", b"-").replace(b"/", b"_"), _TELLING


def _hide(hidden: bytearray, text: bytes, piece: bytes) -> None:
    at = text.find(piece)
    while at >= 0:
        for index in range(at, at + len(piece)):
            hidden[index] = 1
        at = text.find(piece, at + 1)


def _without(data: bytes, hidden: bytearray) -> bytes:
    """The data with *** for each run of what is hidden."""
    marks = bytes(hidden)
    at = 0
    parts = []
    while at < len(data):
        ends = marks.find(b"\x00" if marks[at] else b"\x01", at)
        ends = len(data) if ends < 0 else ends
        parts.append(b"***" if marks[at] else data[at:ends])
        at = ends
    return b"".join(parts)


def _encoded(text: str) -> bytes:
    """UTF-8; JSON may hold halves of characters, which have none."""
    try:
        return text.encode()
    except UnicodeError:
        return "".join([char if ord(char) < 128 else "?" for char in text]).encode()


def _decoded(body: bytes) -> str:
    """Text of an answer; where its UTF-8 is damaged or cut, "?" for all that is not ASCII."""
    try:
        return bytes(body).decode()
    except UnicodeError:
        return "".join([chr(byte) if byte < 128 else "?" for byte in body])


def parsed(body: bytes):
    """The JSON of an answer, or None."""
    try:
        return json.loads(_decoded(body))
    except ValueError:
        return None


def wait_s(retry_after: str | None, now: int | None) -> int:
    """Seconds that a Retry-After header asks for, at most 600; 0 without one.

    now is UTC in seconds since 2000-01-01, or None while it is unknown.
    """
    if not retry_after:
        return 0
    text = retry_after.strip()
    if text.encode().isdigit():  # that of text takes more than 0 to 9
        return min(int(text), _LONGEST_WAIT_S) if len(text) < 6 else _LONGEST_WAIT_S
    then = http_date(text)
    if then is None or now is None:
        return _UNREADABLE_WAIT_S
    return max(0, min(then - now, _LONGEST_WAIT_S))


def http_date(text: str) -> int | None:
    """Seconds since 2000-01-01 of "Fri, 20 Nov 2026 10:00:00 GMT" (RFC 9110 5.6.7), or None."""
    parts = text.replace(":", " ").split()
    if len(text) > _DATE_LETTERS or len(parts) != 8 or len(parts[2]) != 3:
        return None
    month = _MONTHS.find(parts[2])
    for index in (1, 3, 4, 5, 6):
        if not parts[index].encode().isdigit():
            return None
    if month < 0 or month % 3:
        return None
    day, year, hour, minute, second = [int(parts[index]) for index in (1, 3, 4, 5, 6)]
    return civil.seconds(year, month // 3 + 1, day, hour, minute, second)
