"""PZEM and Eastron tables: real frames, and each register over its range, digit for digit."""

import json
import unittest

import eastron
import exact
import pzem
from modbus.registers import Implausible, Table

with open("tests/fixtures/modbus/pzem.json") as file:
    VECTORS = json.load(file)


def texts(table, payload):
    return {
        channel[0]: exact.text(value, channel[2])
        for channel, value in zip(table.channels, table.decode([payload]))
    }


class TestPzem(unittest.TestCase):
    def setUp(self) -> None:
        self.tables = {name: Table(rows) for name, rows in pzem.TABLES.items()}

    def test_one_request_each(self):
        self.assertEqual(self.tables["ac"].blocks, ((0, 10),))
        self.assertEqual(self.tables["dc"].blocks, ((0, 8),))

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

    def sweep(self, model, key, word, step):
        """Every value of a register, or of each word of a pair: exact, or refused."""
        table = self.tables[model]
        index = [channel[0] for channel in table.channels].index(key)
        row = [r for r in pzem.TABLES[model].split("\n") if r.split("|")[0].strip() == key][0]
        most = int(row.split("..")[1])
        payload = bytearray(2 * table.blocks[0][1])
        low_first = "u32lo" in row
        for shift in (0, 16) if low_first else (0,):
            at = 2 * (word + (1 if shift else 0))
            for raw in range(0, 65536, step):
                payload[at] = raw >> 8
                payload[at + 1] = raw & 255
                try:
                    value = table.decode([payload])[index]
                    self.assertEqual(value, raw << shift)
                    self.assertTrue(value <= most)
                except Implausible as error:
                    self.assertEqual(error.args, (key, raw << shift))
                    self.assertTrue(raw << shift > most)
            payload[at] = payload[at + 1] = 0

    def test_each_register_over_its_range(self):
        step = 1 if hasattr(dict, "__or__") else 37  # all of them where that takes no minutes
        for model, words in (
            ("ac", (("voltage", 0), ("current", 1), ("power", 3), ("energy", 5))),
            ("ac", (("frequency", 7), ("power_factor", 8))),
            ("dc", (("voltage", 0), ("current", 1), ("power", 2), ("energy", 4))),
        ):
            for key, word in words:
                self.sweep(model, key, word, step)

    def test_a_first_frame_of_garbage(self):
        payload = bytearray(20)
        payload[0:2] = b"\xa7\x3a"  # 4281.0 V
        self.assertRaises(Implausible, self.tables["ac"].decode, [payload])
        payload = bytearray(20)
        payload[10:14] = b"\xff\xff\xff\xff"  # 4294967.295 kWh
        self.assertRaises(Implausible, self.tables["ac"].decode, [payload])


class TestEastron(unittest.TestCase):
    def test_tables(self):
        for model in eastron.MODELS:
            table = Table(eastron.table(model), eastron.HOLE)
            self.assertTrue(max([count for _, count in table.blocks]) <= 60)
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
