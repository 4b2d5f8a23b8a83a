"""The webhook's body of one's own: a text with the values in the places of their names.

    {"time": {time}, "watts": {grid.power_import}}    ->    {"time": 1795164390, "watts": 1193}

{time} is Unix seconds, {iso} ISO 8601 in UTC. Numbers have all digits of the meter; texts and
times stand in quotes, escaped; what is not there is null. Any 2xx confirms.
"""

import json

from exact import text

from .. import clock
from ..net.server import Denied, Refused
from .webhook import ISO, UNIX, pieces

_REFUSALS = (400, 409, 422)  # this reading, not the address or the key


class Form:
    """See the module's text."""

    def __init__(self, sink) -> None:
        self._sink = sink
        self._pieces = list(pieces(sink.entry["body"]))

    def headers(self) -> dict:
        """Of each request."""
        found = {"Content-Type": "application/json"}
        if self._sink.entry["key"]:
            found["Authorization"] = "Bearer " + self._sink.entry["key"]
        return found

    def write(self, out, time: int) -> None:
        """The body."""
        for piece in self._pieces:
            if isinstance(piece, tuple):
                piece = _text(self._sink.value(piece))
            elif piece == UNIX:
                piece = clock.unix(time)
            elif piece == ISO:
                piece = '"%s"' % clock.iso(time)
            out.put(piece)

    def confirmed(self, status: int, words: str) -> bool:
        """Whether the answer confirms; Refused where it is this reading's fault."""
        if status in _REFUSALS:
            said = "HTTP %d" % status + (": " + words if words else "")
            if self._sink.timeless:
                raise Denied("the body is refused, check `body` (%s)" % said)
            raise Refused(said)
        return 200 <= status < 300


def _text(found: tuple | None) -> str:
    if found is None:
        return "null"
    value, decimals, kind = found
    if isinstance(value, str):
        return json.dumps(value)
    return '"%s"' % clock.iso(value) if kind == "time" else text(value, decimals)
