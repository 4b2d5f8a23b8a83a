"""From lines to channels and values: names, units, decimals, M-Bus meters, forgetting."""

import unittest

from dsmr import obis, stamp
from dsmr.frame import Framer
from dsmr.telegram import Telegram
from dsmr_helpers import decode, sealed


def telegram(*lines, header=b"TST5 X"):
    return sealed(
        b"/" + header + b"\r\n\r\n" + b"".join([line + b"\r\n" for line in lines]) + b"!"
    )


def only(*lines, **options):
    found, _ = decode(telegram(*lines), **options)
    return found[0]


class TestStamp(unittest.TestCase):
    def test_summer_and_winter_flag(self):
        self.assertEqual(stamp.utc(b"231026204015S", 1), 751660815)
        self.assertEqual(stamp.utc(b"231026204015W", 1), 751660815 + 3600)
        self.assertEqual(stamp.utc(b"231026204015S", 2), 751660815 - 3600)

    def test_no_flag_follows_the_rule(self):
        winter = stamp.utc(b"240110120000", 1)
        self.assertEqual(winter, stamp.utc(b"240110120000W", 1))
        self.assertEqual(stamp.utc(b"240710120000", 1), stamp.utc(b"240710120000S", 1))
        self.assertEqual(stamp.utc(b"20240110 12:00:00", 1), winter)

    def test_the_hour_that_comes_twice(self):
        self.assertEqual(
            stamp.utc(b"231029023000W", 1) - stamp.utc(b"231029023000S", 1),
            3600,
        )

    def test_no_date(self):
        for text in (
            b"632525252525W",
            b"000000000000W",
            b"230229120000W"[:6] + b"250000W",
            b"231301120000W",
            b"",
            b"2310262040",
            b"2310262040155",
            b"231026204015X",
        ):
            self.assertIsNone(stamp.utc(text, 1))

    def test_after_2034_and_2036_and_2038(self):
        self.assertEqual(stamp.utc(b"340109120000W", 1), 1073732400)
        self.assertEqual(stamp.utc(b"360207120000W", 1), 1139310000)
        self.assertEqual(stamp.utc(b"380119120000W", 1), 1200826800)


class TestLine(unittest.TestCase):
    def test_split(self):
        self.assertEqual(obis.split(b"1-0:1.8.1(1*kWh)"), (b"1-0:1.8.1", [b"1*kWh"]))
        self.assertEqual(obis.split(b"1-0:1.8.1*255(1)"), (b"1-0:1.8.1", [b"1"]))
        self.assertEqual(obis.split(b"1-0:1.6.0(a)(b)"), (b"1-0:1.6.0", [b"a", b"b"]))
        for broken in (b"", b"(1)", b"1-0:1.8.1", b"1-0:1.8.1(1", b"1-0:1.8.1 1)"):
            self.assertEqual(obis.split(broken), (b"", []))

    def test_number(self):
        self.assertEqual(obis.number(b"000671.578*kWh"), (671578, 3, "kWh"))
        self.assertEqual(obis.number(b"-063*A"), (-63, 0, "A"))
        self.assertEqual(obis.number(b"0002"), (2, 0, ""))
        for broken in (
            b"",
            b"*kWh",
            b"1.*kWh",
            b".5",
            b"1_0",
            b" 1",
            b"1,5",
            b"0x1",
            b"00.00\x00",
            b"1*k\xff",
        ):
            self.assertIsNone(obis.number(broken))

    def test_scaled_is_exact(self):
        self.assertEqual(obis.scaled(318, 3, "kW"), (318, 0, "W"))
        self.assertEqual(obis.scaled(3185, 4, "kW"), (3185, 1, "W"))
        self.assertEqual(obis.scaled(32, 1, "kW"), (3200, 0, "W"))
        self.assertEqual(obis.scaled(6545766, 0, "Wh"), (6545766, 3, "kWh"))
        self.assertEqual(obis.scaled(12, 1, "KVARH"), (12, 1, "kvarh"))
        self.assertEqual(obis.scaled(50, 3, "kHz"), (50, 0, "Hz"))
        self.assertEqual(obis.scaled(7, 0, "furlong"), (7, 0, "furlong"))


class TestTelegram(unittest.TestCase):
    def test_widened_by_a_value_with_more_decimals(self):
        got = only(b"1-0:31.7.0(001*A)", b"1-0:51.7.0(002.4*A)", b"1-0:71.7.0(000.25*A)")
        self.assertEqual(
            got["values"], {"current_l1": "1", "current_l2": "2.4", "current_l3": "0.25"}
        )

    def test_a_later_value_widens_and_the_channel_stays_wide(self):
        data = b"".join(
            [telegram(b"1-0:31.7.0(%s*A)" % value) for value in (b"001", b"001.5", b"2")]
        )
        found, _ = decode(data)
        self.assertEqual([t["values"]["current_l1"] for t in found], ["1", "1.5", "2.0"])

    def test_channels_are_the_same_object_while_nothing_changes(self):
        seen = []
        framer = Framer(bytearray(128), Telegram(lambda t: seen.append(t.channels)))
        data = telegram(b"1-0:1.7.0(00.1*kW)") * 2 + telegram(b"1-0:32.7.0(230.1*V)") * 2
        framer.feed(data, 0, len(data))
        self.assertTrue(seen[0] is seen[1])
        self.assertFalse(seen[1] is seen[2])
        self.assertTrue(seen[2] is seen[3])

    def test_a_line_that_is_missing_is_none(self):
        found, _ = decode(
            telegram(b"1-0:1.7.0(00.1*kW)", b"1-0:32.7.0(230.1*V)")
            + telegram(b"1-0:1.7.0(00.2*kW)")
        )
        self.assertEqual(found[1]["values"], {"power_import": "200"})

    def test_a_bad_crc_teaches_nothing(self):
        good = telegram(b"1-0:1.7.0(00.1*kW)")
        bad = telegram(b"1-0:1.7.0(00.12345*kW)", b"1-0:72.7.0(230.1*V)")
        bad = bad[:-6] + b"0000\r\n"
        found, framer = decode(good + bad + good)
        self.assertEqual(len(found), 2)
        self.assertEqual(found[0], found[1])
        self.assertEqual(framer.crc_errors, 1)

    def test_a_telegram_cut_off_teaches_nothing(self):
        good = telegram(b"1-0:1.7.0(00.1*kW)")
        cut = telegram(b"1-0:72.7.0(230.1*V)", b"1-0:1.7.0(00.1*kW)")[:45]
        seen = []
        framer = Framer(bytearray(128), Telegram(lambda t: seen.append(t.channels)))
        framer.feed(good + cut + good, 0, len(good + cut + good))
        self.assertEqual(len(seen), 2)
        self.assertTrue(seen[0] is seen[1])

    def test_two_codes_of_one_meaning(self):
        got = only(b"1-0:1.8.1(000001.000*kWh)", b"1-1:1.8.1(000002.000*kWh)")
        self.assertEqual(got["values"], {"energy_import_t1": "1.000"})

    def test_swiss_channel_one(self):
        got = only(b"1-1:1.8.1(000002.000*kWh)", b"1-1:31.4.0(100*A)(-063*A)")
        self.assertEqual(got["values"], {"energy_import_t1": "2.000", "current_limit_l1": "100"})

    def test_lithuanian_kilo_units(self):
        got = only(b"1-0:32.7.0(00.234*kV)", b"1-0:31.7.0(00.012*kA)", b"1-0:14.7.0(00.050*kHz)")
        self.assertEqual(
            got["values"], {"voltage_l1": "234", "current_l1": "12", "frequency": "50"}
        )

    def test_limiter_keeps_the_unit_of_its_kind(self):
        self.assertEqual(only(b"0-0:17.0.0(27.600*kVA)")["units"], {"limiter": "VA"})
        self.assertEqual(only(b"0-0:17.0.0(27.600*kVA)")["values"], {"limiter": "27600"})
        self.assertEqual(only(b"0-0:17.0.0(016*A)")["values"], {"limiter": "16"})
        self.assertEqual(only(b"0-0:17.0.0(016*A)")["units"], {"limiter": "A"})

    def test_peak_with_its_own_time(self):
        got = only(b"1-0:1.6.0(240107190000W)(02.485*kW)")
        self.assertEqual(got["values"], {"demand_import_peak": "2485"})

    def test_words_where_others_have_numbers(self):
        self.assertEqual(only(b"0-0:96.3.10(ON)", b"0-0:96.14.0(TARIFF 1)")["values"], {})

    def test_texts_only_where_wanted(self):
        line = b"0-0:96.13.0(48656C6C6F)"
        self.assertEqual(only(line, wanted=())["values"], {})
        self.assertEqual(only(line, wanted=("message",))["values"], {"message": "48656C6C6F"})

    def test_a_code_without_a_name_where_wanted(self):
        got = only(b"1-0:13.3.0(0.120)", wanted=("1-0:13.3.0",))
        self.assertEqual(got["values"], {"1-0:13.3.0": "0.120"})

    def test_time(self):
        self.assertEqual(only(b"0-0:1.0.0(231026204015S)")["time"], "2023-10-26T18:40:15Z")
        self.assertIsNone(only(b"0-0:1.0.0(000000000000W)")["time"])
        self.assertEqual(
            only(b"0-0:1.0.0(231026204015S)", base_hours=2)["time"], "2023-10-26T17:40:15Z"
        )

    def test_a_corrupt_code_is_not_taken_for_the_one_that_it_begins_with(self):
        data = telegram(b"1-0:1.7.0 x(1)", b"1-0:1.7.0(00.1*kW)") * 2
        found, _ = decode(data)
        self.assertEqual([t["values"] for t in found], [{"power_import": "100"}] * 2)

    def test_corrupt_codes_do_not_fill_the_memory(self):
        seen = []
        listener = Telegram(lambda t: seen.append(len(t.values)))
        framer = Framer(bytearray(128), listener)
        for number in range(500):
            data = telegram(b"1-0:%d.99.0(1)" % number, b"1-0:1.7.0(00.1*kW)")
            framer.feed(data, 0, len(data))
        self.assertEqual(seen, [1] * 500)
        self.assertTrue(len(listener._codes) < 3100)


class TestMbus(unittest.TestCase):
    def test_by_type_on_any_channel(self):
        got = only(
            b"0-1:24.1.0(012)",
            b"0-1:24.2.1(231026200000S)(12.345*GJ)",
            b"0-3:24.1.0(007)",
            b"0-3:24.2.1(231026200000S)(00100.001*m3)",
            b"0-4:24.1.0(003)",
            b"0-4:24.2.1(231026200000S)(00004.381*m3)",
        )
        self.assertEqual(got["values"], {"heat": "12.345", "water": "100.001", "gas": "4.381"})

    def test_type_may_come_behind_the_value(self):
        got = only(b"0-2:24.2.1(231026200000S)(00004.381*m3)", b"0-2:24.1.0(003)")
        self.assertEqual(got["values"], {"gas": "4.381"})

    def test_belgian_gas(self):
        got = only(b"0-1:24.1.0(003)", b"0-1:24.2.3(240112231646W)(00338.711*m3)")
        self.assertEqual(got["values"], {"gas": "338.711"})

    def test_dead_channel_spoils_nothing(self):
        got = only(
            b"0-1:24.1.0(003)",
            b"0-1:96.1.0()",
            b"0-1:24.2.1(632525252525W)(00000.000)",
            b"0-2:24.1.0(003)",
            b"0-2:24.2.1(231026200000S)(00004.381*m3)",
        )
        self.assertEqual(got["values"], {"gas": "4.381"})

    def test_a_meter_that_was_taken_away_gives_its_name_to_the_new_one(self):
        got = only(
            b"0-0:1.0.0(231026204015S)",
            b"0-1:24.1.0(003)",
            b"0-1:24.2.1(210101200000W)(09999.999*m3)",
            b"0-2:24.1.0(003)",
            b"0-2:24.2.1(231026200000S)(00004.381*m3)",
        )
        self.assertEqual(got["values"], {"gas": "4.381", "gas_1": "9999.999"})

    def test_two_of_a_kind(self):
        got = only(
            b"0-1:24.1.0(007)",
            b"0-1:24.2.1(231026200000S)(00001.000*m3)",
            b"0-2:24.1.0(007)",
            b"0-2:24.2.1(231026200000S)(00002.000*m3)",
        )
        self.assertEqual(got["values"], {"water": "1.000", "water_2": "2.000"})

    def test_heat_in_kilowatt_hours(self):
        got = only(b"0-1:24.1.0(004)", b"0-1:24.2.1(231026200000S)(00012*kWh)")
        self.assertEqual((got["values"], got["units"]), ({"heat": "12"}, {"heat": "kWh"}))

    def test_gas_of_dsmr_2(self):
        got = only(
            b"0-1:24.1.0(3)",
            b"0-1:24.3.0(140101004100)(08)(60)(1)(0-1:24.2.1)(m3)",
            b"(00100.006)",
        )
        self.assertEqual((got["values"], got["units"]), ({"gas": "100.006"}, {"gas": "m³"}))


if __name__ == "__main__":
    unittest.main()
