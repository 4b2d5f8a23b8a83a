"""lib/httphead: heads whole, cut and damaged; paths; forms; answers."""

import random
import unittest

from httphead import Head, Refused, answer, form, size

GET = b"GET /api/session HTTP/1.1\r\nHost: 192.168.4.1\r\n"


def head_of(first=b"GET / HTTP/1.1", lines=(b"Host: x",)):
    return Head(b"\r\n".join((first,) + tuple(lines)) + b"\r\n\r\n")


def fields(body):
    found: dict = {}
    for _ in form(body, found):
        pass
    return found


class TestSize(unittest.TestCase):
    def test_every_cut(self):
        data = GET + b"\r\nbody\r\n\r\n"
        for end in range(len(data) + 1):
            self.assertEqual(size(data[:end]), len(GET) + 2 if end >= len(GET) + 2 else 0)

    def test_bare_line_ends(self):
        data = b"GET / HTTP/1.0\nHost: x\n\n\r\n\r\n"
        self.assertEqual(size(data), 24)
        self.assertEqual(Head(data[:24]).headers, {"host": "x"})


class TestHead(unittest.TestCase):
    def refused(self, status, first=b"GET / HTTP/1.1", lines=(b"Host: x",)):
        with self.assertRaises(Refused) as caught:
            head_of(first, lines)
        self.assertEqual(caught.exception.args[0], status, (first, lines))
        self.assertTrue(caught.exception.args[1])

    def test_as_browsers_send_it(self):
        query = "x=1&y=%C3%A4+"
        lines = (b"Host: joulelog.local:8080", b"COOKIE:  a=b ", b"Content-Length: 12", b"Empty:")
        head = head_of(b"POST /a/b.js?" + query.encode() + b" HTTP/1.1", lines)
        self.assertEqual(
            (head.method, head.path, head.query), ("POST", "/a/b.js", "x=1&y=%C3%A4+")
        )
        self.assertEqual(head.length, 12)
        self.assertEqual(head.headers["cookie"], "a=b")
        self.assertEqual(head.headers["host"], "joulelog.local:8080")
        self.assertEqual(head.headers["empty"], "")

    def test_first_lines(self):
        for first in (
            b"",
            b"GET",
            b"GET /",
            b"GET  / HTTP/1.1",
            b"GET / HTTP/1.1 x",
            b"GET / HTTP/2",
            b"GET / http/1.1",
            b"get / HTTP/1.1",
            b"G\xc3\x84T\xff / HTTP/1.1",
            b"\xff\xfe\xfd",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET http://x/ HTTP/1.1",
            b"OPTIONS * HTTP/1.1",
            b"GET /\xff HTTP/1.1",
        ):
            self.refused(400, first)

    def test_paths(self):
        for target, status in (
            (b"/../etc/passwd", 404),
            (b"/a/../b", 404),
            (b"/a/..", 404),
            (b"/./a", 404),
            (b"//a", 404),
            (b"/a//b", 404),
            (b"/%2e%2e/a", 404),
            (b"/%2E./a", 404),
            (b"/a%2f..%2fb", 404),
            (b"/..%5ca", 400),
            (b"/a\\..\\b", 400),
            (b"/%00", 400),
            (b"/a%0d%0ab", 400),
            (b"/a%3fb", 400),
            (b"/%25%32%65", 400),
            (b"/%", 400),
            (b"/%4", 400),
            (b"/%zz", 400),
            (b"/%+1", 400),
            (b"/%c3", 400),
            (b"/%ff", 400),
            (b"/" + b"a" * 160, 404),
        ):
            self.refused(status, b"GET " + target + b" HTTP/1.1")
        self.assertEqual(head_of(b"GET /a..b/.c/d... HTTP/1.1").path, "/a..b/.c/d...")
        self.assertEqual(head_of(b"GET /M%C3%BCller%20x/ HTTP/1.1").path, "/M\u00fcller x/")

    def test_queries(self):
        for query in (b"%", b"a=%f", b"a=%ff", b"%zz=1", b"&" * 12):
            self.refused(400, b"GET /?" + query + b" HTTP/1.1")
        self.assertEqual(head_of(b"GET /??a=b=c& HTTP/1.1").query, "?a=b=c&")

    def test_headers(self):
        for lines in (
            (),
            (b"Host: x", b"no colon"),
            (b"Host: x", b": empty"),
            (b"Host: x", b" folded: a"),
            (b"Host: x", b"Na me: a"),
            (b"Host : x",),
            (b"Host: x", b"Host: y"),
            (b"Host: x", b"HOST: x"),
            (b"Host: x", b"a: \xff"),
            (b"Host: x", b"a: \0"),
            (b"Host: x", b"a: b\rc"),
            (b"Host: x", b"Content-Length: 1", b"Content-Length: 1"),
        ):
            self.refused(400, lines=lines)
        self.refused(431, lines=(b"Host: x",) + (b"a: b",) * 32)
        self.assertEqual(head_of(b"GET / HTTP/1.0", ()).headers, {})

    def test_lengths(self):
        for text in (
            b"",
            b"-1",
            b"+1",
            b"1 2",
            b"0x10",
            b"1.5",
            b"\xc2\xb2",
            b"1,1",
            b"9" * 30 + b"a",
        ):
            self.refused(400, lines=(b"Host: x", b"Content-Length: " + text))
        for text, length in ((b"0", 0), (b"00012", 12), (b"9" * 2000, 999999999)):
            head = head_of(lines=(b"Host: x", b"Content-Length: " + text))
            self.assertEqual(head.length, length)
        self.refused(411, lines=(b"Host: x", b"Transfer-Encoding: chunked"))
        self.refused(411, lines=(b"Host: x", b"transfer-encoding:", b"Content-Length: 5"))

    def test_damaged_in_any_way_it_is_read_or_refused(self):
        random.seed(8)
        data = GET + b"Content-Length: 10\r\nCookie: a=b; c=%41\r\n\r\n"
        taken = refused = 0
        for _ in range(3000):
            cut = bytearray(data[: random.randrange(len(data)) + 1])
            for _ in range(random.randrange(4)):
                cut[random.randrange(len(cut))] = random.randrange(256)
            try:
                head = Head(bytes(cut))
                self.assertEqual(head.path[:1], "/")
                self.assertTrue(0 <= head.length < 1000000000)
                taken += 1
            except Refused as reason:
                self.assertIn(reason.args[0], (400, 404, 411, 431))
                refused += 1
        self.assertTrue(taken > 100 and refused > 1000, (taken, refused))


class TestForm(unittest.TestCase):
    def test_any_characters(self):
        self.assertEqual(fields(b""), {})
        self.assertEqual(fields(b"&&=&"), {"": ""})
        self.assertEqual(fields(b"a=1&b&a=2=3"), {"a": "2=3", "b": ""})
        self.assertEqual(fields(b"%26%3D=%2B+%25%C3%A4%27%22%3B"), {"&=": "+ %\u00e4'\";"})

    def test_refused(self):
        for body in (b"a=%", b"a=%4", b"%zz=a", b"a=%ff", b"a=\xff", b"a=%-1"):
            with self.assertRaises(Refused):
                fields(body)
        with self.assertRaises(Refused):
            fields(b"&" * 256)

    def test_steps_are_short(self):
        body = b"a=" + b"%41" * 1000 + b"&b=" + b"%C3%A4" * 100
        found: dict = {}
        self.assertEqual(len(list(form(body, found))), 26)
        self.assertEqual(found, {"a": "A" * 1000, "b": "\u00e4" * 100})


class TestAnswer(unittest.TestCase):
    def test_nothing_is_smuggled(self):
        data = answer(302, (("Location", "/x\r\nSet-Cookie: a=b"), ("X", "\n"), ("Y", "z")))
        self.assertEqual(data, b"HTTP/1.1 302 Found\r\nY: z\r\nConnection: close\r\n\r\n")

    def test_statuses(self):
        self.assertTrue(answer(200, ()).startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertTrue(answer(599, ()).startswith(b"HTTP/1.1 599 \r\n"))


if __name__ == "__main__":
    unittest.main()
