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


class Wifi:
    """Connects the station interface and keeps it connected."""

    def __init__(self, settings: dict | None, device: str) -> None:
        self.up = False
        self.outages = 0
        self.address = ""
        self._settings = settings
        self._device = device
        self._log = logging.getLogger("wifi")
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
            if await self._connect():
                pause_ms = _FIRST_PAUSE_MS
                self._set_up()
                while self._interface.isconnected():
                    await clock.sleep_ms(_CHECK_MS)
                self.up = False
                self.outages += 1
                self._log.warning("link lost")
            else:
                self._log.warning("no link; next try in %d s", pause_ms // 1000)
                await clock.sleep_ms(pause_ms)
                pause_ms = min(2 * pause_ms, _LONGEST_PAUSE_MS)

    def _set_up(self) -> None:
        self.address = self._interface.ifconfig()[0]
        self.up = True
        self._event.set()
        self._log.info("connected, address %s", self.address)

    async def _connect(self) -> bool:
        interface = self._interface
        interface.active(True)
        if interface.isconnected():
            return True
        if not self._settings:
            return False
        interface.disconnect()
        name = self._settings["hostname"] or self._device
        if hasattr(network, "hostname"):
            network.hostname(name)
        try:
            interface.connect(self._settings["ssid"], self._settings["password"])
        except OSError as error:  # "Wifi Internal State Error": start the interface afresh
            self._log.warning("the interface refused: %s", error)
            interface.active(False)
            return False
        waited_ms = 0
        while waited_ms < _ATTEMPT_MS:
            await clock.sleep_ms(250)
            waited_ms += 250
            if interface.isconnected():
                return True
        return False
