"""From lines to channels and values: names, units, decimals, M-Bus meters, forgetting."""

import unittest

from dsmr import obis, stamp
from dsmr.frame import Framer
from dsmr.telegram import Telegram
from dsmr_helpers import decode as decode_all
from dsmr_helpers import plain, sealed


def telegram(*lines, header=b"TST5 X"):
    return sealed(
        b"/" + header + b"\r\n\r\n" + b"".join([line + b"\r\n" for line in lines]) + b"!"
    )


def decode(data, **options):
    """Without what stands beside a reading, which has tests of its own."""
    found, framer = decode_all(data, **options)
    for one in found:
        one["values"] = plain(one["values"])
        one["units"] = plain(one["units"])
    return found, framer


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

    def test_cosem_octets(self):
        for text, wanted in (
            (b"07EA0612040A2B2B00FF8880", b"260618104343S"),
            (b"07ea0b1c06142b2bffffc400", b"261128204343W"),
            (b"07EA0B1C06142B2B00800000", b"261128204343W"),  # no deviation, but the status
            (b"07EA0612040A2B2B008000FF", b"260618104343S"),  # neither: the rule
        ):
            self.assertEqual(stamp.utc(text, 1), stamp.utc(wanted, 1))
        for text in (
            b"07EA0612040A2B2B00FF8881",  # the status says: invalid
            b"07EA06FF040A2B2B00FF8880",
            b"07EA0612040AFFFF00FF8880",
            b"FFFF0612040A2B2B00FF8880",
            b"07EA0612040A2B2B00FF888X",
            b"07EA0612040A2B2B00200080",
        ):
            self.assertIsNone(stamp.utc(text, 1), text)
        self.assertTrue(stamp.has_season(b"07EA0612040A2B2B00FF8880"))
        self.assertFalse(stamp.has_season(b"07EA0612040A2B2B008000FF"))

    def test_dated(self):
        for text in (b"2603021845", b"260302184500", b"260302184500W", b"20260302184500"):
            self.assertTrue(stamp.dated(text), text)
        for text in (b"0000012345", b"000000000012", b"05.796", b"1", b""):
            self.assertFalse(stamp.dated(text), text)

    def test_after_2034_and_2036_and_2038(self):
        self.assertEqual(stamp.utc(b"340109120000W", 1), 1073732400)
        self.assertEqual(stamp.utc(b"360207120000W", 1), 1139310000)
        self.assertEqual(stamp.utc(b"380119120000W", 1), 1200826800)


class TestIdentity(unittest.TestCase):
    """Who a meter says that it is."""

    def test_header_and_serial_number(self):
        for header, serial, wanted in (
            ("ISK5\\2M550T-1011", b"4530303339", ("ISK", "2M550T-1011", "E0039")),
            ("Ene5\\XS210 ESMR 5.0", b"", ("ENE", "XS210 ESMR 5.0", None)),
            ("KMP5 KA6U00158", b"4530303330333338", ("KMP", "KA6U00158", "E0030338")),
            ("XMX5Q3DA1004 V3.04", b"XXSERIALXX", ("XMX", "Q3DA1004 V3.04", "XXSERIALXX")),
            ("ISk5\\2MT382-1004", b"00003148344903", ("ISK", "2MT382-1004", "00003148344903")),
            ("EMH5----eHZ-E0018E", b"09610", ("EMH", "----eHZ-E0018E", "09610")),
            ("TEST", b"", (None, "TEST", None)),
            ("ABC5", b"41\xff", ("ABC", None, "41")),
            ("", b"", (None, None, None)),
        ):
            self.assertEqual(obis.identity(header, serial), wanted)

    def test_out_of_telegrams(self):
        seen = []
        framer = Framer(bytearray(128), Telegram(lambda t: seen.append(t.serial)))
        lines = (b"0-0:96.1.1(4530)", b"0-0:96.1.0(99)", b"0-1:96.1.0(47)", b"1-0:1.8.0(1*kWh)")
        for first in (0, 1, 2, 0):
            data = telegram(*lines[first:])
            framer.feed(data, 0, len(data))
        framer.flush()
        self.assertEqual(seen, [b"4530", b"99", b"", b"4530"])


class TestKinds(unittest.TestCase):
    def test_what_stands_for_something(self):
        for code in (b"0-0:96.14.0", b"0-0:96.3.10"):
            self.assertEqual(obis.channel(code)[1:], ("", 0, "code", ""))
        found = only(b"0-0:96.14.0(0002)", b"0-0:96.3.10(1)")
        self.assertEqual(found["values"], {"tariff": "2", "breaker": "1"})


class TestNames(unittest.TestCase):
    """Meters whose lines had no names."""

    def check(self, pairs, units=None, sums=None):
        """pairs: line -> key and text; None: no channel."""
        lines = [line for line, _, _ in pairs]
        wanted = {key: text for _, key, text in pairs if key}
        wanted.update(sums or {})
        for order in (lines, lines[::-1]):
            got = only(*order)
            self.assertEqual(got["values"], wanted)
            for key in units or {}:
                self.assertEqual(got["units"][key], units[key], key)

    def test_israel(self):
        self.check(
            (
                (b"1-0:1.8.11(007132.419*kWh)", "energy_import_t11", "7132.419"),
                (b"1-0:1.8.12(000155.482*kWh)", "energy_import_t12", "155.482"),
                (b"1-0:1.8.13(025605.254*kWh)", "energy_import_t13", "25605.254"),
                (b"1-0:2.8.11(000000.001*kWh)", "energy_export_t11", "0.001"),
                (b"0-0:96.14.1(03)", "tariff", "3"),
                (
                    b"1-0:99.1.0(1)(0-0:96.10.7)(1-0:1.29.0)(260411233000S)(00)(000000.205*kWh)",
                    "energy_import_interval",
                    "0.205",
                ),
                (b"0-0:96.7.9(1)", "power_failures_long", "1"),
            ),
            sums={"energy_import": "32893.155"},
        )
        two = b"1-0:99.1.0(1)(0-0:96.10.7)(1-0:1.29.0)(1-0:2.29.0)(260411233000S)(00)"
        got = only(two + b"(000000.205*kWh)(000000.010*kWh)")["values"]
        wanted = {"energy_import_interval": "0.205", "energy_export_interval": "0.010"}
        self.assertEqual(got, wanted)
        for broken in (
            two,
            two + b"(1*kWh)",
            two[:-4],
            b"1-0:99.1.0(1)",
            b"1-0:99.1.0()(1-0:1.29.0)",
        ):
            self.assertEqual(only(broken)["values"], {})

    def test_lithuania(self):
        self.check(
            (
                (b"1-0:29.7.0(00.025*kVA)", "apparent_power_import_l1", "25"),
                (b"1-0:69.7.0(00.027*kVA)", "apparent_power_import_l3", "27"),
                (b"1-0:50.7.0(00.030*kVA)", "apparent_power_export_l2", "30"),
                (b"1-0:1.24.0(00.100*kW)", "power_import_mean", "100"),
                (b"1-0:15.24.0(00.124*kW)", "power_absolute_mean", "124"),
                (b"1-0:16.24.0(-00.024*kW)", "power_mean", "-24"),
                (b"1-0:3.4.0(00.001*kvar)", "reactive_demand_import", "1"),
                (b"1-0:4.4.0(00.002*kvar)", "reactive_demand_export", "2"),
                (b"1-0:9.4.0(00.003*kVA)", "apparent_demand_import", "3"),
                (b"1-0:10.4.0(00.004*kVA)", "apparent_demand_export", "4"),
                (b"1-0:13.3.0(0.120)", "power_factor_least", "0.120"),
                (b"1-0:32.33.0(0000000012*s)", "voltage_sag_duration_l1", "12"),
                (b"1-0:52.34.0(180.5*V)", "voltage_sag_magnitude_l2", "180.5"),
                (b"1-0:72.37.0(0000000003*s)", "voltage_swell_duration_l3", "3"),
                (b"1-0:72.38.0(260.1*V)", "voltage_swell_magnitude_l3", "260.1"),
                (b"1-0:0.8.2(0900*s)", "demand_period", "900"),
                (b"1-0:1.5.0(00.150*kW)", "demand_import_last", "150"),
                (b"1-0:2.5.0(00.151*kW)", "demand_export_last", "151"),
                (b"1-0:3.5.0(00.152*kvar)", "reactive_demand_import_last", "152"),
                (b"1-0:4.5.0(00.153*kvar)", "reactive_demand_export_last", "153"),
                (b"1-0:9.5.0(00.154*kVA)", "apparent_demand_import_last", "154"),
                (b"1-0:10.5.0(00.155*kVA)", "apparent_demand_export_last", "155"),
            ),
            {"voltage_sag_duration_l1": "s", "apparent_power_import_l1": "VA"},
        )

    def test_belgium_luxembourg_switzerland(self):
        self.check(
            (
                (b"1-0:1.8.5(000001.500*kWh)", "energy_import_t5", "1.500"),
                (b"1-0:94.32.1(400)", "grid_voltage", "400"),
                (b"0-0:96.3.10(1)", "breaker", "1"),
                (b"0-1:96.3.10(0)", "relay_1", "0"),
                (b"0-10:96.3.10(1)", "relay_10", "1"),
                (b"1-1:5.8.1(000001.500*kvarh)", "reactive_energy_q1_t1", "1.500"),
                (b"1-1:8.8.2(000002.500*kvarh)", "reactive_energy_q4_t2", "2.500"),
            ),
            {"grid_voltage": "V"},
        )

    def test_germany(self):
        self.check(
            (
                (b"1-0:36.7.0*255(000075.18*W)", "power_l1", "75.18"),
                (b"1-0:76.7.0*255(-000091.68*W)", "power_l3", "-91.68"),
                (b"0-0:96.8.0*255(00104443)", "operating_time", "1066051"),
                (b"1-0:81.7.1*255(120*deg)", "voltage_angle_l2", "120"),
                (b"1-0:81.7.2*255(240*deg)", "voltage_angle_l3", "240"),
                (b"1-0:81.7.4*255(3.5*deg)", "current_angle_l1", "3.5"),
                (b"1-0:81.7.15*255(4*deg)", "current_angle_l2", "4"),
                (b"1-0:81.7.26*255(5*deg)", "current_angle_l3", "5"),
                (b"1-0:1.8.0*255(0010002.1*kWh)", "energy_import", "10002.100"),
                (b"1-0:1.8.0*96(5.2*kWh)", "energy_import_1d", "5.200"),
                (b"1-0:1.8.0*97(35.2*kWh)", "energy_import_7d", "35.200"),
                (b"1-0:1.8.0*98(150.2*kWh)", "energy_import_30d", "150.200"),
                (b"1-0:1.8.0*99(1500.2*kWh)", "energy_import_365d", "1500.200"),
                (b"1-0:1.8.0*100(0.3*kWh)", "energy_import_since_reset", "0.300"),
                (b"1-0:1.8.0*01(777*kWh)", None, None),
                (b"1-0:1.2.0(0123.456*kW)", "demand_import_cumulated", "123456"),
            ),
            {"voltage_angle_l2": "\u00b0", "operating_time": "s"},
        )
        for other in (b"055BD83E", b"00", b"0010444X", b"123", b""):
            got = only(b"0-0:96.8.0*255(" + other + b")")["values"]
            wanted = {"055BD83E": "89905214", "00": "0"}.get(other.decode())
            self.assertEqual(got, {"operating_time": wanted} if wanted else {})

    def test_poland(self):
        lines = [b"0-0:17.0.0(165%02d)" % number for number in (0, 1, 2, 3)]
        lines += [b"0-0:94.98.31(00000)", b"0-0:94.98.32(00512)", b"0-0:94.98.33(3)"]
        wanted = {"limiter": "16500", "limiter_2": "16501", "limiter_3": "16502"}
        wanted.update({"status_31": "0", "status_32": "512", "status_33": "3"})
        found, _ = decode(telegram(*lines) * 2 + telegram(lines[0]))
        last = {"limiter": "16500"}
        self.assertEqual([t["values"] for t in found], [wanted, wanted, last])

    def test_the_tables_are_ascii(self):
        """Else an image has not their words, and each key of a meter takes heap."""
        self.assertTrue(max(obis._CHANNELS + obis._MBUS + obis._KINDS) < 128)

    def test_phases_and_tariffs_are_those_of_the_rows(self):
        for code, key in (
            (b"1-0:41.7.0", "power_import_l2"),
            (b"1-0:72.32.0", "voltage_sags_l3"),
            (b"1-0:71.4.0", "current_limit_l3"),
            (b"1-0:2.8.63", "energy_export_t63"),
            (b"1-1:4.8.4", "reactive_energy_export_t4"),
        ):
            self.assertEqual(obis.channel(code)[0], key)
        for code in (
            b"1-0:81.7.0",
            b"1-0:101.7.0",
            b"1-0:22.7.1",
            b"1-0:041.7.0",
            b"1-0:-1.7.0",
            b"1-0:1.8.64",
            b"1-0:1.8.01",
            b"1-0:1.8.-1",
            b"1-0:1.8.n",
            b"1-0:..0",
            b"1-0:1.8",
            b"0-:96.3.10",
            b"0-01:96.3.10",
            b"0-x:96.3.10",
            b"0-100:96.3.10",
            b"2-0:41.7.0",
        ):
            self.assertIsNone(obis.channel(code), code)


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

    def test_value(self):
        peak = (5796, 3, "kW")
        for groups in (
            (b"05.796*kW", b"260102010000"),
            (b"260302184500", b"05.796*kW"),
            (b"2603021845", b"20260302184500", b"05.796*kW"),
            (b"20260302 18:45:00", b"05.796*kW", b"1"),
            (b"0", b"05.796*k W "),
        ):
            self.assertEqual(obis.value(list(groups)), peak)
        self.assertEqual(obis.value([b"260302184500W", b"05.796"]), (5796, 3, ""))
        self.assertEqual(obis.value([b"260302184500", b"5796"]), (5796, 0, ""))
        self.assertEqual(obis.value([b"100*A", b"-063*A"]), (100, 0, "A"))
        for groups in (
            [b"260302184500"],
            [b"260302184500W"],
            [b""],
            [b"ON"],
            [b"632525252525", b""],
        ):
            self.assertIsNone(obis.value(groups))

    def test_unit_as_the_standard_writes_it(self):
        for sent, wanted in (
            ("HZ", "Hz"),
            ("KWH", "kWh"),
            ("gj", "GJ"),
            ("M3", "m³"),
            ("kvah", "kVAh"),
        ):
            self.assertEqual(obis.scaled(1, 0, sent), (1, 0, wanted))

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

    def test_the_first_clock_line_counts(self):
        for other in (b"260201000000W", b"260201000000T", b""):
            lines = (
                b"0-0:1.0.0(260215174025W)",
                b"0-0:98.1.0",
                b"(",
                b"0-0:1.0.0(" + other + b")",
            )
            self.assertEqual(only(*lines)["time"], "2026-02-15T16:40:25Z")
        lines = (b"0-0:1.0.0(000000000000W)", b"0-0:1.0.0(260201000000W)")
        self.assertIsNone(only(*lines)["time"])

    def test_clock_lines_of_other_meters(self):
        self.assertEqual(only(b"0-0:1.1.0(260215174025W)")["time"], "2026-02-15T16:40:25Z")
        told = only(b"0-0:1.0.0(07EA0612040A2B2B00FF8880)")["time"]
        self.assertEqual(told, "2026-06-18T08:43:43Z")
        for day in (b"260204", b"20260204", b"2026-02-04"):
            for hour in (b"074212", b"07:42:12"):
                two = (b"1-0:0.9.1(" + hour + b")", b"1-0:0.9.2*255(" + day + b")")
                self.assertEqual(only(*two)["time"], "2026-02-04T06:42:12Z")
                self.assertEqual(only(two[1], two[0])["time"], "2026-02-04T06:42:12Z")
        self.assertIsNone(only(b"1-0:0.9.1(074212)")["time"])
        self.assertIsNone(only(b"1-0:0.9.2(260204)")["time"])

    def test_the_header_tells_the_time_zone(self):
        line = b"0-0:1.0.0(261128203500W)"
        for hours, told in ((None, "18:35"), (1, "19:35"), (0, "20:35")):
            found, _ = decode(telegram(line, header=b"ESO5\\0"), base_hours=hours)
            self.assertEqual(found[0]["time"], "2026-11-28T%s:00Z" % told)
        self.assertEqual(only(line, base_hours=None)["time"], "2026-11-28T19:35:00Z")

    def test_a_tariff_in_words(self):
        self.assertEqual(only(b"0-0:96.14.0(5431)")["values"], {})

    def test_a_blank_behind_a_code(self):
        known = telegram(
            b"9-9:9.9.9(1)", b"0-0:96.1.1(31)", b"1-0:1.7.0(00.1*kW)", b"1-0:2.7.0(2*kW)"
        )
        for code in (b"0-0:96.1.1 ", b"9-9:9.9.9 ", b"1-0:2.7.0 ", b"1-0:1.8.0 energy_import "):
            found, _ = decode(known + telegram(code + b"(777)", b"1-0:1.7.0(00.2*kW)"), wanted=())
            self.assertEqual(found[1]["values"], {"power_import": "200"})

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

    def test_channels_that_were_numbered_anew(self):
        gas = b"0-%d:24.1.0(003)", b"0-%d:24.2.1(231026200000S)(00004.%03d*m3)"
        water = b"0-%d:24.1.0(007)", b"0-%d:24.2.1(231026200000S)(00777.%03d*m3)"

        def lines(meter, channel, number):
            return meter[0] % channel, meter[1] % (channel, number)

        found, _ = decode(
            telegram(*lines(gas, 1, 1))
            + telegram(*lines(water, 1, 2) + lines(gas, 2, 2))
            + telegram(*lines(gas, 1, 3) + lines(water, 2, 3))
            + telegram(*lines(gas, 3, 4))
        )
        self.assertEqual(
            [t["values"] for t in found],
            [
                {"gas": "4.001"},
                {"gas": "4.002", "water": "777.002"},
                {"gas": "4.003", "water": "777.003"},
                {"gas": "4.004"},
            ],
        )

    def test_one_of_two_that_is_missing_once(self):
        one = (b"0-1:24.1.0(003)", b"0-1:24.2.1(231026200000S)(00001.000*m3)")
        two = (b"0-2:24.1.0(003)", b"0-2:24.2.1(231026200000S)(00002.000*m3)")
        found, _ = decode(telegram(*one + two) + telegram(*two) + telegram(*one + two))
        both = {"gas": "1.000", "gas_2": "2.000"}
        self.assertEqual([t["values"] for t in found], [both, {"gas_2": "2.000"}, both])

    def test_the_living_one_has_the_name_whatever_the_clock(self):
        dead = (b"0-1:24.1.0(003)", b"0-1:24.2.1(170113170000W)(00001.287*m3)")
        for clock, its in (
            (b"261128194001W", b"261128190000W"),
            (b"000101001500W", b"261128190000W"),  # lost
            (b"000101001500W", b"000101000000W"),  # the radio's as well
            (b"", b"261128190000W"),
            (b"", b"180101000000W"),
        ):
            living = (b"0-2:24.1.0(003)", b"0-2:24.2.1(" + its + b")(06805.499*m3)")
            lines = (b"0-0:1.0.0(" + clock + b")",) + dead
            wanted = {"gas": "6805.499", "gas_1": "1.287"}
            self.assertEqual(only(*lines + living)["values"], wanted)
            # The dead one was heard first, and alone.
            found, _ = decode(telegram(*lines) + telegram(*lines + living) * 2)
            self.assertEqual([t["values"] for t in found][1:], [wanted] * 2)

    def test_without_any_clock_the_one_that_moves_is_alive(self):
        dead = (b"0-1:24.1.0(003)", b"0-1:24.2.1(170113170000W)(00001.287*m3)")
        found, _ = decode(
            b"".join(
                [
                    telegram(
                        *dead
                        + (b"0-2:24.1.0(003)", b"0-2:24.2.1(0001010%d0000W)(6805.499*m3)" % hour)
                    )
                    for hour in (1, 2, 3)
                ]
            )
        )
        self.assertEqual(found[-1]["values"], {"gas": "6805.499", "gas_1": "1.287"})

    def test_value_and_time_come_together_or_not_at_all(self):
        good = b"0-1:24.2.1(231026200000S)(00001.000*m3)"
        for bad in (b"(632525252525W)(00009.000*GJ)", b"(231026200000S)()", b"(9.0*m3)", b"(0)"):
            for lines in ((good, b"0-1:24.2.3" + bad), (b"0-1:24.2.3" + bad, good)):
                got = only(b"0-0:1.0.0(231026204015S)", b"0-1:24.1.0(003)", *lines)
                self.assertEqual((got["values"], got["units"]), ({"gas": "1.000"}, {"gas": "m³"}))

    def test_value_before_the_time(self):
        got = only(b"0-1:24.1.0(003)", b"0-1:24.2.1(00004.381*m3)(231026200000S)")
        self.assertEqual(got["values"], {"gas": "4.381"})

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
