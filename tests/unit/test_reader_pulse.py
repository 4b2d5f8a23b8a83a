"""The pulse reader on a fake ADC, a fake pin and a fake counter, by a clock that tests move."""

import asyncio
import unittest

import machine
import pulse as pulse_lib
from civil import seconds
from virtual_clock import VirtualClock
from wire import Said

from joulelog import clock
from joulelog.readers import pulse, sampler

NOON = seconds(2026, 11, 20, 12)
ENTRY = {
    "name": "pulse",
    "input": "adc",
    "pin": 34,
    "pulses_per_kwh": 1000,
    "pulses_per_m3": None,
    "pulses_per_litre": None,
    "medium": None,
    "window": 20,
    "timeout": 300,
    "pulse_ms": 10,
    "gap_ms": 0,
    "longest_ms": 0,
    "active": None,
    "pull": None,
    "sampling": "task",
    "calibrate": False,
    "interval": 0,
}


class Board:
    NAME = "ESP32_GENERIC"
    CHIP = "esp32"
    INPUT_ONLY = (34,)


class Small:
    NAME = "ESP8266_GENERIC"
    CHIP = "esp8266"


class Store:
    def __init__(self, **values):
        self.values = values
        self.full = False

    def get(self, key, default=None):
        return self.values.get(key, default)

    def set(self, key, value):
        if self.full:
            raise ValueError("store: no room")
        self.values[key] = value


class App:
    def __init__(self):
        self.clock = clock.Clock()


class Stand:
    """A reader, what it published, and a clock; seconds of pulses are given as uptime in ms."""

    def __init__(self, store=None, **changes):
        entry = dict(ENTRY)
        entry.update(changes)
        self.store = store or Store()
        self.virtual = VirtualClock()
        self.app = App()
        self.readings = []  # (time, {key: value})
        self.reader = pulse.Reader("pulse", entry, self, self.app.clock, Board, self.store)
        self.error = None

    def count(self, name):
        """What the reader counts by this name."""
        return dict(self.reader.counters())[name]

    def say(self, state):
        self.state = state

    def publish(self, time, channels, values):
        found = {}
        for channel, value in zip(channels, values):
            found[channel[0]] = value
        self.readings.append((time, found))

    def run(self, story, utc=NOON):
        """Run the reader beside the story."""
        ticks = clock.ticks_ms
        clock.ticks_ms = lambda: self.virtual.ms

        async def whole():
            if utc is not None:
                self.app.clock.set(utc, "computer")
            task = asyncio.create_task(self.reader.run())
            await self.virtual.settle()
            await story(self)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            except OSError as error:
                self.error = error

        try:
            self.virtual.play(whole())
        finally:
            clock.ticks_ms = ticks

    def pulses(self):
        return [values["pulses"] for _, values in self.readings]


async def contact(stand, ms, width=30):
    """A pulse of a contact at an uptime."""
    await stand.virtual.advance(ms - stand.virtual.ms)
    for level in (0, 1):
        machine.Pin.levels[27] = level
        machine.Pin.handlers[27][0](machine.Pin(27))
        if level == 0:
            await stand.virtual.advance(width)


def stall(virtual, ms):
    """Everything stands still for so long."""
    virtual.ms += ms
    for sleeper in virtual._sleepers:
        sleeper[0] = max(sleeper[0], virtual.ms)


class TestWindows(unittest.TestCase):
    def setUp(self):
        machine.Pin.levels[27] = 1
        self.stand = Stand(input="pin", pin=27)

    def test_each_pulse_in_its_window(self):
        async def story(stand):
            for ms in (1000, 5000, 19990, 20005, 39000, 61000):
                await contact(stand, ms, 12)
            await stand.virtual.advance(20000)

        self.stand.run(story)
        times = [time - NOON for time, _ in self.stand.readings]
        self.assertEqual(times, [20, 40, 60, 80])
        self.assertEqual(self.stand.pulses(), [3, 2, 0, 1])
        self.assertEqual(self.stand.readings[-1][1]["pulses_total"], 6)
        self.assertEqual(self.stand.readings[-1][1]["energy_import"], 6)
        self.assertEqual(self.stand.readings[0][1]["power_import"], 2 * 3600000 // 18990)
        self.assertEqual(self.stand.store.values, {"pulse.pulse": 6})

    def test_windows_are_those_of_the_clock(self):
        async def story(stand):
            await contact(stand, 5000)
            await stand.virtual.advance(30000)

        self.stand.run(story, NOON + 13)
        times = [time - NOON for time, _ in self.stand.readings]
        self.assertEqual(times, [20, 40])
        self.assertEqual(self.stand.pulses(), [1, 0])

    def test_a_clock_that_is_set_loses_nothing_and_shares_nothing(self):
        async def story(stand):
            await contact(stand, 5000)
            await contact(stand, 25000)
            stand.app.clock.set(NOON, "ntp")  # known at last
            await contact(stand, 30000)
            await contact(stand, 50000)
            stand.app.clock.set(NOON + 15, "ntp")  # ten seconds back
            await contact(stand, 55000)
            stand.app.clock.set(NOON + 86400, "ntp")  # a day ahead
            await contact(stand, 60000)
            await stand.virtual.advance(40000)

        self.stand.run(story, None)
        self.assertEqual(sum(self.stand.pulses()), 6)
        times = [time for time, _ in self.stand.readings]
        self.assertEqual(sorted(times), times)
        self.assertEqual(len(set(times)), len(times))
        self.assertTrue(times[0] < 0)

    def test_nobody_came_round_for_a_while(self):
        async def story(stand):
            await contact(stand, 5000)
            virtual = stand.virtual
            stall(virtual, 62000)
            await virtual.advance(1000)
            stall(virtual, 3600000)
            await virtual.advance(1000)

        self.stand.run(story)
        times = [time - NOON for time, _ in self.stand.readings]
        self.assertEqual(times, [20, 40, 60, 3660])
        self.assertEqual(self.stand.pulses(), [1, 0, 0, 0])

    def test_the_total_goes_on(self):
        stand = Stand(Store(**{"pulse.pulse": 45678122}), input="pin", pin=27)

        async def story(stand):
            await contact(stand, 1000)
            await stand.virtual.advance(30000)

        stand.run(story)
        self.assertEqual(stand.readings[0][1]["energy_import"], 45678123)
        self.assertEqual(stand.store.values["pulse.pulse"], 45678123)

    def test_a_store_without_room(self):
        self.stand.store.full = True

        async def story(stand):
            await contact(stand, 1000)
            await stand.virtual.advance(30000)

        self.stand.run(story)
        self.assertEqual(self.stand.pulses(), [1])

    def test_a_restarted_reader_goes_on(self):
        async def story(stand):
            await contact(stand, stand.virtual.ms + 1000)
            await stand.virtual.advance(500)

        self.stand.run(story)
        self.assertEqual(machine.Pin.handlers[27][0], None)
        self.stand.run(story)
        self.assertEqual(self.stand.reader.total, 2)


class TestLight(unittest.TestCase):
    def tearDown(self):
        machine.ADC.levels.pop(34, None)

    def thirty(self, pulse, rest):
        """A story: 2 s, then thirty pulses of 20 ms, one a second; both are levels of the ADC."""

        async def story(stand):
            await stand.virtual.advance(2000)
            for _ in range(30):
                machine.ADC.levels[34] = pulse
                await stand.virtual.advance(20)
                machine.ADC.levels[34] = rest
                await stand.virtual.advance(980)

        return story

    def test_flashes(self):
        stand = Stand(calibrate=True)
        machine.ADC.levels[34] = 13000

        stand.run(self.thirty(26000, 13000))
        self.assertEqual(stand.reader.total, 30)
        self.assertEqual(stand.pulses(), [18])  # from 2.0 to 19.0 s
        values = stand.readings[0][1]
        self.assertEqual((values["power_import"], values["light"]), (3600, 198))
        self.assertEqual((values["contrast"], values["noise"]), (198, 0))
        self.assertEqual((stand.reader._output.state, stand.count("blind_ms")), ("ok", 0))

    def test_flashes_that_are_dark(self):
        for active, counted in (("low", 30), (None, 0), ("high", 0)):
            stand = Stand(active=active)
            stand.reader._log = log = Said()
            machine.ADC.levels[34] = 26000

            stand.run(self.thirty(13000, 26000))
            self.assertEqual(stand.reader.total, counted)
            if counted:
                self.assertEqual((stand.state, log.lines), ("ok", []))
            else:
                said = "inverted: the light goes the other way in a pulse; try the other `active`"
                self.assertEqual((stand.state, log.lines), ("inverted", [said]))

    def test_it_says_how_long_it_was_blind(self):
        stand = Stand()
        machine.ADC.levels[34] = 13000

        async def story(stand):
            await stand.virtual.advance(3000)
            stall(stand.virtual, 250)  # a look-up that blocks
            await stand.virtual.advance(1000)

        stand.run(story)
        self.assertTrue(245 <= stand.count("blind_ms") <= 252, stand.count("blind_ms"))

    def test_a_pin_that_cannot_measure(self):
        real = machine.ADC

        class Deaf:
            def __init__(self, pin):
                raise ValueError("Pin(27) doesn't have ADC capabilities")

        stand = Stand()
        machine.ADC = Deaf

        async def story(stand):
            await stand.virtual.advance(10)

        try:
            stand.run(story)
        finally:
            machine.ADC = real
        self.assertTrue("`pin` 34 cannot measure" in str(stand.error))
        self.assertEqual(stand.reader._output.state, "no device")


class TestSampler(unittest.TestCase):
    """The timer's side: called by hand, at times of our own."""

    def setUp(self):
        self.ticks = clock.ticks_ms
        self.now = 5000
        clock.ticks_ms = lambda: self.now
        self.block = [0] * 64

    def tearDown(self):
        clock.ticks_ms = self.ticks

    def sampler(self, slots=32):
        made = sampler.Sampler(machine.ADC(35), 2, slots)
        made.start(False)
        return made

    def at(self, made, *times):
        for time in times:
            self.now = 5000 + time
            made.tick()
        return self.block[: made.take(self.block)]

    def test_an_even_pace(self):
        self.assertEqual(self.at(self.sampler(), 2, 4, 6, 7, 10), [0] * 5)

    def test_a_gap_and_the_calls_that_it_held_back(self):
        made = self.sampler()
        self.assertEqual(self.at(made, 2, 4, 54, 54, 54, 56, 58), [0, 0, -48, 0, 0, 0])
        self.assertEqual(made.blind_ms, 48)

    def test_nobody_takes_the_samples(self):
        made = self.sampler(8)
        self.at(made, 2)
        for time in range(4, 40, 2):
            self.now = 5000 + time
            made.tick()
        self.assertEqual(made.take(self.block), 7)
        self.assertEqual(made.blind_ms, 2 * (18 - 7))

    def test_a_recording_has_no_gaps(self):
        """It waits for its listener, however late that one comes."""

        class Recording:
            us = 0

            def seek_us(self, us):
                self.us = us

            def read_u16(self):
                return self.us // 1000 & 0xFF

        uptime = clock.uptime_ms
        clock.uptime_ms = lambda: self.now
        try:
            made = sampler.Sampler(Recording(), 2, 8)
            made.start(True)
            self.assertFalse(made.needs_ticks)
            self.now += 100
            self.assertEqual(made.take(self.block), 50)
            self.assertEqual(self.block[1] - self.block[0], 4)  # two readings, 2 ms on
            self.assertEqual(made.blind_ms, 0)
        finally:
            clock.uptime_ms = uptime

    def test_timers_are_shared_out(self):
        class Timer:
            PERIODIC = 1
            made: list = []

            def __init__(self, number):
                if number > 2:
                    raise ValueError("invalid Timer number")
                Timer.made.append(number)

            def init(self, period, mode, callback):
                self.callback = callback

            def deinit(self):
                pass

        machine.Timer = Timer
        try:
            four = [sampler.Sampler(machine.ADC(35), 2, 8) for _ in range(4)]
            for one in four:
                one.start(True)
            self.assertEqual([one.needs_ticks for one in four], [False, False, False, True])
            four[0].stop()
            again = sampler.Sampler(machine.ADC(35), 2, 8)
            again.start(True)
            self.assertEqual(Timer.made, [0, 1, 2, 0])
            self.now += 2
            again._timer.callback(again._timer)
            self.assertEqual(again.take(self.block), 1)
            for one in (four[1], four[2], again):
                one.stop()
        finally:
            del machine.Timer

    def test_an_adc_that_refuses(self):
        made = self.sampler()

        def fails():
            raise OSError("busy")

        made._read = fails
        self.assertEqual(self.at(made, 2, 4), [])
        self.assertEqual(made.errors, 2)


class TestCounter(unittest.TestCase):
    def test_counters_of_the_detector_are_the_readers(self):
        for changes in ({}, {"input": "pin"}, {"input": "counter"}):
            told = Stand(**changes).reader.counters()
            self.assertEqual(tuple([name for name, _ in told[3:]]), pulse_lib.COUNTERS)
            self.assertEqual([count for _, count in told], [0] * 8)

    def test_what_the_detector_counts_is_told(self):
        stand = Stand()
        for count, name in enumerate(pulse_lib.COUNTERS):
            setattr(stand.reader._input.detector, name, count + 1)
        told = [count for _, count in stand.reader.counters()]
        self.assertEqual(told, [0, 0, 0, 1, 2, 3, 4, 5])

    def test_the_chips_counter(self):
        class Counter:
            RISING = 1
            FALLING = 2
            waiting = 0
            made = ()

            def __init__(self, *about, **options):
                Counter.made = (about[0], about[1].id, options["edge"])

            def value(self, new):
                waiting, Counter.waiting = Counter.waiting, new
                return waiting

            def deinit(self):
                pass

        machine.Counter = Counter
        try:
            stand = Stand(input="counter", pin=27, active="high")

            async def story(stand):
                for count in (3, 0, 7):
                    Counter.waiting = count
                    await stand.virtual.advance(10000)

            stand.run(story)
            self.assertEqual(Counter.made[1:], (27, 1))
            self.assertEqual(list(pulse.problems(dict(ENTRY, input="counter"), Board)), [])
        finally:
            del machine.Counter
        self.assertEqual(stand.reader.total, 10)


class TestConfig(unittest.TestCase):
    def check(self, board, *words, **changes):
        entry = dict(ENTRY)
        entry.update(changes)
        found = "; ".join(list(pulse.problems(entry, board)))
        for word in words:
            self.assertTrue(word in found, found)
        if not words:
            self.assertEqual(found, "")

    def test_what_goes_together(self):
        self.check(Board)
        self.check(Board, "give one of", pulses_per_kwh=None)
        self.check(Board, "`pulses_per_kwh` and `pulses_per_m3`", pulses_per_m3=100)
        self.check(Board, "`medium`", medium="gas")
        self.check(Board, "`pin` is missing", pin=None)
        self.check(Small, pin=None)
        self.check(Small, "leave it out", pin=0)
        self.check(Small, "`pin` is missing", pin=None, input="pin")
        self.check(Board, "no machine.Counter", input="counter")

    def test_units(self):
        stand = Stand(pulses_per_kwh=None, pulses_per_litre=1)
        self.assertEqual(stand.reader._channels[2][:3], ("water", "m³", 3))
        stand = Stand(pulses_per_kwh=None, pulses_per_m3=100)
        self.assertEqual(stand.reader._channels[2][:3], ("gas", "m³", 3))
        stand = Stand(pulses_per_kwh=None, pulses_per_m3=100, medium="water")
        self.assertEqual(stand.reader._channels[2][:3], ("water", "m³", 3))


if __name__ == "__main__":
    unittest.main()
