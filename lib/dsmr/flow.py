"""How fast a counter of m³ grows, from two readings and their times, as an exact integer.

    flow = Flow()
    flow.take(847713600, 4381, 3, None, 100)    # the first reading: None
    flow.take(847713900, 4391, 3, None, 400)    # 0.010 m³ in 300 s: 120, which is 0.120 m³/h
    flow.take(847713900, 4391, 3, None, 401)    # the same reading once more: still 120

It is the mean between two readings, in thousandths of m³/h, and what is less is cut off. It stands
until the next one. None where nobody knows: before there are two; where the time went back, the
counter fell or is not believed, or another meter took its place; where more than a day is between
them; and when no next one comes for twice as long as the one before took.
"""

from exact import rescale
from micropython import const

_LONGEST_S = const(86400)  # a mean over more says nothing of now
_PER_HOUR = const(3600000)  # thousandths of m³/h of a m³ in a second


class Flow:
    """The flow of one meter."""

    # Of the class until there is a reading.
    _flow: int | None = None
    _time: int | None = None  # of the reading before
    _value = 0
    _decimals = 0
    _season: bool | None = None
    _passed = 0  # seconds between the last two
    _heard: int | None = None  # when it came

    def take(
        self, time: int, value: int | None, decimals: int, season: bool | None, now: int | None
    ) -> int | None:
        """The flow in thousandths of m³/h, or None.

        time: of the reading, in UTC; value: None where it is not believed; season: whether that
        time was taken for summer time, None where it says so itself; now: seconds of any clock.
        """
        before = self._time
        if value is None:
            self._time = self._flow = None
            return None
        if time == before:
            heard = self._heard
            if now is not None and heard is not None and not 0 <= now - heard <= 2 * self._passed:
                self._flow = None
            return self._flow
        flow = None
        passed = 0
        if before is not None and season == self._season:
            passed = time - before
            wide = max(decimals, self._decimals)
            grown = rescale(value, decimals, wide) - rescale(self._value, self._decimals, wide)
            if 0 < passed <= _LONGEST_S and grown >= 0:
                flow = grown * _PER_HOUR // (10**wide * passed)
        self._time = time
        self._value = value
        self._decimals = decimals
        self._season = season
        self._passed = passed
        self._heard = now
        self._flow = flow
        return flow
