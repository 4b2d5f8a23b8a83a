"""lib/aes_gcm against published vectors, a bit-by-bit reference and another implementation."""

import random
import unittest

from aes_gcm import GcmStream

try:
    import cryptolib
except ImportError:
    cryptolib = None

try:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:
    AESGCM = None

# McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 1 to 4:
# key, nonce, additional data, plain text, cipher text, tag.
_KEY = "feffe9928665731c6d6a8f9467308308"
_NONCE = "cafebabefacedbaddecaf888"
_PLAIN = (
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
)
_CIPHER = (
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985"
)
_VECTORS = (
    ("00" * 16, "00" * 12, "", "", "", "58e2fccefa7e3061367f1d57a4e7455a"),
    (
        "00" * 16,
        "00" * 12,
        "",
        "00" * 16,
        "0388dace60b6a392f328c2b971b2fe78",
        "ab6e47d42cec13bdf53a67b21257bddf",
    ),
    (_KEY, _NONCE, "", _PLAIN, _CIPHER, "4d5c2af327cd64a62cf35abd2ba6fab4"),
    (
        _KEY,
        _NONCE,
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        _PLAIN[:120],
        _CIPHER[:120],
        "5bc94fbc3221a5db94fae95ae7121a47",
    ),
)

# NIST, CAVP, gcmEncryptExtIV128: the first of each of five pairs of lengths; as above.
_NIST = (
    (
        "2fb45e5b8f993a2bfebc4b15b533e0b4",
        "5b05755f984d2b90f94b8027",
        "e85491b2202caf1d7dce03b97e09331c32473941",
        "",
        "",
        "c75b7832b2a2d9bd827412b6ef5769db",
    ),
    (
        "d4a22488f8dd1d5c6c19a7d6ca17964c",
        "f3d5837f22ac1a0425e0d1d5",
        "f1c5d424b83f96c6ad8cb28ca0d20e475e023b5a",
        "7b43016a16896497fb457be6d2a54122",
        "c2bd67eef5e95cac27e3b06e3031d0a8",
        "f23eacf9d1cdf8737726c58648826e9c",
    ),
    (
        "fe9bb47deb3a61e423c2231841cfd1fb",
        "4d328eb776f500a2f7fb47aa",
        "",
        "f1cc3818e421876bb6b8bbd6c9",
        "b88c5c1977b35b517b0aeae967",
        "43fd4727fe5cdb4b5b42818dea7ef8c9",
    ),
    (
        "48b7f337cdf9252687ecc760bd8ec184",
        "3e894ebb16ce82a53c3e05b2",
        "7d924cfd37b3d046a96eb5e132042405c8731e06509787bbeb41f258275746495e884d69871f7763"
        "4c584bb007312234",
        "bb2bac67a4709430c39c2eb9acfabc0d456c80d30aa1734e57997d548a8f0603",
        "d263228b8ce051f67e9baf1ce7df97d10cd5f3bc972362055130c7d13c3ab2e7",
        "71446737ca1fa92e6d026d7d2ed1aa9c",
    ),
    (
        "b61553bb854895b929751cd0c5f80384",
        "8863f999ae64e55d0bbd7457",
        "d914b5f2d1b08ce53ea59cb310587245",
        "9b1b113217d0c4ea7943cf123c69c6ad2e3c97368c51c9754145d155dde1ee8640c8cafff17a5c97"
        "37d26a137eee4bf369096d",
        "acfab4632b8a25805112f13d85e082bc89dc49bd92164fa8a2dad242c3a1b2f2696f2fdff579025f"
        "3f146ea97da3e47dc34b65",
        "5d9b5f4a9868c1c69cbd6fd851f01340",
    ),
)


def _bytes(size: int) -> bytes:
    return bytes([random.getrandbits(8) for _ in range(size)])


def _aes(key: bytes):
    """AES-128-ECB encryption by what there is."""
    if cryptolib:
        return cryptolib.aes(key, 1).encrypt
    from slow_aes import Aes128

    return Aes128(key).encrypt


def _multiply(one: int, two: int) -> int:
    """SP 800-38D, algorithm 1."""
    product = 0
    for bit in range(127, -1, -1):
        if one >> bit & 1:
            product ^= two
        two = two >> 1 ^ (0xE1 << 120 if two & 1 else 0)
    return product


def _reference_tag(encrypt, nonce: bytes, aad: bytes, cipher: bytes) -> bytes:
    """SP 800-38D, algorithms 2 and 4, one bit at a time."""
    hash_key = int.from_bytes(encrypt(bytes(16)), "big")
    data = aad + bytes(-len(aad) % 16) + cipher + bytes(-len(cipher) % 16)
    data += (8 * len(aad)).to_bytes(8, "big") + (8 * len(cipher)).to_bytes(8, "big")
    total = 0
    for at in range(0, len(data), 16):
        total = _multiply(total ^ int.from_bytes(data[at : at + 16], "big"), hash_key)
    total ^= int.from_bytes(encrypt(nonce + b"\0\0\0\1"), "big")
    return total.to_bytes(16, "big")


def _decrypt(stream: GcmStream, data: bytes, sizes) -> bytes:
    """Decrypt in pieces of the given sizes, over and over."""
    text = bytearray(len(data))
    view = memoryview(text)
    at = 0
    turn = 0
    while at < len(data):
        end = min(len(data), at + sizes[turn % len(sizes)])
        stream.decrypt(data, at, end, view[at:])
        at = end
        turn += 1
    return bytes(text)


def _encrypt(stream: GcmStream, data: bytes, sizes) -> bytes:
    """The same the other way, over the text itself."""
    text = bytearray(data)
    at = 0
    turn = 0
    while at < len(text):
        end = min(len(text), at + sizes[turn % len(sizes)])
        piece = bytearray(text[at:end])
        stream.encrypt(piece, 0, end - at, piece)
        text[at:end] = piece
        at = end
        turn += 1
    return bytes(text)


class TestVectors(unittest.TestCase):
    def test_published(self):
        for vector in _VECTORS + _NIST:
            key, nonce, aad, plain, cipher, tag = [bytes.fromhex(text) for text in vector]
            stream = GcmStream(_aes(key), nonce, aad)
            self.assertEqual(_decrypt(stream, cipher, (1000,)), plain)
            self.assertTrue(stream.verify(tag))
            stream.restart(nonce, aad)
            self.assertEqual(_encrypt(stream, plain, (1000,)), cipher)
            self.assertEqual(stream.tag(), tag)

    def test_slow_aes_is_aes(self):
        from slow_aes import Aes128

        # FIPS 197, appendix B
        cipher = Aes128(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))
        block = cipher.encrypt(bytes.fromhex("3243f6a8885a308d313198a2e0370734"))
        self.assertEqual(block, bytes.fromhex("3925841d02dc09fbdc118597196a0b32"))


class TestStream(unittest.TestCase):
    def setUp(self):
        random.seed(800)
        self.encrypt = _aes(_bytes(16))
        self.nonce = _bytes(12)

    def test_every_length(self):
        stream = GcmStream(self.encrypt, self.nonce)
        for size in range(150):
            for aad in (b"", _bytes(17), _bytes(size % 70)):
                data = _bytes(size)
                stream.restart(self.nonce, aad)
                _decrypt(stream, data, (150,))
                tag = _reference_tag(self.encrypt, self.nonce, aad, data)
                self.assertTrue(stream.verify(tag))

    def test_every_piece_size(self):
        data = _bytes(333)
        aad = _bytes(17)
        tag = _reference_tag(self.encrypt, self.nonce, aad, data)
        text = _decrypt(GcmStream(self.encrypt, self.nonce), data, (333,))
        for size in range(1, 131):
            stream = GcmStream(self.encrypt, self.nonce, aad)
            self.assertEqual(_decrypt(stream, data, (size,)), text)
            self.assertTrue(stream.verify(tag))
        stream.restart(self.nonce, aad)
        self.assertEqual(_decrypt(stream, data, (1, 64, 3, 15, 16, 17, 65)), text)
        self.assertTrue(stream.verify(tag))

    def test_each_flipped_byte_is_noticed(self):
        data = bytearray(_bytes(90))
        aad = bytearray(_bytes(17))
        tag = bytearray(_reference_tag(self.encrypt, self.nonce, bytes(aad), bytes(data)))
        stream = GcmStream(self.encrypt, self.nonce)
        for part in (data, aad, tag):
            for at in range(len(part)):
                part[at] ^= 1 << at % 8
                stream.restart(self.nonce, aad)
                _decrypt(stream, data, (90,))
                self.assertFalse(stream.verify(tag))
                part[at] ^= 1 << at % 8
        stream.restart(self.nonce, aad)
        _decrypt(stream, data, (90,))
        self.assertTrue(stream.verify(tag))

    def test_tag_sizes(self):
        data = _bytes(40)
        tag = _reference_tag(self.encrypt, self.nonce, b"", data)
        for size in range(18):
            stream = GcmStream(self.encrypt, self.nonce, b"")
            _decrypt(stream, data, (40,))
            self.assertEqual(stream.verify((tag + b"\0")[:size]), 12 <= size <= 16)

    def test_no_answer_without_a_question(self):
        data = _bytes(40)
        tag = _reference_tag(self.encrypt, self.nonce, b"", data)
        stream = GcmStream(self.encrypt, self.nonce)
        _decrypt(stream, data, (40,))
        self.assertFalse(stream.verify(tag))
        stream.restart(self.nonce, b"")
        _decrypt(stream, data, (40,))
        self.assertTrue(stream.verify(tag))
        self.assertFalse(stream.verify(tag))  # the message is over

    def test_out_may_be_the_input(self):
        data = bytearray(_bytes(100))
        tag = _reference_tag(self.encrypt, self.nonce, b"", data)
        text = _decrypt(GcmStream(self.encrypt, self.nonce), data, (100,))
        stream = GcmStream(self.encrypt, self.nonce, b"")
        self.assertEqual(stream.decrypt(data, 0, 100, data), 100)
        self.assertEqual(bytes(data), text)
        self.assertTrue(stream.verify(tag))

    def test_nonce_of_another_size(self):
        for size in (0, 11, 13, 16):
            self.assertRaises(ValueError, GcmStream, self.encrypt, bytes(size))

    def test_a_tag_is_told_once(self):
        stream = GcmStream(self.encrypt, self.nonce, b"")
        self.assertEqual(len(stream.tag()), 16)
        self.assertEqual(stream.made(), b"")
        stream.restart(self.nonce)
        _encrypt(stream, _bytes(40), (40,))
        self.assertEqual(stream.tag(), b"")

    def test_other_implementation(self):
        self.both_ways(500)

    def test_other_implementation_long(self):
        self.both_ways(10000)

    def both_ways(self, count: int):
        if AESGCM is None:
            raise unittest.SkipTest("needs PyPI's cryptography")
        for _ in range(count):
            key, nonce, aad = _bytes(16), _bytes(12), _bytes(random.randrange(60))
            plain = _bytes(random.randrange(400))
            sealed = AESGCM(key).encrypt(nonce, plain, aad)
            stream = GcmStream(_aes(key), nonce, aad)
            sizes = (random.randrange(1, 100), random.randrange(1, 20))
            self.assertEqual(_decrypt(stream, sealed[:-16], sizes), plain)
            self.assertTrue(stream.verify(sealed[-16:]))
            stream.restart(nonce, aad)
            self.assertEqual(_encrypt(stream, plain, sizes), sealed[:-16])
            self.assertEqual(stream.tag(), sealed[-16:])


if __name__ == "__main__":
    unittest.main()
