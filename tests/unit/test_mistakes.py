"""Mistakes that people make in a config, against the real tables: entry, key, what to do; once."""

import unittest

from folders import ensure_folder

from joulelog import registry
from joulelog.config import schema, servers, types
from joulelog.errors import ConfigError

CA = "build/mistakes-ca.pem"
KEY = "0123456789abcdef0123456789abcdef"


class Host:
    NAME = "HOST"
    UARTS: dict = {}
    CAN_INVERT = True


class Esp32:
    NAME = "ESP32_GENERIC"
    CHIP = "esp32"
    UARTS: dict = {2: {"rx": 16, "tx": 17}}
    CAN_INVERT = True


class Esp8266(Esp32):
    NAME = "WEMOS_D1_MINI"
    CHIP = "esp8266"


HEALTH = {"type": "health"}


def problems(board=Host, **config) -> list:
    config.setdefault("readers", [HEALTH])
    try:
        schema.check(config, board, registry)
    except ConfigError as error:
        return str(error).split("\n")
    return []


def sink(kind, **entry) -> dict:
    entry["type"] = kind
    return entry


def mqtt(**entry) -> dict:
    entry.setdefault("host", "broker")
    return sink("mqtt", **entry)


class Case(unittest.TestCase):
    def setUp(self):
        ensure_folder("build")
        open(CA, "w").close()

    def told(self, entry: dict, *parts, board=Host) -> str:
        """A sink has one problem, told of it, with these parts."""
        found = problems(board, sinks=[entry])
        self.assertEqual(len(found), 1, (entry, found))
        self.assertIn("sinks[0] (%s): " % entry["type"], found[0])
        for part in parts:
            self.assertIn(part, found[0])
        return found[0]

    def fine(self, entry: dict, board=Host):
        self.assertEqual(problems(board, sinks=[entry]), [])


class TestServers(Case):
    def test_host(self):
        for host in ("mqtt://broker", "broker:1883", "broker/x", "a broker", " broker", "[::1]"):
            self.told(mqtt(host=host), '`host` is "', 'without "://", port and path')
        for host in ("broker", "broker.example", "10.0.0.1", "my_broker", "br\xfccke.local"):
            self.fine(mqtt(host=host))

    def test_host_with_a_password(self):
        for host in ("joe:%s@broker", "mqtt://joe:%s@broker", "joe:a/%s@broker:1883"):
            line = self.told(mqtt(host=host % "hunter22"), "keys of their own")
            self.assertFalse("hunter22" in line, line)

    def test_port_of_tls(self):
        self.told(mqtt(port=8883), "`port` is 8883", "`tls`: True")
        self.fine(mqtt(port=8883, tls=True, verify=False))
        self.fine(mqtt(port=8884))

    def test_user_and_topic(self):
        self.told(mqtt(password="hunter22"), "`user` is missing")
        for topic in ("", "$SYS", "@a", "a/#", "+/a", "a/", " a", "a ", 'a"b', "a\\b", "it's"):
            self.told(mqtt(topic=topic), "`topic` ")
        self.told(mqtt(topic="a\x00"), "`topic` ")
        self.fine(mqtt(topic="home/cellar"))

    def test_ca_without_tls(self):
        self.told(mqtt(ca=CA), "`ca` is given without `tls`")
        http = sink("influxdb", url="http://h", database="d", ca=CA)
        self.told(http, "`ca` is given, but `url` begins with http:")
        self.fine(sink("influxdb", url="http://h", database="d"))

    def test_tls_without_ca_on_a_board(self):
        for entry in (
            mqtt(tls=True),
            sink("influxdb", url="https://h", database="d"),
            sink("emoncms", url="https://h", key=KEY),
        ):
            self.told(entry, "`ca` is missing", "`verify`: False", board=Esp32)
            self.told(entry, "ESP8266 cannot check", "`verify`: False", board=Esp8266)
            entry["verify"] = False
            self.fine(entry, Esp32)
            self.fine(entry, Esp8266)

    def test_a_file_that_is_not_there(self):
        self.told(mqtt(tls=True, ca="build/none.pem"), '`ca` is "build/none.pem", which is not')
        self.told(mqtt(tls=True, ca="a\x00b"), "`ca` is ")
        self.fine(mqtt(tls=True, ca=CA))
        self.fine(mqtt(tls=True, ca="-----BEGIN CERTIFICATE-----\nMII\n"))
        replay = [{"type": "replay", "file": "build/none.txt"}]
        (line,) = problems(readers=replay)
        self.assertEqual(line[:48], 'readers[0] (replay): `file` is "build/none.txt",')

    def test_files_of_a_board_are_not_looked_for_on_a_computer(self):
        self.assertEqual(servers.is_missing("/ca.pem", Esp32), servers._BOARD)


class TestSecrets(Case):
    def test_in_the_path_of_an_address(self):
        url = "http://h/a/%s/x" % KEY
        line = self.told(sink("emoncms", url=url + "?a=b", key=KEY), "`url` is ")
        self.assertFalse(KEY in line, line)
        line = self.told(sink("emoncms", url=url, key=KEY), "`url` holds the text of `key`")
        self.assertFalse(KEY in line, line)
        config = {"readers": [HEALTH], "sinks": [sink("emoncms", url=url, key="another")]}
        text = "\n".join(schema.redacted(schema.check(config, Host, registry)))
        self.assertIn('url: "http://h/a/***/x"', text)

    def test_under_a_wrong_key(self):
        for entry in (
            sink("emoncms", url=KEY, key="k"),
            mqtt(user=[KEY], password="p"),
            mqtt(port=KEY),
            {"type": KEY},
            mqtt(**{KEY: "x"}),
            mqtt(x=KEY),
            KEY.encode(),
            {KEY},
        ):
            text = "\n".join(problems(sinks=[entry]))
            self.assertTrue(text)
            self.assertFalse(KEY in text, text)
        config = {"readers": [HEALTH], "sinks": [mqtt(user=KEY)]}
        text = "\n".join(schema.redacted(schema.check(config, Host, registry)))
        self.assertIn("user: ", text)
        self.assertFalse(KEY in text, text)

    def test_what_is_no_secret_is_shown(self):
        for text in (
            "joulelog-kitchen-a1b2c3",
            "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0",
            "FRITZ!Box 7590 AB",
            "broker.living-room.example",
            "CET-1CEST,M3.5.0,M10.5.0/3",
        ):
            self.assertEqual(types.masked(text), text)


BAD_NAMES = ("$a", "@a", "a\\b", 'a"b', "it's", "a\nb", "a\x7fb", "a\x9bb", " lead", "trail ", "")


class TestNames(Case):
    def one(self, *parts, **config):
        found = problems(**config)
        self.assertEqual(len(found), 1, (config, found))
        for part in parts:
            self.assertIn(part, found[0])

    def test_of_device_readers_and_sinks(self):
        for name in BAD_NAMES:
            self.one("config: `device` is ", "no $ or @ first", device=name)
            self.one("readers[0] (health): `name` ", readers=[{"type": "health", "name": name}])
            self.one("sinks[0] (console): `name` ", sinks=[sink("console", name=name)])

    def test_of_channels(self):
        for name in BAD_NAMES + ("a/b", "id", "time"):
            entry = {"type": "health", "names": {"uptime": name}}
            where = "allowed" if types._has_control(name) else ' for "uptime"'
            self.one("readers[0] (health): `names` holds ", where, readers=[entry])
        entry = {"type": "health", "names": {"uptime": "up time"}}
        self.assertEqual(problems(readers=[entry]), [])

    def test_of_register_rows(self):
        row = "%s | 0 | u16 | 1 | V | measurement | voltage"
        modbus = {"type": "modbus", "uart": "sim", "address": 1}
        for name in ("$a", "@a", "a\\b", 'a"b', "id"):
            modbus["registers"] = [row % name]
            self.one("readers[0] (modbus): `registers` has a row ", readers=[modbus])
        modbus["registers"] = ["# a comment", "", row % "voltage"]
        self.assertEqual(problems(readers=[modbus]), [])

    def test_of_a_measurement_and_tags(self):
        for name in BAD_NAMES:
            about = {"url": "http://h", "database": "d"}
            self.told(sink("influxdb", measurement=name, **about), "`measurement` ")
            if name not in ("a\nb", "a\x7fb", "a\x9bb"):
                self.told(sink("influxdb", tags={name: "x"}, **about), "`tags` ")
        self.fine(sink("influxdb", measurement="home/energy", tags={"house": "x"}, **about))

    def test_a_number_in_the_wrong_form_is_told_with_its_channel(self):
        entry = {"type": "health", "offsets": {"uptime": "abc"}}
        self.one('`offsets` holds "abc" for "uptime"; allowed is a number', readers=[entry])


class TestAcross(Case):
    def test_sources_of_heat(self):
        heat = {"type": "heat", "source": "pump"}
        (line,) = problems(readers=[heat])
        self.assertEqual(
            line,
            'readers[0] (heat): `source` names "pump", but no reader has that name; '
            'readers: "heat"',
        )
        (line,) = problems(readers=[{"type": "heat", "source": "health", "meter": "x"}, HEALTH])
        self.assertIn('`meter` names "x"', line)
        (line,) = problems(readers=[{"type": "heat"}])  # the default is one that is not there
        self.assertIn('`source` names "altherma"', line)
        pump = {"type": "health", "name": "altherma"}  # a reader may come later than who names it
        self.assertEqual(problems(readers=[{"type": "heat"}, pump]), [])

    def test_channels_that_no_reader_has(self):
        pzem = {"type": "pzem", "uart": "sim", "names": {"voltage": "mains"}}
        for wanted in ("power", "mains"):
            self.assertEqual(
                problems(readers=[pzem], sinks=[sink("console", channels=[wanted])]), []
            )
        (line,) = problems(readers=[pzem], sinks=[sink("console", channels=["voltage"])])
        self.assertIn('sinks[0] (console): `channels` names "voltage", which no reader', line)
        (line,) = problems(readers=[pzem], sinks=[sink("console", channels=["mainz"])])
        self.assertIn('did you mean "mains"?', line)
        # What health has depends on all the others: nobody knows.
        both = [pzem, HEALTH]
        self.assertEqual(problems(readers=both, sinks=[sink("console", channels=["x"])]), [])
        (line,) = problems(readers=both, sinks=[sink("console", channels=["x"], sources=["pzem"])])
        self.assertIn("allowed: ", line)

    def test_channels_of_a_reader_itself(self):
        meter = {"type": "modbus", "uart": "sim", "address": 1, "meter": "sdm120"}
        meter["channels"] = ["voltag"]
        (line,) = problems(readers=[meter])
        self.assertIn('readers[0] (modbus): `channels` names "voltag"', line)

    def test_no_readers(self):
        for config in ({}, {"readers": []}):
            found = schema.check(config, Host, registry)
            self.assertEqual(found.warnings, ["config: no readers: nothing is measured"])
        self.assertEqual(schema.check({"readers": [HEALTH]}, Host, registry).warnings, [])


if __name__ == "__main__":
    unittest.main()
