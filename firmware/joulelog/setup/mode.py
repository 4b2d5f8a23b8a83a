"""Set-up mode: a boot of its own, without meters and servers, for somebody with a phone.

    mode.run(config, board, asked, usable)     # behind it a board restarts

config: that of config.py. asked: who asks for it (device/starts.py). usable: there is something
to run; then it ends by itself after five minutes in which nobody was there. Safe mode (safe.py) is
the same with a reason, a time and a log: it ends after that time.

The board opens its access point, JouleLog-1A2B, with a password that it prints here and nowhere
else; for ten minutes after its button was held the point is open, for the Wi-Fi alone. Every name
leads to its page. A network that is known already is joined beside it.
"""

import asyncio
import gc

import machine
from micropython import const

from .. import clock, registry
from ..config.edit import Editor
from ..device import ends, starts
from ..device.state import Store
from ..net.point import Point
from ..net.wifi import Wifi
from ..supervisor import Supervisor
from . import access
from .site import Site

_OPEN_MS = const(600000)
_ALONE_MS = const(300000)
_LAST_MS = const(2000)  # for the answer to whoever has asked for the start
_DAY_MS = const(86400000)
_THRESHOLD = const(32768)  # bytes between two collections where the board says nothing
_BYE = "-... -.-- ."
_ASKED_FOR = ("", _ALONE_MS, None)  # no safe mode


def run(config, board, asked: str, usable: bool, safe=_ASKED_FOR) -> None:
    """Set up until somebody has, or nobody comes; safe: (why, how long, the log)."""
    if not safe[0]:
        ends.left()
    if asked == "erase":
        from ..config import settings

        settings.erase(config, board)
    if hasattr(gc, "threshold"):
        gc.threshold(getattr(board, "GC_THRESHOLD", _THRESHOLD))  # type: ignore[attr-defined]
    set_up = SetUp(config, board, asked, usable, safe)
    dog_ms = getattr(board, "WATCHDOG_MS", 0)
    try:
        asyncio.run(set_up.run(machine.WDT(timeout=dog_ms).feed if dog_ms else None))
    finally:
        set_up.point.close()
        if dog_ms:  # the REPL has a day
            machine.WDT(timeout=_DAY_MS)
    print("set-up has ended (%s): the board starts again" % set_up.supervisor.leaving)
    if safe[2]:
        safe[2].flush()
    machine.reset()


class SetUp:
    """All parts of it."""

    def __init__(self, config, board, asked: str, usable: bool, safe=_ASKED_FOR) -> None:
        self.supervisor = Supervisor()
        self._board = board
        self._usable = usable
        self._asked = asked
        self._begun_ms = clock.uptime_ms()
        self._stay_ms, self._log = safe[1:]
        store = Store(registry.log_folder(config, board))
        store.open()
        self._store = store
        editor = Editor(config, board)
        known = editor.networks()
        device = editor.device()
        self.point = Point(access.name(), access.password(store))
        self.wifi = Wifi(known, device)
        self.site = Site(board, self.wifi, self.point, editor, store, device)
        self.site.portal.safe = safe[0]
        if asked == "erase":
            self.site.auth.password.forget()

    async def run(self, feed) -> None:
        """Until somebody wants the start, or nobody is there; feed: the watchdog."""
        safe = self._asked not in ("button", "erase")
        self.site.portal.only_wifi = not safe
        self.point.open(safe)
        self.wifi.point = self.point  # type: ignore[assignment]
        start = self.supervisor.start
        start("wifi", self.wifi.run)
        start("portal", self.site.portal.run)
        start("web", self.site.server.run)
        start("end", self._watch)
        if self._board.NAME != "HOST":
            from ..net.every_name import EveryName

            start("names", EveryName(self.point.address).run)
        if registry.listens({}, self._board):
            self._start_improv()
        self._start_led()
        if registry.has(self._board, "button"):
            from ..device.button import Button

            start("button", Button(self._board, self._pressed).run)
        self._say(safe)
        await self.supervisor.wait(feed)

    def _say(self, safe: bool) -> None:
        point = self.point
        port = getattr(self._board, "WEB_PORT", 80)
        address = point.address if port == 80 else "%s:%d" % (point.address, port)
        key = "password %s" % access.password(self._store)
        if not safe:
            key = "open for ten minutes, for the Wi-Fi alone; then " + key
        print("Set-up: join the Wi-Fi %s (%s)" % (point.ssid, key))
        print("  then open http://%s/ in a browser" % address)

    def _start_improv(self) -> None:
        """Wi-Fi by the cable: the client is told the point's name and password as the board's."""
        from ..device.typed import Line
        from .improv import Listener, about

        name = "%s (password %s)" % (self.point.ssid, access.password(self._store))
        told, editor = about(self._board, name), self.site.portal.editor
        listener = Listener(Line(self._board), told, self.wifi, editor, self._child)
        self.supervisor.start("improv", listener.run)

    def _child(self, coroutine):
        return self.supervisor.child("improv", coroutine)

    def _pressed(self, why: str) -> None:
        starts.ask(self._store, why)
        self.supervisor.leaving = "the button was held"

    def _start_led(self) -> None:
        about = getattr(self._board, "LED", None)
        if not about or not registry.has(self._board, "led"):
            return
        from ..device.led import Led

        led = Led(about)
        led.show("setup")

        async def blink() -> None:
            if self._asked == "erase":
                await led.send(_BYE)
            await led.run()

        self.supervisor.start("led", blink)

    async def _watch(self) -> None:
        portal = self.site.portal
        while not self.supervisor.leaving:
            await clock.sleep_ms(1000)
            now = clock.uptime_ms()
            if self._log:
                self._log.tick()
            if self.point.guests():
                portal.asked_ms = now
            if portal.only_wifi and now - self._begun_ms > _OPEN_MS:
                portal.only_wifi = False
                self.point.open()
                self._say(True)
            if portal.finished:
                ends.left()
                await clock.sleep_ms(_LAST_MS)
                self.supervisor.leaving = "somebody has asked for the start"
            elif (
                self._usable
                and now - portal.asked_ms > _ALONE_MS
                and now - self._begun_ms > self._stay_ms
            ):
                portal.asked_ms = now  # what is set may work in another five minutes
                if portal.safe or await portal.editor.usable():
                    self.supervisor.leaving = "nobody was there for five minutes"
