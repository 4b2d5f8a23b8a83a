"""What a P1 meter tells of its own peaks, beside what the reader peak counts of the same meter.

    meter = Meter(source_name, readers, book, local, log)
    meter.look(inputs, values)          # each reading: 1-0:1.6.0, the peak of this month
    for _ in meter.months(): …          # 0-0:98.1.0, those of the months before
    meter.closed(end, power)            # an interval of ours ended
    meter.differs, meter.differences    # 1, 0 or None; how often they were apart

e-MUCS P1 1.7.1: a peak has the time at which its quarter of an hour ended; older meters are up to
a minute off. Compared is the same quarter, once; and a peak of ours that the meter has not, when
another interval has gone by. What a counter's last digits amount to is no difference.
"""

from demand import divided
from demand.scheme import month_of
from micropython import const

_QUARTER_S = const(900)
_STAMP_S = const(60)  # how far a meter's time may be off the quarter's end
_NEAR = const(10000)  # mW: two Wh in a quarter of an hour
_PEAK = "demand_import_peak"
_TIME = "demand_import_peak_time"


class Meter:
    """One meter's word."""

    # Of the class until they are counted.
    differences = 0
    differs: int | None = None
    _last: int | None = None  # mean of the interval before, in mW
    _last_end = 0
    _compared = 0  # the meter's time of the peak that was compared last
    _outdone = 0  # the begin of our own peak that the meter has not

    def __init__(self, source: str, readers: list, book, local, log) -> None:
        """local: a function from UTC to local time."""
        self._source = source
        self._readers = readers
        self._book = book
        self._local = local
        self._log = log

    def look(self, inputs, values) -> None:
        """The peak of this month, if this reading tells it."""
        peak = inputs.number(values, _PEAK)
        at = inputs.plain(values, _TIME)
        if peak is None or at is None:
            return
        self._tell(at, peak)
        if at != self._compared and abs(at - self._last_end) <= _STAMP_S:
            self._compared = at
            self._compare(self._last, peak)

    def months(self):
        """Those of the months before, in steps: a generator of pauses."""
        for reader in self._readers:
            if reader.name == self._source and hasattr(reader, "profile"):
                for _, at, value, decimals, unit in reader.profile():
                    if at is not None and unit == "W":
                        self._tell(at, value * 1000 // 10**decimals)
                    yield

    def closed(self, end: int, power: int) -> None:
        """An interval of ours ended with this mean, in mW; its place is the book, after this."""
        book = self._book
        peak = book.of_meter(book.month)
        own = book.highest
        self._last = power
        self._last_end = end
        if peak is None or own is None or own <= peak or book.highest_start == self._outdone:
            return
        self._outdone = book.highest_start
        self._compare(own, peak)

    def _tell(self, at: int, peak: int) -> None:
        if peak:  # else a month has just begun, and the time is that of its begin
            self._book.tell(month_of(self._local(at - _QUARTER_S)), peak)

    def _compare(self, own: int | None, peak: int) -> None:
        """The meter's mean of an interval, and ours of the same."""
        if own is None:
            return
        apart = abs(own - peak)
        self.differs = 1 if apart > _NEAR and apart * 100 > peak else 0
        if self.differs:
            self.differences += 1
            text = "the meter's peak is %d W, its counter's %d W"
            self._log.warning(text, divided(peak, 1000), divided(own, 1000))
