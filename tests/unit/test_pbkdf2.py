"""lib/pbkdf2: known answers, any steps, and against hashlib where that has it."""

import binascii
import hashlib
import random
import unittest

from pbkdf2 import Pbkdf2, equal

# RFC 7914, 11: its first 32 bytes; the others as hashlib.pbkdf2_hmac has them
KNOWN = (
    (b"passwd", b"salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"),
    (b"password", b"salt", 2, "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43"),
)


def derived(password, salt, rounds, step):
    made = Pbkdf2(password, salt, rounds)
    while not made.step(step):
        pass
    return made.digest()


class Derived(unittest.TestCase):
    def test_known(self):
        for password, salt, rounds, text in KNOWN:
            for step in (1, 7, 1000):
                found = derived(password, salt, rounds, step)
                self.assertEqual(binascii.hexlify(found).decode(), text)

    def test_as_hashlib(self):
        if not hasattr(hashlib, "pbkdf2_hmac"):  # MicroPython
            return
        seeded = random.Random(1)
        for _ in range(200):
            password = seeded.randbytes(seeded.randrange(0, 260))
            salt = seeded.randbytes(seeded.randrange(1, 40))
            rounds = seeded.randrange(1, 90)
            found = derived(password, salt, rounds, seeded.randrange(1, 40))
            self.assertEqual(found, hashlib.pbkdf2_hmac("sha256", password, salt, rounds))

    def test_equal(self):
        self.assertTrue(equal(b"", b""))
        self.assertTrue(equal(b"abc", b"abc"))
        for other in (b"", b"ab", b"ab!", b"!bc", b"abcd"):
            self.assertFalse(equal(b"abc", other))


if __name__ == "__main__":
    unittest.main()
