"""Which counters of a meter are believed.

    counters = Counters(channels, most_per_hour)
    counters.agree(before, after)         # two answers, one right behind the other
    events += counters.judge(values, log)  # None in the place of what is not believed yet
    counters.adopt(channels, sums)        # more channels, or more decimals

A counter that falls, or grows faster than the meter can measure, is an event: it is logged and
counted, and its value is None until three answers in a row agree with each other. How fast it
grows is told from its last change on: there are meters that are read once an hour, or once a day.
A sum is judged as its parts are, and is None while one of them is; that is one event.
"""

from exact import DECIMALS, KEY, KIND, UNIT, rescale, text
from micropython import const

from .. import clock

_AGREE = const(3)  # answers after which a counter's new value is believed
_MARGIN = const(10)  # last digits that a counter may always grow
# In an hour: 3 x 125 A, a large gas boiler, a heat network.
_HOUSE = {"kWh": 100, "kvarh": 100, "m³": 25, "GJ": 1}
_READ_S = const(3600)  # the latter two may have been read so long before they are sent


class Counters:
    """The counters among the channels of one meter."""

    def __init__(self, channels: tuple, most_per_hour: int | None) -> None:
        """most_per_hour: how much one can grow, in units of its channel; 0: any.

        None: what a house can use, by the unit.
        """
        self._channels: tuple = ()
        self._indexes = b""  # of the counters, those that are sums last
        self._sums: dict = {}  # index of a sum -> indexes of its parts
        self._most_per_hour = most_per_hour
        self._last: dict = {}  # index of a counter -> (value, uptime in seconds)
        self._doubt: dict = {}  # the same, and how many answers agree
        self.adopt(channels)

    def agree(self, before: list, after: list) -> bool:
        """Whether two answers, one right behind the other, can both be true."""
        for index in self._indexes:
            one, other = before[index], after[index]
            if one is None or other is None:
                continue
            if not self._grows(index, (one, 0), other, 2):
                return False
        return True

    def adopt(self, channels: tuple, sums: dict | None = None) -> None:
        """The same channels, some with more decimals or another unit, and others behind them.

        Where there is another one now, of another device, what the old one said is forgotten.
        sums: {index of a sum: indexes of its parts}, always the same dict.
        """
        self._sums = sums or {}
        if channels is self._channels:
            return
        for index, before in enumerate(self._channels):
            now = channels[index] if index < len(channels) else None
            for known in (self._last, self._doubt):
                told = known.pop(index, None)
                if told and now and now[:2] == before[:2]:
                    value = rescale(told[0], before[DECIMALS], now[DECIMALS])
                    known[index] = (value,) + told[1:]
        self._channels = channels
        indexes = [i for i, channel in enumerate(channels) if channel[KIND] == "total_increasing"]
        indexes.sort(key=lambda index: index in self._sums)
        self._indexes = bytes(indexes)

    def forget(self) -> None:
        """The meter fell silent: its next answers are the first that have to agree."""
        self._doubt.clear()

    def judge(self, values: list, log) -> int:
        """Put None in the place of counters that cannot be believed yet; how many are new."""
        events = 0
        now = clock.uptime_ms() // 1000
        for index in self._indexes:
            value = values[index]
            last = self._last.get(index)
            if value is None or (last is not None and last[0] == value and not self._doubt):
                continue
            unsure = False
            for part in self._sums.get(index, b""):
                unsure = unsure or values[part] is None
            if last is not None and not self._grows(index, last, value, now):
                doubt = self._doubt.get(index)
                agree = 1
                if doubt is None and not unsure:
                    events += 1
                    self._tell(log, index, last[0], value)
                elif doubt and self._grows(index, doubt, value, now):
                    agree = doubt[2] + 1
                if agree < _AGREE:
                    self._doubt[index] = (value, now, agree)
                    values[index] = None
                    continue
                log.warning("%s: believed from now on", self._channels[index][KEY])
            self._doubt.pop(index, None)
            if last is None or last[0] != value:
                self._last[index] = (value, now)
            if unsure:
                values[index] = None
        return events

    def _grows(self, index: int, before: tuple, value: int, now: int) -> bool:
        grown = value - before[0]
        channel = self._channels[index]
        most = self._most_per_hour
        passed = now - before[1]
        if most is None:
            most = _HOUSE.get(channel[UNIT], 0)
            if most < 100:
                passed += _READ_S
        if grown < 0 or not most:
            return grown >= 0
        return grown <= most * 10 ** channel[DECIMALS] * passed // 3600 + _MARGIN

    def _tell(self, log, index: int, before: int, value: int) -> None:
        channel = self._channels[index]
        log.warning(
            "%s %s from %s to %s %s: not believed before %d answers agree",
            channel[KEY],
            "fell" if value < before else "leapt",
            text(before, channel[DECIMALS]),
            text(value, channel[DECIMALS]),
            channel[UNIT],
            _AGREE,
        )
