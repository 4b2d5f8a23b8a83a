"""The Wi-Fi connection: the only owner of the network interface.

    wifi = Wifi({"ssid": …, "password": …, "hostname": …}, "joulelog")
    await wifi.run()             # a task: connects, and connects again when the link is gone
    await wifi.wait_up()         # a sink, before it talks
    wifi.up                      # True while there is a link

Without settings (a computer) the interface is taken as it is. Measuring never waits for it.
"""

import asyncio
import logging

import network
from micropython import const

from .. import clock

_ATTEMPT_MS = const(20000)  # a slow access point with DHCP needs some 10 s
_CHECK_MS = const(1000)
_FIRST_PAUSE_MS = const(2000)
_LONGEST_PAUSE_MS = const(60000)

_REASONS = (
    ("STAT_WRONG_PASSWORD", "the password is not accepted"),
    ("STAT_HANDSHAKE_TIMEOUT", "the password is not accepted"),
    ("STAT_NO_AP_FOUND", "no network of that name is in reach"),
)


class Wifi:
    """Connects the station interface and keeps it connected."""

    def __init__(self, settings: dict | None, device: str) -> None:
        self.up = False
        self.outages = 0
        self.address = ""
        self._settings = settings
        self._device = device
        self._log = logging.getLogger("wifi")
        self._said = ""  # the problem that the log knows of
        self._event = asyncio.Event()
        self._interface = network.WLAN(network.STA_IF)

    async def wait_up(self) -> None:
        """Wait until there is a link."""
        while not self.up:
            self._event.clear()
            await self._event.wait()

    async def run(self) -> None:
        """Connect and watch, for ever."""
        pause_ms = _FIRST_PAUSE_MS
        while True:
            problem = await self._connect()
            if not problem:
                pause_ms = _FIRST_PAUSE_MS
                self._set_up()
                while self._interface.isconnected():
                    await clock.sleep_ms(_CHECK_MS)
                self.up = False
                self.outages += 1
                self._log.warning("link lost")
                continue
            if problem != self._said:  # once: an access point may be away for weeks
                self._said = problem
                self._log.warning("%s; trying again and again", problem)
            await clock.sleep_ms(pause_ms)
            pause_ms = min(2 * pause_ms, _LONGEST_PAUSE_MS)

    def _set_up(self) -> None:
        self.address = self._interface.ifconfig()[0]
        self.up = True
        self._said = ""
        self._event.set()
        self._log.info("connected, address %s", self.address)

    async def _connect(self) -> str:
        """Connect; return what is wrong, "" when nothing is."""
        interface = self._interface
        settings = self._settings
        interface.active(True)
        if not settings:
            return "" if interface.isconnected() else "no link, and no `wifi` in config.py"
        name = settings["ssid"]
        if interface.isconnected() and interface.config("ssid") == name:
            return ""  # an ESP8266 joins by itself, but what it joined last: maybe not this one
        try:
            interface.disconnect()
            if hasattr(network, "hostname"):
                network.hostname(settings["hostname"] or self._device)
            interface.connect(name, settings["password"])
        except OSError as error:  # "Wifi Internal State Error": start the interface afresh
            interface.active(False)
            return "Wi-Fi %s: the interface refused (%s)" % (name, error)
        waited_ms = 0
        while waited_ms < _ATTEMPT_MS:
            await clock.sleep_ms(250)
            waited_ms += 250
            if interface.isconnected():
                return ""
        return "Wi-Fi %s: %s" % (name, self._reason())

    def _reason(self) -> str:
        status = self._interface.status()
        for name, text in _REASONS:
            if getattr(network, name, None) == status:
                return text
        return "no link (status %s)" % status
