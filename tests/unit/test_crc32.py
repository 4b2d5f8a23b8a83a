"""lib/crc32: known values, and the bytecode against binascii where that has a CRC-32."""

import binascii
import unittest

import crc32

# The check value of every catalogue of CRCs, and what zlib gives for the others.
KNOWN = (
    (b"", "00000000"),
    (b"a", "e8b7be43"),
    (b"123456789", "cbf43926"),
    (b"\x00\x00\x00\x00", "2144df1c"),
    (b"\xff\xff\xff\xff", "ffffffff"),
    (b"The quick brown fox jumps over the lazy dog", "414fa339"),
)


class Crc32(unittest.TestCase):
    def test_known_values(self):
        for update in (crc32.update, crc32.update_slowly):
            for data, expected in KNOWN:
                self.assertEqual(crc32.text_of(update(crc32.START, data)), expected)
        self.assertEqual(crc32.text(b"123456789"), "cbf43926")

    def test_pieces(self):
        data = b"123456789"
        for update in (crc32.update, crc32.update_slowly):
            for at in range(len(data) + 1):
                state = update(update(crc32.START, data[:at]), memoryview(data)[at:])
                self.assertEqual(crc32.text_of(state), "cbf43926")

    @unittest.skipUnless(hasattr(binascii, "crc32"), "this build has no binascii.crc32")
    def test_every_byte_against_binascii(self):
        state = crc32.START
        for index in range(1024):
            byte = bytes(((index * 7 + index // 256) & 255,))
            expected = binascii.crc32(byte, state[0] << 16 | state[1])
            state = crc32.update_slowly(state, byte)
            self.assertEqual(crc32.text_of(state), "%08x" % expected)
