"""Meters on the LAN that answer JSON over HTTP: a table says what stands where.

    readers = [
        {"type": "http_json", "device": "shelly", "host": "192.0.2.20", "password": "..."},
        {"type": "http_json", "host": "meter.local", "path": "/v1/json", "rows": [
            "power         | power           | W  | 0 | W   | measurement      | power",
            "energy_import | energyCounterIn | Wh | 3 | kWh | total_increasing | energy",
        ]},
    ]

docs/lan.md has the devices, and says what a row may hold. A Shelly is asked for its generation and
its parts. What a device has not is no channel; what it does not know any more is None.
"""

from jsonmeter import devices
from jsonmeter.table import Table
from jsonpick.paths import PathError
from jsonpick.picker import Picker
from micropython import const

from .. import clock
from ..errors import NetError
from ..net.url import percent, unsendable
from .on_lan import OnLan, plain

SCHEMA = """\
device | choice shelly tasmota homewizard opendtu ahoydtu fronius goe mystrom youless | null | kind
host     | host             | required | its name or address
port     | int 1..65535     | 80   | its port
unit     | text             | null | which inverter: its serial number (opendtu), its id (ahoydtu)
path     | text             | null | what is asked for where `rows` are your own: "/v1/json"
rows     | list row         | null | a table of your own, a row per channel
user     | text             | ""   | where it wants a login; a Shelly's is admin
password | secret           | ""   | the same; the token of a myStrom
interval | int 1..86400     | 10   | seconds between two readings
misses   | int 1..100       | 3    | times without an answer after which its values are unknown
timeout  | int 1..60        | 5    | seconds that it may take to answer
"""
NEEDS = ("clock", "network")

_LIMIT = const(16384)  # bytes of an answer
_WARNING = "WARNING"  # how a Tasmota refuses a login


def problems(entry: dict, board):
    """Yield what the table cannot say."""
    device, rows, path, unit = [entry[key] for key in ("device", "rows", "path", "unit")]
    if (device is None) == (rows is None):
        yield "one of `device` and `rows` is needed, and only one"
    elif (path is None) != (rows is None):
        yield "`path` is what is asked for with `rows` of your own: give both, or none"
    elif path is not None and (path[:1] != "/" or unsendable(path)):
        yield '`path` begins with "/" and has no blanks or special characters (%20 is one)'
    elif (unit is None) == (device in devices.GATEWAYS):
        gateways = " and ".join(devices.GATEWAYS)
        yield "`unit` says which inverter is meant: %s need it, others have none" % gateways
    elif rows is not None:
        try:
            Picker(Table(rows).paths)
        except (ValueError, PathError) as error:
            yield "`rows`: %s" % error


def keys(entry: dict) -> list[str] | None:
    """The channels that there may be; None: only the device knows."""
    if entry["device"] == "shelly":
        return None
    rows = entry["rows"]
    return [channel[0] for channel in Table(rows or devices.rows(entry["device"])).rows]


class Reader(OnLan):
    """One device."""

    def __init__(self, name: str, entry: dict, output, app_clock, network) -> None:
        OnLan.__init__(self, name, entry, output, app_clock, (), None)
        device = entry["device"]
        self._network = network
        self._device = device
        self.who = "%s at %s" % (device or "the device", entry["host"])
        self._url = "http://%s:%d" % (entry["host"], entry["port"])
        self._headers: dict = {}
        self._login = None
        self._pick = self._table = None
        user, password = entry["user"], entry["password"]
        self._target = entry["path"]
        if device:
            output.identify(devices.MAKERS[device], None, None)
        if device and device != "shelly":
            self._target = devices.target(device, percent(entry["unit"] or ""))
        if device in devices.QUERY_LOGIN:
            if password:
                login = (percent(user or "admin"), percent(password))
                self._target += "&user=%s&password=%s" % login
        elif device == "mystrom":
            self._headers = {"Token": password} if password else {}
        elif user or password:
            import os

            from httpauth import Login

            self._login = Login(user or "admin", password, os.urandom)
        if device != "shelly":
            self._use(Table(entry["rows"] or devices.rows(device)))

    def channels(self) -> tuple:
        """Those that had a value so far."""
        return self._table.channels if self._table else ()

    def _use(self, table) -> None:
        self._table = table
        self._pick = Picker(table.paths + [_WARNING])
        table.paths = []  # their texts would stay for years

    async def _read(self) -> list | None:
        table, pick = self._table, self._pick
        if table is None or pick is None:
            return await self._read() if await self._find_out() else None
        if not await self._ask(self._target, pick):
            return None
        if pick.texts[-1] is not None:
            return self._refuse("it wants another `user` or `password`")
        now = self._clock.now()
        values = table.decode(pick.texts, None if now is None else now + clock.UNIX_2000)
        if values.count(None) == len(values):
            if self._device == "shelly":  # it may be another one by now
                self._table = None
            return self._refuse("its answer has no values: is it switched off, or another device?")
        self.answers += 1
        return values

    async def _find_out(self) -> bool:
        """Which Shelly it is, and what it measures."""
        from jsonmeter import shelly

        pick = Picker(shelly.ABOUT)
        if not await self._ask(shelly.ABOUT_TARGET, pick):
            return False
        _, model, mac, old_model = pick.texts
        generation = shelly.generation(pick.texts)
        if not generation:
            self._refuse("it is no Shelly")
            return False
        pick = Picker(shelly.parts(generation))
        target = shelly.TARGETS[generation]
        if not await self._ask(target, pick):
            return False
        rows = shelly.rows(generation, pick.texts)
        if not rows:
            self._refuse("this model measures nothing")
            return False
        # Texts of JSON have their quote in front.
        told = plain((model or old_model or b"")[1:]), plain((mac or b"")[1:])
        self._output.identify(devices.MAKERS["shelly"], *told)
        self._target = target
        self._use(Table(rows))
        return True

    async def _ask(self, target: str, pick) -> bool:
        """Whether a whole answer came; else why not is noted."""
        if not self._network.up:
            self._fail("there is no network")
            return False
        from ..net import http

        pick.begin()
        answer = None
        try:
            answer = await http.request(
                "GET",
                self._url + target,
                headers=self._headers,
                timeout_ms=self._entry["timeout"] * 1000,
                limit=_LIMIT,
                receiver=pick.feed,
                login=self._login,
            )
        except NetError as error:
            self._fail(str(error))
        if answer is None:
            return False
        status, headers, _ = answer
        if status == 401 or status == 403:
            given = self._entry["password"]
            kind = "another `user` or" if given else "a `user` and"
            self._refuse("it wants %s `password`" % kind)
        elif status != 200:
            self._refuse("HTTP %d: is it another device, or an older firmware?" % status)
        elif http.TRUNCATED in headers:
            self._refuse("its answer is longer than %d bytes" % _LIMIT)
        elif not pick.end():
            self._fail("its answer %s" % pick.error)
        else:
            return True
        return False
