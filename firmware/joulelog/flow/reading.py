"""A reading, and where it comes from.

A reading is a tuple (time, source, values):

    time     UTC in seconds since 2000-01-01, or a negative uptime stamp (see clock.py)
    source   a Source: its name, its channels, and who it is
    values   one per channel: an integer in units of 10^-decimals, a str for a text channel,
             or None where the meter did not give one (never 0, never the last value)

What is written of one is written by `texts`, the same digits for every server and every file:

    found = texts(values, source.channels, cursor.columns(source), str)
    for key, text in zip(found, found): …

A Source never changes. When a meter turns out to send another set of channels, or more decimals,
or to be another one, its Output makes a new Source; readings already queued keep the old one, on
the flash too. Who it is: (device it was read on, type of its reader, maker, model, serial number),
None for what nobody tells; source.identity[DEVICE] is None of what 0.1.0 left on the flash.

An Output stands between one reader and the queue. It knows what the config says of the
reader's channels (`names`, `offsets`, `channels`), and is all that a reader has to know:

    output.identify("ISK", "2M550T-1012", "E0047000034812320")    # where the meter tells it
    output.publish(time, channels, values)
    output.say("no answer")               # the state of the meter, in words

It also sees to it that the times of a source rise: a server that keeps time has one reading per
source and second, and would replace the first of two with the same time, or drop what is late.
When a clock is put back, by up to two hours, readings go on one second apart until the clock has
caught up. For that, of those less than two seconds apart every other one is left out, as is one
that comes at once behind another with the same time; the row's `left_out` counts them.
"""

import logging

import exact
from exact import DECIMALS, DEVICE_CLASS, KEY, KIND, UNIT, text
from micropython import const

from .. import clock

TIME = const(0)
SOURCE = const(1)
VALUES = const(2)
DEVICE = const(0)  # of an identity
_NO_NUMBERS = ("text", "time", "code", "flag")  # kinds that nothing can be added to
_LEAST_MS = const(2000)  # between two readings while the clock catches up
_TWICE_MS = const(500)  # nearer together, one with the same time is the same once more
_MOST_S = const(7200)  # that a clock is put back: more was a wrong date


class Source:
    """A meter as it was when it was read: its name, the channels of its readings, who it is."""

    def __init__(self, name: str, channels: tuple, identity: tuple = ()) -> None:
        self.name = name
        self.channels = channels
        self.identity = identity or (None, None, None, None, None)


def texts(values: tuple, channels: tuple, columns, words, time=clock.iso):
    """Yield key and exact text, one after the other, of each value that is there.

    columns: indexes of the values that are wanted; words: a function that makes of a text what is
    written, or None to leave texts out; time: the same of a time. Pairs would be garbage: most
    who write need none.
    """
    for index in columns:
        value = values[index]
        if isinstance(value, str):
            if words:
                yield channels[index][KEY]
                yield words(value)
        elif value is not None:
            channel = channels[index]
            yield channel[KEY]
            is_time = channel[KIND] == "time"
            yield time(value) if is_time else text(value, channel[DECIMALS])


class Output:
    """Where one reader puts its readings: renames and offsets its channels, then queues them.

    names: {key: new key}; offsets: {key: decimal text} added to a counter, so that an old
    series goes on after a meter was swapped; wanted: list of keys, or None for all; identity: what
    is known of the meter before it is asked.
    """

    def __init__(
        self,
        queue,
        name: str,
        names: dict,
        offsets: dict,
        wanted: list | None,
        identity: tuple = (None, None, None, None, None),
    ) -> None:
        self._queue = queue
        self._row = queue.latest.row(name)
        self._name = name
        self._names = names
        self._offsets = offsets
        self._wanted = wanted
        # The channels as the reader gave them last; (): none yet, None: of another meter.
        self._wire: tuple | None = ()
        self._plan: tuple | None = None  # index in the reader's values, per channel; None: all
        self._added: tuple = ()  # (index in the reading, factor, integer to add)
        self.identity = identity
        self._source = Source(name, (), identity)
        self._slow = False  # the clock was put back

    def slots(self) -> int:
        """How many of its readings the queue may hold."""
        return self._queue.slots

    def identify(self, *meter) -> None:
        """Say whose readings come from now on: maker, model, serial number."""
        identity = self.identity[:2] + meter
        if identity != self.identity:
            self.identity = identity
            self._wire = self._wire and None

    def publish(self, time: int, channels: tuple, values) -> None:
        """Queue a reading; channels is the reader's own table, the same object while it holds."""
        later = self._later(time)
        if later is None:
            self._row.left_out += 1
            return
        if channels is not self._wire:
            self._adopt(channels)
        plan = self._plan
        picked = list(values) if plan is None else [values[index] for index in plan]
        for index, factor, add in self._added:
            if picked[index] is not None:
                picked[index] = picked[index] * factor + add
        self._queue.put((later, self._source, tuple(picked)))

    def unknown(self) -> None:
        """Queue a reading without a value, where there was one with: nobody knows them now.

        Its time is that of the last one, and what has gone by since, less a second: by the meter's
        clock, so that none of its next readings comes before it.
        """
        row = self._row
        if self._wire and row.reading:
            gone_s = (clock.uptime_ms() - row.came_ms) // 1000
            time = row.reading[TIME] + max(1, gone_s - 1)
            self.publish(time, self._wire, [None] * len(self._wire))

    @property
    def state(self) -> str:
        """What was said last."""
        return self._row.state

    def say(self, state: str) -> None:
        """The state of the meter, in words; "ok" while all is well."""
        if state != self._row.state:
            self._row.state = state
            self._queue.latest.wake()

    def _later(self, time: int) -> int | None:
        """This time, or one behind the newest reading's; None: leave the reading out."""
        row = self._row
        last = row.reading and row.reading[TIME]
        if last is not None and last < 0 <= time:
            last = self._queue.clock.resolve(last)
        now = clock.uptime_ms()
        if last is None or time > last:
            self._slow = False
        elif last - time > _MOST_S:
            text = "the date goes back by %d hours: what was read with the wrong one stays"
            logging.getLogger(self._name).error(text, (last - time) // 3600)
        elif now - row.came_ms < (_LEAST_MS if self._slow or time < last else _TWICE_MS):
            return None
        else:
            if not self._slow and last - time > 1:
                text = "the clock goes back by %d s: times are slow until it has caught up"
                logging.getLogger(self._name).warning(text, last - time)
                self._slow = True
            time = last + 1
        return time

    def _adopt(self, channels: tuple) -> None:
        plan = []
        added = []
        adopted = []
        for index, channel in enumerate(channels):
            key = channel[KEY]
            if self._wanted is not None and key not in self._wanted:
                continue
            if key in self._offsets and channel[KIND] not in _NO_NUMBERS:
                channel, factor, add = _offset(channel, self._offsets[key])
                added.append((len(plan), factor, add))
            plan.append(index)
            adopted.append(_renamed(channel, self._names.get(key, key)))
        if self._wire == ():  # once, though a meter may tell another identity each time
            self._complain(channels, adopted)
        self._wire = channels
        self._plan = tuple(plan) if len(plan) < len(channels) else None
        self._added = tuple(added)
        made = tuple(adopted)
        # A table that is the reader's own takes no room of its own.
        made = channels if made == channels else made
        # What a restart found on the flash may be of this source: there is one of them.
        same = self._queue.alike(self._name, made, self.identity)
        for known in (same, self._queue.alike(self._name, made)):
            if known:
                known.channels = made
        self._source = same or Source(self._name, made, self.identity)

    def _complain(self, channels: tuple, adopted: list) -> None:
        """Log what the config says of channels that the meter has not, or of two by one name."""
        log = logging.getLogger(self._name)
        keys = [channel[KEY] for channel in channels]
        said = (("names", self._names), ("offsets", self._offsets), ("channels", self._wanted))
        for option, given in said:
            missing = [key for key in given or () if key not in keys]
            if missing:
                text = "`%s`: the meter has no %s yet; it has %s"
                log.warning(text, option, ", ".join(missing), ", ".join(keys))
        taken = [channel[KEY] for channel in adopted]
        for key in taken:
            if taken.count(key) > 1:
                log.warning("`names`: two channels are called %s; the servers keep one", key)
                break


def _offset(channel: tuple, number: str) -> tuple[tuple, int, int]:
    """(channel, factor, integer to add): an offset with more decimals widens the channel."""
    value, decimals = exact.parse(number.encode()) or (0, 0)  # the config check knows numbers
    have = channel[DECIMALS]
    wanted = max(have, decimals)
    wide = (channel[KEY], channel[UNIT], wanted, channel[KIND], channel[DEVICE_CLASS])
    return wide, exact.rescale(1, have, wanted), exact.rescale(value, decimals, wanted)


def _renamed(channel: tuple, key: str) -> tuple:
    if key == channel[KEY]:
        return channel
    return (key, channel[UNIT], channel[DECIMALS], channel[KIND], channel[DEVICE_CLASS])
