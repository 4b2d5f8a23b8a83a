"""The REST API's parts: exact numbers, the log's end, no secrets, parameters, names of metrics."""

import json
import os
import unittest

import fake_network  # noqa: F401
import folders
from httphead import Refused

from joulelog import registry
from joulelog.flow.latest import Latest
from joulelog.flow.reading import Source
from joulelog.web import api, metrics, openapi, records, values

FOLDER = "build/test_rest"
CHANNELS = (
    ("energy", "kWh", 3, "total_increasing", "energy"),
    ("power", "W", 0, "measurement", "power"),
    ("light", "%", 1, "measurement", ""),
    ("name", "", 0, "text", ""),
    ("gas_time", "", 0, "time", "timestamp"),
    ("event counter", "", 0, "total_increasing", ""),
)
VALUES = (45678123, None, 5, 'a "word"', 0, 7)


class Clock:
    source = "meter"

    def now(self):
        return 86400

    def resolve(self, stamp):
        return stamp if stamp >= 0 else None


class Given(dict):
    """Parameters, as microdot has them."""

    def getlist(self, name):
        return self[name] if isinstance(self[name], list) else [self[name]]


class Config:
    device = "house"
    board = ""
    wifi = [{"ssid": "home", "password": "a secret word"}, {"ssid": "open", "password": ""}]
    log = {"size_kb": 50}
    clock = {"ntp": []}
    queue: dict = {}
    readers: list = []
    sinks = [{"type": "influxdb", "token": "a secret word", "tags": {"a": "b"}, "ca": None}]
    services = {"web": {"port": None}}
    secrets = ("password", "token")


class Empty:
    def __init__(self):
        self.sinks = self.readers = self.services = []


class Board(Empty):
    device = "house"
    clock = Clock()
    config = Config()

    def __init__(self, names=("p1",)):
        Empty.__init__(self)
        self.queue = self
        self.latest = Latest()
        for name in names:
            self.latest.row(name)

    def put(self, name, channels, found, time=86399):
        self.latest.put((time, Source(name, channels), found))


def whole(texts):
    return "".join(texts)


class TestValues(unittest.TestCase):
    def test_numbers_have_their_digits(self):
        board = Board()
        board.put("p1", CHANNELS, VALUES)
        text = whole(values.live(board, {}))
        self.assertIn('"energy":45678.123,', text)
        self.assertIn('"light":0.5,', text)
        found = json.loads(text)
        self.assertEqual(found["values"]["name"], 'a "word"')
        self.assertIsNone(found["values"]["power"])
        self.assertEqual(found["values"]["gas_time"], "2000-01-01T00:00:00Z")
        self.assertEqual((found["source"], found["time"]), ("p1", "2000-01-01T23:59:59Z"))
        self.assertEqual(found["age"], 0)

    def test_all_sources_also_those_without_a_reading(self):
        board = Board(("silent", "p1"))
        board.put("p1", CHANNELS, VALUES, -5)
        found = json.loads(whole(values.latest(board, {})))
        names = [source["source"] for source in found["sources"]]
        self.assertEqual(names, ["p1", "silent"])
        self.assertIsNone(found["sources"][0]["time"])  # nobody has told it
        self.assertEqual(len(found["sources"][0]["channels"]), len(CHANNELS))
        silent = found["sources"][1]
        self.assertEqual((silent["channels"], silent["age"], silent["readings"]), ([], None, 0))

    def test_which_source(self):
        board = Board(("b", "a"))
        for arguments in ({}, {"source": "c"}, {"source": ""}):
            with self.assertRaises(Refused) as caught:
                values.live(board, arguments)
            status, told = caught.exception.args
            self.assertEqual((status, told), (400, "`source`; allowed: a, b"))
        self.assertEqual(json.loads(whole(values.live(board, {"source": "b"})))["values"], {})
        with self.assertRaises(Refused):
            values.live(Board(()), {})


class TestRoute(unittest.TestCase):
    def test_a_path_is_its_own_and_no_part_of_one(self):
        route = api.Api(None)
        for path in ("/api/latest", "/metrics", "/api/log"):
            self.assertEqual(route.match(path), {})
        for path in (
            "",
            "/",
            "/api",
            "/api/",
            "/api/latest ",
            "/api/latest/",
            "latest",
            "/api/live ",
        ):
            self.assertIsNone(route.match(path), path)
        self.assertIsNone(route.match("/api/log records log lines\n/api/config"))

    def test_parameters(self):
        self.assertEqual(api._checked({}, []), {})
        self.assertEqual(api._checked(Given(lines="3"), ["lines"]), {"lines": "3"})
        for given, names, told in (
            (Given(line="3"), ["lines"], "`line` is no parameter here; allowed: lines"),
            (Given(x="3"), [], "`x` is no parameter here; allowed: none"),
            (Given(lines=["1", "2"]), ["lines"], "`lines` comes twice; allowed: once"),
        ):
            with self.assertRaises(Refused) as caught:
                api._checked(given, names)
            self.assertEqual(caught.exception.args, (400, told))

    def test_pieces_are_small_and_complete(self):
        texts = ["%d," % number * (number % 70) for number in range(300)]
        pieces = list(api.gathered(iter(texts)))
        self.assertEqual("".join(pieces), "".join(texts))
        self.assertLessEqual(max([len(piece) for piece in pieces]), 512)
        self.assertLess(len(pieces), len(texts))
        self.assertEqual(b"".join(list(api.gathered([b"a", b"bc"]))), b"abc")
        self.assertEqual(list(api.gathered([])), [""])  # microdot wants one
        self.assertEqual(list(api.gathered(["a", "", "b"])), ["a", "b"])


class TestRecords(unittest.TestCase):
    def setUp(self):
        folders.ensure_folder(FOLDER)
        self.file = self
        self.log = self
        self.path = FOLDER + "/joulelog.log"
        self.last_path = FOLDER + "/lastLog.log"
        self.text = b""

    def tearDown(self):
        for path in (self.path, self.last_path):
            try:
                os.remove(path)
            except OSError:  # not every test has made it
                pass

    def waiting(self) -> bytes:
        return self.text

    def tail(self, lines):
        kind, pieces = records.log(self, {"lines": "%d" % lines})
        self.assertEqual(kind[:10], "text/plain")
        return b"".join(pieces)

    def put(self, path, lines):
        with open(path, "wb") as file:
            file.write(b"".join(lines))

    def test_the_end_whatever_lies_where(self):
        lines = [b"line %d %s\n" % (number, b"x" * (number * 7 % 90)) for number in range(60)]
        for first, second in ((0, 0), (0, 60), (25, 59), (25, 25), (60, 60), (1, 2), (57, 58)):
            self.put(self.last_path, lines[:first])
            self.put(self.path, lines[first:second])
            self.text = b"".join(lines[second:])
            for count in (1, 2, 3, 20, 34, 35, 36, 59, 60, 61, 1000):
                wanted = b"".join(lines[-count:])
                self.assertEqual(self.tail(count), wanted, (first, second, count))

    def test_no_file_yet(self):
        self.text = b"one\n"
        self.assertEqual(self.tail(5), b"one\n")

    def test_files_that_are_switched_meanwhile_end_early(self):
        self.put(self.path, [b"a line of the log\n"] * 200)
        _, pieces = records.log(self, {"lines": "200"})
        found = [next(pieces)]
        os.remove(self.path)
        self.assertEqual(b"".join(found + list(pieces)), b"")

    def test_how_many(self):
        for text in ("0", "1001", "-1", "1e3", "", "x", "9" * 500, "1.0", "\u0663"):
            with self.assertRaises(Refused) as caught:
                records.log(self, {"lines": text})
            self.assertEqual(caught.exception.args[0], 400)
            self.assertIn("`lines`; allowed: a whole number, 1 to 1000", caught.exception.args[1])
        self.file = None
        with self.assertRaises(Refused) as caught:
            records.log(self, {})
        self.assertEqual(caught.exception.args[0], 404)

    def test_a_config_has_no_secret(self):
        text = whole(records.config(Board(), {}))
        self.assertNotIn("a secret word", text)
        found = json.loads(text)
        self.assertEqual(found["wifi"][0], {"ssid": "home", "password": True})
        self.assertEqual(found["wifi"][1], {"ssid": "open", "password": ""})
        self.assertEqual(found["sinks"][0]["token"], True)
        self.assertEqual(found["sinks"][0]["tags"], {"a": "b"})
        self.assertEqual(found["readers"], [])
        self.assertEqual(found["web"], {"port": None})


class TestMetrics(unittest.TestCase):
    def test_names_and_exact_base_units(self):
        for key, unit, kind, wanted in (
            ("energy", "kWh", "total_increasing", ("joulelog_energy_joules_total", 3600000, 0)),
            ("light", "%", "measurement", ("joulelog_light_ratio", 1, 2)),
            ("Tank level", "", "measurement", ("joulelog_tank_level", 1, 0)),
            ("step", "ms", "measurement", ("joulelog_step_seconds", 1, 3)),
            ("x", "Ω/m", "measurement", ("joulelog_x___m", 1, 0)),
            ("counter_events", "", "code", ("joulelog_register_events", 1, 0)),
        ):
            self.assertEqual(metrics._named(key, unit, kind), wanted)

    def test_samples_of_a_name_stand_together(self):
        board = Board()
        board.put("p1", CHANNELS, VALUES)
        other = CHANNELS[:1] + (("power", "kW", 3, "measurement", "power"),)
        board.put("pz", other, (1, 5))
        lines = whole(metrics._readings(board)).split("\n")
        at = lines.index("# TYPE joulelog_energy_joules_total counter")
        self.assertEqual(
            lines[at + 1], 'joulelog_energy_joules_total{source="p1"} 164441242800.000'
        )
        self.assertEqual(lines[at + 2], 'joulelog_energy_joules_total{source="pz"} 3600.000')
        self.assertIn('joulelog_light_ratio{source="p1"} 0.005', lines)
        heads = [line for line in lines if line.startswith("# TYPE")]
        self.assertEqual(len(heads), len({line.split(" ")[2] for line in heads}))
        self.assertNotIn("word", "\n".join(lines))

    def test_labels_are_escaped(self):
        self.assertEqual(metrics._escaped('a"b\\c\nd'), 'a\\"b\\\\c d')


class TestContract(unittest.TestCase):
    def test_it_has_every_path(self):
        found = json.loads(whole(openapi.text(None, {})))
        lines = api._PATHS.decode().strip().split("\n")
        self.assertEqual(set(found["paths"]), {line.split(" ")[0] for line in lines})
        for line in lines:
            words = line.split(" ")
            about = found["paths"][words[0]]["get"].get("parameters", [])
            named = found["components"].get("parameters", {})
            about = [named[one["$ref"].split("/")[-1]] if "$ref" in one else one for one in about]
            self.assertEqual([one["name"] for one in about], words[3:])

    def test_every_reference_leads_somewhere(self):
        text = whole(openapi.text(None, {}))
        found = json.loads(text)
        for part in text.split('"$ref":"#/components/')[1:]:
            kind, name = part.split('"')[0].split("/")
            self.assertIn(name, found["components"][kind])


class TestBoards(unittest.TestCase):
    def test_an_esp8266_is_told_that_it_has_no_room(self):
        class Small:
            NAME = "SMALL"
            CHIP = "esp8266"
            FEATURES = ("web",)

        self.assertFalse(registry.has(Small, "web"))
        self.assertIn("an ESP8266 has no room for web", registry.lacks(Small, "web"))


if __name__ == "__main__":
    unittest.main()
