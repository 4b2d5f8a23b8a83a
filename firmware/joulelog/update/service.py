"""The section `update`: a page that takes new firmware, and a place to fetch it from.

    update = {}                                        # the page http://<board>/update
    update = {"url": "http://192.0.2.9/joulelog.update"}    # and once a day a look there

The page's server listens while there is a network, and not beside the access point of set-up.
"""

import asyncio
import logging
import os

from micropython import const

from .. import clock, registry
from ..net.wifi import hostname
from .receive import Updates

SCHEMA = """\
page | bool | true | the board takes a file at http://<board>/update, for whoever has its password
url | url | null | where an update lies; newer ones are fetched, and started; null: nowhere
hours | int 1..720 | 24 | hours between two looks there
ca | text | null | for https: certificate of who signed the server's (PEM or DER file)
verify | bool | true | for https: check the server's certificate; the update is signed anyway
"""
NEEDS = ("board", "network", "store", "guard", "device", "queue")

_LOOK_MS = const(1000)
_LAST_MS = const(2000)  # for the answer to whoever has sent it
_HOUR_MS = const(3600000)
_FIRST_MS = const(300000)  # what runs shall have delivered first


class Service:
    """Serves the page and looks for updates."""

    name = "update"

    def __init__(self, section: dict, board, network, store, guard, device: str, queue) -> None:
        self.updates = Updates(board, store, queue.latest)
        self.server = None
        self._section = section
        self._board = board
        self._network = network
        self._store = store
        self._guard = guard
        self._device = device

    async def run(self) -> None:
        """Until an update waits for its start."""
        tasks = []
        if self._section["url"]:
            tasks.append(asyncio.create_task(self._fetch()))
        try:
            while not self.updates.ready:
                if self._may_serve() and self._section["page"]:
                    tasks.append(asyncio.create_task(self._served()))
                    await self._while_served(tasks[-1])
                    tasks.pop()
                else:
                    await clock.sleep_ms(_LOOK_MS)
            await clock.sleep_ms(_LAST_MS)
            self._guard.leave("an update to version " + self.updates.ready)
            while True:
                await clock.sleep_ms(_LOOK_MS)
        finally:
            for task in tasks:
                task.cancel()

    def _may_serve(self) -> bool:
        return self._network.up and not self._network.point

    async def _while_served(self, task) -> None:
        try:
            while self._may_serve() and not task.done():
                await clock.sleep_ms(_LOOK_MS)
                if self.updates.ready:
                    await clock.sleep_ms(_LAST_MS)
                    return
        finally:
            task.cancel()
            await clock.sleep_ms(0)

    async def _served(self) -> None:
        import microdot  # type: ignore[import-not-found]

        from ..web import routes
        from ..web.auth import Auth
        from ..web.server import Server
        from .page import Page

        router = microdot.Microdot()
        hosts = [hostname(self._device).lower() + ".local"]
        if self._board.NAME == "HOST":
            hosts.append("localhost")
        auth = Auth(self._store, os.urandom, clock.uptime_ms, hosts)
        auth.routes(router)
        page = Page(self.updates, auth.may_write, self._board, self._store)
        page.routes(router)
        self.server = Server(router, getattr(self._board, "WEB_PORT", 80))
        self.server.streams = routes.UPDATES[:1]
        try:
            await self.server.run()
        except OSError as error:
            logging.getLogger("update").error("no page: %s", error)
            await clock.sleep_ms(_FIRST_MS)

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
