"""The dsmr reader on a scripted UART, by a clock that moves only when told: no test waits."""

import asyncio
import unittest

from civil import seconds
from crc16 import update
from fake_machine import Line, Machine
from virtual_clock import VirtualClock

from joulelog import clock
from joulelog.device import uart
from joulelog.errors import ConfigError
from joulelog.readers import dsmr, replay

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."

try:
    import cryptolib
except ImportError:
    cryptolib = None

NOON = seconds(2026, 11, 20, 12)
OLD = (
    b"/ISk5\\2MT382-1004\r\n\r\n"
    b"0-0:96.1.1(00003148344903)\r\n"
    b"1-0:1.8.1(45678.123*kWh)\r\n"
    b"1-0:1.7.0(0001.01*kW)\r\n"
    b"0-1:24.1.0(3)\r\n"
    b"0-1:24.3.0(161107190000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00001.001)\r\n!"
)
ENTRY = {
    "name": "p1",
    "uart": 2,
    "baud": 0,
    "tx": None,
    "rx": None,
    "invert": False,
    "request_pin": None,
    "request": "hold",
    "key": "",
    "auth_key": "",
    "utc_offset": 1,
    "interval": 0,
    "channels": None,
}


def telegram(number=0, crc=True, energy=b"045678.123", stamp=None):
    """A DSMR 5 telegram of NOON + number seconds."""
    if stamp is None:
        stamp = b"261120%02d%02d%02dW" % (13 + number // 3600, number // 60 % 60, number % 60)
    text = (
        b"/Ene5\\XS210 ESMR 5.0\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(" + stamp + b")\r\n"
        b"1-0:1.8.1(" + energy + b"*kWh)\r\n1-0:1.7.0(00.193*kW)\r\n!"
    )
    if not crc:
        return text + b"\r\n"
    return text + b"%04X\r\n" % update(0, text, 0, len(text))


class Board:
    NAME = "TEST"
    CHIP = "esp32"
    UARTS = {2: {"tx": 17, "rx": 16}}
    RX_BUFFER = 4096
    LINE_BUFFER = 1024
    CAN_INVERT = True


class Esp8266(Board):
    NAME = "ESP8266_GENERIC"
    CAN_INVERT = False


class Output:
    state = ""

    def say(self, state):
        self.state = state

    def unknown(self):
        self.unknowns.append(len(self.readings))

    def __init__(self):
        self.readings = []
        self.unknowns = []  # readings before each
        self.identity = ()

    def identify(self, *identity):
        self.identity = identity

    def publish(self, time, channels, values):
        found = {}
        for channel, value in zip(channels, values):
            found[channel[0]] = (value, channel[2])
        self.readings.append((time, found))


class App:
    board = Board

    def __init__(self):
        self.clock = clock.Clock()


class Said:
    """Stands for the reader's logger."""

    def __init__(self):
        self.lines = []

    def warning(self, text, *values):
        self.lines.append(text % values)

    def info(self, text, *values):
        pass


class Stand:
    """A reader, its line, and the clock of both."""

    def __init__(self, **changes):
        entry = dict(ENTRY)
        entry.update(changes)
        self.virtual = VirtualClock()
        self.line = Line(self.virtual)
        self.machine = Machine(self.line)
        dsmr.machine = uart.machine = self.machine
        self.app = App()
        self.output = Output()
        self.reader = dsmr.Reader("p1", entry, self.output, self.app.clock, Board)

    def count(self, name):
        """What the reader counts by this name."""
        return dict(self.reader.counters())[name]

    def run(self, ms, *more):
        """Run the reader for ms, then for each of more; return what was published."""
        return self.virtual.play(self._run((ms,) + more))

    async def _run(self, spans):
        task = asyncio.create_task(self.reader.run())
        self.error = None
        self.states = []
        for ms in spans:
            await self.virtual.advance(ms)
            self.states.append(self.reader._output.state)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
        except Exception as error:
            self.error = error
        return self.output.readings


class TestFindsTheLine(unittest.TestCase):
    def test_115200_8n1(self):
        stand = Stand()
        stand.line.every(1000, telegram(), 40, 500)
        self.assertEqual(len(stand.run(41000)), 40)
        self.assertEqual(stand.reader._output.state, "ok")
        self.assertEqual(stand.line.tuned, [])
        number, baudrate, options = stand.line.opened[0]
        self.assertEqual((number, baudrate), (2, 115200))
        self.assertEqual((options["bits"], options["parity"], options["stop"]), (8, None, 1))
        self.assertEqual((options["rx"], options["tx"], options["rxbuf"]), (16, 17, 4096))
        self.assertFalse("invert" in options)

    def test_9600_7e1_after_one_trial_and_without_a_false_alarm(self):
        stand = Stand()
        stand.line.every(10000, OLD + b"\r\n", 6, 500, 9600)
        self.assertEqual(len(stand.run(60000)), 4)  # the two of the first 12 s were garbage
        self.assertEqual((stand.reader._output.state, stand.reader.silences), ("ok", 0))
        ((ms, baudrate, options),) = stand.line.tuned
        self.assertTrue(12000 < ms < 12100)
        self.assertEqual((baudrate, options["bits"], options["parity"]), (9600, 7, 0))

    def test_a_given_speed_is_the_only_one(self):
        stand = Stand(baud=9600)
        stand.line.every(10000, OLD + b"\r\n", 3, 500, 9600)
        self.assertEqual(len(stand.run(30000, 60000)), 3)
        self.assertEqual(stand.states, ["ok", "silent"])
        self.assertEqual(stand.reader._output.unknowns, [3])
        self.assertEqual(set([b for _, b, _ in stand.line.opened + stand.line.tuned]), {9600})

    def test_slow_lines_are_read_in_small_pieces(self):
        stand = Stand(baud=9600)
        stand.run(1000)
        self.assertEqual(stand.line.sizes, [32])  # 33 ms, should readinto() wait for the last one

    def test_inversion_is_said_again_with_each_speed(self):
        stand = Stand(invert=True)
        stand.run(30000)
        self.assertEqual(stand.line.opened[0][2]["invert"], Machine(stand.line).UART.INV_RX)
        self.assertEqual([o["invert"] for _, _, o in stand.line.tuned], [2, 2])
        self.assertFalse("rxbuf" in stand.line.tuned[0][2])

    def test_other_settings_are_told(self):
        for baud, form, tried in (
            (2400, "8N1", [(2400, 8, None)]),
            (9600, "7N1", [(9600, 7, None)]),
            (115200, "8E1", [(115200, 8, 0)]),
            (0, "7E1", [(115200, 7, 0), (9600, 7, 0)]),
            (38400, None, [(38400, 8, None), (38400, 7, 0)]),
            (9600, None, [(9600, 7, 0)]),
        ):
            stand = Stand(baud=baud, format=form)
            stand.run(90000)
            said = []
            for _, speed, options in stand.line.opened + stand.line.tuned:
                setting = (speed, options["bits"], options["parity"])
                if setting not in said:
                    said.append(setting)
            self.assertEqual(said, tried)

    def test_a_telegram_on_the_slowest_line(self):
        stand = Stand(baud=300, format="7E1")
        data = OLD + b"\r\n"
        for at in range(len(data)):
            stand.line.at(at * 33, data[at : at + 1], 300)
        self.assertEqual(len(stand.run(len(data) * 33 + 1000)), 1)
        self.assertEqual((stand.line.sizes, stand.line.tuned), ([1], []))

    def test_pins_of_the_entry_go_first(self):
        stand = Stand(rx=5)
        stand.run(100)
        self.assertEqual((stand.line.opened[0][2]["rx"], stand.line.opened[0][2]["tx"]), (5, 17))


class TestSilence(unittest.TestCase):
    def test_counted_once_and_searched_again(self):
        stand = Stand()
        stand.line.every(1000, telegram(), 10, 500)
        stand.line.every(1000, telegram(), 5, 200000)
        stand.run(10000, 34000, 2000, 150000, 10000)
        self.assertEqual(stand.states, ["ok", "ok", "silent", "silent", "ok"])
        self.assertEqual(stand.reader.silences, 1)
        times = [reading[0] for reading in stand.output.readings]
        self.assertEqual((times[0], times == sorted(times)), (NOON, True))  # the telegram's stands
        self.assertEqual(stand.line.tuned[0][0] // 1000, 44)  # 35 s after the last telegram
        self.assertEqual([b for _, b, _ in stand.line.tuned[:3]], [9600, 115200, 9600])

    def test_nothing_at_all(self):
        stand = Stand()
        stand.run(23000, 2000, 3600000)
        self.assertEqual(stand.states, ["searching", "silent", "silent"])
        self.assertEqual(stand.reader.silences, 1)

    def test_bad_telegrams_are_no_meter(self):
        stand = Stand()
        stand.line.every(1000, telegram().replace(b"193", b"194"), 60)
        self.assertEqual(stand.run(40000), [])
        self.assertEqual(stand.reader._output.state, "silent")
        self.assertTrue(stand.count("crc_errors") >= 20)

    def test_noise_in_the_shape_of_a_telegram(self):
        stand = Stand()
        stand.line.every(1000, b"/x\r\n!\r\n", 30)
        self.assertEqual(stand.run(40000), [])
        self.assertEqual((stand.reader._output.state, stand.reader.silences), ("silent", 1))
        self.assertTrue(stand.count("refused") >= 10)

    def test_the_advice_says_what_came(self):
        for data, word in (
            (b"", "port activated"),
            (telegram().replace(b"193", b"194"), "pull-up"),
            (telegram(), "fallen silent"),
        ):
            stand = Stand()
            stand.reader._log = Said()
            stand.line.every(1000, data, 10)
            stand.run(60000)
            (line,) = stand.reader._log.lines
            self.assertTrue(word in line, line)

    def test_two_silences(self):
        stand = Stand(baud=115200)
        for start in (0, 100000, 200000):
            stand.line.every(1000, telegram(), 3, start)
        stand.run(203000)
        self.assertEqual((stand.reader.silences, stand.count("telegrams")), (2, 9))


class TestDevice(unittest.TestCase):
    def test_a_device_that_vanishes(self):
        stand = Stand()
        stand.line.at(0, telegram())

        async def story():
            task = asyncio.create_task(stand.reader.run())
            await stand.virtual.advance(1000)
            stand.line.gone = True
            await stand.virtual.advance(1000)
            self.assertTrue(task.done())
            try:
                await task
            except OSError as error:
                return str(error)

        self.assertTrue("gone" in stand.virtual.play(story()))
        self.assertEqual((stand.reader._output.state, stand.line.closed), ("no device", 1))
        stand.line.gone = False  # the supervisor starts it again
        stand.line.at(3000, telegram(1))
        self.assertEqual(len(stand.run(5000)), 2)
        self.assertEqual((stand.states, stand.line.closed), (["ok"], 2))

    def test_a_device_that_is_not_there(self):
        stand = Stand()
        stand.line.missing = True
        stand.run(100)
        self.assertTrue(isinstance(stand.error, OSError))
        self.assertEqual(stand.reader._output.state, "no device")


class TestRequest(unittest.TestCase):
    def test_held(self):
        stand = Stand(request_pin=4)
        stand.line.every(1000, telegram(), 3)
        stand.run(5000)
        self.assertEqual(stand.machine.levels, [(0, 4, 0), (0, 4, 1)])

    def test_one_pulse_per_telegram(self):
        stand = Stand(request_pin=4, request="pulse")
        stand.line.at(1000, telegram(0))
        stand.line.at(2000, telegram(1))
        stand.run(3000)
        levels = [(ms // 100, level) for ms, _, level in stand.machine.levels]
        self.assertEqual(levels, [(0, 0), (0, 1), (10, 0), (12, 1), (20, 0), (22, 1)])

    def test_asked_for_again_in_silence(self):
        stand = Stand(request_pin=4)
        stand.run(30000)
        self.assertEqual([level for _, _, level in stand.machine.levels], [0, 1, 1, 1])


class TestPieces(unittest.TestCase):
    def test_any_size(self):
        for size in (1, 2, 3, 7, 64, 256, 1000):
            stand = Stand()
            for number in range(2):
                data = telegram(number)
                for at in range(0, len(data), size):
                    stand.line.at(number * 9000 + at * 20 // size, data[at : at + size])
            readings = stand.run(20000)
            self.assertEqual((size, [time for time, _ in readings]), (size, [NOON, NOON + 1]))
            self.assertEqual(readings[1][1]["energy_import_t1"], (45678123, 3))

    def test_a_pause_of_150_ms_in_every_place(self):
        data = telegram()
        stand = Stand()
        ms = 0
        for cut in range(1, len(data)):
            stand.line.at(ms, data[:cut])
            stand.line.at(ms + 150, data[cut:])
            ms += 1000
        self.assertEqual(len(stand.run(ms)), len(data) - 1)
        self.assertEqual((stand.count("crc_errors"), stand.count("refused")), (0, 0))

    def test_two_in_one_chunk(self):
        stand = Stand()
        stand.line.at(0, telegram(0) + telegram(1) + telegram(2))
        self.assertEqual([time - NOON for time, _ in stand.run(1000)], [0, 1, 2])

    def test_no_crc_and_no_last_line_end(self):
        stand = Stand(baud=115200)
        stand.line.at(0, OLD)
        readings = stand.run(150, 100)
        self.assertEqual(stand.states, ["searching", "ok"])
        self.assertEqual(readings[0][1]["gas"], (1001, 3))
        self.assertEqual(readings[0][1]["power_import"], (1010, 0))


class TestTrust(unittest.TestCase):
    def test_no_crc_where_there_was_one(self):
        stand = Stand()
        stand.line.at(0, telegram(0))
        stand.line.at(1000, telegram(1, crc=False))
        stand.line.at(2000, telegram(2))
        self.assertEqual([time - NOON for time, _ in stand.run(3000)], [0, 2])
        self.assertEqual(stand.count("refused"), 1)

    def test_names_of_the_meter(self):
        stand = Stand()
        stand.line.at(0, telegram())
        stand.run(100)
        self.assertEqual(stand.reader._p1.meter, "Ene5\\XS210 ESMR 5.0")
        for name, count in stand.reader.counters():
            self.assertTrue(isinstance(count, int), name)

    def test_another_identification_each_second_is_said_once_a_minute(self):
        stand = Stand()
        said = stand.reader._p1._log = Said()
        said.info = said.warning
        for number in range(150):
            changed = telegram(number, crc=False).replace(b"XS210", b"XS%03d" % number)
            stand.line.at(1000 * number, changed)
        stand.run(150000)
        self.assertEqual(len(stand.output.readings), 150)
        self.assertEqual(stand.output.identity[1], "XS149 ESMR 5.0")
        meters = [line for line in said.lines if line[:6] == "meter "]
        self.assertEqual([line.split()[1][-3:] for line in meters], ["000", "060", "120"])

    def test_the_last_of_two_identifications_is_said_a_minute_later(self):
        stand = Stand()
        said = stand.reader._p1._log = Said()
        said.info = said.warning
        for number in range(70):
            other = telegram(number, crc=False).replace(b"XS210", b"XS999")
            stand.line.at(1000 * number, other if number else telegram(crc=False))
        stand.run(70000)
        meters = [line for line in said.lines if line[:6] == "meter "]
        self.assertEqual([line.split()[1][-3:] for line in meters], ["210", "999"])


class TestTime(unittest.TestCase):
    def test_the_meter_sets_an_unknown_clock(self):
        stand = Stand()
        stand.line.at(1000, telegram())
        stand.run(11000)
        self.assertEqual(stand.app.clock.source, "meter")

        stand.virtual.install()
        try:
            self.assertEqual(stand.app.clock.now(), NOON + 10)
        finally:
            stand.virtual.restore()

    def test_the_meter_corrects_what_a_board_kept_over_a_reset(self):
        stand = Stand()
        stand.app.clock.set(NOON - 86400, "board")
        stand.line.at(0, telegram())
        stand.run(100)
        self.assertEqual(stand.app.clock.source, "meter")

    def test_the_meter_does_not_overrule_what_is_better(self):
        for source in ("ntp", "computer"):
            stand = Stand()
            stand.virtual.install()
            stand.app.clock.set(NOON + 60, source)
            stand.line.at(0, telegram())
            readings = stand.run(100)
            self.assertEqual(readings[0][0], NOON)  # the reading keeps its own time
            self.assertEqual((stand.app.clock.source, stand.app.clock.steps), (source, 0))

    def test_a_meter_without_a_clock_uses_the_boards(self):
        stand = Stand(baud=115200)
        stand.virtual.play(self._set(stand))
        stand.line.at(7000, OLD + b"\r\n")
        self.assertEqual(stand.run(8000)[0][0], NOON + 7)

    async def _set(self, stand):
        stand.app.clock.set(NOON, "ntp")

    def test_no_clock_anywhere(self):
        stand = Stand(baud=115200)
        stand.line.at(7000, OLD + b"\r\n")
        stamp = stand.run(8000)[0][0]
        self.assertTrue(stamp < 0)
        self.assertEqual(stand.app.clock.resolve(stamp), None)
        stand.virtual.install()
        try:
            stand.app.clock.set(NOON, "ntp")  # at 8 s
        finally:
            stand.virtual.restore()
        self.assertEqual(stand.app.clock.resolve(stamp), NOON - 1)

    def test_a_meter_that_lost_its_time(self):
        for lost in (b"000101000000W", b"000615120000S", b"231231235959W"):
            stand = Stand()
            stand.line.at(0, telegram(stamp=lost))
            stamp = stand.run(1000)[0][0]
            self.assertEqual(stamp, -(1 << 29))  # the uptime's code at 0 s
            self.assertEqual(stand.app.clock.source, "")


class TestWrongClock(unittest.TestCase):
    """A meter whose clock is far from a better one."""

    def play(self, stamps, source="ntp", **changes):
        """Readings' times after NOON, a telegram each second; the board's clock is at NOON."""
        stand = self.stand = Stand(**changes)
        stand.reader._p1._log = Said()

        async def story():
            if source:
                stand.app.clock.set(NOON, source)
            await stand._run((1000 * len(stamps) + 500,))
            self.now = stand.app.clock.now() or 0

        for number, stamp in enumerate(stamps):
            stand.line.at(1000 * number, telegram(stamp=stamp))
        stand.virtual.play(story())
        return [time - NOON for time, _ in stand.output.readings]

    WRONG = (
        b"261120140000W",
        b"261120130000S",
        b"270620130000S",
        b"310101120000W",
        b"250320130000W",
    )

    def test_the_board_is_believed(self):
        for stamp in self.WRONG:
            later = stamp[:10] + b"01" + stamp[12:]
            for source in ("ntp", "computer"):
                self.assertEqual(self.play([stamp, later], source), [0, 1])
                self.assertEqual((self.now - NOON, self.stand.app.clock.source), (2, source))
                self.assertEqual(self.stand.count("wrong_times"), 2)
                self.assertEqual(len(self.stand.reader._p1._log.lines), 1)

    def test_by_how_much(self):
        self.play([b"261120150500W"])
        (line,) = self.stand.reader._p1._log.lines
        self.assertTrue("0 d 02:05 h ahead" in line and "`time`" in line, line)
        self.play([b"261118130000W"])
        self.assertTrue("2 d 00:00 h behind" in self.stand.reader._p1._log.lines[0])

    def test_a_few_minutes_are_none(self):
        self.assertEqual(self.play([b"261120130400W"]), [240])
        self.assertEqual(self.stand.count("wrong_times"), 0)

    def test_as_the_entry_says(self):
        self.assertEqual(self.play([b"261120150000W"], time="meter"), [7200])
        self.assertEqual(self.stand.app.clock.source, "ntp")
        self.assertEqual(self.play([b"261120130100W"], time="board"), [0])
        self.play([b"261120130100W"], "", time="board")
        self.assertEqual(self.stand.app.clock.source, "")

    def test_dates_that_cannot_be(self):
        for stamp in (b"700101000000W", b"441231000000W", b"991231235959W", b"230101000000W"):
            self.play([stamp], "")
            self.assertEqual(self.stand.app.clock.source, "")
            self.assertEqual(self.stand.count("wrong_times"), 1)

    def test_one_wrong_date_among_good_ones(self):
        stamps = [b"2611201300%02dW" % second for second in range(6)]
        stamps[3] = b"310101120000W"
        self.assertEqual(self.play(stamps, ""), [0, 1, 2, 3, 4, 5])

    def test_three_that_agree_move_what_the_meter_set(self):
        stamps = [b"250320130000W"] + [b"2611201300%02dW" % second for second in range(5)]
        self.assertEqual(self.play(stamps, "")[3:], [2, 3, 4])
        self.assertEqual(self.now - NOON, 5)


class TestCounterEvents(unittest.TestCase):
    def play(self, energies):
        stand = self.stand = Stand()
        stand.reader._p1._log = Said()
        for number, energy in enumerate(energies):
            stand.line.at(1000 * number, telegram(number, energy=energy))
        return [found["energy_import_t1"][0] for _, found in stand.run(1000 * len(energies))]

    def test_one_that_falls_or_leaps(self):
        for wrong in (b"000000.000", b"999999.999", b"045677.000"):
            got = self.play([b"045678.123", wrong, b"045678.124"])
            self.assertEqual(got, [45678123, None, 45678124])
            self.assertEqual(self.stand.count("counter_events"), 1)
            self.assertEqual(len(self.stand.reader._p1._log.lines), 1)

    def test_three_that_agree(self):
        got = self.play([b"045678.123"] + [b"000001.%03d" % n for n in range(4)])
        self.assertEqual(got, [45678123, None, None, 1002, 1003])
        self.assertEqual(self.stand.count("counter_events"), 1)

    def test_more_decimals_are_no_event(self):
        got = self.play([b"45678.1", b"045678.123", b"045678.1234"])
        self.assertEqual(got, [45678100, 45678123, 456781234])
        self.assertEqual(self.stand.count("counter_events"), 0)

    def test_one_that_was_idle_may_catch_up(self):
        stand = Stand()
        for number in range(0, 3600, 60):
            stand.line.at(1000 * number, telegram(number))
        stand.line.at(3600000, telegram(3600, energy=b"045690.123"))
        stand.run(3601000)
        self.assertEqual(stand.output.readings[-1][1]["energy_import_t1"][0], 45690123)


class TestDeadCrc(unittest.TestCase):
    def test_named_with_the_option(self):
        for crc in (b"0000", b"FFFF", b"1234"):
            stand = Stand(baud=115200)
            stand.reader._log = Said()
            for number in range(10):
                stand.line.at(1000 * number, telegram(number)[:-6] + crc + b"\r\n")
            self.assertEqual(stand.run(60000), [])
            (line,) = stand.reader._log.lines
            self.assertTrue(crc.decode() in line and "`crc`" in line and "ignore" in line, line)

    def test_believed_where_the_entry_says_so(self):
        stand = Stand(crc="ignore")
        stand.line.at(0, telegram()[:-6] + b"0000\r\n")
        self.assertEqual(len(stand.run(1000)), 1)
        stand = Stand(crc="check")
        stand.line.at(0, telegram()[:-6] + b"0000\r\n")
        self.assertEqual(stand.run(1000), [])


class TestSeason(unittest.TestCase):
    """The end of summer time: 2026-10-25, 03:00 S is 02:00 W."""

    def times(self, stamps):
        """The readings' times, from the second on, after the one before."""
        stand = Stand()
        for number, stamp in enumerate(stamps):
            stand.line.at(1000 * (number + 1), telegram(stamp=stamp))
        stand.run(1000 * len(stamps) + 3000)
        times = [reading[0] for reading in stand.output.readings]
        return [after - before for before, after in zip(times, times[1:])]

    def test_with_its_letter(self):
        stamps = [b"261025025958S", b"261025025959S", b"261025020000W", b"261025020001W"]
        self.assertEqual(self.times(stamps), [1, 1, 1])

    def test_a_meter_without_letters_shows_an_hour_twice(self):
        stamps = [b"261025025958", b"261025025959", b"261025020000", b"261025020001"]
        self.assertEqual(self.times(stamps), [1, 1, 1])


class TestInterval(unittest.TestCase):
    def test_aligned(self):
        stand = Stand(interval=10)
        for number in range(7, 44):
            stand.line.at(number * 1000, telegram(number))
        self.assertEqual([time - NOON for time, _ in stand.run(50000)], [7, 10, 20, 30, 40])

    def test_also_while_the_time_is_unknown(self):
        stand = Stand(interval=60, baud=115200)
        stand.line.every(10000, OLD + b"\r\n", 30)
        self.assertTrue(5 <= len(stand.run(300000)) <= 6)


@unittest.skipUnless(cryptolib, "no cryptolib here")
class TestEncrypted(unittest.TestCase):
    KEY = "00112233445566778899aabbccddeeff"

    def _frame(self):
        with open(_HERE + "/../fixtures/dlms/luxembourg.hex") as file:
            return bytes.fromhex(file.read().replace("\n", ""))

    def _keys(self):
        with open(_HERE + "/test_dsmr_dlms.py") as file:
            text = file.read()
        return [text.split(name + ' = bytes.fromhex("')[1][:32] for name in ("_KEY", "_AUTH_KEY")]

    def test_with_the_keys(self):
        key, auth_key = self._keys()
        for auth in ("", auth_key):
            stand = Stand(key=key, auth_key=auth)
            stand.line.at(100, self._frame())
            self.assertEqual(len(stand.run(2000)), 1)
            self.assertEqual((stand.count("telegrams"), stand.count("tag_errors")), (1, 0))
            self.assertTrue(max(stand.line.sizes) <= 64)  # decryption takes longer per byte

    def test_with_wrong_keys(self):
        key, auth_key = self._keys()
        for wrong, auth in ((self.KEY, ""), (self.KEY, auth_key), (key, self.KEY)):
            stand = Stand(key=wrong, auth_key=auth)
            stand.line.at(100, self._frame())
            stand.reader._log = Said()
            self.assertEqual(stand.run(30000), [])
            self.assertEqual(stand.reader._output.state, "silent")
            self.assertTrue("`key`" in stand.reader._log.lines[0])
            if auth:
                self.assertEqual(stand.count("tag_errors"), 1)


class TestConfig(unittest.TestCase):
    def _problems(self, board=Board, **changes):
        entry = dict(ENTRY)
        entry.update(changes)
        return list(dsmr.problems(entry, board))

    def test_nothing_wrong(self):
        self.assertEqual(self._problems(), [])
        self.assertEqual(self._problems(invert=True, key="0" * 32, auth_key="aF" * 16), [])

    def test_what_the_table_cannot_say(self):
        (text,) = self._problems(Esp8266, invert=True)
        self.assertTrue("cannot invert" in text and "ESP8266_GENERIC" in text)
        (text,) = self._problems(key="0" * 30 + "x0")
        self.assertEqual(text, "character 31 of `key` is no hexadecimal digit; allowed: 0-9, a-f")
        (text,) = self._problems(auth_key="0" * 32)
        self.assertTrue("`key`" in text)

    def test_a_bad_key_is_a_config_error_that_does_not_show_it(self):
        with self.assertRaises(ConfigError) as caught:
            Stand(key="SECRETSECRETSECRETSECRETSECRETSE")
        self.assertFalse("SECRET" in str(caught.exception))

    def test_describe(self):
        text = Stand(rx=5, invert=True, request_pin=4).reader.describe()
        self.assertEqual(
            text,
            "UART 2, 115200 8N1 or 9600 7E1, RX on GPIO 5, inverted by the chip, "
            "data request on GPIO 4 (hold)",
        )


class TestCounters(unittest.TestCase):
    def test_every_counter_is_there_without_a_key_too(self):
        self.assertEqual({count for _, count in Stand().reader.counters()}, {0})
        self.assertEqual(len(Stand().reader.counters()), 11)

    def test_a_replay_has_the_same_but_for_the_line(self):
        entry = dict(ENTRY, times="now")
        played = replay.Reader("file", entry, Output(), clock.Clock(), Board)
        self.assertEqual(Stand().reader.counters(), played.counters() + (("silences", 0),))
