"""SunSpec: scale factors, what is not implemented, the chain of models, their tables."""

import unittest

import sunspec
from exact import text
from modbus.registers import Table
from sunspec.device import Device, rows

ROW = "k | 10 | %s | %d | W | measurement | power | %s"


def words(*numbers):
    return b"".join([bytes((number >> 8 & 255, number & 255)) for number in numbers])


class TestScale(unittest.TestCase):
    def value(self, kind, payload, decimals=0, limits=""):
        """What is sent of a row, as text."""
        table = Table([ROW % (kind, decimals, limits)])
        value = table.decode([payload])[0]
        return value if value is None else text(value, table.channels[0][2])

    def test_powers(self):
        for kind, numbers, decimals, expected in (
            ("u16^11", (2301, 0xFFFF), 0, "230.1"),
            ("u16^11", (2301, 0), 0, "2301"),
            ("u16^11", (2301, 3), 0, "2301000"),
            ("u16^11", (2301, 10), 0, "23010000000000"),
            ("i16^11", (0xFFFF, 0xFFFE), 0, "-0.01"),
            ("i16^11", (0xFC18, 0xFFFF), 0, "-100.0"),
            ("i16*-1^11", (0xFC18, 0xFFFF), 0, "100.0"),
            ("u16*10^11", (7, 0xFFFF), 0, "7.0"),
            ("acc32^12", (0xBC, 0x614E, 0), 3, "12345.678"),  # Wh
            ("acc32^12", (0xBC, 0x614E, 1), 3, "123456.780"),
            ("acc32^12", (0xBC, 0x614E, 0xFFFE), 3, "123.45678"),
            ("acc32^12", (0xFFFF, 0xFFFE, 0), 3, "4294967.294"),
            ("i32lo^12", (0xFFFE, 0xFFFF, 0), 0, "-2"),
            ("u16^11", (999, 0xFFF6), 0, "0.000000099"),  # 9 decimals, cut
            ("i16^11", (0xFC19, 0xFFF6), 0, "-0.000000099"),
            ("acc32^12", (0xBC, 0x614E, 0xFFF6), 3, "0.000001234"),
        ):
            self.assertEqual((kind, self.value(kind, words(*numbers), decimals)), (kind, expected))

    def test_not_implemented(self):
        for kind, numbers in (
            ("u16^11", (0xFFFF, 0)),
            ("i16^11", (0x8000, 0)),
            ("i16*-1^11", (0x8000, 0)),
            ("u32^12", (0xFFFF, 0xFFFF, 0)),
            ("i32^12", (0x8000, 0, 0)),
            ("i32lo^12", (0, 0x8000, 0)),
            ("acc32^12", (0, 0, 0)),
            ("acc32", (0, 0)),
            ("u64^14", (0xFFFF,) * 4 + (0,)),
            ("acc64^14", (0, 0, 0, 0, 0)),
            ("u16^11", (5, 0x8000)),  # no scale factor
            ("u16^11", (5, 11)),
            ("u16^11", (5, 0xFFF5)),
        ):
            self.assertEqual((kind, self.value(kind, words(*numbers))), (kind, None))
        self.assertEqual(self.value("u16^11", words(0x8000, 0)), "32768")
        self.assertEqual(self.value("i16^11", words(0x7FFF, 0)), "32767")
        self.assertEqual(self.value("u16", words(0xFFFF)), "65535")  # as it always was

    def test_the_channel_widens_and_stays_wide(self):
        table = Table([ROW % ("i16^11", 0, "")])
        first = table.channels
        self.assertEqual(table.decode([words(5, 0)]), [5])
        self.assertTrue(table.channels is first)
        self.assertEqual(table.decode([words(5, 0xFFFE)]), [5])
        self.assertEqual(table.channels[0], ("k", "W", 2, "measurement", "power"))
        second = table.channels
        self.assertEqual(table.decode([words(5, 0xFFFF)]), [50])
        self.assertEqual(table.decode([words(5, 1)]), [5000])
        self.assertEqual(table.decode([words(0x8000, 0)]), [None])
        self.assertTrue(table.channels is second)

    def test_limits_are_of_the_scaled_value(self):
        table = Table([ROW % ("u16^11", 0, "0..100")])
        self.assertEqual(table.decode([words(1000, 0xFFFF)]), [1000])
        implausible: list = []
        self.assertEqual(table.decode([words(10001, 0xFFFE)], implausible), [None])
        self.assertEqual(implausible[0][1:], (10001, 0, 10000))
        self.assertEqual(implausible[0][0][2], 2)
        self.assertEqual(table.channels[0][2], 1)  # what cannot be widens nothing
        self.assertEqual(table.decode([words(11, 1)]), [None])

    def test_parts_of_singles(self):
        kwh = bytes.fromhex("4b3c614e")  # 12345678 Wh
        self.assertEqual(self.value("single/1000", kwh, 3), "12345.678")
        self.assertEqual(self.value("single/1000", kwh, 4), "12345.6780")
        self.assertEqual(self.value("single/100", bytes.fromhex("42c30000"), 3), "0.975")  # 97.5
        self.assertEqual(self.value("single/1000", bytes.fromhex("7fc00000"), 3), None)
        table = Table([ROW % ("single/1000", 3, "0..9")])
        self.assertEqual(table.decode([kwh]), [None])

    def test_a_number_and_its_factor_come_by_one_request(self):
        lines = [ROW % ("u16^40", 0, ""), "l | 70 | u16 | 0 | W | measurement | power"]
        table = Table(lines)
        self.assertEqual(table.blocks, ((4, 10, 31), (4, 70, 1)))
        payload = bytearray(62)
        payload[1], payload[61] = 7, 2
        self.assertEqual(table.decode([payload, None]), [700, None])
        self.assertEqual(table.decode([None, b"\0\1"]), [None, 1])
        before = Table(["k | 10 | u16^4 | 0 | W | measurement | power"])
        self.assertEqual(before.blocks, ((4, 4, 7),))
        self.assertEqual(before.decode([words(1, 0, 0, 0, 0, 0, 9)]), [90])

    def test_base_and_words_beside(self):
        table = Table(["k | 3 | u16^4 | 0 | W | total | "], 60, 3, (100,), 100)
        self.assertEqual(table.blocks, ((3, 100, 5),))
        payload = words(7, 0, 0, 8, 1)
        self.assertEqual((table.decode([payload]), table.word([payload], 3, 100)), ([80], 7))
        self.assertEqual(table.word([None], 3, 100), None)
        self.assertEqual(table.word([payload], 3, 105), None)

    def test_mistakes(self):
        for kind, decimals, told in (
            ("single^40", 0, "type 'single^40'"),
            ("u16/10", 1, "type 'u16/10'"),
            ("flag^40", 0, "type 'flag^40'"),
            ("u16^", 0, "scale factor ''; allowed: 0 to 65535"),
            ("u16^x", 0, "scale factor 'x'"),
            ("u16^70", 0, "its scale factor is not among the 60 registers"),
            ("u16*0", 0, "type 'u16'"),
            ("single/1000", 2, "'/1000'; allowed: a power of ten, with at most its decimals"),
            ("single/7", 3, "'/7'"),
            ("single/1", 3, "'/1'"),
        ):
            try:
                Table([ROW % (kind, decimals, "")])
                self.assertEqual(kind, "refused")
            except ValueError as error:
                self.assertIn(told, str(error))


class Registers:
    """Holding registers from a place on; beyond them a device refuses."""

    def __init__(self, base, *numbers):
        self.base = base
        self.words = list(numbers)
        self.asked = []

    def __call__(self, register, count):
        self.asked.append(register)
        at = register - self.base
        if at < 0 or at + count > len(self.words):
            return b""
        return words(*self.words[at : at + count])


def model(number, length):
    return [number, length] + [0] * length


MARKER = [0x5375, 0x6E53]


def walk(device):
    scan = sunspec.Scan()
    while scan.want:
        scan.take(device(*scan.want))
    return scan


class TestScan(unittest.TestCase):
    def test_each_place(self):
        numbers = MARKER + model(1, 66) + model(103, 50) + [0xFFFF, 0]
        for base in (40000, 50000, 0):
            scan = walk(Registers(base, *numbers))
            self.assertEqual(scan.error, "")
            self.assertEqual(scan.models, [(1, base + 2, 66), (103, base + 70, 50)])
            known = sunspec.known(scan.models)
            self.assertEqual(known, [(103, base + 70, 50, base + 2)])

    def test_no_marker(self):
        device = Registers(40000, *model(1, 66))
        scan = walk(device)
        self.assertEqual((scan.models, device.asked), ([], [40000, 50000, 0]))
        self.assertIn("SunS", scan.error)

    def test_ends(self):
        for end, count in (([], 1), ([0, 0], 1), ([0xFFFF, 0], 1), ([64000, 0, 0xFFFF, 0], 2)):
            scan = walk(Registers(40000, *(MARKER + model(101, 50) + end)))
            self.assertEqual((scan.error, len(scan.models)), ("", count))

    def test_a_chain_without_an_end(self):
        class Endless(Registers):
            def __call__(self, register, count):
                self.asked.append(register)
                return b"SunS" if register == 40000 else words(7, self.length)

        for length in (0, 1, 500, 65000, 65535):
            device = Endless(0)
            device.length = length
            scan = walk(device)
            self.assertTrue(len(device.asked) <= 82, length)
            self.assertEqual(scan.error, "")
            self.assertEqual(sunspec.known(scan.models), [])

    def test_which_common_model_belongs_to_what(self):
        found = sunspec.known(
            [(1, 2, 65), (103, 69, 50), (1, 121, 65), (203, 188, 105), (9, 300, 4)]
        )
        self.assertEqual(found, [(103, 69, 50, 2), (203, 188, 105, 121)])
        self.assertEqual(sunspec.known([(1, 2, 10), (111, 14, 60)]), [(111, 14, 60, None)])

    def test_texts(self):
        self.assertEqual(sunspec.text(b"Fronius\0\0\0\0" + b"Symo 5.0 \0", 11), "Symo 5.0")
        self.assertEqual(sunspec.text(b"Fronius\0\0\0\0Symo", 0, 11), "Fronius")
        for nothing in (b"", b"\0\0", b"\xff\xff", b"a\nb"):
            self.assertEqual(sunspec.text(nothing), None)


class TestDevice(unittest.TestCase):
    def test_all_models_have_tables(self):
        for model in sunspec.INVERTERS + sunspec.METERS:
            device = Device(model, 40069)
            keys = [row.split(" ", 1)[0] for row in rows(model)]
            self.assertEqual(len(set(keys)), len(keys))
            self.assertIn("power_export" if model < 200 else "power", keys)
            self.assertEqual("voltage" in keys, model % 10 == 1)
            self.assertEqual("voltage_l3" in keys, model % 10 >= 3)
            self.assertEqual("voltage_l12" in keys, model in (204, 214))
            # As many requests as there have to be; the first one holds the model's id.
            self.assertEqual(device.blocks[0][:2], (3, 40069))
            self.assertEqual(len(device.blocks), 2 if model > 210 else 1)

    def payload(self, device, numbers):
        """A model's registers by their offset; the others are as if there was nothing."""
        _, first, count = device.blocks[0]
        return words(*[numbers.get(at, 0x8000) for at in range(count)])

    def test_channels_come_with_their_first_value(self):
        device = Device(101, 40069)
        numbers = {0: 101, 14: 5000, 15: 0xFFFF, 24: 0, 25: 0, 26: 0}
        self.assertEqual(device.decode([self.payload(device, numbers)]), [5000])
        self.assertEqual([channel[:3] for channel in device.channels], [("power_export", "W", 1)])
        numbers[25] = 4000
        self.assertEqual(device.decode([self.payload(device, numbers)]), [5000, 4000])
        before = device.channels
        numbers[15] = 0xFFFE
        self.assertEqual(device.decode([self.payload(device, numbers)]), [5000, 4000])
        self.assertEqual([channel[2] for channel in device.channels], [2, 3])
        self.assertFalse(device.channels is before)
        before = device.channels
        self.assertEqual(device.decode([self.payload(device, {0: 101})]), [None, None])
        self.assertEqual(device.decode([None]), [None, None])
        self.assertTrue(device.channels is before)
        self.assertFalse(device.moved)

    def test_another_model_by_now(self):
        device = Device(103, 40069)
        self.assertEqual(device.decode([self.payload(device, {0: 113, 14: 1, 15: 0})]), None)
        self.assertTrue(device.moved)

    def test_solaredge_counts_export_as_positive(self):
        for maker, expected in (("Fronius", 5000), ("SolarEdge ", -5000), (None, 5000)):
            device = Device(203, 40069, maker)
            numbers = {0: 203, 18: 5000, 22: 0, 19: 1000, 2: 7, 6: 0}
            values = device.decode([self.payload(device, numbers)])
            found = {channel[0]: value for channel, value in zip(device.channels, values)}
            self.assertEqual(found["power"], expected)
            self.assertEqual(found["power_l1"], expected // 5)
            self.assertEqual(found["current"], 7)


if __name__ == "__main__":
    unittest.main()
