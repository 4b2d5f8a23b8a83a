"""Pulse meters: a flashing LED under a photoresistor, an S0 output, a reed contact.

    readers = [{"type": "pulse", "pin": 34, "pulses_per_kwh": 1000}]

One reading per window of the clock, stamped with the window's end. Each pulse is counted in one
window and in the total, which lives on in the store: planned restarts lose nothing; a power cut
loses what came since the last write, which is at most 10 minutes old.
"""

import logging

import machine
from exact import DECIMALS, text
from micropython import const
from pulse.meter import Meter

from .. import clock
from .pulse_inputs import Contact, Hardware, Light

SCHEMA = """\
input      | choice adc pin counter | "adc" | light on an ADC, a digital pin, or the chip's counter
pin        | pin                | null    | where the sensor is; null: the only ADC of an ESP8266
pulses_per_kwh   | int 1..100000 | null   | as printed on the meter (imp/kWh)
pulses_per_m3    | int 1..100000 | null   | gas or water
pulses_per_litre | int 1..100    | null   | water
medium     | choice gas water   | null    | null: gas per m³, water per litre
window     | int 5..3600        | 20      | seconds per reading
timeout    | int 10..86400      | 300     | seconds without a pulse until the power is 0
pulse_ms   | int 1..1000        | 10      | no pulse is shorter
gap_ms     | int 0..10000       | 0       | two that begin nearer are one; 0: 1.5 times pulse_ms
longest_ms | int 0..60000       | 0       | light that lasts longer is none; 0: 500 ms or more
active     | choice low high    | null    | pin or light in a pulse; null: a pin low, light high
pull       | choice up down none | null   | the chip's resistor at a pin; null: away from `active`
sampling   | choice timer task  | "timer" | what samples the ADC
calibrate  | bool               | false   | say every two seconds what the sensor sees
"""
NEEDS = ("clock", "board", "store")

_INPUTS = {"adc": Light, "pin": Contact, "counter": Hardware}
_UNITS = ("pulses_per_kwh", "pulses_per_m3", "pulses_per_litre")
_SETTLE_MS = const(250)  # a pulse is known that late
_SAY_MS = const(2000)
_WINDOWS = const(12)  # that are made up for one by one when nobody came round
_BACK_S = const(3600)  # a clock that is set back by less does not open a window twice
_TROUBLE = ("too bright", "too dark", "too noisy", "inverted")
_SENSOR: tuple = (
    ("light", "%", 1, "measurement", ""),
    ("contrast", "%", 1, "measurement", ""),
    ("noise", "%", 2, "measurement", ""),
    ("margin", "", 1, "measurement", ""),
)


def problems(entry: dict, board):
    """Yield what the table cannot say."""
    given = [key for key in _UNITS if entry[key] is not None]
    if len(given) != 1:
        told = "%s; give one of `pulses_per_kwh`, `pulses_per_m3`, `pulses_per_litre`"
        yield told % (" and ".join(["`%s`" % key for key in given]) or "no pulses per unit")
    elif entry["medium"] and given[0] == "pulses_per_kwh":
        yield "`medium` is for `pulses_per_m3` and `pulses_per_litre`; leave it out"
    light = entry["input"] == "adc"
    tout = light and board.CHIP == "esp8266"
    if tout and entry["pin"] is not None:
        yield "`pin` is given, but an ESP8266 measures at its pin ADC only; leave it out"
    if entry["pin"] is None and not tout:
        yield "`pin` is missing: the GPIO that the sensor is wired to"
    if entry["input"] == "counter" and not hasattr(machine, "Counter"):
        yield '`input` is "counter", but this MicroPython has no machine.Counter; use "pin"'
    if not light and isinstance(entry["pin"], str):
        yield "`pin` is text, which stands for a recording of light; give a GPIO's number"


class Reader:
    """One pulse meter."""

    def __init__(self, name: str, entry: dict, output, app_clock, board, store) -> None:
        self.name = name
        self._output = output
        output.say("idle")
        self._entry = dict(entry)
        if not entry["active"]:
            self._entry["active"] = "high" if entry["input"] == "adc" else "low"
        if not entry["gap_ms"]:
            self._entry["gap_ms"] = entry["pulse_ms"] * 3 // 2
        self._clock = app_clock
        self._log = logging.getLogger(name)
        self._input = _INPUTS[entry["input"]](self._entry, board)
        self._store = store
        self._key = "pulse." + name
        kept = store.get(self._key, 0)
        total = kept if isinstance(kept, int) else 0
        per_unit, unit = _unit(entry)
        self._meter = Meter(per_unit, unit, total, entry["timeout"] * 1000)
        self._told = self._input.detector if entry["calibrate"] else None  # beside the pulses
        self._channels = self._meter.channels + (_SENSOR if self._told else ())
        self._window: int | None = None  # the number of the one that is open
        self._waiting: list = []  # when pulses came that are in no window yet
        self._kept = True  # the store takes the total

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        source = self._input
        seen = source.detector or source
        return (
            ("blind_ms", source.blind_ms),
            ("errors", source.errors),
            ("overflows", source.overflows),
            ("glitches", seen.glitches),
            ("doubles", seen.doubles),
            ("spikes", seen.spikes),
            ("relearned", seen.relearned),
            ("dazzled_ms", seen.dazzled_ms),
        )

    @property
    def total(self) -> int:
        """Pulses, ever."""
        return self._meter.total

    def describe(self) -> str:
        """For the start report."""
        return "%s, %d pulses so far" % (self._input.describe(), self._meter.total)

    async def run(self) -> None:
        """Count for ever; OSError where the pin cannot be used."""
        source = self._input
        self._output.say("no device")
        source.open()
        said_ms = clock.uptime_ms()
        try:
            while True:
                while source.work():
                    await clock.sleep_ms(0)
                self._count(source.ages())
                self._look()
                if self._entry["calibrate"] and clock.uptime_ms() - said_ms >= _SAY_MS:
                    said_ms = clock.uptime_ms()
                    self._say()
                await clock.sleep_ms(source.pause_ms())
        finally:
            source.close()

    def _look(self) -> None:
        """Tell once when the light makes counting impossible, and when that is over."""
        detector = self._input.detector
        state = "ok" if detector is None else detector.state
        if state == "learning" or state == self._output.state:
            return
        if state in _TROUBLE:
            told = "%s: no pulses can be seen; shade the sensor"
            if state == "inverted":
                told = "%s: the light goes the other way in a pulse; try the other `active`"
            self._log.warning(told, state)
        elif self._output.state in _TROUBLE:
            self._log.info("pulses can be seen again")
        self._output.say(state)

    def _count(self, ages: list) -> None:
        """Put the pulses into their windows, and close the windows that are over."""
        meter = self._meter
        now_ms = clock.uptime_ms()
        before = meter.total
        for age in ages:
            self._waiting.append(now_ms - age)
        length = self._entry["window"]
        # The seconds of the stamp tick with those of the uptime.
        base = self._clock.stamp() - now_ms // 1000
        number = (base + (now_ms - _SETTLE_MS) // 1000) // length
        opened = self._window
        if opened is None:
            opened = (base + now_ms // 1000) // length
        self._window = opened
        for window in _ended(opened, number, length):
            end_ms = (window * length - base) * 1000
            self._take(end_ms)
            self._window = window
            self._keep()
            values = meter.close(end_ms)
            self._output.publish(window * length, self._channels, values + self._sensor())
        self._take(((self._window + 1) * length - base) * 1000)
        if meter.total != before:
            self._keep()

    def _take(self, end_ms: int) -> None:
        """Count the pulses that came before end_ms; the others belong to the next window."""
        for ms in self._waiting:
            if ms < end_ms:
                self._meter.add(1, ms)
        self._waiting = [ms for ms in self._waiting if ms >= end_ms]

    def _keep(self) -> None:
        if not self._kept:
            return
        try:
            self._store.set(self._key, self._meter.total)
        except ValueError as error:
            self._kept = False
            self._log.error("the total will not outlive a restart: %s", error)

    def _sensor(self) -> tuple:
        detector = self._told
        if detector is None:
            return ()
        return detector.level, detector.contrast, detector.noise, detector.margin

    def _say(self) -> None:
        detector = self._told
        if detector is None:
            self._log.info("%d pulses, %d too short", self.total, self._input.glitches)
            return
        seen = []
        for value, channel in zip(self._sensor(), _SENSOR):
            seen.append("?" if value is None else text(value, channel[DECIMALS]))
        said = "light %s %%, flash +%s %%, noise %s %%, margin %s sigma: %s; %d pulses"
        self._log.info(said, *seen, detector.state, self.total)


def _unit(entry: dict) -> tuple[int, str]:
    """(pulses per unit, unit)."""
    if entry["pulses_per_kwh"]:
        return entry["pulses_per_kwh"], "kWh"
    if entry["pulses_per_m3"]:
        return entry["pulses_per_m3"], entry["medium"] or "gas"
    return entry["pulses_per_litre"] * 1000, entry["medium"] or "water"


def _ended(opened: int, number: int, length: int):
    """The numbers of the windows that begin since the one that is open, oldest first.

    A clock that was set, or nobody who came round for long, makes one window of it all.
    """
    ahead = number - opened
    if 0 < ahead <= _WINDOWS:
        return range(opened + 1, number + 1)
    if ahead > 0 or -ahead * length > _BACK_S:
        return (number,)
    return ()
