"""What waits belongs to where it was going: marks of destinations, and places over restarts."""

import unittest

from ringlog.ringlog import Log
from test_spool import START, Board, numbers

from joulelog import registry
from joulelog.backlog import places
from joulelog.config import schema
from joulelog.flow.live_first import LiveFirst
from joulelog.flow.reading import Source

DEVICE = "house"


class Host:
    NAME = "HOST"
    UARTS = {}


INFLUX1 = {"type": "influxdb", "url": "http://influx.example", "database": "energy"}
INFLUX2 = {
    "type": "influxdb",
    "url": "https://influx.example/base",
    "org": "home",
    "bucket": "energy",
    "token": "secret-token",
}
EMONCMS = {"type": "emoncms", "url": "http://emon.example/emoncms", "key": "0123456789abcdef"}
MQTT = {"type": "mqtt", "host": "broker.example"}

# Each is (entry, changes that lead elsewhere, changes that do not).
MATRIX = (
    (
        INFLUX1,
        (
            {"url": "http://other.example"},
            {"url": "http://influx.example:8086"},
            {"url": "http://influx.example/base"},
            {"database": "test"},
            {"database": "Energy"},
            {"retention_policy": "year"},
            {"database": "", "bucket": "energy", "org": "home", "token": "x"},
        ),
        (
            {"url": "http://influx.example/"},
            {"url": "http://influx.example:80"},
            {"url": "http://influx.example:080//"},
            {"url": "http://INFLUX.Example."},
            {"url": "https://influx.example"},
            {"url": "https://influx.example:443/"},
            {"user": "logger", "password": "secret"},
            {"interval": 7, "batch": 1024, "rate": 3, "timeout": 99, "backfill": "live_first"},
            {"name": "energy", "sources": ["p1"], "channels": ["gas"], "every": 60},
            {"measurement": "meter", "tags": {"a": "b"}},
        ),
    ),
    (
        INFLUX2,
        (
            {"url": "https://influx.example/Base"},
            {"url": "https://influx.example:8086"},
            {"org": "work"},
            {"bucket": "test"},
            # Joined without care these two are the same.
            {"org": "homeenergy", "bucket": "x"},
        ),
        ({"token": "another"}, {"url": "http://influx.example/base/"}),
    ),
    (
        EMONCMS,
        (
            {"url": "http://emon.example"},
            {"url": "http://emon.example:8080/emoncms"},
            {"node": "house"},
        ),
        (
            {"key": "fedcba9876543210"},
            {"url": "https://emon.example/emoncms"},
            {"url": "http://Emon.Example:80/emoncms/"},
        ),
    ),
    (
        MQTT,
        (
            {"host": "other.example"},
            {"port": 1884},
            {"topic": "garage"},
            {"topic": "house/p"},
        ),
        (
            {"host": "BROKER.example."},
            {"port": 1883},
            {"tls": True},
            {"tls": True, "port": 8883},
            {"tls": True, "port": 1883},
            {"topic": DEVICE},
            {"user": "logger", "password": "secret", "client_id": "x", "keepalive": 5},
            {"retain": False, "in_flight": 1, "backfill": "in_order"},
        ),
    ),
)


def mark_of(entry, device=DEVICE):
    entry = dict(entry, verify=False)  # on the VM there has to be a file
    config = {"readers": [{"type": "health", "name": "p1"}], "sinks": [entry]}
    checked = schema.check(config, Host, registry)
    return places.mark(checked.sinks[0], device)


class TestMark(unittest.TestCase):
    def test_each_part_of_a_destination(self):
        seen = {}
        for entry, elsewhere, _ in MATRIX:
            for change in ({},) + elsewhere:
                changed = dict(entry)
                changed.update(change)
                mark = mark_of(changed)
                self.assertTrue(mark not in seen, (changed, seen.get(mark)))
                self.assertEqual((len(mark), mark.strip("0123456789abcdef")), (8, ""))
                seen[mark] = changed

    def test_what_is_no_part_of_it(self):
        for entry, _, same in MATRIX:
            for change in same:
                changed = dict(entry)
                changed.update(change)
                self.assertEqual(mark_of(changed), mark_of(entry), changed)

    def test_the_device(self):
        for entry, _, _ in MATRIX:
            self.assertTrue(mark_of(entry, "attic") != mark_of(entry))

    def test_the_same_on_every_board(self):
        """What one firmware has written another one finds."""
        self.assertEqual(
            [mark_of(entry) for entry, _, _ in MATRIX],
            ["3436436f", "5592a343", "556e6f5a", "8350ff3b"],
        )

    def test_every_sink_that_keeps_a_backlog_has_one(self):
        for name, _ in registry.SINKS:
            module = registry.module(registry.SINKS, name)
            self.assertEqual(hasattr(module, "DESTINATION"), name != "console")


class House(Board):
    """A board whose sinks go somewhere else from run to run."""

    def go(self, *sinks, **options):
        """The next run; sinks: (name, destination) or (name, destination, take_over)."""
        self.sinks = [one[0] for one in sinks]
        self.marks = {one[0]: (one[1], one[2] if len(one) > 2 else None) for one in sinks}
        self.start(**options)

    def told(self):
        return list(places.told(self.spool.former))

    def reopened(self):
        """The first serial number that a power cut leaves to the next run."""
        log = Log(self.flash, self.capacity, 8192, 512, Source)
        for _ in log.open():
            pass
        return log.last + 1

    def state(self):
        return {k: v for k, v in self.spool.log.state.items() if k[:1] not in "@$"}


class Case(unittest.TestCase):
    kind = None

    def play(self, story, **about):
        house = House(kind=self.kind, **about)
        house.play(story(house))
        return house

    async def run_of(self, house, first, last, *sinks, planned=True):
        """A run whose servers are away."""
        house.go(*sinks)
        await house.measure(first, last)
        house.stop(planned)


class TestElsewhere(Case):
    def test_nothing_of_it_goes_to_another_destination(self):
        async def story(house):
            await self.run_of(house, 0, 40, ("influx", "real"))
            house.go(("influx", "test"))
            self.assertEqual(house.cursor.waiting, 0)
            (text,) = house.told()
            for word in ("40 readings", '"influx"', "`take_over`"):
                self.assertIn(word, text)
            await house.measure(40, 60)
            self.assertEqual(house.cursor.waiting, 20)
            self.assertEqual(sorted(numbers(await house.take())), list(range(40, 60)))
            self.assertEqual(house.cursor.dropped, 0)
            house.stop()

        self.play(story)

    def test_put_back_it_goes_on_without_what_was_the_other_one_s(self):
        async def story(house):
            await self.run_of(house, 0, 40, ("influx", "real"))
            await self.run_of(house, 40, 70, ("influx", "test"))
            house.go(("influx", "real"))
            self.assertEqual((house.cursor.waiting, house.spool.waiting), (40, 40))
            self.assertEqual(house.cursor.oldest_time, None)
            await house.measure(70, 80)
            self.assertEqual(house.cursor.waiting, 50)
            self.assertEqual(house.cursor.oldest_time, START + 10)
            self.assertIn("30 readings", house.told()[0])
            wanted = list(range(40)) + list(range(70, 80))
            found = numbers(await house.take())
            self.assertEqual(sorted(found), wanted)
            self.assertEqual((house.cursor.waiting, house.cursor.dropped), (0, 0))
            house.stop()
            house.go(("influx", "test"))
            self.assertEqual(sorted(numbers(await house.take())), list(range(40, 70)))
            house.stop()
            house.go(("influx", "real"))
            self.assertEqual((house.told(), house.cursor.waiting), ([], 0))
            self.assertEqual(house.state(), {"influx#real": 78})
            house.stop()

        self.play(story)

    def test_to_and_fro_with_a_cut_at_each_time(self):
        async def story(house):
            wanted = {"real": [], "test": []}
            for turn in range(8):
                mark = ("real", "test")[turn % 2]
                first = turn * 30
                house.go(("influx", mark))
                await house.measure(first, first + 30)
                await house.virtual.advance(1000)
                begun = house.queue.first
                house.stop(planned=False)
                kept = house.reopened() - begun
                wanted[mark] += list(range(first, first + kept))
                self.assertTrue(kept >= 20, kept)
            for mark in ("test", "real"):
                house.go(("influx", mark))
                self.assertEqual(house.cursor.waiting, len(wanted[mark]))
                self.assertEqual(numbers(await house.take()), wanted[mark])
                house.stop()

        self.play(story)

    def test_half_delivered_when_it_went(self):
        async def story(house):
            house.go(("influx", "real"))
            await house.measure(0, 40)
            self.assertEqual(len(await house.take(most=25)), 25)
            house.stop()
            await self.run_of(house, 40, 50, ("influx", "test"))
            house.go(("influx", "real"))
            self.assertEqual(numbers(await house.take(most=5)), list(range(25, 30)))
            house.stop()
            await self.run_of(house, 50, 60, ("influx", "test"))
            house.go(("influx", "real"))
            self.assertEqual(numbers(await house.take()), list(range(30, 40)))
            house.stop()
            house.go(("influx", "test"))
            self.assertEqual(numbers(await house.take()), list(range(40, 60)))
            house.stop()

        self.play(story)

    def test_a_sink_that_is_gone_for_a_while(self):
        async def story(house):
            await self.run_of(house, 0, 20, ("influx", "x"), ("mqtt", "y"))
            house.go(("mqtt", "y"))
            self.assertIn('20 readings wait for where the sink "influx"', house.told()[0])
            await house.measure(20, 40)
            house.stop()
            house.go(("mqtt", "y"), ("influx", "x"))
            self.assertEqual(house.told(), [])
            self.assertEqual(numbers(await house.take(house.cursors[1])), list(range(20)))
            self.assertEqual(numbers(await house.take(house.cursors[0])), list(range(40)))
            house.stop()

        self.play(story)

    def test_two_of_a_kind_with_one_destination(self):
        async def story(house):
            house.go(("a", "same"), ("b", "same"))
            await house.measure(0, 30)
            self.assertEqual(len(await house.take(most=10)), 10)
            house.stop()
            house.go(("b", "same"), ("a", "same"))
            self.assertEqual(numbers(await house.take(house.cursors[1])), list(range(10, 30)))
            self.assertEqual(numbers(await house.take(house.cursors[0])), list(range(30)))
            house.stop()

        self.play(story)

    def test_names_with_odd_characters(self):
        for names in (("a-b", "7", "grün 10", "x" * 48), ("ü" * 48, "influx-1f", "é–中", "a=-")):
            self.check_names(names)

    def check_names(self, names):
        async def story(house):
            sinks = [(name, "0000000a") for name in names]
            await self.run_of(house, 0, 20, *sinks)
            await self.run_of(house, 20, 40, *[(name, "0000000b") for name in names])
            house.go(*sinks)
            for cursor in house.cursors:
                self.assertEqual(numbers(await house.take(cursor)), list(range(20)), cursor.name)
            self.assertEqual(len(house.told()), len(names))
            house.stop()

        self.play(story)

    def test_what_waits_is_told_once_per_name(self):
        async def story(house):
            await self.run_of(house, 0, 20, ("influx", "a"), ("mqtt", "m"))
            await self.run_of(house, 20, 30, ("influx", "b"), ("mqtt", "m"))
            house.go(("influx", "c"))
            self.assertEqual(
                [text[:40] for text in house.told()],
                [
                    '30 readings wait for where the sink "inf',
                    '30 readings wait for where the sink "mqt',
                ],
            )
            house.stop()

        self.play(story)


class TestElsewhereInTwoLanes(TestElsewhere):
    """The same where new readings pass a backlog; what the fast lane has had may come again."""

    kind = LiveFirst

    def test_two_of_a_kind_with_one_destination(self):
        self.skipTest("the first that it takes is the newest")

    def test_half_delivered_when_it_went(self):
        self.skipTest("the same")


class TestTakeOver(Case):
    def test_its_own(self):
        """An address that was mistyped."""

        async def story(house):
            await self.run_of(house, 0, 40, ("influx", "typo"))
            house.go(("influx", "real", "influx"))
            self.assertEqual((house.cursor.waiting, house.told()), (40, []))
            await house.measure(40, 45)
            self.assertEqual(numbers(await house.take()), list(range(45)))
            house.stop()
            house.go(("influx", "real"))  # the option has done what it was for
            self.assertEqual((house.cursor.waiting, house.told()), (0, []))
            house.stop()

        self.play(story)

    def test_behind_a_run_without_the_option(self):
        async def story(house):
            await self.run_of(house, 0, 40, ("influx", "typo"))
            await self.run_of(house, 40, 60, ("influx", "real"))
            house.go(("influx", "real", "influx"))
            self.assertEqual(numbers(await house.take()), list(range(60)))
            house.stop()
            house.go(("influx", "typo"))
            self.assertEqual((house.cursor.waiting, house.told()), (0, []))
            house.stop()

        self.play(story)

    def test_of_a_sink_by_another_name(self):
        async def story(house):
            await self.run_of(house, 0, 40, ("old", "real"), ("other", "x"))
            house.go(("new", "real", "old"), ("other", "x"))
            self.assertEqual(numbers(await house.take()), list(range(40)))
            self.assertEqual(house.cursors[1].waiting, 40)
            house.stop()

        self.play(story)

    def test_not_of_one_that_is_there(self):
        async def story(house):
            await self.run_of(house, 0, 40, ("old", "real"))
            house.go(("old", "real"), ("new", "x", "old"))
            self.assertEqual([cursor.waiting for cursor in house.cursors], [40, 0])
            house.stop()

        self.play(story)

    def test_what_it_has_had_itself_comes_once_more_at_most(self):
        async def story(house):
            await self.run_of(house, 0, 20, ("a", "x"))
            house.go(("a", "x"), ("b", "y"))
            await house.measure(20, 60)
            self.assertEqual(len(await house.take(house.cursors[1], most=10)), 10)
            house.stop()
            house.go(("b", "y", "a"))
            self.assertEqual(numbers(await house.take()), list(range(60)))
            house.stop()

        self.play(story)


class TestEarlierVersion(Case):
    def as_before(self, house):
        """The state with names alone."""
        state = house.spool.log.state
        for key in list(state):
            if "#" in key:
                state[key[: key.find("#")]] = state.pop(key)
        house.spool.log.save_state()

    def test_whoever_has_the_name_first_takes_it(self):
        async def story(house):
            await self.run_of(house, 0, 40, ("influx", "x"), ("mqtt", "y"))
            self.as_before(house)
            house.go(("influx", "new"), ("mqtt", "y"))
            self.assertEqual(house.state(), {"influx#new": 0, "mqtt#y": 0})
            await house.measure(40, 45)
            house.stop()
            house.go(("influx", "newer"), ("mqtt", "y"))
            self.assertEqual([cursor.waiting for cursor in house.cursors], [0, 45])
            house.stop()

        self.play(story)

    def test_a_name_that_comes_later(self):
        async def story(house):
            await self.run_of(house, 0, 40, ("influx", "x"), ("mqtt", "y"))
            self.as_before(house)
            house.go(("mqtt", "y"))
            self.assertIn('"influx"', house.told()[0])
            await house.measure(40, 45)
            house.stop()
            house.go(("influx", "new"))
            self.assertEqual(numbers(await house.take()), list(range(40)))
            house.stop()

        self.play(story)


class TestBounds(Case):
    def test_the_oldest_of_many_are_given_up(self):
        async def story(house):
            for turn in range(20):
                await self.run_of(house, turn * 10, turn * 10 + 10, ("influx", "m%d" % turn))
            house.go(("influx", "last"))
            self.assertEqual(len(house.state()), 9)
            self.assertEqual(dict(house.spool.counters())["given_up"], 10)
            self.assertIn("80 readings", house.told()[0])
            await house.virtual.advance(1000)
            self.assertTrue(house.spool.log.first <= 120)
            house.stop()
            house.go(("influx", "m12"))
            self.assertEqual(numbers(await house.take()), list(range(120, 130)))
            house.stop()

        self.play(story)

    def test_a_full_flash_counts_what_nobody_reads(self):
        async def story(house):
            await self.run_of(house, 0, 500, ("influx", "real"))
            house.go(("influx", "test"))
            begun = house.queue.first
            number = 500
            while not house.spool.segments_lost or house.spool.former:
                await house.measure(number, number + 100)
                number += 100
                lost = house.spool.log.first
                self.assertEqual(house.cursor.dropped, max(0, lost - begun))
                self.assertEqual(house.spool.given_up, min(lost, begun))
                if lost >= begun:
                    break
            self.assertEqual(house.told(), [])
            house.stop()
            house.go(("influx", "real"))
            self.assertEqual(house.cursor.waiting, 0)
            house.stop()

        self.play(story, capacity=16384)

    def test_what_waits_costs_no_reading_of_now(self):
        """A server that is there gets all, however full the flash is."""

        async def story(house):
            await self.run_of(house, 0, 1500, ("influx", "real"))
            house.go(("influx", "test"))
            for number in range(1500, 2000, 10):
                await house.measure(number, number + 10)
                self.assertEqual(len(await house.take()), 10)
            self.assertEqual(house.cursor.dropped, 0)
            house.stop()

        self.play(story, capacity=16384)

    def test_nothing_is_written_while_all_is_well(self):
        """What waits for a destination that is away wears no flash."""

        async def story(house):
            await self.run_of(house, 0, 100, ("influx", "real"))
            house.go(("influx", "test"))
            before = house.flash.appends
            for number in range(100, 150):
                await house.measure(number, number + 1)
                await house.take()
            self.assertEqual(house.flash.appends, before)
            house.stop()

        self.play(story)

    def test_a_flash_that_fails_at_the_start(self):
        """What could not be written down then is with the first page."""

        async def story(house):
            await self.run_of(house, 0, 40, ("influx", "real"))
            house.go(("influx", "test"))
            house.stop(planned=False)
            house.flash.files = {k: bytearray(v) for k, v in house.flash.files.items()}
            append = house.flash.append

            def failing(name, data):
                raise OSError(5)

            house.flash.append = failing
            house.go(("influx", "third"))
            house.flash.append = append
            await house.virtual.advance(20000)
            await house.measure(40, 80)
            house.stop()
            house.go(("influx", "real"))
            self.assertEqual(numbers(await house.take()), list(range(40)))
            house.stop()

        self.play(story)

    def test_times_of_runs_before_are_kept_for_it(self):
        """Readings without a UTC, of a destination that is away."""

        async def story(house):
            house.go(("influx", "real"), known=False)
            await house.measure(0, 30)
            house.clock.set(START + house.virtual.ms // 1000, "ntp")
            house.queue.wake()
            await house.virtual.advance(1000)
            house.stop()
            house.go(("influx", "test"))
            await house.measure(30, 40)
            await house.take()
            await house.virtual.advance(1000)
            house.stop()
            house.go(("influx", "real"))
            found = await house.take()
            self.assertEqual(numbers(found), list(range(30)))
            self.assertEqual(len([one for one in found if one[1] is None]), 0)
            house.stop()

        self.play(story)
