"""lib/tuya: frames and sessions against tinytuya's, whole, in pieces, damaged; announcements."""

import random
import unittest

try:
    import cryptolib
except ImportError:
    raise unittest.SkipTest("needs cryptolib")

from tuya import crypt, discovery, frame
from tuya.session import Session

ID = "DEVICE_ID_HERE"
KEY = b"0123456789abcdef"
UDP_KEY = bytes.fromhex("6c1ec8e2bb9bb59ab50b0daf649b410a")
VERSIONS = ("3.1", "3.3", "3.4", "3.5")
FRAMES = {}
with open("tests/fixtures/tuya/frames.txt") as lines:
    for line in lines:
        if line[0] != "#":
            version, what, key, made, text = line.rstrip("\n").split(" | ")
            made = bytes.fromhex(made)
            FRAMES[version, what] = (bytes.fromhex(key), made, text.encode())
PLAIN = FRAMES["3.3", "dp_query_response_dual_clamp"][2]


def nonces(count):
    """As the frames of the file were made."""
    return KEY[:count]


def run(steps):
    for _ in steps:
        pass


def session(version, key=KEY):
    """(a session that has begun, what it receives)."""
    got = []
    made = Session(version, key, ID, cryptolib.aes, nonces, got.append)
    run(made.begin())
    return made, got


def agreed(version, key=KEY):
    """The same, ready to ask; its first sequence number is 3, as in the file."""
    made, got = session(version, key)
    made.taken()
    if version >= "3.4":
        run(made.feed(FRAMES[version, "step2_device"][1]))
        made.taken()
    made._sequence = 3
    return made, got


class Peer(Session):
    """The device's side, which seals what it answers with the same code, for damage of all kinds:
    that the code is right is told by the frames of the file."""

    def answer(self, command, text):
        run(self._send(command, text))
        return self.taken()


def answers(version, texts):
    """Frames of a device that has agreed on the session's key of the file."""
    peer = Peer(version, KEY, ID, cryptolib.aes, nonces, None)
    run(peer.begin())
    if version >= "3.4":
        peer._use(FRAMES[version, "session_key"][0])
    peer.taken()
    return [peer.answer(frame.STATUS, text) for text in texts]


class TestAgainstTinytuya(unittest.TestCase):
    def test_what_is_sent(self):
        for version in VERSIONS:
            made, _ = agreed(version)
            run(made.query([101], 1700000000))
            self.assertEqual(made.taken(), FRAMES[version, "dp_query_request"][1], version)
            made._sequence = 1
            run(made.heartbeat())
            self.assertEqual(made.taken(), FRAMES[version, "heartbeat_request"][1], version)
            self.assertEqual(made.taken(), b"")

    def test_the_key_exchange(self):
        for version in ("3.4", "3.5"):
            made, _ = session(version)
            self.assertFalse(made.ready)
            self.assertEqual(made.taken(), FRAMES[version, "step1_client"][1])
            made._random = lambda count: b"0123456789ac"
            run(made.feed(FRAMES[version, "step2_device"][1]))
            self.assertTrue(made.ready)
            self.assertFalse(made.wrong_key)
            self.assertEqual(made.taken(), FRAMES[version, "step3_client"][1])

    def test_what_comes(self):
        for version in VERSIONS:
            for what in ("dp_query_response_dual_clamp", "status_push"):
                made, got = agreed(version)
                _, data, text = FRAMES[version, what]
                run(made.feed(data))
                self.assertEqual(got, [text], version)
                self.assertEqual((made.wrong_checks, made.undecodable), (0, 0))

    def test_byte_by_byte_and_random_splits(self):
        random.seed(6668)
        for version in VERSIONS:
            _, data, text = FRAMES[version, "two_frames_and_garbage"]
            text = FRAMES[version, "dp_query_response_dual_clamp"][2]
            for sizes in ((1,), (7, 16, 1), [random.randrange(1, 90) for _ in range(20)]):
                made, got = agreed(version)
                at = turn = 0
                while at < len(data):
                    size = sizes[turn % len(sizes)]
                    run(made.feed(data[at : at + size]))
                    at += size
                    turn += 1
                self.assertEqual(got, [text, text])
                self.assertEqual(made.framer.garbage, 2)

    def test_damage(self):
        for version in VERSIONS:
            made, got = agreed(version)
            run(made.feed(FRAMES[version, "corrupt_checksum"][1]))
            self.assertEqual((got, made.wrong_checks), ([], 1))
            run(made.feed(FRAMES[version, "truncated"][1]))
            self.assertEqual(got, [])
            run(made.feed(FRAMES[version, "status_push"][1] * 30))  # the half one swallows some
            self.assertTrue(len(got) >= 10)
            self.assertEqual(set(got), {FRAMES[version, "status_push"][2]})

    def test_a_refusal_makes_device22(self):
        for version in VERSIONS:
            made, got = agreed(version)
            run(made.feed(FRAMES[version, "error_response"][1]))
            self.assertEqual(got, [])
            self.assertIn(b"data unvalid", made.refusal)
            self.assertEqual(made.device22, version in ("3.3", "3.4"))
            run(made.query([1, 101], 1700000000))
            command = frame.command_of(made.taken())
            wanted = {"3.1": 10, "3.3": 13, "3.4": 13, "3.5": 16}[version]
            self.assertEqual(command, wanted)


class TestDamage(unittest.TestCase):
    def test_every_byte_counts(self):
        """One byte that is wrong gives nothing, and the next frame is read."""
        good = b'{"dps":{"1":5}}'
        for version in VERSIONS:
            bad, behind = answers(version, [b'{"dps":{"1":257}}', good])
            for at in range(len(bad)):
                made, got = agreed(version)
                broken = bytearray(bad)
                broken[at] ^= 1 << at % 8
                # A length that promises too much is waited for: what fills it is read after all.
                run(made.feed(bytes(broken) + behind))
                if not got:
                    run(made.feed(behind * 20))
                self.assertTrue(len(got) >= 1, (version, at))
                self.assertEqual(set(got), {good}, (version, at))

    def test_nothing_raises_and_nothing_grows(self):
        random.seed(5566)
        for version in VERSIONS:
            made, got = agreed(version)
            pieces = answers(version, [b'{"dps":{"1":257}}', b"", b"{" * 300])
            for _ in range(400):
                kind = random.randrange(4)
                if kind == 0:
                    piece = bytes([random.getrandbits(8) for _ in range(random.randrange(40))])
                elif kind == 1:
                    piece = random.choice((frame.PLAIN, frame.GCM)) + bytes(
                        [0, 0, 0, random.getrandbits(8)]
                    )
                else:
                    piece = random.choice(pieces)
                    piece = piece[random.randrange(len(piece)) :][: random.randrange(200)]
                run(made.feed(piece))
                self.assertLess(len(made.framer._held), 2400)
            run(made.feed(bytes(2500) + pieces[0]))
            self.assertEqual(got[-1], b'{"dps":{"1":257}}')

    def test_a_length_that_no_frame_has(self):
        framer = frame.Framer()
        for length in (0, 7, 2049, 10_000_000, 0xFFFFFFFF):
            framer.feed(frame.head_of(frame.PLAIN, 1, 8, length) + b"x" * 40)
            self.assertIsNone(framer.next())
            self.assertLess(len(framer._held), 4)
        self.assertEqual(framer.damaged, 5)

    def test_another_key(self):
        for version in VERSIONS[1:]:
            made, got = session(version, b"fedcba9876543210")
            made.taken()
            what = "step2_device" if version >= "3.4" else "dp_query_response_dual_clamp"
            run(made.feed(FRAMES[version, what][1]))
            self.assertTrue(made.wrong_key, version)
            self.assertEqual((got, made.ready, made.taken()), ([], version < "3.4", b""))
        made, got = session("3.1", b"fedcba9876543210")  # which encrypts only what it pushes
        run(made.feed(FRAMES["3.1", "dp_query_response_dual_clamp"][1]))
        self.assertEqual(len(got), 1)
        run(made.feed(FRAMES["3.1", "status_push"][1]))
        self.assertTrue(made.wrong_key)
        self.assertEqual((len(got), made.undecodable), (1, 1))

    def test_an_answer_of_another_exchange(self):
        """Whoever repeats what a device has said before does not know the key."""
        for version in ("3.4", "3.5"):
            made, _ = session(version)
            made._nonce = b"another nonce!!!"
            run(made.feed(FRAMES[version, "step2_device"][1]))
            self.assertTrue(made.wrong_key)
            self.assertFalse(made.ready)

    def test_another_version(self):
        made, got = agreed("3.4")
        run(made.feed(FRAMES["3.5", "status_push"][1]))
        self.assertTrue(made.other_version)
        made, got = agreed("3.3")
        run(made.feed(FRAMES["3.1", "dp_query_response_dual_clamp"][1]))
        self.assertEqual((got, made.wrong_key), ([], True))

    def test_a_new_connection_has_a_new_key(self):
        for version in VERSIONS:
            made, got = agreed(version)
            run(made.feed(FRAMES[version, "status_push"][1][:30]))
            run(made.begin())
            self.assertEqual(made.ready, version < "3.4")
            made.taken()
            if version >= "3.4":
                run(made.feed(FRAMES[version, "step2_device"][1]))
            run(made.feed(FRAMES[version, "status_push"][1]))
            self.assertEqual(len(got), 1)


class TestCrypt(unittest.TestCase):
    def test_hmac(self):
        # RFC 4231, test cases 1 and 2
        pads = crypt.hmac_pads(b"\x0b" * 20)
        wanted = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        self.assertEqual(crypt.hmac(pads, b"Hi There"), bytes.fromhex(wanted))
        pads = crypt.hmac_pads(b"Jefe")
        wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        text = b"what do ya want for nothing?"
        self.assertEqual(crypt.hmac(pads, text), bytes.fromhex(wanted))

    def test_padding(self):
        for size in range(40):
            text = bytes(range(size))
            made = crypt.padded(text)
            self.assertEqual(len(made) % 16, 0)
            self.assertEqual(crypt.unpadded(made), text)
        for wrong in (b"", bytes(16), b"x" * 15 + b"\x11", b"x" * 14 + b"\x01\x02"):
            self.assertIsNone(crypt.unpadded(wrong))


class TestDiscovery(unittest.TestCase):
    WANTED = (ID, "192.168.1.50", "3.3", "keyjup78v54myhan")

    def parse(self, datagram):
        return discovery.parse(datagram, cryptolib.aes)

    def test_encrypted(self):
        _, datagram, _ = FRAMES["udp6667", "discovery_broadcast"]
        self.assertEqual(self.parse(datagram), self.WANTED)
        for at in range(len(datagram)):
            broken = bytearray(datagram)
            broken[at] ^= 0x40
            self.assertIsNone(self.parse(bytes(broken)), at)
            self.assertIsNone(self.parse(datagram[:at]), at)

    def test_plain(self):
        _, _, text = FRAMES["udp6667", "discovery_broadcast"]
        self.assertEqual(self.parse(text), self.WANTED)
        for code in (b"", bytes(4)):
            head = frame.head_of(frame.PLAIN, 0, 0, len(code + text) + 8) + code + text
            made = Session("3.1", KEY, ID, cryptolib.aes, nonces, None)
            made._pads = ()
            datagram = head + made._check(head) + frame.PLAIN_END
            self.assertEqual(self.parse(datagram), self.WANTED)
        made = cryptolib.aes(UDP_KEY, 1).encrypt(crypt.padded(text))
        self.assertEqual(self.parse(made), self.WANTED)

    def test_gcm(self):
        _, _, text = FRAMES["udp6667", "discovery_broadcast"]
        for code, behind in ((b"", b""), (bytes(4), b"\0\0\0")):
            made = Session("3.5", KEY, ID, cryptolib.aes, nonces, None)
            run(made.begin())
            made._use(UDP_KEY)
            made.taken()
            run(made._send(frame.HEARTBEAT, code + text + behind))
            datagram = made.taken()
            self.assertEqual(self.parse(datagram), self.WANTED)
            for at in range(len(datagram)):
                broken = bytearray(datagram)
                broken[at] ^= 1
                self.assertIsNone(self.parse(bytes(broken)), at)

    def test_what_is_no_device(self):
        for text in (
            b"",
            b"{}",
            b"{" * 600,
            b'{"gwId":"x","ip":"192.0.2.1"}',
            b'{"gwId":5,"ip":"192.0.2.1","version":"3.4"}',
            b'{"gwId":"\xff","ip":"192.0.2.1","version":"3.4"}',
            b'{"from":"app","ip":"192.0.2.1"}',
        ):
            self.assertIsNone(self.parse(text), text)
        found = self.parse(b'{"gwId":"x","ip":"192.0.2.1","version":"3.4"}')
        self.assertEqual(found, ("x", "192.0.2.1", "3.4", ""))


if __name__ == "__main__":
    unittest.main()
