"""Heat, electricity, COP and energies from a heat pump's readings."""

import asyncio
import unittest

from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.derive import heat
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source

CHANNELS = (
    ("indoor_mode", "", 0, "text", ""),
    ("flow", "L/min", 1, "measurement", "volume_flow_rate"),
    ("flow_temperature", "C", 1, "measurement", "temperature"),
    ("return_temperature", "C", 1, "measurement", "temperature"),
    ("inverter_current", "A", 1, "measurement", "current"),
    ("inverter_voltage", "V", 0, "measurement", "voltage"),
)
PUMP = Source("altherma", CHANNELS)
METER = Source("pzem", (("power", "W", 1, "measurement", "power"),))
RUNS = ("Heating", 125, 350, 300, 64, 231)
ENTRY = {
    "name": "heat",
    "source": "altherma",
    "meter": "",
    "meter_channel": "power",
    "voltage": 230,
    "phases": 1,
    "heat_capacity": 4176,
}


class Store:
    def __init__(self):
        self.values = {}

    def get(self, key, default=None):
        return self.values.get(key, default)

    def set(self, key, value):
        self.values[key] = value


class Log:
    def __init__(self):
        self.lines = []

    def warning(self, text, *arguments):
        self.lines.append(text % arguments)


class App:
    def __init__(self):
        self.clock = clock.Clock()
        self.queue = Queue(32, self.clock)
        self.store = Store()


class Output:
    state = ""

    def say(self, state):
        self.state = state

    def unknown(self):
        if self.readings:  # as the real one: only what was known
            self.publish(0, (), ())

    def __init__(self):
        self.readings = []

    def publish(self, time, channels, values):
        self.readings.append(dict(zip([c[0] for c in channels], values)))


class TestNumbers(unittest.TestCase):
    def test_rounding(self):
        for number, divisor, result in (
            (7, 2, 4),
            (-7, 2, -4),
            (6, 4, 2),
            (5, 4, 1),
            (-5, 4, -1),
            (0, 9, 0),
            (-1, 3, 0),
        ):
            self.assertEqual(heat.divided(number, divisor), result)

    def test_thermal_power(self):
        # 12.5 l/min x 5.0 K x 4176 J/(l K) / 60 s = 4350 W
        self.assertEqual(heat.thermal_power((125, 1), (350, 1), (300, 1), 4176), 4350)
        self.assertEqual(heat.thermal_power((125, 1), (300, 1), (350, 1), 4176), -4350)
        self.assertEqual(heat.thermal_power((0, 1), (350, 1), (300, 1), 4176), 0)
        exact = heat.thermal_power((125, 1), (3500000000, 8), (300, 1), 4176)
        self.assertEqual(exact, 4350)

    def test_temperatures_that_cannot_be(self):
        for warm, cold, watts in (
            (352, 0, None),
            (0, 352, None),
            (350, 50, 26100),
            (351, 50, None),
        ):
            self.assertEqual(heat.thermal_power((125, 1), (warm, 1), (cold, 1), 4176), watts)

    def test_cop(self):
        self.assertEqual(heat.cop(4350, 1478, False), 294)
        self.assertIsNone(heat.cop(4350, 49, False))  # no compressor
        self.assertIsNone(heat.cop(-2000, 1000, False))  # defrosting
        self.assertEqual(heat.cop(-3000, 1000, True), 300)
        self.assertIsNone(heat.cop(None, 1000, False))
        self.assertIsNone(heat.cop(1000, None, False))
        self.assertEqual(heat.cop(10000, 1000, False), 1000)
        self.assertIsNone(heat.cop(10010, 1000, False))  # no heat pump has that
        self.assertIsNone(heat.cop(-10010, 1000, True))


class TestReader(unittest.TestCase):
    def play(self, story, app=None, **entry):
        virtual = VirtualClock(1000)
        app = app or App()
        output = Output()
        filled = dict(ENTRY)
        filled.update(entry)

        async def run():
            reader = heat.Reader("heat", filled, output, app.clock, app.queue, app.store)
            task = asyncio.create_task(reader.run())
            await story(reader, app, output.readings, virtual)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        virtual.play(run())

    def put(self, app, values, source=PUMP):
        app.queue.put((app.clock.stamp(), source, values))

    def test_all_of_it(self):
        async def story(reader, app, readings, virtual):
            for _ in range(121):  # an hour, every 30 s
                self.put(app, RUNS)
                await virtual.advance(30000)
            self.assertEqual(len(readings), 121)
            last = readings[-1]
            self.assertEqual((last["thermal_power"], last["electric_power"]), (4350, 1478))
            self.assertEqual(last["cop"], 294)
            self.assertEqual(last["heat_energy"], 4350)
            self.assertEqual(last["electric_energy"], 1478)
            self.assertEqual((last["cold_energy"], reader.gaps), (0, 0))

        self.play(story)

    def test_cold(self):
        async def story(reader, app, readings, virtual):
            for _ in range(121):
                self.put(app, ("Cooling", 125, 180, 230, 64, 231))
                await virtual.advance(30000)
            last = readings[-1]
            self.assertEqual((last["cold_energy"], last["heat_energy"]), (4350, 0))
            self.assertEqual(last["cop"], 294)

        self.play(story)

    def test_what_is_missing_is_none(self):
        async def story(reader, app, readings, virtual):
            self.put(app, RUNS)
            await virtual.advance(1000)
            self.put(app, ("Heating", None, 350, 300, None, 231))
            await virtual.advance(1000)
            self.assertIsNone(readings[-1]["thermal_power"])
            self.assertIsNone(readings[-1]["electric_power"])
            self.assertIsNone(readings[-1]["cop"])
            self.assertEqual(readings[-1]["heat_energy"], 0)
            self.put(app, ("Heating", 125, 350, 300, 64, None))
            await virtual.advance(1000)
            self.assertEqual(readings[-1]["electric_power"], 1472)  # the configured 230 V
            self.assertEqual(
                readings[-1]["heat_energy"], 0
            )  # of the time between nothing is known

        self.play(story)

    def test_a_unit_without_the_inputs(self):
        async def story(reader, app, readings, virtual):
            self.put(app, ("Heating",), Source("altherma", CHANNELS[:1]))
            await virtual.advance(1000)
            self.assertEqual(set(readings[-1].values()), {None})
            reader._log = log = Log()
            await virtual.advance(180000)
            self.put(app, ("Heating",), Source("altherma", CHANNELS[:1]))
            await virtual.advance(1000)
            said = "altherma has no plausible flow, flow_temperature, return_temperature,"
            self.assertEqual(
                log.lines[1:], [said + " inverter_current (or give a `meter`): no COP"]
            )

        self.play(story)

    def test_a_sensor_that_is_not_there(self):
        """No heat, no COP, no energy that stays 0; and it is said once which one it is."""

        async def story(reader, app, readings, virtual):
            reader._log = log = Log()
            for _ in range(10):
                self.put(app, ("Heating", 123, 352, None, 64, 231))
                await virtual.advance(30000)
            told = [readings[-1][key] for key in ("thermal_power", "cop", "heat_energy")]
            self.assertEqual(told, [None] * 3)
            self.assertIsNone(readings[-1]["cold_energy"])
            self.assertEqual(readings[-1]["electric_power"], 1478)
            self.assertTrue(readings[-1]["electric_energy"] > 0)
            said = "altherma has no plausible return_temperature: no COP"
            self.assertEqual(log.lines, [said])

        self.play(story)

    def test_what_was_counted_is_told_while_a_sensor_is_silent(self):
        app = App()
        app.store.set("heat heat", ["4350", "0", "1478"])

        async def story(reader, app, readings, virtual):
            self.put(app, ("Heating", 123, 352, None, None, 231))
            await virtual.advance(1000)
            told = [readings[-1][key] for key in ("heat_energy", "cold_energy", "electric_energy")]
            self.assertEqual(told, [4350, 0, 1478])

        self.play(story, app)

    def test_a_gap(self):
        async def story(reader, app, readings, virtual):
            self.put(app, RUNS)
            await virtual.advance(3600000)
            self.put(app, RUNS)
            await virtual.advance(1000)
            self.assertEqual((readings[-1]["heat_energy"], reader.gaps), (0, 1))

        self.play(story)

    def test_a_meter(self):
        async def story(reader, app, readings, virtual):
            self.put(app, RUNS)
            await virtual.advance(1000)
            self.assertIsNone(readings[-1]["electric_power"])
            self.put(app, (10004,), METER)
            self.put(app, RUNS)
            await virtual.advance(1000)
            self.assertEqual(readings[-1]["electric_power"], 1000)
            self.assertEqual(len(readings), 2)
            await virtual.advance(200000)
            self.put(app, RUNS)
            await virtual.advance(1000)
            self.assertIsNone(readings[-1]["electric_power"])  # the meter's is too old

        self.play(story, meter="pzem")

    def test_a_meter_that_is_not_there(self):
        """It is said, once, what there is instead."""

        async def story(reader, app, readings, virtual):
            reader._log = log = Log()
            for _ in range(10):
                self.put(app, (10004,), METER)
                self.put(app, RUNS)
                await virtual.advance(30000)
            self.assertEqual(len(log.lines), 1)
            self.assertIn(told, log.lines[0])
            self.assertIsNone(readings[-1]["electric_power"])

        told = "there are those of: altherma, pzem"
        self.play(story, meter="pzen")
        told = "pzem has no watts; it has power"
        self.play(story, meter="pzem", meter_channel="watts")

    def test_three_phases(self):
        async def story(reader, app, readings, virtual):
            self.put(app, RUNS)
            await virtual.advance(1000)
            self.assertEqual(readings[-1]["electric_power"], 4435)  # 6.4 x 231 x 3 = 4435.2

        self.play(story, phases=3)

    def test_energies_outlive_a_restart(self):
        app = App()

        async def story(reader, app, readings, virtual):
            for _ in range(121):
                self.put(app, RUNS)
                await virtual.advance(30000)

        async def again(reader, app, readings, virtual):
            self.put(app, RUNS)
            await virtual.advance(1000)
            self.assertEqual(readings[-1]["heat_energy"], 4350)
            self.assertEqual(readings[-1]["electric_energy"], 1478)

        self.play(story, app)
        again_app = App()
        again_app.store = app.store
        self.play(again, again_app)

    def test_energy_loses_nothing(self):
        async def story(reader, app, readings, virtual):
            for number in range(3600 * 3 + 1):
                reader._add_up(333 * number, 1, 1)  # 1 W
            self.assertEqual(reader._watt_hours(), [0, 0, 0])
            reader._add_up(3600000, -1, 1)  # the rest of an hour
            self.assertEqual(reader._watt_hours(), [0, 0, 1])
            reader._add_up(3600000 + 300000, -11, 1)
            self.assertEqual(reader._millijoules, [333 * 10800, 6 * 300000, 3900000])

        self.play(story)

    def test_no_source(self):
        async def story(reader, app, readings, virtual):
            await virtual.advance(600000)
            self.assertEqual((reader._output.state, readings), ("no source", []))

        self.play(story, source="hp")
