"""Readings to a web server, one per request: the log.php of a home page, or a body of your own.

    {"type": "webhook", "url": "https://home.example/log.php", "key": "…",
     "values": ["grid.power_import", "heat.outdoor_temperature", "roof.power + shed.power"]}

    {"type": "webhook", "format": "json", "url": "https://home.example/hook",
     "body": '{"time": {time}, "watts": {grid.power_import}}'}

What is named is source.channel; the first source named makes the requests, one for each of its
readings. Of the others stands there what had come last before it, if that was within an hour: in
the log's order, so that a backlog gets what was known then. A sum is exact, and not there where
one of its parts is not.

Without {time} or {iso} a body is of now: the newest reading is sent, older ones are superseded.
What a request looks like, and what an answer means, is in webhook_log.py and webhook_json.py.
"""

from exact import DECIMALS, KEY, KIND, UNIT, rescale
from micropython import const

from .. import clock
from ..flow.reading import SOURCE, TIME, VALUES
from ..net import server
from . import batch
from .sink import Writer

SCHEMA = (
    """\
url      | url                 | required  | address of log.php, or of what takes the body
format   | choice log.php json | "log.php" | log.php: its form; json: `body`
key      | secret              | ""        | log.php: its key; json: "Authorization: Bearer …"
values   | list text           | []        | log.php: source.channel of each field, power first
body     | text                | ""        | json: text with {time}, {iso} and {source.channel}
interval | int 0..3600         | 0         | seconds between two requests where nothing waits
batch    | int 256..8192       | 1024      | largest request body in bytes
rate     | int 0..1000         | 0         | most readings of a backlog per second; 0: no limit
""",
) + server.SCHEMA
NEEDS = ("clock", "queue")
DESTINATION = ("url",)

UNIX = const(0)  # in the pieces of a body: the reading's time
ISO = const(1)
_FRESH_S = const(3600)  # since a value of another source came; a silent meter says so before
_WAITED_S = const(60)  # since it was read: it is no value of now
_MOST = const(14)  # values of log.php
_NO_NUMBERS = ("text", "time", "code", "flag")


class Sink(batch.BatchSink):
    """See the module's text."""

    most = 1

    def __init__(self, name: str, entry: dict, cursor, app_clock, queue, request=None) -> None:
        batch.BatchSink.__init__(self, name, entry, cursor)
        self.clock = app_clock
        self.server = server.Server(entry, (entry["key"],), request)
        # Each form is a module of its own: a board loads one.
        if entry["format"] == "json":
            from . import webhook_json as form
        else:
            from . import webhook_log as form
        self._target = "/" if entry["url"].endswith("/") else ""
        self._first = sources(entry)[0]
        self.timeless = reads(entry, None) == "table"  # of now: nothing waits
        self._latest = queue.latest
        self._reading: tuple = ()  # of the first source, which is being written
        self._time: int | None = None  # of it
        self._seen: dict = {}  # source -> (time, reading) that came last, of the other ones
        self._form = form.Form(self)
        self.server.headers = self._form.headers()

    def add(self, out: Writer, time: int, reading: tuple, first: bool) -> str | None:
        """The whole body; nothing for a reading of another source, or without a value."""
        name = reading[SOURCE].name
        if name != self._first:
            self._seen[name] = time, reading
            return None
        self._time = time
        self._reading = reading
        columns = self._columns(reading[SOURCE])
        if not [key for key in columns if reading[VALUES][columns[key]] is not None]:
            return None
        try:
            self._form.write(out, time)
        except ValueError as error:
            return str(error)
        return None

    async def post(self, body: memoryview) -> None:
        """Send a reading."""
        status, headers, answer = await self.server.exchange(self._target, body, self.say)
        words = self.server.words(answer)
        if not self._form.confirmed(status, words):
            self.server.fail(status, headers, words, self.clock.now())

    def value(self, pairs: tuple) -> tuple | None:
        """(value, decimals, kind) of a value or a sum; None: one is not there.

        Raises ValueError for what cannot be added.
        """
        total = decimals = 0
        unit = None
        for name, key in pairs:
            reading = self._of(name)
            if reading is None:
                return None
            index = self._columns(reading[SOURCE]).get(key)
            value = None if index is None else reading[VALUES][index]
            if value is None:
                return None
            channel = reading[SOURCE].channels[index]
            if len(pairs) == 1:
                return value, channel[DECIMALS], channel[KIND]
            if channel[KIND] in _NO_NUMBERS or unit not in (None, channel[UNIT]):
                raise ValueError("%s.%s cannot be added to what stands beside it" % (name, key))
            unit = channel[UNIT]
            more = max(decimals, channel[DECIMALS])
            total = rescale(total, decimals, more) + rescale(value, channel[DECIMALS], more)
            decimals = more
        return total, decimals, "measurement"

    def waited(self, time: int) -> bool:
        """Whether this time's reading is none of now: there is a newer one, or it is old."""
        newest = self._latest.of(self._first)
        last = newest and self.clock.resolve(newest[TIME])
        period = self.entry["every"] or 1
        if last is None or last // period != time // period:
            return True
        now = self.clock.now()
        return now is not None and now - time > _WAITED_S

    def _of(self, name: str) -> tuple | None:
        """The reading of this source that belongs to the one that is being written."""
        if name == self._first:
            return self._reading
        if self.timeless:
            row = self._latest.rows.get(name)
            fresh = row and clock.uptime_ms() - row.came_ms <= _FRESH_S * 1000
            return row.reading if fresh else None
        time, reading = self._seen.get(name, (0, None))
        return reading if reading and abs(self._time - time) <= _FRESH_S else None

    def _columns(self, source) -> dict:
        """Channel -> index, of the channels of this source that are named."""
        found = self._plans.get(source)
        if found is None:
            if len(self._plans) >= batch.PLANS:
                self._plans.clear()
            found = self._plans[source] = {}
            keys = [channel[KEY] for channel in source.channels]
            for name, key in named(self.entry):
                if name == source.name and key in keys:
                    found[key] = keys.index(key)
                elif name == source.name and keys:
                    text = "%s has no %s, which stays empty; it has %s"
                    self.log().warning(text, name, key, ", ".join(keys))
        return found


def reads(entry: dict, terminal: bool | None) -> str:
    """A body without a time is of now: see flow/watch.py."""
    if entry["format"] == "json":
        for piece in pieces(entry["body"]):
            if isinstance(piece, int):
                return "log"
        return "table"
    return "log"


def sources(entry: dict) -> list:
    """The sources whose readings the cursor gives; the first one makes the requests."""
    found = []
    for name, _ in named(entry):
        if name not in found:
            found.append(name)
    return found[:1] if reads(entry, None) == "table" else found


def named(entry: dict):
    """Yield (source, channel) of all that is named, in order."""
    if entry["format"] == "json":
        for piece in pieces(entry["body"]):
            if isinstance(piece, tuple):
                yield from piece
    else:
        for text in entry["values"]:
            yield from pairs(text)


def pairs(text: str) -> tuple:
    """((source, channel), …) of "grid.power" or "roof.power + shed.power"; () of "".

    Raises ValueError.
    """
    found = []
    for part in text.split("+") if text else ():
        part = part.strip()
        dot = part.rfind(".")  # of the two names the source's has dots more often: addresses
        if dot < 1 or dot == len(part) - 1:
            raise ValueError('"%s"; allowed is source.channel, such as grid.power_import' % text)
        found.append((part[:dot], part[dot + 1 :]))
    return tuple(found)


def pieces(body: str):
    """Yield what a body is made of: text as it is, UNIX, ISO, or pairs as of pairs().

    In JSON nothing but a blank, a quote or the end comes behind a brace that is none of ours.
    Raises ValueError.
    """
    start = at = 0
    quoted = False
    while at < len(body):
        char = body[at]
        if char == '"':
            quoted = not quoted
        elif char == "\\" and quoted:
            at += 1
        elif char == "{" and body[at + 1 : at + 2] not in ("", " ", '"', "{", "}"):
            end = body.find("}", at)
            name = body[at + 1 : end] if end > 0 else ""
            if not quoted:
                if not name or "{" in name or '"' in name:
                    raise ValueError("a { without its }: %s" % body[at : at + 24])
                if start < at:
                    yield body[start:at]
                yield _placed(name)
                at = end
                start = end + 1
            elif name == "time" or name == "iso" or "." in name:
                text = "{%s} in quotes: leave them out, what is a text gets its own"
                raise ValueError(text % name)
        at += 1
    if start < len(body):
        yield body[start:]


def _placed(name: str):
    """What stands in the place of a name."""
    if name == "time":
        return UNIX
    if name == "iso":
        return ISO
    try:
        return pairs(name)
    except ValueError:
        raise ValueError("{%s}; allowed are {time}, {iso} and {source.channel}" % name)


def problems(entry: dict, board):
    """Yield what is wrong with a config entry beyond its table."""
    for key in ("sources", "channels"):
        if entry[key] is not None:
            yield "leave `%s` out: a webhook sends what `values` or `body` names" % key
    try:
        yield from _log(entry) if entry["format"] == "log.php" else _json(entry)
    except ValueError as error:
        yield "`%s` has %s" % ("body" if entry["format"] == "json" else "values", error)


def _log(entry: dict):
    if not entry["key"]:
        yield "`key` is missing: log.php takes nothing without its key"
    if entry["body"]:
        yield '`body` belongs to `format`: "json"; log.php gets `values`'
    if not 0 < len(entry["values"]) <= _MOST or not entry["values"][0]:
        text = 'allowed for `values` are 1 to %d, each source.channel, or "" behind the first one'
        yield text % _MOST
    for _ in named(entry):
        pass


def _json(entry: dict):
    import json

    if entry["values"]:
        yield '`values` belongs to `format`: "log.php"; json gets `body`'
    if not list(named(entry)):
        yield '`body` is missing, or has no value, such as {"watts": {grid.power_import}}'
    sample = [piece if isinstance(piece, str) else "0" for piece in pieces(entry["body"])]
    plain = "".join("".join(sample).replace("\\\\", "").replace('\\"', "").split('"')[::2])
    try:
        json.loads("".join(sample))
        closed = all([plain.count(pair[0]) == plain.count(pair[1]) for pair in ("{}", "[]")])
    except ValueError:
        closed = not entry["body"]
    if not closed:  # MicroPython's json closes what is open
        yield "`body` is no JSON, with a number in the place of each {source.channel}"
