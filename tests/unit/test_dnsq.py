"""lib/dnsq: questions and answers as RFC 1035 4.1 and RFC 6762 lay them out, and hostile ones."""

import unittest

import dnsq

IDENT = 0xABCD
NAME = "broker.example"
QUESTION = b"\x06broker\x07example\x00\x00\x01\x00\x01"
POINTER = b"\xc0\x0c"  # to the name in the question
A = b"\x00\x01\x00\x01"
CNAME = b"\x00\x05\x00\x01"
HOUR = b"\x00\x00\x0e\x10"
ADDRESS = b"\x00\x04\xc0\x00\x02\x07"


def message(records: bytes, count: int, flags: bytes = b"\x81\x80", ident: int = IDENT) -> bytes:
    head = bytes((ident >> 8, ident & 255)) + flags + b"\x00\x01" + bytes((0, count, 0, 0, 0, 0))
    return head + QUESTION + records


GOOD = message(POINTER + A + HOUR + ADDRESS, 1)
# broker.example -> www.example (a pointer into the question) -> 192.0.2.7
ALIAS = message(
    POINTER + CNAME + b"\x00\x00\x00\x3c\x00\x06\x03www\xc0\x13"
    b"\x03www\xc0\x13" + A + HOUR + ADDRESS,
    2,
)


class Questions(unittest.TestCase):
    def test_the_bytes_of_a_question(self):
        head = b"\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
        self.assertEqual(dnsq.query(NAME, IDENT), head + QUESTION)
        self.assertEqual(dnsq.query(NAME + ".", IDENT), head + QUESTION)

    def test_the_bytes_of_a_multicast_question(self):
        wire = dnsq.query("meter.local", 1, True)
        head = b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
        self.assertEqual(wire, head + b"\x05meter\x05local\x00\x00\x01\x80\x01")

    def test_names_that_cannot_exist(self):
        for name in ("", ".", "a..b", ".a", "a b", "x" * 64, "a." * 127 + "aa", "m\u00fcller.de"):
            with self.assertRaises(dnsq.DnsError) as caught:
                dnsq.query(name, IDENT)
            self.assertTrue(caught.exception.final, name)

    def test_the_longest_names(self):
        self.assertEqual(len(dnsq.encode("x" * 63 + ".de")), 68)
        self.assertEqual(len(dnsq.encode("a." * 126 + "a")), 255)


class Answers(unittest.TestCase):
    def test_an_address(self):
        self.assertEqual(dnsq.answer(GOOD, NAME, IDENT), ("192.0.2.7", 3600))
        self.assertEqual(dnsq.answer(GOOD, "Broker.EXAMPLE.", IDENT), ("192.0.2.7", 3600))
        self.assertEqual(dnsq.answer(memoryview(GOOD), NAME, IDENT), ("192.0.2.7", 3600))

    def test_an_alias(self):
        self.assertEqual(dnsq.answer(ALIAS, NAME, IDENT), ("192.0.2.7", 60))

    def test_an_alias_behind_its_address(self):
        records = b"\x03www\xc0\x13" + A + HOUR + ADDRESS
        records += POINTER + CNAME + HOUR + b"\x00\x06\x03www\xc0\x13"
        self.assertEqual(dnsq.answer(message(records, 2), NAME, IDENT), ("192.0.2.7", 3600))

    def test_other_records_are_passed_over(self):
        text = POINTER + b"\x00\x10\x00\x01" + HOUR + b"\x00\x03\x02hi"
        other = b"\x05other\x00" + A + HOUR + b"\x00\x04\x01\x01\x01\x01"
        data = message(text + other + POINTER + A + HOUR + ADDRESS, 3)
        self.assertEqual(dnsq.answer(data, NAME, IDENT), ("192.0.2.7", 3600))

    def test_what_is_not_ours(self):
        self.assertIsNone(dnsq.answer(b"", NAME, IDENT))
        self.assertIsNone(dnsq.answer(GOOD[:11], NAME, IDENT))
        self.assertIsNone(dnsq.answer(GOOD, NAME, IDENT + 1), "another id")
        self.assertIsNone(dnsq.answer(GOOD, "breaker.example", IDENT), "another name")
        self.assertIsNone(dnsq.answer(dnsq.query(NAME, IDENT), NAME, IDENT), "a question")
        update = GOOD[:2] + b"\xa8" + GOOD[3:]
        self.assertIsNone(dnsq.answer(update, NAME, IDENT), "another kind of answer")
        no_question = GOOD[:4] + b"\x00\x00" + GOOD[6:12] + GOOD[12 + len(QUESTION) :]
        self.assertIsNone(dnsq.answer(no_question, NAME, IDENT), "no question")

    def test_servers_that_say_no(self):
        for code, final, word in (
            (2, False, "failed"),
            (3, True, "no such"),
            (5, False, "refused"),
        ):
            data = message(b"", 0, bytes((0x81, 0x80 | code)))
            with self.assertRaises(dnsq.DnsError) as caught:
                dnsq.answer(data, NAME, IDENT)
            self.assertEqual(caught.exception.final, final)
            self.assertIn(word, str(caught.exception))

    def test_no_address_and_more_than_fits(self):
        for data, word in (
            (message(b"", 0), "no IPv4"),
            (message(b"", 0, b"\x83\x80"), "fit"),
            (message(POINTER + CNAME + HOUR + b"\x00\x06\x03www\xc0\x13", 1), "no IPv4"),
        ):
            with self.assertRaises(dnsq.DnsError) as caught:
                dnsq.answer(data, NAME, IDENT)
            self.assertIn(word, str(caught.exception))

    def test_time_to_live(self):
        for wire, ttl_s in (
            (b"\x00\x00\x00\x00", 0),
            (b"\x00\x01\x51\x7f", 86399),
            (b"\x00\x02\x00\x00", 86400),
            (b"\x7f\xff\xff\xff", 86400),
            (b"\x80\x00\x00\x05", 0),
        ):
            data = message(POINTER + A + wire + ADDRESS, 1)
            self.assertEqual(dnsq.answer(data, NAME, IDENT), ("192.0.2.7", ttl_s))

    def test_pointers_that_never_end(self):
        to_itself = len(GOOD) - len(POINTER + A + HOUR + ADDRESS)
        for pointer in (bytes((0xC0, to_itself)), bytes((0xC0, to_itself + 2)), b"\xff\xff"):
            with self.assertRaises(dnsq.DnsError):
                dnsq.answer(message(pointer + A + HOUR + ADDRESS, 1), NAME, IDENT)

    def test_aliases_in_a_circle(self):
        records = POINTER + CNAME + HOUR + b"\x00\x06\x03www\xc0\x13"
        records += b"\x03www\xc0\x13" + CNAME + HOUR + b"\x00\x02\xc0\x0c"
        with self.assertRaises(dnsq.DnsError):
            dnsq.answer(message(records, 2), NAME, IDENT)

    def test_every_cut_is_noticed(self):
        for data in (GOOD, ALIAS):
            for size in range(12 + len(QUESTION), len(data)):
                with self.assertRaises(dnsq.DnsError):
                    dnsq.answer(data[:size], NAME, IDENT)

    def test_mutations_never_raise_anything_else(self):
        seed = 1
        answers = 0
        for number in range(3000):
            data = bytearray(ALIAS if number & 1 else GOOD)
            for _ in range(1 + number % 3):
                seed = (seed * 4093 + 25673) & 0xFFFFFF
                data[2 + (seed >> 8) % (len(data) - 2)] = seed & 255
            try:
                answers += dnsq.answer(data, NAME, IDENT) is not None
            except dnsq.DnsError:
                pass
        self.assertTrue(200 < answers < 2800, answers)


class Multicast(unittest.TestCase):
    # What responders send: id 0 or ours, no question, the cache-flush bit in the class.
    RECORD = b"\x05meter\x05local\x00\x00\x01\x80\x01\x00\x00\x00\x78" + ADDRESS
    DATA = b"\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00" + RECORD

    def test_an_answer_without_question(self):
        self.assertEqual(dnsq.answer(self.DATA, "Meter.local", None), ("192.0.2.7", 120))

    def test_an_answer_with_question(self):
        data = b"\x12\x34\x84\x00\x00\x01\x00\x01\x00\x00\x00\x00"
        data += b"\x05meter\x05local\x00\x00\x01\x80\x01" + self.RECORD
        self.assertEqual(dnsq.answer(data, "meter.local", None), ("192.0.2.7", 120))

    def test_somebody_else_announces_himself(self):
        self.assertIsNone(dnsq.answer(self.DATA, "other.local", None))


if __name__ == "__main__":
    unittest.main()
