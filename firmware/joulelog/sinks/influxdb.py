"""InfluxDB 1 and 2, VictoriaMetrics: line protocol over HTTP, numbers digit for digit.

    sinks = [{"type": "influxdb", "url": "http://192.168.1.10:8086", "database": "energy"}]
    sinks = [{"type": "influxdb", "url": "https://influx.example", "org": "home",
              "bucket": "energy", "token": "…"}]

One reading is one line (line protocol of InfluxData's documentation, precision seconds):

    energy,device=joulelog,source=p1 power_import=1193,energy_import_t1=45678.123 1795164390

Only 204 means stored. Series and time are the key there: a batch sent twice is stored once.
"""

import binascii

from civil import UNIX_2000
from exact import DECIMALS, KEY, KIND

from .. import COMPILED, VERSION
from .errors import Denied, Refused
from .http_batch import PLAIN, TEXT, HttpBatchSink, percent
from .http_batch import SCHEMA as _SHARED
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
measurement      | text      | "energy" | name of the measurement
backfill         | choice in_order live_first | "in_order" | live_first: a backlog waits
tags             | dict text | {}       | more tags for each point: {"house": "Main Street 1"}
""",
) + _SHARED

# What a server says of bad points, as opposed to a wrong address or a bad request.
_ABOUT_POINTS = (
    "unable to parse",
    "partial write",
    "field type conflict",
    "outside",
    "line protocol",
    "invalid",
)


class Sink(HttpBatchSink):
    """Sends batches of line protocol."""

    def __init__(self, name: str, entry: dict, app, cursor, request=None) -> None:
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
        HttpBatchSink.__init__(self, name, entry, app, cursor, secrets, request)
        self._headers = headers
        self._tags = {"device": app.device, "version": VERSION, "compiled": COMPILED}
        self._tags.update(entry["tags"])

    def add(self, out: Writer, time: int, reading: tuple, first: bool) -> None:
        """One line; none without a value."""
        source, values = reading[1], reading[2]
        head, columns = self._planned(source)
        if self._put_values(out, (head,), columns, values):
            out.put(" %d\n" % (time + UNIX_2000))

    async def post(self, body: memoryview) -> None:
        """Send a batch; where one of its points is refused, the others may be sent again."""
        status, headers, answer = await self._exchange(self._target, body)
        if status == 204:
            return
        words = self._words(answer) or self._clean(headers.get("x-influxdb-error", ""))
        if status == 400 or status == 422:
            if status == 422 or _mentions(words, _ABOUT_POINTS):
                raise Refused(words)
            raise Denied("the server does not understand the request, check `url` (%s)" % words)
        if status == 401:
            raise Denied("wrong %s (HTTP 401: %s)" % (self._credential(), words))
        if status == 403:
            raise Denied("%s may not write here (HTTP 403: %s)" % (self._credential(), words))
        if status == 404:
            raise Denied(self._not_found(words))
        if status == 500 and "retention policy not found" in words:
            raise Denied("create the retention policy, or correct `retention_policy` (%s)" % words)
        self._fail(status, headers, words)

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

    def _plan(self, source) -> tuple:
        """(begin of a line, (index, decimals, ",key=") per channel): escaped once."""
        tags = dict(self._tags)
        tags["source"] = source.name
        head = [escaped(self.entry["measurement"], ", ")]
        for key in sorted(tags):
            value = escaped(tags[key], ", =")
            if value:  # an empty tag is refused
                head.append("%s=%s" % (escaped(key, ", ="), value))
        columns = []
        for index in self.cursor.columns(source):
            channel = source.channels[index]
            key = channel[KEY] + "_" if channel[KEY] == "time" else channel[KEY]  # reserved
            decimals = TEXT if channel[KIND] == "text" else channel[DECIMALS]
            columns.append((index, decimals, (",%s=" % escaped(key, ", =")).encode()))
        return (",".join(head) + " ").encode(), tuple(columns)


def live_first(entry: dict) -> bool:
    """Whether new readings may overtake a backlog: the server sorts by time."""
    return entry["backfill"] == "live_first" and not entry["every"]


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
    if ":" in entry["user"]:
        yield "`user` must not contain a colon"
    if not entry["measurement"] or entry["measurement"].startswith("#"):
        yield "`measurement` must not be empty or begin with #"
    for key in entry["tags"]:
        if key in ("source", "time", ""):
            yield '`tags` must not have "%s": choose another name' % key


def _mentions(words: str, phrases: tuple) -> bool:
    return any([phrase in words for phrase in phrases])


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
