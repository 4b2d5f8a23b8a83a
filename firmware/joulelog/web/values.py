"""What is measured now, for the API: /api/latest of all sources, /api/live of one.

Numbers have the digits of the meter (flow/reading.texts); what it did not give is null. `age` is
in whole seconds since the reading came, by the board's uptime, so that it needs no clock.
"""

import json

from exact import DEVICE_CLASS, KEY, KIND, UNIT
from httphead import Refused

from .. import clock
from ..flow.reading import SOURCE, TIME, VALUES, texts

_IDENTITY = ("device", "type", "maker", "model", "serial")


def latest(service, _arguments):
    """Texts of the whole table."""
    rows = service.queue.latest.rows
    names = sorted(rows)

    def written():
        yield '{"device":%s,"time":%s' % (json.dumps(service.device), utc(service.clock.now()))
        yield ',"sources":['
        for number, name in enumerate(names):
            yield from _source(service, name, rows[name], "," if number else "")
        yield "]}"

    return written()


def live(service, arguments: dict):
    """Texts of one source's newest reading. Raises Refused."""
    rows = service.queue.latest.rows
    names = sorted(rows)
    name = arguments.get("source")
    if name is None and len(names) == 1:
        name = names[0]
    if name is None or name not in names:
        raise Refused(400, "`source`; allowed: %s" % (", ".join(names) or "none yet"))
    row = rows[name]

    def written():
        yield "{" + _about(service, name, row) + ',"values":{'
        if row.reading:
            _, source, values = row.reading
            comma = ""
            for channel, value in zip(source.channels, values):
                yield "%s%s:%s" % (comma, json.dumps(channel[KEY]), number_of(value, channel))
                comma = ","
        yield "}}"

    return written()


def utc(time: int | None) -> str:
    """A time as JSON."""
    return "null" if time is None else '"%s"' % clock.iso(time)


def number_of(value, channel: tuple) -> str:
    """A value as JSON."""
    written = "null"
    for text in texts((value,), (channel,), (0,), json.dumps, utc):
        written = text  # its key, then itself
    return written


def _about(service, name: str, row) -> str:
    """The members that both answers have of a source."""
    reading = row.reading
    time = service.clock.resolve(reading[TIME]) if reading else None
    age = "%d" % ((clock.uptime_ms() - row.came_ms) // 1000) if reading else "null"
    about = json.dumps(name), json.dumps(row.state), utc(time), age
    return '"source":%s,"state":%s,"time":%s,"age":%s' % about


def _source(service, name: str, row, comma: str):
    yield comma + "{" + _about(service, name, row)
    yield ',"readings":%d,"identity":{' % row.count
    reading = row.reading
    identity = reading[SOURCE].identity if reading else (None,) * len(_IDENTITY)
    comma = ""
    for key, text in zip(_IDENTITY, identity):
        yield '%s"%s":%s' % (comma, key, json.dumps(text))
        comma = ","
    yield '},"channels":['
    comma = ""
    channels = reading[SOURCE].channels if reading else ()
    for channel, value in zip(channels, reading[VALUES] if reading else ()):
        about = comma, json.dumps(channel[KEY]), json.dumps(channel[UNIT])
        yield '%s{"key":%s,"unit":%s' % about
        about = channel[KIND], json.dumps(channel[DEVICE_CLASS]), number_of(value, channel)
        yield ',"kind":"%s","class":%s,"value":%s}' % about
        comma = ","
    yield "]}"
