"""Sources, and the Output between a reader and the queue."""

import logging
import unittest

from joulelog.reading import Output

DAY = ("energy_import_t1", "kWh", 3, "total_increasing", "energy")
POWER = ("power_import", "W", 0, "measurement", "power")
MESSAGE = ("message", "", 0, "text", "")
WIRE = (DAY, POWER, MESSAGE)


class Sieve:
    """Stands for the queue: keeps what is put."""

    def __init__(self):
        self.readings = []

    def put(self, reading):
        self.readings.append(reading)


def output(names=None, offsets=None, wanted=None):
    sieve = Sieve()
    return Output(sieve, "p1", names or {}, offsets or {}, wanted), sieve.readings


class TestOutput(unittest.TestCase):
    def test_passes_on_what_it_gets(self):
        out, readings = output()
        out.publish(7, WIRE, [45678123, None, "hello"])
        time, source, values = readings[0]
        self.assertEqual((time, source.name, source.channels), (7, "p1", WIRE))
        self.assertEqual(values, (45678123, None, "hello"))
        self.assertEqual(out.readings, 1)

    def test_the_readers_buffer_is_not_kept(self):
        out, readings = output()
        values = [1, 2, ""]
        out.publish(7, WIRE, values)
        values[0] = 99
        self.assertEqual(readings[0][2], (1, 2, ""))

    def test_source_stays_while_the_channels_stay(self):
        out, readings = output()
        out.publish(1, WIRE, [1, 2, ""])
        out.publish(2, WIRE, [1, 2, ""])
        wide = (DAY[:2] + (4,) + DAY[3:], POWER, MESSAGE)
        out.publish(3, wide, [10, 2, ""])
        self.assertTrue(readings[0][1] is readings[1][1])
        self.assertFalse(readings[1][1] is readings[2][1])
        self.assertEqual(readings[1][1].channels[0][2], 3)
        self.assertEqual(readings[2][1].channels[0][2], 4)
        self.assertTrue(out.source is readings[2][1])

    def test_names(self):
        out, readings = output(names={"energy_import_t1": "day"})
        out.publish(7, WIRE, [1, 2, ""])
        self.assertEqual(readings[0][1].channels[0], ("day",) + DAY[1:])
        self.assertEqual(readings[0][1].channels[1], POWER)

    def test_keys_that_the_meter_has_not_are_named_once(self):
        said = []

        class Log(logging.Handler):
            def emit(self, record):
                said.append(
                    record.getMessage() if hasattr(record, "getMessage") else record.message
                )

        log = logging.getLogger("p1")
        before = log.handlers
        log.handlers = [Log()]
        try:
            out, _ = output({"enrgy": "x", "energy_import_t1": "power_import"}, {"gas": "1"})
            out.publish(7, WIRE, [1, 2, ""])
            out.publish(8, WIRE, [1, 2, ""])
        finally:
            log.handlers = before
        self.assertEqual(len(said), 3)
        self.assertIn("`names`: the meter has no enrgy yet; it has energy_import_t1, ", said[0])
        self.assertIn("`offsets`: the meter has no gas yet", said[1])
        self.assertIn("two channels are called power_import", said[2])

    def test_wanted_goes_by_the_readers_keys(self):
        out, readings = output(names={"power_import": "power"}, wanted=["power_import"])
        out.publish(7, WIRE, [1, 2, ""])
        self.assertEqual([channel[0] for channel in readings[0][1].channels], ["power"])
        self.assertEqual(readings[0][2], (2,))

    def test_offset_is_exact(self):
        out, readings = output(offsets={"energy_import_t1": "123456789.5"})
        out.publish(7, WIRE, [45678123, 2, ""])
        out.publish(8, WIRE, [None, 2, ""])
        self.assertEqual(readings[0][2], (123456789500 + 45678123, 2, ""))
        self.assertEqual(readings[1][2], (None, 2, ""))

    def test_negative_offset(self):
        out, readings = output(offsets={"energy_import_t1": "-0.001"})
        out.publish(7, WIRE, [1, 2, ""])
        self.assertEqual(readings[0][2][0], 0)

    def test_offset_with_more_decimals_than_the_channel(self):
        out, readings = output(offsets={"energy_import_t1": "0.00015", "power_import": "-5"})
        out.publish(7, WIRE, [45678123, 2, ""])
        out.publish(8, WIRE, [None, None, ""])
        _, source, values = readings[0]
        self.assertEqual(source.channels[0], DAY[:2] + (5,) + DAY[3:])
        self.assertEqual(source.channels[1], POWER)
        self.assertEqual(values, (4567812315, -3, ""))
        self.assertEqual(readings[1][2], (None, None, ""))

    def test_offset_of_a_text_changes_nothing(self):
        out, readings = output(offsets={"message": "1"})
        out.publish(7, WIRE, [1, 2, "hello"])
        self.assertEqual(readings[0][2], (1, 2, "hello"))
