"""Settings as a page sees and changes them: no secret leaves, and none goes to a stranger."""

import asyncio
import os
import unittest
from asyncio import run

from folders import ensure_folder

from joulelog import registry
from joulelog.config import edit, schema, settings

FOLDER = "build/edit-test"
MQTT = {"type": "mqtt", "host": "192.0.2.10", "user": "me", "password": "first secret"}
CONFIG = {
    "wifi": {"ssid": "home", "password": "second secret"},
    "readers": [{"type": "dsmr", "uart": 2, "key": "0123456789abcdef0123456789abcdef"}],
    "sinks": [MQTT, {"type": "console"}],
}
SECRETS = ("first secret", "second secret", "0123456789abcdef0123456789abcdef")


class Board:
    NAME = "ESP32_GENERIC"
    CHIP = "esp32"
    UARTS = {2: {"tx": 17, "rx": 16}}
    GPIO = (16, 17)
    INPUT_ONLY = ()
    CAN_INVERT = True
    LOG_DIRECTORY = FOLDER


class TestEditor(unittest.TestCase):
    def setUp(self):
        ensure_folder(FOLDER)
        for name in os.listdir(FOLDER):
            os.remove(FOLDER + "/" + name)
        self.editor = edit.Editor(CONFIG, Board)

    def counts(self):
        return settings.over(CONFIG, Board)[0]

    def test_no_secret_is_shown(self):
        found = run(self.editor.shown())
        self.assertEqual(found["sinks"][0], dict(MQTT, password=True))
        self.assertEqual(found["wifi"], {"ssid": "home", "password": True})
        self.assertTrue(found["readers"][0]["key"] is True)
        for secret in SECRETS:
            self.assertFalse(secret in repr(found))

    def test_what_is_shown_can_be_sent_back(self):
        shown = run(self.editor.shown())
        self.assertEqual(run(self.editor.save(shown)), [])
        counts = self.counts()
        for name in CONFIG:
            self.assertEqual(counts[name], CONFIG[name])
        self.assertEqual(run(self.editor.changed()), ["readers", "sinks", "wifi"])
        self.assertEqual(run(self.editor.shown()), shown)

    def test_to_another_place_no_secret_goes(self):
        for change in ({"host": "192.0.2.66"}, {"port": 1884}):
            moved = dict(MQTT, password=True)
            moved.update(change)
            (problem,) = run(self.editor.save({"sinks": [moved]}))
            self.assertIn("sinks[0]: `password` has to be given again", problem)
            self.assertEqual(run(self.editor.changed()), [])
            moved["password"] = "another"
            self.assertEqual(run(self.editor.problems({"sinks": [moved]})), [])
        (problem,) = run(self.editor.save({"wifi": {"ssid": "neighbour", "password": True}}))
        self.assertIn("wifi: `password` has to be given again", problem)
        # A type whose password it is not.
        web = {"type": "influxdb", "url": "http://192.0.2.10:8086", "password": True}
        (problem,) = run(self.editor.save({"sinks": [web]}))
        self.assertIn("has to be given again", problem)

    def test_an_entry_may_move_in_its_list(self):
        second = {
            "type": "mqtt",
            "host": "192.0.2.11",
            "name": "b",
            "user": "b",
            "password": "of the second",
        }
        self.assertEqual(run(self.editor.save({"sinks": [MQTT, second]})), [])
        entries = run(self.editor.shown())["sinks"]
        self.assertEqual(run(self.editor.save({"sinks": [entries[1], entries[0]]})), [])
        found = [entry["password"] for entry in self.counts()["sinks"]]
        self.assertEqual(found, ["of the second", "first secret"])

    def test_two_of_one_place_keep_their_own(self):
        other = dict(MQTT, user="you", password="of the other", name="other", topic="x")
        self.assertEqual(run(self.editor.save({"sinks": [MQTT, other]})), [])
        entries = run(self.editor.shown())["sinks"]
        self.assertEqual(run(self.editor.save({"sinks": [entries[1], entries[0]]})), [])
        found = [entry["password"] for entry in self.counts()["sinks"]]
        self.assertEqual(found, ["of the other", "first secret"])
        # Whose of the two it is, nobody can tell.
        (problem,) = run(self.editor.save({"sinks": [dict(MQTT, user="third", password=True)]}))
        self.assertIn("has to be given again", problem)

    def test_problems_in_the_words_of_the_schema(self):
        problems = run(
            self.editor.save({"sinks": [{"type": "mqtt"}], "readers": [{"type": "dmsr"}]})
        )
        text = "\n".join(problems)
        self.assertIn("sinks[0] (mqtt): `host` is missing", text)
        self.assertIn('did you mean "dsmr"', text)
        self.assertEqual(self.counts(), CONFIG)

    def test_hostile_shapes(self):
        for changes in (
            {"sinks": "mqtt"},
            {"sinks": [7, None, [], {"type": []}, {"type": {"a": 1}}]},
            {"wifi": 7},
            {"wifi": [{"ssid": True}]},
            {"wifi": {"ssid": "x", "password": True}},
            {"colour": 1},
            {"log": [1]},
            {"readers": [{"type": "dsmr", "uart": True}]},
            {"readers": [{"type": "dsmr", "uart": 2, "x" * 3000: 1}]},
            {"sinks": [{"type": "webhook", "url": "http://192.0.2.1/", "key": True}]},
            {"": 1},
            {"_x": 1},
            {"DEVICE": "x"},
        ):
            self.assertTrue(run(self.editor.save(changes)), changes)
            self.assertEqual(self.counts(), CONFIG)

    def test_taken_back(self):
        self.assertEqual(run(self.editor.save({"device": "attic", "sinks": []})), [])
        self.assertEqual(run(self.editor.changed()), ["device", "sinks"])
        self.assertEqual(run(self.editor.save({"device": None, "sinks": None})), [])
        self.assertEqual((run(self.editor.changed()), self.counts()), ([], CONFIG))

    def test_a_new_network_comes_first(self):
        new = {"ssid": "garden", "password": 'äß+%";x '}
        self.assertEqual(run(self.editor.save_network(new)), [])
        self.assertEqual(self.counts()["wifi"], [new, CONFIG["wifi"]])
        newer = {"ssid": "garden", "password": "changed since"}
        self.assertEqual(run(self.editor.save_network(newer)), [])
        self.assertEqual(self.counts()["wifi"], [newer, CONFIG["wifi"]])
        names = [one["ssid"] for one in self.editor.networks()]
        self.assertEqual(names, ["garden", "home"])

    def test_wifi_alone_beside_settings_that_name_what_is_not_known_here(self):
        sinks = [{"type": "console", "sources": ["dsmr"]}]
        self.assertEqual(run(self.editor.save({"sinks": sinks})), [])
        beside = edit.Editor({"wifi": [CONFIG["wifi"]]}, Board)  # the app has no more than that
        new = {"ssid": "garden", "password": "12345678"}
        self.assertEqual(run(beside.save_network(new)), [])
        counts = self.counts()
        self.assertEqual((counts["wifi"][0], counts["sinks"]), (new, sinks))

    def test_usable(self):
        self.assertTrue(run(self.editor.usable()))
        for readers in ([], [{"type": "dsmr", "uart": "sim"}], [{"type": "dsmr", "uart": 7}]):
            config = dict(CONFIG, readers=readers)
            self.assertFalse(run(edit.Editor(config, Board).usable()))
        self.assertEqual(run(self.editor.save({"readers": []})), [])
        self.assertFalse(run(self.editor.usable()))
        self.assertEqual(run(self.editor.save({"readers": None})), [])
        self.assertTrue(run(self.editor.usable()))

    def test_two_at_a_time_do_not_mix(self):
        """Each adds a destination to what the other has written, whoever is first."""

        def with_another(name):
            return lambda found: found + [{"type": "console", "name": name}]

        async def change(name, done):
            done.append(await self.editor.save_with("sinks", with_another(name)))

        async def all():
            done: list = []
            turns = 0
            names = ("one", "two", "three")
            for name in names:
                asyncio.create_task(change(name, done))
            while len(done) < len(names):
                found = await self.editor.shown()
                names_now = [one.get("name") for one in found["sinks"][2:]]
                self.assertEqual(names_now, ["one", "two", "three"][: len(names_now)])
                await asyncio.sleep(0)
                turns += 1
            return done, turns

        done, turns = run(all())
        self.assertEqual(done, [[], [], []])
        self.assertTrue(turns > 1, turns)
        self.assertEqual(len(self.counts()["sinks"]), 5)

    def test_others_have_their_turn(self):
        """A save gives way at each entry, row and line; what is refused is written nowhere."""
        turns = [0]

        async def other():
            while True:
                turns[0] += 1
                await asyncio.sleep(0)

        async def save(changes):
            task = asyncio.create_task(other())
            await asyncio.sleep(0)
            turns[0] = 0
            found = await self.editor.save(changes)
            task.cancel()
            return found

        sinks = [dict(MQTT, name="sink %d" % number) for number in range(4)]
        self.assertEqual(run(save({"sinks": sinks})), [])
        self.assertTrue(turns[0] > 50, turns)
        self.assertEqual(len(run(save({"sinks": sinks + [{"type": "mqtt", "host": 1}]}))), 1)
        self.assertTrue(turns[0] > 80, turns)
        self.assertEqual(len(self.counts()["sinks"]), 4)

    def test_cut_off_in_the_midst_nothing_is_changed(self):
        """A handler that is cancelled leaves the settings as they were, and nobody locked out."""
        self.assertEqual(run(self.editor.save({"device": "first"})), [])

        async def leave(after):
            task = asyncio.create_task(self.editor.save({"device": "second"}))
            for _ in range(after):
                await asyncio.sleep(0)
            ended = task.done()
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            return ended

        after = 1
        while not run(leave(after)):
            self.assertIn(self.counts()["device"], ("first", "second"))
            after += 1
        self.assertTrue(after > 10, after)
        self.assertEqual(self.counts()["device"], "second")
        self.assertEqual(run(self.editor.save({"device": "third"})), [])
        self.assertEqual(self.counts()["device"], "third")

    def test_every_schema_has_its_secrets_known(self):
        for section, table in (("readers", registry.READERS), ("sinks", registry.SINKS)):
            for name in registry.names(table):
                texts = registry.module(table, name).SCHEMA
                texts = (texts,) if isinstance(texts, str) else texts
                rows = [row for text in texts for row in schema.rows(text)]
                keys = [row[0] for row in rows if row[1].startswith("secret")]
                entry = {"type": name}
                for key in keys:
                    entry[key] = "to be hidden"
                shown = run(edit._hidden(section, entry))
                self.assertFalse("hidden" in repr(shown), name)
                self.assertEqual(len(shown), len(entry))


if __name__ == "__main__":
    unittest.main()
