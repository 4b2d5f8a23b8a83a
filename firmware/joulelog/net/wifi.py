"""The Wi-Fi connection: the only owner of the network interface.

    wifi = Wifi([{"ssid": …, "password": …, …}], "joulelog")
    await wifi.run()             # a task: connects, and connects again when the link is gone
    await wifi.wait_up()         # a sink, before it talks
    wifi.up                      # True while there is a link
    wifi.down_ms()               # how long there has been none

Several networks are tried in turn, first the one that worked last. Recovery has three stages:
connect again; after some attempts in vain, and when a link that says it is connected carries
nothing (net.deaf_ms), switch the interface off and on; the last one, restarting the board, is the
app's. Without settings (a computer) the interface is taken as it is. Measuring never waits.
"""

import asyncio
import logging

import network
from micropython import const

from .. import clock, net

_ATTEMPT_MS = const(20000)  # a slow access point with DHCP needs some 10 s
_CHECK_MS = const(1000)
_RESTART_EVERY = const(5)  # rounds in vain
_DEAF_MS = const(180000)
_LONGEST_DEAF_MS = const(3600000)  # the servers may be the ones that are dead
_HOSTNAME_LETTERS = const(32)

_REASONS = (
    ("STAT_WRONG_PASSWORD", "the password is not accepted"),
    ("STAT_HANDSHAKE_TIMEOUT", "the password is not accepted"),
    ("STAT_NO_AP_FOUND", "no network of that name is in reach"),
    ("STAT_CONNECTING", "it does not answer, or has no address for us (DHCP)"),
)


class Wifi:
    """Connects the station interface and keeps it connected.

    changed(up) is called, where it is set, when the link comes, and when it fails or is lost.
    """

    changed = None

    def __init__(self, networks: list, device: str) -> None:
        self.up = False
        self.outages = 0
        self.restarts = 0  # of the interface
        self.address = ""
        self.problem = ""  # why there is no link; the log knows of it
        self.networks = networks
        self._device = device
        self._at = 0  # the network to try first
        self._deaf_ms = _DEAF_MS
        self._answers = 0
        self._down_since = clock.uptime_ms()
        self._log = logging.getLogger("wifi")
        self._event = asyncio.Event()
        self._interface = network.WLAN(network.STA_IF)

    async def wait_up(self) -> None:
        """Wait until there is a link."""
        while not self.up:
            self._event.clear()
            await self._event.wait()

    def down_ms(self) -> int:
        """How long there has been no link; 0 while there is one."""
        return 0 if self.up else clock.uptime_ms() - self._down_since

    async def run(self) -> None:
        """Connect and watch, for ever."""
        failures = 0
        if self.networks:
            network.WLAN(network.AP_IF).active(False)
        while True:
            problem = await self._try_all()
            if not problem:
                failures = 0
                self._set_up()
                await self._watch()
                continue
            failures += 1
            if problem != self.problem:  # once: an access point may be away for weeks
                self.problem = problem
                self._log.warning("%s; trying again and again", problem)
            self._tell(False)
            if self.networks and failures % _RESTART_EVERY == 0:
                self._restart()
            await clock.sleep_ms(clock.backoff_ms(failures))

    def _set_up(self) -> None:
        self.address = self._interface.ifconfig()[0]
        self.up = True
        self.problem = ""
        self._answers = net.answers
        net.forget()
        self._event.set()
        self._log.info("connected, address %s", self.address)
        self._tell(True)

    async def _watch(self) -> None:
        """Return when the link is lost, or carries nothing."""
        why = "link lost"
        while self._interface.isconnected():
            if net.answers != self._answers:
                self._answers = net.answers
                self._deaf_ms = _DEAF_MS
            elif self.networks and net.deaf_ms() > self._deaf_ms:
                why = "no answer from anybody for %d s" % (net.deaf_ms() // 1000)
                self._deaf_ms = min(2 * self._deaf_ms, _LONGEST_DEAF_MS)
                self._restart()
                break
            await clock.sleep_ms(_CHECK_MS)
        self.up = False
        self.outages += 1
        self._down_since = clock.uptime_ms()
        self._log.warning("%s", why)
        self._tell(False)

    def _tell(self, up: bool) -> None:
        if self.changed:
            self.changed(up)

    def _restart(self) -> None:
        """The next attempt switches the interface on again."""
        self.restarts += 1
        self._interface.active(False)

    async def _try_all(self) -> str:
        """Connect to one of the networks; return what is wrong, "" when nothing is."""
        if not self.networks:
            self._interface.active(True)
            linked = self._interface.isconnected()
            return "" if linked else "no link, and no `wifi` in config.py"
        problems = []
        for _ in range(len(self.networks)):
            problem = await self._connect(self.networks[self._at])
            if not problem:
                return ""
            problems.append(problem)
            self._at = (self._at + 1) % len(self.networks)
        return "; ".join(sorted(problems))

    async def _connect(self, settings: dict) -> str:
        interface = self._interface
        name = settings["ssid"]
        try:
            interface.active(True)
            if interface.isconnected() and interface.config("ssid") == name:
                return ""  # an ESP8266 joins by itself, but what it joined last: maybe another
            interface.disconnect()
            self._prepare(settings)
            interface.connect(name, settings["password"])
        except OSError as error:  # "Wifi Internal State Error": start the interface afresh
            self._restart()
            return "Wi-Fi %s: the interface refused (%s)" % (name, error)
        waited_ms = 0
        while waited_ms < _ATTEMPT_MS:
            await clock.sleep_ms(250)
            waited_ms += 250
            if interface.isconnected():
                return ""
        return "Wi-Fi %s: %s" % (name, self._reason())

    def _prepare(self, settings: dict) -> None:
        """Name, address and power of the interface, before it connects."""
        interface = self._interface
        if hasattr(network, "hostname"):  # for DHCP
            network.hostname(hostname(settings["hostname"] or self._device))
        if not settings["power_save"] and hasattr(interface, "PM_NONE"):
            # An ESP32 that sleeps between beacons lets each packet wait 100 ms and more.
            interface.config(pm=interface.PM_NONE)
        if settings["address"]:
            gateway = settings["gateway"]
            dns = settings["dns"] or gateway
            mask = settings["mask"] or "255.255.255.0"
            interface.ifconfig((settings["address"], mask, gateway, dns))
        elif len(self.networks) > 1:  # the one before may have had an address of its own
            interface.ifconfig("dhcp")  # type: ignore[arg-type]

    def _reason(self) -> str:
        status = self._interface.status()
        for name, text in _REASONS:
            if getattr(network, name, None) == status:
                return text
        return "no link (status %s)" % status


def hostname(name: str) -> str:
    """The name with only what a host's name may have: letters, digits and hyphens."""
    letters = [c if ord(c) < 128 and (c.isalpha() or c.isdigit()) else "-" for c in name]
    return "".join(letters[:_HOSTNAME_LETTERS]).strip("-") or "joulelog"
