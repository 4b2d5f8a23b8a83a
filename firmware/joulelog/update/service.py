"""The section `update`: a page that takes new firmware, and a place to fetch it from.

    update = {}                                        # the page http://<board>/update
    update = {"url": "http://192.0.2.9/joulelog.update"}    # and once a day a look there

The page hangs on the server of the app (web/site.py), which is there for it where nothing else is.
"""

import asyncio

from micropython import const

from .. import clock, registry
from ..web import routes, site
from .receive import Updates

SCHEMA = """\
page | bool | true | the board takes a file at http://<board>/update, for whoever has its password
url | url | null | where an update lies; newer ones are fetched, and started; null: nowhere
hours | int 1..720 | 24 | hours between two looks there
ca | text | null | for https: certificate of who signed the server's (PEM or DER file)
verify | bool | true | for https: check the server's certificate; the update is signed anyway
"""
NEEDS = ("board", "network", "store", "guard", "device", "queue", "services")

_LOOK_MS = const(1000)
_LAST_MS = const(2000)  # for the answer to whoever has sent it
_HOUR_MS = const(3600000)
_FIRST_MS = const(300000)  # what runs shall have delivered first


class Service:
    """Shows the page, looks for updates, and restarts for one."""

    name = "update"

    def __init__(
        self, section: dict, board, network, store, guard, device: str, queue, services: list
    ) -> None:
        self.updates = Updates(board, store, queue.latest)
        self._section = section
        self._board = board
        self._network = network
        self._store = store
        self._guard = guard
        if section["page"]:
            web = site.of(services, board, network, store, device)
            web.parts.append(self._hang)
            web.streams = routes.UPDATES[:1]

    async def run(self) -> None:
        """Until an update waits for its start."""
        task = asyncio.create_task(self._fetch()) if self._section["url"] else None
        try:
            while not self.updates.ready:
                await clock.sleep_ms(_LOOK_MS)
            await clock.sleep_ms(_LAST_MS)
            self._guard.leave("an update to version " + self.updates.ready)
            while True:
                await clock.sleep_ms(_LOOK_MS)
        finally:
            if task:
                task.cancel()

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        return self.updates.counters()

    def _hang(self, _site, router, auth) -> None:
        from .page import Page

        Page(self.updates, auth.may_write, self._board, self._store).routes(router)

    async def _fetch(self) -> None:
        await clock.sleep_ms(_FIRST_MS)
        while True:
            await self._network.wait_up()
            from ..net import tls
            from . import fetch

            context = tls.context(self._section)
            await fetch.newer(self._section["url"], self.updates, context)
            del fetch
            registry.drop("joulelog.update.fetch")
            await clock.sleep_ms(self._section["hours"] * _HOUR_MS)
