"""The Wi-Fi connection: the only owner of the network interface.

    wifi = Wifi([{"ssid": …, "password": …, …}], "joulelog")
    await wifi.run()             # a task: connects, and connects again when the link is gone
    await wifi.wait_up()         # a sink, before it talks
    wifi.up                      # True while there is a link
    wifi.down_ms()               # how long there has been none
    await wifi.scan()            # set-up: [(name, dBm, whether it has a password)]
    await wifi.attempt(settings) # set-up: join a network that is not stored yet; "" or why not

Several networks are tried in turn, first the one that worked last. Recovery has three stages:
connect again; after some attempts in vain, and when a link that says it is connected carries
nothing (net.deaf_ms), switch the interface off and on; the last one, restarting the board, is the
app's. Without settings (a computer) the interface is taken as it is. Measuring never waits.

`point` is the board's own access point while it has one (net/point.py): while somebody is on it
the station does not try by itself, for each attempt may move the point to another channel.
"""

import asyncio
import logging
import sys

import network
from micropython import const

from .. import clock, net

_ATTEMPT_MS = const(20000)  # a slow access point with DHCP needs some 10 s
_CHECK_MS = const(1000)
_RESTART_EVERY = const(5)  # rounds in vain
_DEAF_MS = const(180000)
_LONGEST_DEAF_MS = const(3600000)  # the servers may be the ones that are dead
_HOSTNAME_LETTERS = const(32)
_SLICE_MS = const(250)
_SLICES = const(8)
_SHOWN = const(20)  # networks
_SURE_MS = const(5000)  # so long the chip says why not: a person need not wait on
_THREADS = ("esp32",)  # whose scan lets other threads run; the VM of a computer has no lock

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
    point = None  # the board's own access point, while it is open
    _asked = None  # by attempt(): [the network to join], and then what came of it

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

    def known(self) -> list:
        """Its networks as a config says them."""
        found = []
        for one in self.networks:
            found.append({key: one[key] for key in one if one[key] not in (None, "", False)})
        return found

    async def run(self) -> None:
        """Connect and watch, for ever."""
        failures = 0
        if self.networks and not self.point:
            network.WLAN(network.AP_IF).active(False)
        while True:
            problem = await self._next()
            if not problem:
                failures = 0
                if not self.up:
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
            await self._pause(clock.backoff_ms(failures))

    async def scan(self) -> list:
        """The networks in reach, the strongest first: (name, dBm, whether it has a password).

        The chip takes two seconds for it. Where it has threads the loop goes on meanwhile.
        """
        self._interface.active(True)
        best: dict = {}
        for found in await _apart(self._interface.scan):
            try:
                name = found[0].decode()
            except UnicodeError:
                continue  # nobody can type it
            if name and (name not in best or best[name][1] < found[3]):
                best[name] = (name, found[3], bool(found[4]))
        ranked = sorted(best.values(), key=_strength)
        return ranked[:_SHOWN]

    async def attempt(self, settings: dict) -> str:
        """Join this network, and stay; "" or why not: then all is as it was.

        settings: an entry of the config; name and password will do.
        """
        while self._asked:
            await clock.sleep_ms(_SLICE_MS)
        asked: list = [settings]
        self._asked = asked  # type: ignore[assignment]
        while len(asked) == 1:
            await clock.sleep_ms(_SLICE_MS)
        return asked[1]

    async def _next(self) -> str:
        """Try what was asked for, or the networks that are known."""
        asked = self._asked
        if asked is None:
            return await self._try_all()
        self._asked = None  # what is asked for from now on is tried behind this
        for _ in range(_SLICES):  # or the old link would answer for the new password
            self._interface.disconnect()
            if not self._interface.isconnected():
                break
            await clock.sleep_ms(_SLICE_MS)
        problem = await self._connect(asked[0], _SURE_MS)
        if problem:
            asked.append(problem)
            return await self._try_all()
        self.networks = [asked[0]]
        self._at = 0
        self._set_up()
        asked.append("")
        return ""

    async def _pause(self, ms: int) -> None:
        """Wait between two attempts, and while somebody is on the board's access point."""
        while not self._asked and (ms > 0 or (self.point and self.point.guests())):
            await clock.sleep_ms(ms if 0 < ms < _CHECK_MS else _CHECK_MS)
            ms -= _CHECK_MS

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
        while self._interface.isconnected() and not self._asked:
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

    async def _connect(self, settings: dict, sure_ms: int = _ATTEMPT_MS) -> str:
        """Join one network; sure_ms: give up once the chip has said why not for so long."""
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
        waited_ms = said_ms = 0
        while waited_ms < _ATTEMPT_MS and said_ms < sure_ms and not self._asked:
            await clock.sleep_ms(_SLICE_MS)
            waited_ms += _SLICE_MS
            if interface.isconnected():
                return ""
            told = self._reason() in (_REASONS[0][1], _REASONS[2][1])
            said_ms = said_ms + _SLICE_MS if told else 0
        return "Wi-Fi %s: %s" % (name, self._reason())

    def _prepare(self, settings: dict) -> None:
        """Name, address and power of the interface, before it connects."""
        interface = self._interface
        if hasattr(network, "hostname"):  # for DHCP
            network.hostname(hostname(settings.get("hostname") or self._device))
        if not settings.get("power_save") and hasattr(interface, "PM_NONE"):
            # An ESP32 that sleeps between beacons lets each packet wait 100 ms and more.
            interface.config(pm=interface.PM_NONE)
        if settings.get("address"):
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


def _strength(found: tuple) -> int:
    return -found[1]


async def _apart(work):
    """What work() returns; the loop goes on while it works, where that can be."""
    return await _in_thread(work) if sys.platform in _THREADS else work()


async def _in_thread(work):
    import _thread

    done: list = []

    def run() -> None:
        try:
            done.append((work(), None))
        except Exception as error:
            done.append((None, error))

    _thread.start_new_thread(run, ())
    while not done:
        await clock.sleep_ms(_SLICE_MS)
    found, error = done[0]
    if error:
        raise error
    return found


def hostname(name: str) -> str:
    """The name with only what a host's name may have: letters, digits and hyphens."""
    letters = [c if ord(c) < 128 and (c.isalpha() or c.isdigit()) else "-" for c in name]
    return "".join(letters[:_HOSTNAME_LETTERS]).strip("-") or "joulelog"
