"""Tuya meters on the LAN, by their local protocol: clamps, plugs; no cloud is asked.

    readers = [
        {"type": "tuya", "device": "pj1103a", "id": "bf0123456789abcdef01",
         "key": "16 characters...", "host": "192.0.2.30", "version": "3.4"},
        {"type": "tuya", "id": "...", "key": "...", "rows": [
            "power | dps/19 | 0.1W | 1 | W | measurement | power",
        ]},
    ]

docs/lan.md says where id and key come from. A device sends by itself what has changed, and all of
it when it is asked: what comes is kept, and unknown once nothing was heard of it for a while.
Where `host` or `version` is left out, the device's announcements tell them.
"""

import os

import cryptolib
from jsonmeter.table import Table
from jsonpick.paths import PathError
from jsonpick.picker import Picker
from micropython import const
from tuya import devices
from tuya.session import VERSIONS, Session

from .. import clock
from ..errors import NetError
from . import tuya_finder
from .on_lan import OnLan
from .tuya_link import Link

SCHEMA = """\
device   | choice plug plug_31 pj1103 pj1103a pj1103a_signed pj2101a dual_clamp zemismart zemismart_1 | null | kind
rows     | list row         | null | a table of your own, a row per channel
id       | text             | required | its device id
key      | secret 16..16    | required | its local key
host     | host             | null | its name or address; left out: it is found by its announcements
port     | int 1..65535     | 6668 | its port
version  | choice 3.1 3.3 3.4 3.5 | null | of its protocol; left out: it is found out
renew    | list text        | null | data points that it measures anew only when it is told to
interval | int 1..86400     | 10   | seconds between two readings
misses   | int 1..100       | 3    | times without an answer after which its values are unknown
timeout  | int 1..60        | 5    | seconds that it may take to answer
"""  # noqa: E501 - a line per key
NEEDS = ("clock", "network", "buses")

_ANNOUNCED_MS = const(12000)  # a device announces itself every 5 s
_STALE_MS = const(300000)  # a data point that was not heard of for so long is unknown
_PIECE = const(32)  # bytes of JSON: 21 ms of an ESP32, 52 ms of an ESP8266
_GUESSES = ("3.3", "3.4", "3.5", "3.1")
_ALIKE = {"3.2": "3.3"}


def problems(entry: dict, board):
    """Yield what the table cannot say."""
    if (entry["device"] is None) == (entry["rows"] is None):
        yield "one of `device` and `rows` is needed, and only one"
        return
    identity = entry["id"]
    if [one for one in identity if not (one.isdigit() or one.isalpha()) or ord(one) > 127]:
        yield "`id` has letters and digits only"
    for one in entry["renew"] or ():
        if not one.isdigit():
            yield '`renew` is a list of numbers in quotes: ["18", "19", "20"]'
            return
    if entry["rows"] is None:
        return
    try:
        paths = Table(entry["rows"]).paths
        Picker(paths)
        for path in paths:
            if path[:4] != "dps/" or not path[4:].isdigit():
                yield '`rows`: "%s": a data point is written as dps/101' % path
                return
    except (ValueError, PathError) as error:
        yield "`rows`: %s" % error


def keys(entry: dict) -> list[str]:
    """The channels that there may be."""
    return [row[0] for row in Table(entry["rows"] or devices.rows(entry["device"])).rows]


class Reader(OnLan):
    """One device."""

    _host = None  # as announced
    _guess = 0
    _failed = 0  # times in a row that no connection came to be
    _retry_ms = 0  # uptime before which none is tried again

    def __init__(self, name: str, entry: dict, output, app_clock, network, buses: dict) -> None:
        OnLan.__init__(self, name, entry, output, app_clock, (), None)
        self._network = network
        self._finder = tuya_finder.of(buses)
        self._version = entry["version"]
        device = entry["device"]
        self.who = "%s %s" % (device or "device", entry["host"] or entry["id"])
        table = self._table = Table(entry["rows"] or devices.rows(device))
        paths = table.paths
        table.paths = []
        self._dps = [int(path[4:]) for path in paths]
        self._pick = Picker(paths + ["data/" + path for path in paths])
        renew = entry["renew"]
        self._renew = devices.RENEWED.get(device, ()) if renew is None else [int(n) for n in renew]
        key = entry["key"].encode()
        version = self._version or _GUESSES[0]
        session = Session(version, key, entry["id"], cryptolib.aes, os.urandom, self._take)
        self._link = Link(session, entry["timeout"] * 1000)
        self._forget()
        output.identify("Tuya", None, entry["id"])

    def channels(self) -> tuple:
        """Those that had a value so far."""
        return self._table.channels

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        session = self._link.session
        return OnLan.counters(self) + (
            ("connections", self._link.connections),
            ("wrong_frames", session.wrong_checks),
            ("undecodable", session.undecodable),
            ("garbage", session.framer.garbage),
        )

    async def run(self) -> None:
        """Poll for ever."""
        try:
            await self._poll_on()
        finally:
            self._link.close()

    def _pause(self, ms: int):
        return self._link.listen(ms)

    async def _read(self) -> list | None:
        if not self._network.up:
            return self._fail("there is no network")
        kept = self._link.is_open
        error = await self._ask()
        if error is not None and kept and not error.refused:
            self._retry_ms = 0  # it may have been cut off long ago
            error = await self._ask()
        if error is not None:
            self._forget()
            return self._refuse(str(error)) if error.refused else self._fail(str(error))
        now = clock.uptime_ms()
        stale_ms = max(_STALE_MS, self._entry["misses"] * self._entry["interval"] * 1000)
        texts = [text if now - at <= stale_ms else None for text, at in self._known]
        values = self._table.decode(texts)
        if values.count(None) == len(values):
            return self._refuse("its answer has none of the data points: is it another `device`?")
        self.answers += 1
        return values

    async def _ask(self):
        """Have all values sent; the NetError where that failed."""
        if self._failed and clock.uptime_ms() < self._retry_ms:
            return NetError(self._trouble)
        now = self._clock.now()
        now = 0 if now is None else now + clock.UNIX_2000
        link = self._link
        try:
            if not link.is_open:
                await self._open()
            await link.ask(self._dps, self._renew, now)
            self._failed = 0
            return None
        except NetError as error:
            told = error
        self._failed += 1
        self._retry_ms = clock.uptime_ms() + clock.backoff_ms(self._failed)
        new = not link.session.answers or self._failed > self._entry["misses"]
        if link.spoke and new and not self._entry["version"]:
            self._guess += 1  # somebody is there: it may be the version
            self._version = None
        if told.refused or not link.spoke:
            self._host = None  # it may have moved
        return told

    async def _open(self) -> None:
        """A new connection; NetError."""
        host = self._entry["host"] or self._host
        if host is None or self._version is None:
            self._link.spoke = False
            host = await self._find()
        session = self._link.session
        if session.version != self._version:
            session.version = self._version
            session.device22 = False
        self._forget()
        await self._link.open(host, self._entry["port"])

    async def _find(self) -> str:
        """Its address, and its version."""
        told = None
        try:
            told = await self._finder.find(self._entry["id"], _ANNOUNCED_MS)
        except OSError:
            pass  # the ports are taken
        host = self._entry["host"]
        if told is None:
            if host is None:
                raise NetError("it does not announce itself here: give its `host`")
            if self._version is None:
                self._version = _GUESSES[self._guess % len(_GUESSES)]
            return host
        _, address, version, product = told
        if not self._entry["version"]:
            version = _ALIKE.get(version, version)
            if version not in VERSIONS:
                raise NetError("its protocol is version %s, which is not known here" % version)
            self._version = version
        self._output.identify("Tuya", product or None, self._entry["id"])
        self._host = address
        return host or address

    def _forget(self) -> None:
        """What was heard before: a new connection begins with nothing."""
        self._known = [(None, 0)] * len(self._dps)

    def _take(self, text: bytes):
        """What the device sends: some of its data points, or all; in steps."""
        pick = self._pick
        pick.begin()
        for at in range(0, len(text), _PIECE):
            pick.feed(text[at : at + _PIECE])
            yield
        if not pick.end():
            return
        count = len(self._known)
        now = clock.uptime_ms()
        for at in range(count):
            found = pick.texts[at]
            if found is None:
                found = pick.texts[at + count]
            if found is not None:
                self._known[at] = (found, now)
