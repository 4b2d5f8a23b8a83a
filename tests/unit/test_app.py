"""The whole app on a board of fakes: what the LED shows, when the board restarts, what it tells.

The clock moves only when told. Wi-Fi, watchdog and reset are fakes, everything else is real.
"""

import asyncio
import gc
import os
import sys
import unittest

import machine
from civil import seconds
from fake_network import Air, Point
from virtual_clock import VirtualClock

from joulelog import app as app_module
from joulelog import clock, net, registry, report
from joulelog.config import schema
from joulelog.device import guard, repl
from joulelog.errors import NetError
from joulelog.net import ntp, wifi

NOON = seconds(2026, 11, 20, 12)
MINUTE = 60000
HOUR = 3600000
DIRECTORY = "build/test_app" + (os.getenv("PYTEST_XDIST_WORKER") or "")
CONFIG = {
    "wifi": {"ssid": "home", "password": "correct horse"},
    "readers": [{"type": "health", "interval": 60}],
    "sinks": [{"type": "never", "name": "server"}],
    "log": {"size_kb": 0, "directory": DIRECTORY},
}


class Board:
    NAME = "TEST"
    IMPROV = False  # pytest has no standard input
    CHIP = "esp32"
    UARTS = {1: {"tx": 17, "rx": 16}}
    GPIO = (2, 4, 16, 17)
    INPUT_ONLY = ()
    STRAPPING = ()
    REQUEST = None
    SD = None
    LED = {"pin": 2, "active": 1}
    BUTTON = {"pin": 4, "active": 0}
    LOG_DIRECTORY = "/"
    WATCHDOG_MS = 60000


class Reset(SystemExit):
    """The board restarts here; both asyncios let this one through."""


class Machine:
    """Stands for `machine` in guard.py."""

    PWRON_RESET = 1
    WDT_RESET = 3
    SOFT_RESET = 5

    def __init__(self, virtual):
        self.virtual = virtual
        self.cause = self.PWRON_RESET
        self.timeouts = []
        self.fed_ms = 0
        self.longest_ms = 0  # between two feeds
        self.resets = 0

    def reset_cause(self):
        return self.cause

    def reset(self):
        self.cause = self.SOFT_RESET
        self.resets += 1
        raise Reset

    def RTC(self):
        return self

    def datetime(self, fields):
        """The chip's own clock is set."""

    def WDT(self, timeout):
        self.timeouts.append(timeout)
        return self

    def feed(self):
        self.longest_ms = max(self.longest_ms, self.virtual.ms - self.fed_ms)
        self.fed_ms = self.virtual.ms


class NeverSink:
    """A sink whose server is never there: its readings wait."""

    SCHEMA = ""
    NEEDS = ()

    @staticmethod
    def reads(entry, terminal):
        return "ram"

    class Sink:
        def __init__(self, name, entry, cursor):
            self.name = name
            self.cursor = cursor

        def counters(self):
            return ()

        def describe(self):
            return "nowhere"

        async def run(self):
            while True:
                await clock.sleep_ms(MINUTE)


class Stand(unittest.TestCase):
    board = Board

    def setUp(self):
        self.originals = (registry.SINKS, wifi.network, guard.machine, ntp.query)
        sys.modules["never_sink"] = NeverSink  # type: ignore[assignment]
        registry.SINKS = registry.SINKS + (("never", "never_sink"),)
        self.virtual = VirtualClock()
        self.virtual.install()
        self.told = clock.board_time
        clock.board_time = lambda: None
        self.home = Point("home", "correct horse")
        self.air = wifi.network = Air(self.virtual, self.home)
        self.machine = guard.machine = Machine(self.virtual)
        self.ntp_ms = 0  # how long a time server takes; -1: it is dead
        ntp.query = self.time_server
        net.forget()
        self.clean()
        if hasattr(gc, "threshold"):  # or what the fakes write down lies all over the heap
            gc.threshold(50000)
        for name in ("build", DIRECTORY):
            try:
                os.mkdir(name)
            except OSError:
                pass

    def tearDown(self):
        registry.SINKS, wifi.network, guard.machine, ntp.query = self.originals
        clock.board_time = self.told
        net.on_answer = None
        self.virtual.restore()
        self.clean()

    def clean(self):
        for name in ("state.a", "state.b"):
            try:
                os.remove(DIRECTORY + "/" + name)
            except OSError:
                pass

    async def time_server(self, server, timeout_ms):
        if self.ntp_ms < 0:
            await clock.sleep_ms(timeout_ms)
            raise NetError("no answer")
        await clock.sleep_ms(self.ntp_ms)
        return NOON + self.virtual.ms // 1000

    def build(self, **changes):
        config = dict(CONFIG)
        config.update(changes)
        self.app = app_module.App(schema.check(config, self.board, registry), self.board)
        self.app.log.stream = None
        return self.app

    def play(self, story, **changes):
        """Run the app while the story goes on; True where the board restarted itself."""
        if sys.implementation.name == "micropython":
            asyncio.new_event_loop()  # what ran before the restart does not go on
            self.virtual.forget()
        app = self.build(**changes)

        async def whole():
            task = asyncio.create_task(app.run())
            try:
                await story()
            finally:
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError:
                    pass

        try:
            self.virtual.play(whole())
        except Reset:
            return True
        finally:
            self.virtual.install()
        return False

    async def blinks(self, ms):
        """How often the LED goes on in so many ms."""
        count = 0
        before = self.level()
        for _ in range(ms // 5):
            await self.virtual.advance(5)
            now = self.level()
            count += now > before
            before = now
        return count

    def level(self):
        return machine.Pin.levels[2]


class TestLed(Stand):
    def test_by_state(self):
        self.ntp_ms = 3000
        found = []

        async def story():
            found.append(await self.blinks(2000))  # setting up
            await self.virtual.advance(1500)  # the link is there, a time server is asked
            found.append(await self.blinks(1000))
            await self.virtual.advance(5000)
            found.append(await self.blinks(10000))  # all is well
            net.answered()
            await self.virtual.advance(50)
            found.append(await self.blinks(200))
            self.home.there = False
            await self.virtual.advance(1000)
            found.append(await self.blinks(10000))  # WIFI in Morse code

        self.play(story)
        setup, sync, connected, busy, offline = found
        self.assertTrue(38 <= setup <= 42, found)
        self.assertTrue(9 <= sync <= 11, found)
        self.assertTrue(9 <= connected <= 11, found)
        self.assertTrue(1 <= busy <= 2, found)
        self.assertEqual(offline, 3 + 2 + 4 + 2)  # .-- .. ..-. ..

    def test_a_reading_is_a_pulse(self):
        found = []

        async def story():
            await self.virtual.advance(20500)
            self.app.readers[0]._publish()  # in the dark between two blinks
            found.append(await self.blinks(450))
            found.append(await self.blinks(10000))

        self.play(story)
        self.assertEqual(found, [1, 10])

    def test_quiet(self):
        found = []

        async def story():
            await self.virtual.advance(10000)
            found.append(await self.blinks(60000))
            self.home.there = False
            await self.virtual.advance(1000)
            found.append(await self.blinks(10000))

        self.play(story, led={"quiet": True})
        self.assertEqual(found, [0, 11])

    def test_off(self):
        app = self.build(led={"on": False})
        self.assertEqual([service.name for service in app.services], ["button"])

    def test_the_logs_pin_goes_before(self):
        class Chip(Board):
            CHIP = "esp8266"
            UARTS = {0: {"tx": 1, "rx": 3}}
            LOG_UART = 1

        class Half:
            board = Chip

        class Uart:
            def __init__(self, number, speed):
                self.made = (number, speed)

        uart = app_module.machine.UART
        app_module.machine.UART = Uart
        try:
            for on, made in ((None, (1, 115200)), (True, None)):
                config = dict(CONFIG)
                config["led"] = {"on": on}
                config["readers"] = []
                checked = schema.check(config, Chip, registry)
                checked.readers = [{"type": "dsmr", "uart": 0}]
                half = Half()
                stream = app_module.App._console(half, checked)  # type: ignore[arg-type]
                self.assertEqual(getattr(stream, "made", None), made)
                self.assertEqual(
                    sorted(checked.services), ["button"] if made else ["button", "led"]
                )
        finally:
            app_module.machine.UART = uart


class Bare(Board):
    BUTTON = None


class Dark(Stand):
    """Hours without LED and button, which take ten and twenty steps per second."""

    board = Bare

    def play(self, story, **changes):
        return super().play(story, led={"on": False}, **changes)


class TestGuard(Dark):
    def test_fed_every_second_through_outages(self):
        async def story():
            for _ in range(2):
                await self.virtual.advance(40 * MINUTE)
                self.home.there = False
                await self.virtual.advance(20 * MINUTE)
                self.home.there = True

        self.assertFalse(self.play(story))
        self.assertEqual((self.machine.longest_ms, self.machine.timeouts), (1000, [60000]))
        self.app.close()
        self.assertEqual(self.machine.timeouts[1:], [86400000])  # for the REPL

    def test_no_network_at_last_a_restart_that_says_why(self):
        self.waits_for_a_network([2])

    def test_no_network_for_days_long(self):
        self.waits_for_a_network([2, 4, 8, 16, 24])

    def waits_for_a_network(self, hours):
        self.home.there = False
        pauses = []
        for _ in hours:
            started = self.virtual.ms
            self.assertTrue(self.play(lambda: self.virtual.advance(48 * HOUR)))
            pauses.append((self.virtual.ms - started) // HOUR)
        self.assertEqual(pauses, hours)
        told = "\n".join(report.lines(self.build()))
        boot = "boot %d" % (len(hours) + 1)
        self.assertTrue(boot in told and "started by soft reset" in told, told)
        why = "the board restarted itself: no network for %d" % (6 * hours[-1])  # and a digit
        self.assertTrue(why in told, told)
        self.assertTrue("no network of that name is in reach" in told, told)
        # The network is back: the next time it is two hours again.
        self.home.there = True
        self.assertFalse(self.play(lambda: self.virtual.advance(HOUR)))
        self.home.there = False
        started = self.virtual.ms
        self.assertTrue(self.play(lambda: self.virtual.advance(48 * HOUR)))
        self.assertEqual((self.virtual.ms - started) // HOUR, 2)

    def test_nothing_waits_and_nothing_restarts(self):
        self.home.there = False
        self.assertFalse(self.play(lambda: self.virtual.advance(3 * HOUR), readers=[]))

    def test_a_store_that_cannot_be_written_restarts_nothing(self):
        self.home.there = False
        log = {"size_kb": 0, "directory": DIRECTORY + "/not/there"}
        self.assertFalse(self.play(lambda: self.virtual.advance(2 * HOUR + 15 * MINUTE), log=log))

    def test_a_task_that_cannot_be_helped(self):
        async def hangs(sink):
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    if self.machine.resets:
                        raise

        run = NeverSink.Sink.run
        NeverSink.Sink.run = hangs
        try:
            self.assertTrue(self.play(lambda: self.virtual.advance(HOUR)))
        finally:
            NeverSink.Sink.run = run
        self.assertTrue(950000 < self.virtual.ms < 1000000, self.virtual.ms)
        self.assertTrue(self.virtual.ms - self.machine.fed_ms < 60000)  # before the dog bites
        told = "\n".join(report.lines(self.build()))
        self.assertTrue("the board restarted itself: the task server does not move" in told, told)

    def starves(self, **changes):
        """Play until a restart is planned, and restart; minutes until then, None: four hours."""
        started = self.virtual.ms

        async def story():
            while not self.app.guard.planned and self.virtual.ms - started < 4 * HOUR:
                await self.virtual.advance(MINUTE)

        self.assertFalse(self.play(story, **changes))
        self.app.close()
        if not self.app.guard.planned:
            return None
        self.assertRaises(Reset, self.app.guard.restart)
        return (self.virtual.ms - started) // MINUTE

    def test_memory_that_runs_out_again_and_again(self):
        async def fails(sink):
            await clock.sleep_ms(1000)
            raise MemoryError

        run = NeverSink.Sink.run
        NeverSink.Sink.run = fails
        try:
            pauses = [self.starves() for _ in range(4)]
        finally:
            NeverSink.Sink.run = run
        self.assertEqual(pauses[0], 3)
        self.assertEqual(pauses[1:], [21, 41, 81])  # a restart that does not help is no cure
        told = "\n".join(report.lines(self.build()))
        self.assertTrue("server ran out of memory again and again" in told, told)
        self.assertTrue("an earlier failure: " in told and "MemoryError" in told, told)
        # Two hours without: the next time is soon again.
        self.assertEqual(self.starves(), None)
        self.assertEqual(self.app.store.get("memory_tries"), None)

    def test_a_sink_that_says_so_is_believed_after_ten_minutes(self):
        async def says(sink):
            while True:
                sink.state = "waiting: http://server: not enough memory"
                await clock.sleep_ms(9 * MINUTE)
                sink.state = "ok" if self.virtual.ms < 30 * MINUTE else sink.state
                await clock.sleep_ms(2000)

        run = NeverSink.Sink.run
        NeverSink.Sink.run = says
        try:
            pause = self.starves()
        finally:
            NeverSink.Sink.run = run
        self.assertTrue(pause is not None and 36 <= pause <= 40, pause)
        self.assertTrue("for 10 minutes" in self.app.store.get("reboot"))

    def test_a_computer_is_not_restarted_for_memory(self):
        async def fails(sink):
            raise MemoryError

        run, dog = NeverSink.Sink.run, Board.WATCHDOG_MS
        NeverSink.Sink.run = fails
        Board.WATCHDOG_MS = None  # type: ignore[assignment]
        try:
            self.assertEqual(self.starves(), None)
        finally:
            NeverSink.Sink.run, Board.WATCHDOG_MS = run, dog

    def test_failures_are_told_after_the_restart(self):
        async def fails(self):
            raise ValueError("bad luck")

        run = NeverSink.Sink.run
        NeverSink.Sink.run = fails
        try:
            self.play(lambda: self.virtual.advance(HOUR))
        finally:
            NeverSink.Sink.run = run
        self.app.close()
        self.machine.cause = self.machine.WDT_RESET
        told = "\n".join(report.lines(self.build()))
        self.assertTrue("started by watchdog" in told, told)
        self.assertTrue("an earlier failure: server: ValueError: bad luck" in told, told)

    def test_the_time_wakes_those_who_waited_for_it(self):
        woken = []
        self.ntp_ms = 1000

        async def waits():
            cursor = self.app.sinks[0].cursor
            while True:
                await cursor.wait()
                woken.append((self.virtual.ms, await cursor.next() is not None))

        async def story():
            self.home.there = False
            task = asyncio.create_task(waits())
            await self.virtual.advance(61000)  # one reading, its time unknown
            self.assertEqual(woken, [(60000, False)])
            self.home.there = True
            await self.virtual.advance(40000)
            task.cancel()

        self.play(story)
        self.assertEqual(len(woken), 2)
        self.assertTrue(woken[1][1])


class TestImage(Dark):
    """The bootloader is told once that an image runs well."""

    class Esp32:
        """Stands for the module."""

        problem: Exception | None = None
        marked: list = []  # ms

        class Partition:
            @classmethod
            def mark_app_valid_cancel_rollback(cls):
                TestImage.Esp32.marked.append(clock.uptime_ms())
                if TestImage.Esp32.problem:
                    raise TestImage.Esp32.problem

    def setUp(self):
        super().setUp()
        self.Esp32.marked = []
        self.Esp32.problem = None
        self.before = sys.modules.get("esp32")
        sys.modules["esp32"] = self.Esp32  # type: ignore[assignment]

    def tearDown(self):
        sys.modules.pop("esp32", None)
        if self.before:  # other tests hold that one
            sys.modules["esp32"] = self.before
        super().tearDown()

    def marked_s(self, story=None, **changes):
        """Seconds after the start, within an hour, of each time that the bootloader was told."""

        async def told():
            if story:
                await story()
            await self.virtual.advance(HOUR)

        self.virtual.ms = 0
        self.assertFalse(self.play(told, **changes))
        return [ms // 1000 for ms in self.Esp32.marked]

    def logged(self, **changes):
        lines = []

        class Stream:
            @staticmethod
            def write(text):
                lines.append(text)

        async def story():
            self.app.log.stream = Stream

        told = self.marked_s(story, **changes)
        return told, [line for line in lines if "image" in line]

    def test_after_a_minute_with_a_network(self):
        (told,), (line,) = self.logged()
        self.assertTrue(60 <= told <= 62, told)
        self.assertIn("INFO guard: this image runs well: the bootloader keeps it", line)

    def test_without_a_network_after_ten_minutes(self):
        self.home.there = False
        (told,) = self.marked_s()
        self.assertTrue(600 <= told <= 602, told)

    def test_where_none_is_configured_after_a_minute(self):
        (told,) = self.marked_s(wifi=None)
        self.assertTrue(60 <= told <= 62, told)

    def test_a_task_that_fails_puts_it_off(self):
        async def fail():
            raise ValueError("broken")

        async def story():
            self.app.supervisor.start("broken", fail)
            await self.virtual.advance(30 * MINUTE)
            self.assertEqual(self.Esp32.marked, [])

        # Not within the hour: it fails each minute.
        self.marked_s(story)

    def test_one_failure_puts_it_off_for_a_minute(self):
        failures = [ValueError("once")]

        async def fail():
            await clock.sleep_ms(40000)
            if failures:
                raise failures.pop()
            await clock.sleep_ms(HOUR * 24)

        async def story():
            self.app.supervisor.start("broken", fail)

        (told,) = self.marked_s(story)
        self.assertTrue(100 <= told <= 102, told)

    def test_a_board_with_one_image(self):
        self.Esp32.problem = OSError(-1, "ESP_FAIL")
        told, lines = self.logged()
        self.assertEqual((len(told), lines), (1, []))
        self.assertEqual(self.app.supervisor.restarts, 0)

    def test_a_port_without_it(self):
        del sys.modules["esp32"]
        self.assertEqual(self.logged(), ([], []))
        self.assertEqual(self.app.supervisor.restarts, 0)

    def test_no_other_chip(self):
        original = Board.CHIP
        Board.CHIP = "esp8266"
        try:
            self.assertEqual(self.marked_s(), [])
        finally:
            Board.CHIP = original


class TestRepl(Stand):
    class Config:
        readers = [{"type": "dsmr", "uart": 1}]

    class Taken:
        readers = [{"type": "dsmr", "uart": 0}]

    def setUp(self):
        super().setUp()
        machine.Pin.levels[4] = 1

    def tearDown(self):
        machine.Pin.levels[4] = 1
        super().tearDown()

    def wanted(self, config, press_ms=None, hold_ms=500):
        """Whether the REPL is wanted, and how long that took; the button is pressed after ms."""
        virtual = self.virtual
        virtual.ms = 0

        async def sleep_ms(ms):
            virtual.ms += ms
            if press_ms is not None:
                pressed = press_ms <= virtual.ms < press_ms + hold_ms
                machine.Pin.levels[4] = 0 if pressed else 1

        original = clock.sleep_ms
        clock.sleep_ms = sleep_ms
        try:
            machine.Pin.levels[4] = 0 if press_ms == 0 else 1
            return repl.wanted(Board, config), virtual.ms
        finally:
            clock.sleep_ms = original

    def test_where_the_repl_has_a_uart_of_its_own(self):
        self.assertEqual(self.wanted(self.Config), (False, 0))

    def test_the_button(self):
        self.assertEqual(self.wanted(self.Config, 0), (True, 500))
        self.assertEqual(self.wanted(self.Taken, 0), (True, 500))
        self.assertEqual(self.wanted(self.Config, 0, 9900), (True, 9900))

    def test_five_seconds(self):
        self.assertEqual(self.wanted(self.Taken), (False, 5000))

    def test_the_button_within_the_five_seconds(self):
        self.assertEqual(self.wanted(self.Taken, 2000), (True, 2500))

    def test_a_pin_that_reads_as_pressed_for_ever(self):
        printed = []
        repl.print = lambda *words: printed.append(" ".join(words))  # type: ignore[attr-defined]
        try:
            self.assertEqual(self.wanted(self.Config, 0, HOUR), (False, 10000))
            self.assertIn("GPIO 4, the button's, reads 0 all the time", printed[-1])
            self.assertEqual(self.wanted(self.Taken, 0, HOUR), (False, 10000))
            self.assertEqual(self.wanted(self.Taken, 2000, HOUR), (False, 12000))
        finally:
            del repl.print  # type: ignore[attr-defined]

    def test_ctrl_c(self):
        async def sleep_ms(ms):
            raise KeyboardInterrupt

        original = clock.sleep_ms
        clock.sleep_ms = sleep_ms
        try:
            self.assertRaises(KeyboardInterrupt, repl.wanted, Board, self.Taken)
        finally:
            clock.sleep_ms = original

    def test_a_board_without_a_button(self):
        self.assertFalse(repl.wanted(Bare, self.Config))

    def test_a_computer(self):
        class Host:
            NAME = "HOST"

        self.assertFalse(repl.wanted(Host, self.Taken))

    def test_webrepl_needs_a_link_and_the_password_shows_nowhere(self):
        started = []

        class Server:
            @staticmethod
            def start(password):
                started.append((self.virtual.ms, password))

        sys.modules["webrepl"] = Server  # type: ignore[assignment]
        try:
            self.play(lambda: self.virtual.advance(10000), webrepl={"password": "cellar-9"})
        finally:
            del sys.modules["webrepl"]
        self.assertEqual(len(started), 1)
        self.assertEqual(started[0][1], "cellar-9")
        self.assertTrue(started[0][0] >= 3000)

    def test_no_webrepl_without_the_section(self):
        self.assertFalse("webrepl" in self.build().config.services)


if __name__ == "__main__":
    unittest.main()
