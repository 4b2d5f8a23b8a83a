"""EmonCMS over HTTP: POST /input/bulk, each reading with its own time.

    sinks = [{"type": "emoncms", "url": "https://emoncms.example", "key": "…"}]

The body is the form that EmonCMS's input API describes:

    time=0&data=[[1795164390,"house",{"power_import":1193,"energy_import_t1":45678.123}],…]

with the write key in the header, never in the URL or the body. The server says 200 to nearly
everything; only the exact answers `ok` and `{"success": true}` mean that it has the batch.
Its feeds keep the order they get, so nothing newer is sent before something older.
"""

from civil import UNIX_2000
from exact import DECIMALS, KEY, KIND
from micropython import const

from .errors import Denied, Refused, Retry
from .http_batch import PLAIN, HttpBatchSink, parsed, percent
from .http_batch import SCHEMA as _SHARED
from .sink import Writer

SCHEMA = (
    """\
url        | url              | required | address of EmonCMS, such as http://192.168.1.10/emoncms
key        | secret           | required | write API key
node       | text             | ""   | name of the node; empty: the source's name
""",
) + _SHARED

_TAIL = b"%5D"
_TYPE_ERRORS = const(30)  # times that a PHP TypeError may be the server's own trouble
_LETTERS = "\xaa\xb2\xb3\xb5\xb9\xba\xbc\xbd\xbe"  # letters and numbers below U+00C0


class Sink(HttpBatchSink):
    """Sends batches to /input/bulk."""

    order = "strict"
    tail = 3  # bytes of _TAIL

    def __init__(self, name: str, entry: dict, app, cursor, request=None) -> None:
        HttpBatchSink.__init__(self, name, entry, app, cursor, (entry["key"],), request)
        self._headers = {
            "Authorization": "Bearer " + entry["key"],
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._plain = ""  # the source whose inputs are not prefixed at a fixed node

    def begin(self, out: Writer) -> None:
        """The form's fields up to the list."""
        out.put(b"time=0&data=%5B")

    def add(self, out: Writer, time: int, reading: tuple, first: bool) -> None:
        """One row: [time, node, {name: value, …}]; no row without a value."""
        source, values = reading[1], reading[2]
        head, columns = self._planned(source)
        begin = (b"%5B" if first else b",%5B", str(time + UNIX_2000), head)
        if self._put_values(out, begin, columns, values):
            out.put(b"%7D%5D")

    def finish(self, out: Writer) -> None:
        """The end of the list."""
        out.put(_TAIL)

    async def post(self, body: memoryview) -> None:
        """Send a batch and read what the server means by its answer."""
        status, headers, answer = await self._exchange("/input/bulk", body)
        if status != 200:
            if status == 401:
                raise Denied("wrong key: `key` must be the write API key of this EmonCMS")
            if status == 404 or status == 406:
                raise Denied("no EmonCMS input API at this `url` (HTTP %d)" % status)
            self._fail(status, headers, self._words(answer))
        if answer == b"ok" or answer == b'{"success": true}':
            return
        if not answer:
            raise Denied(
                "empty answer: `key` is missing or read-only, it must be the write API key"
            )
        said = parsed(answer)
        if said is False:
            raise Denied("no EmonCMS input API at this `url` (it answers false)")
        if isinstance(said, dict) and said.get("success") is False:
            self._unsuccessful(self._words(answer))
        if b"TypeError" in answer and self._failures >= _TYPE_ERRORS:
            # PHP says so of data that it cannot digest; also when the server is broken.
            raise Refused(self._words(answer))
        raise Retry("an answer that means nothing: " + self._words(answer))

    def _unsuccessful(self, words: str) -> None:
        if "maximal allowed number" in words or "device" in words.lower():
            self._limit = 1  # rows before the refused one are stored: do not send them again
            raise Denied(words + " (free a node, or set `node` to one that exists)")
        if "too many connections" in words.lower() or "update rate" in words:
            raise Retry(words)
        raise Refused(words)

    def _plan(self, source) -> tuple:
        """(what is behind the time of a row, (index, decimals, ",name:") per channel)."""
        node = cleaned(self.entry["node"] or source.name) or "0"
        prefix = "" if self._is_plain(source.name) else source.name + "_"
        taken: dict = {}
        columns = []
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
            if name != wanted:
                self.log.warning(
                    '"%s" is sent as "%s": EmonCMS cannot tell it from another', channel[KEY], name
                )
            columns.append((index, channel[DECIMALS], b",%22" + percent(name).encode() + b"%22:"))
        return b",%22" + percent(node).encode() + b"%22,%7B", tuple(columns)

    def _is_plain(self, name: str) -> bool:
        """Whether inputs of a source need no prefix: at a node of its own, or as the first.

        At a fixed node two meters must not share an input; which one is first must not depend on
        who reports first after a start, so the config's order decides.
        """
        if not self.entry["node"]:
            return True
        if not self._plain:
            listed = self.entry.get("sources")
            if not listed:
                listed = [reader["name"] for reader in self.app.config.readers]
            self._plain = listed[0] if listed else name
        return name == self._plain


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
