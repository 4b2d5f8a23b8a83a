"""Store and forward against a model of it: any mix of everything that can happen.

A seed decides what happens: readings, times that become known, clocks that step, sinks that take,
skip, refuse and go back, a flash that fails, restarts, power cuts, sinks that come and go. The
model keeps every reading as it was put. What it checks:

- A delivery is a reading that was put: its source and values, its (boot, serial), and one time
  for ever, at every sink, in every run. That of a reading taken before the time was known is the
  one that this run was told first, or a later run after a restart that kept the board's clock.
- Serial numbers rise strictly between two rewinds, of LiveFirst in each of its two lanes.
- In each run, once all is delivered, a sink has had each reading of its sources from its first
  place on exactly once: sent, set aside, dismissed or skipped. How many are missing is `dropped`,
  exactly; where pages were damaged or could not be read, `dropped` is the bound.
  `newest_only`: sent + superseded. `every`: one per period; no more are missing than `dropped`.
- A run begins for a sink at the place where the last one ended, or before it.
- A planned restart loses nothing, a power cut no more than the ring, or than the seconds between
  two syncs.
- put() never raises, waiting is right, and all comes to an end.
- No list grows with the number of readings.
"""

import asyncio
import logging
import sys
import unittest

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.append(_HERE + "/../fakes")

from ringlog.ramfolder import RamFolder  # noqa: E402
from virtual_clock import VirtualClock  # noqa: E402

from joulelog import clock  # noqa: E402
from joulelog.cursor import Cursor  # noqa: E402
from joulelog.live_first import LiveFirst  # noqa: E402
from joulelog.queue import Queue  # noqa: E402
from joulelog.reading import Source  # noqa: E402
from joulelog.spool_start import open_spool  # noqa: E402

START = 848000000
SLOTS = 16
HUGE = 1 << 300  # no page can hold it
NUMBER = ("number", "", 0, "total_increasing", "")
NOISE = ("noise", "W", 1, "measurement", "power")
NOTE = ("note", "", 0, "text", "")
SOURCES = (
    Source("p1", (NUMBER, NOISE, NOTE)),
    Source("water", (NUMBER,)),
    Source("heat", (NUMBER, NOISE)),
)
# name -> (kind, durable, sources, every, newest only)
SINKS = {
    "plain": (Cursor, True, None, 0, False),
    "live": (LiveFirst, True, None, 0, False),
    "water": (Cursor, True, ["water"], 0, False),
    "minute": (Cursor, True, None, 60, False),
    "ram": (Cursor, False, None, 0, False),
    "now": (Cursor, False, None, 0, True),
}


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
        self.last = [-1, -1]  # serial that came last, by lane
        self.seen = {}  # since the last rewind
        self.skipped = {}


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
        self.given = {}  # the same, where a damaged page may have made it another one
        self.told = {}  # boot -> UTC minus uptime that it was told first
        self.put_ms = {}  # (boot, serial) -> board time
        self.places = {}  # sink -> its place when the last run ended
        self.names = ["plain", "live", "water", "now"]
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
        if known:
            self.tell()
        self.queue = Queue(SLOTS, self.clock, self.boot)
        self.queue.aside = self.put_aside
        self.mirrors = {}
        for name in self.names:
            kind, durable, sources, every, newest_only = SINKS[name]
            cursor = self.queue.use(kind(self.queue, name, sources, None, every))
            cursor.durable = durable
            cursor.newest_only = newest_only
            self.mirrors[name] = Mirror(cursor, 0)
        about = self.capacity, 512, self.sync_s, restarted
        self.spool = open_spool(self.queue, self.flash, *about)
        self.following = self.queue.newest + 1
        firsts = [mirror.cursor.position for mirror in self.mirrors.values()]
        kept = self.count_kept(min(firsts))
        # An unreadable segment costs many numbers.
        begun = max(min(firsts), self.following - 4000)
        self.gaps = [s for s in range(begun, self.following) if s in self.at and s not in kept]
        for name, mirror in self.mirrors.items():
            mirror.first = mirror.cursor.position
            before = self.places.get(name)
            if SINKS[name][1] and before is not None:
                place, holes, done = before
                skipped = [s for s in range(place, mirror.first) if not holes.has(s)]
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
        if "@%x" % self.boot not in self.state:  # half a second, or the flash has failed
            self.told.pop(self.boot, None)
            for key in [key for key in self.times if key[0] == self.boot]:
                if self.truth[key][3] < 0:
                    del self.times[key]
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
                self.places[name] = mirror.cursor.position, mirror.cursor.stored.holes, done
        self.gaps_before = self.gaps
        for name in SINKS:
            if name not in self.mirrors:
                self.places.pop(name, None)

    def is_told(self, serial):
        """Whether the sinks that wanted this reading were told that it is lost."""
        for name, mirror in self.mirrors.items():
            cursor = mirror.cursor
            if not SINKS[name][1] or cursor.position > serial:
                continue
            if serial in mirror.done or serial in mirror.skipped:  # the fast lane had it
                continue
            if not cursor.stored.holes.has(serial):
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
            self.told[self.boot] = utc - self.virtual.ms // 1000

    def put(self):
        chance = self.chance
        source = SOURCES[chance.pick((0, 0, 0, 1, 2))]
        self.number += 1
        values = (self.number,)
        if len(source.channels) > 1:
            values += (chance.pick((None, 5, -chance.below(100000))),)
        if len(source.channels) > 2:
            values += (chance.pick((None, None, "note %d" % chance.below(3), "x" * 300)),)
        if not chance.below(400):
            values = (HUGE,) + values[1:]  # no page can hold it
        serial = self.queue.newest + 1
        key = (self.boot, serial)
        stamp = self.clock.stamp()
        self.truth[key] = (self.number, source, values, stamp)
        self.at[serial] = key
        self.put_ms[key] = self.now_ms()
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
            self.ensure(SINKS[name][4], "no time", name, key)
            return
        self.given[key] = time
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
        mirror.skipped.pop(serial, None)
        self.ensure(serial >= mirror.first, "before its place", name, serial)
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

    async def take_newest(self, name):
        """A sink without time: all that waits, the newest of each source."""
        mirror = self.mirrors[name]
        found = await mirror.cursor.newest()
        names = [item[2][1].name for item in found]
        self.ensure(len(names) == len(dict([(n, 1) for n in names])), "two of a source")
        for item in found:
            self.check_item(name, item)
            self.ensure(item[0] > mirror.last[0], "order", name, item[0])
            mirror.flight.append(item)
            mirror.last[0] = item[0]

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

    def check(self):
        for name, mirror in self.mirrors.items():
            cursor = mirror.cursor
            newest = self.queue.newest
            self.ensure(mirror.first <= cursor.position <= newest + 1, "position", name)
            self.ensure(cursor.in_flight == len(mirror.flight), "flight", name)
            expected = newest + 1 - cursor.position
            live = getattr(cursor, "_live", None)
            if live:
                expected = max(0, cursor.end - cursor.position) + newest + 1 - live.position
            self.ensure(cursor.waiting == expected >= 0, "waiting", name, cursor.waiting)
        self.ensure(self.spool.used <= self.capacity + 4096, "too large", self.spool.used)

    def check_memory(self):
        for name, mirror in self.mirrors.items():
            cursor = mirror.cursor
            for table in (cursor._period, cursor._period_ahead, cursor._superseded_to):
                self.ensure(len(table) <= len(SOURCES), "grows", name)
            self.ensure(len(cursor._columns) <= 16, "columns grow", name)
            if cursor.stored:
                self.ensure(len(cursor.stored.holes._ranges) <= 16, "holes grow", name)
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
        for name, mirror in self.mirrors.items():
            cursor = mirror.cursor
            newest_only = SINKS[name][4]
            for _ in range(2000):
                if newest_only:
                    await self.take_newest(name)
                else:
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
        _, durable, sources, every, newest_only = SINKS[name]
        cursor = mirror.cursor
        done = mirror.done
        wanted = []
        for serial in sorted(self.at):
            if not mirror.first <= serial <= self.queue.newest:
                continue
            source = self.truth[self.at[serial]][1]
            if sources is None or source.name in sources:
                wanted.append(serial)
        sent = len([serial for serial in done if done[serial] == "sent"])
        aside = len([serial for serial in done if done[serial] == "aside"])
        self.ensure(cursor.sent == sent, "sent", name, cursor.sent, sent)
        self.ensure(cursor.refused == aside, "refused", name, cursor.refused, aside)
        missing = [s for s in wanted if s not in done and s not in mirror.skipped]
        if newest_only:
            self.ensure(cursor.dropped == 0, "dropped", name)
            self.ensure(
                cursor.superseded == len(missing), "superseded", cursor.superseded, len(missing)
            )
        elif every:
            self.check_periods(name, mirror, wanted, every)
        else:
            about = (name, cursor.dropped, len(missing), missing[:20])
            self.ensure(cursor.dropped >= len(missing), "silently lost", *about)
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
            key = self.at[serial]
            source = self.truth[key][1].name
            period = self.given[key] // every if key in self.given else None
            if period is not None:
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
            if SINKS[name][4]:
                if not self.mirrors[name].flight:
                    await self.take_newest(name)
            else:
                racing = asyncio.create_task(self.race())
                await self.take(name, 1 + chance.below(chance.pick((3, 30))))
                await racing
        elif choice < 78:
            self.settle(name)
        elif choice < 84:
            self.rewind(name)
        elif choice < 90:
            await self.virtual.advance(chance.pick((500, 5000, 70000)))
        elif choice < 92:
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
            self.names = [name for name in SINKS if chance.below(3)]
            if not [name for name in self.names if SINKS[name][1]]:
                self.names.append("plain")  # without one that is durable the app opens no spool
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


_QUICK = sys.implementation.name == "cpython"


class TestModel(unittest.TestCase):
    def test_a_long_story(self):
        world = play(1, 1500 if _QUICK else 300)
        self.assertTrue(world.boot > 5, world.boot)
        self.assertTrue(world.delivered > 500, world.delivered)

    def test_many_short_ones(self):
        for seed in range(2, 30 if _QUICK else 8):
            play(seed, 150)

    def test_lost_on_its_way_is_not_delivered_as_well(self):
        play(633, 120)

    def test_damage(self):
        for seed in range(100, 120 if _QUICK else 104):
            play(seed, 100, True)
