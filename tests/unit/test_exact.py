"""lib/exact: decimal text <-> integer."""

import unittest

import exact


class TestParse(unittest.TestCase):
    def test_numbers(self):
        for number, expected in (
            (b"0", (0, 0)),
            (b"0045678.123", (45678123, 3)),
            (b"45678.120", (45678120, 3)),
            (b"-063", (-63, 0)),
            (b"+5.5", (55, 1)),
            (b"-0.05", (-5, 2)),
            (b"00032549.506", (32549506, 3)),
            (b"123456789012.345", (123456789012345, 3)),
            (b"2147483648", (2147483648, 0)),
        ):
            self.assertEqual(exact.parse(number), expected)

    def test_what_is_no_number(self):
        for number in (
            b"",
            b"-",
            b"+",
            b".",
            b".5",
            b"5.",
            b"-.5",
            b"1.2.3",
            b"1,5",
            b"1e3",
            b" 1",
            b"1 ",
            b"1_000",
            b"9" * 5000,
            b"--1",
            b"+-1",
            b"1-",
            b"0x10",
            b"nan",
            b"inf",
            b"\xff",
            b"\xb2",
        ):
            self.assertEqual((number, exact.parse(number)), (number, None))


class TestText(unittest.TestCase):
    def test_texts(self):
        for value, decimals, expected in (
            (45678123, 3, "45678.123"),
            (0, 0, "0"),
            (0, 3, "0.000"),
            (5, 3, "0.005"),
            (-5, 2, "-0.05"),
            (-500, 2, "-5.00"),
            (-1, 0, "-1"),
            (123456789012345, 3, "123456789012.345"),
            (-2147483648, 1, "-214748364.8"),
            (1073741824, 3, "1073741.824"),
        ):
            self.assertEqual(exact.text(value, decimals), expected)

    def test_there_and_back(self):
        value = 1
        while value < 10**18:
            for decimals in range(7):
                for signed in (value, -value):
                    written = exact.text(signed, decimals)
                    self.assertEqual(exact.parse(written.encode()), (signed, decimals))
            value = value * 7 + 3


class TestRescale(unittest.TestCase):
    def test_more_decimals(self):
        self.assertEqual(exact.rescale(45678123, 3, 3), 45678123)
        self.assertEqual(exact.rescale(45678123, 3, 6), 45678123000)
        self.assertEqual(exact.rescale(-7, 0, 2), -700)

    def test_digits_are_never_cut(self):
        with self.assertRaises(ValueError):
            exact.rescale(45678120, 3, 2)
