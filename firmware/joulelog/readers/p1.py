"""What the dsmr and replay readers share: telegrams in, readings out.

    p1 = P1(entry, app, output)
    p1.feed(buffer, 0, count)            # any bytes of the wire
    p1.telegrams, p1.crc_errors          # and the other counters

The chain is decryption (only with a key) -> framer -> telegram -> output, all of lib/dsmr.
"""

import logging

from dsmr.frame import ABSENT, OK, Framer
from dsmr.telegram import Telegram
from micropython import const

from ..clock import PLAUSIBLE

SCHEMA = """\
key        | secret 32..32 | "" | decryption key (Luxembourg, Austria): 32 hexadecimal digits
auth_key   | secret 32..32 | "" | authentication key, if you have it: then the tag is checked too
utc_offset | int -12..14   | 1  | winter offset of the meter's clock: 1 Central, 2 Eastern Europe
interval   | int 0..3600   | 0  | one reading per so many seconds; 0: every telegram
"""

_SEASON_S = const(300)  # that a meter's clock and ours are apart


def problems(entry: dict):
    """Yield what the table cannot say; never a word of a key."""
    for name in ("key", "auth_key"):
        for at, digit in enumerate(entry[name]):
            if digit not in "0123456789abcdefABCDEF":
                text = "character %d of `%s` is no hexadecimal digit; allowed: 0-9, a-f"
                yield text % (at + 1, name)
                break
    if entry["auth_key"] and not entry["key"]:
        yield "`auth_key` is there without `key`; give the decryption key as well"


class P1:
    """One stream of telegrams, published as readings."""

    def __init__(self, entry: dict, app, output, times: str = "meter") -> None:
        self.meter = ""  # identification line
        self.accepted = 0  # telegrams that were believed, also those that `interval` left out
        self.refused = 0  # without the CRC that this meter's others have, or without any value
        self._app = app
        self._output = output
        self._times = times
        self._interval = entry["interval"]
        self._period = -1
        self._told = 0  # the time in the telegram before
        self._has_crc = False
        self._log = logging.getLogger(entry["name"])
        self._telegram = Telegram(
            self._complete, entry["channels"], entry["utc_offset"], bool(entry["key"])
        )
        self._framer = Framer(bytearray(app.board.LINE_BUFFER), self._telegram)
        self._decryptor = _decryptor(entry, self._framer) if entry["key"] else None
        self._first = self._decryptor or self._framer  # of the chain
        self.feed = self._first.feed
        self.flush = self._first.flush  # the line is silent: let what is nearly complete be so

    def __getattr__(self, name: str) -> int:
        """The counters of the chain's links."""
        for link in (self._framer, self._telegram, self._decryptor):
            if link is not None and hasattr(link, name):
                return getattr(link, name)
        if name == "tag_errors":
            return 0
        raise AttributeError(name)

    @property
    def busy(self) -> bool:
        """True while there is work left that no byte waits for: call proceed()."""
        return self._first.busy

    def proceed(self) -> None:
        """Do a piece of the work that is left."""
        self._first.proceed()

    def _complete(self, telegram: Telegram) -> None:
        if telegram.crc == OK:
            self._has_crc = True
        elif telegram.crc == ABSENT and self._has_crc:
            self.refused += 1
            return
        if telegram.crc == ABSENT and not any(
            v is not None for v in telegram.values
        ):  # noise that looked like a telegram
            self.refused += 1
            return
        self.accepted += 1
        if telegram.header != self.meter:
            self.meter = telegram.header
            self._log.info("meter %s, %d channels", self.meter, len(telegram.channels))
        time = self._time(telegram)
        if self._interval:  # also by the uptime, while the time is not known
            period = time // self._interval
            if period == self._period:
                return
            self._period = period
        self._output.publish(time, telegram.channels, telegram.values)

    def _time(self, telegram: Telegram) -> int:
        """The time of a reading: the meter's own, else the board's."""
        clock = self._app.clock
        told = telegram.time
        if self._times == "now" or told is None:
            return clock.stamp()
        if self._times == "meter":
            if told < PLAUSIBLE or told == self._told:  # a meter that lost its time, or stands
                return clock.stamp()
            self._told = told
            if not telegram.has_season and clock.source:
                # At the end of summer time such a meter shows an hour twice.
                late_s = clock.now() - told - 3600
                if -_SEASON_S < late_s < _SEASON_S:
                    told += 3600
            if clock.source in ("", "board", "meter"):  # not above NTP or a computer
                clock.set(told, "meter")
        return told


def _decryptor(entry: dict, listener):
    """The link that decrypts, imported only where a key is given."""
    import cryptolib
    from dsmr import dlms

    from ..errors import ConfigError

    keys = []
    for name in ("key", "auth_key"):
        try:
            keys.append(dlms.parse_key(entry[name]) if entry[name] else None)
        except ValueError as error:
            raise ConfigError("%s: `%s`: %s" % (entry["name"], name, error))
    return dlms.Decryptor(cryptolib.aes(keys[0], 1).encrypt, listener, keys[1])
