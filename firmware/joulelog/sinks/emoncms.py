"""EmonCMS over HTTP: POST /input/bulk, each reading with its own time.

    sinks = [{"type": "emoncms", "url": "https://emoncms.example", "key": "…"}]

The body is the form that EmonCMS's input API describes:

    time=0&data=[[1795164390,"house",{"power_import":1193,"energy_import_t1":45678.123}],…]

with the write key in the header, never in the URL or the body. The server says 200 to nearly
everything; only the exact answers `ok` and `{"success": true}` mean that it has the batch.
Its feeds keep the order they get, so nothing newer is sent before something older.
"""

from exact import KEY, KIND
from micropython import const

from .. import clock
from ..net import server
from ..net.server import Denied, Refused, Retry
from ..net.url import PLAIN, percent
from . import batch
from .sink import Writer

SCHEMA = (
    """\
url        | url              | required | address of EmonCMS, such as http://192.168.1.10/emoncms
key        | secret           | required | write API key
node       | text             | ""   | name of the node; empty: the source's name
""",
    batch.SCHEMA,
) + server.SCHEMA
NEEDS = ("clock", "readers")
DESTINATION = ("url", "node")

_TAIL = b"%5D"
_NODE = const(16)  # characters; input_model.php and input_api_obj.php of August 2026
_INPUT = const(64)
_TOO_LONG = 'the %s "%s" is longer than %d characters: emoncms.org drops it behind an "ok"'
_TYPE_ERRORS = const(30)  # times that a PHP TypeError may be the server's own trouble
_LETTERS = "\xaa\xb2\xb3\xb5\xb9\xba\xbc\xbd\xbe"  # letters and numbers below U+00C0


class Sink(batch.BatchSink):
    """Sends batches to /input/bulk."""

    tail = 3  # bytes of _TAIL

    def __init__(
        self, name: str, entry: dict, cursor, app_clock, readers: list, request=None
    ) -> None:
        batch.BatchSink.__init__(self, name, entry, cursor)
        self._clock = app_clock
        self.server = server.Server(entry, (entry["key"],), request)
        self.server.headers = {
            "Authorization": "Bearer " + entry["key"],
            "Content-Type": "application/x-www-form-urlencoded",
        }
        # The source whose inputs are not prefixed at a fixed node; "": the first one that comes.
        listed = entry.get("sources") or [reader.name for reader in readers]
        self._plain = listed[0] if listed else ""

    def begin(self, out: Writer) -> None:
        """The form's fields up to the list."""
        out.put(b"time=0&data=%5B")

    def add(self, out: Writer, time: int, reading: tuple, first: bool) -> None:
        """One row: [time, node, {name: value, …}]; no row without a value."""
        begin = (b"%5B" if first else b",%5B", clock.unix(time))
        if self.put_values(out, begin, reading, None):
            out.put(b"%7D%5D")

    def finish(self, out: Writer) -> None:
        """The end of the list."""
        out.put(_TAIL)

    async def post(self, body: memoryview) -> None:
        """Send a batch and read what the server means by its answer."""
        status, headers, answer = await self.server.exchange("/input/bulk", body, self.say)
        if status != 200:
            if status == 401:
                raise Denied("wrong key: `key` must be the write API key of this EmonCMS")
            if status == 404 or status == 406:
                raise Denied("no EmonCMS input API at this `url` (HTTP %d)" % status)
            self.server.fail(status, headers, self.server.words(answer), self._clock.now())
        if answer == b"ok" or answer == b'{"success": true}':
            return
        if not answer:
            raise Denied(
                "empty answer: `key` is missing or read-only, it must be the write API key"
            )
        said = server.parsed(answer)
        if said is False:
            raise Denied("no EmonCMS input API at this `url` (it answers false)")
        if isinstance(said, dict) and said.get("success") is False:
            self._unsuccessful(self.server.words(answer))
        if b"TypeError" in answer and self._failures >= _TYPE_ERRORS:
            # PHP says so of data that it cannot digest; also when the server is broken.
            raise Refused(self.server.words(answer))
        raise Retry("an answer that means nothing: " + self.server.words(answer))

    def _unsuccessful(self, words: str) -> None:
        if "maximal allowed number" in words or "device" in words.lower():
            self._limit = 1  # rows before the refused one are stored: do not send them again
            raise Denied(words + " (free a node, or set `node` to one that exists)")
        if "too many connections" in words.lower() or "update rate" in words:
            raise Retry(words)
        raise Refused(words)

    def plan(self, source) -> tuple:
        """(what is behind the time of a row, channels with ",name:" as key)."""
        node = cleaned(self.entry["node"] or source.name) or "0"
        prefix = "" if self._is_plain(source.name) else source.name + "_"
        taken: dict = {}
        channels = [None] * len(source.channels)
        for index in self.cursor.columns(source):
            channel = source.channels[index]
            if channel[KIND] == "text":
                continue
            wanted = cleaned(prefix + channel[KEY]) or "input"
            name = wanted
            number = 2
            while name in taken:
                name = "%s_%d" % (wanted, number)
                number += 1
            taken[name] = True
            if len(name) > _INPUT:
                self.log().warning(_TOO_LONG + "; use `names`", "input", name, _INPUT)
            if name != wanted:
                self.log().warning(
                    '"%s" is sent as "%s": EmonCMS cannot tell it from another', channel[KEY], name
                )
            channels[index] = (b",%22" + percent(name).encode() + b"%22:",) + channel[1:]
        return b",%22" + percent(node).encode() + b"%22,%7B", channels

    def _is_plain(self, name: str) -> bool:
        """Whether inputs of a source need no prefix: at a node of its own, or as the first.

        At a fixed node two meters must not share an input; which one is first must not depend on
        who reports first after a start, so the config's order decides.
        """
        if not self.entry["node"]:
            return True
        self._plain = self._plain or name
        return name == self._plain


def problems(entry: dict, board):
    """Yield what is wrong with a config entry beyond its table: an address that is no base."""
    return server.no_base(entry["url"], ("input", "feed", "user", "dashboard", "vis", "device"))


def warnings(entry: dict, sources: list):
    """Yield what a server may not take, given the names of the meters."""
    for name in [entry["node"]] if entry["node"] else entry["sources"] or sources:
        if len(cleaned(name)) > _NODE:
            yield _TOO_LONG % ("node", name, _NODE) + "; set `node`, or a shorter `name`"


def cleaned(name: str) -> str:
    """The name as EmonCMS keeps it: letters, digits, blank, `_`, `-` and `.`."""
    if not name.strip(PLAIN):
        return name
    return "".join([char for char in name if _kept(char)]).strip()


def _kept(char: str) -> bool:
    code = ord(char)
    if code < 128:
        return char.isalpha() or char.isdigit() or char in " _-."
    if code < 0xC0:
        return char in _LETTERS
    if code == 0xD7 or code == 0xF7:  # times, divided by
        return False
    # Scripts; not combining marks, punctuation, currencies, arrows and other symbols, emoji.
    return code < 0x300 or 0x370 <= code < 0x2000 or 0x3040 <= code < 0xD800
