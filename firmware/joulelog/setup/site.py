"""Set-up's web site: who may see and change what of it, on the access point and in the LAN.

    site = Site(board, wifi, point, editor, store)
    site.portal.only_wifi = True          # an open access point, or one beside the running app
    supervisor.start("web", site.server.run)

| who asks                        | what there is                                              |
|---------------------------------|------------------------------------------------------------|
| a guest of the access point     | everything; with only_wifi the Wi-Fi form, and nothing else |
| the LAN, no password chosen yet | everything to see, nothing to write but the first password |
| the LAN                         | writing, and updates, for whoever has logged in            |

A guest's password is that of the access point. Whatever another page of his browser sends is
refused all the same. A guest who asks for another host, as the probes of phones do, is led here.
"""

import os

from .. import clock, registry
from ..net.wifi import hostname
from ..web import routes
from ..web.auth import Auth
from ..web.server import Server
from . import page, plain, portal


class Site:
    """The server, and what it serves."""

    def __init__(self, board, wifi, point, editor, store, device: str) -> None:
        import microdot  # type: ignore[import-not-found]

        self.point = point
        self._wifi = wifi
        router = microdot.Microdot()
        hosts = [hostname(device).lower() + ".local"]
        if board.NAME == "HOST":
            hosts.append("localhost")
        # Who may come from the access point is decided here: it changes.
        self.auth = Auth(store, os.urandom, clock.uptime_ms, hosts)
        self.portal = portal.Portal(board, wifi, point, editor, self._may_write, self.is_guest)
        router.before_request(self._gate)
        self.auth.routes(router)
        self.portal.routes(router)
        page.routes(router)
        plain.Plain(self.portal, self.auth.session).routes(router)
        self._board = board
        self._store = store
        self._updates = None  # their page, made for who asks for it
        takes_updates = registry.has(board, "update") and board.CHIP != "esp8266"
        if takes_updates:
            routes.of_updates(router, self._answer_update)
        # microdot asks no gate where it finds no route: that of a probe is none.
        router.error_handlers[404] = self._nothing
        router.error_handlers[405] = self._nothing
        self.server = Server(router, getattr(board, "WEB_PORT", 80))
        if takes_updates:
            self.server.streams = routes.UPDATES[:1]

    def is_guest(self, request) -> bool:
        """Whether somebody asks who is on the access point.

        Where the LAN has the same addresses nobody is: then everybody needs the password.
        """
        point = self.point
        if not point or (self._wifi.up and point.has(self._wifi.address)):
            return False
        return point.has(request.client_addr[0])

    async def _gate(self, request):
        """Before each handler: None, or what is answered instead."""
        self.portal.asked_ms = clock.uptime_ms()
        if not self.is_guest(request):
            return _NOTHING if self.portal.only_wifi else None
        host = request.headers.get("Host", "")
        if host.split(":")[0] != self.point.address:
            return "", 302, {"Location": "http://%s/" % self._own(host)}
        if self.portal.only_wifi and request.path not in portal.WIFI_PATHS:
            return _NOTHING
        if request.path in _LOGIN:
            return _NOTHING

    async def _nothing(self, request):
        return await self._gate(request) or _NOTHING

    def _own(self, host: str) -> str:
        port = host.split(":")[1:]
        return self.point.address + (":" + port[0] if port and port[0].isdigit() else "")

    async def _answer_update(self, request):
        """In the LAN alone, for whoever has the password."""
        if not self._updates:
            of = registry.module(_PAGE, "page").of
            about = self.auth.may_write, self.is_guest, self._restart
            self._updates = of(self._board, self._store, _NoReadings, *about)
        return await self._updates.answer(request)

    def _restart(self) -> None:
        self.portal.finished = True

    def _may_write(self, request):
        if self.is_guest(request):
            return self.auth.same_site(request)
        return self.auth.may_write(request)


_PAGE = (("page", "joulelog.update.page"),)  # by name: an image need not have it


class _NoReadings:
    """In the place of the queue's table of what is newest: nothing is read here."""

    rows = ()


_NOTHING = {"problem": "there is nothing at this address"}, 404
# A guest needs no login, and sets no password: whoever had the point for a moment would own it.
_LOGIN = ("/api/login", "/api/logout", "/api/password", "/api/session")
