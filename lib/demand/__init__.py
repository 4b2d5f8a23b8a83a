"""Demand peaks: what capacity tariffs ask for, of a meter's counter, in whole numbers.

    forecast(32000, 524000, 844, 900)      -> 523396    mW at the end, if it goes on like this
    room(2500000, 32000, 844, 900)         -> 2631753   mW that may be drawn until then
    believable(32000, 56)                  -> True      such a demand after 56 s
    mean_power(131000, 900)                -> 524000    mW, of 131 Wh in a quarter of an hour
    price = Price("40.40", {})
    price.text(4456)                       -> "180.02240"    of 4.456 kW

Beside it: scheme.py (tariffs as rows of data), interval.py (intervals out of readings of a
counter), book.py (months out of intervals). Powers are in mW, energies in mWh, times in seconds
since 2000-01-01; what is charged is in W or Wh.

demand is what P1 meters tell as 1-0:1.4.0 (e-MUCS P1 1.7.1): the energy of the running interval
so far, divided by the whole length of the interval. So it rises from 0 to the interval's mean.
"""

import exact
from micropython import const

_KILO = const(3)  # decimals of what is charged: W are kW with three
_MOST = const(44000000)  # mW: three times 63 A
_LONGEST = const(900)  # seconds: of what meters tell


def divided(number: int, divisor: int) -> int:
    """number / divisor, rounded half up; divisor above 0."""
    return (2 * number + divisor) // (2 * divisor)


def mean_power(energy: int, seconds: int) -> int:
    """mW of mWh in so many seconds; cut, so that it is rounded only where it becomes W."""
    return energy * 3600 // seconds


def forecast(demand: int, power: int, left: int, seconds: int) -> int:
    """The mean at the end of an interval, if this power stays for the seconds that are left."""
    return demand + divided(power * left, seconds)


def room(target: int, demand: int, left: int, seconds: int) -> int:
    """The power that may be drawn until the end for a mean of at most the target; 0: none."""
    return max(0, (target - demand) * seconds // max(1, left))


def believable(demand: int, gone: int) -> bool:
    """Whether a meter's 1-0:1.4.0 is of the quarter of an hour that began so many seconds ago.

    Right then some show that of the one which has ended.
    """
    return demand * _LONGEST <= _MOST * (gone + 1)


class Price:
    """What a value costs: so much per kW (or kWh), or the price of the step that it falls into.

    rate: decimal text, or ""; steps: {lowest kW of the step: its price}, decimal texts. ValueError
    tells what is wrong with them.
    """

    def __init__(self, rate: str, steps: dict) -> None:
        self.decimals = 0  # of a cost
        self._rate = 0
        self._steps: list = []  # (W, price)
        if rate and steps:
            raise ValueError("a rate and steps; allowed: one of them")
        if rate:
            self._rate, decimals = number(rate)
            self.decimals = decimals + _KILO
        prices = {key: number(steps[key]) for key in steps}
        for key in prices:
            self.decimals = max(self.decimals, prices[key][1])
        for key in prices:
            price, decimals = prices[key]
            self._steps.append((watts(key), exact.rescale(price, decimals, self.decimals)))
        self._steps.sort()

    def known(self) -> bool:
        """Whether there is a price at all."""
        return bool(self._rate or self._steps)

    def of(self, value: int) -> int | None:
        """The cost of W or Wh, in units of 10^-decimals; None below the lowest step."""
        if not self._steps:
            return value * self._rate
        found = None
        for lowest, price in self._steps:
            if value >= lowest:
                found = price
        return found

    def text(self, value: int) -> str | None:
        """The same as decimal text; no digit is lost."""
        found = self.of(value)
        return None if found is None else exact.text(found, self.decimals)


def number(text: str) -> tuple[int, int]:
    """(value, decimals) of decimal text that is not negative; ValueError where it is none."""
    parsed = exact.parse(text.encode())
    if parsed is None or parsed[0] < 0:
        raise ValueError('no number; allowed: "2.5"')
    return parsed


def watts(text: str) -> int:
    """W of kW as decimal text."""
    value, decimals = number(text)
    if decimals > _KILO:
        raise ValueError("too many decimals; allowed: three")
    return exact.rescale(value, decimals, _KILO)
