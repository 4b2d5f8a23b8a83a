"""Whether a config fits, by a table of its own: sums, advice, slots, what Wi-Fi and TLS take."""

import gc
import unittest

from joulelog.config import fits, parts
from joulelog.errors import ConfigError

SLOT = """\
dsmr 150
pzem 80
other 150
"""
HEAP = """\
boot     | 1000 | 2000 | 1000 |  3000 |  4000
ntp      |  300 |  100 |  400 |  3000 |  8000
core     | 9000 |  100 | 9000 | 30000 | 60000
work     | 2000 |  100 | 2000 |  6000 |  6000
dsmr     | 3000+2000 | 100 | 5000+3000 | 10000+4000 | 20000+4000
dsmr-key |  500 |  100 |  500 |  1000 |  2000
line     | 1000 |  100 | 1000 |  7000 |  9000
pzem     | 1000+500 | 100 | 1000+700 | 3000+2000 | 5000+2000
other    | 3000+3000 | 100 | 5000+5000 | 10000+10000 | 20000+20000
server   | 2000 |  100 | 2000 |  8000 | 15000
mqtt     | 6000+2000 | 100 | 7000+2000 | 12000+5000 | 25000+5000
http     | 4000 |  100 | 4000 | 15000 | 30000
emoncms  | 3000+3000 | 100 | 4000+4000 | 9000+9000 | 15000+9000
influxdb | 3000+3000 | 100 | 4000+4000 | 10000+9000 | 16000+9000
console  | 1000+1000 | 100 | 1000+1000 | 2000+2000 | 3000+3000
tls      | 2000+1000 | 100 | 2000+1000 | 6000+3000 | 6000+3000
spool    | 9000+2000 | 100 | 9000+2000 | 14000+3000 | 20000+3000
drain    | 3000+3000 | 100 | 3000+3000 | 6000+6000 | 6000+6000
drain-one | 1000+1000 | 100 | 1000+1000 | 2000+2000 | 2000+2000
webhook  | 3000+3000 | 100 | 4000+4000 | 10000+9000 | 16000+9000
"""
P1 = {"type": "dsmr", "uart": 2}
MQTT = {"type": "mqtt", "host": "broker"}
INFLUXDB = {"type": "influxdb", "url": "http://server", "database": "energy"}
EMONCMS = {"type": "emoncms", "url": "https://server", "key": "k"}
# romfs: boot, core, work, ntp, dsmr, server, mqtt, spool and drain, 8 slots
P1_MQTT = 3000 + 30000 + 6000 + 3000 + 10000 + 8000 + 12000 + 20000 + 8 * 150


class Board:
    CHIP = "esp32"
    LINE_BUFFER = 2560


class Host(Board):
    NAME = "HOST"


class Small:
    CHIP = "esp8266"
    LINE_BUFFER = 256
    DEFAULTS = {"queue": {"slots": 6, "flash_kb": 0}}


def config(readers, sinks, **queue):
    return {"readers": list(readers), "sinks": list(sinks), "queue": queue}


class TestFits(unittest.TestCase):
    def setUp(self):
        self.table = parts.HEAP, parts.SLOT
        parts.HEAP, parts.SLOT = HEAP, SLOT

    def tearDown(self):
        parts.HEAP, parts.SLOT = self.table

    def need(self, about, way="romfs", board=Board):
        return fits.needed(about, board, way)

    def test_the_sum(self):
        self.assertEqual(self.need(config([P1], [MQTT])), P1_MQTT)
        self.assertEqual(self.need(config([P1], [MQTT], flash_kb=0)), P1_MQTT - 20000)
        self.assertEqual(self.need(config([P1], [MQTT], slots=40)), P1_MQTT + 32 * 150)
        console = P1_MQTT - 38000 - 6000 - 3000  # nobody waits, for a server or the time
        self.assertEqual(self.need(config([P1], [{"type": "console"}])), console)
        keyed = dict(P1)
        keyed["key"] = "00"
        self.assertEqual(self.need(config([keyed], [MQTT])), P1_MQTT + 1000)

    def test_the_first_and_each_further_one(self):
        more = self.need(config([P1, P1, P1], [MQTT, MQTT])) - P1_MQTT
        self.assertEqual(
            more, 2 * 4000 + 5000 + 9000
        )  # spool and drain for the second sink as well

    def test_one_reading_per_request_takes_less_while_readings_leave_the_flash(self):
        webhook = {"type": "webhook", "url": "http://server"}
        kept = self.need(config([P1], [webhook])) - self.need(config([P1], [webhook], flash_kb=0))
        self.assertEqual(kept, 14000 + 2000)

    def test_what_is_shared_is_there_once(self):
        one = self.need(config([P1], [MQTT, INFLUXDB])) - P1_MQTT
        two = self.need(config([P1], [MQTT, INFLUXDB, EMONCMS])) - P1_MQTT
        self.assertEqual(one, 15000 + 10000 + 9000)
        self.assertEqual(two, one + 9000 + 6000 + 9000)  # EmonCMS is encrypted here
        pzem = {"type": "pzem", "uart": 2}
        self.assertEqual(self.need(config([P1, pzem, pzem], [MQTT])) - P1_MQTT, 7000 + 5000)

    def test_a_reader_that_nobody_has_measured_counts_as_the_largest(self):
        new = {"type": "pulse", "pin": 34}  # it has no row here
        self.assertEqual(self.need(config([new], [MQTT])), P1_MQTT)
        self.assertEqual(self.need(config([new, new], [MQTT])), P1_MQTT + 10000)
        plan = fits.Plan(config([P1, new], [MQTT]), Board)
        table = fits.Table("romfs")
        told = "pulse counts as the largest reader until `make size ONLY=parts` has measured it"
        self.assertEqual(fits._warning(plan, table, 1000000), "memory: " + told)
        plan = fits.Plan(config([P1], [MQTT]), Board)
        self.assertEqual(fits._warning(plan, table, 1000000), "")

    def test_the_board_says_what_the_config_does_not(self):
        need = self.need(config([P1], [MQTT]), "small-frozen", Small)
        self.assertEqual(need, 1000 + 9000 + 2000 + 300 + 3000 + 8000 + 6 * 150)
        need = self.need(config([P1], [MQTT], flash_kb=50), "small-frozen", Small)
        self.assertEqual(need, 1000 + 9000 + 2000 + 300 + 3000 + 8000 + 12000 + 6 * 150)

    def test_a_byte_more_or_less(self):
        about = config([P1], [MQTT])
        least = P1_MQTT - (P1_MQTT - 3000) // 32  # the sums are not more exact than that
        self.assertEqual(fits.problem(about, Board, "romfs", least), "")
        said = fits.problem(about, Board, "romfs", least - 1)
        self.assertTrue("needs 91 kB of memory from ROMFS, and 87 kB are free" in said, said)
        self.assertTrue("firmware and network 39 kB, dsmr 10, mqtt 20, " in said, said)
        self.assertTrue("readings on the flash 20, 8 readings in RAM 2" in said, said)
        self.assertTrue('`queue = {"flash_kb": 0}`' in said and "20 kB less" in said, said)
        self.assertTrue("needs 39 kB instead of 91" in said, said)
        self.assertFalse("leave out" in said)  # of one reader and one sink

    def test_advice_is_enough(self):
        """Whatever it says would fit, fits."""
        sinks = [MQTT, INFLUXDB, EMONCMS]
        whole = self.need(config([P1], sinks))
        for short in (6000, 9000, 12001, 20000, 33000, 45000):
            said = fits.problem(config([P1], sinks), Board, "romfs", whole - short)
            self.assertTrue("what would fit: " in said, said)
            line = [line for line in said.split("\n") if "what would fit: " in line][0]
            for advice in line.split("what would fit: ")[1].split("; or "):
                kept = [sink for sink in sinks if not _left_out(sink["type"], advice)]
                queue = {"flash_kb": 0} if "flash_kb" in advice else {}
                about = config([P1], kept, **queue)
                self.assertTrue(len(kept) < 3 or queue, advice)
                self.assertEqual(fits.problem(about, Board, "romfs", whole - short), "", advice)

    def test_who_knows_the_time_asks_nobody(self):
        about = config([P1], [MQTT])
        about["clock"] = {"ntp": []}
        self.assertEqual(self.need(about), P1_MQTT - 3000)
        self.assertEqual(self.need(config([P1], [MQTT]), board=Host), P1_MQTT - 3000)

    def test_fewer_slots(self):
        about = config([P1], [MQTT], slots=100)
        said = fits.problem(about, Board, "romfs", P1_MQTT + 10 * 150)
        self.assertTrue('fit: `queue = {"slots": 18}`' in said, said)
        about["queue"]["slots"] = 18
        self.assertEqual(fits.problem(about, Board, "romfs", P1_MQTT + 10 * 150), "")

    def test_mistakes_are_left_to_the_check(self):
        for readers, sinks, queue in (
            (None, 7, "x"),
            ([7, {"type": []}, {"type": "no such"}, {}], [None, {"type": "mqtt", "tls": 8}], {}),
            ([P1], [{"type": "influxdb", "url": 4, "name": 9}], {"slots": "many", "flash_kb": []}),
        ):
            about = {"readers": readers, "sinks": sinks, "queue": queue}
            self.assertTrue(self.need(about) >= 33000)
            self.assertTrue("does not fit" in fits.problem(about, Board, "romfs", 30000))

    def test_what_wifi_and_tls_leave(self):
        self.assertEqual(fits.left(100000, (), 3), 100000)
        # An ESP32-C3: Wi-Fi has room outside of what the heap can grow by.
        c3 = ((90000, 60540, 60000, 0), (120000, 115624, 115624, 0))
        self.assertEqual(fits.left(177184, c3, 0), 177184)
        self.assertEqual(fits.left(177184, c3, 1), 157184)
        self.assertEqual(fits.left(177184, ((9, 20000, 9000, 0), (9, 80000, 80000, 0)), 0), 147184)

    @unittest.skipUnless(hasattr(gc, "mem_free"), "only MicroPython tells how full the heap is")
    def test_the_start(self):
        free = [0]
        available = fits.available
        fits.available = lambda encrypted: free[0]
        try:
            about = config([P1], [MQTT])
            need = P1_MQTT - 3000  # what was loaded is not free any more
            whole = self._way(about, need)
            free[0] = whole - whole // 32 - 1
            self.assertRaises(ConfigError, fits.check, about, Board)
            free[0] = whole
            slots, warning = fits.check(about, Board)
            self.assertEqual((slots, warning), (8, ""))
            free[0] -= 1000
            self.assertEqual(fits.check(about, Board), (8, "memory: it may be 1 kB short"))
            free[0] += 1000 + 20 * 150
            self.assertEqual(fits.check(about, Board), (14, ""))  # half of what is left
            free[0] += 100000
            self.assertEqual(fits.check(about, Board), (64, ""))
            about["queue"]["slots"] = 100
            self.assertEqual(fits.check(about, Board), (100, ""))
        finally:
            fits.available = available

    def _way(self, about, romfs: int) -> int:
        """The need in the way that this code is installed here."""
        way = fits.way_of(Board)
        table = fits.Table(way)
        found = self.need(about, way) - table.of(("boot",))
        self.assertTrue(way != "romfs" or found == romfs)
        parts.HEAP = "\n".join(  # as from ROMFS, whatever it is
            [row if row.count("|") < 5 else _all_romfs(row) for row in parts.HEAP.split("\n")]
        )
        return romfs


def _left_out(kind: str, advice: str) -> bool:
    return "leave out" in advice and kind in advice


def _all_romfs(row: str) -> str:
    name, *figures = row.split("|")
    return "|".join([name] + [figures[3]] * 5)


if __name__ == "__main__":
    unittest.main()
