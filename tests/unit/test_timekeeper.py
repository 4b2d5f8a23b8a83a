"""The time servers, asked in turn, by a clock that moves only when told."""

import asyncio
import unittest

from civil import seconds
from virtual_clock import VirtualClock

from joulelog import clock, timekeeper
from joulelog.errors import NetError
from joulelog.net import ntp
from joulelog.timekeeper import Timekeeper

NOON = seconds(2026, 11, 20, 12)
HOUR = 3600000


class Network:
    def __init__(self):
        self.event = asyncio.Event()

    async def wait_up(self):
        await self.event.wait()


class Logger:
    def __init__(self):
        self.warnings = []
        self.infos = []

    def warning(self, text, *values):
        self.warnings.append(text % values)

    def info(self, text, *values):
        self.infos.append(text % values)


class TestTimekeeper(unittest.TestCase):
    def setUp(self):
        self.query = ntp.query
        self.drop = timekeeper.registry.drop
        ntp.query = self.answer
        self.virtual = VirtualClock()
        self.asked = []  # (hours, server)
        self.dead = []
        self.refusing = []
        self.told = lambda: NOON + self.virtual.ms // 1000

    def tearDown(self):
        ntp.query = self.query
        timekeeper.registry.drop = self.drop

    async def answer(self, server, timeout_ms):
        self.asked.append((self.virtual.ms // HOUR, server))
        if server in self.dead:
            await clock.sleep_ms(timeout_ms)
            raise NetError("time server %s: no answer within 5 s" % server)
        if server in self.refusing:
            error = NetError("time server %s: the server refuses: DENY" % server)
            error.refused = True
            raise error
        return self.told()

    def play(self, servers, story, spares=False):
        async def whole():
            self.clock = clock.Clock()
            self.network = Network()
            self.keeper = Timekeeper(self.clock, self.network, servers, spares)
            self.log = self.keeper._log = Logger()
            task = asyncio.create_task(self.keeper.run())
            await story()
            self.ended = task.done()
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        self.virtual.play(whole())

    def test_waits_for_the_link_then_every_six_hours(self):
        async def story():
            await self.virtual.advance(3 * HOUR)
            self.assertEqual((self.asked, self.clock.source), ([], ""))
            self.network.event.set()
            await self.virtual.advance(13 * HOUR)

        self.play(["a", "b"], story)
        self.assertEqual(self.asked, [(3, "a"), (9, "a"), (15, "a")])
        self.assertEqual((self.clock.source, self.keeper.syncs), ("ntp", 3))
        self.assertEqual(self.log.infos, ["2026-11-20T15:00:00Z by a"])

    def test_a_board_that_spares_ntp_asks_nobody_while_the_meter_tells_the_time(self):
        dropped = []
        timekeeper.registry.drop = lambda *paths: dropped.append(paths)

        async def story():
            self.network.event.set()
            await self.virtual.advance(12000)
            self.clock.set(NOON, "meter")
            await self.virtual.advance(24 * HOUR)
            self.assertEqual((self.asked, dropped), ([], []))
            self.clock.source = "board"
            await self.virtual.advance(HOUR)

        self.play(["a"], story, spares=True)
        self.assertEqual(self.asked, [(24, "a")])
        self.assertEqual(len(dropped), 1)
        self.assertIn("joulelog.net.ntp", dropped[0])

    def test_the_next_one_where_the_first_is_dead(self):
        self.dead = ["a"]

        async def story():
            self.network.event.set()
            await self.virtual.advance(13 * HOUR)

        self.play(["a", "b"], story)
        self.assertEqual([server for _, server in self.asked], ["a", "b"] * 3)
        self.assertEqual((self.keeper.syncs, self.keeper.failures), (3, 3))
        self.assertEqual(len(self.log.warnings), 1)

    def test_one_that_refuses_is_left_alone_for_a_day(self):
        self.refusing = ["a"]

        async def story():
            self.network.event.set()
            await self.virtual.advance(23 * HOUR)
            self.assertEqual([server for _, server in self.asked], ["a", "b", "b", "b", "b"])
            await self.virtual.advance(2 * HOUR)

        self.play(["a", "b"], story)
        self.assertEqual([server for _, server in self.asked][5:], ["a", "b"])
        self.assertEqual(len(self.log.warnings), 1)

    def test_all_refuse(self):
        self.refusing = ["a"]

        async def story():
            self.network.event.set()
            await self.virtual.advance(49 * HOUR)

        self.play(["a"], story)
        self.assertEqual(self.asked, [(0, "a"), (24, "a"), (48, "a")])

    def test_all_dead_for_a_day_then_back(self):
        self.dead = ["a", "b"]

        async def story():
            self.network.event.set()
            await self.virtual.advance(24 * HOUR)
            self.assertEqual((self.clock.now(), self.keeper.syncs), (None, 0))
            self.assertEqual(len(self.log.warnings), 2)
            self.dead = []
            await self.virtual.advance(70000)
            self.assertEqual(self.keeper.syncs, 1)
            self.dead = ["a", "b"]
            await self.virtual.advance(7 * HOUR)

        self.play(["a", "b"], story)
        self.assertEqual(len(self.log.warnings), 3)  # that b is dead was known: a answered
        self.assertTrue(self.keeper.failures > 2000)

    def test_better_than_the_meter(self):
        async def story():
            self.clock.set(NOON + 90, "meter")
            self.network.event.set()
            await self.virtual.advance(1000)

        self.play(["a"], story)
        self.assertEqual((self.clock.source, self.clock.steps), ("ntp", 1))

    def test_a_time_that_cannot_be(self):
        self.told = lambda: 1000

        async def story():
            self.network.event.set()
            await self.virtual.advance(1000)

        self.play(["a", "b"], story)
        self.assertEqual(([s for _, s in self.asked], self.clock.source), (["a", "b"], ""))

    def drift(self, hours, ppm):
        """What is measured after so many hours on a board whose clock is ppm fast."""
        self.told = lambda: NOON + self.virtual.ms * 1000000 // (1000000 + ppm) // 1000

        async def story():
            self.network.event.set()
            await self.virtual.advance(hours * HOUR)

        self.play(["a"], story)
        return self.clock.drift_ppm

    def test_drift(self):
        self.assertIsNone(self.drift(5, 20))  # one answer tells nothing
        for ppm in (0, 20, -20, 150, -150):
            found = self.drift(25, ppm)
            self.assertTrue(abs(found - ppm) <= 12, (found, ppm))
            found = self.drift(24 * 30, ppm)
            self.assertTrue(abs(found - ppm) <= 1, (found, ppm))

    def test_a_server_that_steps_is_no_drift(self):
        for step in (7200, -7200, 30 * 86400, -30 * 86400):
            start = self.virtual.ms

            def told():
                passed = self.virtual.ms - start  # noqa: B023
                return NOON + passed // 1000 + (step if passed > 20 * HOUR else 0)  # noqa: B023

            self.told = told

            async def story():
                self.network.event.set()
                await self.virtual.advance(21 * HOUR)
                self.assertEqual(self.clock.drift_ppm, 0)
                await self.virtual.advance(30 * HOUR)

            self.play(["a"], story)
            self.assertEqual((self.clock.drift_ppm, self.clock.steps), (0, 1))

    def test_who_is_told_of_the_asking(self):
        asking = []
        self.dead = ["a"]

        async def story():
            self.clock.asking = asking.append
            self.network.event.set()
            await self.virtual.advance(1000)
            self.assertEqual(asking, [True])
            await self.virtual.advance(10000)

        self.play(["a"], story)
        self.assertEqual(asking, [True, False])

    def test_no_servers(self):
        async def story():
            await self.virtual.advance(1000)

        self.play([], story)
        self.assertTrue(self.ended)
