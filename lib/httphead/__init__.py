"""HTTP of a small server, without I/O: heads and forms of requests, heads of answers.

    size = httphead.size(data)           # of the head in what has come so far; 0: not whole yet
    head = httphead.Head(data[:size])    # or Refused, whose args are a status and what is wrong
    head.method, head.path, head.query, head.headers, head.length
    for _ in httphead.form(body, found): # URL-encoded: {name: value}, in short steps; or Refused
        ...                              # the others' turn
    httphead.json_text(body)             # of an object in JSON; or Refused
    httphead.answer(200, (("Content-Type", "text/html"),))

By RFC 9112 and RFC 3986, but what is odd is refused rather than understood, so that nobody behind
it has to look again: a line without a colon, a length that is none or comes twice, a body in
chunks, a broken percent, a path that is not plain. A path arrives decoded; its segments are never
empty, "." or "..".
"""

from micropython import const

_LINES = const(32)  # a browser sends some 15
_PATH = const(160)  # bytes
_ARGUMENTS = const(12)
_FIELDS = const(256)
_STEP = const(48)  # percents between two yields of form(); a field counts as two
_ONCE = ("host", "content-length", "content-type", "origin", "referer", "x-csrf-token")
_NESTED = const(200)  # brackets in JSON, as each may lie in the one before
_HEX = b"0123456789ABCDEFabcdef"
_REASONS = (
    (200, "OK"),
    (204, "No Content"),
    (302, "Found"),
    (303, "See Other"),
    (304, "Not Modified"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (408, "Request Timeout"),
    (413, "Content Too Large"),
    (429, "Too Many Requests"),
    (500, "Internal Server Error"),
    (503, "Service Unavailable"),
)


class Refused(Exception):
    """A request that nobody should look at: (status, what is wrong with it)."""


def size(data: bytes) -> int:
    """Bytes of the head with the empty line behind it; 0 where that has not come."""
    ends = [at + len(end) for end in (b"\r\n\r\n", b"\n\n") for at in (data.find(end),) if at >= 0]
    return min(ends) if ends else 0


class Head:
    """The head of a request, checked."""

    def __init__(self, data: bytes) -> None:
        """data: the whole of it, as size() says. Raises Refused."""
        if b"\0" in data:
            raise Refused(400, "the request has a NUL in its head")
        lines = data.rstrip(b"\r\n").split(b"\n")
        if len(lines) > _LINES:
            raise Refused(431, "the request has more than %d lines of headers" % _LINES)
        words = _text(lines[0].rstrip(b"\r")).split(" ")
        if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0"):
            raise Refused(400, "the first line of the request is not: METHOD /path HTTP/1.1")
        self.method, target, self.version = words
        if not self.method.isalpha() or self.method != self.method.upper():
            raise Refused(400, "the request's method is no word in capitals")
        question = target.find("?")
        self.query = ""  # as it came, but with percents that can be decoded
        if question >= 0:
            self.query = target[question + 1 :]
            _check_query(self.query.encode())
            target = target[:question]
        self.path = _path(target.encode())
        self.length = 0  # bytes of the body
        self.headers: dict[str, str] = {}  # names in small letters
        for line in lines[1:]:
            self._add(line)
        if self.version == "HTTP/1.1" and "host" not in self.headers:
            raise Refused(400, "the request has no Host")
        if "transfer-encoding" in self.headers:
            raise Refused(411, "a body in chunks is not taken: send a Content-Length")

    def _add(self, line: bytes) -> None:
        colon = line.find(b":")
        name = line[: max(0, colon)]
        if not name or name.strip() != name or b" " in name:
            raise Refused(400, "a header of the request is not: Name: value")
        key = _text(name).lower()
        value = line[colon + 1 :].strip()
        if b"\r" in value:
            raise Refused(400, "a header of the request has a line end in it")
        if key in _ONCE and key in self.headers:
            raise Refused(400, "the request has two headers %s" % key)
        if key == "content-length":
            if not value.isdigit():
                raise Refused(400, "Content-Length is no number")
            # More digits than any limit has; int() of thousands would take its time.
            self.length = int(value[:9])
        self.headers[key] = _text(value)


def form(body: bytes, found: dict):
    """Decode application/x-www-form-urlencoded into found, in steps: a generator of pauses.

    Raises Refused. Of a name that comes twice the last value stays.
    """
    if body.count(b"&") >= _FIELDS:
        raise Refused(413, "the form has more than %d fields" % _FIELDS)
    pairs = body.split(b"&")
    left = _STEP
    yield  # each look at the whole of a body takes its time
    for pair in pairs:
        if not pair:
            continue
        equals = pair.find(b"=")
        parts = (pair, b"") if equals < 0 else (pair[:equals], pair[equals + 1 :])
        left -= 2
        if left <= 0:
            left = _STEP
            yield
        texts = []
        for raw in parts:
            made = bytearray()
            for _ in _decoding(raw.replace(b"+", b" "), made):
                left -= 1
                if left <= 0:
                    left = _STEP
                    yield
            texts.append(_text(bytes(made)))
        found[texts[0]] = texts[1]


def json_text(body: bytes) -> str:
    """The text of an object in JSON, which is not read here. Raises Refused."""
    if body.count(b"[") + body.count(b"{") > _NESTED:
        raise Refused(413, "the JSON has more than %d brackets" % _NESTED)
    body = body.strip()
    if body[:1] != b"{" or body[-1:] != b"}":  # MicroPython misses no bracket at the end
        raise Refused(400, "the body is no object in JSON")
    return _text(body)


def answer(status: int, headers) -> bytes:
    """The head of an answer behind which the connection ends; headers: pairs of texts."""
    reason = ""
    for known, text in _REASONS:
        if known == status:
            reason = text
    lines = ["HTTP/1.1 %d %s" % (status, reason)]
    for name, value in headers:
        # What a request brought must not become a header of its own.
        if "\r" not in value and "\n" not in value:
            lines.append("%s: %s" % (name, value))
    lines.append("Connection: close\r\n\r\n")
    return "\r\n".join(lines).encode()


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except ValueError:
        pass
    raise Refused(400, "the request is not in UTF-8")


def _byte(data: bytes, at: int) -> int:
    """The byte that %XX at that place stands for."""
    code = data[at + 1 : at + 3]
    if len(code) != 2 or code[:1] not in _HEX or code[1:] not in _HEX:
        raise Refused(400, "a percent sign has no two hexadecimal digits behind it")
    return int(code, 16)


def _decoded(data: bytes) -> bytes:
    made = bytearray()
    for _ in _decoding(data, made):
        pass
    return bytes(made)


def _decoding(data: bytes, made: bytearray):
    """Undo the percents of data, into made; a step for each of them."""
    done = 0
    at = data.find(b"%")
    while at >= 0:
        made.extend(data[done:at])
        made.append(_byte(data, at))
        done = at + 3
        at = data.find(b"%", done)
        yield
    made.extend(data[done:])


def _check_query(query: bytes) -> None:
    if query.count(b"&") >= _ARGUMENTS:
        raise Refused(400, "the address has more than %d arguments" % _ARGUMENTS)
    for pair in query.split(b"&"):
        for part in pair.split(b"="):
            _text(_decoded(part))


def _path(target: bytes) -> str:
    """The path, decoded, of which nobody can make a file that lies elsewhere."""
    if len(target) > _PATH:
        raise Refused(404, "there is nothing at this address")
    path = _text(_decoded(target))
    for character in path:
        if character < " " or character in '\x7f\\?#%"<>|*:':
            raise Refused(400, "the address has a character that none has here")
    segments = path.split("/")
    if segments[0] or len(segments) < 2:
        raise Refused(400, "the address does not begin with /")
    for segment in segments[1:-1]:
        if not segment:
            raise Refused(404, "there is nothing at this address")
    if ".." in segments or "." in segments:
        raise Refused(404, "there is nothing at this address")
    return path
