"""Meters on the M-Bus of a P1 meter (gas, water, heat, cooling): which is which, and its channels.

    meters = Mbus(telegram)
    meters.read(b"0-1:24.2.1", groups, hours)     # what a line says
    meters.place()                                # the telegram is complete: into its values
    meters.flow(now)                              # and these are believed

They are found by their device type on whatever channel they are, at each telegram anew. Where two
are of one type, the first that is alive gets the plain name ("gas"), the others carry their
channel number ("gas_2"). Beside the reading stand the moment that it was taken at ("gas_time"),
for what is counted in m³ how fast it grows ("gas_flow", see flow.py), and the valve ("gas_valve")
where the meter tells it. Loaded where a telegram has such a line.
"""

from exact import DECIMALS, KEY, UNIT
from micropython import const

from . import obis, stamp
from .flow import Flow

_STALE_S = const(7 * 86400)  # a reading older than this: that meter is gone
_UNSET_S = const(86400)  # times up to 2000-01-01 are those of clocks that nobody has set
# Of a meter, and of the channels that it was given.
_TYPE = const(0)
_VALUE = const(1)
_DECIMALS = const(2)
_UNIT = const(3)
_TIME = const(4)
_SEASON = const(5)
_VALVE = const(6)
_SLOT = const(1)
_KEY = const(2)
_MOVED = const(3)
_TIME_SLOT = const(5)
_FLOW_SLOT = const(6)  # -1: what it counts does not flow
_FLOW = const(7)


class Mbus:
    """The meters of one telegram, and the channels that they have."""

    def __init__(self, telegram) -> None:
        self._telegram = telegram
        self._meters: dict = {}  # number -> [type, value, decimals, unit, time, season, valve]
        # number -> [type, index, plain key, moved, time, index of the time, of the flow, Flow]
        self._places: dict = {}

    def clear(self) -> None:
        """Another telegram begins."""
        self._meters.clear()

    def read(self, code: bytes, groups: list, hours: int) -> None:
        """Remember what a line 0-n:24.x.y says of the meter on M-Bus channel n."""
        number = code[2] - 48
        if not 1 <= number <= 9:
            return
        meter = self._meters.get(number)
        if meter is None:
            meter = self._meters[number] = [0, None, 0, "", None, False, None]
        what = code[4:]
        digits = groups[0].isdigit() and len(groups[0]) <= 3
        if what == b"24.1.0":
            if digits:
                meter[_TYPE] = int(groups[0])
            return
        if what == b"24.4.0":
            if digits:
                meter[_VALVE] = int(groups[0])
            return
        if what != b"24.2.1" and what != b"24.2.3" and what != b"24.3.0":
            return
        if meter[_VALUE] is not None:  # of two lines of one meter the first one counts
            return
        unit = obis.text(groups[5]) if len(groups) == 7 else ""  # DSMR 2.2 gives it on its own
        parsed = obis.number(groups[-1]) if unit else obis.value(groups)
        time = None
        season = False
        for group in groups:
            if time is None:
                time = stamp.utc(group, hours)
                season = stamp.has_season(group)
        if parsed is None or time is None:
            return  # no meter behind this channel: its time stamp is no date
        if not season:  # a change of summer time in between would be a change of the clock
            season = stamp.in_summer(time, hours)
        else:
            season = None
        meter[_VALUE:_VALVE] = [parsed[0], parsed[1], unit or parsed[2], time, season]
        if what == b"24.2.3" and not meter[_TYPE]:
            meter[_TYPE] = 3  # gas without temperature correction (Belgium)

    def place(self) -> None:
        """Put the readings into their channels, by what the meters are now."""
        telegram = self._telegram
        places = self._places
        numbers = sorted(self._meters)
        for number in numbers[:]:
            kind = self._meters[number][_TYPE]
            if self._meters[number][_VALUE] is None:
                numbers.remove(number)
            if number in places and kind and kind != places[number][_TYPE]:
                places.pop(number)  # the channels were numbered anew
        for number in numbers:
            self._place(number)
        for number in numbers:
            meter = self._meters[number]
            place = places[number]
            telegram.put(place[_SLOT], meter[_VALUE], meter[_DECIMALS], meter[_UNIT])
            if meter[_TIME] > _UNSET_S:
                telegram.values[place[_TIME_SLOT]] = meter[_TIME]
            if meter[_VALVE] is not None:
                key = telegram.learned[place[_SLOT]][KEY] + "_valve"
                telegram.values[telegram.add((key, "", 0, "code", ""))] = meter[_VALVE]

    def flow(self, now: int | None) -> None:
        """Put the flows into their channels; a counter that is not believed has None by now.

        now: seconds of any clock; None: nobody knows for how long a meter has been silent.
        """
        telegram = self._telegram
        values = telegram.values
        for number in self._meters:
            meter = self._meters[number]
            place = self._places.get(number)
            if meter[_VALUE] is None or place is None or place[_FLOW_SLOT] < 0:
                continue
            slot = place[_SLOT]
            channel = telegram.learned[slot]
            if channel[UNIT] == "m³":
                values[place[_FLOW_SLOT]] = place[_FLOW].take(
                    meter[_TIME], values[slot], channel[DECIMALS], meter[_SEASON], now
                )

    def _place(self, number: int) -> None:
        """Give a meter the plain name of its type, or one with its number."""
        places = self._places
        meter = self._meters[number]
        place = places.get(number)
        if place:
            key = place[_KEY]
            if place[_TIME] != meter[_TIME]:
                place[_TIME] = meter[_TIME]
                place[_MOVED] = True
        else:
            key = obis.mbus_channel(meter[_TYPE])[KEY]
        holder = 0
        for other in places:
            if places[other][_KEY] == self._telegram.learned[places[other][_SLOT]][KEY] == key:
                holder = other
        if holder == number:
            return
        rival = self._meters.get(holder)
        if rival is None or rival[_VALUE] is None:
            if place is None:  # whoever had the name is gone
                places.pop(holder, None)
                self._bind(number, "")
        elif self._outlives(number, holder):
            self._bind(number, "")
            self._bind(holder, "_%d" % holder)
        elif place is None:
            self._bind(number, "_%d" % number)

    def _bind(self, number: int, suffix: str) -> None:
        meter = self._meters[number]
        add = self._telegram.add
        channel = obis.mbus_channel(meter[_TYPE])
        plain = channel[KEY]
        key = plain + suffix
        slot = add((key,) + channel[1:])
        time = add((key + "_time", "", 0, "time", "timestamp"))
        flow = -1
        if channel[UNIT] == "m³":
            flow = add((key + "_flow", "m³/h", 3, "measurement", "volume_flow_rate"))
        place = self._places.get(number)
        moved = place is not None and place[_MOVED]
        its = place[_FLOW] if place else Flow()
        self._places[number] = [meter[_TYPE], slot, plain, moved, meter[_TIME], time, flow, its]

    def _outlives(self, number: int, other: int) -> bool:
        """Whether of two meters the first one is alive, and the other one is not.

        Their times are far apart. The meter's clock may be wrong: a time near to it is that of one
        which is read, as is one that moves; else the later one.
        """
        mine = self._meters[number][_TIME]
        its = self._meters[other][_TIME]
        if abs(mine - its) < _STALE_S:
            return False
        now = self._telegram.time
        if now is not None:
            near = abs(now - mine) < _STALE_S
            if near != (abs(now - its) < _STALE_S):
                return near
        place = self._places.get(number)
        moved = place is not None and place[_MOVED]
        if moved != self._places[other][_MOVED]:
            return moved
        return mine > its
