"""What a heat pump makes of its electricity: power in and out, COP, and the energies.

    readers = [
        {"type": "altherma", "uart": 2},
        {"type": "heat", "source": "altherma"},
    ]

Heat is flow x temperature difference x heat capacity of the water, in front of the backup heater.
Electricity is current x voltage of the inverter (apparent power: its power factor is not known) or
what another reader measured. All of it in integers: powers are rounded to 1 W, the COP to 0.01,
energies add up millijoules, by the mean of two readings at most five minutes apart.

What cannot be is not published: a COP above 10, heat of water that is 30 K warmer or colder than
it came; nor an energy before any of its power was known.
"""

import logging

from exact import DECIMALS, KEY, rescale
from micropython import const

from .. import clock
from ..flow.reading import SOURCE, TIME, VALUES

SCHEMA = """\
source        | source          | "altherma" | name of the heat pump's reader
meter         | source          | ""         | reader that measures the electricity; "": inverter
meter_channel | text            | "power"    | its channel, in W
voltage       | int 100..260    | 230        | V, where the heat pump does not tell
phases        | int 1..3        | 1          | phases that the inverter's current flows in
heat_capacity | int 3000..4300  | 4176       | J per litre and K; 3700 or so with glycol
"""
NEEDS = ("clock", "queue", "store")

_POLL_MS = const(500)
_GAP_MS = const(300000)  # what lies between two readings that far apart is not known
_OLD_S = const(120)  # how old a meter's reading may be
_PATIENCE_MS = const(180000)
_LEAST_W = const(50)  # a COP of less is noise
_MOST_COP = const(1000)  # hundredths: no heat pump has more
_MOST_K = const(30)  # between flow and return
_LOW_V = const(100)
_HIGH_V = const(300)
_MJ_PER_WH = const(3600000)

_INPUTS = ("flow", "flow_temperature", "return_temperature")
CHANNELS = (
    ("thermal_power", "W", 0, "measurement", "power"),
    ("electric_power", "W", 0, "measurement", "power"),
    ("cop", "", 2, "measurement", ""),
    ("heat_energy", "kWh", 3, "total_increasing", "energy"),
    ("cold_energy", "kWh", 3, "total_increasing", "energy"),
    ("electric_energy", "kWh", 3, "total_increasing", "energy"),
)


def keys(entry: dict) -> list:
    """The channels that there are."""
    return [channel[KEY] for channel in CHANNELS]


def divided(number: int, divisor: int) -> int:
    """number / divisor, rounded half away from zero; divisor above 0."""
    if number < 0:
        return -((-2 * number + divisor) // (2 * divisor))
    return (2 * number + divisor) // (2 * divisor)


def thermal_power(flow: tuple, warm: tuple, cold: tuple, heat_capacity: int) -> int | None:
    """W of a flow in litres per minute between two temperatures, each (value, decimals).

    heat_capacity in J per litre and K. Negative where the water is cooled; None where one of the
    temperatures cannot be.
    """
    decimals = max(warm[1], cold[1])
    difference = rescale(warm[0], warm[1], decimals) - rescale(cold[0], cold[1], decimals)
    if abs(difference) > _MOST_K * 10**decimals:
        return None
    return divided(flow[0] * difference * heat_capacity, 60 * 10 ** (flow[1] + decimals))


def cop(thermal: int | None, electric: int | None, cooling: bool) -> int | None:
    """Hundredths of W out per W in; None while it means nothing (standing still, defrosting)."""
    if thermal is None or electric is None or electric < _LEAST_W:
        return None
    if cooling:
        thermal = -thermal
    found = divided(thermal * 100, electric)
    return found if 0 < found <= _MOST_COP else None


class Reader:
    """Derives from the readings of one heat pump."""

    def __init__(self, name: str, entry: dict, output, app_clock, queue, store) -> None:
        self.name = name
        self._output = output
        output.say("waiting")
        self.gaps = 0  # times that too much lay between two readings to say what flowed
        self._entry = entry
        self._clock = app_clock
        self._queue = queue
        self._store = store
        self._log = logging.getLogger(name)
        self._cursor = queue.cursor(name, [entry["source"]])
        self._source = None  # the one that the places below belong to
        self._places: dict = {}  # key -> (index, decimals)
        self._before: tuple | None = None  # (uptime, thermal, electric) of the last reading
        self._began_ms = clock.uptime_ms()
        self._told: list = []  # what was said once
        kept = store.get("heat " + name, ())
        kept = kept if len(kept) == 3 else ("0", "0", "0")
        self._millijoules = [int(text) * _MJ_PER_WH for text in kept]  # heat, cold, electricity
        self._heat_known = self._millijoules[0] + self._millijoules[1] > 0  # now, or once
        self._power_known = self._millijoules[2] > 0

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        return (("gaps", self.gaps),)

    def describe(self) -> str:
        """For the start report."""
        entry = self._entry
        power = "current x voltage of the inverter"
        if entry["meter"]:
            power = "%s of %s" % (entry["meter_channel"], entry["meter"])
        return "heat, COP and energies of %s; electricity: %s" % (entry["source"], power)

    async def run(self) -> None:
        """Derive for ever."""
        heard = clock.uptime_ms()
        while True:
            item = await self._cursor.next(True)
            now = clock.uptime_ms()
            if item is not None:
                heard = now
                self._output.say("ok")
                self._derive(item[2], now)
                self._cursor.confirm(item[0])
                await clock.sleep_ms(0)
                continue
            if now - heard > _PATIENCE_MS and self._output.state != "no source":
                self._output.say("no source")
                self._miss("source")
                self._output.unknown()
            await clock.sleep_ms(_POLL_MS)

    def _miss(self, key: str) -> None:
        rows = self._queue.latest.rows
        known = ", ".join(sorted([name for name in rows if rows[name].reading])) or "none"
        text = "`%s`: no reading of %s for 3 minutes; there are those of: %s"
        self._log.warning(text, key, self._entry[key], known)

    def _once(self, what: str) -> bool:
        """Whether that was not said yet; not before everybody had time to speak."""
        if what in self._told or clock.uptime_ms() - self._began_ms < _PATIENCE_MS:
            return False
        self._told.append(what)
        return True

    def _derive(self, reading: tuple, now: int) -> None:
        source = reading[SOURCE]
        values = reading[VALUES]
        if source is not self._source:  # another table: look where the inputs are
            self._source = source
            self._places = {}
            for index, channel in enumerate(source.channels):
                self._places[channel[KEY]] = (index, channel[DECIMALS])
        thermal = self._thermal(values)
        electric = self._electric(values, reading[TIME])
        self._add_up(now, thermal, electric)
        self._heat_known = self._heat_known or thermal is not None
        self._power_known = self._power_known or electric is not None
        energies: list = self._watt_hours()
        if not self._heat_known:
            energies[:2] = (None, None)
        if not self._power_known:
            energies[2] = None
        self._complain(values)
        mode = self._text(values, "indoor_mode") or self._text(values, "operation_mode")
        found = cop(thermal, electric, mode.startswith("Cooling"))
        derived = (thermal, electric, found) + tuple(energies)
        self._output.publish(reading[TIME], CHANNELS, derived)

    def _complain(self, values) -> None:
        """Say once what was never told."""
        silent = []
        if not self._heat_known:
            silent = [key for key in _INPUTS if self._number(values, key) is None] or list(_INPUTS)
        if not self._power_known and not self._entry["meter"]:
            silent.append("inverter_current (or give a `meter`)")
        if silent and self._once("inputs"):
            text = "%s has no plausible %s: no COP"
            self._log.warning(text, self._entry["source"], ", ".join(silent))

    def _number(self, values, key: str) -> tuple | None:
        """(value, decimals) or None."""
        place = self._places.get(key)
        if place is None or not isinstance(values[place[0]], int):
            return None
        return values[place[0]], place[1]

    def _text(self, values, key: str) -> str:
        place = self._places.get(key)
        return "" if place is None else str(values[place[0]] or "")

    def _thermal(self, values) -> int | None:
        flow, warm, cold = [self._number(values, key) for key in _INPUTS]
        if flow is None or warm is None or cold is None:
            return None
        return thermal_power(flow, warm, cold, self._entry["heat_capacity"])

    def _electric(self, values, time: int) -> int | None:
        entry = self._entry
        if entry["meter"]:
            return self._metered(time)
        current = self._number(values, "inverter_current")
        if current is None:
            return None
        voltage = self._number(values, "inverter_voltage")
        if voltage is None or not _LOW_V <= voltage[0] // 10 ** voltage[1] <= _HIGH_V:
            voltage = (entry["voltage"], 0)
        watts = current[0] * voltage[0] * entry["phases"]
        return divided(watts, 10 ** (current[1] + voltage[1]))

    def _metered(self, time: int) -> int | None:
        """The newest power of the meter, if it is of about that time."""
        entry = self._entry
        reading = self._queue.latest.of(entry["meter"])
        if reading is None:
            if self._once("meter"):
                self._miss("meter")
            return None
        mine = self._clock.resolve(time)
        its = self._clock.resolve(reading[TIME])
        if mine is None or its is None:
            mine, its = time, reading[TIME]
        if abs(mine - its) > _OLD_S:
            return None
        for channel, value in zip(reading[SOURCE].channels, reading[VALUES]):
            if channel[KEY] == entry["meter_channel"]:
                return divided(value, 10 ** channel[DECIMALS]) if isinstance(value, int) else None
        if self._once("meter_channel"):
            known = ", ".join([channel[KEY] for channel in reading[SOURCE].channels])
            text = "`meter_channel`: %s has no %s; it has %s"
            self._log.warning(text, entry["meter"], entry["meter_channel"], known)
        return None

    def _add_up(self, now: int, thermal: int | None, electric: int | None) -> None:
        """The energies since the last reading, each by the mean of two powers."""
        before = self._before
        self._before = (now, thermal, electric)
        if before is None:
            return
        ms = now - before[0]
        if ms > _GAP_MS:
            self.gaps += 1
            return
        if thermal is not None and before[1] is not None:
            twice = thermal + before[1]
            self._millijoules[0 if twice >= 0 else 1] += abs(twice) * ms // 2
        if electric is not None and before[2] is not None:
            self._millijoules[2] += (electric + before[2]) * ms // 2
        kept = [str(energy) for energy in self._watt_hours()]
        self._store.set("heat " + self.name, kept)  # which spares the flash by itself

    def _watt_hours(self) -> list:
        """Whole Wh, which are the kWh with three decimals."""
        return [energy // _MJ_PER_WH for energy in self._millijoules]
