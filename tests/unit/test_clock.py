"""The one clock: uptime, stamps, steps, and the years in which integers outgrow something."""

import asyncio
import time
import unittest

import micropython
from civil import seconds
from posixtz import Zone
from virtual_clock import VirtualClock

from joulelog import clock

NOON = seconds(2026, 11, 20, 12)


class TestClock(unittest.TestCase):
    def setUp(self):
        self.virtual = VirtualClock(5000)
        self.virtual.install()
        self.clock = clock.Clock()

    def tearDown(self):
        self.virtual.restore()

    def test_unknown(self):
        self.assertEqual((self.clock.now(), self.clock.source), (None, ""))
        self.assertTrue(self.clock.stamp() < 0)
        self.assertTrue(self.clock.resolve(self.clock.stamp()) is None)

    def test_set_and_told(self):
        self.assertTrue(self.clock.set(NOON, "ntp"))
        self.virtual.ms += 90500
        self.assertEqual((self.clock.now(), self.clock.stamp()), (NOON + 90, NOON + 90))
        self.assertEqual((self.clock.source, self.clock.steps), ("ntp", 0))
        self.assertEqual(clock.iso(self.clock.now()), "2026-11-20T12:01:30Z")

    def test_stamps_of_the_unknown_time_are_resolved_later(self):
        stamps = []
        for _ in range(5):
            stamps.append(self.clock.stamp())
            self.virtual.ms += 86400000
        self.clock.set(NOON, "meter")  # 5 days after the first one
        days = [(NOON - self.clock.resolve(stamp)) // 86400 for stamp in stamps]
        self.assertEqual(days, [5, 4, 3, 2, 1])
        self.assertEqual(self.clock.resolve(NOON), NOON)

    def test_ten_years_without_a_time(self):
        self.virtual.ms = 10 * 366 * 86400 * 1000
        stamp = self.clock.stamp()
        self.assertTrue(stamp < 0)
        self.clock.set(NOON, "ntp")
        self.assertEqual(self.clock.resolve(stamp), NOON)

    def test_what_is_not_plausible(self):
        for wrong in (0, 1, -1, seconds(2023, 12, 31, 23, 59, 59)):
            self.assertFalse(self.clock.set(wrong, "meter"))
        self.assertEqual((self.clock.now(), self.clock.source), (None, ""))
        self.assertTrue(self.clock.set(seconds(2024, 1, 1), "meter"))

    def test_not_20_years_behind_the_build_nor_before_it(self):
        latest = seconds(2043, 12, 27)
        self.assertTrue(clock.plausible(latest))
        for wrong in (latest + 7 * 86400, seconds(2100, 1, 1)):
            for source in ("meter", "ntp", "computer"):
                self.assertFalse(self.clock.set(wrong, source))
        clock.set_built("2026-11-29T10:00:00Z")
        try:
            self.assertFalse(clock.plausible(seconds(2026, 11, 28, 23, 59, 59)))
            self.assertTrue(clock.plausible(seconds(2026, 11, 29)))
            self.assertTrue(clock.plausible(seconds(2046, 11, 1)))
            self.assertFalse(clock.plausible(seconds(2047, 1, 1)))
        finally:
            clock.set_built("source")

    def test_jitter_of_a_second_moves_nothing(self):
        self.clock.set(NOON, "meter")
        told = []
        for number in range(1, 100):
            self.virtual.ms += 1000
            self.clock.set(NOON + number + (-1, 0, 1)[number % 3], "meter")
            told.append(self.clock.now())
        self.assertEqual(told, list(range(NOON + 1, NOON + 100)))
        self.assertEqual(self.clock.steps, 0)

    def test_a_step_is_taken_and_counted(self):
        self.clock.set(NOON, "meter")
        self.clock.set(NOON + 2, "meter")
        self.assertEqual((self.clock.now(), self.clock.steps), (NOON + 2, 1))
        self.clock.set(NOON - 3600, "ntp")
        self.assertEqual((self.clock.now(), self.clock.steps), (NOON - 3600, 2))

    def test_the_source_is_the_last_one(self):
        self.clock.set(NOON, "board")
        self.clock.set(NOON + 1, "ntp")  # agrees to the second
        self.assertEqual((self.clock.source, self.clock.now()), ("ntp", NOON))

    def test_a_drifting_board(self):
        self.clock.set(NOON, "ntp")
        for number in range(1, 31):  # a chip that is 3 s per day too fast
            self.virtual.ms += 86403000
            self.clock.set(NOON + number * 86400, "ntp")
            self.assertEqual(self.clock.now(), NOON + number * 86400)
        self.assertEqual(self.clock.steps, 30)

    def test_for_people(self):
        self.assertEqual(self.clock.text(NOON), "2026-11-20T12:00:00Z")
        self.clock.zone = Zone("CET-1CEST,M3.5.0,M10.5.0/3")
        self.assertEqual(self.clock.text(NOON), "2026-11-20 13:00:00 CET")
        summer = seconds(2026, 7, 1, 23, 30)
        self.assertEqual(self.clock.text(summer), "2026-07-02 01:30:00 CEST")
        # The hour that comes twice keeps its two names.
        twice = [self.clock.text(seconds(2026, 10, 25, hour, 30)) for hour in (0, 1)]
        self.assertEqual(twice, ["2026-10-25 02:30:00 CEST", "2026-10-25 02:30:00 CET"])

    def test_years_that_outgrow_integers(self):
        for year, month, day in ((2034, 1, 9), (2036, 2, 7), (2038, 1, 19), (2068, 1, 20)):
            clock.set_built("%d-11-29T10:00:00Z" % (year - 9))
            start = seconds(year, month, day)
            fresh = clock.Clock()
            fresh.set(start, "meter")
            clock.set_built("source")
            last = start
            for _ in range(30):
                self.virtual.ms += 3600000
                self.assertEqual(fresh.now(), last + 3600)
                last = fresh.now()
            self.assertEqual(fresh.resolve(fresh.stamp()), start + 30 * 3600)
            self.assertEqual(clock.iso(last)[:10], "%04d-%02d-%02d" % (year, month, day + 1))
            self.assertTrue(last + clock.UNIX_2000 > 2**30)


class TestReal(unittest.TestCase):
    """On the clock that runs."""

    def tearDown(self):
        clock.set_speed(1)

    def test_uptime_only_grows(self):
        last = clock.uptime_ms()
        for _ in range(2000):
            now = clock.uptime_ms()
            self.assertTrue(now >= last)
            last = now

    def test_speed(self):
        async def pause():
            await clock.sleep_ms(3000)

        clock.set_speed(50)
        before = clock.uptime_ms()
        started = time.time()
        asyncio.run(pause())
        took = time.time() - started
        self.assertTrue(took < 2, "3000 ms at SPEED=50 took %d s" % took)
        self.assertTrue(2950 <= clock.uptime_ms() - before)

    @unittest.skipUnless(hasattr(micropython, "heap_lock"), "only MicroPython has a heap to lock")
    def test_a_pause_takes_no_memory(self):
        """Who has failed for want of some waits before he tries again."""
        ended = []

        async def pause():
            micropython.heap_lock()
            try:
                await clock.sleep_ms(1)
                ended.append(1)  # no more than it has room for
            finally:
                micropython.heap_unlock()

        asyncio.run(pause())
        self.assertEqual(ended, [1])

    def test_speed_changes_no_uptime_of_before(self):
        before = clock.uptime_ms()
        clock.set_speed(1000)
        self.assertTrue(clock.uptime_ms() - before < 900)

    def test_time_out(self):
        async def never():
            await asyncio.Event().wait()

        async def at_once():
            return 7

        async def story():
            self.assertEqual(await clock.wait_for_ms(at_once(), 1000), 7)
            try:
                await clock.wait_for_ms(never(), 20)
            except asyncio.TimeoutError:
                return "timeout"

        self.assertEqual(asyncio.run(story()), "timeout")

    def test_the_computers_time(self):
        told = clock.board_time()
        self.assertTrue(told is None or told >= clock.PLAUSIBLE)
        if told is not None:
            unix = time.time() if time.gmtime(0)[0] == 1970 else time.time() + clock.UNIX_2000
            self.assertTrue(abs(told + clock.UNIX_2000 - unix) < 3)


class TestWrap(unittest.TestCase):
    def test_ticks_that_wrap(self):
        ticks = [0]
        period = 1 << 30
        originals = (clock.ticks_ms, clock.ticks_diff, clock._last, clock._total_ms)
        clock.ticks_ms = lambda: ticks[0] % period
        clock.ticks_diff = lambda a, b: (a - b + period // 2) % period - period // 2
        clock._last = 0
        try:
            start = clock.uptime_ms()
            for _ in range(100):
                ticks[0] += 86400000
                clock.uptime_ms()
            self.assertEqual(clock.uptime_ms() - start, 100 * 86400000)
        finally:
            clock.ticks_ms, clock.ticks_diff, clock._last, clock._total_ms = originals
