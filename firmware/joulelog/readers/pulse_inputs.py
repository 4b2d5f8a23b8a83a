"""Where pulses come from: light on an ADC, a digital pin, the chip's own counter.

    source = Light(entry, board)           # or Contact, Hardware
    source.open()                          # OSError: what is wrong with the pin
    while source.work():                   # a short step; True: there is more to do
        await clock.sleep_ms(0)
    for age_ms in source.ages():           # of the pulses since the last call
        ...
    source.close()

A source counts what the reader tells; the light, what its detector counts.
"""

from array import array

import machine
import pulse
from micropython import const
from pulse.meter import Edges

from .. import clock
from .sampler import READS, Sampler

_SLOTS = const(512)  # samples that wait for the task: half a second at the fastest
_SLOTS_ESP8266 = const(192)
_BLOCK = const(32)  # samples per step
_PENDING = const(64)  # pulses that wait for the task
_TOUT = const(0)  # the ESP8266's only ADC, which is no GPIO
_TICKS = const(0x3FFFFFFF)
_COUNTED_MOST = const(1000)  # by the chip's counter between two looks
_FILTER_NS = const(12000)  # as long as the hardware can

_hardware_used = 0  # counters of the chip


class _Input:
    """What all have; zero where it does not apply."""

    blind_ms = 0
    errors = 0
    overflows = 0
    glitches = 0
    doubles = 0
    spikes = 0
    relearned = 0
    dazzled_ms = 0
    detector = None

    def __init__(self, entry: dict, board) -> None:
        self._entry = entry
        self._only_input = entry["pin"] in getattr(board, "INPUT_ONLY", ())

    def pin(self):
        """The pin, pulled to where it rests unless the config or the chip says otherwise."""
        entry = self._entry
        pin = machine.Pin
        pull = entry["pull"] or ("down" if entry["active"] == "high" else "up")
        wanted = getattr(pin, "PULL_" + pull.upper(), None)
        if wanted is None or self._only_input:
            return pin(entry["pin"], pin.IN)
        return pin(entry["pin"], pin.IN, wanted)

    def pause_ms(self) -> int:
        """How long the task may rest."""
        return 50

    def work(self) -> bool:
        """Do a short piece of what waits; True: there is more."""
        return False

    def close(self) -> None:
        """Leave the pin alone."""


class Light(_Input):
    """A photoresistor or phototransistor on an ADC."""

    def __init__(self, entry: dict, board) -> None:
        pulse_ms = entry["pulse_ms"]
        self.tick_ms = max(1, min(10, pulse_ms // 5))
        how = pulse_ms, entry["gap_ms"], READS, entry["longest_ms"], entry["active"] == "low"
        self.detector = pulse.Detector(self._add, self.tick_ms, *how)
        _Input.__init__(self, entry, board)
        self._esp8266 = board.CHIP == "esp8266"
        self._block = array("i", [0] * _BLOCK)
        self._found: list = []
        self._sampler: Sampler | None = None
        self._blind_ms = 0  # of samplers that were closed
        self._errors = 0

    def open(self) -> None:
        """Start sampling; OSError where the pin cannot measure."""
        pin = self._entry["pin"]
        tout = _TOUT
        try:
            adc = machine.ADC(tout if pin is None else machine.Pin(pin))
            if hasattr(adc, "atten") and hasattr(machine.ADC, "ATTN_11DB"):
                adc.atten(machine.ADC.ATTN_11DB)  # up to about 3.1 V
            adc.read_u16()
        except (ValueError, OSError) as error:
            raise OSError("`pin` %s cannot measure: %s" % (pin, error))
        slots = _SLOTS_ESP8266 if self._esp8266 else _SLOTS
        self._sampler = Sampler(adc, self.tick_ms, slots)
        self._sampler.start(self._entry["sampling"] == "timer", self._esp8266)

    def describe(self) -> str:
        pin = self._entry["pin"]
        if isinstance(pin, str):
            return "light, recorded in " + pin
        timer = self._entry["sampling"] == "timer" and hasattr(machine, "Timer")
        by = "a timer" if timer else "a task"
        where = "the ADC" if pin is None else "ADC on GPIO %s" % pin
        return "light, %s, a sample per %d ms by %s" % (where, self.tick_ms, by)

    def pause_ms(self) -> int:
        return self.tick_ms if self._sampler and self._sampler.needs_ticks else 20

    def work(self) -> bool:
        sampler = self._sampler
        if sampler is None:
            return False
        if sampler.needs_ticks:
            sampler.tick()
        count = sampler.take(self._block)
        self.detector.feed(self._block, 0, count)
        self.blind_ms = self._blind_ms + sampler.blind_ms
        self.errors = self._errors + sampler.errors
        return count == _BLOCK

    def ages(self) -> list:
        now = self.detector.ms
        found, self._found = self._found, []
        return [(now - ms) % pulse.WRAP_MS for ms in found]

    def _add(self, ms: int) -> None:
        self._found.append(ms)

    def close(self) -> None:
        if self._sampler:
            self._sampler.stop()
            self._blind_ms = self.blind_ms
            self._errors = self.errors
            self._sampler = None


class Contact(_Input):
    """An S0 output, a reed contact, or a sensor board with a digital output."""

    def __init__(self, entry: dict, board) -> None:
        active = 1 if entry["active"] == "high" else 0
        self._edges = Edges(self._add, active, entry["pulse_ms"] // 2, entry["gap_ms"])
        _Input.__init__(self, entry, board)
        self.overflows = 0  # of its own from the start: an interrupt cannot make it
        self._ring = array("i", [0] * _PENDING)
        self._head = 0  # written by the interrupt
        self._tail = 0
        self._pin = None

    @property
    def glitches(self) -> int:  # type: ignore[override]
        return self._edges.glitches

    @property
    def doubles(self) -> int:  # type: ignore[override]
        return self._edges.doubles

    def open(self) -> None:
        """Start listening."""
        pin = self._pin = self.pin()
        both = pin.IRQ_RISING | pin.IRQ_FALLING
        try:  # at once, where the chip can: an ESP8266
            pin.irq(handler=self._changed, trigger=both, hard=True)
        except TypeError:
            pin.irq(handler=self._changed, trigger=both)

    def describe(self) -> str:
        return "contact on GPIO %s, active %s" % (self._entry["pin"], self._entry["active"])

    def ages(self) -> list:
        now = clock.ticks_ms()
        found = []
        while self._tail != self._head:
            found.append((now - self._ring[self._tail]) & _TICKS)
            self._tail = (self._tail + 1) % _PENDING
        return found

    def close(self) -> None:
        if self._pin:
            self._pin.irq(handler=None)
            self._pin = None

    def _changed(self, pin) -> None:
        """The interrupt: nothing in here allocates."""
        self._edges.edge(clock.ticks_ms() & _TICKS, pin.value())

    def _add(self, ms: int) -> None:
        following = (self._head + 1) % _PENDING
        if following == self._tail:
            self.overflows += 1
            return
        self._ring[self._head] = ms
        self._head = following


class Hardware(_Input):
    """The chip's own counter: it misses nothing, and knows no time."""

    def __init__(self, entry: dict, board) -> None:
        global _hardware_used
        _Input.__init__(self, entry, board)
        self._number = _hardware_used
        _hardware_used += 1
        self._counter = None

    def open(self) -> None:
        """Start counting."""
        counter = machine.Counter
        edge = counter.RISING if self._entry["active"] == "high" else counter.FALLING
        self._counter = counter(self._number, self.pin(), edge=edge, filter_ns=_FILTER_NS)

    def describe(self) -> str:
        return "hardware counter %d on GPIO %s" % (self._number, self._entry["pin"])

    def ages(self) -> list:
        counter = self._counter
        if counter is None:
            return []
        count = counter.value(0)
        if count < 0 or count > _COUNTED_MOST:
            self.errors += 1  # an interference, not a meter
            return []
        return [0] * count

    def close(self) -> None:
        if self._counter:
            self._counter.deinit()
            self._counter = None
