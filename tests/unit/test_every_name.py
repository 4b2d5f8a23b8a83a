"""The access point's name server: every name is the board's (lib/dnsq/every.py)."""

import unittest

import dnsq
from dnsq import every

ADDRESS = b"\xc0\xa8\x04\x01"


def question(name: str = "connectivitycheck.example", kind: int = 1, more: bytes = b"") -> bytes:
    data = bytearray(dnsq.query(name, 0x1234))
    data[-3] = kind
    if more:
        data[11] = 1  # an additional record
    return bytes(data) + more


class TestReply(unittest.TestCase):
    def test_our_own_resolver_takes_it(self):
        for name in ("a", "www.msftconnecttest.com", "x" * 63 + "." + "y" * 63):
            found = every.reply(question(name), ADDRESS)
            self.assertEqual(dnsq.answer(found or b"", name, 0x1234), ("192.168.4.1", 0))

    def test_other_records_are_not_there(self):
        for kind in (28, 65, 12, 255):
            found = every.reply(question(kind=kind), ADDRESS) or b""
            self.assertEqual((found[3] & 15, found[6:8]), (0, b"\x00\x00"))
            self.assertEqual(len(found), len(question()))

    def test_what_a_question_has_behind_it_is_left_out(self):
        edns = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"
        found = every.reply(question(more=edns), ADDRESS) or b""
        self.assertEqual(found[10:12], b"\x00\x00")
        self.assertEqual(dnsq.answer(found, "connectivitycheck.example", 0x1234)[1], 0)

    def test_recursion_is_copied(self):
        data = bytearray(question())
        data[2] = 0
        self.assertEqual((every.reply(data, ADDRESS) or b"")[2], 0x84)
        self.assertEqual((every.reply(question(), ADDRESS) or b"")[2], 0x85)

    def test_what_is_no_question(self):
        good = question()
        for size in range(len(good)):
            self.assertTrue(every.reply(good[:size], ADDRESS) is None, size)
        for at, value in ((2, 0x80), (2, 0x10), (5, 0), (5, 2), (4, 1), (12, 0xC0), (12, 0x40)):
            data = bytearray(good)
            data[at] = value
            self.assertTrue(every.reply(data, ADDRESS) is None, (at, value))
        self.assertTrue(every.reply(question("a." * 126 + "a"), ADDRESS) is not None)
        long = good[:12] + (b"\x3f" + b"x" * 63) * 4 + b"\x00\x00\x01\x00\x01"
        self.assertTrue(every.reply(long, ADDRESS) is None)

    def test_noise(self):
        state = 7
        for _ in range(3000):
            data = bytearray(question())
            for _ in range(4):
                state = (state * 1103515245 + 12345) & 0x7FFFFFFF
                data[state % len(data)] = state >> 16 & 255
            found = every.reply(data, ADDRESS)
            self.assertTrue(found is None or len(found) <= len(data) + 16)


if __name__ == "__main__":
    unittest.main()
