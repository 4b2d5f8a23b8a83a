"""lib/updatefile: heads with each fault, signatures against cryptography, 1,000 forged ones."""

import hashlib
import os
import random
import sys
import unittest

import update_helpers as made
import updatefile
from updatefile import rsa

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
except ImportError:  # MicroPython
    RSAPublicNumbers = None

APPLICATION = bytes(range(256)) * 20
# npm's builds collect no garbage within a test; MicroPython needs 25 ms for each.
LONG = RSAPublicNumbers or (hasattr(os, "getenv") and os.getenv("JOULELOG_LONG"))
FORGED = 60 if sys.platform == "webassembly" else 1000 if LONG else 200


def good(modulus, signature, data) -> bool:
    check = rsa.Signature(modulus, signature, data)
    steps = 1
    while not check.step():
        steps += 1
    if steps not in (1, 17):
        raise AssertionError(steps)
    return check.good


def oracle(signature: bytes, data: bytes) -> bool:
    numbers = RSAPublicNumbers(65537, int.from_bytes(made.MODULUS, "big"))
    try:
        numbers.public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        return True
    except InvalidSignature:
        return False


def changed(data: bytes, at: int, by: int = 1) -> bytes:
    found = bytearray(data)
    found[at] ^= by
    return bytes(found)


def cube_root(number: int) -> int:
    """The next whole one above."""
    low, high = 0, 1 << 1025
    while low < high:
        middle = (low + high) // 2
        if middle * middle * middle < number:
            low = middle + 1
        else:
            high = middle
    return low


def forged(signature: bytes, data: bytes):
    """Yield forgeries by name, for ever."""
    modulus = int.from_bytes(made.MODULUS, "big")
    digest = hashlib.sha256(data).digest()
    right = made.padded(digest)
    # Whoever holds the key, and pads wrong: none of these is a signature.
    wrong = (
        ("type 2", changed(right, 1, 3)),
        ("no zero at first", changed(right, 0, 1)),
        ("short filling", made.padded(digest, 8) + bytes(322)),
        ("garbage behind the hash", made.padded(digest, 8) + garbage(322)),
        ("filling with a hole", changed(right, 100, 0x10)),
        ("other hash algorithm", changed(right, 349, 1)),
        ("other hash", changed(right, 383, 1)),
        ("no separator", changed(right, 332, 0xFF)),
        ("hash alone", bytes(352) + digest),
    )
    for name, text in wrong:
        yield name, made.power(int.from_bytes(text, "big") % modulus)
    # With an exponent of 3 this would do: a cube whose first bytes are right.
    begin = made.padded(digest, 8)
    root = cube_root(int.from_bytes(begin + bytes(384 - len(begin)), "big"))
    yield "cube root", root.to_bytes(384, "big")
    number = int.from_bytes(signature, "big")
    for value in (0, 1, modulus - 1, modulus - number):
        yield "special %d" % (value & 0xFF), value.to_bytes(384, "big")
    yield "modulus itself", made.MODULUS
    if number + modulus < 1 << 3072:
        yield "beyond the modulus", (number + modulus).to_bytes(384, "big")
    for size in (0, 1, 32, 256, 383):
        yield "short", signature[:size]
    yield "long", signature + b"\x00"
    yield "long before", b"\x00" + signature
    yield "turned", bytes([signature[383 - at] for at in range(384)])
    while True:
        yield "bit", changed(signature, random.randrange(384), 1 << random.randrange(8))
        yield "garbage", garbage(384)


def garbage(count: int) -> bytes:
    return bytes([random.getrandbits(8) for _ in range(count)])


class Signatures(unittest.TestCase):
    def test_a_right_one_holds_for_its_data_alone(self):
        data = b"the first 640 bytes"
        signature = made.sign(data)
        self.assertTrue(good(made.MODULUS, signature, data))
        self.assertFalse(good(made.MODULUS, signature, data + b" "))
        if RSAPublicNumbers:
            self.assertTrue(oracle(signature, data))

    def test_a_thousand_forged_ones(self):
        random.seed(15)
        data = b"an application that does not brick a board"
        signature = made.sign(data)
        count = 0
        for name, text in forged(signature, data):
            self.assertFalse(good(made.MODULUS, text, data), name)
            if RSAPublicNumbers:
                self.assertFalse(oracle(text, data), name)
            count += 1
            if count == FORGED:
                break

    def test_another_key(self):
        signature = made.sign(b"data")
        for at in (0, 200, 382):
            other = changed(made.MODULUS, at, 2)
            self.assertFalse(good(other, signature, b"data"))

    def test_what_is_no_key(self):
        for modulus in (
            b"",
            made.MODULUS[:-1],
            b"\x00" + made.MODULUS,
            changed(made.MODULUS, 383),
        ):
            with self.assertRaises(ValueError):
                rsa.Signature(modulus, bytes(384), b"")
        with self.assertRaises(ValueError):
            rsa.Signature(changed(made.MODULUS, 0, 0x80), bytes(384), b"")

    def test_what_is_signed_is_whole(self):
        encoded = rsa.encoded(hashlib.sha256(b"data").digest())
        self.assertEqual(encoded, made.padded(hashlib.sha256(b"data").digest()))
        self.assertEqual(len(encoded), 384)


class Heads(unittest.TestCase):
    def refused(self, data: bytes, name: str) -> str:
        try:
            updatefile.Head(data)
        except updatefile.UpdateError as error:
            self.assertEqual(error.args[0], name)
            return error.args[1]
        raise AssertionError("%s was taken" % name)

    def unsigned(self, **about) -> bytes:
        return made.head_unsigned(APPLICATION, **about) + bytes(384)

    def test_all_that_is_in_it(self):
        head = updatefile.Head(made.head(APPLICATION))
        self.assertEqual(head.size, len(APPLICATION))
        self.assertEqual(head.digest, hashlib.sha256(APPLICATION).digest())
        found = (head.board, head.chip, head.layout, head.version, head.made)
        wanted = (made.BOARD, made.CHIP, made.LAYOUT, made.VERSION, made.MADE)
        self.assertEqual(found, wanted)
        signature = head.signature(made.MODULUS)
        while not signature.step():
            pass
        self.assertTrue(signature.good)

    def test_each_byte_is_signed(self):
        data = made.head(APPLICATION)
        for at in (16, 47, 60, 130, 170, 191, 640, 1023):
            try:
                head = updatefile.Head(changed(data, at, 1))
            except updatefile.UpdateError:
                continue
            signature = head.signature(made.MODULUS)
            while not signature.step():
                pass
            self.assertFalse(signature.good, at)

    def test_each_refusal(self):
        whole = self.unsigned()
        self.refused(b"", "magic")
        self.refused(b"\x7fELF" + bytes(1020), "magic")
        self.assertTrue("cable" in self.refused(b"\xe9\x06" + bytes(1022), "magic"))
        for size in (1, 7, 8, 100, 1023):
            self.refused(whole[:size], "head")
        self.assertTrue("format 1, not 2" in self.refused(self.unsigned(format=2), "format"))
        self.refused(self.unsigned(size=0), "head")
        self.refused(changed(whole, 192), "head")
        self.refused(changed(whole, 639), "head")
        for board in ("", "x" * 31 + "\x01", "a b", "a\x00b"):
            self.assertTrue("board" in self.refused(self.unsigned(board=board), "head"))
        for version in ("1.x", "1..2", "v1", "1.1234567"):
            self.refused(self.unsigned(version=version), "head")
        self.refused(self.unsigned(made="2026"), "head")

    def test_for_whom_it_is(self):
        head = updatefile.Head(self.unsigned())
        right = [made.BOARD, made.CHIP, made.LAYOUT, len(APPLICATION)]
        head.check(*right)
        names = ("board", "chip", "layout", "large")
        wrong = ("WEMOS", "esp32c3", "00000000", len(APPLICATION) - 1)
        for at in range(4):
            given = list(right)
            given[at] = wrong[at]
            with self.assertRaises(updatefile.UpdateError) as caught:
                head.check(*given)
            self.assertEqual(caught.exception.args[0], names[at])
            self.assertTrue(str(wrong[at]) in caught.exception.args[1])

    def test_older_the_same_and_newer(self):
        head = updatefile.Head(self.unsigned(version="0.10.0", made="2026-11-20T10:00:00Z"))
        before = (
            ("0.9.9", "2027-01-01T00:00:00Z"),
            ("0.9", "source"),
            ("0.10.0", "2026-11-20T09:59:59Z"),
        )
        for version, when in before:
            head.not_older(version, when)
            self.assertTrue(head.is_newer(version, when))
        for version, when in (("0.10.0", "2026-11-20T10:00:00Z"), ("0.10.0", "source")):
            head.not_older(version, when)
            self.assertFalse(head.is_newer(version, when))
        for version, when in (("0.10.0", "2026-11-20T10:00:01Z"), ("0.10.1", "source"), ("1", "")):
            self.assertFalse(head.is_newer(version, when))
            with self.assertRaises(updatefile.UpdateError) as caught:
                head.not_older(version, when)
            self.assertEqual(caught.exception.args[0], "older")

    def test_a_layout_is_that_of_its_rows_in_any_order(self):
        rows = ((0, 16, 0x10000, 0x1C0000, "ota_0"), (1, 0, 0xD000, 0x2000, "otadata"))
        found = updatefile.layout(rows)
        self.assertEqual(found, updatefile.layout((rows[1], rows[0])))
        self.assertEqual(len(found), 8)
        other = (rows[0], (1, 0, 0xD000, 0x2000, "ota"))
        self.assertFalse(found == updatefile.layout(other))


if __name__ == "__main__":
    unittest.main()
