"""Decryption of P1 telegrams, in steps that are short enough; loaded where a key is given.

decryption = Decryption(entry, framer, telegram.seal)
decryption.feed(buffer, 0, count)    # as any dsmr.dlms.Decryptor
await decryption.rest(count)         # what those bytes left to do
"""

import gc

import cryptolib
from dsmr import dlms
from micropython import const

from .. import clock
from ..errors import ConfigError

_LITTER = const(32)  # encrypted bytes whose decryption leaves some 8 kB to collect


class Decryption(dlms.Decryptor):
    """The first link of the chain of an entry with a key; ConfigError for one that is none."""

    def __init__(self, entry: dict, framer, seal) -> None:
        keys: list = []
        for name in ("key", "auth_key"):
            try:
                keys.append(dlms.parse_key(entry[name]) if entry[name] else None)
            except ValueError as error:
                raise ConfigError("%s: `%s`: %s" % (entry["name"], name, error))
        dlms.Decryptor.__init__(self, cryptolib.aes(keys[0], 1).encrypt, framer, seal, keys[1])
        self._litter = 0

    async def rest(self, count: int) -> None:
        """Behind so many bytes: check what is complete, and sweep what decrypting left.

        Both in steps of their own: a collection in the midst of decryption makes that too long.
        """
        self._litter += count
        while self.busy or self._litter >= _LITTER:
            await clock.sleep_ms(0)
            if self._litter >= _LITTER:
                self._litter = 0
                gc.collect()
                continue
            self.proceed()
            self._litter += _LITTER // 2
