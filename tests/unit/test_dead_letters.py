"""What no server takes: two sinks, one bounded file, readable lines."""

import json
import os
import unittest

from joulelog import clock
from joulelog.backlog.dead_letters import DeadLetters
from joulelog.flow.reading import Source

CHANNELS = (("power", "W", 1, "measurement", "power"), ("message", "", 0, "text", ""))
P1 = Source("p1", CHANNELS)
_FOLDER = "dead_letters_of_a_test"


class TestDeadLetters(unittest.TestCase):
    def setUp(self):
        os.mkdir(_FOLDER)

    def tearDown(self):
        for name in os.listdir(_FOLDER):
            os.remove(_FOLDER + "/" + name)
        os.rmdir(_FOLDER)

    def lines(self):
        """All that is kept."""
        found = []
        for name in ("lastRefused.log", "refused.log"):
            if name not in os.listdir(_FOLDER):
                continue
            with open(_FOLDER + "/" + name) as file:
                found += [json.loads(line) for line in file if line[:1] != "#"]
        return found

    def test_two_sinks(self):
        dead_letters = DeadLetters(_FOLDER, clock.Clock(), 32)
        dead_letters.put("influx", (7, 848000000, (848000000, P1, (-15, None)), 255), "field type")
        dead_letters.put("emoncms", (8, None, (-5, P1, (None, "é\n")), 255), "\x9bno")
        dead_letters.flush()
        first, second = self.lines()
        self.assertEqual(
            (first["sink"], first["id"], first["why"]), ("influx", "000000ff-7", "field type")
        )
        self.assertEqual(first["values"], {"power": "-1.5", "message": None})
        self.assertEqual(first["time"], clock.iso(848000000))
        self.assertEqual((second["sink"], second["time"]), ("emoncms", None))
        self.assertEqual(second["why"], " no")  # no control character of a server's
        self.assertEqual(second["values"], {"power": None, "message": "é\n"})

    def test_bounded_and_readable_however_large_they_are(self):
        dead_letters = DeadLetters(_FOLDER, clock.Clock(), 16)
        for serial in range(300):
            reading = (848000000, P1, (serial, "x" * 9000))
            dead_letters.put("influx", (serial, 848000000, reading, 1), "too large " * 100)
        dead_letters.flush()
        lines = self.lines()
        self.assertEqual(lines[-1]["values"]["power"], "29.9")
        self.assertTrue(len(lines) > 10, len(lines))
        sizes = [os.stat(_FOLDER + "/" + name)[6] for name in os.listdir(_FOLDER)]
        self.assertTrue(sum(sizes) <= 16000, sizes)
