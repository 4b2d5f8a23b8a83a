"""lib/ntpq: the bytes of RFC 4330, its checks, and the years in which counters overflow."""

import unittest

import ntpq

STAMP = b"\x01\x02\x03\x04\x05\x06\x07\x08"


def packet(seconds: int, fraction: bytes = b"\x00\x00\x00\x00", first=0x24, stratum=2) -> bytes:
    """A server's answer; seconds as NTP counts them, 32 bits."""
    wire = bytes(
        ((seconds >> 24) & 255, (seconds >> 16) & 255, (seconds >> 8) & 255, seconds & 255)
    )
    return (
        bytes((first, stratum, 6, 0xEC))
        + b"\0" * 8
        + b"GPS\0"
        + b"\0" * 8
        + STAMP
        + wire * 2
        + wire
        + fraction
    )


class Requests(unittest.TestCase):
    def test_the_bytes(self):
        wire = ntpq.request(STAMP)
        self.assertEqual(len(wire), 48)
        self.assertEqual(wire[0], 0x23, "version 4, client")
        self.assertEqual(wire[1:40], b"\0" * 39)
        self.assertEqual(wire[40:], STAMP)

    def test_a_stamp_of_another_size(self):
        with self.assertRaises(ValueError):
            ntpq.request(b"short")


class Answers(unittest.TestCase):
    def test_the_packet_of_this_test(self):
        self.assertEqual(len(packet(0)), 48)

    def test_times(self):
        for seconds, expected in (
            (3155673600, 0),  # 2000-01-01
            (3155673600 + 757382400, 757382400),  # 2024-01-01
            (4229366400, 1073692800),  # 2034-01-09: past 30 bits
            (4294967295, 1139293695),  # 2036-02-07T06:28:15, the end of era 0
            (0, 1139293696),
            (1, 1139293697),
            (60726847, 1200020543),  # 2038-01-10
            (0x7FFFFFFF, 1139293696 + 0x7FFFFFFF),  # 2104
        ):
            # A transmit stamp of nothing but zeros means "none": give it a fraction.
            found = ntpq.answer(packet(seconds, b"\x80\x00\x00\x00"), STAMP)
            self.assertEqual(found, (expected, 500))

    def test_fractions(self):
        for fraction, ms in (
            (b"\x00\x00\x00\x00", 0),
            (b"\x00\x41\x89\x37", 0),
            (b"\x00\x83\x12\x6f", 1),
            (b"\xff\xff\xff\xff", 999),
        ):
            self.assertEqual(ntpq.answer(packet(3155673600, fraction), STAMP), (0, ms))

    def test_what_is_not_ours(self):
        good = packet(4000000000)
        self.assertIsNone(ntpq.answer(b"", STAMP))
        self.assertIsNone(ntpq.answer(good[:47], STAMP))
        self.assertIsNone(ntpq.answer(good, b"\0" * 8), "another stamp")
        self.assertIsNone(ntpq.answer(ntpq.request(STAMP), STAMP), "a request")
        self.assertIsNone(ntpq.answer(packet(4000000000, first=0x25), STAMP), "a broadcast")

    def test_servers_that_do_not_know(self):
        for first, stratum, word in (
            (0xE4, 2, "not set"),
            (0x24, 16, "not synchronised"),
            (0x24, 255, "not synchronised"),
            (0x24, 0, "GPS?"),
        ):
            with self.assertRaises(ntpq.NtpError) as caught:
                ntpq.answer(packet(4000000000, first=first, stratum=stratum), STAMP)
            self.assertIn(word, str(caught.exception))

    def test_no_time_at_all(self):
        with self.assertRaises(ntpq.NtpError):
            ntpq.answer(packet(0), STAMP)

    def test_longer_packets_and_other_versions(self):
        self.assertEqual(ntpq.answer(packet(3155673600) + b"\0" * 20, STAMP), (0, 0))
        self.assertEqual(ntpq.answer(packet(3155673600, first=0x1C), STAMP), (0, 0))
        self.assertEqual(ntpq.answer(memoryview(packet(3155673600)), STAMP), (0, 0))


if __name__ == "__main__":
    unittest.main()
