"""The supervisor: one task fails, the others go on; by a clock that moves only when told."""

import asyncio
import logging
import sys
import time
import unittest

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.append(_HERE + "/../fakes")

from virtual_clock import VirtualClock  # noqa: E402

from joulelog import clock, supervisor  # noqa: E402


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
