"""lib/crc16: the check values, every split, and every byte against a CRC bit by bit."""

import unittest

from crc16 import ARC, MODBUS, update

CHECK = b"123456789"


def bit_by_bit(crc, data):
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


class Crc16(unittest.TestCase):
    def test_check_values(self):
        """Of every catalogue of CRCs, and the request of a PZEM's manual with its CRC."""
        self.assertEqual(update(ARC, CHECK, 0, 9), 0xBB3D)
        self.assertEqual(update(MODBUS, CHECK, 0, 9), 0x4B37)
        self.assertEqual(update(MODBUS, bytes.fromhex("01040000000a700d"), 0, 8), 0)

    def test_pieces(self):
        for start in (ARC, MODBUS):
            for at in range(10):
                crc = update(update(start, CHECK, 0, at), CHECK, at, 9)
                self.assertEqual(crc, update(start, CHECK, 0, 9))

    def test_every_byte(self):
        data = bytes([(7 * index + index // 256) & 255 for index in range(1024)])
        for start in (ARC, MODBUS):
            self.assertEqual(update(start, data, 0, 1024), bit_by_bit(start, data))
