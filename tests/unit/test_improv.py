"""lib/improv: packets among plain bytes, whole, byte by byte, in random splits, damaged."""

import random
import unittest

import improv

SETTINGS = improv.request(improv.WIFI_SETTINGS, "Café", "pässwörd€ 日本")
STATE = improv.request(improv.CURRENT_STATE)


def played(pieces):
    """What a parser finds in pieces, with plain bytes that follow each other put together."""
    parser = improv.Parser()
    found = []
    for piece in pieces:
        for kind, data in parser.feed(piece):
            if kind == improv.PLAIN and found and found[-1][0] == improv.PLAIN:
                found[-1] = (kind, found[-1][1] + data)
            else:
                found.append((kind, data))
    return found, parser.give_up()


def splits(data):
    """The same bytes whole, one by one, and in pieces of random sizes."""
    yield [data]
    yield [data[at : at + 1] for at in range(len(data))]
    random.seed(5)
    for _ in range(20):
        pieces = []
        at = 0
        while at < len(data):
            size = random.randrange(1, 12)
            pieces.append(data[at : at + size])
            at += size
        yield pieces


class TestParser(unittest.TestCase):
    def check(self, data, found, held=b""):
        for pieces in splits(data):
            self.assertEqual(played(pieces), (found, held), pieces)

    def test_the_bytes_of_the_specification(self):
        """Its example; the sum by hand: IMPROV is 477, with version 1, type 3 and length 2."""
        request = b"IMPROV\x01\x03\x02\x02\x00" + bytes((485 % 256,)) + b"\n"
        self.assertEqual(STATE, request)
        self.check(request, [(improv.RPC, b"\x02\x00")])
        payload = b"\x0cMyWirelessAP\x10mysecurepassword"
        self.assertEqual(improv.wifi_settings(payload), ("MyWirelessAP", "mysecurepassword"))
        sent = improv.request(improv.WIFI_SETTINGS, "MyWirelessAP", "mysecurepassword")
        self.assertEqual(sent[9:-2], b"\x01\x1e" + payload)

    def test_among_plain_bytes(self):
        found = [
            (improv.PLAIN, b"\x03>>> \r\n"),
            (improv.RPC, SETTINGS[9:-2]),
            (improv.RPC, b"\x02\x00"),
            (improv.PLAIN, b"x\n\n"),
            (improv.RPC, b"\x02\x00"),
            (improv.PLAIN, b"\nIM"),
        ]
        data = b"\x03>>> \r\n" + SETTINGS + STATE + b"x\n\n" + STATE + b"\nIM"
        self.check(data + b"x", found[:-1] + [(improv.PLAIN, b"\nIMx")])
        self.check(data, found[:-1] + [(improv.PLAIN, b"\n")], b"IM")

    def test_a_packet_begins_a_line(self):
        for before in (b"x", b" ", b"\x00", b"I", b"\nIMPROV"):
            self.check(before + STATE, [(improv.PLAIN, before + STATE)])
        for before in (b"\n", b"\r", b"x\r\n", b"IMPROV\n"):
            self.check(before + STATE, [(improv.PLAIN, before), (improv.RPC, b"\x02\x00")])

    def test_packets_without_their_newline(self):
        self.check(STATE[:-1] + STATE[:-1], [(improv.RPC, b"\x02\x00")] * 2)

    def test_one_newline_belongs_to_a_packet(self):
        self.check(STATE + b"\n", [(improv.RPC, b"\x02\x00"), (improv.PLAIN, b"\n")])
        self.check(STATE[:-1] + b"\r\n", [(improv.RPC, b"\x02\x00"), (improv.PLAIN, b"\r\n")])

    def test_every_type_and_size(self):
        for kind in (improv.STATE, improv.ERROR, improv.RPC, improv.RESULT):
            for size in (0, 1, 10, 13, 254, 255):
                data = bytes([(7 * at) & 255 for at in range(size)])
                sent = improv.packet(kind, data)
                self.assertEqual(played([sent]), ([(kind, data)], b""))
                self.assertEqual(played([sent[:-1]]), ([(kind, data)], b""))
        for kind in (0, 5, 255):  # of no version that we know
            sent = improv.packet(kind, b"\x02\x00")
            self.check(sent, [(improv.PLAIN, sent)])

    def test_each_byte_damaged(self):
        for at in range(len(SETTINGS) - 1):
            for change in (1, 128):
                damaged = bytearray(SETTINGS)
                damaged[at] ^= change
                damaged = bytes(damaged)
                # Behind it comes enough to fill any length that is claimed.
                data = damaged + b"\x03" + bytes(255)
                self.assertEqual(played([data]), ([(improv.PLAIN, data)], b""), (at, change))

    def test_what_follows_a_damaged_one_is_found(self):
        for cut in range(1, len(SETTINGS) - 1):
            data = SETTINGS[:cut] + b"\n" + STATE * 8
            found = played([data])[0]
            # A cut one takes as much for its own as its length says; then the rest is found.
            self.assertEqual(found[0], (improv.PLAIN, SETTINGS[:cut] + b"\n"), cut)
            self.assertEqual(found[1:], [(improv.RPC, b"\x02\x00")] * 8, cut)

    def test_cut_off(self):
        for cut in range(1, len(SETTINGS) - 1):
            parser = improv.Parser()
            self.assertEqual(parser.feed(b"\n" + SETTINGS[:cut]), [(improv.PLAIN, b"\n")])
            self.assertEqual(bytes(parser.held), SETTINGS[:cut])
            self.assertEqual(parser.give_up(), SETTINGS[:cut])
            self.assertEqual((parser.give_up(), bytes(parser.held)), (b"", b""))
            # It is not at the beginning of a line now.
            self.assertEqual(parser.feed(STATE), [(improv.PLAIN, STATE)])
            self.assertEqual(parser.feed(STATE), [(improv.RPC, b"\x02\x00")])

    def test_it_holds_little(self):
        parser = improv.Parser()
        random.seed(6)
        most = 0
        for _ in range(300):
            for piece in (b"\nIMPROV\x01", bytes((random.randrange(1, 5), 255)), b"\nI" * 20):
                parser.feed(piece)
                most = max(most, len(parser.held))
        self.assertTrue(200 < most <= 264, most)

    def random_bytes(self, count):
        """What goes in comes out, however it is split."""
        random.seed(20261130)
        parser = improv.Parser()
        left = count
        while left > 0:
            size = min(left, random.randrange(1, 400))
            data = bytes([random.getrandbits(8) for _ in range(size)])
            left -= size
            before = bytes(parser.held)
            found = parser.feed(data)
            kinds = [kind for kind, _ in found if kind != improv.PLAIN]
            self.assertEqual(kinds, [])
            out = b"".join([plain for _, plain in found]) + bytes(parser.held)
            self.assertTrue(out == before + data)

    def test_random_bytes(self):
        self.random_bytes(30000)

    def test_random_bytes_long(self):
        self.random_bytes(1000000)

    def test_random_beginnings(self):
        self.random_beginnings(range(40))

    def test_random_beginnings_long(self):
        self.random_beginnings(range(40, 300))

    def random_beginnings(self, seeds):
        """Nearly a packet, over and over: nothing is lost, and all that is one is found."""
        parts = (
            b"\n",
            b"IMPROV",
            b"\x01",
            b"\x03",
            b"\x04",
            b"\x03\x02\x02\x00\xe5",
            b"I",
            b"\n\n",
        )
        for seed in seeds:
            random.seed(seed)
            data = b"".join([parts[random.randrange(len(parts))] for _ in range(40)])
            data += bytes(255) + b"\n" + STATE
            found, held = played([data])
            for pieces in splits(data):
                self.assertEqual(played(pieces), (found, held), pieces)
            self.assertEqual(found[-1], (improv.RPC, b"\x02\x00"))
            whole = b""
            for kind, raw in found:
                whole += raw if kind == improv.PLAIN else improv.packet(kind, raw)
            self.assertEqual(len(whole.replace(b"\n", b"")), len(data.replace(b"\n", b"")))


class TestRequests(unittest.TestCase):
    def refuses(self, function, data, words):
        with self.assertRaises(improv.ImprovError) as caught:
            function(data)
        self.assertIn(words, str(caught.exception))

    def test_wifi_settings(self):
        for settings in (("Café", "pässwörd€ 日本"), ("x", ""), ("n" * 32, "p" * 64), ("", "")):
            sent = improv.request(improv.WIFI_SETTINGS, *settings)
            ((kind, data),) = improv.Parser().feed(sent)
            number, payload = improv.command(data)
            self.assertEqual((kind, number), (improv.RPC, improv.WIFI_SETTINGS))
            self.assertEqual(improv.wifi_settings(payload), settings)

    def test_malformed(self):
        for data in (b"", b"\x01", b"\x01\x01", b"\x01\x02a", b"\x01\x00a"):
            self.refuses(improv.command, data, "length")
        for payload in (b"\x02a", b"\x01a\x02b", b"\xff", b"\x01a\x01"):
            self.refuses(improv.wifi_settings, payload, "longer")
        for payload in (b"", b"\x01a", b"\x01a\x01b\x00"):
            self.refuses(improv.wifi_settings, payload, "two texts")
        for payload in (b"\x01\xff\x01b", b"\x01a\x02\xc3b", b"\x01\xc3\x01\xa4"):
            self.refuses(improv.wifi_settings, payload, "UTF-8")


class TestAnswers(unittest.TestCase):
    def test_texts_come_back(self):
        for parts in ((), ("",), ("JouleLog", "0.1.0", "ESP32", "Zähler"), ("x" * 252,)):
            ((kind, data),) = improv.Parser().feed(improv.result(4, *parts))
            self.assertEqual((kind, data[0]), (improv.RESULT, 4))
            self.assertEqual(tuple(improv.texts(improv.command(data)[1])), parts)

    def test_states_and_errors(self):
        self.assertEqual(improv.state(improv.PROVISIONED), b"IMPROV\x01\x01\x01\x04\xe4\n")
        self.assertEqual(improv.error(255), b"IMPROV\x01\x02\x01\xff\xe0\n")

    def test_what_does_not_fit(self):
        for parts in (("x" * 256,), ("ä" * 128,), ("x" * 253,), ("x" * 126, "x" * 126)):
            with self.assertRaises(improv.ImprovError) as caught:
                improv.result(1, *parts)
            self.assertIn("bytes, not 25", str(caught.exception))
        with self.assertRaises(improv.ImprovError):
            improv.packet(improv.RPC, bytes(256))


if __name__ == "__main__":
    unittest.main()
