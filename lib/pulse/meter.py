"""From pulses to totals, windows and power; and a debounced contact.

    meter = Meter(1000, "kWh", total=123456)
    meter.add(1, 4000)                     # one pulse, at 4,000 ms
    meter.close(20000)                     # the window ends: (1, 123457, 123457, None)
    meter.channels, meter.decimals

    edges = Edges(found, active=0, pulse_ms=5, gap_ms=20)
    edges.edge(ticks_ms, level)            # from an interrupt: no memory is allocated

Times are milliseconds of a clock that does not go back; those of edges may begin again at 2^30.
"""

from micropython import const

# unit: (key of the counter, unit, device class, key of the rate, unit, decimals, device class,
#        rate in units of 10^-decimals when one unit takes one hour)
_UNITS = {
    "kWh": ("energy_import", "kWh", "energy", "power_import", "W", 0, "power", 1000),
    "gas": ("gas", "m³", "gas", "gas_flow", "m³/h", 3, "volume_flow_rate", 1000),
    "water": ("water", "m³", "water", "water_flow", "m³/h", 3, "volume_flow_rate", 1000),
}
_HOUR_MS = const(3600000)
_TICKS = const(0x3FFFFFFF)  # a chip's milliseconds begin again there
_MOST_DECIMALS = const(7)
_USUAL_DECIMALS = const(6)  # where no number of decimals is exact
_LEAST_DECIMALS = const(3)


def decimals_of(per_unit: int) -> int:
    """How many decimals a counter of 1/per_unit steps needs; 6, cut off, where none is exact."""
    for decimals in range(_LEAST_DECIMALS, _MOST_DECIMALS + 1):
        if 10**decimals % per_unit == 0:
            return decimals
    return _USUAL_DECIMALS


class Meter:
    """A counter that pulses move, and what it says per window.

    per_unit: pulses per kWh or m³; unit: "kWh", "gas" or "water"; timeout_ms: without a pulse
    for so long the rate is 0.
    """

    def __init__(self, per_unit: int, unit: str, total: int = 0, timeout_ms: int = 300000) -> None:
        self.total = total  # pulses, ever
        self.timeout_ms = timeout_ms
        self.decimals = decimals_of(per_unit)
        self._per_unit = per_unit
        key, name, device, rate, rate_name, rate_decimals, rate_device, self._scale = _UNITS[unit]
        self.channels = (
            ("pulses", "", 0, "measurement", ""),
            ("pulses_total", "", 0, "total_increasing", ""),
            (key, name, self.decimals, "total_increasing", device),
            (rate, rate_name, rate_decimals, "measurement", rate_device),
        )
        self._closed = total  # the total when the last window ended
        self._first_ms: int | None = None  # the newest pulse before this window
        self._first = 0  # the pulses that came after it
        self._last_ms: int | None = None
        self._rate: int | None = None
        self._began_ms: int | None = None

    def add(self, count: int, ms: int) -> None:
        """Count pulses, the newest of which came at ms."""
        self.total += count
        if self._first_ms is None:  # the first of all: what it ends nobody knows
            self._first_ms = ms
            self._first = self.total
        self._last_ms = ms

    def close(self, ms: int) -> tuple:
        """End a window: (pulses in it, total, counter, rate or None), as in channels.

        The rate is the mean between the newest pulse before the window and the newest in it, so
        that rate x time is what the counter counts. Without a pulse it falls as time goes by, and
        is 0 after the time-out; before the first two pulses it is None.
        """
        if self._began_ms is None:
            self._began_ms = ms
        pulses = self.total - self._closed
        self._closed = self.total
        self._rate = self._new_rate(ms)
        counter = self.total * 10**self.decimals // self._per_unit
        return pulses, self.total, counter, self._rate

    def _new_rate(self, ms: int) -> int | None:
        last = self._last_ms
        first = self._first_ms
        if last is None or first is None:
            waited = ms - (self._began_ms or 0)
            return 0 if waited >= self.timeout_ms else None
        if self.total > self._first and last > first:
            rate = self._per_hour(self.total - self._first, last - first)
            self._first_ms = last
            self._first = self.total
            return rate
        if ms - last >= self.timeout_ms:
            return 0
        if self._rate is None or ms <= last:
            return self._rate
        return min(self._rate, self._per_hour(1, ms - last))

    def _per_hour(self, pulses: int, ms: int) -> int:
        below = self._per_unit * ms
        return (pulses * self._scale * _HOUR_MS + below // 2) // below


class Edges:
    """A contact or a photo-transistor on a digital pin: bounces are no pulses."""

    def __init__(self, found, active: int, pulse_ms: int, gap_ms: int) -> None:
        self.count = 0
        self.glitches = 0  # too short
        self.doubles = 0  # too near to the one before
        self._found = found
        self._active = active
        self._pulse_ms = pulse_ms
        self._gap_ms = gap_ms
        self._begun = False
        self._begin_ms = 0
        self._counted_ms = 0
        self._some = False  # pulses counted

    def edge(self, ms: int, level: int) -> None:
        """The level has changed, or may have: called by an interrupt."""
        if level == self._active:
            if not self._begun:
                self._begun = True
                self._begin_ms = ms
            return
        if not self._begun:
            return
        self._begun = False
        if (ms - self._begin_ms) & _TICKS < self._pulse_ms:
            self.glitches += 1
        elif self._some and (self._begin_ms - self._counted_ms) & _TICKS < self._gap_ms:
            self.doubles += 1
        else:
            self._counted_ms = self._begin_ms
            self._some = True
            self.count += 1
            self._found(self._begin_ms)
