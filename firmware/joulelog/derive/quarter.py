"""Quarter hours: mean, least and most power of each, and the meter's counters behind its end.

    readers = [
        {"type": "dsmr", "uart": 2, "name": "p1"},
        {"type": "quarter", "source": "p1"},
    ]

One reading for each quarter hour of UTC, whose time is its beginning; what counts as one, and what
is a gap, see quarters.py. Its counters are those of the first reading at or behind its end (`late`
seconds behind it), under the meter's own keys: differences of them lose nothing, whatever happened
in between. With `whole` 0 it was not seen from end to end, and has no means.

Energy of import and export: the counters energy_import and energy_export, the sums of those with
_t1, _t2 … where there is no total, or energy. A meter without any is added up from its power, by
the mean of two readings at most five minutes apart; that loses what lies between others.
"""

from exact import DECIMALS, KEY, KIND, UNIT
from micropython import const

from .. import clock
from ..flow.reading import SOURCE, VALUES
from .quarters import SECONDS, Quarter, Quarters

SCHEMA = """\
source | source      | required | name of the meter's reader
pause  | int 10..600 | 120      | s; longer ones between two readings are gaps
"""
NEEDS = ("clock", "queue", "store")

_POLL_MS = const(500)
_PATIENCE_MS = const(180000)
_GAP_S = const(300)  # what lies between two readings that far apart is not added up
_WH_S = const(3600)  # W x s of a Wh
CHANNELS = (
    ("power_import_mean", "W", 0, "measurement", "power"),
    ("power_export_mean", "W", 0, "measurement", "power"),
    ("power_least", "W", 0, "measurement", "power"),
    ("power_most", "W", 0, "measurement", "power"),
    ("samples", "", 0, "measurement", ""),
    ("silent", "s", 0, "measurement", "duration"),
    ("late", "s", 0, "measurement", "duration"),
    ("whole", "", 0, "flag", ""),
)
_ADDED_UP = (
    ("energy_import", "kWh", 3, "total_increasing", "energy"),
    ("energy_export", "kWh", 3, "total_increasing", "energy"),
)


def keys(entry: dict) -> list:
    """The channels that there are beside the meter's counters."""
    return [channel[KEY] for channel in CHANNELS]


class Reader:
    """Makes the quarters of one meter."""

    def __init__(self, name: str, entry: dict, output, app_clock, queue, store) -> None:
        self.name = name
        self._output = output
        output.say("waiting")
        self._entry = entry
        self._clock = app_clock
        self._store = store
        self._cursor = queue.cursor(name, [entry["source"]])
        self._quarters = Quarters(entry["pause"])
        self._source = None  # the one that the places below belong to
        self._columns: tuple = ()  # of its counters
        self._channels: tuple = CHANNELS
        self._places: tuple = ((), (), None, None)
        self._sum = None  # (UTC, W) of the reading before, where a meter has no counter
        self._added = [0, 0]  # W x s of import and export
        self._restore()

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        return (("gaps", self._quarters.gaps), ("breaks", self._quarters.breaks))

    def describe(self) -> str:
        """For the start report."""
        return "quarter hours of %s" % self._entry["source"]

    async def run(self) -> None:
        """Derive for ever."""
        heard = clock.uptime_ms()
        while True:
            item = await self._cursor.next()
            now = clock.uptime_ms()
            if item is not None:
                heard = now
                self._output.say("ok")
                self._derive(item[1], item[2])
                self._cursor.confirm(item[0])
                await clock.sleep_ms(0)
                continue
            if now - heard > _PATIENCE_MS:
                self._output.say("no source")
            await clock.sleep_ms(_POLL_MS)

    def _restore(self) -> None:
        kept = self._store.get(self._key(), ())
        try:
            begun = [int(text) if text else None for text in kept]
        except (TypeError, ValueError):
            begun = []
        if len(begun) != 5 or begun[0] is None:
            return
        self._added = [begun[3] or 0, begun[4] or 0]
        now = self._clock.now()
        if now is None or now // SECONDS == begun[0] // SECONDS:
            self._quarters.restore(begun[0], begun[1], begun[2])

    def _key(self) -> str:
        return "quarter " + self.name

    def _derive(self, utc: int, reading: tuple) -> None:
        source = reading[SOURCE]
        if source is not self._source:
            self._look(source)
            self._source = source
        values = reading[VALUES]
        power = self._power(values)
        imported, exported = [_energy(places, values) for places in self._places[:2]]
        if not self._places[0]:
            if power is None:
                return
            imported, exported = self._add_up(utc, power)
        elif imported is None:
            return  # nobody knows anything: the meter is silent
        ended = self._quarters.put(utc, imported, exported, power)
        if ended:
            self._publish(ended, values)
        begun = self._quarters.begun()
        if begun and begun[0] == utc:
            kept = ["" if number is None else str(number) for number in begun]
            self._store.set(self._key(), kept + [str(number) for number in self._added])

    def _publish(self, ended: Quarter, values: tuple) -> None:
        found = [ended.import_w, ended.export_w, ended.least_w, ended.most_w]
        found += [ended.samples, ended.silent_s, ended.late_s, int(ended.is_whole)]
        if self._places[0]:
            found += [values[column] for column in self._columns]
        else:
            found += [number // _WH_S for number in self._added]
        self._output.publish(ended.number * SECONDS, self._channels, found)

    def _look(self, source) -> None:
        """Where counters and powers are in the readings of this source."""
        channels = source.channels
        kept = [at for at in range(len(channels)) if channels[at][KIND] == "total_increasing"]
        places = {}
        for at in range(len(channels)):
            if channels[at][UNIT] == "W":
                places[channels[at][KEY]] = at
        imports = _counters("energy_import", channels, kept) or _counters("energy", channels, kept)
        exports = _counters("energy_export", channels, kept)
        power = places.get("power_import", places.get("power"))
        self._places = (
            imports,
            exports,
            None if power is None else (power, channels[power][DECIMALS]),
            places.get("power_export"),
        )
        self._columns = tuple(kept)
        own = tuple([channels[at] for at in kept]) if imports else _ADDED_UP
        if CHANNELS + own != self._channels:
            self._channels = CHANNELS + own

    def _power(self, values: tuple) -> int | None:
        """W of import less export."""
        place, export = self._places[2:]
        if place is None or not isinstance(values[place[0]], int):
            return None
        power = _scaled(values[place[0]], place[1], 0)
        if export is not None and isinstance(values[export], int):
            power -= values[export]
        return power

    def _add_up(self, utc: int, power: int) -> tuple:
        """mWh of import and export, by the powers of two readings."""
        before = self._sum
        self._sum = (utc, power)
        if before and 0 < utc - before[0] <= _GAP_S:
            twice = (power + before[1]) * (utc - before[0])
            self._added[0 if twice >= 0 else 1] += abs(twice) // 2
        return tuple([number * 10 // 36 for number in self._added])


def _counters(name: str, channels: tuple, kept: list) -> tuple:
    """(column, decimals of a mWh) of the counters that together are this energy."""
    total = [at for at in kept if channels[at][KEY] == name]
    parts = [at for at in kept if channels[at][KEY][: len(name) + 2] == name + "_t"]
    found = []
    for at in total or parts:
        unit = channels[at][UNIT]
        if unit in ("kWh", "Wh"):
            found.append((at, channels[at][DECIMALS], 6 if unit == "kWh" else 3))
    return tuple(found)


def _energy(places: tuple, values: tuple) -> int | None:
    """mWh of counters; None where one of them is not known, or there is none."""
    total = 0
    for at, decimals, wanted in places:
        if not isinstance(values[at], int):
            return None
        total += _scaled(values[at], decimals, wanted)
    return total if places else None


def _scaled(value: int, decimals: int, wanted: int) -> int:
    """In units of 10^-wanted, rounded half up."""
    if decimals <= wanted:
        return value * 10 ** (wanted - decimals)
    unit = 10 ** (decimals - wanted)
    return (2 * value + unit) // (2 * unit)
