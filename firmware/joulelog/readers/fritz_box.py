"""One FRITZ!Box, for all entries that name it: its session, and its list of devices.

    box = fritz_box.of(buses, entry, network, store)
    house = box.devices.want("11657 0000001")
    if await box.refresh(30000, log):     # unless that is less long ago
        box.devices.found[house]          # see lib/avm
    else:
        box.trouble, box.refused          # why not, and whether it has answered

A session is used until the box forgets it (403). A login that it does not take is not tried again
before its BlockTime is over, nor within a minute. The first of the two hashes of a login takes
half a minute of an ESP32, and is kept in the store, with a digest of what it was made from.
The loop goes on meanwhile: a step is 24 rounds.
"""

import binascii
import hashlib

from avm import devices, login
from micropython import const

from .. import clock
from ..errors import NetError
from ..net.url import percent

_LIMIT = const(65536)  # bytes of a list: 20 thermostats have 30,000
ROUNDS = const(24)  # 30 ms of an ESP32, 69 ms of an ESP8266
_PATIENCE_MS = const(60000)  # behind a login that was not taken
_LOOK_MS = const(100)
_KEPT = "fritz"  # in the store: texts of 16 digits of the digest and 64 of the hash


def of(buses: dict, entry: dict, network, store):
    """The box of an entry, of those that others have named."""
    key = (entry["host"], entry["port"], entry["user"], entry["password"])
    if key not in buses:
        buses[key] = Box(entry, network, store)
    return buses[key]


class Box:
    """See the module's text."""

    trouble = ""
    refused = False
    lists = 0  # that were asked for
    logins = 0
    _asked_ms = None  # uptime of the last refresh()
    _busy = False
    _sid = ""
    _blocked_ms = None  # until when no login is tried
    _blocked_why = ""
    _kept = ""  # as in the store, which may have no room

    def __init__(self, entry: dict, network, store) -> None:
        self._entry = entry
        self._network = network
        self._store = store
        self._url = "http://%s:%d" % (entry["host"], entry["port"])
        self.devices = devices.DeviceList()

    async def refresh(self, fresh_ms: int, log) -> bool:
        """Have a list that is at most so old; whether there is one. A failure is as good."""
        while self._busy:  # with steps of its own: a first login takes minutes
            await clock.sleep_ms(_LOOK_MS)
        now = clock.uptime_ms()
        if self._asked_ms is None or now - self._asked_ms >= fresh_ms:
            self._busy = True
            try:
                self._asked_ms = now
                self.refused = False
                self.trouble = "the last try was broken off"
                if await self._refresh(log):
                    self.trouble = ""
            finally:
                self._busy = False
        return not self.trouble

    async def _refresh(self, log) -> bool:
        for had in (bool(self._sid), False):
            if not self._sid and not await self._log_in(log):
                return False
            self.lists += 1
            status = await self._get(devices.TARGET % self._sid, self.devices)
            if status != 403:
                break
            self._sid = ""
            if not had:
                return self._refuse('its user lacks the right "Smart Home"')
        if status == 200:
            return True
        if status:  # it may be another session that is missing: the next time begins with a login
            self._sid = ""
        return False

    async def _log_in(self, log) -> bool:
        """Whether there is a session."""
        if self._blocked_ms is not None and clock.uptime_ms() < self._blocked_ms:
            return self._refuse(self._blocked_why)
        info = login.SessionInfo()
        answer = None
        while answer is None:
            if await self._get(login.TARGET, info) != 200:
                return False
            if info.block_s:
                return self._wait(info.block_s, "it takes no login for a while", log)
            answer = await self._answer(info, log)
            if answer == "":
                return False
        self.logins += 1
        target = "%s&username=%s&response=%s" % (
            login.TARGET,
            percent(self._entry["user"]),
            answer,
        )
        if await self._get(target, info) != 200:
            return False
        if not info.sid:
            return self._wait(info.block_s, "it wants another `user` or `password`", log)
        self._sid = info.sid
        self._blocked_ms = None
        return True

    def _wait(self, seconds: int, why: str, log) -> bool:
        """No login is taken now."""
        wait_ms = max(seconds * 1000, _PATIENCE_MS)
        self._blocked_ms = clock.uptime_ms() + wait_ms
        log.info("%s: the next login in %d s", self._entry["host"], wait_ms // 1000)
        self._blocked_why = why
        return self._refuse(why)

    async def _answer(self, info, log) -> str | None:
        """The answer to a challenge; "" where there is none, None where it has become too old."""
        password = self._entry["password"]
        try:
            answer = login.Answer(info.challenge, password)
        except login.ChallengeError as error:
            self._refuse(str(error))
            return ""
        if not answer.salt:
            answer.step(1)
            return answer.text
        made_from = "\n".join((answer.salt, self._entry["user"], password)).encode()
        mark = binascii.hexlify(hashlib.sha256(made_from).digest()[:8]).decode()
        kept = list(self._store.get(_KEPT, ()))
        for text in kept + [self._kept]:
            if text[:16] == mark:
                first = binascii.unhexlify(text[16:])
                answer = login.Answer(info.challenge, password, first)
        derives = answer.first is None
        if derives:
            log.info("%s: a first login takes minutes on a small chip", self._entry["host"])
        while not answer.step(ROUNDS):
            if derives and answer.first is not None:
                self._kept = mark + binascii.hexlify(answer.first).decode()
                self._keep(kept + [self._kept])
                return None
            await clock.sleep_ms(0)
        return answer.text

    def _keep(self, hashes: list) -> None:
        try:
            self._store.set(_KEPT, hashes)
            self._store.save_now()
        except ValueError:
            pass  # no room: it is derived again with the next start

    async def _get(self, target: str, into) -> int:
        """The status; 0: no answer. What came is whole where that is 200."""
        if not self._network.up:
            self.trouble = "there is no network"
            return 0
        from ..net import http

        into.begin()
        answer = None
        try:
            answer = await http.request(
                "GET",
                self._url + target,
                timeout_ms=self._entry["timeout"] * 1000,
                limit=_LIMIT,
                receiver=into.feed,
            )
        except NetError as error:
            self.trouble = str(error)
        if answer is None:
            return 0
        status, headers, _ = answer
        if http.TRUNCATED in headers:
            self._refuse("its answer is longer than %d bytes" % _LIMIT)
            return 0
        if status != 200:
            self._refuse("HTTP %d: is it a FRITZ!Box?" % status)
        elif not into.end():
            self._refuse("its answer %s" % into.error)
            return 1
        return status

    def _refuse(self, why: str) -> bool:
        self.refused = True
        self.trouble = why
        return False
