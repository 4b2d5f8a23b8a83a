"""lib/jsonpick: values cut out of JSON answers, whole, byte by byte, in pieces, damaged."""

import unittest

from jsonpick.number import exact as number
from jsonpick.paths import PathError
from jsonpick.picker import Picker

PLUG = (
    b'{"switch:0":{"id":0,"output":true,"apower":-12.50,"aenergy":{"total":2574466.629,'
    b'"by_minute":[0.0,1e-3,5.817],"minute_ts":1626935779},"temperature":{"tC":null}},'
    b'"name":"M\\u00fcller \\"1\\"","sys":{"mac":"A8032ABE54DC"}}'
)


def pick(paths, document, size=100000):
    """(whether it was whole, texts) of a document that comes in pieces of this size."""
    found = Picker(paths)
    for begin in range(0, len(document), size):
        found.feed(document[begin : begin + size])
    return found.end(), found.texts


class TestPaths(unittest.TestCase):
    def check(self, document, **wanted):
        for path, text in wanted.items():
            self.same(document, path, text)

    def same(self, document, path, text):
        for size in (1, 2, 7, 100000):
            self.assertEqual(pick([path], document, size), (True, [text]), (path, size))

    def test_members(self):
        for path, text in (
            ("switch:0/apower", b"-12.50"),
            ("switch:0/aenergy/total", b"2574466.629"),
            ("switch:0/aenergy/by_minute[1]", b"1e-3"),
            ("switch:0/output", b"true"),
            ("switch:0/temperature/tC", None),
            ("switch:0/temperature", None),
            ("switch:1/apower", None),
            ("apower", None),
            ("name", b'"M\xc3\xbcller "1"'),
            ("sys/mac", b'"A8032ABE54DC'),
        ):
            self.same(PLUG, path, text)

    def test_many_at_once(self):
        paths = ["sys/mac", "switch:0/apower", "switch:0/apower", "no", "switch:0/id"]
        wanted = [b'"A8032ABE54DC', b"-12.50", b"-12.50", None, b"0"]
        for size in range(1, len(PLUG)):
            self.assertEqual(pick(paths, PLUG, size), (True, wanted))

    def test_elements(self):
        document = b'[{"pwr":5,"a":[[1,2],[3,[4]]]},{"pwr":6},7]'
        for path, text in (
            ("[0]/pwr", b"5"),
            ("[1]/pwr", b"6"),
            ("[2]", b"7"),
            ("[3]", None),
            ("[0]/a[1][0]", b"3"),
            ("[0]/a[1][1][0]", b"4"),
            ("[0]/a[1][1]", None),
        ):
            self.same(document, path, text)

    def test_a_number_that_may_be_an_array(self):
        for document, first, second, plain in (
            (b'{"P":12}', b"12", None, b"12"),
            (b'{"P":[12,13]}', b"12", b"13", None),
            (b'{"P":"12"}', None, None, b'"12'),
            (b'{"P":null}', None, None, None),
            (b'{"P":{"0":1}}', None, None, None),
        ):
            found = pick(["P[0]", "P[1]", "P"], document)
            self.assertEqual(found, (True, [first, second, plain]))

    def test_the_element_with_this_member(self):
        path = "r[obis=1-0:1.8.0*255]/value"
        for inside, text in (
            (b'{"obis":"1-0:1.8.0*255","value":1}', b"1"),
            (b'{"value":1,"obis":"1-0:1.8.0*255"}', b"1"),
            (b'{"value":9,"obis":"x"},{"value":1,"obis":"1-0:1.8.0*255"},{"value":8}', b"1"),
            (b'{"value":9,"obis":"1-0:1.8.0*255x"}', None),
            (b'{"value":9}', None),
            (b'{"obis":"1-0:1.8.0*255"}', None),
            (b'{"obis":["1-0:1.8.0*255"],"value":9}', None),
            (b'{"obis":"1-0:1.8.0*255","obis":"x","value":9}', None),
            (b'{"obis":"x","value":{"a":1},"obis":"1-0:1.8.0*255","value":1}', b"1"),
            (b'["obis","1-0:1.8.0*255"]', None),
            (b"", None),
        ):
            self.same(b'{"r":[' + inside + b"]}", path, text)
        self.same(b'[{"n":3,"v":[{"x":4}]},{"n":5,"v":[{"x":6}]}]', "[n=5]/v[0]/x", b"6")

    def test_keys_with_marks(self):
        self.same(b'{"a/b":{"c~d":1,"":2}}', "a~1b/c~0d", b"1")
        self.same(b'{"r":[{"k":"a/b","v":1}]}', "r[k=a~1b]/v", b"1")
        self.same(b"17", "", b"17")

    def test_the_last_of_two_counts(self):
        self.same(b'{"a":{"b":1},"a":{"b":2}}', "a/b", b"2")
        self.same(b'{"a":{"b":1},"a":{"c":2}}', "a/b", None)
        self.same(b'{"a":{"b":1},"a":3}', "a/b", None)
        self.same(b'{"P":[1,2],"P":[3]}', "P[1]", None)

    def test_paths_that_cannot_be_read(self):
        for path in ("a//b", "/a", "a/", "a[x]", "a[]", "a[=1]", "a[-1]", "[a=1][b=2]", "a/" * 20):
            with self.assertRaises(PathError):
                Picker([path])
        with self.assertRaises(PathError):
            Picker(["k" * 65])


class TestBounds(unittest.TestCase):
    def test_depth(self):
        deep = b'{"a":' * 15
        self.assertEqual(pick(["/".join("a" * 16)], deep + b'{"a":1}' + b"}" * 15)[1], [b"1"])
        found = Picker(["a"])
        found.feed(b"[" * 17)
        self.assertFalse(found.end())
        self.assertEqual(found.error, "is nested more than 16 deep")

    def test_long_ones(self):
        key, text = b"k" * 64, b"t" * 64
        document = b'{"%s":"%s","%sx":1,"n":%s}' % (key, text, key, b"9" * 40)
        wanted = [b'"' + text, b"9" * 40]
        for size in (1, 10, 1000):
            self.assertEqual(pick([key.decode(), "n"], document, size), (True, wanted))
            longer = b'{"%s":"%sx","n":%s}' % (key, text, b"9" * 41)
            self.assertEqual(pick([key.decode(), "n"], longer, size), (True, [None, None]))

    def test_nothing_grows(self):
        found = Picker(["b"])
        found.feed(b'{"a":"')
        for _ in range(1000):
            found.feed(b"x" * 100)
        self.assertTrue(found._text is None)
        found.feed(b'","')
        for _ in range(1000):
            found.feed(b"\\u00e9b" * 20)
        self.assertTrue(len(found._text or b"") <= 65)
        found.feed(b'":')
        for _ in range(1000):
            found.feed(b"1" * 100)
        self.assertTrue(len(found._text or b"") <= 41)
        found.feed(b',"b":2}')
        self.assertTrue(found.end())
        self.assertEqual(found.texts, [b"2"])


class TestDamaged(unittest.TestCase):
    def test_cut_off_anywhere(self):
        for length in range(len(PLUG)):
            for size in (1, 1000):
                self.assertEqual(pick(["switch:0/id"], PLUG[:length], size), (False, [None]))
        found = Picker(["a"])
        for document, error in ((b"", "empty"), (b'{"a":1', "cut off"), (b" \n", "empty")):
            found.begin()
            found.feed(document)
            self.assertFalse(found.end())
            self.assertEqual(found.error, error)

    def test_what_is_no_json(self):
        for document in (
            b'{"a":1,}',
            b'{"a":1]',
            b'["a":1]',
            b'{"a" 1}',
            b'{"a"::1}',
            b"{a:1}",
            b"{,}",
            b"[1,]",
            b"[,1]",
            b"[1 2]",
            b"[1}",
            b"]",
            b"}",
            b",",
            b":",
            b"{]",
            b"[}",
            b'{"a":01}',
            b'{"a":+1}',
            b'{"a":1.}',
            b'{"a":.5}',
            b'{"a":1e}',
            b'{"a":--1}',
            b'{"a":truth}',
            b'{"a":True}',
            b'{"a":NaNs}',
            b'{"a":-}',
            b'{"a":0x1}',
            b'{"a":1_0}',
            b'{"a":"\\x"}',
            b'{"a":"\\u12g4"}',
            b"{'a':1}",
            b"<html>",
            b"nul",
            b"12a",
        ):
            for size in (1, 2, 1000):
                self.assertEqual(pick(["a"], document, size), (False, [None]), document)

    def test_more_behind_its_end(self):
        found = Picker(["a"])
        found.feed(b'{"a":1} \r\n')
        found.feed(b"{")
        self.assertFalse(found.end())
        self.assertEqual(found.error, "there is more behind its end")
        self.assertEqual(found.texts, [None])

    def test_a_mark_in_front(self):
        self.assertEqual(pick(["a"], b'\xef\xbb\xbf{"a":1}', 1), (True, [b"1"]))

    def test_the_next_answer(self):
        found = Picker(["r[k=1]/v", "a"])
        found.feed(b'{"a":5,"r":[{"k":1,"v":7')
        self.assertFalse(found.end())
        found.begin()
        found.feed(b'{"r":[{"v":8}]}')
        self.assertTrue(found.end())
        self.assertEqual((found.error, found.texts), ("", [None, None]))

    def test_no_numbers_are_null(self):
        for text in (b"nan", b"NaN", b"-inf", b"Infinity"):
            document = b'{"a":' + text + b',"b":2}'
            self.assertEqual(pick(["a", "b"], document, 1), (True, [None, b"2"]))


class TestNumber(unittest.TestCase):
    def test_numbers(self):
        for text, wanted in (
            (b"0", (0, 0)),
            (b"-0.0", (0, 1)),
            (b"2574466.629", (2574466629, 3)),
            (b"-12.50", (-1250, 2)),
            (b"1.2e-05", (12, 6)),
            (b"1E3", (1000, 0)),
            (b"-1.25e+1", (-125, 1)),
            (b"1.5e1", (15, 0)),
            (b"1e40", (10**40, 0)),
        ):
            self.assertEqual(number(text), wanted, text)

    def test_what_is_none(self):
        for text in (None, b"", b"-", b"01", b"1.", b".1", b"1e", b"1e+", b"+1", b"1e41", b'"1'):
            self.assertEqual(number(text), None, text)
        for text in (b"1e99999999999", b"1 ", b"true", b"1.2.3", b"1,5", b"1e5.0", b"\xb2"):
            self.assertEqual(number(text), None, text)
