"""What no line of a telegram has alone: times, sums of tariffs, the list 0-0:98.1.0, flows."""

import unittest

from dsmr import profile
from dsmr.flow import Flow
from dsmr.frame import Framer
from dsmr.telegram import Telegram
from dsmr_helpers import decode, sealed


def telegram(*lines, header=b"TST5 X"):
    return sealed(
        b"/" + header + b"\r\n\r\n" + b"".join([line + b"\r\n" for line in lines]) + b"!"
    )


def all_of(*telegrams, **options):
    found, _ = decode(b"".join(telegrams), wanted=(), **options)
    return [one["values"] for one in found]


def only(*lines, **options):
    return all_of(telegram(*lines), **options)[0]


class TestTimes(unittest.TestCase):
    def test_of_peaks(self):
        time = "2024-01-07T18:00:00Z"
        wanted = {"demand_import_peak": "2485", "demand_import_peak_time": time}
        for groups in (
            b"(240107190000W)(02.485*kW)",
            b"(02.485*kW)(240107190000)",
            b"(2401071900)(02.485*kW)",
            b"(20240107190000)(02.485*kW)(1)",
        ):
            self.assertEqual(only(b"1-0:1.6.0" + groups), wanted)
        got = only(b"1-0:2.6.0(240107190000W)(02.485*kW)")
        self.assertEqual(got["demand_export_peak_time"], time)
        got = only(b"1-0:1.6.0(240107190000W)(02.485*kW)", base_hours=2)
        self.assertEqual(got["demand_import_peak_time"], "2024-01-07T17:00:00Z")

    def test_none_without_a_date_or_a_value(self):
        alone = {"demand_import_peak": "2485"}
        for groups, wanted in (
            (b"(02.485*kW)", alone),
            (b"(632525252525W)(02.485*kW)", alone),
            (b"(000101010000W)(02.485*kW)", alone),  # nobody set that clock
            (b"()(02.485*kW)", alone),
            (b"(240107190000W)()", {}),
            (b"(240107190000W)", {}),
        ):
            self.assertEqual(only(b"1-0:1.6.0" + groups), wanted, groups)

    def test_of_a_telegram_that_is_not_believed_teaches_nothing(self):
        good = telegram(b"1-0:1.7.0(1*kW)", b"1-0:1.6.0(240107190000W)(02.485*kW)")
        bad = good.replace(b"02.485", b"02.486")
        found = all_of(bad, telegram(b"1-0:2.7.0(2*kW)"), good, bad, good)
        self.assertEqual(found, [{"power_export": "2000"}] + [dict(only(), **all_of(good)[0])] * 2)

    def test_of_mbus_readings_with_the_valve(self):
        got = only(
            b"0-1:24.1.0(003)",
            b"0-1:24.4.0(1)",
            b"0-1:24.2.1(231026200000S)(00004.381*m3)",
            b"0-2:24.1.0(012)",
            b"0-2:24.2.1(231026200000W)(12.345*GJ)",
        )
        self.assertEqual(
            got,
            {
                "gas": "4.381",
                "gas_time": "2023-10-26T18:00:00Z",
                "gas_valve": "1",
                "heat": "12.345",
                "heat_time": "2023-10-26T19:00:00Z",
            },
        )
        self.assertEqual(only(b"0-1:24.1.0(003)", b"0-1:24.4.0(1)"), {})
        got = only(b"0-1:24.1.0(003)", b"0-1:24.2.1(000101010000W)(00004.381*m3)")
        self.assertEqual(got, {"gas": "4.381"})


class TestSums(unittest.TestCase):
    def test_exact_in_any_order(self):
        one, two = b"1-0:1.8.1(45678.123*kWh)", b"1-0:1.8.2(0.8775*kWh)"
        for lines in ((one, two), (two, one)):
            self.assertEqual(only(*lines)["energy_import"], "45679.0005")
        got = only(b"1-0:2.8.1(1500*Wh)", b"1-0:2.8.2(000000.2*kWh)", one)
        self.assertEqual(got["energy_export"], "1.700")
        self.assertNotIn("energy_import", got)  # one tariff is no sum

    def test_more_tariffs_and_those_of_israel(self):
        lines = [b"1-0:1.8.%d(%d.25*kWh)" % (t, t) for t in range(1, 11)]
        self.assertEqual(only(*lines[:4])["energy_import"], "11.000")
        self.assertEqual(only(*lines)["energy_import"], "57.500")
        israel = [b"1-0:1.8.%d(%d.25*kWh)" % (t, t) for t in (11, 12, 13)]
        self.assertEqual(only(*israel)["energy_import"], "36.750")
        self.assertEqual(only(*lines[:2] + israel)["energy_import"], "3.500")

    def test_none_while_one_is_missing(self):
        lines = [b"1-0:1.8.%d(%d.5*kWh)" % (t, t) for t in (1, 2, 3)]
        found = all_of(
            telegram(*lines[:2]),
            telegram(*lines),
            telegram(*lines[:2]),
            telegram(lines[0], b"1-0:1.8.2()", lines[2]),
            telegram(*lines),
        )
        sums = [values.get("energy_import") for values in found]
        self.assertEqual(sums, ["4.000", "7.500", None, None, "7.500"])

    def test_a_meter_keeps_its_own_total(self):
        tariffs = b"1-0:1.8.1(1*kWh)", b"1-0:1.8.2(2*kWh)"
        for own in (b"1-0:1.8.0(4*kWh)", b"1-0:1.8.0*255(4*kWh)", b"1-1:1.8.0(4*kWh)"):
            found = all_of(
                telegram(own, *tariffs), telegram(*tariffs), telegram(*tariffs + (own,))
            )
            self.assertEqual(
                [values.get("energy_import") for values in found], ["4.000", None, "4.000"]
            )
            # One whose total comes late has it from then on.
            found = all_of(telegram(*tariffs), telegram(own, *tariffs), telegram(*tariffs))
            self.assertEqual(
                [values.get("energy_import") for values in found], ["3.000", "4.000", None]
            )

    def test_units_that_differ_have_no_sum(self):
        got = only(b"1-0:1.8.1(1*kWh)", b"1-0:1.8.2(2*units)")
        self.assertNotIn("energy_import", got)

    def test_nothing_of_a_telegram_that_is_not_believed(self):
        good = telegram(b"1-0:1.8.1(1*kWh)", b"1-0:1.8.2(2*kWh)")
        bad = telegram(b"1-0:1.8.1(1*kWh)", b"1-0:1.8.2(2*kWh)", b"1-0:1.8.3(4*kWh)")
        bad = bad.replace(b"(4*", b"(5*")
        found = all_of(bad, good, bad, good)
        self.assertEqual([values["energy_import"] for values in found], ["3.000"] * 2)

    def test_the_channels_stay_the_same_object(self):
        seen = []
        framer = Framer(bytearray(128), Telegram(lambda t: seen.append((t.channels, t.sums))))
        data = telegram(b"1-0:1.8.1(1*kWh)", b"1-0:1.8.2(2*kWh)") * 3
        framer.feed(data, 0, len(data))
        framer.flush()
        self.assertTrue(seen[0][0] is seen[2][0])
        self.assertTrue(seen[0][1] is seen[2][1])
        self.assertEqual(seen[0][1], {2: b"\x00\x01"})


class TestProfile(unittest.TestCase):
    """Real lines of Belgium and Hungary, with other numbers."""

    BELGIAN = (
        b"0-0:98.1.0(3)(1-0:1.6.0)(1-0:1.6.0)(230801000000S)(632525252525W)(00.000*kW)"
        b"(230901000000S)(230831181500S)(01.862*kW)(231001000000S)(230910183000S)(04529*W)"
    )
    HUNGARIAN = b"0-0:98.1.0(230801000000S)(000663.924*kWh)(000000.03*kvarh)(12.212*kW)"

    def listed(self, line, asks=True):
        kept = []

        def complete(telegram):
            groups = telegram.profile
            kept.append(list(profile.entries(groups, telegram.hours)) if groups else [])

        listener = Telegram(complete)
        listener.asks = asks
        framer = Framer(bytearray(1024), listener)
        data = telegram(b"1-0:1.7.0(1*kW)", line) + telegram(b"1-0:1.7.0(1*kW)")
        framer.feed(data, 0, len(data))
        framer.flush()
        self.assertEqual([len(listener.channels), kept[1]], [1, []])
        return kept[0]

    def test_belgium(self):
        self.assertEqual(
            self.listed(self.BELGIAN),
            [
                (744156000, None, 0, 0, "W"),
                (746834400, 746813700, 1862, 0, "W"),
                (749426400, 747678600, 4529, 0, "W"),
            ],
        )
        self.assertEqual(self.listed(self.BELGIAN, asks=False), [])

    def test_hungary(self):
        self.assertEqual(
            self.listed(self.HUNGARIAN),
            [
                (744156000, None, 663924, 3, "kWh"),
                (744156000, None, 3, 2, "kvarh"),
                (744156000, None, 12212, 0, "W"),
            ],
        )

    def test_empty_cut_and_broken(self):
        for line in (
            b"0-0:98.1.0(0)(1-0:1.6.0)(1-0:1.6.0)()",
            b"0-0:98.1.0(12)",
            b"0-0:98.1.0()",
            b"0-0:98.1.0(1)(1-0:1.6.0)(1-0:1.6.0)(230801000000S)(x)",
        ):
            self.assertEqual(self.listed(line), [], line)
        for end in range(len(self.BELGIAN)):
            self.listed(self.BELGIAN[:end] + b")")


class TestFlow(unittest.TestCase):
    def test_mean_of_two_readings_cut_off(self):
        flow = Flow()
        self.assertEqual(flow.take(1000, 4381, 3, None, 10), None)
        self.assertEqual(flow.take(1300, 4391, 3, None, 310), 120)
        self.assertEqual(flow.take(1600, 4392, 3, None, 610), 12)
        self.assertEqual(flow.take(2307, 4393, 3, None, 610), 5)  # 5.09…
        self.assertEqual(flow.take(2607, 4393, 3, None, 910), 0)

    def test_it_stands_until_the_next_one(self):
        flow = Flow()
        flow.take(1000, 0, 3, None, 10)
        self.assertEqual(flow.take(1300, 10, 3, None, 310), 120)
        self.assertEqual(flow.take(1300, 10, 3, None, 910), 120)
        self.assertEqual(flow.take(1300, 10, 3, None, 911), None)  # silent for twice as long
        self.assertEqual(flow.take(1300, 10, 3, None, 912), None)
        self.assertEqual(flow.take(2500, 50, 3, None, 1520), 120)
        self.assertEqual(flow.take(2500, 50, 3, None, None), 120)  # nobody knows for how long

    def test_none_where_nobody_knows(self):
        for time, value in ((900, 20), (1000 + 86401, 20), (1300, 9), (1300, None)):
            flow = Flow()
            flow.take(1000, 10, 3, None, 0)
            self.assertEqual(flow.take(time, value, 3, None, 1), None)
            if value is None:  # then the next one is the first
                self.assertEqual(flow.take(1600, 20, 3, None, 2), None)
        flow = Flow()
        flow.take(1000, 10, 3, None, 0)
        self.assertEqual(flow.take(1000 + 86400, 10 + 24, 3, None, 0), 1)

    def test_more_decimals(self):
        flow = Flow()
        flow.take(0, 10, 1, None, 0)
        self.assertEqual(flow.take(3600, 123456, 5, None, 0), 234)  # 0.23456 m³
        self.assertEqual(flow.take(7200, 1335, 3, None, 0), 100)

    def stream(self, *readings, **options):
        """The flows of telegrams with these (clock, stamp, m³)."""
        data = []
        for clock, at, value in readings:
            lines = [b"0-0:1.0.0(" + clock + b")"] if clock else []
            lines += [b"0-1:24.1.0(003)", b"0-1:24.2.1(" + at + b")(" + value + b"*m3)"]
            data.append(telegram(*lines))
        return [values.get("gas_flow") for values in all_of(*data, **options)]

    def test_of_telegrams(self):
        rows = [
            (b"231026200001S", b"231026200000S", b"1.000"),
            (b"231026200011S", b"231026200000S", b"1.000"),
            (b"231026200501S", b"231026200500S", b"1.010"),
            (b"231026201000S", b"231026200500S", b"1.010"),
            (b"231026201502S", b"231026200500S", b"1.010"),
            (b"231026202001S", b"231026202000S", b"1.040"),
            (b"231026202011S", b"632525252525W", b"0.000"),
            (b"231026202501S", b"231026202500S", b"1.020"),
        ]
        wanted = [None, None, "0.120", "0.120", None, "0.120", None, None]
        self.assertEqual(self.stream(*rows), wanted)

    def test_summer_time_ends(self):
        flagged = [
            (b"", at, b"1.%03d" % n)
            for n, at in enumerate((b"231029025500S", b"231029020000W", b"231029020500W"))
        ]
        self.assertEqual(self.stream(*flagged), [None, "0.012", "0.012"])
        stamps = (
            b"231029025500",
            b"231029020000",  # the hour once more
            b"231029020500",
            b"231029025500",
            b"231029030000",
            b"231029030500",
        )
        plain = [(b"", at, b"1.%03d" % n) for n, at in enumerate(stamps)]
        self.assertEqual(self.stream(*plain), [None, None, "0.012", "0.001", None, "0.012"])

    def test_water_and_no_other_kind(self):
        rows = []
        for hour in (b"20", b"21"):
            rows.append(
                telegram(
                    b"0-1:24.1.0(007)",
                    b"0-1:24.2.1(231026" + hour + b"0000S)(01.0" + hour + b"*m3)",
                    b"0-2:24.1.0(012)",
                    b"0-2:24.2.1(231026" + hour + b"0000S)(01.0" + hour + b"*GJ)",
                    b"0-3:24.1.0(006)",
                    b"0-3:24.2.1(231026" + hour + b"0000S)(" + hour + b"*l)",
                )
            )
        got = all_of(*rows)[1]
        flows = {key: got[key] for key in got if key.endswith("_flow")}
        self.assertEqual(flows, {"water_flow": "0.001", "hot_water_flow": "0.001"})

    def test_another_meter_begins_anew(self):
        def row(number, minute, value):
            return telegram(
                b"0-%d:24.1.0(003)" % number,
                b"0-%d:24.2.1(2310262%d0000S)(%d.000*m3)" % (number, minute, value),
            )

        found = all_of(row(1, 0, 1), row(2, 1, 900), row(2, 2, 901))
        self.assertEqual([values.get("gas_flow") for values in found], [None, None, "1.000"])


if __name__ == "__main__":
    unittest.main()
