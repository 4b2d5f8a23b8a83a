"""The one server of the running app: parts hang their routes on it, and it listens for them all.

    site = of(services, board, network, store, device)     # services: the app's, it is among them
    site.parts.append(hang)             # a function: hang(site, router, auth) registers routes
    site.streams = ("/update",)         # POSTs whose body is the handler's to read

It is there where the config has the section `web` (service.py), or as soon as a part asks for it.
It listens while there is a network, and not beside the access point of set-up, which has the port
for itself. Routes are made when it begins to listen, and are gone with the network.
"""

import asyncio
import logging
import os

from micropython import const

from .. import clock
from ..net.wifi import hostname

PORT = const(80)
_NAME = "web"  # of the task, its log and its section
_LOOK_MS = const(1000)
_AGAIN_MS = const(300000)  # until the port is asked for again


def of(services: list, *about):
    """The app's; made for whoever asks first where the config has no section of it."""
    for service in services:
        if service.name == _NAME:
            return service
    made = Site(*about)
    services.append(made)
    return made


class Site:
    """See the module's text."""

    name = "web"
    server = None  # a Server while it listens
    auth = None
    streams: tuple = ()

    def __init__(self, board, network, store, device: str, port: int | None = None) -> None:
        """port: None: the board's."""
        self.parts: list = []
        self._board = board
        self._network = network
        self._store = store
        self._device = device
        self._port = port or getattr(board, "WEB_PORT", PORT)

    async def run(self) -> None:
        """Listen whenever that may be, for ever."""
        while True:
            if not self._may_serve():
                await clock.sleep_ms(_LOOK_MS)
                continue
            task = asyncio.create_task(self._served())
            try:
                while self._may_serve() and not task.done():
                    await clock.sleep_ms(_LOOK_MS)
                if task.done():
                    await task  # what went wrong is the supervisor's to tell
            finally:
                task.cancel()
                await clock.sleep_ms(0)
                self.server = self.auth = None

    def counters(self) -> tuple:
        """(name, number) of all that is counted while it listens."""
        server, auth = self.server, self.auth
        return server.counters() + auth.counters() if server and auth else ()

    def _may_serve(self) -> bool:
        return self._network.up and not self._network.point

    async def _served(self) -> None:
        import microdot  # type: ignore[import-not-found]

        await clock.sleep_ms(0)  # each of these is a step of its own
        from .auth import Auth

        await clock.sleep_ms(0)
        from .server import Server

        await clock.sleep_ms(0)
        router = microdot.Microdot()
        hosts = [hostname(self._device).lower() + ".local"]
        if self._board.NAME == "HOST":
            hosts.append("localhost")
        auth = Auth(self._store, os.urandom, clock.uptime_ms, hosts)
        auth.routes(router)
        for hang in self.parts:
            await clock.sleep_ms(0)
            hang(self, router, auth)
        server = Server(router, self._port)
        server.streams = self.streams
        self.auth = auth  # type: ignore[assignment]
        self.server = server  # type: ignore[assignment]
        try:
            await server.run()
        except OSError as error:
            logging.getLogger(_NAME).error("port %d is not to be had: %s", self._port, error)
            await clock.sleep_ms(_AGAIN_MS)
