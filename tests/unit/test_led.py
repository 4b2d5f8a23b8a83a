"""What the status LED does, on a pin and a PWM unit that write down every change."""

import asyncio
import unittest

from virtual_clock import VirtualClock

from joulelog.device.led import Led
from joulelog.flow.latest import Latest

PLAIN = {"pin": 2, "active": 1}
LOW = {"pin": 2, "active": 0}
PWM = {"pin": 3, "active": 1, "pwm": True}
LOW_PWM = {"pin": 3, "active": 0, "pwm": True}
DOT_MS = 150


class Machine:
    """Stands for the module machine, with one pin."""

    def __init__(self, virtual) -> None:
        changes = self.changes = []  # (ms, level)
        freqs = self.freqs = []

        def note(level) -> None:
            if not changes or changes[-1][1] != level:
                changes.append((virtual.ms, level))

        class Pin:
            OUT = 1

            def __init__(self, number, mode, value) -> None:
                note(value)

            def value(self, level) -> None:
                note(level)

        class PWM:
            def __init__(self, pin) -> None:
                pass

            def freq(self, hertz) -> None:
                freqs.append(hertz)

            def duty_u16(self, duty) -> None:
                note(duty)

        self.Pin = Pin
        self.PWM = PWM


def lit(changes, dark=0) -> list:
    """(start, ms) of each time that the LED was on."""
    found = []
    for index in range(len(changes) - 1):
        if changes[index][1] != dark and changes[index + 1][0] > changes[index][0]:
            found.append((changes[index][0], changes[index + 1][0] - changes[index][0]))
    return found


def come(led) -> None:
    """A telegram."""
    led.latest.count += 1


def signs(times) -> str:
    """Morse signs from the lengths."""
    return "".join(["." if ms == DOT_MS else "-" if ms == 3 * DOT_MS else "?" for _, ms in times])


class LedTest(unittest.TestCase):
    def setUp(self):
        self.virtual = VirtualClock()
        self.machine = Machine(self.virtual)

    def play(self, story, about=PLAIN, quiet=False) -> list:
        """Run story(led) beside the LED's task; return the levels set, with their times."""

        async def both():
            led = Led(about, quiet, self.machine)
            led.latest = Latest()  # type: ignore[assignment]
            task = asyncio.create_task(led.run())
            await story(led)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        self.virtual.play(both())
        return self.machine.changes

    def shown(self, state, ms, quiet=False) -> list:
        """The times on while a state is shown for so long."""

        async def story(led):
            led.show(state)
            await self.virtual.advance(ms)

        return lit(self.play(story, PLAIN, quiet))


class States(LedTest):
    def rate(self, state: str, on_ms: int, per_second: int):
        times = self.shown(state, 5000)
        inside = [start for start, ms in times if 1000 <= start < 5000]
        self.assertEqual(len(inside), 4 * per_second)
        self.assertEqual([ms for start, ms in times if 1000 <= start < 4500][0], on_ms)

    def test_setup(self):
        self.rate("setup", 25, 20)

    def test_sync(self):
        self.rate("sync", 50, 10)

    def test_busy(self):
        self.rate("busy", 100, 5)

    def test_warning(self):
        self.rate("warning", 500, 1)

    def test_connected(self):
        self.rate("connected", 100, 1)

    def test_config_error(self):
        """Two per second, and SOS at once and after every ten seconds."""
        times = self.shown("config_error", 30000)
        long = [(start, ms) for start, ms in times if ms != 250]
        self.assertEqual(signs(long), "...---..." * 2)
        self.assertTrue(long[0][0] < 1500, long[0])
        blinks = [start for start, ms in times if ms == 250]
        steps = [blinks[index + 1] - blinks[index] for index in range(len(blinks) - 1)]
        self.assertEqual(steps.count(500), len(steps) - 2, "but for the gaps with SOS in them")

    def test_offline(self):
        """Dark, and WIFI."""
        times = self.shown("offline", 60000)
        text = signs(times)
        self.assertEqual(text[:11], ".--" + ".." + "..-." + "..")
        whole = ".--....-..." * (len(text) // 11 + 1)
        self.assertEqual(text, whole[: len(text)])
        self.assertTrue(len(text) >= 22, text)

    def test_nothing_shown_is_dark(self):
        async def story(led):
            await self.virtual.advance(20000)

        self.assertEqual(lit(self.play(story)), [])

    def test_an_unknown_state_shows_nothing(self):
        self.assertEqual(self.shown("disco", 5000), [])


class Priorities(LedTest):
    def periods(self, story) -> list:
        """The length of each time on."""
        return [ms for _, ms in lit(self.play(story))]

    def test_a_phase_ends_the_phase_before(self):
        async def story(led):
            led.show("setup")
            await self.virtual.advance(1000)
            led.show("connected")
            await self.virtual.advance(5000)
            led.clear("connected")
            await self.virtual.advance(5000)

        changes = self.play(story)
        self.assertEqual([ms for at, ms in lit(changes) if at >= 1025], [100] * 5)
        self.assertTrue(changes[-1][0] < 6000)

    def test_busy_shows_over_connected_for_its_time(self):
        async def story(led):
            led.show("connected")
            await self.virtual.advance(2300)
            led.show("busy", 400)
            await self.virtual.advance(300)
            led.show("busy", 600)  # lasts longer: until 3200
            await self.virtual.advance(5000)

        starts = [at for at, ms in lit(self.play(story)) if ms]
        inside = [at for at in starts if 2300 <= at < 3200]
        self.assertTrue(4 <= len(inside) <= 5, inside)
        self.assertTrue(2300 <= inside[0] <= 2400, "seen within 100 ms")
        self.assertTrue(4 <= len([at for at in starts if at >= 3200]) <= 5, starts)

    def test_the_order(self):
        """All states at once; each in turn is taken away."""
        order = (("setup", 25), ("sync", 50), ("busy", 100), ("connected", 100))

        async def story(led):
            led.show("setup")
            led.show("sync")
            led.show("busy")
            led.show("config_error")
            await self.virtual.advance(23000)
            led.clear("config_error")
            for name, _ in order:
                at.append(self.virtual.ms)
                await self.virtual.advance(4000)
                if name == "setup":
                    led.show("connected")
                else:
                    led.clear(name)
            at.append(self.virtual.ms)

        at = []
        times = lit(self.play(story))
        before = [ms for start, ms in times if 0 < start < 23000]
        self.assertEqual(sorted(set(before)), [150, 250, 450])
        for index, (name, on_ms) in enumerate(order):
            lengths = [ms for start, ms in times if at[index] + 300 <= start < at[index + 1] - 300]
            self.assertTrue(lengths, name)
            self.assertEqual(set(lengths), set([on_ms]), name)

    def test_a_config_error_is_not_hidden(self):
        async def story(led):
            led.show("config_error")
            for _ in range(20):
                led.show("connected")
                led.show("busy", 1000)
                led.show("sync", 1000)
                come(led)
                await self.virtual.advance(1000)

        lengths = self.periods(story)[:-1]
        self.assertEqual(sorted(set(lengths)), [150, 250, 450])


class Pulses(LedTest):
    async def telegrams(self, led):
        led.show("connected")
        await self.virtual.advance(500)
        for _ in range(10):
            come(led)
            await self.virtual.advance(1000)

    def test_pwm_is_dim(self):
        changes = self.play(self.telegrams, PWM)
        dim = [at for at, level in changes if level == 1024]
        bright = [at for at, level in changes if level == 16384]
        self.assertEqual((len(dim), len(bright)), (10, 11))
        for at, ms in lit([change for change in changes if change[1] in (0, 1024)]):
            self.assertEqual(ms, 40, at)

    def test_a_plain_pin_is_short(self):
        lengths = [ms for _, ms in lit(self.play(self.telegrams))]
        self.assertEqual((lengths.count(5), lengths.count(100)), (10, 11))

    def test_a_pulse_is_seen_within_100_ms(self):
        async def story(led):
            led.show("connected")
            for _ in range(50):
                await self.virtual.advance(1037)
                asked.append(self.virtual.ms)
                come(led)

        asked = []
        starts = [at for at, ms in lit(self.play(story)) if ms == 5]
        self.assertTrue(len(starts) >= 40, len(starts))
        for start in starts:
            late = [start - at for at in asked if at <= start]
            self.assertTrue(min(late) <= 200, (start, min(late)))  # 100 of them a blink

    def test_none_while_it_blinks_fast(self):
        async def story(led):
            led.show("busy")
            for _ in range(30):
                come(led)
                await self.virtual.advance(100)
            led.show("connected")
            led.clear("busy")
            await self.virtual.advance(3000)

        self.assertEqual([ms for _, ms in lit(self.play(story)) if ms == 5], [])


class Morse(LedTest):
    def test_timing(self):
        """International Morse code: dash 3 dots, gap 1, between letters 3."""

        async def story(led):
            led.show("offline")
            await self.virtual.advance(9000)

        times = [time for time in lit(self.play(story)) if time[0] > 0]
        self.assertEqual(signs(times), ".--" + ".." + "..-." + "..")
        gaps = [
            (times[index + 1][0] - times[index][0] - times[index][1]) // DOT_MS
            for index in range(len(times) - 1)
        ]
        self.assertEqual(gaps, [1, 1, 3, 1, 3, 1, 1, 1, 3, 1])

    def test_sos(self):
        async def story(led):
            led.show("config_error")
            await self.virtual.advance(9000)

        times = [time for time in lit(self.play(story)) if time[0] > 0]
        sent = [time for time in times if time[1] in (DOT_MS, 3 * DOT_MS)]
        self.assertEqual(signs(sent), "...---...")


class Wiring(LedTest):
    async def story(self, led):
        led.show("connected")
        await self.virtual.advance(10500)

    def test_active_low(self):
        high = lit(self.play(self.story, PLAIN))
        self.setUp()
        low = self.play(self.story, LOW)
        self.assertEqual(lit(low, 1), high)
        self.assertEqual(low[-1][1], 1, "off at the end")

    def test_active_low_pwm(self):
        changes = self.play(self.story, LOW_PWM)
        self.assertEqual(changes[-1][1], 65535, "off")
        self.assertEqual(len([level for _, level in changes if level == 65535 - 16384]), 11)

    def test_the_pwm_unit_blinks_by_itself_during_the_boot(self):
        Led(PWM, False, self.machine)
        self.assertEqual(self.machine.freqs, [20])
        self.assertEqual(self.machine.changes[-1], (0, 32767))
        self.setUp()
        self.play(self.story, PWM)
        self.assertEqual(self.machine.freqs, [20, 1000])

    def test_a_plain_pin_is_on_during_the_boot(self):
        Led(LOW, False, self.machine)
        self.assertEqual(self.machine.changes, [(0, 0)])

    def test_no_led(self):
        led = Led(None)
        led.show("connected")
        self.virtual.play(led.run())  # ends

    def test_quiet(self):
        async def story(led):
            led.show("connected")
            for _ in range(30):
                come(led)
                led.show("busy", 500)
                led.show("sync", 200)
                await self.virtual.advance(1000)

        self.assertEqual(lit(self.play(story, PLAIN, True)), [])
        self.setUp()
        self.assertTrue(len(self.shown("offline", 30000, True)) > 20)
        self.setUp()
        self.assertTrue(len(self.shown("config_error", 5000, True)) > 5)
