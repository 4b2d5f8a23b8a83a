"""Readings of earlier runs, of sinks that went elsewhere since; only where there are any.

    former = Former(log.state)
    former.add("influx#1f0c1a22-96", 0x40, 0x96, None)      # see places.py; or the cursor of it
    former.lowest(), former.lose(0x60), former.place(following)

What nobody reads any more stays until the flash is full; what has an owner goes with him.
"""

from micropython import const

_NOTHING = const(0x3FFFFFFF)


class Former:
    """Ranges of serial numbers, as they stand in the log's state."""

    def __init__(self, state: dict) -> None:
        self._state = state
        self._ranges: list = []  # (name in the state, end, cursor or None)

    def add(self, name: str, place: int, end: int, owner) -> None:
        """One more; owner: the cursor that reads it, None: nobody does."""
        self._state[name] = min(place, self._state.get(name, place))
        self._ranges.append((name, end, owner))

    def waiting(self) -> list:
        """(name of the sink, number) of each that nobody reads."""
        found = [one for one in self._ranges if not one[2]]
        return [(name[: name.rfind("#")], end - self._state[name]) for name, end, _ in found]

    def lowest(self) -> int:
        """The first serial number that nobody reads, and that is to stay."""
        places = [self._state[name] for name, _, owner in self._ranges if not owner]
        return min(places) if places else _NOTHING

    def lose(self, serial: int) -> int:
        """What is below this one is lost: how many nobody reads."""
        lost = 0
        for name, end, owner in self._ranges:
            if not owner:
                lost += max(0, min(serial, end) - self._state[name])
        self._move(lambda owner: serial if not owner else 0)
        return lost

    def place(self, following: int) -> bool:
        """Put the places of the owners into the state; True where one is another."""
        return self._move(lambda owner: min(owner.position, following) if owner else 0)

    def _move(self, place_of) -> bool:
        state = self._state
        changed = False
        for one in list(self._ranges):
            name, end, owner = one
            place = place_of(owner)
            if place > state[name]:
                changed = True
                state[name] = place
            if state[name] >= end:
                self._ranges.remove(one)
                del state[name]
        return changed
