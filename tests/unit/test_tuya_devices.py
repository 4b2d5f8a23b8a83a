"""lib/tuya's tables on answers of real devices, digit for digit, whole and in pieces."""

import builtins
import random
import unittest

from exact import text
from jsonmeter.table import Table
from jsonpick.picker import Picker
from tuya import devices

# Where they are from: tests/fixtures/tuya/README.md.
SAMPLES = (
    (
        "pj1103a",
        '{"101":257,"102":"REVERSE","104":"FORWARD","105":143,"106":0,"107":7,"108":4,"109":0,'
        '"110":9,"111":4921,"112":2467,"113":1103,"114":452,"115":-114}',
        "power=-11.4 power_1=-25.7 power_2=14.3 energy_import=0.04 energy_export=0.07"
        " energy_import_1=0.00 energy_export_1=0.07 energy_import_2=0.04 energy_export_2=0.00"
        " voltage=246.7 current_1=1.103 current_2=0.452 power_factor_1=0.09 frequency=49.21",
    ),
    (
        "pj1103a",
        '{"101":2993,"102":"FORWARD","104":"FORWARD","105":2759,"106":7004,"107":55726,'
        '"108":16643,"109":0,"110":60,"111":5003,"112":2343,"113":2101,"114":1814,"115":5752,'
        '"116":1000,"117":1000,"118":1000,"119":1000,"121":64,"122":1021,"123":1000,"124":1000,'
        '"125":1000,"127":1000,"128":1000,"129":10,"130":23647,"131":55726,"132":false,'
        '"133":false,"134":false,"135":false,"136":false,"137":2600,"138":850,"139":150000,'
        '"140":330000,"145":150000,"146":330000,"149":false,"150":false}',
        "power=575.2 power_1=299.3 power_2=275.9 energy_import=236.47 energy_export=557.26"
        " energy_import_1=70.04 energy_export_1=557.26 energy_import_2=166.43"
        " energy_export_2=0.00 voltage=234.3 current_1=2.101 current_2=1.814"
        " power_factor_1=0.60 power_factor_2=0.64 frequency=50.03",
    ),
    (
        "pj1103a",  # the first clamp has no current, and so no direction
        '{"101":0,"104":"FORWARD","105":119,"106":0,"107":0,"108":0,"109":0,"110":100,"111":4912,'
        '"112":2435,"113":0,"114":493,"115":119,"121":9}',
        "power=11.9 power_1=0.0 power_2=11.9 energy_import=0.00 energy_export=0.00"
        " energy_import_1=0.00 energy_export_1=0.00 energy_import_2=0.00 energy_export_2=0.00"
        " voltage=243.5 current_1=0.000 current_2=0.493 power_factor_1=1.00 power_factor_2=0.09"
        " frequency=49.12",
    ),
    (
        "pj1103a_signed",
        '{"1":362,"2":718,"9":-154,"56":0,"57":74,"59":640,"60":0,"101":2335,"102":107,"103":45,'
        '"104":-200,"105":46,"106":80,"107":43,"108":3200,"109":3200,"110":false,"111":false,'
        '"112":0,"113":1,"114":1,"115":1,"116":0,"117":1,"118":15,"119":718,"120":347,"121":0,'
        '"122":0,"123":0,"124":0,"125":0,"126":0}',
        "power=-15.4 power_1=-20.0 power_2=4.6 energy_import=3.62 energy_export=7.18"
        " energy_import_1=0.15 energy_export_1=7.18 energy_import_2=3.47 energy_export_2=0.00"
        " voltage=233.5 current_1=0.107 current_2=0.045 power_factor_1=0.80 power_factor_2=0.43",
    ),
    (
        "pj2101a",
        '{"1":707703,"2":317539,"101":4433,"102":"FORWARD"}',
        "power=4433 energy_import=7077.03 energy_export=3175.39",
    ),
    (
        "pj1103",
        '{"1":false,"2":false,"18":74,"19":52,"20":2366,"26":0,"102":0,"103":0,"104":2361,'
        '"107":0,"108":0}',
        "power=5.2 current=0.074 voltage=236.6",
    ),
)
# Made by the lists of data points: nobody has published an answer of these.
MADE = (
    (
        "dual_clamp",
        '{"19":120,"20":2301,"103":257,"104":143,"105":5001,"107":99,"115":7004,"116":7,"117":4,'
        '"118":9,"120":97,"121":52,"141":1,"142":0}',
        "power_1=-25.7 power_2=14.3 energy_import=70.08 energy_export=0.16 energy_import_1=70.04"
        " energy_export_1=0.07 energy_import_2=0.04 energy_export_2=0.09 voltage=230.1"
        " power_factor_1=0.97 power_factor_2=0.52 frequency=50.01",
    ),
    (
        "zemismart",
        '{"1":123456,"9":0,"23":789,"29":-1234,"32":4999,"50":98,"102":10,"103":2301,"104":5361,'
        '"105":-1234,"108":99,"109":100,"110":200,"112":2302,"121":2303,"122":1,"123":5,"128":3}',
        "power=-1234 energy_import=1234.56 energy_export=7.89 power_factor=0.98 frequency=49.99"
        " voltage_l1=230.1 current_l1=5.361 power_l1=-1234 power_factor_l1=0.99"
        " energy_import_l1=1.00 energy_export_l1=2.00 voltage_l2=230.2 voltage_l3=230.3"
        " current_l3=0.001 power_l3=5 energy_export_l3=0.03",
    ),
    (
        "zemismart_1",
        '{"1":5,"23":6,"32":5000,"50":100,"102":2299,"103":10000,"104":2299}',
        "power=2299 energy_import=0.05 energy_export=0.06 voltage=229.9 current=10.000"
        " power_factor=1.00 frequency=50.00",
    ),
    (
        "plug",
        '{"1":true,"9":0,"17":34,"18":204,"19":471,"20":2311,"26":0}',
        "power=47.1 current=0.204 voltage=231.1",
    ),
    ("plug_31", '{"1":true,"4":204,"5":471,"6":2311}', "power=47.1 current=0.204 voltage=231.1"),
)


def told(pairs):
    return sorted(pairs.split(" "))


def decode(name, document, sizes):
    table = Table(devices.rows(name))
    pick = Picker(table.paths)
    at = turn = 0
    while at < len(document):
        size = sizes[turn % len(sizes)]
        pick.feed(document[at : at + size])
        at += size
        turn += 1
    assert pick.end(), pick.error
    values = table.decode(pick.texts)
    assert None not in values
    pairs = zip(table.channels, values)
    return sorted(["%s=%s" % (channel[0], text(value, channel[2])) for channel, value in pairs])


def refuse(*_):
    raise AssertionError("no float is made between a meter and a server")


class TestTables(unittest.TestCase):
    def setUp(self):
        self.kept = builtins.float
        builtins.float = refuse  # which a parser of JSON calls as well

    def tearDown(self):
        builtins.float = self.kept

    def test_digit_for_digit(self):
        self.assertRaises(AssertionError, lambda: float("2.5"))
        random.seed(1103)
        for name, dps, wanted in SAMPLES + MADE:
            document = ('{"devId":"bf01","dps":%s,"t":1700000000}' % dps).encode()
            for sizes in (
                (10000,),
                (1,),
                (16, 3),
                [random.randrange(1, 60) for _ in range(30)],
                [random.randrange(1, 9) for _ in range(30)],
            ):
                self.assertEqual(decode(name, document, sizes), told(wanted), name)

    def test_every_table_can_be_read(self):
        for name in devices.ROWS:
            table = Table(devices.rows(name))
            self.assertTrue(table.rows)
            for path in table.paths:
                self.assertEqual(path[:4], "dps/")
                self.assertTrue(path[4:].isdigit())
        self.assertEqual(set(devices.RENEWED) - set(devices.ROWS), set())

    def test_what_counts_from_report_to_report_is_no_channel(self):
        for name in ("plug", "pj1103"):
            self.assertNotIn("dps/17", Table(devices.rows(name)).paths)

    def test_a_size_without_its_direction_is_no_value(self):
        table = Table(devices.rows("pj1103a"))
        pick = Picker(table.paths)
        pick.feed(b'{"dps":{"101":257,"105":143,"104":"REVERSE"}}')
        self.assertTrue(pick.end())
        self.assertEqual(table.decode(pick.texts), [-143])
        self.assertEqual(table.channels[0][0], "power_2")


if __name__ == "__main__":
    unittest.main()
