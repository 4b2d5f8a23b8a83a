"""The webhook's form of log.php: key, stats and buffer, as the owner's server reads them.

    key=…&stats=20.11.2026,11:00:00,1193,21.5

Date and time are local; a field is empty or matches [\\-0-9]{1,6}(\\.[0-9]{1,3})?, so a sign is
one of the six. Decimals beyond three are cut off, towards zero; what has more before its point is
set aside. buffer=1 keeps what has waited out of the page's "now". The answer is 200 without a
text, for a wrong key too: no more can be known than that somebody answers so.
"""

from civil import fields
from exact import text
from micropython import const

from ..net.server import Denied
from ..net.url import percent
from .webhook import pairs

_DECIMALS = const(3)
_BEFORE_POINT = const(6)  # characters


class Form:
    """See the module's text."""

    def __init__(self, sink) -> None:
        self._sink = sink
        self._values = [(value, pairs(value)) for value in sink.entry["values"]]
        if not sink.clock.zone:
            text = "log.php keeps local time, and `clock` has no `timezone`: its lines are in UTC"
            sink.log().warning(text)

    def headers(self) -> dict:
        """Of each request."""
        return {"Content-Type": "application/x-www-form-urlencoded"}

    def write(self, out, time: int) -> None:
        """One line; ValueError: log.php would drop it."""
        sink = self._sink
        zone = sink.clock.zone
        year, month, day, hour, minute, second = fields(zone.local(time)[0] if zone else time)
        out.put("key=%s&stats=" % percent(sink.entry["key"]))
        out.put("%02d.%02d.%04d,%02d:%02d:%02d" % (day, month, year, hour, minute, second))
        for name, value in self._values:
            out.put(b",")
            found = value and sink.value(value)
            if found:
                out.put(field(name, found[0], found[1]))
        if sink.waited(time):
            out.put(b"&buffer=1")

    def confirmed(self, status: int, words: str) -> bool:
        """Whether it is log.php that answers; Denied where it is something else."""
        if status == 200 and words:
            raise Denied("no log.php at this `url`: it answers with a text (%s)" % words)
        return status == 200


def field(name: str, value, decimals: int) -> str:
    """The number as log.php takes it; ValueError says why it does not."""
    if isinstance(value, str):
        raise ValueError("%s is a text: log.php takes numbers" % name)
    if decimals > _DECIMALS:
        step = 10 ** (decimals - _DECIMALS)
        value = value // step if value >= 0 else -(-value // step)
        decimals = _DECIMALS
    number = text(value, decimals)
    if len(number.split(".")[0]) > _BEFORE_POINT:
        raise ValueError("%s is %s: log.php takes 6 characters before the point" % (name, number))
    return number
