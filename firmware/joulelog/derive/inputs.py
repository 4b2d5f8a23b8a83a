"""The channels of a source that something is derived from, in thousandths of W and Wh.

    inputs = Inputs()
    inputs.adopt(source)                       # whenever a reading has another one
    inputs.number(values, "power_import")      # mW or mWh
    inputs.plain(values, "peak_time")          # as it is

None is what a meter did not tell, has no channel for, or has in another unit.
"""

from exact import DECIMALS, KEY, UNIT

# Unit of a channel -> decimals of it that a thousandth of W or Wh is.
_THOUSANDTHS = (("W", 3), ("kW", 6), ("Wh", 3), ("kWh", 6))


class Inputs:
    """Where the channels of one source are."""

    def __init__(self) -> None:
        self.source = None
        self._places: dict = {}  # key -> (index, decimals to move by, or None)

    def adopt(self, source) -> None:
        """Look where its channels are."""
        self.source = source
        self._places = {}
        for index, channel in enumerate(source.channels):
            move = None
            for unit, decimals in _THOUSANDTHS:
                if unit == channel[UNIT]:
                    move = decimals - channel[DECIMALS]
            self._places[channel[KEY]] = (index, move)

    def has(self, key: str) -> bool:
        """Whether there is such a channel."""
        return key in self._places

    def keys(self) -> str:
        """Those that there are, for people."""
        return ", ".join(sorted(self._places))

    def plain(self, values, key: str):
        """The value as it is; None where there is none."""
        place = self._places.get(key)
        return None if place is None else values[place[0]]

    def number(self, values, key: str) -> int | None:
        """The value in mW or mWh; what is less is cut."""
        value = self.plain(values, key)
        if not isinstance(value, int):
            return None
        move = self._places[key][1]
        if move is None:
            return None
        return value * 10**move if move >= 0 else value // 10**-move
