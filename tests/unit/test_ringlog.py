"""lib/ringlog: one suite for every medium: RAM, a folder; on the VM RAM, littlefs and FAT."""

import unittest

import ringlog_media
from ringlog.nibbles import PageError
from ringlog.ringdelta import Track
from ringlog.ringpage import base_of, schema_payload, take_schema
from ringlog_media import (
    P1,
    PZEM,
    channels,
    difference,
    drain,
    fill,
    opened,
    put,
    read_all,
    reading,
    values_of,
)
from same_source import make_source

import joulelog  # noqa: F401 - keeps it off the wasm builds: there a whole test has to fit


class OnRam(unittest.TestCase):
    medium = ringlog_media.Ram

    def setUp(self):
        self._medium = self.medium()
        self.folder = self._medium.folder

    def tearDown(self):
        self._medium.close()

    def test_nothing_yet(self):
        log = opened(self.folder)
        self.assertEqual((log.first, log.last, log.state, log.pending), (-1, -1, {}, 0))
        self.assertEqual((log.used_bytes, log.oldest_end, log.pages), (0, 0, 0))
        self.assertEqual(difference(read_all(log), []), "")
        self.assertTrue(log.flush())
        self.assertEqual(self.folder.names(), [])

    def test_what_was_put_in_comes_out(self):
        log = opened(self.folder)
        expected = fill(log, 0, 200)
        self.assertEqual((log.first, log.last), (0, 199))
        self.assertEqual(difference(read_all(log), expected), "")
        for start in (1, 57, 100, 199):
            self.assertEqual(difference(read_all(log, start), expected[start:]), "")
        self.assertEqual(difference(read_all(log, 200), []), "")
        self.assertEqual(log.damaged, 0)

    def test_reopen(self):
        expected = []
        for start in range(0, 200, 20):
            log = opened(self.folder)
            self.assertEqual(log.last, start - 1)
            expected += fill(log, start, start + 20)
            log.state["mqtt"] = start
            log.save_state()
            again = opened(self.folder)
            self.assertEqual((again.first, again.last), (0, start + 19))
            self.assertEqual(again.state, {"mqtt": start})
            self.assertEqual(again.used_bytes, log.used_bytes)
            self.assertEqual(difference(read_all(again), expected), "")
            self.assertEqual(again.damaged, 0)

    def test_wrap(self):
        """Twenty times the capacity: the newest stay, and the bound holds."""
        log = opened(self.folder, 12288, 2048, 256)
        fill(log, 0, 1500)
        self.assertTrue(log.used_bytes <= 12288)
        self.assertTrue(log.removed > 10)
        self.assertEqual(sum([self.folder.size(n) for n in self.folder.names()]), log.used_bytes)
        found = read_all(log)
        self.assertEqual(
            difference(found, [reading(serial) for serial in range(log.first, 1500)]), ""
        )
        self.assertTrue(len(found) > 100)
        again = opened(self.folder, 12288, 2048, 256)
        self.assertEqual((again.first, again.last), (log.first, 1499))
        self.assertEqual(difference(read_all(again), found), "")

    def test_full(self):
        """Nothing is written where there is no room, and nothing goes by itself."""
        log = opened(self.folder, 4096, 1024, 256)
        serial = 0
        while True:
            if log.append(*reading(serial)):
                serial += 1
            elif not log.flush():
                break
        pending = log.pending
        used = log.used_bytes
        self.assertTrue(pending > 1)
        self.assertTrue(4096 - 700 < used <= 4096)
        self.assertFalse(log.flush())
        self.assertFalse(log.flush(True))
        self.assertEqual((log.pending, log.used_bytes, log.first), (pending, used, 0))
        self.assertEqual(len(read_all(log)), serial - pending)
        end = log.oldest_end
        log.drop_oldest()
        self.assertEqual(log.first, end)
        self.assertTrue(log.flush())
        self.assertEqual(
            difference(read_all(log), [reading(number) for number in range(end, serial)]), ""
        )

    def test_without_memory_for_a_reading_the_page_stays_as_it_was(self):
        class Text(str):
            def encode(self, *how):
                raise MemoryError

        log = opened(self.folder)
        first = reading(0)
        self.assertTrue(log.append(*first))
        channels_of = first[3].channels
        values = tuple([Text("x") if c[3] == "text" else 7 for c in channels_of])
        with self.assertRaises((MemoryError, TypeError, AttributeError)):
            log.append(1, *first[1:4], values[:-1] + (Text("x"),))
        expected = [first, reading(2)]
        expected[1] = (1,) + expected[1][1:]
        self.assertTrue(log.append(*expected[1]))
        self.assertTrue(log.flush())
        self.assertEqual(difference(read_all(log), expected), "")

    def test_the_newest_segment_stays(self):
        log = opened(self.folder)
        expected = fill(log, 0, 5)
        for _ in range(3):
            log.drop_oldest()
            log.trim(1000)
        self.assertEqual((read_all(log), log.oldest_end, log.removed), (expected, 5, 0))

    def test_trim(self):
        log = opened(self.folder, 65536, 1024, 256)
        fill(log, 0, 400)
        for serial in (0, 1, 100, 250, 399):
            log.trim(serial)
            self.assertTrue(log.first <= serial < log.oldest_end)
            again = opened(self.folder)
            self.assertEqual(
                difference(read_all(again, serial), [reading(i) for i in range(serial, 400)]), ""
            )

    def test_several_readers(self):
        log = opened(self.folder)
        expected = fill(log, 0, 300)
        starts = (0, 1, 150, 290)
        readers = []
        for start in starts:
            reader = log.reader()
            reader.seek(start)
            readers.append((reader, []))
        busy = 300000
        while busy and [1 for start, (_, found) in zip(starts, readers) if found[-1:] != [299]]:
            busy -= 1
            for reader, found in readers:
                if reader.step():
                    self.assertEqual(reader.values, reading(reader.serial)[4])
                    self.assertEqual(reader.stamp, reading(reader.serial)[2])
                    found.append(reader.serial)
        for start, (_, found) in zip(starts, readers):
            self.assertEqual(difference(found, list(range(start, 300))), "")
        self.assertEqual((read_all(log), log.damaged), (expected, 0))

    def test_two_readers_that_share_the_buffer(self):
        """In every rhythm, and also when one of them stops in the midst of a page."""
        log = opened(self.folder)
        fill(log, 0, 120)
        for rhythm in ((1, 1), (1, 2), (3, 1), (1, 7), (20, 3), (1, 90)):
            pair = (log.reader(), log.reader())
            pair[1].seek(60)
            found = ([], [])
            for _ in range(20000):
                for which in (0, 1):
                    for _ in range(rhythm[which]):
                        if pair[which].step():
                            self.assertEqual(pair[which].values, reading(pair[which].serial)[4])
                            found[which].append(pair[which].serial)
                if len(found[0]) == 120 and len(found[1]) == 60:
                    break
            self.assertEqual(found, (list(range(120)), list(range(60, 120))), rhythm)
        quiet = log.reader()
        for steps in range(1, 30):
            for _ in range(steps):
                quiet.step()
            self.assertEqual(len(read_all(log)), 120)
        self.assertEqual(log.damaged, 0)

    def test_a_slow_reader_and_a_log_that_grows(self):
        log = opened(self.folder, 32768, 1024, 256)
        reader = log.reader()
        found = drain(reader)
        self.assertEqual(difference(found, []), "")
        serial = 0
        for turn in range(60):
            for _ in range(turn % 9):
                put(log, reading(serial))
                serial += 1
            if turn % 4 == 3:
                log.flush(turn % 8 == 3)
            found += drain(reader, 3)
        log.flush()
        found += drain(reader)
        self.assertEqual(difference(found, [reading(number) for number in range(serial)]), "")
        self.assertIs(reader.step(), False)

    def test_a_reader_sees_only_what_was_flushed(self):
        log = opened(self.folder)
        fill(log, 0, 3)
        reader = log.reader()
        self.assertEqual(len(drain(reader)), 3)
        log.append(*reading(3))
        self.assertEqual(difference(drain(reader), []), "")
        log.flush()
        self.assertEqual(difference(drain(reader), [reading(3)]), "")

    def test_segments_removed_under_a_reader(self):
        for steps in range(0, 400, 23):
            self.tearDown()
            self.setUp()
            log = opened(self.folder, 65536, 1024, 256)
            fill(log, 0, 150)
            reader = log.reader()
            found = []
            for _ in range(steps):
                if reader.step():
                    found.append(reader.serial)
            log.drop_oldest()
            log.drop_oldest()
            rest = [item[0] for item in drain(reader)]
            first = max(log.first, found[-1] + 1 if found else 0)
            self.assertEqual(rest, list(range(first, 150)), steps)

    def test_gaps_boots_and_stamps(self):
        log = opened(self.folder)
        items = []
        serial = 5
        for boot in range(4):
            for stamp in (-536870912 + 7, -536870912 + 17, 0, 1 << 30, (1 << 31) - 1, 1 << 32):
                for source in (PZEM, P1, PZEM):
                    item = (serial, boot, stamp, source, values_of(source, serial))
                    put(log, item)
                    items.append(item)
                    serial += 1
            serial += 10**boot
        self.assertFalse(log.append(serial, 3, 0, PZEM, values_of(PZEM, 1)), "a gap")
        self.assertFalse(log.append(items[-1][0] + 1, 4, 0, PZEM, values_of(PZEM, 1)), "a boot")
        log.flush()
        self.assertEqual((log.first, log.last), (5, items[-1][0]))
        self.assertEqual(difference(read_all(log), items), "")
        for start in range(0, serial, 3):
            expected = [item for item in items if item[0] >= start]
            self.assertEqual(difference(read_all(log, start), expected), "")
        with self.assertRaises(ValueError):
            log.append(log.last, 3, 0, PZEM, values_of(PZEM, 1))

    def test_serial_numbers_beyond_small_integers(self):
        log = opened(self.folder, 65536, 1024, 256)
        start = (1 << 30) - 100
        expected = fill(log, start, start + 200)
        start = (1 << 31) - 100
        expected += fill(log, start, start + 100)
        again = opened(self.folder)
        self.assertEqual(again.last, (1 << 31) - 1)
        self.assertEqual(difference(read_all(again), expected), "")
        with self.assertRaises(ValueError):
            again.append(1 << 31, 0, 0, PZEM, values_of(PZEM, 1))

    def test_values(self):
        """Beyond 31 and 63 bits, texts, None, and from each of them to each other."""
        log = opened(self.folder, 1 << 20, 65536, 1024)
        kinds = [None, 0, 1, -1, "", "a", "21 °C \x00\n", "x" * 300]
        for bits in (3, 29, 30, 31, 62, 63, 250):
            kinds += [1 << bits, -(1 << bits) - 1]
        kinds += [(1 << 30) - 1, (1 << 63) - 1, -(1 << 30), -(1 << 63)]
        source = make_source("all", channels(3))
        items = []
        for first in kinds:
            for second in kinds:
                for value in (first, second):
                    item = (len(items), 0, len(items), source, (value, 7, first))
                    put(log, item)
                    items.append(item)
        log.flush()
        self.assertEqual(difference(read_all(log), items), "")
        again = opened(self.folder)
        self.assertEqual(difference(read_all(again, 600), items[600:]), "")
        self.assertEqual(again.damaged, 0)

    def test_any_number_of_channels(self):
        log = opened(self.folder, 1 << 18, 65536, 1024)
        items = []
        for count in (0, 1, 3, 4, 5, 15, 16, 17, 31, 32, 33, 64, 65, 254, 255):
            source = make_source("of %d" % count, channels(count))
            for turn in range(6):
                serial = len(items)
                values = values_of(source, serial // 2 if turn % 2 else 3)
                item = (serial, 0, serial * 10, source, values)
                put(log, item)
                items.append(item)
        log.flush()
        self.assertEqual(difference(read_all(log), items), "")
        self.assertEqual(difference(read_all(opened(self.folder)), items), "")
        with self.assertRaises(ValueError):
            source = make_source("of 256", channels(256))
            log.append(len(items), 0, 0, source, values_of(source, 0))
        with self.assertRaises(ValueError):
            log.append(len(items), 0, 0, PZEM, (1, 2, 3))

    def test_a_reading_larger_than_a_page(self):
        log = opened(self.folder, 65536, 16384, 256)
        source = make_source("text", channels(5))
        sizes = (10, 100, 200, 300, 1000, 3000, 8000, 50, 60)
        items = []
        for serial, size in enumerate(sizes):
            item = (serial, 0, serial, source, (1, 2, 3, "é" * (size // 2), serial))
            put(log, item)
            items.append(item)
        self.assertTrue(log.append(9, 0, 9, PZEM, values_of(PZEM, 9)))
        log.flush()
        items.append((9, 0, 9, PZEM, values_of(PZEM, 9)))
        self.assertEqual(difference(read_all(log), items), "")
        self.assertEqual(difference(read_all(opened(self.folder)), items), "")
        for value in ("x" * 8192, 1 << 300, -(1 << 300)):
            with self.assertRaises(ValueError):
                log.append(10, 0, 10, source, (1, 2, 3, value, 4))
            self.assertEqual(log.pending, 0)
        put(log, (10, 0, 10, source, (1, 2, 3, "", 4)))
        with self.assertRaises(ValueError):
            log.append(11, 0, 10, source, (1, 2, 1 << 300, "", 4))
        self.assertTrue(log.append(11, 0, 10, source, (1, 2, 4, "", 4)))
        log.flush()
        items += [(10, 0, 10, source, (1, 2, 3, "", 4)), (11, 0, 10, source, (1, 2, 4, "", 4))]
        self.assertEqual(difference(read_all(log), items), "")

    def test_schema_change(self):
        log = opened(self.folder, 65536, 4096, 256)
        versions = [make_source("p1", channels(count)) for count in (5, 6, 5, 9)]
        other = (("key_0", "kW", 3, "measurement", "power"),)
        versions += [make_source("p1", other), make_source("gas", other)]
        items = []
        for serial in range(200):
            source = versions[serial // 9 % len(versions)]
            item = (serial, 0, serial * 10, source, values_of(source, serial))
            put(log, item)
            items.append(item)
            if serial % 50 == 49:
                log.flush()
                log = opened(self.folder, 65536, 4096, 256)
        found = read_all(log)
        self.assertEqual(difference(found, items), "")
        for item, given in zip(found, items):
            self.assertEqual(item[3].channels, given[3].channels)

    def test_every_kind(self):
        """A time, in the unit and class that meters have it in, stays what it is."""
        kinds = ("measurement", "total", "total_increasing", "text", "time", "code", "flag")
        made = [("is_" + kind, "", 0, kind, "") for kind in kinds]
        made += [("gas", "m³", 3, "total_increasing", "gas")]
        made += [("gas_time", "", 0, "time", "timestamp")]
        made += [("gas_flow", "m³/h", 3, "measurement", "volume_flow_rate")]
        log = opened(self.folder)
        source = make_source("p1", tuple(made))
        items = []
        for serial in range(40):  # over 2034-01-09, where small integers end, None in between
            time = None if serial % 7 == 3 else (1 << 30) - 6000 + serial * 300
            values = (serial, -serial, serial, "a", time, 2, serial & 1, 4381 + serial, time, 120)
            items.append((serial, 0, serial * 10, source, values))
            put(log, items[-1])
        log.flush()
        found = read_all(opened(self.folder))
        self.assertEqual(difference(found, items), "")
        self.assertEqual(found[39][3].channels, source.channels)

    def test_who_a_source_is(self):
        """What tells two sources of one name apart comes back, None and nothing included."""
        log = opened(self.folder, 65536, 4096, 256)
        who = [("kitchen", "p1", None), ("cellar", "p1", "no 5"), (), (None, None, None)]
        who += [("kitchen", "p1", None, "é" * 20), ("kitchen", "p1", "")]
        items = []
        for serial in range(200):
            source = make_source("p1", channels(5), who[serial // 7 % 5])
            item = (serial, 0, serial * 10, source, values_of(source, serial))
            put(log, item)
            items.append(item)
            if serial % 50 == 49:
                log.flush()
                log = opened(self.folder, 65536, 4096, 256)
        found = read_all(log)
        self.assertEqual(difference(found, items), "")
        for item, given in zip(found, items):
            self.assertEqual(item[3].identity, given[3].identity)
        self.assertEqual(log.damaged, 0)

    def test_a_schema_without_an_identity(self):
        """As 0.1.0 wrote it: the payload ends behind the base, or with half a byte, which is 0."""
        ended = 0
        for count in range(1, 9):
            source = make_source("p1", channels(count))
            payload = schema_payload(Track(source, base_of(values_of(source, 1))))
            for end in (len(payload), len(payload) - 1):
                tracks: dict = {}
                try:
                    take_schema(tracks, 3, payload, end, make_source)
                except PageError:  # there was half a byte of the base in the last one
                    continue
                found = tracks[3]
                self.assertEqual(
                    (found.source, found.base), (source, base_of(values_of(source, 1)))
                )
                ended += end < len(payload)
        self.assertTrue(0 < ended < 8)

    def test_more_sources_than_a_segment_can_have(self):
        log = opened(self.folder, 1 << 18, 65536, 1024)
        items = []
        for serial in range(200):
            source = make_source("s%d" % (serial * 7 % 80), channels(2 + serial % 3))
            item = (serial, 0, serial, source, values_of(source, serial))
            put(log, item)
            items.append(item)
        log.flush()
        self.assertEqual(difference(read_all(log), items), "")
        self.assertEqual(difference(read_all(opened(self.folder)), items), "")

    def test_a_source_that_is_made_anew(self):
        log = opened(self.folder)
        used = []
        for serial in range(40):
            source = ringlog_media.Source("again", channels(4))
            put(log, (serial, 0, serial, source, values_of(source, serial)))
            log.flush()
            used.append(log.used_bytes)
        self.assertTrue(used[-1] - used[0] < 39 * 40)

    def test_state(self):
        log = opened(self.folder, 8192, 1024, 256)
        values = (0, -1, 1 << 30, 1 << 31, -(1 << 63), 1 << 64, 1 << 200)
        for index, value in enumerate(values):
            log.state["value"] = value
            log.state["läst %d" % index] = index
            log.save_state()
            again = opened(self.folder)
            self.assertEqual(again.state, log.state)
        log.state["value"] = 5
        fill(log, 0, 100)
        again = opened(self.folder)
        self.assertEqual(again.state["value"], 1 << 200, "changed, but not saved")
        log.flush(True)
        self.assertEqual(opened(self.folder).state["value"], 5)
        self.assertTrue(len(self.folder.names()) > 1)
        while log.oldest_end <= log.last:
            log.drop_oldest()
            self.assertEqual(opened(self.folder).state, log.state)
        for wrong in ({"a": "text"}, {"a": None}, {"a": 1 << 300}):
            log.state = wrong
            with self.assertRaises((ValueError, TypeError)):
                log.save_state()
        log.state = dict([("name %d" % i, i) for i in range(256)])
        with self.assertRaises(ValueError):
            log.save_state()

    def test_states_alone_do_not_fill_the_medium(self):
        log = opened(self.folder, 4096, 1024, 256)
        for first in (0, 7):
            for number in range(300):
                log.state["n"] = number
                log.save_state()
                self.assertTrue(log.used_bytes < 3072)
            self.assertEqual(opened(self.folder, 4096, 1024, 256).state, {"n": 299})
            log.append(*reading(first))
            for number in range(300):
                log.state["n"] = number
                log.save_state()
            self.assertEqual(log.pending, 1)
            log.flush()
            log = opened(self.folder, 4096, 1024, 256)
            self.assertEqual(log.last, first)
            self.assertEqual(difference(read_all(log, first), [reading(first)]), "")

    def test_a_segment_that_was_begun_and_not_written(self):
        log = opened(self.folder, 65536, 1024, 256)
        for value in (9, 10):
            log.state["a"] = value
            expected = fill(log, 0 if value == 9 else 60, 60 if value == 9 else 61)
        log.save_state()
        for content in (b"", b"\xb7", b"\x00" * 40, b"\xb7\x4a" * 30):
            name = "%08x.log" % (log.last + 1)
            self.folder.append(name, content)
            log = opened(self.folder, 65536, 1024, 256)
            self.assertEqual((log.state, log.last), ({"a": 10}, int(name[:8], 16) - 1))
            while len(self.folder.names()) > 2:
                log.drop_oldest()
            log.drop_oldest()
            self.assertEqual(opened(self.folder).state, {"a": 10})
            expected = fill(log, log.last + 1, log.last + 30)
            self.assertEqual(difference(read_all(log), expected), "")
            self.assertEqual(difference(read_all(opened(self.folder)), expected), "")

    def test_other_files_are_left_alone(self):
        names = (
            "state.a",
            "joulelog.log",
            "0000000.log",
            "0000000g.log",
            "00000000.lo",
            "x",
        )
        names += ("0000000A.log", "00000000-0001.log", "00000000_001.log", "80000000.log")
        for name in names:
            self.folder.append(name, b"mine")
        log = opened(self.folder, 4096, 1024, 256)
        self.assertEqual((log.last, log.used_bytes), (-1, 0))
        fill(log, 0, 300)
        self.assertTrue(log.removed > 0)
        for name in names:
            self.assertEqual(self.folder.size(name), 4)

    def test_a_medium_that_fails(self):
        """ENOSPC and EIO, with nothing, a part or all of it written; it goes on later."""
        for written in (0, 1, 9, 100, 250, 100000):
            self.tearDown()
            self.setUp()
            failing = Failing(self.folder)
            log = opened(failing, 1 << 18, 1024, 256)
            serial = 0
            for turn in range(21):
                log.state["n"] = turn
                for _ in range(7):
                    put(log, reading(serial))
                    serial += 1
                before = (log.last, log.pending)
                failing.fail(28 if turn % 2 else 5, written, 1 + turn % 3)
                for _ in range(1 + turn % 3):
                    with self.assertRaises(OSError):
                        log.flush(turn % 4 == 0)
                self.assertEqual((log.last, log.pending), before)
                if turn % 5 == 4:  # it stays like this over a restart
                    log = opened(failing, 1 << 18, 1024, 256)
                    serial = log.last + 1
                    continue
                if turn % 3 == 0 and log.append(*reading(serial)):
                    serial += 1
                self.assertTrue(log.flush(turn % 7 == 0))
                self.assertEqual(log.last, serial - 1)
                start = max(0, serial - 20)
                expected = [reading(i) for i in range(start, serial)]
                self.assertEqual(difference(read_all(log, start), expected), "", written)
            sizes = [self.folder.size(name) for name in self.folder.names()]
            self.assertEqual(sum(sizes), log.used_bytes)
            again = opened(failing, 1 << 18, 1024, 256)
            expected = [reading(i) for i in range(log.last + 1)]
            self.assertEqual(difference(read_all(again), expected), "", written)

    def test_no_memory_for_a_step(self):
        """The reader says so, and goes on with the same reading."""
        log = opened(self.folder)
        items = fill(log, 0, 30)
        for at in range(12):
            failing = Failing(self.folder)
            reader = opened(failing).reader()
            failing.no_memory_in = at
            found = []
            failed = 0
            while len(found) < 30:
                try:
                    found += drain(reader, 1)
                except MemoryError:
                    failed += 1
            self.assertEqual(failed, 1)
            self.assertEqual(difference(found, items), "", at)

    def test_states_on_a_medium_that_fails(self):
        for written in (0, 5, 100000):
            self.tearDown()
            self.setUp()
            failing = Failing(self.folder)
            log = opened(failing, 65536, 1024, 256)
            for turn in range(200):
                log.state["n"] = turn
                log.save_state()
                if turn % 3 == 2:
                    failing.fail(5, written, 1)
                    log.state["n"] = -turn
                    with self.assertRaises(OSError):
                        log.save_state()
                    stored = opened(failing, 65536, 1024, 256).state["n"]
                    self.assertEqual(stored, -turn if written > 200 else turn)

    def test_a_medium_that_fails_where_it_is_read(self):
        failing = Failing(self.folder)
        log = opened(failing)
        expected = fill(log, 0, 100)
        for every in (1, 2, 3, 7, 50):
            reader = log.reader()
            found: list = []
            more = None
            errors = 0
            while more is not False and errors < 3000:
                failing.reads_left = every * (1 + errors // 20)
                try:
                    more = reader.step()
                    while more is not False:
                        if more:
                            found.append(reader.serial)
                        more = reader.step()
                except OSError:
                    errors += 1
            self.assertTrue(errors > 0)
            self.assertEqual(found, list(range(100)), every)
        failing.reads_left = -1
        self.assertEqual(difference(read_all(log), expected), "")

    def test_opening_reads_little(self):
        """1 MiB in 16 segments: headers of the newest one, and little else."""
        counting = Failing(self.folder)
        log = opened(counting, 1 << 20, 65536, 1024)
        serial = 0
        source = make_source("wide", channels(30))
        while log.used_bytes < (
            100000 if ringlog_media.VM else 1040000
        ):  # the VM's disks are small
            values = [(serial * (40503 + index) >> 3) & 0xFFFFF for index in range(30)]
            put(log, (serial, 0, serial * 10, source, tuple(values)))
            serial += 1
        log.save_state()
        pages = self.folder.size(sorted(self.folder.names())[-1]) // 900 + 8
        counting.bytes = counting.calls = 0
        again = opened(counting, 1 << 20, 65536, 1024)
        self.assertEqual(again.last, log.last)
        self.assertTrue(counting.calls <= len(self.folder.names()) + 1 + pages + 40)
        self.assertTrue(counting.bytes <= 14 * pages + 4 * 1024, counting.bytes)
        reader = again.reader()
        reader.seek(log.last)
        counting.bytes = counting.calls = 0
        self.assertEqual([item[0] for item in drain(reader)], [log.last])
        self.assertTrue(counting.bytes <= 14 * pages + 5 * 1024, counting.bytes)


class Failing:
    """A folder that fails on request, and counts what is read."""

    def __init__(self, folder) -> None:
        self._folder = folder
        self._error = 0
        self._written = 0
        self._times = 0
        self.reads_left = -1
        self.no_memory_in = -1  # reads
        self.bytes = 0
        self.calls = 0

    def fail(self, error: int, written: int, times: int) -> None:
        """Let the next appends fail, after so many bytes."""
        self._error = error
        self._written = written
        self._times = times

    def names(self) -> list:
        self.calls += 1
        return self._folder.names()

    def size(self, name: str) -> int:
        self.calls += 1
        return self._folder.size(name)

    def append(self, name: str, data) -> None:
        if not self._times:
            return self._folder.append(name, data)
        self._times -= 1
        if self._written:
            self._folder.append(name, memoryview(data)[: self._written])
        raise OSError(self._error, "as the test wants")

    def read(self, name: str, offset: int, buffer) -> int:
        if self.reads_left == 0:
            raise OSError(5, "as the test wants")
        self.reads_left -= 1
        self.no_memory_in -= 1
        if self.no_memory_in == -1:
            raise MemoryError
        size = self._folder.read(name, offset, buffer)
        self.bytes += size
        self.calls += 1
        return size

    def remove(self, name: str) -> None:
        self._folder.remove(name)


@unittest.skipIf(ringlog_media.VM, "on CPython")
class OnPosix(OnRam):
    medium = ringlog_media.Posix


@unittest.skipUnless(ringlog_media.VM, "the VM has littlefs")
class OnLittlefs(OnRam):
    medium = ringlog_media.Littlefs


@unittest.skipUnless(ringlog_media.VM, "the VM has FAT")
class OnFat(OnRam):
    medium = ringlog_media.Fat
