"""What all of net/ knows: which texts are addresses, and what an answer says of the link."""

import errno
import unittest

from joulelog import clock, net


class TestAddresses(unittest.TestCase):
    def test_what_is_an_address(self):
        for text in ("192.0.2.7", "0.0.0.0", "255.255.255.255"):
            self.assertTrue(net.is_address(text), text)
        bad = ("", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.x", "1..2.3", "-1.2.3.4", "010.1.1.1")
        bad += ("1.2.3.4 ", "broker.example.de.com", "::1", "1.2.3.\u00b2", "1.2.3." + "9" * 5000)
        for text in bad:
            self.assertFalse(net.is_address(text), text)


class TestLink(unittest.TestCase):
    def test_three_attempts_in_vain(self):
        now = [clock.uptime_ms()]
        real = clock.uptime_ms
        clock.uptime_ms = lambda: now[0]
        try:
            net.forget()
            for _ in range(2):
                net.unanswered(OSError(errno.ETIMEDOUT))
                now[0] += 1000
            self.assertEqual(net.deaf_ms(), 0)
            net.unanswered()
            self.assertEqual(net.deaf_ms(), 2000)
            net.unanswered(OSError(errno.ECONNREFUSED))  # somebody has refused: it is not deaf
            self.assertEqual(net.deaf_ms(), 0)
        finally:
            clock.uptime_ms = real
