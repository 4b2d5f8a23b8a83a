"""Framing of P1 telegrams: where they begin and end, what survives, what is counted."""

import unittest

from crc16 import update
from dsmr.frame import ABSENT, BAD, OK, Framer
from dsmr_helpers import sealed

SMALL = b"/TST5 ONE\r\n\r\n1-0:1.8.1(000001.000*kWh)\r\n1-0:1.7.0(00.100*kW)\r\n!"
GOOD = sealed(SMALL)
OTHER = sealed(SMALL.replace(b"ONE", b"TWO"))


class Listener:
    """Remembers what it hears."""

    def __init__(self):
        self.heard = []

    def begin(self, line):
        self.heard.append(("begin", line))

    def line(self, line):
        self.heard.append(("line", line))

    def end(self, crc):
        self.heard.append(("end", crc))

    def ends(self):
        return [value for what, value in self.heard if what == "end"]

    def lines(self):
        return [value for what, value in self.heard if what == "line"]


def hear(data, size=128, chunk=256):
    listener = Listener()
    framer = Framer(bytearray(size), listener)
    for start in range(0, len(data), chunk):
        framer.feed(data, start, min(start + chunk, len(data)))
    return listener, framer


class TestFramer(unittest.TestCase):
    def test_crc_vector(self):
        self.assertEqual(update(0, b"123456789", 0, 9), 0xBB3D)
        published = (
            b"/KFM5KAIFA-METER\r\n\r\n1-0:1.8.1(000671.578*kWh)\r\n1-0:1.7.0(00.318*kW)\r\n!"
        )
        self.assertEqual(update(0, published, 0, len(published)), 0x1E1D)

    def test_whole(self):
        listener, framer = hear(GOOD)
        self.assertEqual(
            listener.heard,
            [
                ("begin", b"TST5 ONE"),
                ("line", b"1-0:1.8.1(000001.000*kWh)"),
                ("line", b"1-0:1.7.0(00.100*kW)"),
                ("end", OK),
            ],
        )
        self.assertEqual(framer.telegrams, 1)

    def test_every_split(self):
        whole = hear(GOOD + OTHER)[0].heard
        data = b"noise" + GOOD + OTHER
        for cut in range(len(data)):
            listener = Listener()
            framer = Framer(bytearray(128), listener)
            framer.feed(data, 0, cut)
            framer.feed(data, cut, len(data))
            self.assertEqual(listener.heard, whole)

    def test_byte_by_byte(self):
        listener = Listener()
        framer = Framer(bytearray(128), listener)
        one = bytearray(1)
        for byte in b"\x00\xff!1234\r\n" + GOOD:
            one[0] = byte
            framer.feed(one, 0, 1)
        self.assertEqual(listener.ends(), [OK])

    def test_garbage_before(self):
        listener, framer = hear(b"0(000)\r\n!77FF\r\n\xff\xfe" + GOOD)
        self.assertEqual(listener.ends(), [OK])
        self.assertEqual(framer.crc_errors, 0)

    def test_slash_restarts_in_a_line_and_at_its_start(self):
        for cut in (30, 40):
            listener, framer = hear(GOOD[:cut] + OTHER)
            self.assertEqual(listener.heard[-4], ("begin", b"TST5 TWO"))
            self.assertEqual(listener.ends(), [OK])
            self.assertEqual(framer.interrupted, 1)

    def test_slash_in_identification(self):
        data = sealed(SMALL.replace(b"ONE", b"A/B/C"))
        listener, framer = hear(data)
        self.assertEqual(listener.heard[0], ("begin", b"TST5 A/B/C"))
        self.assertEqual(listener.ends(), [OK])

    def test_cut_off_inside_the_identification(self):
        for cut in range(1, 9):
            listener, framer = hear(GOOD[:cut] + OTHER)
            self.assertEqual(listener.ends(), [OK])

    def test_crc_in_lower_case_and_unpadded(self):
        text = SMALL
        while update(0, text, 0, len(text)) > 0xFFF:  # one whose first digit is 0
            text = text.replace(b"ONE", b"ONEX")
        digits = b"%x" % update(0, text, 0, len(text))
        self.assertTrue(len(digits) < 4)
        self.assertEqual(hear(text + digits + b"\r\n")[0].ends(), [OK])
        self.assertEqual(hear(text + digits + b"\n")[0].ends(), [OK])
        lower = GOOD[:-6] + GOOD[-6:].lower()
        self.assertEqual(hear(lower)[0].ends(), [OK])

    def test_line_feed_only(self):
        text = SMALL.replace(b"\r\n", b"\n")
        data = text + b"%04X\n" % update(0, text, 0, len(text))
        self.assertEqual(hear(data)[0].ends(), [OK])

    def test_no_crc(self):
        listener, framer = hear(SMALL + b"\r\n" + GOOD)
        self.assertEqual(listener.ends(), [ABSENT, OK])
        self.assertEqual(framer.telegrams, 2)

    def test_flush_completes_a_telegram_without_its_last_line_end(self):
        listener, framer = hear(SMALL)
        self.assertEqual(listener.ends(), [])
        framer.flush()
        framer.flush()
        self.assertEqual(listener.ends(), [ABSENT])

    def test_bad_crc_is_counted_and_the_next_is_good(self):
        for spoiled in (GOOD[:-6] + b"0000\r\n", GOOD[:-6] + b"XXX\r\n"):
            listener, framer = hear(spoiled + OTHER)
            self.assertEqual(listener.ends(), [BAD, OK])
            self.assertEqual((framer.crc_errors, framer.telegrams), (1, 1))

    def test_value_on_the_following_line(self):
        text = b"/KMP5 X\r\n\r\n0-1:24.3.0(140101004100)(08)(60)(1)(0-1:24.2.1)(m3)\r\n"
        text += b"(00100.006)\r\n!\r\n"
        joined = b"0-1:24.3.0(140101004100)(08)(60)(1)(0-1:24.2.1)(m3)(00100.006)"
        self.assertEqual(hear(text)[0].lines(), [joined])
        listener = Listener()
        framer = Framer(bytearray(128), listener)
        for at in range(len(text)):
            framer.feed(text, at, at + 1)
        self.assertEqual(listener.lines(), [joined])

    def test_a_long_line_is_left_out_and_counts_for_the_crc(self):
        text = SMALL[:-1] + b"0-0:96.13.0(" + b"\xff" * 1024 + b")\r\n!"
        listener, framer = hear(sealed(text))
        self.assertEqual(listener.ends(), [OK])
        self.assertEqual(len(listener.lines()), 2)
        self.assertEqual(framer.long_lines, 1)

    def test_a_buffer_of_the_right_size_keeps_a_long_line(self):
        text = SMALL[:-1] + b"0-0:96.13.0(" + b"30" * 1024 + b")\r\n!"
        listener, framer = hear(sealed(text), 2560)
        self.assertEqual(framer.long_lines, 0)
        self.assertEqual(len(listener.lines()[-1]), 2048 + 13)

    def test_four_kilobytes(self):
        lines = b"".join([b"1-0:99.%d.0(%0100d)\r\n" % (n, n) for n in range(35)])
        text = b"/TST5 BIG\r\n\r\n" + lines + b"!"
        self.assertTrue(len(text) > 4000)
        self.assertEqual(hear(sealed(text))[0].ends(), [OK])

    def test_overflow_recovers(self):
        listener, framer = hear(b"/TST5 ENDLESS\r\n" + b"x" * 9000 + GOOD)
        self.assertEqual(framer.overflows, 1)
        self.assertEqual(listener.ends(), [OK])
        listener, framer = hear(b"/" + b"y" * 200 + b"\r\n" + GOOD)
        self.assertEqual(listener.ends(), [OK])

    def test_exclamation_inside_a_line_is_no_end(self):
        text = SMALL.replace(b"1-0:1.7.0(00", b"1-0:1.7.0(!0")
        self.assertEqual(hear(sealed(text))[0].ends(), [OK])

    def test_slash_and_exclamation_mark_in_a_text(self):
        for words in (
            b"on 12/05",
            b"/",
            b"a\r\n/b",
            b"a\r\n!b",
            b"a\r\n!\r\nb",
            b"a\r\n!dead\r\nb",
        ):
            text = SMALL[:-1] + b"0-0:96.13.0(" + words + b")\r\n!"
            for data, verdict in ((sealed(text), OK), (text + b"\r\n", ABSENT)):
                for chunk in (1, 7, 256):
                    listener, framer = hear(data + GOOD, chunk=chunk)
                    self.assertEqual(listener.ends(), [verdict, OK])
                    self.assertEqual((framer.interrupted, framer.telegrams), (0, 2))

    def test_a_stream_that_begins_inside_a_text(self):
        for rest in (b"/05)\r\n", b" 12/05)\r\n", b"x /foo\r\n"):
            data = rest + b"1-0:1.7.0(00.100*kW)\r\n!\r\n"
            self.assertEqual(hear(data + GOOD)[0].ends(), [OK])

    def test_garbage_that_nearly_fills_the_buffer(self):
        for length in range(100, 140):
            self.assertEqual(hear(b"/" + b"x" * length + GOOD)[0].ends(), [OK])
            self.assertEqual(hear(GOOD[:40] + b"x" * length + OTHER)[0].ends(), [OK])

    def test_an_identification_with_brackets_behind_a_cut(self):
        other = sealed(SMALL.replace(b"ONE", b"V3 (b)"))
        listener, framer = hear(GOOD[:40] + b"xxx" + other)
        self.assertEqual((listener.ends(), framer.interrupted), ([OK], 1))

    def test_the_identification_is_that_of_the_last_one(self):
        listener, framer = hear(b"/x" + GOOD)
        self.assertEqual(listener.heard[0], ("begin", b"TST5 ONE"))
        self.assertEqual(hear(b"/TST5 O/TST5" + GOOD)[0].heard[0], ("begin", b"TST5 ONE"))

    def test_identification_that_is_noise(self):
        listener, framer = hear(b"/\x80\x81\xfe\r\n\x90\x91\n!\r\n" + GOOD)
        self.assertEqual(listener.ends(), [OK])


if __name__ == "__main__":
    unittest.main()
