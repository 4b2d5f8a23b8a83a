"""The detector of flashes, the meter behind it, and debouncing."""

import random
import sys
import unittest
from array import array

import pulse
from pulse.meter import Edges, Meter, decimals_of

READS = 2


def noise():
    """About Gaussian, sigma 1000 (the sum of 12 evenly spread numbers)."""
    total = 0
    for _ in range(12):
        total += random.getrandbits(10)
    return (total - 6138) * 1000 // 1024


class Light:
    """Samples of one millisecond; heights are readings of 16 bits."""

    def __init__(self, dark=13000, height=6553, sigma=1310, pulse_ms=5, gap_ms=10, inverted=False):
        random.seed(4)
        self.dark = dark
        self.height = height
        self.sigma = sigma
        self.found = []
        self.detector = pulse.Detector(self.found.append, 1, pulse_ms, gap_ms, READS, 0, inverted)
        self.block = array("i", [0] * 50)
        self.count = 0
        self.flicker = 0

    def sample(self, lit):
        value = self.dark + (self.height if lit else 0)
        value += self.flicker if (self.count // 5) % 2 else -self.flicker  # a square of 100 Hz
        value = 2 * value + noise() * self.sigma * 141 // 100000
        self.put(min(2 * 65535, max(0, value)))

    def put(self, sample):
        self.block[0] = sample
        self.count += 1
        self.detector.feed(self.block, 0, 1)

    def shine(self, ms, lit=False):
        for _ in range(ms):
            self.sample(lit)

    def flash(self, count=1, ms=5, pause=45):
        for _ in range(count):
            self.shine(ms, True)
            self.shine(pause)


class TestDetector(unittest.TestCase):
    def test_flashes_at_the_specified_limit(self):
        light = Light()
        light.shine(1000)
        light.flash(200, 5, 15)
        self.assertEqual(light.detector.count, 200)
        self.assertEqual(len(light.found), 200)
        for at, ms in enumerate(light.found):
            self.assertTrue(1000 <= ms - 20 * at <= 1008, "flash %d at %d" % (at, ms))
        self.assertEqual(light.detector.state, "ok")

    def test_pulses_that_are_dark(self):
        """A LED that is lit and goes out for the pulse: of half of the light, or of 10 %."""
        for dark, height in ((52000, -6553), (52000, -26000), (65535, -30000)):
            light = Light(dark, height, 700, 20, 30, True)
            light.shine(1000)
            light.flash(50, 20, 480)
            detector = light.detector
            self.assertEqual((detector.count, detector.state), (50, "ok"))
            self.assertTrue(abs(detector.level - dark * 1000 // 65535) <= 6, detector.level)
            self.assertTrue(light.found[0] - 1000 <= 8 and light.found[49] - 25500 <= 8)

    def test_dark_pulses_that_nobody_told_of(self):
        for lead in (0, 100, 200, 1000):  # also while it learns
            for height in (-6553, -26000):
                light = Light(52000, height, 700, 20, 30)
                light.shine(lead)
                light.flash(20, 20, 980)
                self.assertEqual(light.detector.state, "inverted", (lead, height))
                self.assertTrue(light.detector.count <= 1, light.detector.count)

    def test_bright_pulses_of_an_inverted_one(self):
        light = Light(13000, 20000, 700, 20, 30, True)
        light.shine(1000)
        light.flash(10, 20, 980)
        self.assertEqual((light.detector.state, light.detector.count), ("inverted", 0))

    def test_shadows_are_no_dark_pulses_where_there_are_flashes(self):
        light = Light(30000, 10000, 700, 20, 30)
        light.shine(1000)
        for _ in range(10):
            light.dark = 10000
            light.shine(150)
            light.dark = 30000
            light.shine(900)
            light.flash(2, 20, 980)
            self.assertEqual(light.detector.state, "ok")
        self.assertTrue(18 <= light.detector.count <= 20)

    def test_a_lamp_is_no_dark_pulse(self):
        light = Light(10000, 10000, 700, 20, 30)
        light.shine(1000)
        for _ in range(10):
            light.dark = 40000
            light.shine(3000)
            light.dark = 10000
            light.shine(3000)
            self.assertTrue(light.detector.state != "inverted")

    def test_noise_alone_is_no_flash(self):
        light = Light(height=0)
        light.shine(20000)
        self.assertEqual(light.detector.count, 0)
        self.assertEqual(light.detector.state, "no flash yet")
        self.assertEqual(light.detector.contrast, None)
        self.assertEqual(light.detector.margin, None)

    def test_blocks_change_nothing(self):
        samples = array("i", [0] * 4000)
        random.seed(9)
        for at in range(4000):
            lit = at > 1000 and at % 100 < 20
            samples[at] = 26000 + noise() + (30000 if lit else 0)
        results = []
        for size in (1, 7, 32, 4000):
            found: list = []
            detector = pulse.Detector(found.append, 1, 10, 20, READS)
            for start in range(0, 4000, size):
                detector.feed(samples, start, min(4000, start + size))
            results.append((found, detector.level, detector.noise, detector.ms))
        self.assertEqual(len(results[0][0]), 30)
        for result in results[1:]:
            self.assertEqual(result, results[0])

    def test_the_figures_of_calibration(self):
        light = Light()
        light.shine(1000)
        light.flash(50)
        detector = light.detector
        self.assertTrue(170 <= detector.level <= 230, detector.level)  # 19.8 %
        self.assertTrue(90 <= (detector.contrast or 0) <= 125, detector.contrast)
        self.assertTrue(50 <= detector.noise <= 95, detector.noise)  # 2 % / sqrt(8): 0.7 %
        self.assertTrue(50 <= (detector.margin or 0) <= 90, detector.margin)

    def test_too_short_too_near_and_single(self):
        light = Light(height=8000, sigma=200, pulse_ms=20, gap_ms=100)
        light.shine(1000)
        light.flash(3, 30, 300)
        light.flash(1, 5, 300)
        self.assertEqual((light.detector.count, light.detector.glitches), (3, 1))
        light.flash(1, 30, 10)
        light.flash(1, 30, 300)
        self.assertEqual((light.detector.count, light.detector.doubles), (4, 1))
        for _ in range(4):
            light.height = 50000
            light.shine(1, True)  # a spike of the ADC
            light.shine(99)
        self.assertEqual((light.detector.count, light.detector.glitches), (4, 1))
        self.assertEqual(light.detector.spikes, 4)

    def test_a_lamp_with_flicker(self):
        light = Light(sigma=400)
        light.shine(1000)
        light.flash(20, 20, 180)
        light.dark += 20000
        light.flicker = 600
        light.shine(1500)
        self.assertEqual(light.detector.count, 20)  # that was no flash
        self.assertEqual(light.detector.relearned, 1)
        light.flash(20, 20, 180)
        self.assertEqual(light.detector.count, 40)
        light.dark -= 20000
        light.flicker = 0
        light.shine(500)
        light.flash(20, 20, 180)
        self.assertEqual(light.detector.count, 60)
        self.assertEqual(light.detector.relearned, 2)

    def test_a_torch_and_saturation(self):
        light = Light(sigma=400)
        light.shine(1000)
        light.flash(20, 20, 180)
        dark = light.dark
        light.dark = 80000  # beyond what the ADC can tell
        light.shine(2000)
        light.flash(5, 20, 180)
        self.assertEqual(light.detector.state, "too bright")
        self.assertTrue(light.detector.dazzled_ms >= 2500, light.detector.dazzled_ms)
        self.assertEqual(light.detector.count, 20)
        light.dark = dark
        light.shine(500)
        light.flash(20, 20, 180)
        self.assertEqual(light.detector.count, 40)
        self.assertEqual(light.detector.state, "ok")

    def test_sunrise(self):
        light = Light()
        light.shine(1000)
        for _ in range(100):
            light.flash(1, 5, 95)
            light.dark += 300  # 46 % of full scale in ten seconds
        self.assertEqual(light.detector.count, 100)

    def test_a_lower_flash_is_believed_in_time(self):
        light = Light(height=40000, sigma=100, pulse_ms=20, gap_ms=30)
        light.shine(1000)
        light.flash(5, 20, 180)
        light.height = 13000  # the sensor slipped
        light.flash(5, 20, 180)
        self.assertEqual(light.detector.count, 5)
        for _ in range(6):
            light.block[0] = -60000
            light.detector.feed(light.block, 0, 1)
            light.shine(100)
        light.flash(5, 20, 180)
        self.assertEqual(light.detector.count, 10)

    def test_gaps_move_the_time_alone(self):
        light = Light()
        light.shine(1000)
        light.flash(10)
        light.put(-5000)
        light.shine(500)
        light.flash(10)
        self.assertEqual(light.detector.count, 20)
        self.assertEqual(light.detector.ms, light.count - 1 + 5000)
        self.assertTrue(5000 <= light.found[10] - light.found[9] - 545 <= 5010, light.found[9:11])

    def test_weeks_stay_small_numbers(self):
        light = Light()
        light.shine(1000)
        light.flash(10)
        for _ in range(60):  # 60 days in gaps
            light.put(-86400000)
            light.shine(40)
            self.assertTrue(0 <= light.detector.ms < pulse.WRAP_MS + 86400000 + 100)
        light.flash(20)
        self.assertEqual(light.detector.count, 30)

    def test_nothing_is_allocated_per_sample(self):
        if sys.implementation.name != "micropython":
            raise unittest.SkipTest("CPython cannot tell")
        import gc

        light = Light(height=0)
        light.shine(2000)
        block = array("i", [26000 + noise() for _ in range(64)])
        detector = light.detector
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        for _ in range(20):
            detector.feed(block, 0, 64)
        taken = gc.mem_alloc() - before
        gc.enable()
        self.assertEqual(taken, 0)


class TestMeter(unittest.TestCase):
    def test_decimals(self):
        found = [decimals_of(n) for n in (1, 500, 1000, 800, 10000, 3200, 6400, 375, 120)]
        self.assertEqual(found, [3, 3, 3, 5, 4, 7, 6, 6, 6])

    def test_energy_and_power(self):
        meter = Meter(1000, "kWh", total=45678120)
        self.assertEqual(meter.close(20000), (0, 45678120, 45678120, None))
        meter.add(1, 24000)
        self.assertEqual(meter.close(40000), (1, 45678121, 45678121, None))  # no spacing yet
        meter.add(1, 42000)
        meter.add(1, 60000)
        self.assertEqual(meter.close(60000), (2, 45678123, 45678123, 200))  # 2 Wh in 36 s
        keys = [channel[0] for channel in meter.channels]
        self.assertEqual(keys, ["pulses", "pulses_total", "energy_import", "power_import"])

    def test_power_falls_and_ends(self):
        meter = Meter(1000, "kWh", timeout_ms=300000)
        meter.add(1, 0)
        meter.add(1, 4000)
        self.assertEqual(meter.close(5000)[3], 900)
        self.assertEqual(meter.close(8000)[3], 900)
        self.assertEqual(meter.close(40000)[3], 100)  # it cannot be more
        self.assertEqual(meter.close(303999)[3], 12)
        self.assertEqual(meter.close(304000)[3], 0)
        meter.add(1, 3604000)
        self.assertEqual(meter.close(3604000)[3], 1)  # 1 Wh in an hour

    def test_never_a_pulse(self):
        meter = Meter(1000, "kWh", timeout_ms=300000)
        self.assertEqual(meter.close(1000)[3], None)
        self.assertEqual(meter.close(300999)[3], None)
        self.assertEqual(meter.close(301000)[3], 0)

    def test_rate_times_time_is_the_counter(self):
        random.seed(2)
        meter = Meter(1000, "kWh")
        meter.add(1, 0)
        ms = last = 0
        energy = 0  # in Wh x ms per hour
        for window in range(1, 200):
            while ms < window * 20000:
                ms += 500 + random.getrandbits(13)
                if ms >= window * 20000:
                    break
                meter.add(1, ms)
            newest = meter._last_ms or 0
            pulses, _, _, rate = meter.close(window * 20000)
            if pulses and newest > last:
                energy += (rate or 0) * (newest - last)
                last = newest
        wh = energy // 3600000
        self.assertTrue(abs(wh - (meter.total - 1)) <= 1, (wh, meter.total))

    def test_gas_and_water(self):
        meter = Meter(100, "gas")  # 10 litres per pulse
        meter.add(1, 0)
        meter.add(1, 36000)
        self.assertEqual(meter.close(40000), (2, 2, 20, 1000))  # 0.020 m³, 1.000 m³/h
        self.assertEqual(Meter(1000, "water").channels[2][:3], ("water", "m³", 3))

    def test_thirds(self):
        meter = Meter(375, "kWh", total=1)
        self.assertEqual(meter.close(0)[2], 2666)  # 0.002666: cut off, pulses_total is exact


class TestEdges(unittest.TestCase):
    def setUp(self):
        self.found: list = []
        self.edges = Edges(self.found.append, 0, 5, 50)

    def play(self, *edges):
        for ms, level in edges:
            self.edges.edge(ms, level)

    def test_bounces(self):
        self.play((10, 0), (11, 1), (12, 0), (40, 1), (41, 0), (42, 1))
        self.assertEqual((self.edges.count, self.found), (1, [12]))
        self.assertEqual(self.edges.glitches, 2)

    def test_too_near(self):
        self.play((0, 0), (20, 1), (40, 0), (60, 1), (100, 0), (120, 1))
        self.assertEqual((self.found, self.edges.doubles), ([0, 100], 1))

    def test_lost_edges(self):
        self.play((0, 0), (30, 0), (60, 1), (70, 1), (200, 1), (300, 0), (330, 1))
        self.assertEqual(self.found, [0, 300])

    def test_the_chip_begins_again_at_zero(self):
        self.play((0x3FFFFFFA, 0), (10, 1), (500, 0), (540, 1))
        self.assertEqual(self.edges.count, 2)


if __name__ == "__main__":
    unittest.main()
