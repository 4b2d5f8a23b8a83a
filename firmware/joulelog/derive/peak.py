"""Demand peaks by a capacity tariff: what the interval comes to, the months, and their cost.

    readers = [
        {"type": "dsmr", "uart": 1},
        {"type": "peak", "source": "dsmr", "scheme": "flanders", "target": "4", "rate": "40.40"},
    ]

Intervals are differences of the source's counter (lib/demand, which has the schemes as well; what
P1 meters tell of their own is e-MUCS P1 1.7.1: 1-0:1.4.0, 1.6.0 and 0-0:98.1.0). A P1 meter's
months are charged as it tells them (peak_meter.py); what was counted here is kept beside, and
compared. See docs/peak.md.
"""

import logging

from demand import Price, believable, divided, forecast, mean_power, watts
from demand import scheme as schemes
from demand.book import Book
from demand.interval import Running
from demand.scheme import month_of
from exact import KEY
from micropython import const

from .. import clock
from ..flow.reading import SOURCE, TIME, VALUES
from . import peak_channels
from .inputs import Inputs
from .peak_meter import Meter
from .peak_target import Target

SCHEMA = """\
source   | source       | "dsmr"     | name of the meter's reader
scheme   | text         | "flanders" | flanders, month_max, three_days, weeks, excess, or of `rows`
rows     | list row     | null       | schemes of your own, a row each
target   | text         | ""         | kW that no interval should exceed, as "4.5"; "": none
floor    | text         | ""         | kW that count at least, or are free (excess); "": by scheme
rate     | text         | ""         | price of a kW, or of a kWh above (excess), as "40.40"
steps    | dict decimal | {}         | instead: price from so many kW on: {"0": "125", "2": "206"}
currency | text         | "EUR"      | of the prices, by ISO 4217
holidays | list text    | []         | Sundays to the scheme: "2026-04-06", "12-25" for each year
energy   | text         | "energy_import" | the source's counter
power    | text         | "power_import"  | its power
interval | int 1..900   | 10         | seconds between two readings
"""
NEEDS = ("clock", "queue", "store", "readers")
CHANNELS = peak_channels.CHANNELS

_POLL_MS = const(500)
_PATIENCE_MS = const(180000)
_DAY_MS = const(86400000)
_DEMAND = "demand_import"


def _scheme(entry: dict):
    return schemes.named(entry["scheme"], entry["rows"] or (), entry["floor"], entry["holidays"])


def problems(entry: dict, board):
    """Yield what the table cannot say."""
    for key in ("target", "floor"):
        try:
            if entry[key]:
                watts(entry[key])
        except ValueError as error:
            yield "`%s`: %s" % (key, error)
            return
    try:
        _scheme(entry)
    except ValueError as error:
        yield "`scheme`: %s" % error
    try:
        Price(entry["rate"], entry["steps"])
    except ValueError as error:
        yield "`rate` or `steps`: %s" % error


def keys(entry: dict) -> list:
    """The channels that there are."""
    price = Price(entry["rate"], entry["steps"])
    return [channel[KEY] for channel in peak_channels.of(entry, _scheme(entry), price)]


def _watts(milliwatts: int | None) -> int | None:
    return None if milliwatts is None else divided(milliwatts, 1000)


class Reader:
    """Derives from the readings of one meter."""

    # Of the class until there are some.
    _last: int | None = None  # mean of the interval before, in mW
    _start = 0  # of the interval that runs
    _tries = 5  # readings behind the start in which the meter is asked for its months
    _period = -1
    _back_ms: int | None = None  # since when the date is one of an earlier month

    def __init__(
        self, name: str, entry: dict, output, app_clock, queue, store, readers: list
    ) -> None:
        self.name = name
        self._output = output
        output.say("waiting")
        self._entry = entry
        self._clock = app_clock
        self._store = store
        self._log = log = logging.getLogger(name)
        self._cursor = queue.cursor(name, [entry["source"]])
        self._inputs = Inputs()
        self._scheme = scheme = _scheme(entry)
        self._price = Price(entry["rate"], entry["steps"])
        self._channels = peak_channels.of(entry, scheme, self._price)
        self._target = Target(entry["target"], log)
        self._book = Book(scheme)
        self._meter = Meter(entry["source"], readers, self._book, app_clock.local, log)
        self._running = Running(scheme.interval)
        kept = store.get("peak " + name, ())
        if self._book.load(kept[1:]):
            self._running.load(kept[0])

    def counters(self) -> tuple:
        """(name, number) of all that is counted."""
        return (
            ("gaps", self._running.gaps),
            ("counter_events", self._running.events),
            ("warnings", self._target.warnings),
            ("differences", self._meter.differences),
        )

    def describe(self) -> str:
        """For the start report."""
        text = "peaks of %s by %s" % (self._entry["source"], self._scheme.name)
        if self._price.known():
            text += "; cost per " + self._scheme.price
        if not self._clock.zone:
            text += "; months of UTC, as `timezone` in `clock` is not set"
        return text

    async def run(self) -> None:
        """Derive for ever."""
        heard = clock.uptime_ms()
        while True:
            item = await self._cursor.next(True)
            now = clock.uptime_ms()
            if item is not None:
                heard = now
                for _ in self._take(item[1], item[2]):
                    await clock.sleep_ms(0)
                self._cursor.confirm(item[0])
                await clock.sleep_ms(0)
                continue
            if now - heard > _PATIENCE_MS and self._output.state != "no source":
                self._output.say("no source")
                text = "`source`: no reading of %s for 3 minutes"
                self._log.warning(text, self._entry["source"])
                self._output.unknown()
            await clock.sleep_ms(_POLL_MS)

    def _take(self, time: int | None, reading: tuple):
        """Derive from a reading whose time is UTC, or not known: a generator of pauses."""
        inputs = self._inputs
        if reading[SOURCE] is not inputs.source:
            self._adopt(reading[SOURCE])
        if time is None or not inputs.has(self._entry["energy"]):
            self._output.say("no time" if time is None else "no counter")
            return
        values = reading[VALUES]
        local = self._clock.local(time)
        energy = inputs.number(values, self._entry["energy"])
        closed = None if energy is None else self._running.take(time, local, energy)
        if closed:  # it may be the last one of the month before
            self._close(closed)
            yield
        if not self._is_now(month_of(local)):
            self._output.say("earlier date")
            return
        self._output.say("ok")
        interval = self._scheme.interval
        start = time - local % interval
        if start != self._start:
            self._start = start
            self._target.begin()
        if self._scheme.plain():
            self._meter.look(inputs, values)
            if closed or self._tries:
                self._tries = max(0, self._tries - 1)
                yield from self._meter.months()
        left = start + interval - time
        demand, end = self._forecast(interval - left, values)
        warns = self._target.look(time, left, demand, end)
        period = time // self._entry["interval"]
        if closed or warns or period != self._period:
            self._period = period
            self._publish(reading[TIME], left, demand, end)
        if closed:
            yield
            self._keep()

    def _is_now(self, month: int) -> bool:
        """Whether what is read is of the running month, which may begin with it.

        A date that goes back is believed after a day: it was wrong before.
        """
        if month > self._book.month:
            self._meter.differs = None
        if self._book.begin(month):
            self._back_ms = None
            return True
        now = clock.uptime_ms()
        if self._back_ms is None:
            self._back_ms = now
        if now - self._back_ms < _DAY_MS:
            return False
        self._log.warning("the date was wrong: what is of later months is forgotten")
        self._book.go_back(month)
        return True

    def _adopt(self, source) -> None:
        """Look where the inputs are; another serial number is another meter."""
        inputs = self._inputs
        known = inputs.source and inputs.source.identity[-1]
        if known and source.identity[-1] and source.identity[-1] != known:
            self._log.warning("another meter: this interval is not counted")
            self._running.cut()
        inputs.adopt(source)
        for key in ("energy", "power"):
            if not inputs.has(self._entry[key]):
                text = "`%s`: %s has no %s; it has %s"
                self._log.warning(text, key, source.name, self._entry[key], inputs.keys())

    def _close(self, closed: tuple) -> None:
        """An interval has ended: (its begin, mWh, seconds)."""
        start, energy, seconds = closed
        self._last = mean_power(energy, seconds)
        self._meter.closed(start + self._scheme.interval, self._last)
        self._book.add(start, self._clock.local(start), self._last)

    def _keep(self) -> None:
        """What a restart needs; the store spares the flash by itself."""
        try:
            self._store.put("peak " + self.name, [self._running.text()] + self._book.texts())
        except ValueError as error:  # no room: a restart begins anew
            self._log.warning("%s", error)

    def _forecast(self, gone: int, values) -> tuple:
        """(demand until now, what it comes to), each in mW or None."""
        interval = self._scheme.interval
        demand = self._inputs.number(values, _DEMAND) if interval == 900 else None
        if demand is None or not believable(demand, gone):
            demand = self._running.demand() if self._running.start == self._start else None
        power = self._inputs.number(values, self._entry["power"])
        if demand is None or power is None:
            return demand, None
        return demand, forecast(demand, max(0, power), interval - gone, interval)

    def _publish(self, stamp: int, left: int, demand: int | None, end: int | None) -> None:
        book = self._book
        charged, months = book.mean()
        values = {
            "demand": _watts(demand),
            "demand_forecast": _watts(end),
            "demand_last": _watts(self._last),
            "demand_room": self._target.room(left, self._scheme.interval, demand),
            "demand_warning": self._target.warned,
            "peak": _watts(book.highest),
            "peak_time": None if book.highest is None else book.highest_start,
            "peak_meter": _watts(book.of_meter(book.month)),
            "peak_differs": self._meter.differs,
            "peak_month": _watts(book.value(book.month)),
            "peak_mean": charged,
            "peak_months": months,
            "excess_energy": charged,
            "cost": None if charged is None else self._price.of(charged),
        }
        found = [values[channel[KEY]] for channel in self._channels]
        self._output.publish(stamp, self._channels, found)
