"""lib/httpauth and lib/md5: their RFCs' vectors, challenges of any form, who is asked again."""

import binascii
import unittest

import md5
from httpauth import Login

MUFASA = ("Mufasa", "Circle of Life")
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
BOTH = 'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=%s, '
BOTH += 'nonce="' + NONCE + '", opaque="' + OPAQUE + '"'
OWN = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def fields(header):
    """{name: value} of an Authorization: Digest."""
    found = {}
    for part in header[len("Digest ") :].split(", "):
        at = part.find("=")
        found[part[:at]] = part[at + 1 :].strip('"')
    return found


def fixed(user, password):
    return Login(user, password, lambda count: bytes(count))


class TestMd5(unittest.TestCase):
    def test_vectors_of_rfc_1321(self):
        for data, wanted in (
            (b"", "d41d8cd98f00b204e9800998ecf8427e"),
            (b"a", "0cc175b9c0f1b6a831c399e269772661"),
            (b"message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (b"1234567890" * 8, "57edf4a22be3c955ac49da2e2107b67a"),
        ):
            for digest in (md5.digest, md5.plain):
                self.assertEqual(binascii.hexlify(digest(data)).decode(), wanted)

    def test_any_length(self):
        for length in range(130):
            data = bytes([(7 * length + index) & 255 for index in range(length)])
            self.assertEqual(md5.plain(data), md5.digest(data))


class TestDigest(unittest.TestCase):
    def answer(self, challenges, user="admin", password="secret", method="GET", target="/"):
        login = fixed(user, password)
        self.assertTrue(login.refused(challenges))
        return login.header(method, target)

    def test_vectors_of_rfc_7616(self):
        """Section 3.9.1, with its client nonce."""
        import httpauth

        real = httpauth.binascii

        class Nonce:
            b2a_base64 = real.b2a_base64

            @staticmethod
            def hexlify(data):
                return OWN.encode() if data == bytes(8) else real.hexlify(data)

        httpauth.binascii = Nonce
        try:
            for algorithm, wanted in (
                ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
                ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
            ):
                header = self.answer([BOTH % algorithm], *MUFASA, target="/dir/index.html")
                found = fields(header)
                self.assertEqual(found["response"], wanted)
                self.assertEqual(found["opaque"], OPAQUE)
                self.assertEqual((found["nc"], found["qop"]), ("00000001", "auth"))
        finally:
            httpauth.binascii = real

    def test_rfc_2069(self):
        """The example of RFC 2617, without qop."""
        challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
        header = self.answer([challenge], "Mufasa", "CircleOfLife", target="/dir/index.html")
        self.assertEqual(fields(header)["response"], "1949323746fe6a43ef61f9606e7febea")
        self.assertTrue("nc" not in fields(header) and "algorithm" not in fields(header))

    def test_the_strongest_is_taken(self):
        sha, md = BOTH % "SHA-256", BOTH % "MD5"
        for challenges in ([sha, md], [md, sha], ["Basic realm=x", md, sha], [md + ", " + sha]):
            self.assertEqual(fields(self.answer(challenges))["algorithm"], "SHA-256")
        self.assertEqual(fields(self.answer(["Basic realm=x", md]))["algorithm"], "MD5")
        other = BOTH % "SHA-512-256"
        self.assertEqual(fields(self.answer([other, md]))["algorithm"], "MD5")
        self.assertEqual(self.answer([other, 'Basic realm="x"'])[:6], "Basic ")

    def test_any_form_of_a_challenge(self):
        for challenge in (
            'digest REALM="r", Nonce="n", qop=auth,algorithm=sha-256',
            'Digest  realm = "r",nonce="n" ,qop="auth-int,auth", algorithm="SHA-256"',
            'Basic realm="a, Digest b", Digest realm="r", nonce="n", algorithm=SHA-256',
            'Negotiate, Digest nonce="n", realm="r", qop="AUTH", algorithm=SHA-256, stale=FALSE',
        ):
            found = fields(self.answer([challenge]))
            self.assertEqual((found["realm"], found["nonce"]), ("r", "n"), challenge)
        header = self.answer(['Digest realm="a\\"b\\\\", nonce="n"'])
        self.assertTrue('realm="a\\"b\\\\"' in header, header)

    def test_what_cannot_be_answered(self):
        for challenges in (
            [],
            [""],
            ["Negotiate"],
            ['Digest realm="r"'],
            ['Digest nonce="n"'],
            ['Digest realm="r", nonce="n", qop="auth-int"'],
            ['Digest realm="r", nonce="n", algorithm=SHA-512-256'],
            ["=,=", '"', 'Digest realm="', "x" * 5000],
        ):
            login = fixed("admin", "secret")
            self.assertFalse(login.refused(challenges), challenges)
            self.assertEqual(login.header("GET", "/"), None)

    def test_session_and_hidden_user(self):
        for algorithm in ("MD5-sess", "SHA-256-sess"):
            found = fields(self.answer([BOTH % algorithm]))
            self.assertEqual(found["algorithm"], algorithm)
        header = self.answer([BOTH % "SHA-256" + ", userhash=true"], *MUFASA)
        self.assertTrue("userhash=true" in header and "Mufasa" not in header)
        self.assertEqual(len(fields(header)["username"]), 64)

    def test_basic(self):
        # RFC 7617, section 2
        header = self.answer(['Basic realm="WallyWorld"'], "Aladdin", "open sesame")
        self.assertEqual(header, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        # section 2.1
        header = self.answer(['Basic realm="foo", charset="UTF-8"'], "test", "123\u00a3")
        self.assertEqual(header, "Basic dGVzdDoxMjPCow==")


class TestAgain(unittest.TestCase):
    sha = BOTH % "SHA-256"

    def test_counts(self):
        login = fixed("admin", "secret")
        self.assertEqual(login.header("GET", "/"), None)
        self.assertTrue(login.refused([self.sha]))
        for number in range(1, 20):
            found = fields(login.header("GET", "/"))
            self.assertEqual((found["nc"], found["nonce"]), ("%08x" % number, NONCE))
            login.accepted()
        login.header("GET", "/")  # the device has started again, and knows that nonce no more
        self.assertTrue(login.refused([self.sha.replace(NONCE, "new")]))
        found = fields(login.header("GET", "/"))
        self.assertEqual((found["nc"], found["nonce"]), ("00000001", "new"))

    def test_wrong_password(self):
        login = fixed("admin", "secret")
        self.assertTrue(login.refused([self.sha]))
        login.header("GET", "/")
        self.assertFalse(login.refused([self.sha]))
        # At the next time it is tried anew, once: somebody may have put it right over there.
        login.header("GET", "/")
        self.assertFalse(login.refused([self.sha.replace(NONCE, "new")]))

    def test_a_nonce_stays_counted_over_a_refusal(self):
        """A server that was asked with a number does not take it again."""
        login = fixed(*MUFASA)
        for challenge, number in ((BOTH, "00000001"), (BOTH, "00000002"), (BOTH, "00000003")):
            login.refused([challenge % "MD5"])
            self.assertEqual(fields(login.header("GET", "/"))["nc"], number)
        login.refused([BOTH.replace(NONCE, "another") % "MD5"])
        self.assertEqual(fields(login.header("GET", "/"))["nc"], "00000001")

    def test_stale(self):
        login = fixed("admin", "secret")
        self.assertTrue(login.refused([self.sha]))
        login.header("GET", "/")
        self.assertTrue(login.refused([self.sha.replace(NONCE, "new") + ", stale=true"]))
        self.assertEqual(fields(login.header("GET", "/"))["nonce"], "new")

    def test_no_login_at_all_any_more(self):
        login = fixed("admin", "secret")
        self.assertTrue(login.refused(["Basic"]))
        self.assertEqual(login.header("GET", "/")[:5], "Basic")
        login.accepted()
        login.header("GET", "/")
        self.assertFalse(login.refused([]))

    def test_a_nonce_for_one_request_each(self):
        """Devices that never say that a nonce is stale."""
        login = fixed("admin", "secret")
        for number in range(20):
            if number:
                login.header("GET", "/")
            self.assertTrue(login.refused([self.sha.replace(NONCE, "n%d" % number)]))
            self.assertEqual(fields(login.header("GET", "/"))["nonce"], "n%d" % number)
            login.accepted()
        login.header("GET", "/")  # and now its password is another one
        self.assertTrue(login.refused([self.sha]))
        login.header("GET", "/")
        self.assertFalse(login.refused([self.sha]))
