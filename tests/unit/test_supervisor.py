"""The supervisor: one task fails, the others go on; by a clock that moves only when told."""

import asyncio
import logging
import time
import unittest

from virtual_clock import VirtualClock

from joulelog import clock, supervisor


class Logger:
    """Stands for the supervisor's logger."""

    def __init__(self):
        self.lines = []

    def error(self, text, *values):
        self.lines.append(text % values)


class Stand:
    def __init__(self):
        self.virtual = VirtualClock()
        self.supervisor = supervisor.Supervisor()
        self.log = self.supervisor._log = Logger()
        self.runs = []  # when the failing task was started

    def play(self, ms, *tasks):
        """Run the tasks for ms under the supervisor, then cancel it."""

        async def story():
            for name, run in tasks:
                self.supervisor.start(name, run)
            waiting = asyncio.create_task(self.supervisor.wait())
            await self.virtual.advance(ms)
            waiting.cancel()
            try:
                await waiting
            except asyncio.CancelledError:
                pass
            return [task.done() for task in self.supervisor._tasks]

        return self.virtual.play(story())

    async def fails(self):
        self.runs.append(clock.uptime_ms())
        raise ValueError("no good")


class TestRestart(unittest.TestCase):
    def test_backoff_and_one_line(self):
        stand = Stand()
        stand.play(300000, ("bad", stand.fails))
        gaps = [b - a for a, b in zip(stand.runs, stand.runs[1:])]
        self.assertEqual(gaps[:8], [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000])
        self.assertEqual(len(stand.log.lines), 1)
        self.assertTrue("bad failed" in stand.log.lines[0] and "no good" in stand.log.lines[0])
        self.assertEqual(stand.supervisor.restarts, len(stand.runs))

    def test_another_failure_is_another_line(self):
        stand = Stand()
        texts = ["a", "a", "b", "a"]

        async def fails():
            raise OSError(texts.pop(0) if texts else "a")

        stand.play(20000, ("bad", fails))
        self.assertEqual([line.split("OSError: ")[1][0] for line in stand.log.lines], list("aba"))

    def test_after_a_steady_time_all_begins_anew(self):
        stand = Stand()

        async def fails():
            stand.runs.append(clock.uptime_ms())
            if len(stand.runs) == 4:
                await clock.sleep_ms(400000)
            raise ValueError("no good")

        stand.play(420000, ("bad", fails))
        gaps = [b - a for a, b in zip(stand.runs, stand.runs[1:])]
        self.assertEqual(gaps[:5], [1000, 2000, 4000, 401000, 2000])
        self.assertEqual(len(stand.log.lines), 2)

    def test_no_memory_to_tell_of_it(self):
        stand = Stand()

        def error(text, *values):
            raise MemoryError()

        stand.log.error = error
        stand.play(9500, ("bad", stand.fails))
        self.assertEqual(len(stand.runs), 4)

    def test_no_memory_for_the_keeper_itself(self):
        stand = Stand()
        steps = []

        def step(name, us):  # behind each step of a task, where nothing catches what it raises
            steps.append(name)
            if len(steps) in (3, 8):
                raise MemoryError

        stand.supervisor.step = step  # type: ignore[assignment]
        lives = []

        async def lives_on():
            while True:
                lives.append(clock.uptime_ms())
                await clock.sleep_ms(10000)

        self.assertEqual(stand.play(120000, ("a", lives_on)), [True])  # cancelled at the end
        self.assertTrue(lives[-1] >= 100000, lives)
        self.assertEqual((stand.supervisor.restarts, stand.supervisor.short), (2, 2))

    def test_memory_errors_are_counted_while_they_come_soon(self):
        for last_ms, count in ((580000, 4), (800000, 1)):
            stand = Stand()
            pauses = [0, 200000, 590000, last_ms]

            async def fails(pauses=pauses):
                await clock.sleep_ms(pauses.pop(0) if pauses else 10000000)
                raise MemoryError

            stand.play(2500000, ("a", fails))
            self.assertEqual((stand.supervisor.short, stand.supervisor.starved), (count, "a"))

    def test_the_others_go_on(self):
        stand = Stand()
        ticks = []

        async def works():
            while True:
                ticks.append(clock.uptime_ms())
                await clock.sleep_ms(1000)

        stand.play(9500, ("bad", stand.fails), ("good", works))
        self.assertEqual(ticks, list(range(0, 10000, 1000)))
        self.assertEqual(len(stand.runs), 4)

    def test_one_that_returns_has_ended(self):
        stand = Stand()
        ends = []

        async def ends_at_once():
            ends.append(1)

        stand.play(100000, ("short", ends_at_once))
        self.assertEqual((ends, stand.supervisor.restarts, stand.log.lines), ([1], 0, []))


class TestCancel(unittest.TestCase):
    def test_every_task_closes_what_it_holds(self):
        stand = Stand()
        closed = []

        async def holds():
            try:
                await clock.sleep_ms(1000000)
            finally:
                closed.append(1)

        done = stand.play(5000, ("a", holds), ("b", holds), ("bad", stand.fails))
        self.assertEqual((closed, done), ([1, 1], [True, True, True]))
        self.assertEqual(stand.supervisor.restarts, 3)


class TestSteps(unittest.TestCase):
    def test_the_longest_has_a_name(self):
        stand = Stand()

        async def slow():
            await clock.sleep_ms(10)
            started = time.time()
            while time.time() - started < 0.06:  # real time: a step is what the CPU does
                pass
            await clock.sleep_ms(10)

        async def quick():
            while True:
                await clock.sleep_ms(10)

        stand.play(100, ("quick", quick), ("slow", slow))
        self.assertEqual(stand.supervisor.slowest, "slow")
        self.assertTrue(59 <= stand.supervisor.longest_step_ms < 1000)

    def test_the_longest_of_all(self):
        watch = supervisor.Supervisor()
        for name, us in (("a", 5999), ("b", 5100), ("c", 20000), ("d", 19999)):
            watch.step(name, us)
        self.assertEqual((watch.slowest, watch.longest_step_ms), ("c", 20))

    def test_the_logger_is_named(self):
        self.assertTrue(isinstance(supervisor.Supervisor()._log, logging.Logger))


class TestHeartbeat(unittest.TestCase):
    """Who makes no step is started again, and starves the watchdog meanwhile."""

    def setUp(self):
        self.stand = Stand()
        self.virtual = self.stand.virtual
        self.fed = []  # ms
        self.runs = []
        self.noted = []
        self.stand.supervisor.note = self.noted.append

    def feed(self):
        self.fed.append(self.virtual.ms)

    def play(self, ms, *tasks):
        """Start (name, run, silent_s, owes) under a watchdog; returns seconds without a feed."""

        async def story():
            for task in tasks:
                self.stand.supervisor.start(*task)
            waiting = asyncio.create_task(self.stand.supervisor.wait(self.feed))
            await self.virtual.advance(ms)
            waiting.cancel()
            try:
                await waiting
            except asyncio.CancelledError:
                pass

        self.virtual.play(story())
        fed = self.fed + [ms]
        gaps = [b - a for a, b in zip([0] + fed, fed)]
        return max(gaps) // 1000

    async def hangs(self):
        self.runs.append(clock.uptime_ms() // 1000)
        await clock.sleep_ms(5000)
        await asyncio.Event().wait()

    async def hangs_whatever_comes(self):
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if self.virtual.ms > 900000:  # the end of the test
                    raise

    async def works(self):
        while True:
            await clock.sleep_ms(30000)

    def test_all_is_well(self):
        self.assertTrue(self.play(3600000, ("a", self.works, 60), ("b", self.works, 60)) <= 1)
        self.assertEqual((self.stand.log.lines, self.stand.supervisor.restarts), ([], 0))

    def test_one_that_hangs_is_started_again(self):
        longest = self.play(600000, ("a", self.hangs, 100), ("b", self.works, 60))
        self.assertTrue(104 <= self.runs[1] <= 108, self.runs)
        self.assertTrue(len(self.runs) >= 5)
        self.assertTrue(longest <= 3, longest)  # far from the 60 s of the watchdog
        self.assertTrue("a failed: Hung: no step in 100 s" in self.stand.log.lines[0])
        self.assertEqual(self.noted, ["a: Hung: no step in 100 s"])
        self.assertEqual(self.stand.supervisor.stuck, "")

    def test_one_that_cannot_be_helped_starves_the_watchdog(self):
        self.play(900001, ("a", self.hangs_whatever_comes, 100), ("b", self.works, 60))
        self.assertTrue(98 <= self.fed[-1] // 1000 <= 101, self.fed[-1])
        self.assertEqual(self.stand.supervisor.stuck, "a")
        self.assertEqual(self.stand.supervisor.restarts, 0)

    def test_silence_that_is_no_fault(self):
        owes = [False]

        async def waits():
            self.runs.append(clock.uptime_ms() // 1000)
            await asyncio.Event().wait()

        async def story():
            self.stand.supervisor.start("sink", waits, 100, lambda: owes[0])
            waiting = asyncio.create_task(self.stand.supervisor.wait(self.feed))
            await self.virtual.advance(86400000)
            self.assertEqual(len(self.runs), 1)
            owes[0] = True
            await self.virtual.advance(99000)
            self.assertEqual(len(self.runs), 1)
            await self.virtual.advance(5000)
            waiting.cancel()
            try:
                await waiting
            except asyncio.CancelledError:
                pass

        self.virtual.play(story())
        self.assertEqual(len(self.runs), 2)

    def test_one_without_a_limit_may_be_silent(self):
        self.assertTrue(self.play(86400000, ("time", self.hangs)) <= 1)
        self.assertEqual(len(self.runs), 1)

    def test_one_that_has_ended_owes_nothing(self):
        async def ends():
            await clock.sleep_ms(10)

        self.assertTrue(self.play(3600000, ("replay", ends, 60)) <= 1)
        self.assertEqual((self.stand.log.lines, self.stand.supervisor.restarts), ([], 0))

    def test_one_that_fails_again_and_again_moves(self):
        self.assertTrue(self.play(3600000, ("bad", self.stand.fails, 100)) <= 1)

    def test_the_steps_of_a_child_count(self):
        async def sink():
            child = self.stand.supervisor.child("sink", self.works())
            try:
                await asyncio.Event().wait()
            finally:
                child.cancel()

        self.assertTrue(self.play(3600000, ("sink", sink, 100)) <= 1)
        self.assertEqual(self.stand.supervisor.restarts, 0)
