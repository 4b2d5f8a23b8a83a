"""The config check: messages say where, what was found and what is allowed, and no secret."""

import os
import sys
import unittest

from joulelog import registry
from joulelog.config import schema, servers, types
from joulelog.device import chip
from joulelog.errors import ConfigError

ROOT = "/".join(__file__.split("/")[:-3]) or "."
SECRET = "correct-horse-battery"


class Module:
    def __init__(self, table) -> None:
        self.SCHEMA = table


class PickyModule(Module):
    def problems(self, entry: dict, board):
        if entry["request"] == "pulse" and entry["request_pin"] is None:
            yield '`request` "pulse" needs `request_pin`'
        if entry["invert"] and entry["interval"] and board.NAME == "HOST":
            yield "`invert` is True, but a computer cannot invert"


class Registry:
    """Tables of its own, so that the test knows every key."""

    READERS = (("dsmr", "r.dsmr"), ("replay", "r.replay"))
    SINKS = (("console", "s.console"), ("mqtt", "s.mqtt"), ("influxdb", "s.influxdb"))
    MODULES = {
        "dsmr": """
# a line that starts with # is ignored
uart | uart | required | where the meter is
baud | choice 0 9600 115200 | 0 | 0: find it
request | choice hold pulse | "hold" | the data-request pin
request_pin | pin | null | its GPIO
invert | bool | null | the line is inverted
key | secret | null | decryption key
interval | int 0..3600 | 0 | seconds
""",
        "replay": "file | path | required | recorded telegrams",
        "console": "",
        "mqtt": """
host | text | required | broker
port | int 1..65535 | 1883 | its port
user | text | "" | user
password | secret | "" | password
every | int 0..86400 | 10 | a default of its own
""",
        "influxdb": """
url | url | required | where InfluxDB listens, such as "http://192.168.1.5:8086"
token | secret | required | API token
tags | dict text | {} | more tags
""",
    }

    missing = ""  # a module that cannot be imported
    entries = staticmethod(registry.entries)
    has = staticmethod(registry.has)
    lacks = staticmethod(registry.lacks)
    services = staticmethod(registry.services)
    SERVICES = registry.SERVICES

    @staticmethod
    def names(table):
        return [name for name, _ in table]

    @classmethod
    def module(cls, table, name):
        if name == cls.missing:
            raise ImportError("no module named 'r.replay'")
        if table is cls.SERVICES:
            return registry.module(table, name)
        if name == "influxdb":  # in two parts, as modules that share rows give theirs
            head = cls.MODULES[name].find("token")
            return Module((cls.MODULES[name][:head], cls.MODULES[name][head:]))
        return (PickyModule if name == "dsmr" else Module)(cls.MODULES[name])


class Host:
    NAME = "HOST"
    UARTS = ()


class Board:
    NAME = "ESP32_GENERIC"
    UARTS = {1: (9, 10), 2: (17, 16)}
    GPIO = (2, 4, 16, 17)
    DEFAULTS = {"log": {"size_kb": 64}, "queue": {"slots": 16}}


def problems(config, board=Host, against=Registry) -> list:
    try:
        schema.check(config, board, against)
    except ConfigError as error:
        return str(error).split("\n")
    return []


class TestSchema(unittest.TestCase):
    def check_one(self, config, *parts, board=Host) -> str:
        """The config has exactly one problem, and its line has all these parts."""
        found = problems(config, board)
        self.assertEqual(len(found), 1, found)
        for part in parts:
            self.assertIn(part, found[0])
        return found[0]

    def test_defaults(self):
        config = schema.check({}, Host, Registry)
        self.assertEqual(config.device, "joulelog-" + chip.digits())  # two boards are not one
        self.assertEqual(len(config.device), 15)
        self.assertEqual(config.board, "auto")
        self.assertIsNone(config.wifi)
        self.assertEqual((config.readers, config.sinks), ([], []))
        self.assertEqual(config.log["level"], "info")
        self.assertEqual(config.log["size_kb"], 500)
        self.assertEqual(config.clock["ntp"], ["pool.ntp.org"])
        self.assertEqual(config.queue["slots"], 64)

    def test_entries_get_their_defaults_and_names(self):
        config = schema.check(
            {
                "readers": [{"type": "dsmr", "uart": "sim"}, {"type": "dsmr", "uart": "/dev/a"}],
                "sinks": ({"type": "mqtt", "host": "h"}, {"type": "console", "every": 60}),
            },
            Host,
            Registry,
        )
        first = config.readers[0]
        self.assertEqual(first["name"], "dsmr")
        self.assertEqual(config.readers[1]["name"], "dsmr-2")
        self.assertEqual((first["baud"], first["request"], first["interval"]), (0, "hold", 0))
        self.assertEqual((first["names"], first["offsets"]), ({}, {}))
        self.assertIsNone(first["invert"])
        self.assertIsNone(first["channels"])
        self.assertEqual(
            config.sinks[0]["every"], 10
        )  # the sink's table goes before the common one
        self.assertEqual(config.sinks[1]["every"], 60)
        self.assertIsNone(config.sinks[1]["sources"])

    def test_a_made_name_avoids_a_given_one(self):
        entries = [
            {"type": "console"},
            {"type": "console", "name": "console"},
            {"type": "console"},
        ]
        config = schema.check({"sinks": entries}, Host, Registry)
        names = [entry["name"] for entry in config.sinks]
        self.assertEqual(names, ["console-2", "console", "console-3"])

    def test_defaults_are_not_shared(self):
        given = {"sinks": [{"type": "influxdb", "url": "http://h", "token": "t"}]}
        schema.check(given, Host, Registry).sinks[0]["tags"]["spoilt"] = "x"
        self.assertEqual(schema.check(given, Host, Registry).sinks[0]["tags"], {})
        self.assertFalse("tags" in given["sinks"][0])

    def test_board_changes_defaults(self):
        config = schema.check({"log": {"level": "debug"}}, Board, Registry)
        self.assertEqual((config.log["size_kb"], config.log["level"]), (64, "debug"))
        self.assertEqual(config.queue["slots"], 16)
        config = schema.check({"queue": {"slots": 8}}, Board, Registry)
        self.assertEqual(config.queue["slots"], 8)

    def test_board_changes_defaults_of_a_type(self):
        class Small(Board):
            DEFAULTS = {"mqtt": {"port": 8883}}

        one, other = {"type": "mqtt", "host": "h"}, {"type": "mqtt", "host": "h", "port": 5}
        sinks = [one, other, {"type": "influxdb", "url": "http://h", "token": "t"}]
        config = schema.check({"sinks": sinks}, Small, Registry)
        self.assertEqual([entry["port"] for entry in config.sinks[:2]], [8883, 5])
        self.assertNotIn("port", config.sinks[2])

    def test_module_with_helpers(self):
        class Config:  # a module does the same: attributes
            device = "attic"
            PASSWORD = "helper"
            _private = 1
            readers = [{"type": "dsmr", "uart": "sim"}]
            helper_module = sys
            exit = staticmethod(len)

        self.assertEqual(schema.check(Config, Host, Registry).device, "attic")
        Config.sink = []
        self.assertIn("did you mean `sinks`?", problems(Config)[0])

    def test_unknown_top_level_key(self):
        line = self.check_one({"devise": "x"}, "config: ", "`devise`", "did you mean `device`?")
        self.assertFalse('"x"' in line)
        self.check_one({"quux": 1}, "`quux`", "allowed: device, board, wifi, readers, sinks")

    def test_unknown_key_in_an_entry(self):
        entry = {"type": "influxdb", "ulr": "http://h", "url": "http://h", "token": "t"}
        found = self.check_one({"sinks": [{"type": "console"}, entry]}, "sinks[1] (influxdb): ")
        self.assertIn("`ulr` is not a key here; did you mean `url`?", found)
        self.check_one(
            {"readers": [{"type": "replay", "file": "f", "zzz": 1}]},
            "readers[0] (replay)",
            "`zzz`",
            "allowed: file, type, name, names, offsets, channels",
        )

    def test_misspelt_secret_is_not_shown(self):
        entry = {"type": "mqtt", "host": "h", "passwd": SECRET}
        line = self.check_one({"sinks": [entry]}, "`passwd`", "did you mean `password`?")
        self.assertFalse(SECRET in line)

    def test_missing_key(self):
        entry = {"type": "influxdb", "token": "t"}
        self.check_one(
            {"sinks": [entry]},
            "sinks[0] (influxdb)",
            "`url` is missing",
            "http://192.168.1.5:8086",
        )

    def test_whole_numbers(self):
        for bad, shown in (
            (0, "0"),
            (65536, "65536"),
            (True, "True"),
            (1.5, "1.5"),
            (None, "None"),
        ):
            entry = {"type": "mqtt", "host": "h", "port": bad}
            self.check_one(
                {"sinks": [entry]},
                "sinks[0] (mqtt): `port` is %s; " % shown,
                "allowed is a whole number from 1 to 65535",
            )
        entry = {"type": "mqtt", "host": "h", "port": "1883"}
        self.check_one({"sinks": [entry]}, '`port` is "1883"', "without quotes")
        for good in (1, 65535):
            self.assertEqual(
                problems({"sinks": [{"type": "mqtt", "host": "h", "port": good}]}), []
            )

    def test_choices(self):
        for good in (0, 9600, 115200):
            entry = {"type": "dsmr", "uart": "sim", "baud": good}
            self.assertEqual(problems({"readers": [entry]}), [])
        for bad in (300, "9600", False, None, 9600.0, []):
            entry = {"type": "dsmr", "uart": "sim", "baud": bad}
            self.check_one({"readers": [entry]}, "`baud` is ", "allowed: 0, 9600, 115200")
        entry = {"type": "dsmr", "uart": "sim", "request": "pulze"}
        self.check_one(
            {"readers": [entry]}, '`request` is "pulze"', '"hold", "pulse"', 'mean "pulse"'
        )
        self.check_one({"log": {"level": "verbose"}}, "log: `level`", '"debug", "info", "warning"')

    def test_bool(self):
        for bad in (1, 0, "yes"):
            entry = {"type": "dsmr", "uart": "sim", "invert": bad}
            self.check_one({"readers": [entry]}, "`invert` is ", "allowed is True or False")
        for good in (True, False, None):
            entry = {"type": "dsmr", "uart": "sim", "invert": good}
            self.assertEqual(problems({"readers": [entry]}), [])

    def test_text_and_path(self):
        for bad in (5, None, "", "two\nlines", "\x1b[2J"):
            entry = {"type": "mqtt", "host": bad}
            line = self.check_one({"sinks": [entry]}, "`host` is ", "allowed is text")
            self.assertFalse("\x1b" in line)
            self.check_one({"readers": [{"type": "replay", "file": bad}]}, "`file` is ", "text")
        pem = {"type": "replay", "file": "-----BEGIN CERTIFICATE-----\nMII\n"}
        self.assertEqual(problems({"readers": [pem]}), [])

    def test_names(self):
        for bad in ("", "a/b", "a+b", "#", 'a"b', "x" * 49, "a\tb"):
            self.check_one({"device": bad}, "config: `device` is ", "1 to 48 characters without /")
        for good in ("a", "Heat pump", "zähler-2", "x" * 48):
            self.assertEqual(problems({"device": good}), [])

    def test_urls(self):
        def line(url):
            entry = {"type": "influxdb", "url": url, "token": "t"}
            return self.check_one({"sinks": [entry]}, "sinks[0] (influxdb): `url` is ")

        def fine(url):
            return problems({"sinks": [{"type": "influxdb", "url": url, "token": "t"}]}) == []

        for good in (
            "http://h",
            "https://emoncms.org/",
            "http://10.0.0.1:8086/a/b",
            "http://h:65535",
        ):
            self.assertTrue(fine(good), good)
        self.assertIn('begins with "http://" or "https://"', line("influx.local:8086"))
        self.assertIn('begins with "http://" or "https://"', line("mqtt://h"))
        self.assertIn('begins with "http://" or "https://"', line("://h"))
        self.assertIsNone(types.fault("url mqtt mqtts", "mqtts://h:8883", True, Host))
        wrong = types.fault("url mqtt mqtts", "http://h", True, Host)
        self.assertIn('begins with "mqtt://" or "mqtts://"', wrong)
        self.assertIn("port from 1 to 65535", line("http://h:0"))
        self.assertIn("port from 1 to 65535", line("http://h:65536/x"))
        self.assertIn("port from 1 to 65535", line("http://h:x"))
        self.assertIn("host name or IPv4 address", line("http:///x"))
        self.assertIn("host name or IPv4 address", line("http://[fe80::1]:80/x"))
        self.assertIn("without ?, # and spaces", line("http://h/write?db=x"))
        for url in ("http://joe:%s@h/x", "http://joe:pa/%s@h", "http://h/write?token=%s"):
            found = line(url % SECRET)
            self.assertFalse(SECRET in found, found)
        self.assertIn("keys of their own", line("http://joe:%s@h/x" % SECRET))

    def test_pins(self):
        for bad in (-1, "4", True, 5):
            entry = {"type": "dsmr", "uart": 1, "request_pin": bad}
            self.check_one({"readers": [entry]}, "`request_pin` is ", "2, 4, 16, 17", board=Board)
        entry = {"type": "dsmr", "uart": 1, "request_pin": 4}
        self.assertEqual(problems({"readers": [entry]}, Board), [])
        entry = {"type": "dsmr", "uart": "sim", "request_pin": -1}
        self.check_one({"readers": [entry]}, "`request_pin` is -1", "number of a GPIO pin")

    def test_uarts_of_a_board(self):
        for bad in (0, 3, "1", True, "/dev/ttyUSB0"):
            entry = {"type": "dsmr", "uart": bad}
            self.check_one({"readers": [entry]}, "`uart` is ", "allowed: 1, 2 (UARTs", board=Board)
        entry = {"type": "dsmr", "uart": "sim"}
        self.check_one({"readers": [entry]}, '"sim" is for a computer', board=Board)

    def test_uarts_of_a_computer(self):
        for bad in (1, "COM3", "ttyUSB0", "/", "", None):
            self.check_one(
                {"readers": [{"type": "dsmr", "uart": bad}]},
                "`uart` is ",
                'a device path such as "/dev/ttyUSB0", or "sim"',
            )

    def test_ports_of_windows_and_of_the_network(self):
        entry = {"type": "dsmr", "uart": "socket://192.0.2.5:2000"}
        self.assertEqual(problems({"readers": [entry]}), [])

        class Windows:
            pass

        windows = Windows()
        windows.platform = "win32"
        types.sys = windows
        try:
            self.assertEqual(problems({"readers": [{"type": "dsmr", "uart": "COM12"}]}), [])
            self.check_one(
                {"readers": [{"type": "dsmr", "uart": "/dev/ttyUSB0"}]},
                "`uart` is ",
                'a device path such as "COM3", or "sim"',
            )
        finally:
            types.sys = sys

    def test_a_uart_serves_one_reader(self):
        entry = {"type": "dsmr", "uart": 2}
        self.check_one(
            {"readers": [entry, {"type": "dsmr", "uart": 1}, entry]},
            "readers[2] (dsmr): `uart` is 2",
            "readers[0] (dsmr)",
            board=Board,
        )
        entry = {"type": "dsmr", "uart": "sim"}
        self.assertEqual(problems({"readers": [entry, entry]}), [])

    def test_lists_and_dicts_of_text(self):
        def line(key, value):
            entry = {"type": "replay", "file": "f"}
            entry[key] = value
            return self.check_one({"readers": [entry]}, "readers[0] (replay): `%s` " % key)

        self.assertIn("is text; allowed is a list of text", line("channels", "power"))
        self.assertIn("holds 5; allowed is a list of text", line("channels", ["a", 5]))
        self.assertIn("is a list; allowed is a dict of text", line("names", []))
        self.assertIn("holds 5; allowed is a dict of text", line("names", {"a": 5}))
        self.assertIn("holds 5; allowed is a dict of text", line("names", {5: "a"}))
        self.assertIn('a number in quotes: "1234.567"', line("offsets", {"a": "1,5"}))
        self.assertIn('a number in quotes: "1234.567"', line("offsets", {"a": ""}))
        self.assertIn("holds 1.5; allowed is a dict of text", line("offsets", {"a": 1.5}))
        entry = {"type": "replay", "file": "f", "offsets": {"a": "-1234.567", "b": "3"}}
        entry["channels"] = ("a", "b")
        self.assertEqual(problems({"readers": [entry]}), [])

    def test_secrets(self):
        for bad in (5, None, ["x"], {"a": SECRET}, SECRET + "\n", "", [SECRET]):
            entry = {"type": "influxdb", "url": "http://h", "token": bad}
            line = self.check_one({"sinks": [entry]}, "sinks[0] (influxdb): `token` ")
            self.assertFalse(SECRET in line, line)
        wifi = {"ssid": "x", "password": "seven77"}
        line = self.check_one({"wifi": wifi}, "wifi: `password`", "from 8 to 64 characters")
        self.assertFalse("seven77" in line)
        wrong = types.fault("secret 32..32", "abc", True, Host)
        self.assertEqual(wrong, "is too short or too long; allowed is text of 32 characters")
        self.assertEqual(problems({"wifi": {"ssid": "open one", "password": ""}}), [])

    def test_sections(self):
        self.check_one({"wifi": "home/" + SECRET}, "`wifi` is text; allowed is a dict")
        self.check_one({"wifi": {}}, "wifi: `ssid` is missing: name of your Wi-Fi")
        self.check_one({"log": []}, "`log` is a list; allowed is a dict")
        self.check_one({"log": {"size": 5}}, "log: `size`", "did you mean `size_kb`?")
        self.check_one(
            {"clock": {"ntp": "pool.ntp.org"}}, "clock: `ntp` is text", "a list of text"
        )
        self.check_one({"queue": {"slots": 1}}, "queue: `slots` is 1", "from 4 to 4096")

    def test_wifi_networks(self):
        two = [{"ssid": "home", "password": SECRET}, {"ssid": "shed"}]
        config = schema.check({"wifi": two}, Host, Registry)
        self.assertEqual([one["ssid"] for one in config.wifi or ()], ["home", "shed"])
        text = "\n".join(schema.redacted(config))
        self.assertIn('wifi[0] = {password: ***, power_save: False, ssid: "home"}', text)
        self.assertFalse(SECRET in text, text)
        self.check_one({"wifi": [two[0], {"password": SECRET}]}, "wifi[1]: `ssid` is missing")
        self.check_one({"wifi": [two[0], "shed"]}, "`wifi[1]` is text; allowed is a dict")

    def test_wifi_addresses(self):
        good = {"ssid": "x", "address": "192.168.1.20", "gateway": "192.168.1.1"}
        self.assertEqual(problems({"wifi": good}), [])
        self.check_one({"wifi": {"ssid": "x", "address": "192.168.1.20"}}, "without `gateway`")
        for bad in (
            "192.168.1",
            "192.168.1.256",
            "192.168.1.x",
            "router",
            "",
            "1.2.3.4.5",
            "1..2.3",
        ):
            wifi = dict(good)
            wifi["dns"] = bad
            self.check_one({"wifi": wifi}, "wifi: `dns` is ", "allowed: 192.168.1.20")

    def test_timezone(self):
        self.assertEqual(problems({"clock": {"timezone": "CET-1CEST,M3.5.0,M10.5.0/3"}}), [])
        self.check_one({"clock": {"timezone": "Europe/Berlin"}}, "allowed is a POSIX TZ")
        self.check_one({"clock": {"timezone": "CET-1CEST"}}, "the rule is missing")
        self.check_one({"clock": {"timezone": 1}}, "clock: `timezone` is 1")

    def test_webrepl(self):
        self.assertEqual(schema.check({}, Host, Registry).services, {})
        config = schema.check({"webrepl": {"password": "cellar-9"}}, Host, Registry)
        self.assertIn("webrepl = {password: ***}", list(schema.redacted(config)))
        for bad in ("abc", "ten-letter"):
            line = self.check_one({"webrepl": {"password": bad}}, "webrepl: `password` is too")
            self.assertFalse(bad in line)
        self.check_one({"webrepl": {}}, "webrepl: `password` is missing")

    def test_entries_of_a_wrong_kind(self):
        line = self.check_one(
            {"sinks": {"type": "console"}}, "`sinks` is a dict; allowed is a list"
        )
        line = self.check_one({"sinks": ["mqtt://u:%s@h" % SECRET]}, "sinks[0]: is text", "a dict")
        self.assertFalse(SECRET in line)

    def test_types(self):
        self.check_one(
            {"sinks": [{"type": "influx"}]},
            'sinks[0]: `type` is "influx"; allowed: "console", "mqtt", "influxdb"',
            'did you mean "influxdb"?',
        )
        self.check_one({"readers": [{"type": "p1"}]}, '"p1"; allowed: "dsmr", "replay"')
        self.check_one({"readers": [{"uart": "sim"}]}, "readers[0]: `type` is missing; allowed: ")
        self.check_one({"readers": [{"type": 5}]}, "`type` is 5; allowed: ")

    def test_module_that_cannot_be_imported(self):
        Registry.missing = "replay"
        try:
            self.check_one(
                {"readers": [{"type": "replay", "file": "f"}]}, "readers[0] (replay): ", "r.replay"
            )
        finally:
            Registry.missing = ""

    def test_keys_that_do_not_go_together(self):
        entry = {"type": "dsmr", "uart": "sim", "request": "pulse", "invert": True, "interval": 9}
        found = problems({"readers": [entry], "sinks": [{"type": "nonsense"}]})
        self.assertEqual(len(found), 3, found)
        self.assertEqual(found[0], 'readers[0] (dsmr): `request` "pulse" needs `request_pin`')
        self.assertIn("cannot invert", found[1])
        # Only an entry that is right by its table is asked: its values have their types.
        entry["request"] = 5
        self.check_one({"readers": [entry]}, "`request` is 5")

    def test_duplicate_names(self):
        entry = {"type": "console", "name": "same"}
        self.check_one({"sinks": [entry, entry]}, 'sinks: `name` "same" is there twice')

    def test_sources_name_readers(self):
        config = {
            "readers": [{"type": "dsmr", "uart": "sim"}, {"type": "dsmr", "uart": "sim"}],
            "sinks": [{"type": "console", "sources": ["dsmr", "dsmr-2"]}],
        }
        self.assertEqual(problems(config), [])
        config["sinks"] = [{"type": "console"}, {"type": "console", "sources": ["smr"]}]
        self.check_one(
            config, 'sinks[1] (console): `sources` names "smr"', 'readers: "dsmr", "dsmr-2"'
        )
        # A reader with a problem still has its name: one mistake, one message.
        config = {
            "readers": [{"type": "dsmr"}, {"type": "oops", "name": "roof"}],
            "sinks": [{"type": "console", "sources": ["dsmr", "roof"]}],
        }
        self.assertEqual(len(problems(config)), 2)

    def test_unknown_board(self):
        self.check_one({"board": "ESP31"}, '`board` is "ESP31"; allowed: "auto", "HOST"')
        self.assertEqual(problems({"board": "HOST"}), [])

    def test_all_problems_in_one_go(self):
        found = problems(
            {
                "device": 5,
                "sinkz": [],
                "wifi": {"ssid": "x", "passwd": SECRET},
                "readers": [{"type": "dsmr", "uart": 1}, {"type": "dsrm"}],
                "sinks": [{"type": "mqtt", "host": "h", "password": 5, "port": "x"}, 7],
            }
        )
        self.assertEqual(len(found), 8, found)
        for where in (
            "config: ",
            "wifi: ",
            "readers[0] (dsmr): ",
            "readers[1]: ",
            "sinks[0] (mqtt): ",
        ):
            self.assertTrue(any(line.startswith(where) for line in found), where)
        self.assertFalse(SECRET in "\n".join(found))

    def test_many_problems_are_bounded(self):
        found = problems({"sinks": [{"type": "x" * 1000}] * 200})
        self.assertEqual(len(found), 25)
        self.assertEqual(found[-1], "and 176 more")
        self.assertTrue(max(len(line) for line in found) < 200)

    def test_nearest(self):
        known = ("url", "user", "password", "measurement", "tags")
        for word, meant in (
            ("ulr", "url"),
            ("URL", "url"),
            ("usr", "user"),
            ("pass", "password"),
            ("meazurement", "measurement"),
            ("tag", "tags"),
            ("xyz", None),
            ("", None),
            (5, None),
            ("p" * 5000, None),
        ):
            self.assertEqual(types.nearest(word, known), meant)


class TestRedacted(unittest.TestCase):
    def test_secrets_are_stars(self):
        config = schema.check(
            {
                "device": "attic",
                "wifi": {"ssid": "home", "password": SECRET},
                "readers": [{"type": "dsmr", "uart": "sim", "key": SECRET, "baud": 9600}],
                "sinks": [
                    {"type": "mqtt", "host": "joe:%s@broker" % SECRET, "password": SECRET},
                    {
                        "type": "influxdb",
                        "url": "http://h:8086",
                        "token": SECRET,
                        "tags": {"via": "http://me:%s@x/" % SECRET, "house": "12"},
                    },
                ],
            },
            Host,
            Registry,
        )
        lines = list(schema.redacted(config))
        text = "\n".join(lines)
        self.assertFalse(SECRET in text, text)
        self.assertEqual(lines[0], 'device = "attic"')
        self.assertIn('wifi = {password: ***, power_save: False, ssid: "home"}', lines)
        self.assertIn('host: "***@broker"', text)
        self.assertIn("baud: 9600", text)
        self.assertIn("key: ***", text)
        self.assertIn('tags: {house: "12", via: "http://***@x/"}', text)
        self.assertIn('sinks[1] = {type: "influxdb", name: "influxdb"', text)
        self.assertFalse("None" in text)

    def test_every_secret_of_a_full_config(self):
        """Whatever is marked secret in a table never shows, in the print or in a message."""
        for module in ("dsmr", "mqtt", "influxdb"):
            for row in schema.rows(Registry.MODULES[module]):
                if not row[1].startswith("secret"):
                    continue
                entry = {"type": module, "uart": "sim", "host": "h", "url": "http://h"}
                known = [r[0] for r in schema.rows(Registry.MODULES[module])] + ["type"]
                entry = {key: entry[key] for key in entry if key in known}
                for required in schema.rows(Registry.MODULES[module]):
                    if required[2] == "required" and required[0] not in entry:
                        entry[required[0]] = SECRET
                entry[row[0]] = SECRET
                section = "readers" if module == "dsmr" else "sinks"
                config = schema.check({section: [entry]}, Host, Registry)
                self.assertFalse(SECRET in "\n".join(schema.redacted(config)))
                entry["nonsense"] = SECRET
                self.assertFalse(SECRET in "\n".join(problems({section: [entry]})))


class Small:
    """An image that has not everything."""

    NAME = "WEMOS_D1_MINI"
    LED = {"pin": 2}
    UARTS = ()
    FEATURES = ("dsmr", "mqtt", "console")


class TestFeatures(unittest.TestCase):
    """What an image has not is told by name; what nobody asks for is no problem."""

    INFLUXDB = {"type": "influxdb", "url": "http://h", "token": "t"}

    def one(self, config) -> str:
        found = problems(config, Small)
        self.assertEqual(len(found), 1, found)
        return found[0]

    def test_a_sink_that_the_image_has_not(self):
        config = {"sinks": [{"type": "console"}, self.INFLUXDB]}
        self.assertEqual(
            self.one(config),
            "sinks[1]: this image has no influxdb; it has: console, mqtt; use one of these, or "
            'build one: make firmware BOARD=WEMOS_D1_MINI FEATURES="dsmr mqtt console influxdb"',
        )
        self.assertEqual(problems(config, Host), [])

    def test_a_reader_that_the_image_has_not(self):
        told = self.one({"readers": [{"type": "replay", "file": "f"}]})
        self.assertIn("readers[0]: this image has no replay; it has: dsmr; use", told)

    def test_a_type_that_nobody_has_is_told_what_this_image_allows(self):
        told = self.one({"sinks": [{"type": "influx"}]})
        self.assertIn('allowed: "console", "mqtt"', told)
        self.assertFalse("influxdb" in told, told)

    def test_sections(self):
        told = self.one({"queue": {"flash_kb": 100}})
        self.assertIn("queue: `flash_kb` is 100, but this image has no spool; leave that", told)
        self.assertIn("this image has no led", self.one({"led": {"on": True}}))
        told = self.one({"webrepl": {"password": "secret12"}})
        self.assertIn("webrepl: this image has no webrepl; leave that out, or build one", told)

    def test_what_nobody_asked_for_is_off(self):
        config = schema.check({"led": {"quiet": True}}, Small, Registry)
        self.assertEqual((config.queue["flash_kb"], config.services), (0, {}))
        config = schema.check({"led": {}}, Host, Registry)
        self.assertEqual(config.queue["flash_kb"], None)
        self.assertEqual(config.services, {"led": {"on": None, "quiet": False}})

    def test_a_board_with_a_led_has_its_service(self):
        class Lit(Host):
            LED = {"pin": 2}

        self.assertEqual(list(schema.check({}, Lit, Registry).services), ["led"])
        lacking = type("Dark", (Lit,), {"FEATURES": ("dsmr",), "NAME": "WEMOS_D1_MINI"})
        self.assertEqual(schema.check({"led": {"on": False}}, lacking, Registry).services, {})

    def test_none_stands_for_everything(self):
        class Whole(Small):
            FEATURES = None

        self.assertEqual(problems({"sinks": [self.INFLUXDB]}, Whole), [])


class TestRegistry(unittest.TestCase):
    def test_names(self):
        self.assertEqual(registry.names(registry.READERS)[0], "dsmr")
        self.assertIn("influxdb", registry.names(registry.SINKS))

    def test_module_is_imported_when_named(self):
        table = (("err", "joulelog.errors"), ("gone", "joulelog.no_such_module"))
        self.assertTrue(registry.module(table, "err").ConfigError is ConfigError)
        with self.assertRaises(ImportError):
            registry.module(table, "gone")
        with self.assertRaises(KeyError):
            registry.module(table, "nonsense")

    def test_every_line_has_a_module(self):
        for table in (registry.READERS, registry.SINKS):
            for name, path in table:
                file = "/firmware/%s.py" % path.replace(".", "/")
                self.assertTrue(os.stat(ROOT + file)[6] > 0)  # OSError where there is none
                self.assertTrue(path.endswith("." + name))


def settings(text: str) -> dict:
    found: dict = {}
    exec(text, found)
    return found


def board_of(config: dict):
    """The board's data as an object."""
    name = config.get("board", "HOST")
    with open("%s/boards/%s/board.py" % (ROOT, name)) as file:
        data = settings(file.read())

    class Data:
        pass

    for key in data:
        if key[0] != "_":
            setattr(Data, key, data[key])
    return Data


class TestShipped(unittest.TestCase):
    """The configs that people start from, against the tables of the real readers and sinks."""

    def setUp(self):
        self._board, servers._BOARD = servers._BOARD, False  # no board: it has no /ca.pem

    def tearDown(self):
        servers._BOARD = self._board

    def accepted(self, text: str) -> schema.Config:
        config = settings(text)
        found = problems(config, board_of(config), registry)
        if any("this image cannot run it" in line for line in found):
            raise unittest.SkipTest(found[0])  # a library that is not installed here
        self.assertEqual(found, [])
        return schema.check(config, board_of(config), registry)

    def test_config_as_shipped(self):
        with open(ROOT + "/firmware/config.py") as file:
            config = self.accepted(file.read())
        self.assertEqual([entry["type"] for entry in config.readers], ["dsmr"])
        self.assertEqual(config.readers[0]["uart"], "sim")
        self.assertEqual([entry["type"] for entry in config.sinks], ["console"])
        self.assertIsNone(config.wifi)

    def test_config_with_everything_switched_on(self):
        """What stands there as a comment works once its `# ` is gone."""
        switched = []
        count = 0
        with open(ROOT + "/firmware/config.py") as file:
            for line in file.read().split("\n"):
                bare = line.strip()
                if bare[:4] in ('# {"', "# wi", '# "i', '# "k'):
                    line = line.replace("# ", "", 1)
                    count += 1
                switched.append(line)
        config = self.accepted("\n".join(switched))
        self.assertEqual(count, 7)
        self.assertEqual(len(config.sinks), 4)
        self.assertEqual((config.wifi or {}).get("ssid"), "my network")
        text = "\n".join(schema.redacted(config))
        self.assertFalse("its password" in text or "API key" in text or "0011223344" in text, text)

    def test_examples(self):
        names = sorted([n for n in os.listdir(ROOT + "/examples/configs") if n.endswith(".py")])
        self.assertTrue(len(names) >= 5, names)
        for name in names:
            with open(ROOT + "/examples/configs/" + name) as file:
                config = self.accepted(file.read())
            self.assertTrue(len(config.readers) > 0 and len(config.sinks) > 0, name)


if __name__ == "__main__":
    unittest.main()
