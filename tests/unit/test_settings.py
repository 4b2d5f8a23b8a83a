"""Who set what, and the settings file that a page may write: both files of it, whole or not."""

import os
import unittest

from folders import ensure_folder

from joulelog import build, registry
from joulelog.config import schema, settings
from joulelog.errors import ConfigError

FOLDER = "build/settings-test"
FILE = "build/settings-telegrams.txt"
CONFIG = {
    "device": "cellar",
    "clock": {"ntp": []},
    "readers": [{"type": "replay", "file": FILE}],
    "sinks": [{"type": "console"}],
}


class Board:
    NAME = "HOST"
    UARTS: dict = {}
    LOG_DIRECTORY = FOLDER + "/"
    DEFAULTS = {"log": {"size_kb": 64, "level": "debug"}, "console": {"style": "lines"}}


class TestSettings(unittest.TestCase):
    def setUp(self):
        ensure_folder(FOLDER)
        open(FILE, "w").close()
        for name in os.listdir(FOLDER):
            os.remove(FOLDER + "/" + name)

    def saved(self, *changes):
        """Write these changes, one file after the other."""
        made = settings.opened(CONFIG, Board)
        for name, value in changes:
            made.set(name, value)
            made.save()
        return made

    def counts(self):
        """What counts after a start: device, time zone; what is told of it stays in told."""
        config, self.told = settings.over(CONFIG, Board)
        found = schema.check(config, Board, registry)
        return found.device, found.clock["timezone"], found.clock["ntp"]

    def merged(self, config=CONFIG):
        return settings.over(config, Board)[0]

    def spoil(self, name):
        with open(FOLDER + "/" + name, "rb") as file:
            data = file.read()
        with open(FOLDER + "/" + name, "wb") as file:
            file.write(data[:-3])

    def test_without_a_file_nothing_is_loaded_or_changed(self):
        self.assertTrue(self.merged() is CONFIG)
        self.assertEqual(os.listdir(FOLDER), [])

    def test_at_the_start_it_is_asked_where_there_is_a_file(self):
        from joulelog.config import settings as loaded  # another test may have dropped the first

        asked = []
        real = loaded.over, registry.drop
        loaded.over = lambda *_: asked.append(len(os.listdir(FOLDER))) or ({}, [])
        registry.drop = lambda *_: None
        try:
            self.assertTrue(build.settled(CONFIG, Board)[0] is CONFIG)
            self.saved(("device", "first"))
            build.settled(CONFIG, Board)
            os.remove(settings.opened(CONFIG, Board).path())
            self.saved(("device", "first"), ("device", "second"))
            build.settled(CONFIG, Board)
        finally:
            loaded.over, registry.drop = real
        self.assertEqual(asked, [1, 2])

    def test_a_module_as_config(self):
        class Config:
            device = "attic"
            HELPER = 1

        self.saved(("clock", {"timezone": "UTC0"}))
        merged = self.merged(Config)
        self.assertEqual(merged, {"device": "attic", "clock": {"timezone": "UTC0"}})

    def test_a_section_is_replaced_as_a_whole(self):
        sinks = [{"type": "console", "style": "table"}, {"type": "mqtt", "host": "é" * 40}]
        self.saved(("clock", {"timezone": "UTC0"}), ("device", "attic"), ("sinks", sinks))
        self.assertEqual(self.counts(), ("attic", "UTC0", ["pool.ntp.org"]))
        self.assertEqual(len(self.told), 1)
        self.assertIn("has clock, device, sinks: what config.py says of that", self.told[0])
        merged = self.merged()
        self.assertEqual(merged["sinks"], sinks)
        self.assertEqual(merged["readers"], CONFIG["readers"])
        self.assertEqual(CONFIG["clock"], {"ntp": []})

    def test_an_empty_list_and_what_is_taken_back(self):
        self.saved(("sinks", []), ("device", "attic"), ("device", None))
        merged = self.merged()
        self.assertEqual((merged["sinks"], merged["device"]), ([], "cellar"))

    def test_who_set_what(self):
        made = self.saved(
            ("clock", {"timezone": "UTC0"}),
            ("wifi", {"ssid": "home", "password": "not to be seen"}),
            ("sinks", [{"type": "console", "every": 60}]),
        )
        told = {key: (value, origin) for key, value, origin in made.rows()}
        for key, row in {
            "device": ('"cellar"', "config"),
            "board": ('"auto"', "default"),
            "log.size_kb": ("64", "board"),
            "log.level": ('"debug"', "board"),
            "clock.ntp": ('["pool.ntp.org"]', "default"),
            "clock.timezone": ('"UTC0"', "settings"),
            "wifi.password": ("***", "settings"),
            "wifi.power_save": ("False", "default"),
            "readers[0].file": ('"%s"' % FILE, "config"),
            "sinks[0].every": ("60", "settings"),
            "sinks[0].style": ('"lines"', "board"),
        }.items():
            self.assertEqual(told[key], row, key)

    def test_a_damaged_file_and_the_older_counts(self):
        self.saved(("device", "first"), ("device", "second"))
        self.assertEqual(self.counts()[0], "second")
        newest = settings.opened(CONFIG, Board).path()
        self.spoil(newest.split("/")[-1])
        self.assertEqual(self.counts()[0], "first")
        self.assertIn(newest + " is cut, damaged or of a later version", self.told[1])
        made = settings.opened(CONFIG, Board)
        made.set("device", "third")  # into the file that is damaged
        made.save()
        self.assertEqual((made.path(), self.counts()[0]), (newest, "third"))

    def test_both_damaged(self):
        self.saved(("device", "first"), ("device", "second"))
        self.spoil("settings.a")
        self.spoil("settings.b")
        self.assertEqual(self.counts()[0], "cellar")
        self.assertEqual((len(self.told), self.told[0]), (3, ""))

    def test_a_later_version_is_left_alone(self):
        self.saved(("device", "first"), ("device", "second"))
        path = settings.opened(CONFIG, Board).path()
        with open(path) as file:
            lines = file.read().split("\n")
        lines[0] = lines[0].replace("joulelog 1", "joulelog 2")
        with open(path, "w") as file:
            file.write("\n".join(lines))
        self.assertEqual(self.counts()[0], "first")
        self.assertIn("of a later version", self.told[1])

    def test_erased(self):
        self.saved(("device", "first"), ("wifi", {"ssid": "a", "password": "not to be seen"}))
        settings.erase(CONFIG, Board)
        self.assertEqual(os.listdir(FOLDER), [])
        settings.erase(CONFIG, Board)
        self.assertEqual(self.counts()[0], "cellar")

    def test_what_was_wrong_before_may_stay_wrong(self):
        """Set-up goes from one section to the next."""
        shipped = {
            "readers": [{"type": "dsmr", "uart": "nowhere"}],
            "sinks": [{"type": "console"}],
        }

        class Chip(Board):
            NAME = "ESP32_GENERIC"
            UARTS = {2: {"tx": 17, "rx": 16}}

        made = settings.opened(shipped, Chip)
        made.set("wifi", {"ssid": "home", "password": "correct horse"})
        made.save()
        self.assertEqual(settings.over(shipped, Chip)[0]["wifi"]["ssid"], "home")
        made.set("wifi", {"ssid": "home", "password": "short"})
        with self.assertRaises(ConfigError):
            made.save()
        made.set("wifi", None)
        made.set("readers", [{"type": "dsmr", "uart": 3}])
        with self.assertRaises(ConfigError):
            made.save()
        made.set("readers", [{"type": "dsmr", "uart": 2}])
        made.save()
        self.assertEqual(settings.over(shipped, Chip)[0]["readers"][0]["uart"], 2)

    def test_a_reader_that_a_sink_of_config_py_names_stays(self):
        config = dict(CONFIG)
        config["sinks"] = [{"type": "console", "sources": ["replay"]}]
        made = settings.opened(config, Board)
        made.set("readers", [{"type": "replay", "file": FILE, "name": "other"}])
        with self.assertRaises(ConfigError) as caught:
            made.save()
        self.assertIn("no reader has that name", str(caught.exception))

    def test_every_cut_leaves_one_of_the_two(self):
        self.saved(("device", "first"), ("device", "second"))
        newest = settings.opened(CONFIG, Board).path()
        with open(newest, "rb") as file:
            data = file.read()
        for size in range(len(data)):
            with open(newest, "wb") as file:
                file.write(data[:size])
            self.assertEqual(self.merged()["device"], "first", str(size))

    def test_a_mistake_is_told_by_its_files_name(self):
        made = self.saved(("device", "first"))
        made.set("clock", {"timezone": "Europe/Berlin"})
        made._store.save_now()  # as by a firmware that allowed it
        self.assertEqual(self.counts(), ("first", "", []))
        self.assertIn(made.path() + " cannot work", self.told[1])
        self.assertIn(
            'clock: `timezone` is "Europe/Berlin"; allowed is a POSIX TZ (character ',
            self.told[2],
        )

    def test_what_cannot_work_is_not_written(self):
        made = self.saved(("device", "first"))
        for name, value in (("device", "a/b"), ("sinks", [{"type": "pigeon"}]), ("colour", 1)):
            made.set(name, value)
            with self.assertRaises(ConfigError):
                made.save()
            made.set(name, None)
        with self.assertRaises(ConfigError):
            made.set("sinks", [{"type": "mqtt", "host": "x" * 3000}])
        self.assertEqual(self.counts()[0], "first")

    def test_a_folder_that_cannot_be_written(self):
        class Nowhere(Board):
            LOG_DIRECTORY = FOLDER + "/missing"

        made = settings.opened(CONFIG, Nowhere)
        made.set("device", "attic")
        with self.assertRaises(ConfigError):
            made.save()


if __name__ == "__main__":
    unittest.main()
