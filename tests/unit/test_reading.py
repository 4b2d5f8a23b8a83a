"""Sources, and the Output between a reader and the queue."""

import logging
import unittest

from joulelog import clock
from joulelog.queue import Queue
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

    def alike(self, name, channels):
        return None


def output(names=None, offsets=None, wanted=None):
    sieve = Sieve()
    return Output(sieve, "p1", names or {}, offsets or {}, wanted), sieve.readings


class Uptime:
    """clock.uptime_ms() by hand."""

    def __enter__(self):
        self.ms = 0
        self.real = clock.uptime_ms
        clock.uptime_ms = lambda: self.ms
        return self

    def __exit__(self, *about):
        clock.uptime_ms = self.real


def stamped(pairs):
    """Times of the readings that are made of (uptime in ms, time) pairs, and how many are not."""
    with Uptime() as uptime:
        out, readings = output()
        for ms, time in pairs:
            uptime.ms = ms
            out.publish(time, WIRE, [1, 2, ""])
        return [reading[0] for reading in readings], out.left_out


class TestTimes(unittest.TestCase):
    def test_rising_ones_are_not_touched(self):
        pairs = [(n * 10, 848000000 + n) for n in range(1000)]
        self.assertEqual(stamped(pairs), ([time for _, time in pairs], 0))

    def test_a_clock_put_back_by_an_hour_every_ten_seconds(self):
        begin = 848000000
        pairs = [(n * 10000, begin + n * 10 - (3600 if n >= 100 else 0)) for n in range(1000)]
        times, left_out = stamped(pairs)
        self.assertEqual((len(times), left_out), (1000, 0))
        self.assertEqual(times, sorted(set(times)))  # none twice
        self.assertEqual(times[:100], [time for _, time in pairs[:100]])
        self.assertEqual(times[550:], [time for _, time in pairs[550:]])  # caught up

    def test_every_second(self):
        begin = 848000000
        pairs = [(n * 1000, begin + n - (600 if n >= 100 else 0)) for n in range(2000)]
        times, left_out = stamped(pairs)
        self.assertEqual(times, sorted(set(times)))
        self.assertEqual((len(times) + left_out, times[-1]), (2000, pairs[-1][1]))
        self.assertTrue(590 <= left_out <= 610, left_out)

    def test_the_same_telegram_twice(self):
        times, left_out = stamped([(0, 848000000), (400, 848000000), (1000, 848000001)])
        self.assertEqual((times, left_out), ([848000000, 848000001], 1))

    def test_a_meter_asked_each_second_whose_answers_come_a_little_earlier_or_later(self):
        begin = 848000000
        pairs = []
        for n in range(1000):
            ms = n * 1000 + (7 * n) % 90 - 45  # around the full second
            pairs.append((ms, begin + ms // 1000))
        times, left_out = stamped(pairs)
        self.assertEqual((len(times), left_out), (1000, 0))
        for n, time in enumerate(times):
            self.assertTrue(abs(time - begin - n) <= 1)

    def test_a_wrong_date_is_put_right(self):
        times, _ = stamped([(0, 948000000), (10000, 848000000), (20000, 848000010)])
        self.assertEqual(times, [948000000, 848000000, 848000010])

    def test_uptime_stamps_rise_as_well(self):
        times, left_out = stamped([(0, -500), (100, -500), (5000, -495)])
        self.assertEqual((times, left_out), ([-500, -495], 1))


class TestSourceOfAnEarlierRun(unittest.TestCase):
    """What a restart finds on the flash, and what the meter says then, is one source."""

    def found_and_read(self, **names):
        queue = Queue(8, clock.Clock())
        found = queue.source("p1", tuple([tuple(channel) for channel in WIRE]))
        wire = tuple([tuple(channel) for channel in WIRE])
        made = Output(queue, "p1", names, {}, None)
        made.publish(1, wire, (1, 2, None))
        return queue, found, wire, made.source

    def test_alike(self):
        queue, found, wire, read = self.found_and_read()
        self.assertTrue(read is found)
        self.assertTrue(read.channels is wire)  # which the reader has anyway
        self.assertTrue(queue.source("p1", WIRE) is read)

    def test_other_channels(self):
        queue, found, wire, read = self.found_and_read(power_import="house")
        self.assertTrue(read is not found)
        self.assertEqual(found.channels, WIRE)
        self.assertTrue(queue.source("p1", WIRE) is found)


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
