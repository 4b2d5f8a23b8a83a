"""lib/dsmr/dlms: frames whole, in pieces, flipped, cut off and between garbage."""

import random
import unittest

from aes_gcm import GcmStream
from dsmr.dlms import Decryptor, parse_key

_FIXTURES = (__file__.rsplit("/", 1)[0] if "/" in __file__ else ".") + "/../fixtures/dlms/"

try:
    import cryptolib
except ImportError:
    cryptolib = None

_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
_AUTH_KEY = bytes.fromhex("d0d1d2d3d4d5d6d7d8d9dadbdcdddedf")
_TITLE = b"SAG5\x00\x01\x3a\x5c"


def _aes(key: bytes):
    """AES-128-ECB encryption by what there is."""
    if cryptolib:
        return cryptolib.aes(key, 1).encrypt
    from slow_aes import Aes128

    return Aes128(key).encrypt


def _load(name: str) -> tuple[bytes, bytes]:
    """The frame and its text."""
    with open(_FIXTURES + name + ".hex") as file:
        frame = bytes.fromhex(file.read().replace("\n", ""))
    with open(_FIXTURES + name + ".txt", "rb") as file:
        return frame, file.read()


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes((size,))
    return bytes((0x81, size)) if size < 0x100 else bytes((0x82, size >> 8, size & 0xFF))


def _frame(plain: bytes, counter: int, control: int = 0x30, title: bytes = _TITLE) -> bytes:
    """A frame of our own, with a tag if its security control wants one."""
    nonce = title + counter.to_bytes(4, "big")
    cipher = bytearray(plain)
    GcmStream(_aes(_KEY), nonce).decrypt(plain, 0, len(plain), cipher)
    tag = b""
    if control == 0x30:
        stream = GcmStream(_aes(_KEY), nonce, bytes((control,)) + _AUTH_KEY)
        stream.decrypt(cipher, 0, len(cipher), bytearray(len(cipher)))
        for _ in stream.finish():
            pass
        tag = stream._good[:12]
    body = bytes((control,)) + nonce[8:] + cipher + tag
    return b"\xdb\x08" + title + _length(len(body)) + body


class Listener:
    """Keeps what each frame held, and insists on reset, feed ..., flush, seal."""

    def __init__(self) -> None:
        self.open = False
        self.flushed = False
        self.text = b""
        self.seals = []
        self.believed = []

    def reset(self) -> None:
        assert not self.open
        self.open = True
        self.flushed = False
        self.text = b""

    def feed(self, data, start: int, end: int) -> None:
        assert self.open and not self.flushed
        assert start < end
        self.text += bytes(data[start:end])

    def flush(self) -> None:
        assert self.open and not self.flushed
        self.flushed = True

    def seal(self, ok: bool) -> None:
        assert self.open and self.flushed
        self.open = False
        self.seals.append(ok)
        if ok:
            self.believed.append(self.text)


def _run(data: bytes, sizes=(4096,), auth_key: bytes | None = _AUTH_KEY, key: bytes = _KEY):
    """Feed data in pieces of the given sizes, over and over."""
    listener = Listener()
    decryptor = Decryptor(_aes(key), listener, listener.seal, auth_key)
    at = 0
    turn = 0
    while at < len(data):
        end = min(len(data), at + sizes[turn % len(sizes)])
        decryptor.feed(data, at, end)
        decryptor.flush()
        at = end
        turn += 1
    return decryptor, listener


class TestFrames(unittest.TestCase):
    def setUp(self):
        random.seed(1113)

    def test_whole_and_in_pieces(self):
        for name in ("austria", "luxembourg"):
            frame, text = _load(name)
            for auth_key in (None, _AUTH_KEY):
                for sizes in ((4096,), (1,), (64,), (7, 1, 100), (13, 64, 65)):
                    decryptor, listener = _run(frame, sizes, auth_key)
                    self.assertEqual(listener.believed, [text])
                    self.assertEqual(decryptor.frames, 1)
                    self.assertEqual(decryptor.tag_errors, 0)
                    self.assertEqual(decryptor.resyncs, 0)
                    self.assertEqual(decryptor.skipped, 0)

    def test_random_splits_of_a_stream(self):
        frame, text = _load("austria")
        other_text = _load("luxembourg")[1]
        other = _frame(other_text, 424)
        stream = b"\r\n" + frame + b"\0\xff" + other + frame[:300] + frame + other[:10] + other
        for _ in range(10):
            sizes = [random.randrange(1, 90) for _ in range(50)]
            _, listener = _run(stream, sizes)
            self.assertEqual(listener.believed, [text, other_text, text, other_text])

    def test_text_is_handed_on_as_it_comes(self):
        frame, text = _load("austria")
        listener = Listener()
        decryptor = Decryptor(_aes(_KEY), listener, listener.seal, _AUTH_KEY)
        decryptor.feed(frame, 0, 18 + 100)
        decryptor.flush()
        self.assertEqual(listener.text, text[:100])
        self.assertEqual(listener.seals, [])

    def test_wrong_keys(self):
        frame, text = _load("austria")
        wrong = bytes(16)
        decryptor, listener = _run(frame, auth_key=wrong)
        self.assertEqual(listener.seals, [False])
        self.assertEqual(decryptor.tag_errors, 1)
        decryptor, listener = _run(frame, key=wrong)
        self.assertEqual(listener.seals, [False])
        decryptor, listener = _run(frame, auth_key=None, key=wrong)
        self.assertEqual(listener.seals, [True])  # nobody can tell; the CRC will
        self.assertFalse(listener.believed[0] == text)

    def test_forms_of_the_length(self):
        for size in (1, 110, 111, 200, 238, 239, 4096):
            text = bytes([at & 0xFF for at in range(size)])
            decryptor, listener = _run(_frame(text, size), (50,))
            self.assertEqual(listener.believed, [text])
            self.assertEqual(decryptor.resyncs, 0)
        # 82 may also write a small number
        frame = _frame(b"/short", 5)
        long_form = frame[:10] + b"\x82\0" + frame[10:]
        _, listener = _run(long_form)
        self.assertEqual(listener.believed, [b"/short"])

    def test_implausible_headers(self):
        frame, text = _load("austria")
        starts = (
            b"\xdb\x07",  # the title's size
            b"\xdb\x08" + _TITLE + b"\x80",  # BER without a length
            b"\xdb\x08" + _TITLE + b"\x83\0\1\0\x30",
            b"\xdb\x08" + _TITLE + b"\x82\x10\x12\x30",  # 4097 bytes of text
            b"\xdb\x08" + _TITLE + b"\x11\x30",  # no text
            b"\xdb\x08" + _TITLE + b"\x05\x20",
            b"\xdb\x08" + _TITLE + b"\x50\x10",  # not encrypted
            b"\xdb\x08" + _TITLE + b"\x50\x70",
        )
        for start in starts:
            decryptor, listener = _run(start + frame, (1,))
            self.assertEqual(listener.seals, [True])
            self.assertEqual(listener.believed, [text])
            self.assertEqual(decryptor.resyncs, 1)
            self.assertEqual(decryptor.skipped, len(start))

    def test_encrypted_without_tag(self):
        frame = _frame(b"/text", 9, 0x20)
        _, listener = _run(frame, auth_key=None)
        self.assertEqual(listener.believed, [b"/text"])
        decryptor, listener = _run(frame)  # who has the key wants the tag
        self.assertEqual(listener.seals, [False])
        self.assertEqual(decryptor.tag_errors, 1)

    def test_frame_counter(self):
        texts = (5, 6, 6, 4, 0xFFFFFFFF, 0)
        stream = b"".join([_frame(b"/%d" % counter, counter) for counter in texts])
        decryptor, listener = _run(stream)
        self.assertEqual(len(listener.believed), 6)
        self.assertEqual(decryptor.replayed, 3)
        other = b"SAG\x0012345"[:8]
        decryptor, listener = _run(_frame(b"/a", 5) + _frame(b"/b", 1, title=other))
        self.assertEqual(decryptor.replayed, 0)


class TestDamage(unittest.TestCase):
    def setUp(self):
        random.seed(800)
        self.frame, self.text = _load("austria")
        self.next = _frame(b"/next telegram\r\n!\r\n", 424)

    def test_each_byte_flipped(self):
        for at in range(len(self.frame)):
            bad = bytearray(self.frame)
            bad[at] ^= 1 << at % 8
            _, listener = _run(self.next + bytes(bad) + self.next)
            self.assertEqual(listener.believed, [b"/next telegram\r\n!\r\n"] * 2)
            self.assertFalse(listener.open)

    def test_cut_off_at_each_byte(self):
        after = self.next
        text = b"/next telegram\r\n!\r\n"
        for at in range(len(self.frame)):
            _, listener = _run(self.frame[:at] + after, (61,))
            self.assertEqual(listener.believed, [text])
            _, listener = _run(after + self.frame[:at] + after, (4096,))
            self.assertEqual(listener.believed, [text, text])
            # Without the authentication key the CRC judges; the good frame comes through.
            _, listener = _run(self.frame[:at] + after, (4096,), None)
            self.assertEqual(listener.believed[-1], text)

    def test_begun_in_the_middle(self):
        for at in range(1, len(self.frame)):
            _, listener = _run(self.frame[at:] + self.next)
            self.assertEqual(listener.believed, [b"/next telegram\r\n!\r\n"])

    def test_title_that_looks_like_a_start(self):
        for title in (
            b"\xdb\x08\xdb\x08\xdb\x08\xdb\x08",
            b"SAG\xdb\x08SAG",
            b"\xdb\xdb\x08\x11\x11\x20\x30\x30",
        ):
            frame = _frame(b"/one telegram", 1, title=title)
            after = _frame(b"/another one", 2, title=title)
            for sizes in ((1,), (4096,)):
                _, listener = _run(frame + after, sizes)
                self.assertEqual(listener.believed, [b"/one telegram", b"/another one"])
                for at in range(len(frame)):
                    _, listener = _run(frame + frame[:at] + after + after, sizes)
                    self.assertEqual(listener.believed[0], b"/one telegram")
                    self.assertEqual(listener.believed[-1], b"/another one")

    def test_cut_off_header_makes_a_plausible_one(self):
        # Two bytes of a header, and the next: its title's last bytes pass for length and control.
        title = b"SAG\0\0\0P0"
        frame = _frame(b"/one telegram", 1, title=title)
        after = _frame(b"/another one", 2, title=title)
        for at in range(len(frame)):
            for sizes in ((1,), (4096,)):
                _, listener = _run(frame + frame[:at] + after, sizes)
                self.assertEqual(listener.believed, [b"/one telegram", b"/another one"])

    def test_start_within_a_start(self):
        title = b"\xdb\x08\xdb\x09WXYZ"
        frame = _frame(b"/one telegram", 1, title=title)
        after = _frame(b"/another one", 2, title=title)
        for sizes in ((1,), (4096,)):
            _, listener = _run(frame + frame[:25] + b"\xdb\x08" + after, sizes)
            self.assertEqual(listener.believed, [b"/one telegram", b"/another one"])

    def test_garbage(self):
        alphabet = b"\xdb\x08\x30\x82\x01\x55"
        for _ in range(40):
            noise = bytes([alphabet[random.getrandbits(8) % 6] for _ in range(300)])
            _, listener = _run(self.next + noise + self.next, (37,))
            self.assertEqual(listener.believed, [b"/next telegram\r\n!\r\n"] * 2)

    def test_mutations(self):
        text = b"/next telegram\r\n!\r\n"
        listener = Listener()
        decryptor = Decryptor(_aes(_KEY), listener, listener.seal, _AUTH_KEY)
        decryptor.feed(self.next, 0, len(self.next))
        decryptor.flush()
        for _ in range(300):
            bad = self.frame
            for _ in range(random.randrange(1, 4)):
                at = random.randrange(len(bad))
                to = min(len(bad), at + random.randrange(1, 40))
                kind = random.randrange(4)
                if kind == 0:
                    bad = bad[:at] + bad[to:]
                elif kind == 1:
                    bad = bad[:to] + bad[at:]
                elif kind == 2:
                    bad = (
                        bad[:at]
                        + bytes([random.getrandbits(8) for _ in range(to - at)])
                        + bad[to:]
                    )
                else:
                    bad = bad[at:] + bad[:to]
            listener.believed = []
            decryptor.feed(bad, 0, len(bad))
            decryptor.flush()
            decryptor.feed(self.next, 0, len(self.next))
            decryptor.flush()
            self.assertEqual(listener.believed[-1], text)
            for believed in listener.believed:
                self.assertIn(believed, (text, self.text))


class TestKey(unittest.TestCase):
    def test_good(self):
        key = bytes.fromhex("00112233445566778899aabbccddeeff")
        self.assertEqual(parse_key("00112233445566778899AABBCCDDEEFF"), key)
        self.assertEqual(parse_key(" 00112233445566778899aabbccddeeff\n"), key)

    def test_bad_ones_are_not_repeated(self):
        bad = ("", "ab", "5ec2e7" * 5, "5ec2e7" * 6, "5ec2e7" * 5 + "5g", "é5ec2e7" + "5ec2e7" * 4)
        for text in bad:
            with self.assertRaises(ValueError) as caught:
                parse_key(text)
            self.assertFalse("5ec2" in str(caught.exception))
            self.assertFalse("5g" in str(caught.exception))
            self.assertTrue("key" in str(caught.exception))


if __name__ == "__main__":
    unittest.main()
