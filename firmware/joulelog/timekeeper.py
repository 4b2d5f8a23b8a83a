"""Keep the clock right by time servers, where neither meter nor computer does it.

    keeper = Timekeeper(clock, network, ["pool.ntp.org"])
    await keeper.run()        # a task

The servers are asked in turn; one that does not answer costs its time-out and no more, one that
refuses (a kiss of death) is left alone for a day. What the board's own clock has gained since the
first answer is its drift, in parts per million: answers have whole seconds, so it is told from an
hour on, and after a day it is right to 12 ppm.
A board whose heap is small says SPARES_NTP: there nobody is asked while the meter tells the time,
and what asking takes is loaded for that moment only.
"""

import logging

from micropython import const

from . import clock, registry
from .errors import NetError

_RESYNC_MS = const(6 * 3600 * 1000)  # a chip drifts by seconds per day
_RETRY_MS = const(60000)
_REST_MS = const(24 * 3600 * 1000)  # of a server that wants to be left alone
_TIMEOUT_MS = const(5000)
_METER_FIRST_MS = const(15000)  # a meter speaks every 10 s, or more often
_DRIFT_AFTER_S = const(3600)
_DRIFT_LIMIT_PPM = const(1000)  # no crystal is that bad: the server has moved
_FOR_ASKING = ("joulelog.net.ntp", "joulelog.net.dns", "joulelog.net.udp", "ntpq", "dnsq")


class Timekeeper:
    """Asks time servers and sets the clock."""

    def __init__(self, app_clock, network, servers: list, spares: bool = False) -> None:
        self.syncs = 0
        self.failures = 0
        self._clock = app_clock
        self._network = network
        self._servers = servers
        self._spares = spares  # SPARES_NTP of the board
        self._base: tuple | None = None  # (seconds by NTP, uptime in seconds) of the first answer
        self._resting: dict = {}  # servers that refuse, and the uptime until they are left alone
        self._silent: list = []  # servers whose failure the log knows of
        self._log = logging.getLogger("time")

    async def run(self) -> None:
        """Synchronise for ever; ends where no server is configured."""
        if self._spares:
            await clock.sleep_ms(_METER_FIRST_MS)
        while self._servers:
            await self._network.wait_up()
            if self._spares and self._clock.source == "meter":  # the readings have its time
                await clock.sleep_ms(_RETRY_MS)
                continue
            asking = self._clock.asking
            if asking:
                asking(True)
            found = await self._ask()
            if asking:
                asking(False)
            if found:
                self.syncs += 1
            if self._spares:
                registry.drop(*_FOR_ASKING)  # 1.8 kB, for some seconds in six hours
            await clock.sleep_ms(_RESYNC_MS if found else _RETRY_MS)

    async def _ask(self) -> bool:
        from .net import ntp

        for server in self._servers:
            if clock.uptime_ms() < self._resting.get(server, 0):
                continue
            try:
                seconds = await ntp.query(server, _TIMEOUT_MS)
            except NetError as error:
                self.failures += 1
                if error.refused:
                    self._resting[server] = clock.uptime_ms() + _REST_MS
                if server not in self._silent:  # once per outage: this may go on for weeks
                    self._silent.append(server)
                    self._log.warning("%s", error)
                continue
            if server in self._silent:
                self._silent.remove(server)
            first = self._clock.source != "ntp"
            if self._clock.set(seconds, "ntp"):
                self._measure(seconds)
                if first:
                    self._log.info("%s by %s", clock.iso(seconds), server)
                return True
        return False

    def _measure(self, seconds: int) -> None:
        """Compare how far the servers and the board have come since the first answer."""
        uptime = clock.uptime_ms() // 1000
        if self._base:
            passed = seconds - self._base[0]
            gained = uptime - self._base[1] - passed
            if abs(gained) * 1000000 <= _DRIFT_LIMIT_PPM * passed + 2000000:
                if passed >= _DRIFT_AFTER_S:
                    self._clock.drift_ppm = gained * 1000000 // passed
                return
        self._base = (seconds, uptime)
