"""What set-up's page asks of the board, and tells it: Wi-Fi, meters, destinations.

    portal = Portal(board, wifi, point, editor, may_write, is_guest)
    portal.routes(app)                 # of a microdot.Microdot
    await portal.run()                 # a task: tries networks
    portal.finished                    # True: somebody wants the board to start with what is set

| path               | what                                                                    |
|--------------------|-------------------------------------------------------------------------|
| GET /api/state     | board, who asks, what the Wi-Fi does                                    |
| GET /api/networks  | {"networks": [[name, dBm, whether it has a password]]}: those in reach   |
| POST /api/wifi     | {"ssid": ..., "password": ...}: join it, and store it once it works     |
| GET /api/schema    | the SCHEMA texts as they are, behind lines [section] or [section type]  |
| GET /api/settings  | {"config": what counts, secrets as true, "changed": the sections}       |
| POST /api/settings | {"readers": [...]}: 200, or 422 {"problems": ["sinks[0] (mqtt): ..."]}  |
| POST /api/restart  | start with it                                                           |

Where only the Wi-Fi may be set (an open access point, or one beside the running app) the first
three are all there is, and the state has the schema of the Wi-Fi. A guest's other addresses, such
as the probes of Android, iOS, macOS and Windows, lead to the page.
"""

import json
import sys

from micropython import const

from .. import VERSION, clock, registry
from ..config import schema, tables
from ..config.edit import LISTS

WIFI_PATHS = (
    "/",
    "/api/state",
    "/api/networks",
    "/api/wifi",
    "/plain",
    "/plain.css",
    "/plain/wifi",
    "/setup.css",
    "/setup.js",
)
_POLL_MS = const(250)
_SECTIONS = (
    ("top", "TOP"),
    ("wifi", "WIFI"),
    ("log", "LOG"),
    ("clock", "CLOCK"),
    ("queue", "QUEUE"),
    ("readers", "READER"),
    ("sinks", "SINK"),
)


class Portal:
    """Set-up's answers; whoever lets a request come here has looked who may ask."""

    def __init__(self, board, wifi, point, editor, may_write, is_guest) -> None:
        """may_write(request): None, or what is answered instead; is_guest(request): on the
        point."""
        self.finished = False
        self.asked_ms = clock.uptime_ms()  # when somebody asked last
        self.only_wifi = False
        self.safe = ""  # why the board is in safe mode
        self.may_write = may_write
        self._is_guest = is_guest
        self.problem = ""  # why the network that was tried last cannot be joined
        self._board = board
        self._wifi = wifi
        self._point = point
        self.editor = editor
        self._wanted = None  # a network to try
        self._trying = ""  # its name

    def routes(self, router) -> None:
        """Register them."""
        router.get("/api/state")(self._get_state)
        router.get("/api/networks")(self._get_networks)
        router.post("/api/wifi")(self._post_wifi)
        router.get("/api/schema")(self._get_schema)
        router.get("/api/settings")(self._get_settings)
        router.post("/api/settings")(self._post_settings)
        router.post("/api/restart")(self._post_restart)

    async def run(self) -> None:
        """Try the networks that somebody asks for."""
        while True:
            network = self._wanted
            if network is None:
                await clock.sleep_ms(_POLL_MS)
                continue
            filled = {}
            for key, _, default, _ in schema.rows(tables.WIFI):
                filled[key] = network[key] if key in network else json.loads(default)
            problem = await self._wifi.attempt(filled)
            if not problem:
                problem = "; ".join(await self.editor.save_network(network))
            self.problem = problem
            self._wanted = None
            self._trying = ""

    async def join(self, network: dict) -> list:
        """Begin to try a network; [], or what is wrong with it, a line each."""
        problems = await self.editor.problems({"wifi": network})
        if not problems and self._wanted is not None:
            problems = ["wifi: another network is being tried; wait for what comes of it"]
        if not problems:
            self.problem = ""
            self._trying = network["ssid"]
            self._wanted = network
        return problems

    async def state(self) -> dict:
        """What a person has to know."""
        usable = not self.only_wifi and await self.editor.usable()
        wifi = self._wifi
        board = self._board
        return {
            "board": board.NAME,
            "version": VERSION,
            "only_wifi": self.only_wifi,
            "safe": self.safe,
            "point": self._point.ssid if self._point else "",
            "ssid": self._trying or (wifi.networks[0]["ssid"] if wifi.networks else ""),
            "trying": bool(self._trying),
            "address": wifi.address if wifi.up else "",
            "problem": self.problem,
            "usable": usable,
            "uarts": sorted(board.UARTS),
            "pins": list(getattr(board, "GPIO", ())),
        }

    def schema(self):
        """Yield the SCHEMA texts, those of one module at a time in memory; "" is a pause."""
        for name, table in _SECTIONS:
            yield "[%s]\n" % name
            yield getattr(tables, table).strip() + "\n"
        for section, types in LISTS:
            for name in registry.names(types):
                yield from self._texts("%s %s" % (section, name), types, name)
        for name in registry.names(registry.SERVICES):
            yield from self._texts(name, registry.SERVICES, name)

    def types(self, table: tuple) -> list:
        """The types of readers or sinks that this board has."""
        return [name for name in registry.names(table) if registry.has(self._board, name)]

    async def texts(self, section: str, name: str) -> tuple:
        """The SCHEMA texts of a reader's or sink's type; () where there is none."""
        for known, table in LISTS:
            if known == section and name in self.types(table):
                await clock.sleep_ms(0)
                own = _own(table, name)
                await clock.sleep_ms(0)
                return own + ((tables.READER if section == "readers" else tables.SINK),)
        return ()

    async def networks(self) -> list:
        """The networks in reach."""
        return await self._wifi.scan()

    def _texts(self, title: str, table: tuple, name: str):
        if not registry.has(self._board, name):
            return
        yield ""
        there = list(sys.modules)
        texts = _own(table, name)
        yield ""
        if texts:
            yield "[%s]\n" % title
        for text in texts:
            yield text.strip() + "\n"
        # All of them at once do not fit into a heap without PSRAM, where code is in RAM.
        registry.drop(*[module for module in sys.modules if module not in there])

    async def _get_state(self, request):
        found = await self.state()
        await clock.sleep_ms(0)
        found["guest"] = self._is_guest(request)
        if self.only_wifi:  # there is no /api/schema
            found["schema"] = "[wifi]\n" + tables.WIFI
        return found

    async def _get_networks(self, _request):
        return {"networks": await self.networks()}

    async def _post_wifi(self, request):
        refusal = self.may_write(request)
        if refusal:
            return refusal
        problems = await self.join(request.g.fields)
        return _problems(problems) if problems else ({"trying": True}, 202)

    async def _get_schema(self, _request):
        return self.schema(), 200, {"Content-Type": "text/plain; charset=utf-8"}

    async def _get_settings(self, _request):
        shown = await self.editor.shown()
        return {"config": shown, "changed": await self.editor.changed()}

    async def _post_settings(self, request):
        refusal = self.may_write(request)
        if refusal:
            return refusal
        problems = await self.editor.save(request.g.fields)
        return _problems(problems) if problems else {"saved": True}

    async def _post_restart(self, request):
        refusal = self.may_write(request)
        if refusal:
            return refusal
        self.finished = True
        return {"restarting": True}


def _own(table: tuple, name: str) -> tuple:
    """The SCHEMA texts of a module; () where its package is not installed."""
    try:
        return schema.texts(registry.module(table, name))
    except ImportError:
        return ()


def _problems(lines: list) -> tuple:
    return {"problems": lines}, 422
