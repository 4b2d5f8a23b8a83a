"""Serial numbers that a consumer knows to be lost, so that each is counted once.

    gaps = Gaps()
    gaps.add(10, 20)          # -> 10, how many of 10 … 19 are new
    gaps.add(15, 25)          # -> 5
    gaps.has(24)              # -> True
    gaps.forget(25)           # what is below will not be asked for any more

Losses lie side by side, so a few ranges hold them. Of more than sixteen the oldest is forgotten:
then readings may be counted twice.
"""

from micropython import const

_MOST = const(16)


class Gaps:
    """Ranges of serial numbers, in order, that neither meet nor overlap."""

    def __init__(self) -> None:
        self._ranges: list = []  # (first, end)

    def add(self, first: int, end: int) -> int:
        """Add first … end - 1; return how many of them are new."""
        low, high = first, end
        known = 0
        below = []
        above = []
        for one in self._ranges:
            if one[1] < first:
                below.append(one)
            elif one[0] > end:
                above.append(one)
            else:
                low, high = min(low, one[0]), max(high, one[1])
                known += max(0, min(end, one[1]) - max(first, one[0]))
        self._ranges = (below + [(low, high)] + above)[-_MOST:]
        return end - first - known

    def has(self, serial: int) -> bool:
        """Whether this one is lost."""
        return any([first <= serial < end for first, end in self._ranges])

    def forget(self, serial: int) -> None:
        """Nobody will ask for what is below this one."""
        if self._ranges and self._ranges[0][0] < serial:
            self._ranges = [(max(a, serial), b) for a, b in self._ranges if b > serial]
