"""What the dsmr and replay readers share: telegrams in, readings out.

    p1 = P1(entry, output, app_clock, board)
    p1.feed(buffer, 0, count)            # any bytes of the wire
    p1.counters()                        # (("telegrams", 12), ("crc_errors", 0), …)

The chain is decryption (only with a key) -> framer -> telegram -> output, all of lib/dsmr.
"""

import logging

from dsmr import obis
from dsmr.frame import ABSENT, OK, Framer
from dsmr.telegram import Telegram
from micropython import const

from .. import clock as clocks
from ..clock import plausible
from ..flow.counters import Counters

SCHEMA = """\
key        | secret 32..32 | "" | decryption key (Luxembourg, Austria): 32 hexadecimal digits
auth_key   | secret 32..32 | "" | authentication key, if you have it: then the tag is checked too
utc_offset | int -12..14   | null | its winter offset: 1 Central, 2 Eastern Europe; null: it tells
crc        | choice check ignore | "check" | ignore: believe also what has a wrong CRC
interval   | int 0..3600   | 0  | one reading per so many seconds; 0: every telegram
codes      | list row      | null | channels of lines that have no name, a row each
"""

_APART_S = const(300)  # that a meter's clock and ours may be
_AGREE = const(3)  # telegrams after which a meter that sets the clock may move it
_JITTER_S = const(2)
_MINUTE_MS = const(60000)


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
    if entry.get("codes") is not None:
        from dsmr import codes

        try:
            codes.parse(entry["codes"])
        except ValueError as error:
            yield "`codes`: %s" % error


class P1:
    """One stream of telegrams, published as readings."""

    # Of the class until they are counted.
    counter_events = 0  # counters that fell or leapt
    wrong_times = 0  # telegrams whose time was not believed
    _ahead = 0  # that such a time is ahead of ours, in seconds
    _alike = 0  # telegrams in a row that agree on that
    _said = None  # the identification that the log has
    _said_ms = 0

    def __init__(self, entry: dict, output, app_clock, board, times: str) -> None:
        """times: "auto", "meter" or "board", as `time` says, or "file": what was recorded."""
        self.meter = ""  # identification line
        self.serial = b""  # its number as sent
        self.accepted = 0  # telegrams that were believed, also those that `interval` left out
        self.refused = 0  # without the CRC that this meter's others have, or without any value
        self._clock = app_clock
        self._output = output
        self._times = times
        self._interval = entry["interval"]
        self._period = -1
        self._told = 0  # the time in the telegram before
        self._counters = Counters((), None)
        self._has_crc = False
        self._log = logging.getLogger(entry["name"])
        rows = entry.get("codes")
        if rows:
            from dsmr import codes

            rows = codes.parse(rows)
        self._telegram = Telegram(
            self._complete,
            entry["channels"],
            entry["utc_offset"],
            bool(entry["key"]),
            self._believe,
            rows,
        )
        self._telegram.ignores_crc = entry.get("crc") == "ignore"
        self.framer = Framer(bytearray(board.LINE_BUFFER), self._telegram)
        self.decryptor = None  # only with a key: what bytes meet first
        first = self.framer
        if entry["key"]:
            from .encrypted import Decryption

            first = self.decryptor = Decryption(entry, first, self._telegram.seal)
        self.feed = first.feed
        self.flush = first.flush  # the line is silent: let what is nearly complete be so

    def counters(self) -> tuple:
        """(name, number) of all that the chain's links count."""
        framer = self.framer
        decryptor = self.decryptor
        return (
            ("telegrams", framer.telegrams),
            ("crc_errors", framer.crc_errors),
            ("overflows", framer.overflows),
            ("interrupted", framer.interrupted),
            ("long_lines", framer.long_lines),
            ("bad_lines", self._telegram.bad_lines),
            ("tag_errors", decryptor.tag_errors if decryptor else 0),
            ("refused", self.refused),
            ("counter_events", self.counter_events),
            ("wrong_times", self.wrong_times),
        )

    def dead_crc(self) -> str:
        """What to do about a meter that sends a constant in place of a CRC; "" where none does."""
        if self.framer.wrong_alike < _AGREE - 1:
            return ""
        text = 'the CRC is always %04X, which is none: `crc`: "ignore" reads such a meter'
        return text % self.framer.wrong_crc

    def profile(self):
        """Yield (time, when it was, value, decimals, unit) of what 0-0:98.1.0 lists, in its order.

        Times are UTC or None, see dsmr.profile. Nothing where the meter has none, and until the
        telegram behind the first call: a list is kept only where somebody asks. A list of 13
        months takes a chip 100 ms: who reads it pauses in between.
        """
        self._telegram.asks = True
        groups = self._telegram.profile
        if not groups:
            return ()
        from dsmr import profile

        return profile.entries(groups, self._telegram.hours)

    def _believe(self, telegram: Telegram) -> bool:
        """Whether a telegram is one, and None for its counters that are not believed."""
        if telegram.crc == OK:
            self._has_crc = True
        elif telegram.crc == ABSENT and self._has_crc:
            self.refused += 1
            return False
        if telegram.crc != OK and telegram.values.count(None) == len(telegram.values):
            self.refused += 1  # noise that looked like a telegram
            return False
        self.accepted += 1
        if telegram.header != self.meter or telegram.serial != self.serial:
            self.meter = telegram.header
            self.serial = telegram.serial
            self._output.identify(*obis.identity(self.meter, self.serial))
        if self.meter != self._said:
            now = clocks.uptime_ms()
            if self._said is None or now - self._said_ms >= _MINUTE_MS:  # it may differ each time
                self._said = self.meter
                self._said_ms = now
                self._log.info("meter %s, %d channels", self.meter, len(telegram.channels))
        if self._times != "file":
            telegram.now = clocks.uptime_ms() // 1000
        self._counters.adopt(telegram.channels, telegram.sums)
        self.counter_events += self._counters.judge(telegram.values, self._log)
        return True

    def _complete(self, telegram: Telegram) -> None:
        time = self._time(telegram)
        if self._interval:  # also by the uptime, while the time is not known
            period = time // self._interval
            if period == self._period:
                return
            self._period = period
        self._output.publish(time, telegram.channels, telegram.values)

    def _time(self, telegram: Telegram) -> int:
        """The time of a reading: the meter's own where it can be right, else the board's."""
        clock = self._clock
        told = telegram.time
        if self._times == "board" or told is None:
            return clock.stamp()
        if self._times == "file":
            return told
        if not plausible(told):  # a meter that lost its time
            self.wrong_times += 1
            return clock.stamp()
        if told == self._told:  # its clock stands
            return clock.stamp()
        self._told = told
        if not telegram.has_season and clock.source:
            # At the end of summer time such a meter shows an hour twice.
            late_s = clock.now() - told - 3600
            if -_APART_S < late_s < _APART_S:
                told += 3600
        source = clock.source
        better = source in ("ntp", "computer")
        ahead = told - clock.now() if source and source != "board" else 0
        if self._times == "auto" and abs(ahead) > _APART_S:
            if abs(ahead - self._ahead) > _JITTER_S:
                self._alike = 0
            self._alike += 1
            first = not self._ahead
            self._ahead = ahead
            if better or self._alike < _AGREE:  # else it is our clock, by a meter, that was wrong
                self.wrong_times += 1
                minutes = abs(ahead) // 60
                if first:
                    self._log.warning(
                        "the meter's clock is %d d %02d:%02d h %s: readings get the board's time"
                        ' (`time`: "meter" believes it)',
                        minutes // 1440,
                        minutes // 60 % 24,
                        minutes % 60,
                        "ahead" if ahead > 0 else "behind",
                    )
                return clock.stamp()
        self._alike = 0
        if not better:
            clock.set(told, "meter")
        return told
