"""The target of the reader peak: what may be drawn to stay under it, and a warning.

    target = Target("4.5", log)
    target.begin()                                    # another interval
    target.look(time, left, demand, end)              # True: it is time for a warning
    target.room(left, seconds, demand)                # W until the interval's end
    target.warned, target.warnings                    # 1 until its end; how many there were

A forecast above the target that stays for a minute is worth a warning, or one that has come true:
a kettle is no reason. It comes once per interval: in the log, as a flag, on the LED.
"""

import sys

from demand import divided, room, watts
from micropython import const

_STAYS_S = const(60)
_LED = "joulelog.device.led"


class Target:
    """Power that no interval should exceed."""

    # Of the class until they are counted.
    warnings = 0
    warned = 0
    _above: int | None = None  # since when the forecast is

    def __init__(self, kilowatts: str, log) -> None:
        """kilowatts: decimal text; "": there is none."""
        self._power = 1000 * watts(kilowatts) if kilowatts else None
        self._log = log

    def begin(self) -> None:
        """Another interval."""
        self.warned = 0
        self._above = None

    def room(self, left: int, seconds: int, demand: int | None) -> int | None:
        """W that may be drawn for the seconds that are left."""
        if self._power is None or demand is None:
            return None
        return room(self._power, demand, left, seconds) // 1000

    def look(self, time: int, left: int, demand: int | None, end: int | None) -> bool:
        """Whether a warning is due: demand so far and forecast, in mW."""
        power = self._power
        if power is None or demand is None or end is None or end <= power:
            self._above = None
            return False
        if self._above is None:
            self._above = time
        if self.warned or (time - self._above < _STAYS_S and demand <= power):
            return False
        self.warned = 1
        self.warnings += 1
        text = "%d W by the end of the interval, in %d s: more than %d W"
        self._log.warning(text, divided(end, 1000), left, power // 1000)
        led = getattr(sys.modules.get(_LED), "of_app", None)
        if led:
            led.show("warning", left * 1000)
        return True
