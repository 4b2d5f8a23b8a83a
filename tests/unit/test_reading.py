"""Sources, and the Output between a reader and the queue."""

import logging
import unittest

from joulelog import clock
from joulelog.flow.latest import Latest
from joulelog.flow.queue import Queue
from joulelog.flow.reading import DEVICE, Output, texts

DAY = ("energy_import_t1", "kWh", 3, "total_increasing", "energy")
POWER = ("power_import", "W", 0, "measurement", "power")
MESSAGE = ("message", "", 0, "text", "")
WIRE = (DAY, POWER, MESSAGE)


class Sieve:
    """Stands for the queue: keeps what is put."""

    def __init__(self):
        self.readings = []
        self.latest = Latest()

    def put(self, reading):
        self.readings.append(reading)
        self.latest.put(reading)

    def alike(self, name, channels, identity=None):
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
        return [reading[0] for reading in readings], out._row.left_out


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
        return queue, found, wire, made._source

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

    def test_of_another_device(self):
        """Two sources, and the channels of both take the room of one."""
        queue = Queue(8, clock.Clock())
        old = queue.source("p1", tuple([tuple(channel) for channel in WIRE]))
        there = ("there", "dsmr", None, None, None)
        moved = queue.source("p1", tuple([tuple(channel) for channel in WIRE]), there)
        self.assertTrue(moved is not old and moved.channels is old.channels)
        wire = tuple([tuple(channel) for channel in WIRE])
        made = Output(queue, "p1", {}, {}, None, ("here", "dsmr", None, None, None))
        made.publish(1, wire, (1, 2, None))
        self.assertTrue(made._source.channels is wire and old.channels is wire)
        self.assertEqual(made._source.identity[DEVICE], "here")
        self.assertEqual((old.identity, moved.identity), ((None,) * 5, there))
        self.assertTrue(queue.source("p1", WIRE, there) is moved)


class TestIdentity(unittest.TestCase):
    """Who the meter is."""

    def test_before_its_first_reading(self):
        sieve = Sieve()
        out = Output(sieve, "p1", {}, {}, None, ("house", "dsmr", None, None, None))
        out.identify("ISK", "2M550T-1011", "E0039")
        out.publish(7, WIRE, [1, 2, None])
        (reading,) = sieve.readings
        wanted = ("house", "dsmr", "ISK", "2M550T-1011", "E0039")
        self.assertEqual(reading[1].identity, wanted)

    def test_another_meter_is_another_source(self):
        out, readings = output()
        for serial in ("1", "1", "2", "2", "1"):
            out.identify("ISK", None, serial)
            out.publish(7 + len(readings), WIRE, [1, 2, None])
        sources = [reading[1] for reading in readings]
        self.assertEqual([source.identity[4] for source in sources], list("11221"))
        self.assertTrue(sources[0] is sources[1] and sources[2] is sources[3])
        self.assertEqual([source.identity[2] for source in sources], ["ISK"] * 5)

    def test_what_nobody_tells(self):
        out, readings = output()
        out.publish(7, WIRE, [1, 2, None])
        self.assertEqual(readings[0][1].identity, (None,) * 5)


class TestState(unittest.TestCase):
    def test_who_watches_is_told_of_other_words(self):
        woken = []

        class Watcher:
            def wake(self):
                woken.append(out.state)

        queue = Queue(8, clock.Clock())
        out = Output(queue, "p1", {}, {}, None)
        queue.latest.watchers.append(Watcher())
        self.assertEqual(queue.latest.of("p1"), None)  # its row is there from the start on
        for state in ("no answer", "no answer", "ok"):
            out.say(state)
        self.assertEqual((woken, queue.latest.row("p1").state), (["no answer", "ok"], "ok"))


class TestOutput(unittest.TestCase):
    def test_passes_on_what_it_gets(self):
        out, readings = output()
        out.publish(7, WIRE, [45678123, None, "hello"])
        time, source, values = readings[0]
        self.assertEqual((time, source.name, source.channels), (7, "p1", WIRE))
        self.assertEqual(values, (45678123, None, "hello"))
        self.assertEqual(out._row.count, 1)

    def test_nothing_is_known_any_more(self):
        out, readings = output()
        out.unknown()  # nothing was
        self.assertEqual(readings, [])
        out.publish(7, WIRE, [1, 2, ""])
        out._row.came_ms -= 30900  # so long ago, by whatever clock
        out.unknown()
        self.assertEqual((readings[1][0], readings[1][2]), (7 + 29, (None,) * 3))
        self.assertTrue(readings[1][1] is readings[0][1])
        out.publish(7 + 31, WIRE, [1, 2, ""])  # the meter is back, its clock as it was
        self.assertEqual((readings[2][0], out._row.left_out), (7 + 31, 0))

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
        self.assertTrue(out._source is readings[2][1])

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
            for serial in "12":  # a meter may tell another identity with each telegram
                out.identify(None, None, serial)
                out.publish(8 + int(serial), WIRE, [1, 2, ""])
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

    def test_offset_of_what_is_no_number_changes_nothing(self):
        out, readings = output(offsets={"message": "1"})
        out.publish(7, WIRE, [1, 2, "hello"])
        self.assertEqual(readings[0][2], (1, 2, "hello"))
        for kind in ("time", "code", "flag"):
            channels = (("gas_time", "", 0, kind, ""),)
            out, readings = output(offsets={"gas_time": "1.5"})
            out.publish(7, channels, [1])
            self.assertEqual((readings[0][1].channels, readings[0][2]), (channels, (1,)))


class TestTexts(unittest.TestCase):
    def pairs(self, values, columns, words):
        found = texts(values, WIRE, columns, words)
        return list(zip(found, found))

    def test_digit_for_digit_and_only_what_is_there(self):
        every = range(3)
        large = 10**17 + 1
        self.assertEqual(
            self.pairs((large, -5, "ok"), every, str),
            [
                ("energy_import_t1", "100000000000000.001"),
                ("power_import", "-5"),
                ("message", "ok"),
            ],
        )
        self.assertEqual(self.pairs((None, None, None), every, str), [])
        self.assertEqual(
            self.pairs((0, None, ""), every, str), [("energy_import_t1", "0.000"), ("message", "")]
        )

    def test_a_time_is_no_number(self):
        channels = (("since", "", 0, "time", ""), ("on", "", 0, "flag", ""))
        for more, wanted in (((), "2000-01-01T00:01:00Z"), ((clock.unix,), "946684860")):
            found = texts((60, 1), channels, range(2), str, *more)
            self.assertEqual(list(found), ["since", wanted, "on", "1"])

    def test_columns_and_words(self):
        values = (7, 8, "ok")
        self.assertEqual(
            self.pairs(values, (2, 0), repr), [("message", "'ok'"), ("energy_import_t1", "0.007")]
        )
        self.assertEqual(self.pairs(values, (0, 2), None), [("energy_import_t1", "0.007")])
