"""The password of the web pages: its salted hash in the store, and whether a text is it.

    password = Password(store, os.urandom, clock.uptime_ms)
    password.is_set()
    await password.choose("correct horse")               # the first one, or Refused: see there
    await password.change("battery staple")              # another one
    await password.check("correct horse", "192.168.1.20")    # silent, or Refused

PBKDF2-HMAC-SHA256 (lib/pbkdf2) of 4,000 rounds: two seconds of an ESP32, five of an ESP8266. The
loop goes on meanwhile: a step is 12 rounds. One derivation at a time; one more waits for it,
others are told to come again.
"""

import binascii

from httphead import Refused
from micropython import const
from pbkdf2 import Pbkdf2, equal

from .. import clock
from .tries import Tries

ROUNDS = const(4000)
STEP = const(12)  # rounds: 15 ms of an ESP32, 35 ms of an ESP8266, and a collection
_SHORTEST = const(8)  # characters
_LONGEST = const(64)
_MOST_ROUNDS = const(100000)
_PATIENCE_MS = const(10000)
_LOOK_MS = const(50)
_KEPT = "password"  # in the store: rounds, salt and hash, as texts


class Password:
    """See the module's text."""

    wrong = 0
    _busy = False
    _waits = False

    def __init__(self, store, random, now_ms, rounds: int = ROUNDS) -> None:
        self._store = store
        self._random = random
        self._now_ms = now_ms
        self._rounds = rounds
        self.tries = Tries(store, now_ms)

    def is_set(self) -> bool:
        """Whether there is one."""
        return bool(self._store.get(_KEPT))

    async def check(self, text, address: str) -> None:
        """Return where it is the password; raise Refused for anything else."""
        made = _encoded(text)
        await self._begin()
        try:
            wait_s = self.tries.wait_s(address)
            if wait_s:
                raise Refused(429, "too many wrong passwords: try again in %d s" % wait_s, wait_s)
            kept = _kept(self._store.get(_KEPT))
            if not kept:
                raise Refused(409, "there is no password yet: choose one first")
            rounds, salt, wanted = kept
            self.tries.begun(address)
            if made is None or not equal(await _derived(made, salt, rounds), wanted):
                self.wrong += 1
                self.tries.keep()
                raise Refused(401, "that is not the password")
            self.tries.right(address)
        finally:
            self._busy = False

    async def choose(self, text) -> None:
        """Make this the first password. Raises Refused, also where there is one by now."""
        await self._write(text, True)

    async def change(self, text) -> None:
        """Make this the password. Raises Refused: (status, what to do)."""
        await self._write(text, False)

    async def _write(self, text, first: bool) -> None:
        made = _encoded(text)
        if made is None:
            told = (_SHORTEST, _LONGEST)
            raise Refused(400, "a password has %d to %d characters, of any kind" % told)
        await self._begin()
        try:
            if first and self.is_set():
                raise Refused(409, "there is a password by now: log in")
            salt = self._random(16)
            found = await _derived(made, salt, self._rounds)
            before = self._store.get(_KEPT)
            texts = ["%d" % self._rounds, _hex(salt), _hex(found)]
            try:
                self._store.put(_KEPT, texts)
                saved = self._store.save_now()
            except ValueError:
                saved = False
            if not saved:
                self._store.put(_KEPT, before)
                raise Refused(500, "the flash did not take the password: free some of it")
        finally:
            self._busy = False

    def forget(self) -> None:
        """There is none from now on."""
        self._store.put(_KEPT, None)
        self._store.save_now()

    async def _begin(self) -> None:
        """Have the derivation for oneself."""
        if self._busy and not self._waits:
            self._waits = True
            try:
                until_ms = self._now_ms() + _PATIENCE_MS
                while self._busy and self._now_ms() < until_ms:
                    await clock.sleep_ms(_LOOK_MS)
            finally:
                self._waits = False
        if self._busy:
            raise Refused(429, "somebody else is logging in: try again in a moment", 5)
        self._busy = True


async def _derived(password: bytes, salt: bytes, rounds: int) -> bytes:
    derive = Pbkdf2(password, salt, rounds)
    while not derive.step(STEP):
        await clock.sleep_ms(0)
    return derive.digest()


def _encoded(text) -> bytes | None:
    """The bytes of what may be a password, or None."""
    if not isinstance(text, str) or not _SHORTEST <= len(text) <= _LONGEST:
        return None
    try:
        return text.encode()
    except ValueError:  # half a character, which JSON can say
        return None


def _kept(texts) -> tuple | None:
    """Rounds, salt and hash as the store has them, or None."""
    try:
        rounds, salt, wanted = texts
        found = (int(rounds), binascii.unhexlify(salt), binascii.unhexlify(wanted))
    except (TypeError, ValueError):
        return None
    return found if 0 < found[0] <= _MOST_ROUNDS and len(found[2]) == 32 else None


def _hex(data: bytes) -> str:
    return binascii.hexlify(data).decode()
