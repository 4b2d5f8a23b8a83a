"""InfluxDB 1 and 2, VictoriaMetrics: line protocol over HTTP, numbers digit for digit.

    sinks = [{"type": "influxdb", "url": "http://192.168.1.10:8086", "database": "energy"}]
    sinks = [{"type": "influxdb", "url": "https://influx.example", "org": "home",
              "bucket": "energy", "token": "…"}]

One reading is one line (line protocol of InfluxData's documentation, precision seconds):

    energy,device=joulelog,source=p1 power_import=1193,energy_import_t1=45678.123 1795164390

Only 204 means stored. Series and time are the key there: a batch sent twice is stored once.
"""

import binascii

from exact import KEY

from .. import COMPILED, VERSION, clock
from ..flow.reading import DEVICE
from ..net import server
from ..net.server import Denied, Refused
from ..net.url import PLAIN, percent
from . import batch
from .sink import Writer

SCHEMA = (
    """\
url              | url       | required | address of the server, such as http://192.168.1.10:8086
database         | text      | ""       | InfluxDB 1, VictoriaMetrics: name of the database
user             | text      | ""       | InfluxDB 1: user name
password         | secret    | ""       | InfluxDB 1: password
retention_policy | text      | ""       | InfluxDB 1: retention policy; empty: the default one
bucket           | text      | ""       | InfluxDB 2: name of the bucket
org              | text      | ""       | InfluxDB 2: organisation
token            | secret    | ""       | InfluxDB 2: API token that may write the bucket
measurement      | label     | "energy" | name of the measurement
backfill         | choice in_order live_first | "in_order" | live_first: a backlog waits
tags             | dict text | {}       | more tags for each point: {"house": "Main Street 1"}
version_tags     | bool      | false    | tags version and compiled, not source; for one meter
""",
    batch.SCHEMA,
) + server.SCHEMA
NEEDS = ("clock", "device")
DESTINATION = ("url", "org", "bucket", "database", "retention_policy")

# What a server says of bad points, as opposed to a wrong address, a bad request, or its own state.
_ALWAYS = ("unable to parse", "type conflict", "dropped=")
_ABOUT_POINTS = _ALWAYS + ("partial write", "outside", "line protocol", "invalid")


class Sink(batch.BatchSink):
    """Sends batches of line protocol."""

    def __init__(
        self, name: str, entry: dict, cursor, app_clock, device: str, request=None
    ) -> None:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        credentials = ""
        if entry["bucket"]:
            self._target = "/api/v2/write?org=%s&bucket=%s&precision=s" % (
                percent(entry["org"]),
                percent(entry["bucket"]),
            )
            if entry["token"]:
                headers["Authorization"] = "Token " + entry["token"]
        else:
            self._target = "/write?db=%s&precision=s" % percent(entry["database"])
            if entry["retention_policy"]:
                self._target += "&rp=" + percent(entry["retention_policy"])
            if entry["user"]:
                plain = "%s:%s" % (entry["user"], entry["password"])
                credentials = binascii.b2a_base64(plain.encode()).decode().strip()
                headers["Authorization"] = "Basic " + credentials
        secrets = (entry["token"], credentials, entry["password"])
        batch.BatchSink.__init__(self, name, entry, cursor)
        self.server = server.Server(entry, secrets, request)
        self.server.headers = headers
        self._clock = app_clock
        self._device = device  # of what does not know its own
        self._tags = dict(entry["tags"])
        if entry["version_tags"]:
            self._tags.update({"version": VERSION, "compiled": COMPILED})

    def add(self, out: Writer, time: int, reading: tuple, first: bool) -> None:
        """One line; none without a value."""
        if self.put_values(out, (), reading, quoted):
            out.put(" %s\n" % clock.unix(time))

    async def post(self, body: memoryview) -> None:
        """Send a batch; where one of its points is refused, the others may be sent again."""
        status, headers, answer = await self.server.exchange(self._target, body, self.say)
        if status == 204:
            return
        words = self.server.words(answer) or self.server.clean(headers.get("x-influxdb-error", ""))
        bad = {400: _ABOUT_POINTS, 422: ("",), 500: _ALWAYS}.get(status)
        if bad and _mentions(words, bad):
            if " limit" in words and not _mentions(words, _ALWAYS[:2]):
                raise Denied("a limit of the server is reached: raise it there (%s)" % words)
            raise Refused(words)
        if status == 400:
            raise Denied("the server does not understand the request, check `url` (%s)" % words)
        if status == 401:
            raise Denied("wrong %s (HTTP 401: %s)" % (self._credential(), words))
        if status == 403:
            raise Denied("%s may not write here (HTTP 403: %s)" % (self._credential(), words))
        if status == 404:
            raise Denied(self._not_found(words))
        if status == 500 and "retention policy not found" in words:
            raise Denied("create the retention policy, or correct `retention_policy` (%s)" % words)
        self.server.fail(status, headers, words, self._clock.now())

    def _credential(self) -> str:
        return "`token`" if self.entry["bucket"] else "`user` or `password`"

    def _not_found(self, words: str) -> str:
        if "bucket" in words or "organization" in words:
            return 'create the bucket "%s", or correct `bucket` and `org` (%s)' % (
                self.entry["bucket"],
                words,
            )
        if "database not found" in words:
            name = self.entry["database"]
            return 'create the database: CREATE DATABASE "%s", or correct `database`' % name
        wanted = "InfluxDB 2 (`bucket`)" if self.entry["bucket"] else "InfluxDB 1 (`database`)"
        return "no %s at this `url` (HTTP 404: %s)" % (wanted, words)

    def plan(self, source) -> tuple:
        """(begin of a line, channels with ",key=" as key): escaped once."""
        tags = {"device": source.identity[DEVICE] or self._device}
        tags.update(self._tags)
        if not self.entry["version_tags"]:
            tags["source"] = source.name
        head = [escaped(self.entry["measurement"], ", ")]
        for key in sorted(tags):
            value = escaped(tags[key], ", =")
            if value:  # an empty tag is refused
                head.append("%s=%s" % (escaped(key, ", ="), value))
        channels = [None] * len(source.channels)
        for index in self.cursor.columns(source):
            channel = source.channels[index]
            key = channel[KEY] + "_" if channel[KEY] == "time" else channel[KEY]  # reserved
            channels[index] = ((",%s=" % escaped(key, ", =")).encode(),) + channel[1:]
        return (",".join(head) + " ").encode(), channels


def reads(entry: dict, terminal: bool) -> str:
    """New readings may overtake a backlog: the server sorts by time."""
    return entry["backfill"] if not entry["every"] else "in_order"


def problems(entry: dict, board):
    """Yield what is wrong with a config entry beyond its table: keys that do not go together."""
    if entry["database"] and entry["bucket"]:
        yield "give `database` (InfluxDB 1, VictoriaMetrics) or `bucket` (InfluxDB 2), not both"
    elif not entry["database"] and not entry["bucket"]:
        yield "`database` (InfluxDB 1, VictoriaMetrics) or `bucket` (InfluxDB 2) is missing"
    for key in ("user", "password", "retention_policy"):
        if entry["bucket"] and entry[key]:
            yield "`%s` belongs to InfluxDB 1; with `bucket` use `org` and `token`" % key
    for key in ("org", "token"):
        if entry["database"] and entry[key]:
            yield "`%s` belongs to InfluxDB 2; with `database` use `user` and `password`" % key
        elif entry["bucket"] and not entry["database"] and not entry[key]:
            yield "`%s` is missing: InfluxDB 2 (`bucket`) wants it" % key
    if ":" in entry["user"]:
        yield "`user` must not contain a colon"
    if not entry["measurement"] or entry["measurement"].startswith("#"):
        yield "`measurement` must not be empty or begin with #"
    if entry["version_tags"] and len(entry["sources"] or ()) != 1:
        yield "`version_tags` leaves out the tag source: name one meter in `sources`"
    yield from server.no_base(entry["url"], ("write", "query", "api", "ping"))
    for key in entry["tags"]:
        wrong = [char for char in "\\\"'" if char in key]
        if key in ("source", "time", "") or wrong or key[0] in "$@" or key.strip() != key:
            yield '`tags` must not have "%s": choose another name' % key


def _mentions(words: str, phrases: tuple) -> bool:
    return any([phrase in words for phrase in phrases])


def quoted(value: str) -> str:
    """A text field of line protocol."""
    return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')


def escaped(name: str, special: str) -> str:
    """A measurement, tag or field key with a backslash before each special character.

    A line end would end the line, and a backslash at the end would escape what follows: a blank
    takes the place of the first, the second goes.
    """
    if not name.strip(PLAIN):
        return name
    name = name.replace("\r", " ").replace("\n", " ").rstrip("\\")
    for char in special:
        name = name.replace(char, "\\" + char)
    return name
