"""Channels of lines without a name, by rows of the config."""

import unittest

from dsmr import codes
from dsmr.frame import Framer
from dsmr.telegram import Telegram
from dsmr_helpers import sealed

ROWS = [
    "# what the manual says",
    "meter_status | 1-0:96.5.0 | | text |",
    "temperature  | 0-0:96.9.0 | °C | measurement | temperature",
    "power_least  | 1-0:1.3.0 | W | measurement | power",
    "energy_day   | 1-0:1.9.0*255 | kWh | total | energy",
    "energy_old   | 1-0:1.8.0*01 | kWh | total_increasing | energy",
    "program      | 0-0:96.6.1 | | code |",
    "",
    "tampered     | 0-0:96.20.0 | | flag |",
    "changed      | 0-0:96.2.1 | | time | timestamp",
]
LINES = (
    b"1-0:1.8.0*255(00777.5*kWh)",
    b"1-0:96.5.0*255(001C0104)",
    b"0-0:96.9.0(-03.5)",
    b"1-0:1.3.0(00.125*kW)",
    b"1-0:1.9.0(1.25*kWh)",
    b"1-0:1.8.0*01(00001*kWh)",
    b"0-0:96.6.1(500)",
    b"0-0:96.20.0(1)",
    b"0-0:96.2.1(260302184500W)",
    b"1-0:1.7.0(00.1*kW)",
)


def decoded(rows, *telegrams):
    """[{key: value}, …] and the channels."""
    found = []

    def complete(telegram):
        pairs = zip(telegram.channels, telegram.values)
        found.append({c[0]: value for c, value in pairs if value is not None})

    listener = Telegram(complete, codes=codes.parse(rows))
    framer = Framer(bytearray(512), listener)
    for lines in telegrams:
        data = sealed(b"/T5\r\n\r\n" + b"".join([line + b"\r\n" for line in lines]) + b"!")
        for at in range(len(data)):
            framer.feed(data, at, at + 1)
    framer.flush()
    return found, {channel[0]: channel[1:] for channel in listener.channels}


class TestRows(unittest.TestCase):
    def test_every_kind_beside_what_has_a_name(self):
        wanted = {
            "energy_import": 777500,
            "meter_status": "001C0104",
            "temperature": -35,
            "power_least": 125,
            "energy_day": 125,
            "energy_old": 1,
            "program": 500,
            "tampered": 1,
            "changed": 825788700,
            "power_import": 100,
        }
        found, channels = decoded(ROWS, LINES, tuple(reversed(LINES)))
        self.assertEqual(found, [wanted] * 2)
        self.assertEqual(channels["temperature"], ("°C", 1, "measurement", "temperature"))
        self.assertEqual(channels["energy_day"], ("kWh", 2, "total", "energy"))
        self.assertEqual(channels["changed"], ("", 0, "time", "timestamp"))

    def test_what_cannot_be_is_none(self):
        lines = (
            b"0-0:96.20.0(2)",
            b"0-0:96.2.1(632525252525W)",
            b"0-0:96.6.1(ON)",
            b"1-0:1.3.0()",
            b"1-0:1.7.0(00.1*kW)",
        )
        found, _ = decoded(ROWS, lines)
        self.assertEqual(found, [{"power_import": 100}])

    def test_without_rows_nothing_of_it(self):
        found, _ = decoded(["a | 1-0:99.99.99 | | text |"], LINES)
        self.assertEqual(found, [{"energy_import": 777500, "power_import": 100}])

    def test_mistakes(self):
        for row, words in (
            ("a | 1-0:96.5.0 | | text", "4 columns"),
            ("a | 1-0:96.5.0 | | text | | 1", "6 columns"),
            (" | 1-0:96.5.0 | | text |", "no key"),
            ("a | 1-0:96.5 | | text |", "OBIS code"),
            ("a | 1.0.96.5.0 | | text |", "OBIS code"),
            ("a | 1-0:96.05.0 | | text |", "OBIS code"),
            ("a | 1-0:96.5.256 | | text |", "OBIS code"),
            ("a | 1-0:96.5.-1 | | text |", "OBIS code"),
            ("a | x | | text |", "OBIS code"),
            ("a | | | text |", "OBIS code"),
            ("a | 1-0:1.8.1 | kWh | total | energy", "energy_import_t1 already; `names`"),
            ("a | 1-0:41.7.0*255 | W | total |", "power_import_l2 already"),
            ("a | 1-1:1.8.0 | kWh | total |", "energy_import already"),
            ("a | 0-0:96.13.0 | | text |", "message already; `channels`"),
            ("a | 0-2:24.2.1 | m³ | total |", "M-Bus"),
            ("a | 0-0:1.0.0 | | time |", "read already"),
            ("a | 0-0:98.1.0 | | text |", "read already"),
            ("gas | 1-0:96.5.0 | | code |", "choose another"),
            ("gas_2_flow | 1-0:96.5.0 | | code |", "choose another"),
            ("energy_import_t9 | 1-0:96.5.0 | kWh | total |", "choose another"),
            ("relay_3 | 1-0:96.5.0 | | code |", "choose another"),
            ("limiter_2 | 1-0:96.5.0 | W | measurement |", "choose another"),
            ("a | 1-0:96.5.0 | kW | measurement | power", "kW is W here"),
            ("a | 1-0:96.5.0 | m3 | total | gas", "m3 is m³ here"),
            ("a | 1-0:96.5.0 | stone | total |", "unit 'stone'; allowed: %, A, GJ"),
            ("a | 1-0:96.5.0 | W | text |", "has no unit"),
            ("a | 1-0:96.5.0 | s | time |", "has no unit"),
            ("a | 1-0:96.5.0 | W | size | power", "kind 'size'; allowed: measurement"),
            ("a | 1-0:96.5.0 | W | | power", "kind ''"),
            ("a | 1-0:96.5.0 | W | total | Power!", "device class"),
        ):
            try:
                codes.parse(["b | 1-0:96.4.0 | | text |", row])
                caught = row
            except ValueError as error:
                caught = str(error)
            self.assertTrue(words in caught, caught)

    def test_twice_none_and_too_many(self):
        for rows, words in (
            (["a | 1-0:96.5.0 | | text |", "a | 1-0:96.4.0 | | text |"], "twice"),
            (["a | 1-0:96.5.0 | | text |", "b | 1-0:96.5.0*255 | | text |"], "twice"),
            ([], "at least one"),
            (["# a"], "at least one"),
            (["a%d | 1-0:96.5.%d | | text |" % (n, n) for n in range(41)], "more than 40"),
        ):
            with self.assertRaises(ValueError) as caught:
                codes.parse(rows)
            self.assertTrue(words in str(caught.exception), str(caught.exception))

    def test_keys_that_are_free(self):
        for key in ("status", "power_1", "relay", "voltage_l", "kWh", "power_factor_most", "m"):
            self.assertEqual(codes.parse([key + " | 1-0:96.5.0 | | text |"])[0][1][0], key)


if __name__ == "__main__":
    unittest.main()
