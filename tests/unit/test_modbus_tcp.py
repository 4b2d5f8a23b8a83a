"""Modbus TCP frames: whole, split, late, damaged, of another; the specification's own example."""

import random
import unittest

from modbus import rtu, tcp

READ = tcp.read(1, 4, 0, 3)
PDU = bytes((1, 4, 6)) + b"\x01\x02\x03\x04\x05\x06"


def framed(transaction, body, protocol=0):
    size = len(body)
    head = (
        transaction >> 8,
        transaction & 255,
        protocol >> 8,
        protocol & 255,
        size >> 8,
        size & 255,
    )
    return bytes(head) + body


class TestFrames(unittest.TestCase):
    def begin(self, request=READ):
        answer = tcp.Answer()
        sent = answer.begin(request)
        return answer, sent[0] << 8 | sent[1]

    def hear(self, *pieces, request=READ):
        """The Answer, and whether it was found, of pieces that may name the transaction T."""
        answer, number = self.begin(request)
        found = False
        for piece in pieces:
            data = piece(number) if callable(piece) else piece
            found = answer.take(data, 0, len(data)) or found
        return answer, found

    def test_requests(self):
        answer = tcp.Answer()
        self.assertEqual(answer.begin(READ), bytes.fromhex("000100000006010400000003"))
        self.assertEqual(answer.begin(tcp.read(255, 3, 40000, 2))[:8], b"\0\2\0\0\0\6\xff\3")
        self.assertEqual(tcp.read(0, 3, 1, 1), b"\0\3\0\1\0\1")
        for wrong in (
            (256, 3, 0, 1),
            (-1, 3, 0, 1),
            (1, 6, 0, 1),
            (1, 3, 0, 126),
            (1, 3, 65535, 2),
        ):
            self.assertRaises(ValueError, tcp.read, *wrong)

    def test_the_transaction_starts_over(self):
        answer = tcp.Answer()
        answer._transaction = 0xFFFE
        self.assertEqual(answer.begin(READ)[:2], b"\xff\xff")
        self.assertEqual(answer.begin(READ)[:2], b"\0\0")
        data = framed(0, PDU)
        self.assertTrue(answer.take(data, 0, len(data)))

    def test_whole_and_split(self):
        data = framed(1, PDU)
        for at in range(len(data) + 1):
            answer, found = self.hear(data[:at], data[at:])
            self.assertTrue(found, at)
            self.assertEqual((answer.payload, answer.exception), (PDU[3:], 0))
            self.assertEqual((answer.heard, answer.garbage, answer.broken), (len(data), 0, False))
        answer, found = self.hear(*[data[at : at + 1] for at in range(len(data))])
        self.assertEqual((found, answer.payload), (True, PDU[3:]))
        for end in range(len(data)):
            self.assertFalse(self.hear(data[:end])[1])

    def test_exceptions(self):
        for code in (1, 2, 4, 6, 10, 11):
            answer, found = self.hear(framed(1, bytes((1, 0x84, code))))
            self.assertTrue(found)
            self.assertEqual((answer.exception, answer.payload, answer.exceptions), (code, b"", 1))
            self.assertTrue(code in rtu.REFUSALS)

    def test_a_late_one_is_passed_over(self):
        late = framed(0, PDU[:3] + b"\xff" * 6)
        answer, found = self.hear(late + framed(1, PDU))
        self.assertTrue(found)
        self.assertEqual((answer.payload, answer.garbage), (PDU[3:], len(late)))
        answer, found = self.hear(late, late[:4], late[4:], framed(77, PDU))
        self.assertEqual((found, answer.broken), (False, False))

    def test_what_ends_the_connection(self):
        for data in (
            framed(1, PDU, protocol=1),
            framed(1, b"\x01\x04"),  # no function can be so short
            framed(1, bytes(255)),
            framed(1, b"\x02" + PDU[1:]),  # another unit
            framed(1, b"\x01\x03" + PDU[2:]),  # another function
            framed(1, b"\x01\x83\x02"),
            framed(1, b"\x01\x04\x04" + PDU[3:]),  # another count
            framed(1, b"\x01\x04\x04\0\0\0\0"),
            framed(1, b"\x01\x84\x02\x00"),
            b"HTTP/1.1 400 Bad Request",
        ):
            answer, found = self.hear(data)
            self.assertEqual((found, answer.broken), (False, True), data)
            more = framed(1, PDU)
            self.assertFalse(answer.take(more, 0, len(more)))
            answer.restart()
            sent = answer.begin(READ)
            more = framed(sent[1], PDU)
            self.assertTrue(answer.take(more, 0, len(more)))

    def test_each_bit_flipped(self):
        """Nothing but the values can change unseen: TCP has a sum of its own."""
        data = framed(1, PDU)
        for bit in range(8 * 9):
            damaged = bytearray(data)
            damaged[bit // 8] ^= 1 << bit % 8
            self.assertFalse(self.hear(bytes(damaged))[1], bit)

    def test_noise(self):
        random.seed(3)
        for _ in range(300):
            answer, _ = self.begin()
            size = random.randrange(400)
            noise = bytes([random.getrandbits(8) for _ in range(size)])
            self.assertFalse(answer.take(noise, 0, size))
            self.assertTrue(answer._filled <= 260)
            self.assertEqual(answer.garbage + answer._filled, size)

    def test_what_comes_behind_is_left_out(self):
        data = framed(1, PDU)
        answer, found = self.hear(data + data)
        self.assertEqual((found, answer.garbage), (True, len(data)))
        answer.begin(READ)
        self.assertFalse(answer.take(data, 0, len(data)))  # the number before
        data = framed(2, PDU)
        self.assertTrue(answer.take(data, 0, len(data)))


if __name__ == "__main__":
    unittest.main()
