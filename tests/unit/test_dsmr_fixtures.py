"""Telegrams of real meters: the same values whole, byte by byte, in random splits, and damaged."""

import json
import random
import unittest

import exact
from dsmr_helpers import decode, sealed

FOLDER = "tests/fixtures/dsmr/"
MARKER = sealed(b"/MARK5\r\n\r\n1-0:1.7.0(00.777*kW)\r\n!")

with open(FOLDER + "expected.json") as file:
    EXPECTED = json.load(file)


def read(name):
    with open(FOLDER + name + ".txt", "rb") as file:
        return file.read()


def mutated(data, dice):
    """What a serial line does: flipped bits, lost, doubled and foreign bytes, a cut."""
    data = bytearray(data)
    for _ in range(dice.randrange(1, 4)):
        at = dice.randrange(len(data))
        kind = dice.randrange(6)
        if kind == 0:
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            end = min(len(data), at + dice.randrange(1, 40))
            data[at:end] = b""
        elif kind == 2:
            data[at:at] = data[at : at + dice.randrange(1, 40)]
        elif kind == 3:
            data[at:at] = bytes([dice.randrange(256) for _ in range(dice.randrange(1, 20))])
        elif kind == 4 and at:
            data[at:] = b""
        else:
            data[at] = b"/!()\r\n*:.-\x00\xff"[dice.randrange(12)]
        if not data:
            break
    return bytes(data)


def check_mutations(case, rounds, seed):
    """Damaged telegrams never raise, and the good one behind is always decoded."""
    dice = random.Random(seed) if hasattr(random, "Random") else random
    if dice is random:
        random.seed(seed)
    names = sorted(EXPECTED)
    telegrams = [read(name) for name in names]
    telegrams = [data for data in telegrams if len(data) < 900]
    for _ in range(rounds):
        damaged = mutated(telegrams[dice.randrange(len(telegrams))], dice)
        found, _ = decode(damaged + MARKER, wanted=())
        case.assertTrue(found[-1]["header"].endswith("MARK5"))  # behind a header that was cut off
        power = exact.parse(found[-1]["values"]["power_import"].encode())
        case.assertEqual(power[0], 777 * 10 ** power[1])  # a telegram without CRC may widen it


class TestFixtures(unittest.TestCase):
    def test_whole(self):
        for name in sorted(EXPECTED):
            self.assertEqual(decode(read(name))[0], [EXPECTED[name]], name)

    def test_byte_by_byte(self):
        for name in sorted(EXPECTED):
            data = read(name)
            self.assertEqual(decode(data, range(1, len(data)))[0], [EXPECTED[name]], name)

    def test_random_splits(self):
        random.seed(1)
        for name in sorted(EXPECTED):
            data = read(name)
            for _ in range(5):
                cuts = sorted([random.randrange(len(data)) for _ in range(20)])
                self.assertEqual(decode(data, cuts)[0], [EXPECTED[name]], name)

    def test_the_buffer_of_a_small_chip_loses_no_number(self):
        for name in sorted(EXPECTED):
            found, _ = decode(read(name), buffer_bytes=512)
            self.assertEqual(found, [EXPECTED[name]], name)

    def test_mutations(self):
        check_mutations(self, 300, 2)


if __name__ == "__main__":
    unittest.main()
