"""The log and its two files: on a folder (CPython), on littlefs in RAM (the VM)."""

import logging
import os
import sys
import unittest

from joulelog import clock
from joulelog.device import logging_setup
from joulelog.device.logfile import LogFile

VM = sys.implementation.name == "micropython"
NOON = 848491200  # 2026-11-20 12:00:00 UTC
DAY = 86400

if VM:
    import vfs
    from ramdisk import RamDisk

    def mounted(disk, fresh=True) -> str:
        if fresh:
            vfs.VfsLfs2.mkfs(disk)
        vfs.mount(vfs.VfsLfs2(disk), "/ramlog")
        return "/ramlog"


class Console:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text


class Closed:
    def write(self, text: str) -> None:
        raise ValueError("I/O operation on closed file")


class FakeClock:
    """UTC as the test says; the uptime is the real one, which pass_ms() pushes on."""

    def __init__(self, utc=NOON) -> None:
        self.utc = utc

    def now(self):
        return self.utc

    def pass_s(self, seconds: int) -> None:
        clock._total_ms += seconds * 1000
        if self.utc is not None:
            self.utc += seconds


def content(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def lines(path: str) -> list:
    """The lines of a file, without its first one, which says when it was begun."""
    return [line for line in content(path).split("\n") if line and line[0] != "#"]


class LogTest(unittest.TestCase):
    def setUp(self):
        root = logging.getLogger()
        self._before = root.handlers, root.level
        self.console = Console()
        self.clock = FakeClock()
        if VM:
            self.disk = RamDisk(256)
            self.directory = mounted(self.disk)
        else:
            import tempfile

            self._temporary = tempfile.TemporaryDirectory()
            self.directory = self._temporary.name
        self.current = self.directory + "/joulelog.log"
        self.last = self.directory + "/lastLog.log"

    def tearDown(self):
        root = logging.getLogger()
        root.handlers, root.level = self._before
        if VM:
            vfs.umount("/ramlog")
        else:
            self._temporary.cleanup()

    def start(self, size=8192, level="info", directory=None):
        """A boot: everything in RAM is new."""
        directory = self.directory if directory is None else directory
        return logging_setup.setup(directory, size, level, self.clock, self.console)


class TestLines(LogTest):
    def test_a_line_with_and_without_the_time(self):
        self.clock.utc = None
        handler = self.start()
        clock._total_ms += 123456 - clock.uptime_ms()
        logging.getLogger("wifi").info("waiting for %s", "home")
        self.clock.utc = NOON + 61
        logging.getLogger("ntp").warning("time from %d", 1)
        handler.flush()
        found = lines(self.current)
        self.assertTrue(found[0].startswith("+123.4s INFO wifi: waiting for home"), found)
        self.assertEqual(found[1], "2026-11-20 12:01:01Z WARNING ntp: time from 1")
        self.assertEqual(self.console.text, "\n".join(found) + "\n")

    def test_levels(self):
        handler = self.start(level="warning")
        logging.getLogger("a").info("no")
        logging.getLogger("a").debug("no")
        logging.getLogger("a").warning("yes")
        handler.flush()
        self.assertEqual(len(lines(self.current)), 1)
        handler = self.start(level="debug")
        logging.getLogger("a").debug("now")
        self.assertIn("DEBUG a: now", self.console.text)

    def test_a_message_is_one_line_of_bounded_length(self):
        handler = self.start()
        logging.getLogger("meter").info("a\n2026-01-01 00:00:00Z ERROR forged: b\r\x1b[2J")
        logging.getLogger("meter").info("€" * 5000)
        handler.flush()
        found = lines(self.current)
        self.assertEqual(len(found), 2)
        self.assertEqual(len(self.console.text.split("\n")), 3)
        self.assertFalse("\x1b" in self.console.text or "\r" in self.console.text)
        self.assertTrue(len(self.console.text.encode()) < 2200)
        self.assertTrue(os.stat(self.current)[6] < 2000)

    def test_nothing_that_moves_a_cursor_or_turns_a_line(self):
        codes = list(range(32)) + list(range(0x7F, 0xA0))
        codes += [0x061C, 0x200E, 0x200F, 0x2028, 0x2029]
        codes += list(range(0x202A, 0x202F)) + list(range(0x2066, 0x206A))
        for code in codes:
            found = logging_setup.plain("a%sb…" % chr(code))
            self.assertEqual(found.replace(" ", ""), "ab…", hex(code))
        for text in ("", "a", "12 m³ é \u00a0 … € \u2010 \u2065 \u0611 \U0001f600", "~"):
            self.assertEqual(logging_setup.plain(text), text)
        self.start()
        logging.getLogger("meter").info("\x9b2J\u202efed\x07")
        self.assertIn("meter:  2J fed \n", self.console.text)
        self.assertEqual(len(logging_setup.plain("³" * 600)), 29)  # each takes a while
        self.assertEqual(len(logging_setup.plain("€" * 600)), 600)

    def test_repeated_lines_are_counted(self):
        handler = self.start()
        meter = logging.getLogger("meter")
        for _ in range(100):
            meter.warning("bad CRC")
            self.clock.pass_s(0)
        logging.getLogger("other").warning("bad CRC")
        meter.warning("bad CRC")
        meter.warning("bad CRC")
        meter.error("bad CRC")
        handler.flush()
        self.assertEqual(
            [line[21:] for line in lines(self.current)],
            [
                "WARNING meter: bad CRC",
                "… repeated 99 times",
                "WARNING other: bad CRC",
                "WARNING meter: bad CRC",
                "… repeated 1 time",
                "ERROR meter: bad CRC",
            ],
        )
        self.assertEqual(handler.repeated, 100)

    def test_a_count_is_told_after_a_minute(self):
        handler = self.start()
        for _ in range(3 * 120):  # two a second for three minutes
            logging.getLogger("meter").warning("silent")
            handler.tick()
            clock._total_ms += 500
        told = [line for line in self.console.text.split("\n") if "repeated" in line]
        self.assertEqual(len(told), 2)
        self.assertTrue(told[0].endswith("… repeated 121 times"), told)

    def test_no_files(self):
        handler = self.start(size=0)
        logging.getLogger("a").error("x")
        handler.tick()
        handler.flush()
        self.assertEqual(os.listdir(self.directory), [])
        self.assertIn("ERROR a: x", self.console.text)

    def test_a_closed_console_is_no_reason_to_stop(self):
        handler = self.start()
        handler.stream = Closed()
        logging.getLogger("a").info("still there")
        handler.stream = None
        logging.getLogger("a").info("and there")
        handler.flush()
        self.assertEqual(len(lines(self.current)), 2)

    def test_exceptions(self):
        handler = self.start()

        def innermost(words):
            raise ValueError(words)

        for words in ("bad thing", "x" * 5000, "two\nlines"):
            try:
                innermost(words)
            except ValueError as error:
                logging.getLogger("task").error("reader stopped: %s", logging_setup.trace(error))
                self.assertTrue(len(logging_setup.trace(error)) <= 500)
                self.assertIn("innermost", logging_setup.trace(error))
        handler.flush()
        found = lines(self.current)
        self.assertEqual(len(found), 3)
        self.assertIn("ERROR task: reader stopped: ValueError: bad thing (File ", found[0])
        self.assertIn("test_log", found[0])
        self.assertIn("innermost", found[1])
        self.assertEqual(logging_setup.trace(KeyError("never raised"))[:8], "KeyError")


class TestFiles(LogTest):
    def test_lines_wait_for_a_minute(self):
        handler = self.start()
        for second in range(59):
            logging.getLogger("a").info("%d", second)
            handler.tick()
            self.clock.pass_s(1)
            self.assertEqual(content(self.current).count("\n") > 0, handler.file.writes > 0)
        # The buffer of 1 kB is full once or twice; without that nothing was written.
        self.assertTrue(handler.file.writes <= 2, handler.file.writes)
        self.clock.pass_s(61)
        handler.tick()
        self.assertEqual(len(lines(self.current)), 59)

    def test_at_most_one_write_a_minute_for_few_lines(self):
        handler = self.start()
        for second in range(3600):
            if second % 30 == 0:
                logging.getLogger("a").info("%d", second)
            self.clock.pass_s(1)
            handler.tick()
        self.assertTrue(55 <= handler.file.writes <= 60, handler.file.writes)

    def test_an_error_is_written_at_once(self):
        handler = self.start()
        logging.getLogger("a").info("before")
        self.assertEqual(lines(self.current), [])
        logging.getLogger("a").error("broken")
        self.assertEqual(len(lines(self.current)), 2)
        self.assertEqual(handler.file.writes, 1)

    def test_an_error_storm_does_not_wear_the_flash(self):
        handler = self.start(size=100000)
        for number in range(3600):  # one a second for an hour
            logging.getLogger("a").error("error %d", number)
            self.clock.pass_s(1)
            handler.tick()
        # 20 at once, 6 more in the hour, one a minute, and the full buffers: 3600 x 42 / 1 kB.
        self.assertTrue(handler.file.writes < 20 + 6 + 60 + 170, handler.file.writes)

    def test_switched_by_size(self):
        handler = self.start(size=8192)
        for number in range(1000):
            logging.getLogger("meter").info("line %05d", number)
        handler.flush()
        self.assertTrue(handler.file.switches > 5)
        sizes = [os.stat(path)[6] for path in (self.last, self.current)]
        self.assertTrue(max(sizes) <= 4096 and min(sizes) > 0, sizes)
        self.assertEqual(len(os.listdir(self.directory)), 2)
        numbers = [int(line[-5:]) for line in lines(self.last) + lines(self.current)]
        self.assertEqual(numbers, list(range(1000 - len(numbers), 1000)))
        self.assertTrue(len(numbers) > 80)
        for path in (self.last, self.current):
            self.assertEqual(content(path).find("# %d begun at 2026-11-20 12:00:00Z\n" % NOON), 0)

    def test_long_lines_stay_within_the_size(self):
        handler = self.start(size=4096)
        for number in range(60):
            logging.getLogger("meter").info("%05d %s", number, "😀" * 590)
        handler.flush()
        sizes = [os.stat(path)[6] for path in (self.last, self.current)]
        self.assertTrue(sum(sizes) <= 4096, sizes)

    def test_ten_thousand_lines(self):
        handler = self.start(size=16384)
        handler.stream = None
        for number in range(10000):
            logging.getLogger("meter").info("line %05d", number)
        handler.flush()
        # 23 lines of 44 bytes fit into the buffer.
        self.assertEqual(handler.file.writes, 10000 // 23 + 1)
        self.assertEqual(handler.file.write_errors, 0)
        if VM:  # blocks of 512 bytes: a flush of 1 kB touches three, and some metadata
            self.assertTrue(self.disk.erases < 6 * handler.file.writes, self.disk.erases)

    def test_a_restart_goes_on_in_the_same_file(self):
        for number in range(3):
            handler = self.start()
            logging.getLogger("boot").info("number %d", number)
            handler.flush()
        self.assertEqual(len(lines(self.current)), 3)
        self.assertEqual(content(self.current).count("# "), 1)
        self.assertEqual(handler.file.switches, 0)

    def fill(self, handler, some):
        for number in range(some):
            logging.getLogger("fill").info("line %05d", number)
        handler.flush()

    def test_switched_by_age_while_running(self):
        handler = self.start()
        self.fill(handler, 30)
        self.clock.pass_s(DAY - 10)
        self.fill(handler, 1)
        self.assertEqual(handler.file.switches, 0)
        self.clock.pass_s(20)
        self.fill(handler, 1)
        self.assertEqual((handler.file.switches, len(lines(self.last))), (1, 31))
        self.assertEqual(len(lines(self.current)), 1)

    def test_a_nearly_empty_file_grows_on(self):
        handler = self.start(size=81920)
        self.fill(handler, 30)
        self.clock.pass_s(5 * DAY)
        self.fill(handler, 1)
        self.assertEqual(handler.file.switches, 0)

    def test_switched_by_age_when_the_board_reboots_daily(self):
        switches = 0
        for boot in range(8):  # every 12 hours, with the time unknown at first
            utc = NOON + boot * DAY // 2
            self.clock.utc = None
            handler = self.start()
            logging.getLogger("boot").info("number %d", boot)
            self.clock.utc = utc
            self.fill(handler, 20)
            switches += handler.file.switches
        self.assertEqual(switches, 2)  # at 36 and at 72 hours
        self.assertTrue(os.stat(self.last)[6] < 4096)

    def test_begun_without_the_time(self):
        self.clock.utc = None
        handler = self.start()
        self.fill(handler, 30)
        self.assertIn("# 0 begun at +", content(self.current))
        self.clock.utc = NOON  # known now: not a day old for that
        self.fill(handler, 30)
        self.assertEqual(handler.file.switches, 0)
        self.clock.pass_s(DAY + 1)  # in the same run the uptime tells its age
        self.fill(handler, 1)
        self.assertEqual(handler.file.switches, 1)
        self.clock.utc = None
        self.fill(handler, 30)
        self.assertEqual(handler.file.switches, 1)

    def test_begun_without_the_time_by_an_earlier_run(self):
        self.clock.utc = None
        self.fill(self.start(), 30)
        handler = self.start()
        self.fill(handler, 1)
        self.assertEqual(handler.file.switches, 1)  # older than this run is all that is known
        self.fill(handler, 1)
        self.assertEqual(handler.file.switches, 1)

    def test_begun_with_a_wrong_clock(self):
        self.clock.utc = NOON + 400 * DAY
        self.fill(self.start(), 30)
        self.clock.utc = None
        handler = self.start()
        self.fill(handler, 1)
        self.assertEqual(handler.file.switches, 0)  # its age is not known yet
        self.clock.utc = NOON
        self.fill(handler, 1)
        self.assertEqual(handler.file.switches, 1)

    def test_a_first_line_that_is_not_ours(self):
        for first in ("", "# ", "# x y", "#", "\x00\xff", "# 99999999999999999999 x", "x" * 900):
            with open(self.current, "w") as file:
                file.write(first + "\n")
            handler = self.start()
            self.fill(handler, 2)
            self.assertEqual(handler.file.write_errors, 0)
            self.assertTrue(lines(self.current)[-1].endswith("Z INFO fill: line 00001"))


class TestTrouble(LogTest):
    def trouble(self, directory):
        """Log into a directory where nothing can be written; return the handler."""
        handler = self.start(directory=directory)
        for number in range(200):
            logging.getLogger("a").error("line %05d", number)
            handler.tick()
        handler.flush()
        self.assertTrue(handler.file.write_errors >= 8, handler.file.write_errors)
        self.assertEqual(handler.file.writes, 0)
        self.assertEqual(
            handler.file.lost_bytes, 200 * len("2026-11-20 12:00:00Z ERROR a: line 00000\n")
        )
        told = [line for line in self.console.text.split("\n") if line.startswith("log: cannot")]
        self.assertEqual(len(told), 1)
        self.assertIn(directory + "/joulelog.log", told[0])
        self.assertEqual(self.console.text.count("ERROR a: line"), 200)
        return handler

    def test_no_directory(self):
        handler = self.trouble(self.directory + "/no/such")
        os.mkdir(self.directory + "/no")  # as if a card was put in
        os.mkdir(self.directory + "/no/such")
        logging.getLogger("a").info("back")
        handler.flush()
        self.assertEqual(len(lines(self.directory + "/no/such/joulelog.log")), 1)
        os.remove(self.directory + "/no/such/joulelog.log")
        os.rmdir(self.directory + "/no/such")
        logging.getLogger("a").error("and gone again")
        handler.flush()
        self.assertEqual(self.console.text.count("log: cannot write"), 2)

    def test_a_missing_directory_is_made(self):
        self.fill_one(self.directory + "/made")
        self.assertEqual(len(lines(self.directory + "/made/joulelog.log")), 1)

    def fill_one(self, directory):
        handler = self.start(directory=directory)
        logging.getLogger("a").info("one")
        handler.flush()
        return handler

    def test_a_file_in_place_of_the_directory(self):
        with open(self.directory + "/file", "w") as file:
            file.write("x")
        self.trouble(self.directory + "/file")

    def test_a_file_that_somebody_removes(self):
        handler = self.start()
        for number in range(1000):
            logging.getLogger("a").info("line %05d", number)
            if number == 50:
                os.remove(self.current)
        handler.flush()
        self.assertTrue(lines(self.current)[-1].endswith("line 00999"))
        self.assertTrue(handler.file.write_errors <= 1)

    def test_files_that_cannot_be_switched(self):
        os.mkdir(self.last)  # neither removed nor replaced by a file
        with open(self.last + "/in-the-way", "w") as file:
            file.write("x")
        handler = self.start()
        for number in range(1000):
            logging.getLogger("a").info("line %05d", number)
        handler.flush()
        self.assertTrue(handler.file.write_errors > 10)
        self.assertTrue(os.stat(self.current)[6] <= 4096)

    if VM:

        def test_a_read_only_flash(self):
            vfs.umount("/ramlog")
            vfs.mount(vfs.VfsLfs2(self.disk), "/ramlog", readonly=True)
            self.trouble(self.directory)

        def fill_flash(self):
            while True:  # a file that is closed each time: what fails is not kept
                try:
                    with open(self.directory + "/other", "a") as file:
                        file.write("x" * 400)
                except OSError as error:
                    self.assertEqual(error.errno, 28)
                    return

        def test_a_full_flash(self):
            with open(self.last, "w") as file:
                file.write("previous log\n" * 2000)
            self.fill_flash()
            handler = self.start()
            for number in range(50):  # 2 kB: there is room where the previous log was
                logging.getLogger("a").info("line %05d", number)
            handler.flush()
            self.assertEqual((handler.file.write_errors, content(self.last)), (0, ""))
            self.assertEqual(len(lines(self.current)), 50)

        def test_a_flash_that_others_keep_full(self):
            handler = self.start(size=65536)
            self.fill_flash()
            for number in range(1000):
                logging.getLogger("a").error("line %05d", number)
            handler.flush()
            self.assertTrue(handler.file.write_errors > 0)
            self.assertEqual(self.console.text.count("log: cannot write"), 1)
            os.remove(self.directory + "/other")
            logging.getLogger("a").info("room again")
            handler.flush()
            self.assertTrue(lines(self.current)[-1].endswith("room again"))

        def scenario(self, disk):
            """Log 120 lines, 6 a flush; return the number of lines that were written for sure."""
            file = LogFile("/ramlog", 4096, 512, self.clock, self.console.write)
            file.open()
            sure = 0
            for number in range(120):
                file.add(b"2026-11-20 12:00:00Z INFO a: line %05d\n" % number)
                if number % 6 == 5:
                    file.flush()
                    if file.write_errors:
                        break
                    sure = number + 1
            return sure

        def test_power_cut_at_every_flash_operation(self):
            vfs.umount("/ramlog")
            cut = 0
            sure = 0
            while sure < 120:
                disk = RamDisk(32)
                mounted(disk)
                disk.left = cut
                sure = self.scenario(disk)
                vfs.umount("/ramlog")
                after = RamDisk(32, disk.data)
                mounted(after, fresh=False)
                text = content(self.last) + content(self.current)
                self.assertEqual(text.count("\n"), len(text.split("\n")) - 1)
                self.assertTrue(text == "" or text[-1] == "\n", (cut, text[-50:]))
                found = [int(line[-5:]) for line in lines(self.last) + lines(self.current)]
                if sure:
                    self.assertTrue(found[-1] + 1 >= sure, (cut, sure, found))
                    self.assertEqual(found, list(range(found[0], found[-1] + 1)))
                    self.assertTrue(len(found) >= min(sure, 36), (cut, len(found)))
                handler = self.start(size=4096)  # and the next boot goes on
                logging.getLogger("a").info("line 99999")
                handler.flush()
                self.assertEqual(lines(self.current)[-1][-5:], "99999")
                vfs.umount("/ramlog")
                cut += 1
            self.assertTrue(cut > 100, cut)
            mounted(RamDisk(32))  # for tearDown

    else:

        def test_a_full_flash(self):
            os.symlink("/dev/full", self.current)  # writing there is "no space left on device"
            self.trouble(self.directory)

        def test_other_loggers_of_cpython(self):
            handler = self.start()
            try:
                raise OSError("gone")
            except OSError:
                logging.getLogger("aiohttp").exception("failed")
            logging.getLogger("x").info("%d and %d", 1)  # values that do not match the text
            handler.flush()
            found = lines(self.current)
            self.assertIn("ERROR aiohttp: failed: OSError: gone (File ", found[0])
            self.assertTrue(found[1].endswith("INFO x: %d and %d"))


if __name__ == "__main__":
    unittest.main()
