"""lib/jsonmeter: what stands where, scaled and summed without losing a digit."""

import unittest

from exact import text
from jsonmeter import devices, shelly
from jsonmeter.table import Table
from jsonpick.picker import Picker

ENDS = "W | measurement | power"


def decode(table, document, now=None):
    """{key: text} of what a document gives; no None."""
    pick = Picker(table.paths)
    pick.feed(document)
    assert pick.end(), pick.error
    values = table.decode(pick.texts, now)
    found = {}
    for channel, value in zip(table.channels, values):
        if value is not None:
            found[channel[0]] = value if isinstance(value, str) else text(value, channel[2])
    return found


def one(where, document, wire="W", ends="0 | " + ENDS, now=None):
    """The text of one value, or None."""
    table = Table("x | %s | %s | %s" % (where, wire, ends))
    return decode(table, document, now).get("x")


class TestRows(unittest.TestCase):
    def test_units_scale_exactly(self):
        kwh = "3 | kWh | total_increasing | energy"
        for number, wire, ends, wanted in (
            (b"2574466.629", "Wh", kwh, "2574.466629"),
            (b"2589773.39", "Wh", kwh, "2589.77339"),
            (b"5.000", "kWh", kwh, "5.000"),
            (b"1.2e-05", "kWh", kwh, "0.000012"),
            (b"0.1", "MWh", kwh, "100.000"),
            (b"-0.345", "kW", "0 | " + ENDS, "-345"),
            (b"12345", "mW", "0 | " + ENDS, "12.345"),
            (b"2", "mW", "0 | " + ENDS, "0.002"),
            (b"1624264", "l", "3 | m\u00b3 | total_increasing | water", "1624.264"),
            (b"215", "0.1\u00b0C", "1 | \u00b0C | measurement | temperature", "21.5"),
            (b'"12.50"', "W", "1 | " + ENDS, "12.5"),
        ):
            self.assertEqual(one("v", b'{"v":' + number + b"}", wire, ends), wanted)

    def test_what_has_no_end_is_cut(self):
        kwh = "6 | kWh | total_increasing | energy"
        for number, wire, wanted in (
            (b"2632", "Wmin", "0.043866"),
            (b"59", "Wmin", "0.000983"),
            (b"60000", "Wmin", "1.000000"),
            (b"7199999", "Ws", "1.999999"),
            (b"0.5", "Ws", "0.000000"),
            (b"-2632", "Wmin", "-0.043866"),
        ):
            self.assertEqual(one("v", b'{"v":' + number + b"}", wire, kwh), wanted)
        many = one("v", b'{"v":1.23456789012345}', "W", "3 | " + ENDS)
        self.assertEqual(many, "1.234567890")

    def test_sums_and_differences(self):
        kwh = "3 | kWh | total_increasing | energy"
        document = b'{"a":11.679,"b":5.817,"c":0.1,"n":null,"o":{}}'
        for where, wanted in (
            ("a - b", "0.005862"),
            ("a + b + c", "0.017596"),
            ("a -? b", "0.005862"),
            ("a -? x", "0.011679"),
            ("a -? n", "0.011679"),
            ("a +? o + c", "0.011779"),
            ("a - x", None),
            ("x + a", None),
            ("c - a", "-0.011579"),
        ):
            self.assertEqual(one(where, document, "Wh", kwh), wanted, where)
        self.assertEqual(one("0.1 + 0.2", b'{"0.1":0.1,"0.2":0.2}'), "0.3")

    def test_real_decimals(self):
        for number, digits, wanted in (
            (b"230.1000061", b"1", "230.1"),
            (b"229.8999939", b"1", "229.9"),
            (b"-229.8999939", b"1", "-229.9"),
            (b"49.99000168", b"2", "49.99"),
            (b"0.05", b"1", "0.1"),
            (b"-0.05", b"1", "-0.1"),
            (b"7.4999", b"0", "7"),
            (b"230", b"1", "230"),
            (b"230.25", b"null", "230.25"),
        ):
            document = b'{"v":' + number + b',"d":' + digits + b"}"
            self.assertEqual(one("v @ d", document), wanted, number)

    def test_conditions(self):
        document = b'{"v":1,"t":true,"f":false,"n":60,"at":1000.5,"s":"5"}'
        for where, now, wanted in (
            ("v when t", None, "1"),
            ("v when f", None, None),
            ("v when x", None, None),
            ("v when n <= 60", None, "1"),
            ("v when n <= 59.9", None, None),
            ("v when n >= 60", None, "1"),
            ("v when n >= 61", None, None),
            ("v when s >= 5", None, "1"),
            ("v when t when n <= 60 when f", None, None),
            ("v when age at <= 60", 1060, "1"),
            ("v when age at <= 60", 1061, None),
            ("v when age at <= 60", None, "1"),
            ("v when age x <= 60", 1060, None),
        ):
            self.assertEqual(one(where, document, now=now), wanted, where)

    def test_parts_of_a_unit(self):
        for number, wire, unit, wanted in (
            (b"257", "0.1W", "W", "25.7"),
            (b"-114", "0.1W", "W", "-11.4"),
            (b"4921", "0.01Hz", "Hz", "49.21"),
            (b"10020", "0.01kWh", "kWh", "100.2"),
            (b"299", "0.0001kW", "W", "29.9"),
            (b"96", "0.01", "", "0.96"),
            (b"96", "%", "", "0.96"),
            (b"7", "0.001", "", "0.007"),
        ):
            ends = "0 | %s | measurement | power" % unit
            self.assertEqual(one("v", b'{"v":' + number + b"}", wire, ends), wanted)
        for wire in ("0.2W", "0.W", "0.1", "1W", "0.1kVA"):
            self.assertRaises(ValueError, Table, "x | v | %s | 0 | %s" % (wire, ENDS))

    def test_a_direction(self):
        """Never the size alone: import and export are told by another value."""
        where = "v by way FORWARD REVERSE"
        for document, wanted in (
            (b'{"v":257,"way":"FORWARD"}', "257"),
            (b'{"v":257,"way":"REVERSE"}', "-257"),
            (b'{"v":-257,"way":"REVERSE"}', "-257"),
            (b'{"v":-257,"way":"FORWARD"}', "257"),
            (b'{"v":257,"way":"forward"}', None),
            (b'{"v":257,"way":null}', None),
            (b'{"v":257}', None),
            (b'{"v":0}', "0"),  # which has none
            (b'{"way":"FORWARD"}', None),
        ):
            self.assertEqual(one(where, document), wanted, document)
        for way, wanted in ((b"0", "5"), (b"1", "-5"), (b'"1"', "-5"), (b"2", None)):
            self.assertEqual(one("v by a b/x 0 1", b'{"v":5,"a b":{"x":' + way + b"}}"), wanted)
        self.assertEqual(one("v by x true false", b'{"v":5,"x":false}'), "-5")
        for wrong in ("v by x", "v by x A", "v by x A A", "v by x A B by y A B"):
            self.assertRaises(ValueError, Table, "x | %s | W | 0 | %s" % (wrong, ENDS))

    def test_limits(self):
        for number, wanted in ((b"-1", None), (b"0", "0"), (b"500.0", "500"), (b"500.1", None)):
            ends = "0 | V | measurement | voltage | 0..500"
            self.assertEqual(one("v", b'{"v":' + number + b"}", "V", ends), wanted)
        ends = "3 | kWh | total_increasing | energy | 0.001.."
        self.assertEqual(one("v", b'{"v":0}', "kWh", ends), None)
        self.assertEqual(one("v", b'{"v":0.001}', "kWh", ends), "0.001")

    def test_texts_flags_and_paths_with_blanks(self):
        document = b'{"INV":{"Power DC":241.5},"on":true,"name":"K\xc3\xbcche","no":"x"}'
        self.assertEqual(one("INV/Power DC", document, ends="1 | " + ENDS), "241.5")
        self.assertEqual(one("INV/Power DC + INV/Power DC", document), "483")
        self.assertEqual(one("on", document, "", "0 |  | flag | "), "1")
        self.assertEqual(one("name", document, "", "0 |  | text | "), "K\u00fcche")
        self.assertEqual(one("no", document), None)
        self.assertEqual(one("on", document), None)

    def test_channels_come_with_their_first_value(self):
        table = Table(["a | a | W | 0 | " + ENDS, "b | b | W | 0 | " + ENDS])
        self.assertEqual(table.channels, ())
        decode(table, b'{"b":1}')
        first = table.channels
        self.assertEqual([channel[0] for channel in first], ["b"])
        decode(table, b'{"b":2}')
        self.assertTrue(table.channels is first)
        self.assertEqual(decode(table, b'{"a":1.5,"b":null}'), {"a": "1.5"})
        self.assertEqual([(c[0], c[2]) for c in table.channels], [("b", 0), ("a", 1)])
        self.assertEqual(decode(table, b'{"a":2,"b":2.25}'), {"a": "2.0", "b": "2.25"})

    def test_bad_rows(self):
        good = "a | a | W | 0 | " + ENDS
        for row, part in (
            ("", "a table needs"),
            ("a | b", "columns"),
            ("| a | W | 0 | " + ENDS, "no key"),
            ("a | | W | 0 | " + ENDS, "path is missing"),
            ("a | a + | W | 0 | " + ENDS, "path is missing"),
            ("a | a when | W | 0 | " + ENDS, None),
            ("a | a when b <= x | W | 0 | " + ENDS, "stands no number"),
            ("a | a when age b | W | 0 | " + ENDS, "an age is compared"),
            ("a | a @ b @ c | W | 0 | " + ENDS, "one ` @ `"),
            ("a | a | kWh | 0 | " + ENDS, "kWh cannot be made W; allowed: kW, mW"),
            ("a | a | W | 10 | " + ENDS, "decimals '10'"),
            ("a | a | W | x | " + ENDS, "decimals 'x'"),
            ("a | a | W | 0 | W | gauge | power", "kind 'gauge'"),
            (good + " | 5", "limits '5'"),
            (good + " | x..", "limits 'x..'"),
            (good + "\n" + good, "the key is there twice"),
        ):
            try:
                Table(row)
                self.assertTrue(part is None, row)
            except ValueError as error:
                self.assertTrue(part is not None and part in str(error), str(error))


class TestDevices(unittest.TestCase):
    def test_all_tables_can_be_read(self):
        for name in devices.MAKERS:
            if name != "shelly":
                Picker(Table(devices.rows(name)).paths)
        self.assertEqual(devices.target("opendtu", "1161"), "/api/livedata/status?inv=1161")

    def test_which_shelly(self):
        for about, wanted in (
            (b'{"gen":2,"model":"SPEM-003CEBEU","mac":"A"}', 2),
            (b'{"gen":4}', 2),
            (b'{"gen":1,"type":"SHEM"}', 1),
            (b'{"type":"SHEM-3","mac":"A","auth":true}', 1),
            (b'{"name":"another one"}', 0),
        ):
            pick = Picker(shelly.ABOUT)
            pick.feed(about)
            self.assertTrue(pick.end())
            self.assertEqual(shelly.generation(pick.texts), wanted)

    def shelly(self, generation, status):
        pick = Picker(shelly.parts(generation))
        pick.feed(status)
        self.assertTrue(pick.end())
        rows = shelly.rows(generation, pick.texts)
        return decode(Table(rows), status) if rows else None

    def test_what_it_feeds_in_is_no_import(self):
        status = b'{"switch:0":{"apower":-3.1,"aenergy":{"total":11.679}%s}}'
        both = self.shelly(2, status % b',"ret_aenergy":{"total":5.817}')
        self.assertEqual((both["energy_import"], both["energy_export"]), ("0.005862", "0.005817"))
        alone = self.shelly(2, status % b"")
        self.assertEqual(alone["energy_import"], "0.011679")
        self.assertTrue("energy_export" not in alone)

    def test_several_parts(self):
        part = b'"switch:%d":{"apower":%d}'
        found = self.shelly(2, b"{" + part % (0, 5) + b"," + part % (2, 7) + b"}")
        self.assertEqual(found, {"power_1": "5.0", "power_3": "7.0"})
        self.assertEqual(self.shelly(2, b'{"switch:0":{"output":true},"input:0":{}}'), None)

    def test_invalid_ones_of_the_first_generation(self):
        meter = b'{"power":5.5,"total":%d,"total_returned":1,"is_valid":%s}'
        good, bad = meter % (100, b"true"), meter % (0, b"false")
        three = self.shelly(1, b'{"total_power":16.5,"emeters":[%s,%s,%s]}' % (good, good, good))
        self.assertEqual((three["power"], three["energy_import"]), ("16.50", "0.300"))
        two = self.shelly(1, b'{"total_power":11,"emeters":[%s,%s,%s]}' % (good, bad, good))
        self.assertTrue("power" not in two and "energy_import" not in two)
        self.assertEqual((two["power_l1"], two.get("power_l2")), ("5.50", None))
        self.assertEqual(self.shelly(1, b'{"meters":[{"power":0,"is_valid":false}]}'), {})
