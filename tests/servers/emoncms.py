"""A contract server for EmonCMS 11: /input/post and /input/bulk, storage in a list.

    with EmonCms() as server:
        ... POST server.url + "/input/bulk" with the key WRITE_KEY ...
        server.rows          [(node, time in Unix seconds, {name: text of the number}), …] in order

It answers as the real one was seen to: 200 to almost everything, its exact texts, rows stored one
by one (an error leaves the rows before it stored). Numbers keep their text: "45678.120" stays so.
Modes besides those of contract.py:

    success_false  {"success": false, …}        empty      200 with nothing, as for a read-only key
    php_fatal      200 with PHP's HTML error    401        Invalid API key
    node_limit     the 33rd node                truncated  "o" of "ok"; the rows are stored

Not there: devicekey, encrypted bodies, `cb=1`, the query interface.
"""

import json
import re
import time
import unicodedata
import zlib
from urllib.parse import parse_qsl

from tests.servers.contract import Answer, ContractServer, Request

WRITE_KEY = "0123456789abcdef0123456789abcdef"
READ_KEY = "fedcba9876543210fedcba9876543210"

_NUMERIC = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_INTEGER = re.compile(r"\s*[+-]?\d+")


class Number(str):
    """The text of a number in JSON."""


class EmonCms(ContractServer):
    """EmonCMS without PHP."""

    def __init__(self, port: int = 0, tls_context=None, mode: str = "ok") -> None:
        super().__init__(port, tls_context, mode)
        self.rows: list = []
        self.display_errors = True  # PHP's setting: errors as HTML with 200, or an empty 500
        self.nodes_allowed = 32

    def handle(self, request: Request) -> Answer:
        """Route, authenticate, store."""
        path = request.path[: -len(".json")] if request.path.endswith(".json") else request.path
        path = path[len("/emoncms") :] if path.startswith("/emoncms/") else path
        if not path.startswith("/input/"):
            return Answer(406, "<html>406 Not Acceptable</html>", {"Content-Type": "text/html"})
        form = {}
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        self._authenticate(request, form)
        parameters = {**form, **request.query}
        parameters = {key: value.replace("\\", "") for key, value in parameters.items()}
        action = path[len("/input/") :].split("/")
        if action[0] == "post":
            if len(action) > 1:
                parameters["node"] = action[1]
            return self._post(parameters)
        if action[0] == "bulk":
            return self._bulk(parameters)
        return Answer(200, "false", {"Content-Type": "application/json"})

    def answer_in_mode(self, mode: str, request: Request) -> Answer:
        """The ways in which the real one fails."""
        if mode == "success_false":
            return refusal("Format error, json string supplied is not valid")
        if mode == "empty":
            return plain("")
        if mode == "php_fatal":
            return self._fatal("Uncaught RedisException: Connection refused in /redis.php:21")
        if mode == "node_limit":
            return self._too_many_nodes("x")
        if mode == "truncated":
            self.handle(request)
            return plain("o")
        return super().answer_in_mode(mode, request)

    def _answer(self, mode: str, request: Request) -> Answer:
        return invalid_key() if mode == "401" else super()._answer(mode, request)

    def _authenticate(self, request: Request, form: dict) -> None:
        key = request.query.get("apikey") or form.get("apikey")
        if not key:
            key = request.headers.get("authorization", "").replace("Bearer ", "")
        key = key.lower()
        if key == WRITE_KEY:
            return
        raise plain("") if key in ("", READ_KEY) else invalid_key()

    def _post(self, parameters: dict) -> Answer:
        now = int(time.time())
        node = cleaned(parameters.get("node", "0")) or "0"
        when = parameters.get("time")
        if "json" in parameters:
            inputs, success = relaxed(parameters["json"]), "ok"
        elif "fulljson" in parameters:
            inputs, when = strict(parameters["fulljson"], when)
            success = '{"success": true}'
        elif "csv" in parameters or "data" in parameters:
            inputs, success = relaxed(parameters.get("csv", parameters.get("data", ""))), "ok"
        else:
            inputs = None
        if inputs is None:
            return refusal("Request contains no data via csv, json or data tag")
        self._store(node, moment(when, now), inputs)
        return plain(success)

    def _bulk(self, parameters: dict) -> Answer:
        text = parameters.get("data", "")
        if parameters.get("c") == "1":
            try:
                text = zlib.decompress(bytes.fromhex(text)).decode()
            except ValueError:
                return refusal("Format error, compressed hex not valid")
            except zlib.error:
                text = ""  # cut off
        rows = parsed(text)
        if rows is None or rows == []:
            return refusal("Format error, json string supplied is not valid")
        if not isinstance(rows, list):
            return self._fatal("Uncaught TypeError: count(): Argument #1 ($value) in /input.php:1")
        last = rows[-1]
        if not isinstance(last, list) or not last:
            return refusal("Format error, last item in bulk data does not contain any data")
        now = int(time.time())
        reference = now - integer(last[0])
        if "sentat" in parameters:
            reference = now - integer(parameters["sentat"])
        elif "offset" in parameters:
            reference = now - integer(parameters["offset"])
        elif "time" in parameters:
            reference = integer(parameters["time"])
        for row in rows:
            if not isinstance(row, list):
                return self._fatal("Uncaught TypeError: count(): Argument #1 in /input.php:2")
            if len(row) < 3:
                continue
            if isinstance(row[1], dict):
                return refusal("Format error, node must not be an object")
            self._store(
                cleaned(str(row[1])) or "0", reference + integer(row[0]), positional(row[2:])
            )
        return plain('{"success": true}' if "fulljson" in parameters else "ok")

    def _store(self, node: str, when: int, inputs: dict) -> None:
        nodes = {row[0] for row in self.rows}
        if node not in nodes and len(nodes) >= self.nodes_allowed:
            raise self._too_many_nodes(node)
        self.rows.append((node, when, inputs))

    def _too_many_nodes(self, node: str) -> Answer:
        return refusal(
            "Error: Reached the maximal allowed number of different NodeIds, limit is %d. "
            "Node '%s' was ignored." % (self.nodes_allowed, node)
        )

    def _fatal(self, text: str) -> Answer:
        if not self.display_errors:
            return Answer(500)
        body = "<br />\n<b>Fatal error</b>:  %s<br />\n" % text
        return Answer(200, body, {"Content-Type": "text/html; charset=UTF-8"})


def plain(text: str) -> Answer:
    """200 with a text."""
    return Answer(200, text, {"Content-Type": "text/plain;charset=UTF-8"})


def refusal(text: str) -> Answer:
    """200 with the server's no."""
    return plain('{"success": false, "message": "%s"}' % text)


def invalid_key() -> Answer:
    """401, the only error with a status of its own."""
    challenge = (
        'Bearer realm="API KEY", error="invalid_apikey", error_description="Invalid API key"'
    )
    return Answer(
        401, "Invalid API key", {"Content-Type": "text/html", "WWW-Authenticate": challenge}
    )


def parsed(text: str):
    """Strict JSON with numbers as their texts, or None."""

    def never(constant):
        raise ValueError(constant)

    try:
        return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=never)
    except ValueError:
        return None


def cleaned(name: str) -> str:
    """Letters, digits, blanks and _ - . stay."""
    return "".join(
        c for c in name if c in "_-." or c.isspace() or unicodedata.category(c)[0] in "LN"
    )


def integer(value) -> int:
    """PHP's cast: leading digits, else 0."""
    found = _INTEGER.match(str(value))
    return int(found.group()) if found else 0


def number(value):
    """PHP's cast of a value in bulk: numbers keep their text, all else is 0."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str) and _NUMERIC.fullmatch(value):
        return str(value)
    return "0"


def positional(values: list) -> dict:
    """Bulk's mix of values, which get numbers for names, and objects."""
    inputs = {}
    name = 0
    for value in values:
        if isinstance(value, dict):
            for key, named in value.items():
                inputs[cleaned(key)] = "1" if isinstance(named, dict | list) else number(named)
            continue
        name += 1
        inputs[str(name)] = number(value)
    return inputs


def relaxed(text: str) -> dict | None:
    """json=, csv= and data=: {power1:100,power2:200} or 100,200; None where there is nothing."""
    kept = "".join(
        c for c in text if c in ":,_-." or c == " " or unicodedata.category(c)[0] in "LN"
    )
    if not kept:
        return None
    inputs = {}
    for index, pair in enumerate(kept.split(",")):
        parts = pair.split(":")
        if len(parts) == 1:
            value = parts[0]
            if value != "null" and not _NUMERIC.fullmatch(value):
                raise refusal("Format error: csv value is not numeric")
            inputs[str(index + 1)] = "0" if value == "null" else value
            continue
        if not parts[0]:
            raise refusal("Format error, json key missing or invalid character")
        if not _NUMERIC.fullmatch(parts[1]):
            raise refusal("Format error, json value is not numeric")
        inputs[parts[0]] = parts[1]
    return inputs


def strict(text: str, when: str | None) -> tuple[dict | None, str | None]:
    """fulljson=: (inputs, time); a time parameter wins over a key."""
    if not text:
        return None, when
    inputs = parsed(text)
    if not isinstance(inputs, dict) or any(isinstance(v, dict | list) for v in inputs.values()):
        raise refusal("Input in not a valid JSON object")
    if when is None and "time" in inputs:
        when = inputs.pop("time")
    elif when is None:
        when = next((value for key, value in inputs.items() if key.lower() == "time"), None)
    for key, value in inputs.items():
        if not isinstance(value, bool):
            inputs[key] = number(value)
    return {cleaned(key): value for key, value in inputs.items()}, when


def moment(when: str | None, now: int) -> int:
    """Unix seconds of a time parameter: a number, ISO 8601, else now."""
    from datetime import datetime

    if when is None:
        return now
    if _NUMERIC.fullmatch(str(when)):
        return integer(when)
    try:
        return int(datetime.fromisoformat(str(when).replace("Z", "+00:00")).timestamp())
    except ValueError:
        return now
