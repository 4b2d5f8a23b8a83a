"""lib/avm: a FRITZ!Box's logins and its list of devices; whole, in pieces, damaged."""

import random
import unittest

from avm.devices import DeviceList
from avm.login import Answer, ChallengeError, SessionInfo, md5_answer
from avm.xml import Xml, attributes_of

ASKED = "2$10000$5A1711$2000$5A1722"  # of AVM's note, as its password and the response
RESPONSE = "5A1722$1798a1672bca7c6463d6b245f82b53703b0f50813401b03e4045a5861e689adb"

LIST = (
    b'<?xml version="1.0" encoding="utf-8"?>\n<!-- a > b <device> -->'
    b'<devicelist version="1" fwversion="8.20">\n'
    b'  <device identifier="11657 0000001" id="17" functionbitmask="35712" fwversion="04.26"\n'
    b'          manufacturer="AVM" productname=\'FRITZ!DECT "200" > 1\'>\n'
    b"    <present>1</present><txbusy>0</txbusy><name>B\xc3\xbcro &amp; <![CDATA[<x>]]></name>\n"
    b"    <switch><state>1</state><mode>auto</mode><lock/></switch>\n"
    b"    <powermeter><voltage>230120</voltage><power>47110</power><energy>1234567</energy>"
    b"</powermeter>\n    <temperature><celsius>-15</celsius><offset>-20</offset></temperature>"
    b"<button><power>9</power><energy>9</energy></button></device>\n"
    b'<device identifier="13979 0000002" productname="FRITZ!Smart Energy 250"><present>1</present>'
    b"<battery>90</battery></device>"
    b'<device identifier="13979 0000002-1" productname="FRITZ!Smart Energy 250">'
    b"<present>1</present><powermeter><voltage/><power>-71000</power><energy>16933817</energy>"
    b"</powermeter></device>"
    b'<device identifier="13979 0000002-2" productname="FRITZ!Smart Energy 250">'
    b"<present>1</present><powermeter><voltage>inval</voltage><power></power>"
    b"<energy> 653065 </energy></powermeter></device>"
    b'<device identifier="11657 0000003" productname="FRITZ!DECT 210"><present>0</present>'
    b"<powermeter><power>12</power><energy>99</energy></powermeter>"
    b"<temperature><celsius>215</celsius></temperature></device>"
    b'<group identifier="65:3A:18-900" productname=""><present>1</present>'
    b"<powermeter><power>0</power><energy>0</energy></powermeter></group>"
    b"</devicelist>\n"
)
WANTED = (
    ("116570000001", (1, 47110, 1234567, 230120, -15, b'FRITZ!DECT "200" > 1')),
    ("13979 0000002", (1, None, None, None, None, b"FRITZ!Smart Energy 250")),
    (" 13979  0000002-1", (1, -71000, 16933817, None, None, b"FRITZ!Smart Energy 250")),
    ("139790000002-2", (1, None, 653065, None, None, b"FRITZ!Smart Energy 250")),
    ("11657 0000003", (0, None, None, None, None, b"FRITZ!DECT 210")),
    ("65:3A:18-900", (1, 0, 0, None, None, b"")),
    ("11657 0000009", None),
)


def answer_of(challenge, password, first=None, rounds=500):
    answer = Answer(challenge, password, first)
    while not answer.step(rounds):
        pass
    return answer


def read(document, size=100000):
    """(whether it was whole, what was found) of a list in pieces of this size."""
    devices = DeviceList()
    for ain, _ in WANTED:
        devices.want(ain)
    for begin in range(0, len(document), size):
        devices.feed(document[begin : begin + size])
    return devices.end(), devices.found


def session(document, size=100000):
    info = SessionInfo()
    for begin in range(0, len(document), size):
        info.feed(document[begin : begin + size])
    return info.end(), info.sid, info.challenge, info.block_s


class TestAnswer(unittest.TestCase):
    def test_the_makers_vectors(self):
        self.assertEqual(answer_of(ASKED, "1example!").text, RESPONSE)
        wanted = "1234567z-9e224a41eeefa284df7bb0f26c2913e2"
        self.assertEqual(answer_of("1234567z", "äbc").text, wanted)

    def test_what_is_kept_gives_the_same(self):
        first = answer_of("2$300$5A1711$20$5A1722", "1example!")
        again = Answer("2$300$5A1711$20$5A1722", "1example!", first.first)
        self.assertEqual(again.salt, first.salt)
        steps = 0
        while not again.step(5):
            steps += 1
        self.assertEqual(again.text, first.text)
        self.assertLess(steps, 10)  # 20 rounds: the 300 are left out

    def test_steps_of_any_size(self):
        wanted = answer_of("2$33$00ff$7$a1", "pass").text
        for rounds in (1, 2, 7, 32, 33):
            self.assertEqual(answer_of("2$33$00ff$7$a1", "pass", None, rounds).text, wanted)
        self.assertEqual(answer_of("2$1$00ff$1$a1", "pass").text[:3], "a1$")

    def test_beyond_latin(self):
        self.assertEqual(md5_answer("1234567z", "€b€"), md5_answer("1234567z", ".b."))
        self.assertNotEqual(md5_answer("1234567z", "ÿ"), md5_answer("1234567z", "."))

    def test_no_challenge(self):
        for challenge in (
            "2$",
            "2$0$5A1711$2000$5A1722",
            "2$10000$5A171$2000$5A1722",
            "2$10000$5A1711$2000",
            "2$10000$5A1711$2000$5A1722$1",
            "2$-1$5A1711$2000$5A1722",
            "2$10000$5A1711$9999999999$5A1722",
            "2$x$5A1711$2000$5A1722",
        ):
            with self.assertRaises(ChallengeError):
                Answer(challenge, "1example!")


class TestSessionInfo(unittest.TestCase):
    ASKS = (
        b'<?xml version="1.0" encoding="utf-8"?>\n<SessionInfo>\n  <SID>0000000000000000</SID>'
        b"<Challenge>2$60000$d500ea032311a8c2958147c1eee8ca4b$6000$598e0b36edb7c44a37f5433d7ae8a24d"
        b"</Challenge><BlockTime>16</BlockTime><Rights></Rights>"
        b'<Users><User last="1">fritz1234</User></Users></SessionInfo>\n'
    )
    OPEN = (
        b"\xef\xbb\xbf<SessionInfo><SID>9c977765016899f8</SID><Challenge>44b750c0</Challenge>"
        b"<BlockTime>0</BlockTime><Rights><Name>HomeAuto</Name><Access>2</Access>"
        b"<SID>0000000000000001</SID></Rights></SessionInfo>"
    )

    def test_in_any_pieces(self):
        challenge = self.ASKS.split(b"<Challenge>")[1].split(b"<")[0].decode()
        for size in range(1, len(self.ASKS) + 1):
            self.assertEqual(session(self.ASKS, size), (True, "", challenge, 16))
            self.assertEqual(session(self.OPEN, size), (True, "9c977765016899f8", "44b750c0", 0))

    def test_cut_off(self):
        for end in range(len(self.OPEN)):
            self.assertEqual(session(self.OPEN[:end]), (False, "", "", 0))

    def test_what_is_none(self):
        for document in (
            b"",
            b"<html><head></head></html>",
            b"<SessionInfo></SessionInfo>",
            b"<SessionInfo><SID>0000000000000000</SID></SessionInfo>",
            b"{}",
        ):
            self.assertEqual(session(document), (False, "", "", 0), document)
        for sid, challenge in (
            (b"123", b"44b750c0"),
            (b"0000000000000000", b"a&sid=b"),
            (b"0000000000 00000", b"44b750c0"),
            (b"9c97776501689$$8", b"44b750c0"),
        ):
            document = b"<SessionInfo><SID>%s</SID><Challenge>%s" % (sid, challenge)
            document += b"</Challenge></SessionInfo>"
            self.assertEqual(session(document), (False, "", "", 0), document)

    def test_block_time(self):
        told = b"<SessionInfo><SID>0000000000000000</SID><Challenge>1</Challenge><BlockTime>%s"
        for text, seconds in ((b"-5", 0), (b"", 0), (b"x", 0), (b"99999999", 86400), (b"7", 7)):
            document = told % text + b"</BlockTime></SessionInfo>"
            self.assertEqual(session(document), (True, "", "1", seconds))


class TestDeviceList(unittest.TestCase):
    def test_in_any_pieces(self):
        wanted = [values for _, values in WANTED]
        for size in (1, 2, 3, 5, 7, 64, 100, 512, len(LIST)):
            self.assertEqual(read(LIST, size), (True, wanted), size)

    def test_random_pieces(self):
        wanted = [values for _, values in WANTED]
        devices = DeviceList()
        for ain, _ in WANTED:
            devices.want(ain)
        for _ in range(100):
            devices.begin()
            at = 0
            while at < len(LIST):
                stop = at + random.randint(1, 40)
                devices.feed(LIST[at:stop])
                at = stop
            self.assertTrue(devices.end())
            self.assertEqual(devices.found, wanted)

    def test_cut_off(self):
        nothing = [None] * len(WANTED)
        for end in range(len(LIST.rstrip())):
            self.assertEqual(read(LIST[:end]), (False, nothing), end)

    def test_corrupted(self):
        # Nothing raises; what is no list any more gives nothing.
        for _ in range(1500):
            damaged = bytearray(LIST)
            for _ in range(random.randint(1, 4)):
                damaged[random.randint(0, len(LIST) - 1)] = random.randint(0, 255)
            whole, found = read(bytes(damaged), random.randint(1, 300))
            self.assertTrue(whole or found == [None] * len(WANTED))

    def test_damaged(self):
        for old, new in (
            (b"</powermeter>", b""),
            (b"</powermeter>", b"</temperature>"),
            (b"<present>", b"<present"),
            (b"<present>", b"<>"),
            (b' id="17"', b" id=17"),
            (b' id="17"', b' id="17'),
            (b' id="17"', b" id"),
            (b"</devicelist>", b"</devicelist><devicelist/>"),
            (b"</devicelist>", b"</devicelist>x"),
            (b"<devicelist version", b"<html><devicelist version"),
            (b"devicelist", b"devices"),
            (
                b"<lock/>",
                b"<a><b><c><d><e><f><g><h><i><j><k/></j></i></h></g></f></e></d></c></b></a>",
            ),
        ):
            self.assertIn(old, LIST)
            self.assertEqual(read(LIST.replace(old, new)), (False, [None] * len(WANTED)), new)

    def test_numbers(self):
        for text, wanted in (
            (b"0", 0),
            (b"-0", 0),
            (b"007", 7),
            (b"4294967296", 4294967296),
            (b"", None),
            (b"-", None),
            (b"--1", None),
            (b"+1", None),
            (b"1.5", None),
            (b"1 2", None),
            (b"inval", None),
            (b"1" * 16, None),
            (b"1" * 300, None),
            (b"<x>1</x>", None),
            (b"1<!-- 2 -->3", 13),
            (b"<![CDATA[12]]>", 12),
        ):
            document = LIST.replace(b"1234567<", text + b"<")
            whole, found = read(document)
            self.assertEqual((whole, found[0][2]), (True, wanted), text)

    def test_a_name_of_ten_thousand_characters(self):
        for filled in (b"<name>" + b"n" * 10000 + b"</name>", b"<!--" + b"-x" * 5000 + b"-->"):
            document = LIST.replace(b"<txbusy>0</txbusy>", filled)
            for size in (1, 100, 20000):
                self.assertEqual(read(document, size), (True, [values for _, values in WANTED]))
        document = LIST.replace(b"<txbusy>", b'<txbusy a="' + b"n" * 10000 + b'">')
        self.assertEqual(read(document), (False, [None] * len(WANTED)))

    def test_the_next_one(self):
        devices = DeviceList()
        number = devices.want("11657 0000001")
        self.assertEqual(devices.want("116570000001"), number)
        devices.feed(LIST)
        self.assertTrue(devices.end())
        self.assertEqual(devices.found[number][1], 47110)
        devices.begin()
        self.assertEqual(devices.found, [None])
        devices.feed(b"<devicelist></devicelist>")
        self.assertTrue(devices.end())
        self.assertEqual(devices.found, [None])
        devices.begin()
        devices.feed(b"HTTP")
        self.assertFalse(devices.end())
        self.assertEqual(devices.error, "is no XML")


class TestXml(unittest.TestCase):
    def test_attributes(self):
        wanted = [(b"", b"a"), (b"b", b"c d"), (b"e", b'"f')]
        self.assertEqual(attributes_of(b'a b = "c d"\n e=\'"f\' '), wanted)
        for text in (
            b"",
            b" a",
            b"a b",
            b"a b=",
            b"a b=c",
            b'a b="c',
            b'a ="c"',
            b'a"b',
            b"a b=''c",
        ):
            self.assertEqual(attributes_of(text), None, text)

    def test_hooks(self):
        told = []

        class Told(Xml):
            _root = b"r"

            def _begins(self, name, attributes):
                told.append((len(self._open), name, attributes))

            def _ends(self, name, text):
                told.append((list(self._open), text))

        one = Told()
        one.begin()
        one.feed(b"<r><a b='1'/> <c>t</c>u</r>")
        self.assertTrue(one.end())
        self.assertEqual(
            told,
            [
                (1, b"r", []),
                (2, b"a", [(b"b", b"1")]),
                ([b"r", b"a"], b""),
                (2, b"c", []),
                ([b"r", b"c"], b"t"),
                ([b"r"], b""),
            ],
        )


if __name__ == "__main__":
    unittest.main()
