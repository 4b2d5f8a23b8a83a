"""A contract server for InfluxDB 2 (and for 3's compatible endpoint): POST /api/v2/write.

    with InfluxDb2() as server:
        ... server.url, with org ORG, bucket BUCKET, token TOKEN ...
        server.points    {(measurement, tags, time): {field: text of the value}}; tags is a
                         sorted tuple of pairs, time is as sent
        server.lines     the lines stored, in the order in which they came

It parses line protocol itself and strictly, and fixes a field's type on its first write.
Bad lines refuse the request with 400 (nothing stored), or with `partial` = 422 or 400 store the
others first. Modes besides those of contract.py: 401, 403, 404, 422 (all stored, then 422).
"""

import json

from tests.servers.contract import Answer, ContractServer, Request

ORG = "home"
BUCKET = "energy"
TOKEN = "t0ken-of-the-test=="
_PRECISIONS = ("ns", "us", "ms", "s")


class BadLine(Exception):
    """A line that is no line protocol; the text says why."""


class InfluxDb2(ContractServer):
    """InfluxDB 2 without storage engine."""

    def __init__(self, port: int = 0, tls_context=None, mode: str = "ok") -> None:
        super().__init__(port, tls_context, mode)
        self.points: dict = {}
        self.lines: list[str] = []
        self.buckets = [BUCKET]
        self.largest_body = 50_000_000
        self.partial = 0
        self._types: dict = {}

    def handle(self, request: Request) -> Answer:
        """Authenticate, parse, store."""
        if request.path != "/api/v2/write":
            return Answer(404, "404 page not found\n")
        if request.headers.get("authorization") not in ("Token " + TOKEN, "Bearer " + TOKEN):
            return refusal(401)
        if request.query.get("bucket") not in self.buckets or request.query.get("org") != ORG:
            return refusal(404, "bucket not found")
        if request.query.get("precision", "ns") not in _PRECISIONS:
            return refusal(400, "invalid precision; valid precision units are ns, us, ms, and s")
        if len(request.body) > self.largest_body:
            return refusal(413)
        return self._write(request.body.decode())

    def answer_in_mode(self, mode: str, request: Request) -> Answer:
        """No mode of its own."""
        return super().answer_in_mode(mode, request)

    def _answer(self, mode: str, request: Request) -> Answer:
        if mode in ("401", "403", "404", "413", "500"):
            return refusal(int(mode))
        if mode == "422":
            self.handle(request)
            return refusal(422)
        return super()._answer(mode, request)

    def _write(self, body: str) -> Answer:
        good, bad = [], []
        for line in split_lines(body):
            try:
                good.append((line, parse(line)))
            except BadLine as reason:
                bad.append("unable to parse '%s': %s" % (line, reason))
        if bad and not self.partial:
            return refusal(400, "\n".join(bad))
        conflicts = [words for words in [self._store(*item) for item in good] if words]
        if conflicts:
            words = "failure writing points to database: partial write: %s dropped=%d"
            return refusal(422, words % (conflicts[0], len(conflicts)))
        if bad and self.partial == 400:
            data = [{"error_message": words, "line_number": 1} for words in bad]
            error = {"error": "partial write of line protocol occurred", "data": data}
            return Answer(400, json.dumps(error), {"Content-Type": "application/json"})
        if bad:
            words = "failure writing points to database: partial write: bad points dropped=%d"
            return refusal(422, words % len(bad))
        return Answer(204)

    def _store(self, line: str, point: tuple) -> str:
        """Store a point; or return why not."""
        measurement, tags, fields, when = point
        for key, (kind, _) in fields.items():
            known = self._types.setdefault((measurement, key), kind)
            if known != kind:
                words = 'field type conflict: input field "%s" on measurement "%s" is type %s, '
                return (words + "already exists as type %s") % (key, measurement, kind, known)
        stored = self.points.setdefault((measurement, tags, when), {})
        stored.update({key: text for key, (_, text) in fields.items()})
        self.lines.append(line)
        return ""


_REFUSALS = {
    400: ("invalid", ""),
    401: ("unauthorized", "unauthorized access"),
    403: ("forbidden", "insufficient permissions for write"),
    404: ("not found", "bucket not found"),
    413: ("request too large", "unable to read data: points batch is too large"),
    422: (
        "unprocessable entity",
        "failure writing points to database: partial write: bad points dropped=1",
    ),
    500: ("internal error", "unexpected error writing points to database: timeout"),
}


def refusal(status: int, words: str = "") -> Answer:
    """An error as InfluxDB 2 writes it."""
    code, usual = _REFUSALS[status]
    body = json.dumps({"code": code, "message": words or usual}, separators=(",", ":"))
    headers = {"Content-Type": "application/json; charset=utf-8", "X-Platform-Error-Code": code}
    return Answer(status, body, headers)


def split_lines(body: str) -> list[str]:
    """Lines of a body: a line end inside a quoted field belongs to the field."""
    lines, line, quoted, escaped = [], "", False, False
    for char in body:
        if char == "\n" and not quoted:
            lines.append(line)
            line = ""
            continue
        if char == '"' and not escaped and " " in line:
            quoted = not quoted
        escaped = char == "\\" and not escaped
        line += char
    lines.append(line)
    return [line for line in lines if line.strip() and not line.startswith("#")]


def parse(line: str) -> tuple:
    """Return (measurement, tags, {field: (type, text)}, time) of a line; BadLine says why not."""
    head, rest = _until(line, " ")
    names = _split(head, ",")
    measurement = _plain(names[0], ", ")
    if not measurement:
        raise BadLine("missing measurement")
    tags = {}
    for pair in names[1:]:
        key, value = _until(pair, "=")
        if not key:
            raise BadLine("missing tag key")
        if not value:
            raise BadLine("missing tag value")
        if _plain(key, ", =") in tags:
            raise BadLine("duplicate tags")
        tags[_plain(key, ", =")] = _plain(value, ", =")
    body, when = _until(rest, " ", quotes=True)
    if not body:
        raise BadLine("missing fields")
    fields = {}
    for pair in _split(body, ",", quotes=True):
        key, text = _until(pair, "=")
        if not key:
            raise BadLine("missing field key")
        if not text:
            raise BadLine("missing field value")
        fields[_plain(key, ", =")] = _value(text)
    if when and not when.lstrip("-").isdigit():
        raise BadLine("bad timestamp")
    return measurement, tuple(sorted(tags.items())), fields, int(when) if when else None


def _value(text: str) -> tuple[str, str]:
    if text[0] == '"':
        if len(text) < 2 or text[-1] != '"':
            raise BadLine("unbalanced quotes")
        return "string", text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if text in ("t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE"):
        return "boolean", text
    kind, digits = ("integer", text[:-1]) if text[-1] in "iu" else ("float", text)
    try:
        float(digits)
    except ValueError:
        raise BadLine("invalid number") from None
    if not (digits.lstrip("-+")[:1].isdigit() or digits.lstrip("-+")[:1] == "."):
        raise BadLine("invalid number")  # nan, inf
    return kind, digits


def _split(text: str, at: str, quotes: bool = False) -> list[str]:
    parts = []
    while True:
        part, rest = _until(text, at, quotes)
        parts.append(part)
        if len(part) == len(text):
            return parts
        text = rest


def _until(text: str, at: str, quotes: bool = False) -> tuple[str, str]:
    """Return (before, behind) the first unescaped `at` outside quotes."""
    index, quoted = 0, False
    while index < len(text):
        if text[index] == "\\" and index + 1 < len(text) and (quoted or text[index + 1] in ", ="):
            index += 2
            continue
        if quotes and text[index] == '"':
            quoted = not quoted
        elif text[index] == at and not quoted:
            return text[:index], text[index + 1 :]
        index += 1
    return text, ""


def _plain(text: str, special: str) -> str:
    """Without the backslashes before special characters."""
    for char in special:
        text = text.replace("\\" + char, char)
    return text
