"""The access point beside the running app: after five minutes without a network, for a new one.

    beside = Beside(board, network, device, store, directory)
    await beside.run()             # a task of the app's

A router that was exchanged leaves a board without Wi-Fi, and with a meter that is read all the
time. So the point opens with its password, and the Wi-Fi form is all that is on it, whatever else
the board serves and whatever password that has. Readers and the backlog on the flash go on, the
station tries the old network again while nobody is on the point, and when there is a network again
the point closes and its code is dropped. An ESP8266 has no memory for both.
"""

import asyncio
import gc
import logging

from micropython import const

from .. import clock, registry

_PATIENCE_MS = const(300000)
_LOOK_MS = const(1000)
_ROOM = const(48000)  # bytes of heap: server, forms and checker; 46000 will do, 40000 not
_AGAIN_MS = const(60000)
_LAST_MS = const(30000)  # for the page to hear where the board is now
# Loaded one after the other: each is a step that cannot be cut.
_PARTS = (
    "joulelog.config.edit",
    "joulelog.net.every_name",
    "microdot",
    "joulelog.web.auth",
    "joulelog.web.server",
    "joulelog.setup.portal",
    "joulelog.setup.site",
)
_ONCE = ("joulelog.setup.site", "joulelog.config", "joulelog.web", "dnsq.every")


class Beside:
    """Opens the point when it is needed, and closes it again."""

    def __init__(self, board, network, device: str, store, directory: str) -> None:
        self.opened = 0
        self._board = board
        self._network = network
        self._device = device
        self._store = store
        self._directory = directory
        self._log = logging.getLogger("setup")

    async def run(self) -> None:
        """Wait for a long time without a network, again and again."""
        while True:
            while self._network.down_ms() < _PATIENCE_MS:
                await clock.sleep_ms(_LOOK_MS)
            gc.collect()
            if hasattr(gc, "mem_free") and gc.mem_free() < _ROOM:  # type: ignore[attr-defined]
                self._log.warning("no network, and no memory for the access point of set-up")
                await self._network.wait_up()
                continue
            try:
                await self._open()
            finally:
                registry.drop(*_ONCE)

    async def _open(self) -> None:
        for path in _PARTS:
            __import__(path)
            await clock.sleep_ms(0)
        from ..config.edit import Editor
        from ..net.every_name import EveryName
        from ..net.point import Point
        from . import access
        from .site import Site

        network = self._network
        config = {
            "wifi": network.known(),
            "log": {"directory": self._directory},
            "device": self._device,
        }
        point = Point(access.name(), access.password(self._store))
        editor = Editor(config, self._board)
        await clock.sleep_ms(0)
        site = Site(self._board, network, point, editor, self._store, self._device)
        site.portal.only_wifi = True
        await clock.sleep_ms(0)
        point.open()
        network.point = point
        self.opened += 1
        self._log.warning("no network for five minutes: the Wi-Fi %s takes a new one", point.ssid)
        work = [site.server.run(), site.portal.run()]
        if self._board.NAME != "HOST":
            work.append(EveryName(point.address).run())
        tasks = [asyncio.create_task(one) for one in work]
        try:
            while not network.up:
                await clock.sleep_ms(_LOOK_MS)
                if any([task.done() for task in tasks]):
                    self._log.error(
                        "the page of the access point has ended: once more in a minute"
                    )
                    await clock.sleep_ms(_AGAIN_MS)
                    return
            await clock.sleep_ms(_LAST_MS)
        finally:
            network.point = None
            for task in tasks:
                task.cancel()
            await clock.sleep_ms(0)
            point.close()
