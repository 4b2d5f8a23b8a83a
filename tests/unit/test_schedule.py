"""What readers share: due times and misses, and which counters are believed."""

import asyncio
import unittest

from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.flow.counters import Counters
from joulelog.readers.schedule import Schedule

CHANNELS = (
    ("power", "W", 0, "measurement", "power"),
    ("energy", "kWh", 1, "total_increasing", "energy"),
)


class Said:
    def __init__(self):
        self.lines = []

    def warning(self, text, *values):
        self.lines.append(text % values)


class TestSchedule(unittest.TestCase):
    def test_multiples_of_the_interval_whatever_an_answer_takes(self):
        virtual = VirtualClock(7300)
        asked = []

        async def poll(takes):
            schedule = Schedule(10, 3)
            passed = []
            for ms in takes:
                asked.append(virtual.ms)
                await clock.sleep_ms(ms)
                passed.append(await schedule.wait())
            return passed

        async def story():
            task = asyncio.create_task(poll((100, 9000, 10500, 25000, 100)))
            while not task.done():
                await virtual.advance(500)
            return await task

        passed = virtual.play(story())
        self.assertEqual(asked, [7300, 10000, 20000, 40000, 70000])
        self.assertEqual(passed, [0, 0, 1, 2, 0])

    def test_silence_is_told_once_and_its_end(self):
        schedule = Schedule(10, 3)
        self.assertTrue(schedule.new)
        self.assertFalse(schedule.heard())
        self.assertFalse(schedule.new)
        self.assertEqual([schedule.missed() for _ in range(5)], [False, False, True, False, False])
        self.assertTrue(schedule.new)
        self.assertTrue(schedule.heard())
        self.assertFalse(schedule.heard())
        schedule.missed()
        self.assertFalse(schedule.heard())  # fewer misses are no silence
        self.assertFalse(schedule.new)


class TestCounters(unittest.TestCase):
    def setUp(self):
        self.virtual = VirtualClock(0)
        self.said = Said()

    def judged(self, most, *energies):
        """What is believed of readings 10 s apart, and the number of events."""
        counters = Counters(CHANNELS, most)
        believed = []

        async def story():
            events = 0
            for energy in energies:
                values = [-7, energy]
                events += counters.judge(values, self.said)
                self.assertEqual(values[0], -7)
                believed.append(values[1])
                await self.virtual.advance(10000)
            return events

        return believed, self.virtual.play(story())

    def test_a_fall_is_believed_when_three_agree(self):
        self.assertEqual(self.judged(0, 500, 3, 4, 4, 5), ([500, None, None, 4, 5], 1))
        self.assertEqual(
            self.said.lines,
            [
                "energy fell from 50.0 to 0.3 kWh: not believed before 3 answers agree",
                "energy: believed from now on",
            ],
        )

    def test_a_leap_that_does_not_last(self):
        self.assertEqual(self.judged(10, 500, 9500, 501), ([500, None, 501], 1))
        self.assertEqual(self.judged(0, 500, 9500, 501), ([500, 9500, None], 1))

    def test_nothing_is_made_of_nothing(self):
        self.assertEqual(self.judged(10, 500, None, 501), ([500, None, 501], 0))

    def test_two_answers_behind_each_other(self):
        counters = Counters(CHANNELS, 10)
        self.assertTrue(counters.agree([5, 500], [9000, 501]))
        self.assertTrue(counters.agree([5, None], [5, 501]))
        self.assertFalse(counters.agree([5, 501], [5, 500]))
        self.assertFalse(counters.agree([5, 500], [5, 9000]))

    def test_another_device_with_other_channels(self):
        counters = Counters(CHANNELS, 10)

        async def story():
            counters.judge([5, 500], self.said)
            for channels, value in (
                ((CHANNELS[1],), 3),
                ((("water", "m³", 3, "total_increasing", ""),), 1),
                ((), None),
                (CHANNELS, 400),
            ):
                counters.adopt(channels)
                values = [None, value][-len(channels) or 2 :]
                self.assertEqual(counters.judge(values, self.said), 0)
                self.assertEqual(values[-1:], [value] if channels else [])

        self.virtual.play(story())


if __name__ == "__main__":
    unittest.main()
