"""PZEM and Eastron tables: real frames, and each register over its range, digit for digit."""

import json
import unittest

import eastron
import exact
import pzem
from modbus.registers import Table

with open("tests/fixtures/modbus/pzem.json") as file:
    VECTORS = json.load(file)


def texts(table, payload):
    return {
        channel[0]: exact.text(value, channel[2])
        for channel, value in zip(table.channels, table.decode([payload]))
    }


class TestKinds(unittest.TestCase):
    def test_alarms_are_flags(self):
        for model, alarms in (("ac", ["alarm"]), ("dc", ["alarm_high", "alarm_low"])):
            channels = Table(pzem.TABLES[model]).channels
            self.assertEqual([c[0] for c in channels if c[3] == "flag"], alarms)

    def test_of_a_table_of_ones_own(self):
        for kind in ("flag", "code", "measurement"):  # as it was before there were flags
            table = Table("alarm | 9 | flag | 0 | | %s |" % kind)
            self.assertEqual(table.channels, (("alarm", "", 0, kind, ""),))
            self.assertEqual(table.decode([b"\xff\xff"]), [1])


class TestPzem(unittest.TestCase):
    def setUp(self) -> None:
        self.tables = {name: Table(rows) for name, rows in pzem.TABLES.items()}

    def test_one_request_each(self):
        self.assertEqual(self.tables["ac"].blocks, ((4, 0, 10),))
        self.assertEqual(self.tables["dc"].blocks, ((4, 0, 8),))

    def test_vectors(self):
        count = 0
        for vector in VECTORS:
            if "values" in vector:
                payload = bytes.fromhex(vector["frame"])[3:-2]
                self.assertEqual(texts(self.tables[vector["model"]], payload), vector["values"])
                count += 1
        self.assertEqual(count, 20)

    def test_what_others_got_wrong(self):
        """Signs, or the low word alone: -3053.6 W and -25.536 kWh."""
        payload = bytes.fromhex("08fc0000000088b800009c40000001f400640000")
        values = texts(self.tables["ac"], payload)
        self.assertEqual((values["power"], values["energy"]), ("3500.0", "40.000"))

    def sweep(self, table, key, most, at, shift, step):
        """Values of a register, or of one word of a pair: each exact, or refused."""
        _, first, count = table.blocks[0]
        payload = bytearray(2 * count)
        at = 2 * (at - first)
        index = [channel[0] for channel in table.channels].index(key)
        swept = 0
        for raw in range(0, 65536, step):
            payload[at] = raw >> 8
            payload[at + 1] = raw & 255
            value = raw << shift
            implausible: list = []
            found = table.decode([payload], implausible)[index]
            refused = [one[1] for one in implausible if one[0][0] == key]
            if (found, refused) == ((value, []) if value <= most else (None, [value])):
                swept += 1
        self.assertEqual((key, shift, swept), (key, shift, len(range(0, 65536, step))))

    def test_each_register_over_its_range(self):
        self.over_its_range(17)

    def test_each_register_over_its_range_long(self):
        self.over_its_range(1)

    def over_its_range(self, step):
        """The 65536 values of each by its row alone in steps, every 37th among the others."""
        count = 0
        for model, rows in pzem.TABLES.items():
            for row in rows.strip().split("\n"):
                columns = [column.strip() for column in row.split("|")]
                key, register, name = columns[0], int(columns[1]), columns[2]
                if name == "flag":
                    continue
                most = int(columns[7].split("..")[1]) * 10 ** int(columns[3])
                for word in range(2 if name == "u32lo" else 1):
                    where = (key, most, register + word, 16 * word)
                    self.sweep(Table([row]), *where, step=step)
                    self.sweep(self.tables[model], *where, step=37 * step)
                    count += 1
        self.assertEqual(count, 9 + 6)

    def test_pairs_of_words(self):
        """32 bits, the low word first: what is right for each word is right for both."""
        table = Table([row for row in pzem.TABLES["ac"].split("\n") if row[:7] == "energy "])
        for value in (0xFFFF, 0x10000, 0x10001, 40000, 9999999, 10000000):
            words = (value >> 8 & 255, value & 255, value >> 24, value >> 16 & 255)
            self.assertEqual(table.decode([bytes(words)]), [value])

    def test_a_first_frame_of_garbage(self):
        payload = bytearray(20)
        payload[0:2] = b"\xa7\x3a"  # 4281.0 V
        self.assertEqual(self.tables["ac"].decode([payload]), [None] + [0] * 6)
        payload = bytearray(20)
        payload[10:14] = b"\xff\xff\xff\xff"  # 4294967.295 kWh
        self.assertEqual(self.tables["ac"].decode([payload]), [0] * 3 + [None] + [0] * 3)


class TestEastron(unittest.TestCase):
    def test_tables(self):
        for model in eastron.MODELS:
            table = Table(eastron.table(model), eastron.HOLE)
            self.assertTrue(max([count for _, _, count in table.blocks]) <= 60)
        self.assertRaises(KeyError, eastron.table, "sdm999")

    def test_phases_of_an_sdm630(self):
        rows = [row for row in eastron.table("sdm630").split("\n") if row]
        where = {row.split("|")[0].strip(): row.split("|")[1].strip() for row in rows}
        for key, register in (
            ("voltage_l3", 4),
            ("current_l1", 6),
            ("power_l2", 14),
            ("energy_import_l3", 0x15E),
            ("energy_export_l1", 0x160),
        ):
            self.assertEqual(where[key], str(register))

    def test_values(self):
        table = Table(eastron.table("sdm120"), eastron.HOLE)
        first = bytearray(64)
        first[0:4] = bytes.fromhex("43664ccd")  # 230.3
        first[24:28] = bytes.fromhex("c47a2000")  # -1000.5
        second = bytes.fromhex("424800004640e6b700000000")
        values = table.decode([first, second, None])
        keys = [channel[0] for channel in table.channels]
        found = {key: value for key, value in zip(keys, values)}
        self.assertEqual(found["voltage"], 2303)
        self.assertEqual(found["power"], -10005)
        self.assertEqual(found["frequency"], 5000)
        self.assertEqual(found["energy_import"], 12345679)
        self.assertEqual(found["energy_export"], 0)
        self.assertEqual(found["energy_total"], None)


if __name__ == "__main__":
    unittest.main()
