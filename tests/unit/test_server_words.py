"""What a server says of our request is told without the secrets in it, however it writes them."""

import binascii
import json
import unittest

from joulelog.net import server
from joulelog.net.url import percent

TOKEN = "t0k+en/of-the_test=="
PASSWORD = 'p"ss/w\\rd+&=<\xf6> 7'
KEY = "0123456789abcdef0123456789abcdef"
PATH = "hook-correct-horse"


def base64(text: str) -> str:
    return binascii.b2a_base64(text.encode()).decode().strip()


def forms(secret: str):
    """The ways in which it may be written."""
    coded = binascii.hexlify(secret.encode()).decode()
    yield secret
    yield percent(secret)
    yield percent(secret).lower()  # %2b
    yield json.dumps(secret)[1:-1]
    yield secret.upper()
    yield coded
    yield coded.upper()
    for before in ("", "u", "us", "user:"):
        yield base64(before + secret)
        yield base64(before + secret).replace("+", "-").replace("/", "_")


class TestWords(unittest.TestCase):
    def setUp(self):
        entry = {"url": "http://h/%s/x" % PATH, "timeout": 1}
        self.server = server.Server(entry, (TOKEN, PASSWORD, KEY, ""), lambda: None)

    def test_however_it_is_written(self):
        for secret in (TOKEN, PASSWORD, KEY, PATH):
            for form in forms(secret):
                for text in ("bad %s here", "%s", "a" * 100 + " '%s'"):
                    said = self.server.clean(text % form)
                    self.assertIn("***", said)
                    for start in range(len(form) - 10):
                        piece = form[start : start + 11]
                        self.assertFalse(piece in said, (form, said))
                    self.assertTrue(len(said) < len(text % form) or len(form) < 9, (form, said))

    def test_a_piece_of_it(self):
        said = self.server.clean("token " + TOKEN[:9])
        self.assertEqual(said, "token ***")
        said = self.server.clean("%s and the rest" % KEY[3:25])
        self.assertEqual(said, "*** and the rest")

    def test_what_is_none_stays(self):
        for text in ("unable to parse 'energy value=1'", "h\xe4 \u20ac ok", "token", "0123"):
            self.assertEqual(self.server.clean(text), text)

    def test_one_short_line(self):
        self.assertEqual(self.server.clean("a\r\n b\tc  "), "a b c")
        self.assertEqual(self.server.clean("x" * 5000), "x" * 160 + "...")
        self.assertEqual(self.server.clean(""), "")

    def test_odd_text(self):
        half = json.loads('"\\ud800 %s"' % KEY)
        self.assertFalse(KEY in self.server.clean(half))
        self.assertEqual(self.server.words(b'{"message": "no ' + KEY.encode() + b'"}'), "no ***")


if __name__ == "__main__":
    unittest.main()
