"""web/server on a socket: what it answers, what it refuses, how many it serves, what it leaves."""

import asyncio
import json
import logging
import os
import socket
import sys
import unittest

import microdot

from joulelog import clock
from joulelog.web import server as module
from joulelog.web.server import Server, peer

VM = sys.implementation.name == "micropython"
HANG_S = 30
END = b"\r\n\r\n"
LOCAL = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on; the VM cannot ask which one the system chose."""
    while True:
        number = 20000 + int.from_bytes(os.urandom(2), "big") % 12000
        probe = socket.socket()
        try:
            probe.bind(socket.getaddrinfo(LOCAL, number)[0][-1])
            return number
        except OSError:
            pass
        finally:
            probe.close()


class Answer:
    """What came back, taken apart."""

    def __init__(self, data: bytes) -> None:
        at = data.find(END)
        lines = data[: max(0, at)].decode().split("\r\n")
        self.status = int(lines[0].split(" ")[1]) if at > 0 else 0
        self.headers = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            self.headers[name.lower()] = value
        self.body = data[at + 4 :]

    def problem(self) -> str:
        return json.loads(self.body.decode())["problem"]


class Client:
    """One connection."""

    @staticmethod
    async def to(port: int):
        client = Client()
        client.reader, client.writer = await asyncio.open_connection(LOCAL, port)
        return client

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> Answer:
        data = b""
        try:
            while True:
                piece = await self.reader.read(4096)
                if not piece:
                    break
                data += piece
                if self.is_whole(data):  # as browsers do: the board lingers where it refuses
                    break
        except OSError:
            pass
        await self.close()
        return Answer(data)

    @staticmethod
    def is_whole(data: bytes) -> bool:
        found = Answer(data)
        length = found.headers.get("content-length")
        return bool(length) and 0 < int(length) == len(found.body)

    async def close(self) -> None:
        try:
            self.writer.close()
            await self.writer.wait_closed()
        except OSError:
            pass


async def until(condition) -> None:
    """Wait until it holds."""
    for _ in range(HANG_S * 100):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


def get(path="/", method="GET", more="") -> bytes:
    return ("%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (method, path, LOCAL, more)).encode()


def post(path, body: bytes, kind="application/json", method="POST") -> bytes:
    head = "Content-Type: %s\r\nContent-Length: %d\r\n" % (kind, len(body))
    return get(path, method, head) + body


def new_app():
    app = microdot.Microdot()

    async def index(request):
        return "hello", 200, {"Content-Type": "text/html"}

    async def echo(request):
        return {
            "fields": request.g.fields,
            "args": request.args,
            "path": request.path,
            "peer": request.client_addr[0],
        }

    async def large(request):
        return b"0123456789abcdef" * 512

    async def endless(request):
        def parts():
            for _ in range(100000):
                yield b"x" * 1000

        return parts()

    async def wrong(request):
        raise KeyError("a secret")

    async def hungry(request):
        raise MemoryError

    async def static(request):
        return "fixed", 200, {"Cache-Control": "max-age=60", "X-Frame-Options": "SAMEORIGIN"}

    async def file(request, path):
        return {"path": path}

    app.get("/")(index)
    app.post("/echo")(echo)
    app.get("/echo")(echo)
    app.get("/large")(large)
    app.get("/endless")(endless)
    app.get("/wrong")(wrong)
    app.get("/hungry")(hungry)
    app.get("/static")(static)
    app.get("/file/<path:path>")(file)
    return app


class Nowhere(logging.Handler):
    def emit(self, record) -> None:
        pass


class ServerTest(unittest.TestCase):
    def setUp(self):
        self._before = logging.getLogger().handlers
        logging.getLogger().handlers = [Nowhere()]
        self.port = free_port()
        self.server = Server(new_app(), self.port, 4, LOCAL)

    def tearDown(self):
        logging.getLogger().handlers = self._before
        clock.set_speed(1)

    def run_with(self, story, *arguments):
        """Run a story beside the server; nothing is left of either."""

        async def both():
            task = asyncio.create_task(self.server.run())
            await asyncio.sleep(0.05)
            try:
                return await asyncio.wait_for(story(*arguments), HANG_S)
            finally:
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError:
                    pass
                self.assertEqual(self.server.open(), 0)

        return asyncio.run(both())

    async def ask(self, data: bytes) -> Answer:
        client = await Client.to(self.port)
        await client.send(data)
        return await client.answer()

    def asked(self, data: bytes) -> Answer:
        return self.run_with(self.ask, data)

    def counted(self) -> dict:
        return dict(self.server.counters())


class TestRoutes(unittest.TestCase):
    def test_what_has_no_arguments_is_compared_as_it_is(self):
        """A pattern of microdot's takes 200 bytes more."""
        app = microdot.Microdot()

        async def page(request, name=""):
            return name

        app.get("/a")(page)
        app.post("/a/b")(page)
        app.get("/a/<name>")(page)
        Server(app)
        found = [route[1] for route in app.url_map]
        self.assertEqual([one.match("/a") for one in found], [{}, None, None])
        self.assertEqual([one.match("/a/b") for one in found], [None, {}, {"name": "b"}])
        self.assertEqual([one.match("/a/") for one in found], [None, None, None])
        self.assertEqual([list(route[0]) for route in app.url_map], [["GET"], ["POST"], ["GET"]])
        self.assertFalse(hasattr(found[0], "regex"))


class TestAnswers(ServerTest):
    def test_a_page(self):
        answer = self.asked(get())
        self.assertEqual((answer.status, answer.body), (200, b"hello"))
        self.assertEqual(answer.headers["content-length"], "5")
        self.assertEqual(answer.headers["connection"], "close")
        self.assertEqual(answer.headers["content-type"], "text/html")

    def test_head_has_no_body(self):
        answer = self.asked(get("/large", "HEAD"))
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(answer.headers["content-length"], "8192")

    def test_a_large_one(self):
        self.assertEqual(self.asked(get("/large")).body, b"0123456789abcdef" * 512)

    def test_each_has_the_headers(self):
        for data in (get(), get("/nothing"), get("/", "PUT"), get("/wrong"), b"nonsense\r\n\r\n"):
            headers = self.asked(data).headers
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertEqual(headers["x-frame-options"], "DENY")
            self.assertIn("frame-ancestors 'none'", headers["content-security-policy"])
            self.assertEqual(headers["referrer-policy"], "same-origin")
            self.assertEqual(headers["cache-control"], "no-store")
            self.assertEqual([name for name in headers if name.startswith("access-")], [])

    def test_a_handler_may_say_something_else(self):
        headers = self.asked(get("/static")).headers
        self.assertEqual(headers["cache-control"], "max-age=60")
        self.assertEqual(headers["x-frame-options"], "SAMEORIGIN")

    def test_fields(self):
        for kind, body, fields in (
            ("application/json", b'{"a": "\xc3\xa4", "b": [1, {"c": null}]}', None),
            ("application/json; charset=utf-8", b"{}", {}),
            ("application/x-www-form-urlencoded", b"a=%C3%A4+b&c", {"a": "\u00e4 b", "c": ""}),
            ("text/plain", b"a=b", {}),
            ("", b'{"a": 1}', {}),
        ):
            answer = self.asked(post("/echo?x=1%20", body, kind))
            told = json.loads(answer.body.decode())
            self.assertEqual(
                told["fields"], json.loads(body.decode()) if fields is None else fields
            )
            self.assertEqual((told["path"], told["peer"]), ("/echo", LOCAL))

    def test_in_any_pieces(self):
        data = post("/echo", b'{"a": "bcdefgh"}')

        async def story(size):
            client = await Client.to(self.port)
            for start in range(0, len(data), size):
                await client.send(data[start : start + size])
                await asyncio.sleep(0)
            return await client.answer()

        for size in (1, 7, 50, 113):
            answer = self.run_with(story, size)
            self.assertEqual(json.loads(answer.body.decode())["fields"], {"a": "bcdefgh"})

    def test_what_a_handler_raises_is_counted(self):
        answer = self.asked(get("/wrong"))
        self.assertEqual(answer.status, 500)
        self.assertFalse("secret" in str(answer.body))
        self.assertEqual(self.counted()["failures"], 1)

    def test_no_memory(self):
        self.assertEqual(self.asked(get("/hungry")).status, 0)
        self.assertEqual(self.counted()["no_memory"], 1)
        self.assertEqual(self.asked(get()).status, 200)

    def test_pieces(self):
        class Writer:
            sizes: list = []

            def write(self, data):
                self.sizes.append(len(data))

            async def drain(self):
                pass

        writer = Writer()
        asyncio.run(module._pieces(b"x" * 1300, writer))
        self.assertEqual(writer.sizes, [512, 512, 276])

    def test_peers(self):
        class Writer:
            def __init__(self, found):
                self.found = found

            def get_extra_info(self, name):
                return self.found if name == "peername" else None

        packed = b"\x02\x00\x1f\x90\xc0\xa8\x01\x14" + bytes(8)
        for found, text in (
            (("192.168.1.20", 80), "192.168.1.20"),
            (packed, "192.168.1.20"),
            (None, ""),
        ):
            self.assertEqual(peer(Writer(found)), text)


class TestRefused(ServerTest):
    def refused(self, data, status, where=""):
        answer = self.asked(data)
        self.assertEqual(answer.status, status, data[:60])
        self.assertTrue(answer.problem())
        return answer

    def test_sizes(self):
        self.refused(get("/", more="A: " + "x" * 2048 + "\r\n"), 431)
        self.refused(b"GET / HTTP/1.1\r\nA: " + b"x" * 5000, 431)
        self.refused(b"x" * 20000, 431)
        self.refused(post("/echo", b"x" * 8193), 413)
        self.refused(get("/", "POST", "Content-Length: %s\r\n" % ("9" * 500)), 413)
        self.assertEqual(self.asked(post("/echo", b"x" * 8192, "text/plain")).status, 200)

    def test_bodies(self):
        for body in (b"", b"[]", b"{", b'{"a": "\xff"}', b"null", b"1", b"\0"):
            self.refused(post("/echo", body), 400)
        self.refused(post("/echo", b"[" * 4000), 413)
        self.refused(post("/echo", b"a=%4", "application/x-www-form-urlencoded"), 400)
        self.refused(get("/echo", "POST", "Transfer-Encoding: chunked\r\n") + b"1\r\na\r\n", 411)
        self.refused(get("/echo", "POST", "Content-Length: -5\r\n"), 400)
        self.assertEqual(self.counted()["failures"], 0)

    def test_what_ends_early(self):
        async def story(data):
            client = await Client.to(self.port)
            await client.send(data)
            await client.close()
            await until(lambda: self.server.accepted == 1 and not self.server.open())

        for data in (b"", b"GET / HTT", get()[:-2], post("/echo", b"abcdef")[:-2]):
            self.server = Server(new_app(), self.port, 4, LOCAL)
            self.run_with(story, data)
            self.assertEqual(self.counted()["answered"], 0)
            self.assertEqual(self.counted()["failures"], 0)

    def test_paths(self):
        for path in ("/file/../secret", "/file/%2e%2e/secret", "//file/x", "/file/a%2F..%2Fb"):
            self.refused(get(path), 404)
        self.refused(get("/file/%00"), 400)
        told = json.loads(self.asked(get("/file/a%20b/c..d")).body.decode())
        self.assertEqual(told["path"], "a b/c..d")

    def test_methods(self):
        self.refused(get("/", "PUT"), 405)
        self.refused(get("/", "OPTIONS"), 405)
        self.refused(get("/nothing", "OPTIONS"), 404)

    def test_slow_requests(self):
        async def story(data):
            client = await Client.to(self.port)
            await client.send(data)
            return await client.answer()

        clock.set_speed(25)
        for data in (b"", b"G", get()[:-1], post("/echo", b"12")[:-1]):
            self.assertEqual(self.run_with(story, data).status, 408)
        self.assertEqual(self.counted()["late"], 4)

    def test_answers_that_nobody_takes(self):
        async def story():
            client = await Client.to(self.port)
            await client.send(get("/endless"))
            await until(lambda: self.server.slow)
            await until(lambda: not self.server.open())
            await client.close()

        clock.set_speed(100)
        self.run_with(story)

    def test_answers_that_are_broken_off(self):
        async def story():
            client = await Client.to(self.port)
            await client.send(get("/endless"))
            await client.reader.read(100)
            await client.close()
            await until(lambda: self.server.accepted and not self.server.open())

        self.run_with(story)
        self.assertEqual(self.counted()["failures"], 0)


class TestPlaces(ServerTest):
    async def begun(self, count):
        """Connections that have begun a request."""
        clients = []
        for number in range(count):
            client = await Client.to(self.port)
            await client.send(b"GET ")
            clients.append(client)
            await until(lambda wanted=number: self.server.open() > wanted)
        return clients

    def test_four_are_served_and_three_wait_their_turn(self):
        async def story():
            clients = await self.begun(7)
            turned_away = await self.ask(get())
            self.assertEqual(turned_away.status, 503)
            self.assertTrue(int(turned_away.headers["retry-after"]) > 0)
            statuses = []
            for client in clients:  # each makes room for one that waits
                await client.send(get()[4:])
                statuses.append((await client.answer()).status)
            return statuses

        self.assertEqual(self.run_with(story), [200] * 7)
        self.assertEqual(self.counted()["busy"], 1)

    def test_nobody_waits_for_ever(self):
        async def story():
            clients = await self.begun(4)
            waiting = await self.ask(get())
            for client in clients:
                await client.close()
            return waiting.status

        clock.set_speed(3)  # its turn would come in 1 s, and they would be late in 1.7 s
        self.assertEqual(self.run_with(story), 503)

    def test_who_has_sent_nothing_makes_room(self):
        async def story():
            silent = []
            for _ in range(4):
                silent.append(await Client.to(self.port))
            await until(lambda: self.server.open() == 4)
            statuses = []
            for _ in range(3):
                statuses.append((await self.ask(get())).status)
            for client in silent:
                await client.close()
            return statuses

        self.assertEqual(self.run_with(story), [200] * 3)
        self.assertEqual(self.counted()["late"], 0)
        self.assertTrue(1 <= self.counted()["displaced"] <= 3)

    def test_a_cancel_closes_everything(self):
        async def story():
            clients = await self.begun(6)
            return clients, await self.ask(get("/nothing"))

        clients = self.run_with(story)[0]
        self.assertEqual(len(clients), 6)
        self.assertEqual(self.asked(get()).status, 200)  # on the same port

    def test_when_the_task_that_accepts_is_gone(self):
        if not VM:
            return
        listening = []
        begin = asyncio.start_server

        async def start_server(*arguments):
            listening.append(await begin(*arguments))
            return listening[-1]

        async def story():
            await until(lambda: listening)
            listening[0].task.cancel()
            await until(lambda: len(listening) == 2)
            return (await self.ask(get())).status

        clock.set_speed(10)
        asyncio.start_server = start_server
        try:
            self.assertEqual(self.run_with(story), 200)
        finally:
            asyncio.start_server = begin


if __name__ == "__main__":
    unittest.main()
