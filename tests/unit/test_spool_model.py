"""The table and the log against a model of them: any mix of everything that can happen.

A seed decides what happens: readings, times that become known, clocks that step, sinks that take,
skip, refuse and go back, a flash that fails, restarts, power cuts, sinks that come and go, and go
elsewhere. The model keeps every reading as it was put. What it checks:

- A delivery is a reading that was put: its source and values, its (boot, serial), and one time
  for ever, at every sink, in every run. That of a reading taken before the time was known is the
  one that this run was told first, or a later run after a restart that kept the board's clock;
  one that ends within half a second of being told it may not have noted that on the flash.
- Serial numbers rise strictly between two rewinds, of LiveFirst in each of its two lanes. What has
  overtaken a backlog is of this run.
- In each run, once all is delivered, a sink has had each reading of its sources from its first
  place on exactly once: sent, set aside, dismissed or skipped. How many are missing is `dropped`,
  exactly; where pages were damaged or could not be read, `dropped` is the bound.
  `every`: one per period, by the time that it was given (what is set aside because nobody knows
  its time has none); no more are missing than `dropped`.
- The table shows each source's newest reading of this run, and how many there were. A sink that
  reads it is given that one and no other, once until it is confirmed, and in the end has had the
  last of each source; what it has not had is `superseded`, exactly. `every`: one per period.
- A run begins for a sink at the place where the last one ended, or before it.
- A sink goes to another destination now and then: it has nothing that was read while it went
  elsewhere, or was not there; back at the first one it goes on where it was.
- A planned restart loses nothing, a power cut no more than the ring, or than the seconds between
  two syncs.
- put() never raises, waiting is right, and all comes to an end.
- No list grows with the number of readings.

JOULELOG_SEEDS=10000 plays as many short stories, in four parts (`pytest -n 2`: by two at a time);
12 of them by default, 24 with JOULELOG_LONG=1, and a long story that is five times as long.
"""

import asyncio
import logging
import os
import sys
import unittest

from ramfolder import RamFolder
from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.backlog.opening import open_spool
from joulelog.flow.live_first import LiveFirst
from joulelog.flow.queue import Cursor, Queue
from joulelog.flow.reading import Source
from joulelog.flow.watch import Watch

START = 848000000
SLOTS = 16
NOTED_MS = 500  # so long takes a time that was told to the flash
HUGE = 1 << 300  # no page can hold it
LONG = (20, 20, 20, 300)  # characters; most of the time goes into reading them
NUMBER = ("number", "", 0, "total_increasing", "")
NOISE = ("noise", "W", 1, "measurement", "power")
NOTE = ("note", "", 0, "text", "")
SOURCES = (
    Source("p1", (NUMBER, NOISE, NOTE)),
    Source("water", (NUMBER,)),
    Source("heat", (NUMBER, NOISE)),
)
READERS = ("heat", "p1", "silent", "water")
# name -> (kind, durable, sources, every)
SINKS = {
    "plain": (Cursor, True, None, 0),
    "live": (LiveFirst, True, None, 0),
    "water": (Cursor, True, ["water"], 0),
    "minute": (Cursor, True, None, 60),
    "ram": (Cursor, False, None, 0),
}
# The same of those that read the table.
SHOWN = {"now": (Watch, False, None, 0), "gauge": (Watch, False, ["p1", "heat"], 60)}


class Chance:
    """Numbers from a seed, the same on both runtimes."""

    def __init__(self, seed):
        self.state = seed * 7919 + 12345

    def below(self, end):
        self.state = (self.state * 1103515245 + 12345) & 0x3FFFFFFF
        return (self.state >> 9) % end

    def pick(self, items):
        return items[self.below(len(items))]


class Flash(RamFolder):
    """Fails, or tears its next write and is dead, when the model says so."""

    error = 0
    torn = -1  # bytes of the next write that get through
    dead = False
    unreadable = ""
    kept = 0  # failures in this run: the oldest segment may count as lost, and be there

    def check(self):
        if self.dead:
            raise OSError(5, "dead")
        if self.error:
            raise OSError(self.error, "told to")

    def size(self, name):
        self.check()
        return RamFolder.size(self, name)

    def append(self, name, data):
        self.check()
        if self.torn >= 0:
            self.dead = True
            RamFolder.append(self, name, memoryview(data)[: self.torn])
            raise OSError(5, "torn")
        RamFolder.append(self, name, data)

    def read(self, name, offset, buffer):
        if self.dead or name == self.unreadable:
            raise OSError(5, "unreadable")
        return RamFolder.read(self, name, offset, buffer)

    def remove(self, name):
        self.check()
        RamFolder.remove(self, name)


class Mirror:
    """What one sink had in one run."""

    def __init__(self, cursor, first):
        self.cursor = cursor
        self.first = first  # its place at the beginning
        self.flight = []  # serials, in the order in which they were read
        self.done = {}  # serial -> "sent", "aside" or "empty"
        self.times = {}  # serial -> UTC, of what it was given; set aside without one: not here
        self.last = [-1, -1]  # serial that came last, by lane
        self.seen = {}  # since the last rewind
        self.skipped = {}


class Shown:
    """What one sink of the table had in this run."""

    def __init__(self, watch):
        self.watch = watch
        self.flight = []  # (number, source name, number of the reading, period)
        self.had = {}  # source name -> number of its reading that was confirmed last
        self.periods = {}
        self.sent = self.empty = self.superseded = 0


class World:
    """The board, run after run, and the truth."""

    def __init__(self, seed, damage=False):
        self.chance = Chance(seed)
        self.seed = seed
        self.damage = damage  # pages may be ruined: counters are bounds then
        self.flash = Flash()
        self.virtual = VirtualClock()
        self.begun_ms = 0  # board time at which this run began
        self.boot = 0
        self.number = 0
        self.truth = {}  # (boot, serial) -> (number, source, values, stamp)
        self.at = {}  # serial -> (boot, serial) that the log or the ring should have
        self.times = {}  # (boot, serial) -> UTC as first delivered
        self.told = {}  # boot -> UTC minus uptime that it was told first
        self.told_ms = 0  # uptime of this run when that was
        self.put_ms = {}  # (boot, serial) -> board time
        self.places = {}  # sink -> its place when the last run ended
        self.marks = {}  # sink -> its destination
        self.served = {}  # (sink, destination) -> {boot: True} in which it was that
        self.away = {}  # (sink, destination) -> [its place when it went, where that ends]
        self.given_up = False  # so many have gone that one had to lose something
        self.names = ["plain", "live", "water"]
        self.sync_s = self.chance.pick((0, 0, 0, 60))
        self.capacity = self.chance.pick((16384, 65536, 65536))
        self.error_s = 0  # clock error
        self.failing_ms = -1000000  # when the flash failed last
        self.delivered = 0
        self.repeated = 0
        self.lost = 0

    def fail(self, *about):
        raise AssertionError("seed %d, boot %d: %r" % (self.seed, self.boot, about))

    def ensure(self, true, *about):
        if not true:
            self.fail(*about)

    def now_ms(self):
        return self.begun_ms + self.virtual.ms

    # -- runs

    def start(self, known, restarted):
        """A new run."""
        self.flash.dead = False
        self.flash.torn = -1
        self.flash.error = self.flash.kept = 0
        self.boot += 1
        self.begun_ms += self.virtual.ms + 2000
        self.virtual.ms = 0
        self.clock = clock.Clock()
        begun_ms = self.begun_ms
        clock.board_offset = lambda: 5000 + begun_ms // 1000
        self.told_ms = -1000000
        if known:
            self.tell()
        self.queue = Queue(SLOTS, self.clock, self.boot)
        self.queue.aside = self.put_aside
        for source in READERS:  # as their outputs do, before anything is read
            self.queue.latest.row(source)
        self.mirrors = {}
        for name in self.names:
            kind, durable, sources, every = SINKS[name]
            cursor = self.queue.use(kind(self.queue, name, sources, None, every))
            cursor.durable = durable
            self.mirrors[name] = Mirror(cursor, 0)
        self.numbers = {}  # source name -> numbers of its readings in this run
        self.newest_key = {}  # source name -> (boot, serial) of the last of them
        self.shown = {}
        for name in SHOWN:
            kind, _, sources, every = SHOWN[name]
            self.shown[name] = Shown(kind(self.queue, name, sources, None, every))
        for name in self.mirrors:
            self.served.setdefault((name, self.marks.get(name, "a")), {})[self.boot] = True
        marks = {name: (self.marks.get(name, "a"), None) for name in SINKS}
        about = self.capacity, 512, self.sync_s, restarted, 0, marks
        self.spool = open_spool(self.queue, self.flash, *about)
        self.given_up = self.given_up or self.spool.given_up > 0
        self.following = self.queue.newest + 1
        self.check_returned()
        firsts = [mirror.cursor.position for mirror in self.mirrors.values()]
        kept = self.count_kept(min(firsts))
        # An unreadable segment costs many numbers.
        begun = max(min(firsts), self.following - 4000)
        self.gaps = [s for s in range(begun, self.following) if s in self.at and s not in kept]
        for name, mirror in self.mirrors.items():
            mirror.first = mirror.cursor.position
            before = self.places.get(name)
            if SINKS[name][1] and before is not None:
                place, gaps, done = before
                skipped = [s for s in range(place, mirror.first) if not gaps.has(s)]
                skipped = [s for s in skipped if s not in self.gaps_before and s not in done]
                # Only RAM had those: who has not read on has not met the gap yet.
                huge = [
                    s for s in skipped if s in self.at and self.truth[self.at[s]][2][0] == HUGE
                ]
                skipped = [s for s in skipped if s not in huge]
                about = name, place, mirror.first, self.following, self.spool.log.first, skipped
                self.ensure(not skipped or self.damage, "skipped", *about)
        self.task = asyncio.create_task(self.spool.run())

    def stop(self, how):
        """planned: with close(); crash: without; cut: the board's clock stops as well."""
        good = not self.flash.dead and not self.flash.error
        if how == "planned":
            self.spool.close()
        self.task.cancel()
        self.virtual.forget()
        durable = [m.cursor.position for n, m in self.mirrors.items() if SINKS[n][1]]
        lowest = min(durable) if durable else self.queue.newest + 1
        newest = self.queue.newest
        steady = self.now_ms() - self.failing_ms > 60000
        kept = self.count_kept(lowest)
        missing = []
        for serial in range(lowest, newest + 1):
            if serial in kept or serial in self.gaps or serial not in self.at:
                continue
            if self.truth[self.at[serial]][2][0] == HUGE:
                continue
            if not self.is_told(serial):
                missing.append(serial)
        self.forget_time(self.boot)
        if self.virtual.ms - self.told_ms <= NOTED_MS or not steady:
            for boot in range(1, self.boot):
                self.forget_time(boot)
        self.lost += len(missing)
        if not self.damage and good:
            if how == "planned" and steady:
                about = missing, self.spool._next, self.queue.newest, self.spool.log.last
                about += ([(n, m.cursor.position) for n, m in self.mirrors.items()],)
                self.ensure(not missing, "a planned restart lost", *about)
            elif steady and not self.sync_s:
                self.ensure(len(missing) <= SLOTS, "more than the ring", missing)
            elif steady:
                for serial in missing:
                    age = self.now_ms() - self.put_ms[self.at[serial]]
                    self.ensure(age <= self.sync_s * 1000 + 1000, "later than the sync", age)
        self.check_memory()
        for name, mirror in self.mirrors.items():
            if SINKS[name][1]:
                done = dict(mirror.done)
                done.update(mirror.skipped)
                self.places[name] = mirror.cursor.position, mirror.cursor.stored.gaps, done
        self.gaps_before = self.gaps
        for name in SINKS:
            if name not in self.mirrors:
                self.places.pop(name, None)

    def go_elsewhere(self):
        """Some sinks come and go, some deliver to somewhere else from now on."""
        chance = self.chance
        before = {name: self.marks.get(name, "a") for name in self.names}
        if chance.below(2):
            self.names = [name for name in SINKS if chance.below(3)]
            if not [name for name in self.names if SINKS[name][1]]:
                self.names.append("plain")  # without one that is durable the app opens no spool
        for name in SINKS:
            if not chance.below(3):
                self.marks[name] = chance.pick("ab")
        for name, mark in before.items():
            if name in self.places and (
                name not in self.names or self.marks.get(name, "a") != mark
            ):
                self.away[(name, mark)] = [self.places.pop(name)[0], 0]

    def check_returned(self):
        """Whoever is back goes on where he was; what never was on the flash is lost."""
        for key in list(self.away):
            name, mark = key
            gone = self.away[key]
            gone[1] = gone[1] or self.following
            if max(gone[0], self.spool.first) >= gone[1]:  # the flash was full
                self.away.pop(key)
            elif name in self.mirrors and self.marks.get(name, "a") == mark:
                place = max(self.away.pop(key)[0], self.spool.first)
                position = self.mirrors[name].cursor.position
                if not self.damage and not self.given_up:
                    self.ensure(position <= place, "not where it was", name, position, place)

    def forget_time(self, boot):
        """Where the flash does not say when that run began, a later one may be told another."""
        if "@%x" % boot in self.state:
            return
        self.told.pop(boot, None)
        for key in [key for key in self.times if key[0] == boot]:
            if self.truth[key][3] < 0:
                del self.times[key]

    def is_told(self, serial):
        """Whether the sinks that wanted this reading were told that it is lost."""
        for name, mirror in self.mirrors.items():
            cursor = mirror.cursor
            if not SINKS[name][1] or cursor.position > serial:
                continue
            if serial in mirror.done or serial in mirror.skipped:  # the fast lane had it
                continue
            if not cursor.stored.gaps.has(serial):
                return False
        return True

    def count_kept(self, lowest):
        """Serials from there on that a fresh look at the flash finds."""
        from ringlog.ringlog import Log

        folder = RamFolder()
        folder.files = self.flash.files
        log = Log(folder, self.capacity, 8192, 512, Source)
        for _ in log.open():
            pass
        self.state = log.state
        reader = log.reader()
        reader.seek(lowest)
        found = {}
        while True:
            step = reader.step()
            if step is False:
                return found
            if step:
                found[reader.serial] = True
                key = self.at.get(reader.serial)
                self.ensure(key is not None, "invented", reader.serial)
                truth = self.truth[key]
                have = (reader.boot, reader.source.name, reader.values, reader.stamp)
                want = (key[0], truth[1].name, truth[2], truth[3])
                self.ensure(have == want, "altered on flash", have, want)

    # -- what happens

    def tell(self):
        """Somebody tells the time."""
        utc = START + self.now_ms() // 1000 + self.error_s
        before = self.clock.source
        self.clock.set(utc, "meter")
        if not before:
            self.told_ms = self.virtual.ms
            self.told[self.boot] = utc - self.virtual.ms // 1000

    def put(self):
        chance = self.chance
        source = SOURCES[chance.pick((0, 0, 0, 1, 2))]
        self.number += 1
        values = (self.number,)
        if len(source.channels) > 1:
            values += (chance.pick((None, 5, -chance.below(100000))),)
        if len(source.channels) > 2:
            values += (
                chance.pick((None, None, "note %d" % chance.below(3), "x" * chance.pick(LONG))),
            )
        if not chance.below(400):
            values = (HUGE,) + values[1:]  # no page can hold it
        serial = self.queue.newest + 1
        key = (self.boot, serial)
        stamp = self.clock.stamp()
        self.truth[key] = (self.number, source, values, stamp)
        self.at[serial] = key
        self.put_ms[key] = self.now_ms()
        self.numbers.setdefault(source.name, []).append(self.number)
        self.newest_key[source.name] = key
        self.queue.put((stamp, source, values))

    async def race(self):
        """Readings that come while a sink reads."""
        for _ in range(self.chance.below(12)):
            self.put()
            for _ in range(self.chance.below(5)):
                await asyncio.sleep(0)

    def check_item(self, name, item):
        serial, time, reading, boot = item
        key = (boot, serial)
        self.ensure(key in self.truth, "invented", name, key)
        _, source, values, stamp = self.truth[key]
        have = (reading[1].name, reading[2], reading[0])
        self.ensure(have == (source.name, values, stamp), "altered", name, key, have, values)
        if time is None:
            self.ensure(name in SHOWN and not self.clock.source, "no time", name, key)
            return
        if stamp >= 0:
            self.ensure(time == stamp, "another time", name, key, time, stamp)
        elif self.damage and boot != self.boot:
            return  # the page that said so may be ruined
        elif boot in self.told:
            expected = self.told[boot] + stamp + (1 << 29)
            self.ensure(time == expected, "another time", name, key, time - expected)
        self.ensure(self.times.get(key, time) == time, "times differ", name, key)
        self.times[key] = time

    def seen(self, name, item):
        """Read: in order, and not twice between two rewinds."""
        mirror = self.mirrors[name]
        cursor = mirror.cursor
        serial = item[0]
        lane = 1 if cursor.live else 0
        self.ensure(serial not in mirror.seen, "twice", name, serial)
        self.ensure(serial not in mirror.done, "again though confirmed", name, serial)
        self.ensure(serial > mirror.last[lane], "order", name, serial, mirror.last)
        mirror.last[lane] = serial
        mirror.seen[serial] = True
        mirror.times[serial] = item[1]
        mirror.skipped.pop(serial, None)
        self.ensure(serial >= mirror.first, "before its place", name, serial)
        self.ensure(self.damage or self.is_its(name, serial), "of another", name, serial)
        self.ensure(not lane or serial >= self.following, "old, but first", name, serial)
        self.delivered += 1

    async def take(self, name, most):
        mirror = self.mirrors[name]
        cursor = mirror.cursor
        for _ in range(most):
            item = await cursor.next()
            if item is None:
                return
            self.check_item(name, item)
            choice = self.chance.below(20)
            if choice == 0:
                cursor.unread()
                continue
            self.seen(name, item)
            if choice == 1:
                cursor.skip()
                mirror.skipped[item[0]] = True
            else:
                mirror.flight.append(item)

    # -- the table

    def take_shown(self, name):
        """A sink without time: what is newest of each source that has moved."""
        shown = self.shown[name]
        every = SHOWN[name][3]
        found = shown.watch.newest()
        shown.flight = []
        for number, time, reading, _ in found:
            source = reading[1].name
            self.check_item(name, (self.newest_key[source][1], time, reading, self.boot))
            newest = self.numbers[source][-1]
            self.ensure(shown.had.get(source) != newest, "shown again", name, source)
            period = time // every if every and time is not None else None
            if period is not None:
                self.ensure(shown.periods.get(source) != period, "two in a period", name)
            shown.flight.append((number, source, newest, period))
        wanted = SHOWN[name][2] or list(self.numbers)
        due = [n for n in wanted if n in self.numbers and shown.had.get(n) != self.numbers[n][-1]]
        names = sorted([entry[1] for entry in shown.flight])
        self.ensure(names == sorted(due) or (every and len(names) <= len(due)), names, due)
        self.ensure(len(names) == len(dict([(n, 1) for n in names])), "two of a source")

    def settle_shown(self, name):
        """It confirms some, or had nothing to send, or goes back."""
        shown = self.shown[name]
        choice = self.chance.below(6)
        if choice == 0 or not shown.flight:
            shown.watch.rewind()
            shown.flight = []
            return
        last = self.chance.pick(shown.flight)[0]
        if choice == 1:
            shown.watch.dismiss(last)
        else:
            shown.watch.confirm(last)
        while shown.flight and shown.flight[0][0] <= last:
            number, source, newest, period = shown.flight.pop(0)
            numbers = self.numbers[source]
            before = numbers.index(shown.had[source]) if source in shown.had else -1
            if not SHOWN[name][3]:
                shown.superseded += numbers.index(newest) - before - 1
            shown.had[source] = newest
            if period is not None:
                shown.periods[source] = period
            if choice == 1 and number == last:
                shown.empty += 1
            else:
                shown.sent += 1

    def check_table(self):
        latest = self.queue.latest
        self.ensure(sorted(latest.rows) == list(READERS), "rows", sorted(latest.rows))
        self.ensure(latest.sources == len(self.numbers), "sources", latest.sources)
        for source in READERS:
            row = latest.rows[source]
            if source not in self.numbers:
                self.ensure(row.reading is None and not row.count, "shows", row)
                continue
            stamp, about, values = row.reading
            truth = self.truth[self.newest_key[source]]
            self.ensure((about.name, values, stamp) == (source, truth[2], truth[3]), "shows", row)
            self.ensure(row.count == len(self.numbers[source]), "count", source)
        for name in self.shown:
            shown = self.shown[name]
            counts = (shown.watch.sent, shown.watch.superseded, shown.watch.in_flight)
            expected = (shown.sent, shown.superseded, len(shown.flight))
            self.ensure(counts == expected, "counters", name, counts, expected)

    def drain_shown(self, name):
        """In the end it has had the last one of each source, and all adds up."""
        shown = self.shown[name]
        watch, every = shown.watch, SHOWN[name][3]
        while True:
            self.take_shown(name)
            self.ensure(watch.waiting == len(shown.flight), "waiting", name, watch.waiting)
            if not shown.flight:
                break
            self.settle_shown(name)
        had = shown.sent + shown.empty + shown.superseded
        count = sum([len(self.numbers[source]) for source in self.numbers])
        self.ensure(every or had == count, "adds up", name, had, count)
        self.ensure(watch.dropped == watch.refused == 0, "dropped", name)
        self.ensure(not watch.oldest_time, "oldest", name)

    def settle(self, name):
        """Confirm some, or refuse the first."""
        mirror = self.mirrors[name]
        if not mirror.flight:
            return
        cursor = mirror.cursor
        choice = self.chance.below(12)
        live = getattr(cursor, "_live", None)
        end = cursor.end

        def lane(serial):
            return live is not None and serial >= end

        first = mirror.flight[0]
        mates = [item for item in mirror.flight if lane(item[0]) == lane(first[0])]
        mates.sort(key=lambda item: item[0])
        last = mates[0] if choice < 2 else self.chance.pick(mates)
        how = "sent"
        if choice == 0:
            how = "aside"
            cursor.set_aside(last, "the server's words")
        elif choice == 1:
            how = "empty"
            cursor.dismiss(last[0])
        elif choice == 2:
            cursor.confirm_all()
            for item in mirror.flight:
                mirror.done[item[0]] = how
            mirror.flight = []
            return
        else:
            cursor.confirm(last[0])
        for item in mates:
            if item[0] <= last[0]:
                mirror.done[item[0]] = how
                mirror.flight.remove(item)

    def rewind(self, name):
        mirror = self.mirrors[name]
        mirror.cursor.rewind()
        mirror.flight = []
        mirror.last = [-1, -1]
        self.repeated += len(mirror.seen)
        mirror.seen = {}

    def put_aside(self, cursor, item, why):
        serial, _, _, boot = item
        self.ensure((boot, serial) in self.truth, "set aside, and never put", item)
        if why != "the server's words":
            mirror = self.mirrors[cursor.name]
            self.ensure(serial not in mirror.done, "set aside twice", cursor.name, serial)
            self.ensure(self.damage or boot not in self.told, "its time was told", boot)
            mirror.done[serial] = "aside"

    # -- checks

    def is_its(self, name, serial):
        """Whether this reading was taken while the sink delivered to where it does now."""
        return self.at[serial][0] in self.served[(name, self.marks.get(name, "a"))]

    def check(self):
        for name, mirror in self.mirrors.items():
            cursor = mirror.cursor
            newest = self.queue.newest
            self.ensure(mirror.first <= cursor.position <= newest + 1, "position", name)
            self.ensure(cursor.in_flight == len(mirror.flight), "flight", name)
            others = cursor.stored.skipped(cursor.position) if cursor.stored else 0
            expected = newest + 1 - cursor.position - others
            live = getattr(cursor, "_live", None)
            if live:
                expected = max(0, cursor.end - cursor.position - others)
                expected += newest + 1 - live.position
            self.ensure(cursor.waiting == expected >= 0, "waiting", name, cursor.waiting)
        self.ensure(self.spool.used <= self.capacity + 4096, "too large", self.spool.used)
        self.check_table()

    def check_memory(self):
        for name, mirror in self.mirrors.items():
            cursor = mirror.cursor
            for table in (cursor._period, cursor._period_ahead):
                self.ensure(len(table) <= len(SOURCES), "grows", name)
            self.ensure(len(cursor._columns) <= 16, "columns grow", name)
            if cursor.stored:
                self.ensure(len(cursor.stored.gaps._ranges) <= 16, "gaps grow", name)
        self.ensure(len(self.spool.log.state) <= 40, "state grows", len(self.spool.log.state))

    async def drain(self):
        """All is well: everything arrives, and adds up."""
        self.flash.error = 0
        self.flash.unreadable = ""
        if not self.clock.source:
            self.tell()
            self.queue.wake()
        for name in self.mirrors:
            self.rewind(name)
        await self.virtual.advance(25000)
        for name in self.shown:
            self.drain_shown(name)
        for name, mirror in self.mirrors.items():
            cursor = mirror.cursor
            for _ in range(2000):
                item = await cursor.next()
                if item is not None:
                    self.check_item(name, item)
                    self.seen(name, item)
                    mirror.flight.append(item)
                    if len(mirror.flight) < 7:
                        continue
                cursor.confirm_all()
                for item in mirror.flight:
                    mirror.done[item[0]] = "sent"
                if not mirror.flight:
                    break
                mirror.flight = []
            else:
                self.fail("it never ends", name)
            self.ensure(cursor.waiting == 0, "waits for ever", name, cursor.waiting)
            self.add_up(name, mirror)

    def add_up(self, name, mirror):
        sources, every = SINKS[name][2:]
        cursor = mirror.cursor
        done = mirror.done
        wanted = []
        for serial in sorted(self.at):
            if not mirror.first <= serial <= self.queue.newest:
                continue
            if not self.is_its(name, serial):
                continue
            source = self.truth[self.at[serial]][1]
            if sources is None or source.name in sources:
                wanted.append(serial)
        sent = len([serial for serial in done if done[serial] == "sent"])
        aside = len([serial for serial in done if done[serial] == "aside"])
        self.ensure(cursor.sent == sent, "sent", name, cursor.sent, sent)
        self.ensure(cursor.refused == aside, "refused", name, cursor.refused, aside)
        missing = [s for s in wanted if s not in done and s not in mirror.skipped]
        if every:
            self.check_periods(name, mirror, wanted, every)
        else:
            about = (name, cursor.dropped, len(missing), missing[:20])
            told = cursor.dropped >= len(missing) or self.given_up
            self.ensure(told, "silently lost", *about)
            if not self.damage and not self.flash.kept:
                others = [s for s in self.gaps if s >= mirror.first and s not in wanted]
                huge = [s for s in self.at if self.truth[self.at[s]][2][0] == HUGE]
                others += [s for s in huge if s >= mirror.first and s not in wanted]
                # What was skipped comes again after a rewind, or is lost by then.
                others += [s for s in mirror.skipped if s not in done]
                most = len(missing) + len(others)
                self.ensure(cursor.dropped <= most, "counted twice", most, *about)
        self.lost += len(missing)

    def check_periods(self, name, mirror, wanted, every):
        have = {}
        newest = {}  # source -> the period of its newest reading so far
        for serial in sorted(mirror.done):
            if serial not in mirror.times:
                continue  # no time, no period: set aside as the time of that start is not known
            source = self.truth[self.at[serial]][1].name
            period = mirror.times[serial] // every
            # A clock that was put back may come to a period again, behind another one.
            self.ensure(newest.get(source) != period, "two in a period", name, serial)
            newest[source] = period
            have[(source, period)] = True
        missing = {}
        for serial in wanted:
            key = self.at[serial]
            stamp = self.truth[key][3]
            if stamp < 0 or serial in mirror.skipped:
                continue
            period = (self.truth[key][1].name, stamp // every)
            if period not in have:
                missing[period] = serial
        about = name, len(missing), mirror.cursor.dropped, missing
        self.ensure(len(missing) <= mirror.cursor.dropped, "a period is missing", *about)

    # -- the story

    async def story(self, steps):
        chance = self.chance
        self.start(chance.below(3) > 0, True)
        for _ in range(steps):
            await self.step()
            self.check()
        await self.drain()
        self.task.cancel()
        self.virtual.forget()

    async def step(self):
        chance = self.chance
        name = chance.pick(self.names)
        choice = chance.below(100)
        if choice < 34:
            for _ in range(1 + chance.below(chance.pick((2, 6, 40)))):
                self.put()
                await self.virtual.advance(chance.pick((100, 1000, 1000, 10000)))
        elif choice < 60:
            racing = asyncio.create_task(self.race())
            await self.take(name, 1 + chance.below(chance.pick((3, 30))))
            await racing
        elif choice < 65:
            self.take_shown(chance.pick(("now", "gauge")))
        elif choice < 69:
            self.settle_shown(chance.pick(("now", "gauge")))
        elif choice < 82:
            self.settle(name)
        elif choice < 86:
            self.rewind(name)
        elif choice < 91:
            await self.virtual.advance(chance.pick((500, 5000, 70000)))
        elif choice < 93:
            self.error_s = chance.pick((0, 0, 3600, -3600, 7))
            self.tell()
            self.queue.wake()
        elif choice < 95:
            await self.trouble()
        elif choice < 96:
            await self.drain()
        else:
            self.restart()

    async def trouble(self):
        """The flash fails for a while, others have filled it, or something in it is damaged."""
        chance = self.chance
        self.flash.error = chance.pick((5, 28))
        self.flash.kept += 1
        if self.damage and self.flash.files:
            what = chance.below(3)
            victim = chance.pick(sorted(self.flash.files))
            if what == 0:
                data = self.flash.files[victim]
                data[chance.below(len(data))] ^= 1 << chance.below(8)
                self.flash.error = 0
                return
            if what == 1:
                self.flash.unreadable = victim
        for _ in range(chance.below(60)):
            self.put()
            await self.virtual.advance(chance.pick((100, 1000, 10000)))
        self.flash.error = 0
        self.failing_ms = self.now_ms()

    def restart(self):
        chance = self.chance
        how = chance.pick(("planned", "planned", "crash", "cut", "torn"))
        if how == "torn":
            self.flash.torn = chance.below(600)
            self.failing_ms = self.now_ms()
            for _ in range(SLOTS * 3):
                if self.flash.dead:
                    break
                self.put()
            how = "cut"
        self.stop(how)
        if not chance.below(4):
            self.go_elsewhere()
        self.start(chance.below(3) > 0, how != "cut")


def play(seed, steps, damage=False):
    world = World(seed, damage)
    original = clock.board_offset
    logging.getLogger("spool").setLevel(100)
    for name in SINKS:
        logging.getLogger(name).setLevel(100)
    try:
        world.virtual.play(world.story(steps))
    finally:
        clock.board_offset = original
        logging.getLogger("spool").setLevel(0)
    return world


_VM = sys.implementation.name == "micropython"  # where each takes long
_LONG = not _VM and os.getenv("JOULELOG_LONG")
_SEEDS = int(os.getenv("JOULELOG_SEEDS") or (24 if _LONG else 6 if _VM else 12))


class TestModel(unittest.TestCase):
    def test_a_long_story(self):
        world = play(1, 1500 if _LONG else 300)
        self.assertTrue(world.boot > 5, world.boot)
        self.assertTrue(world.delivered > 500, world.delivered)

    def test_lost_on_its_way_is_not_delivered_as_well(self):
        play(633, 120)

    def test_a_state_that_cannot_be_read_gives_nothing_to_another(self):
        play(10000430, 100, True)

    def test_many_short_ones(self):
        many(2, 0)

    def test_many_more_short_ones(self):
        many(2, 1)

    def test_damage(self):
        many(10000000, 0)

    def test_more_damage(self):
        many(10000000, 1)


def many(first, part):
    """Half of the seeds from there on, which are two thirds of all, or the rest: with damage."""
    damage = first > 2
    for seed in range(first + part, first + _SEEDS * (1 if damage else 2) // 3, 2):
        play(seed, 100 if damage else 150, damage)
