"""The web server and its password alone: heap and steps, for tools/bench/web.py.

    size_web.py PORT

Prints "WEB name bytes" lines: the heap in use behind a collection, without what stands before
(the log, the clock, the store), "STEP name microseconds" of each kind of task, and "DONE
answers failures".
"""

import asyncio
import gc
import os
import sys

import board
from measured_steps import counting, create_task, tell

from joulelog import clock
from joulelog.device import logging_setup
from joulelog.device.state import Store

_HEAD = "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n"
_BROWSER = "User-Agent: %s\r\nAccept: %s\r\nAccept-Language: %s\r\n" % (
    "x" * 110,
    "y" * 80,
    "de,en",
)
_FORM = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n"
_REQUESTS = 7
_WANTED = (b"200", b"200", b"200", b"404", b"404", b"404", b"401")
_LINE = "0123456789abcdefghijklmnopqrstuvwxyz, and so on until it is a line.\n"


def used() -> int:
    """Bytes in use."""
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


async def ask(port: int, data: str) -> bytes:
    """Send a request; the head of its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data.encode())
    await writer.drain()
    head = await reader.read(512)
    while await reader.read(512):
        pass
    writer.close()
    await writer.wait_closed()
    return head


def main(port: int) -> None:
    log = logging_setup.setup(board.LOG_DIRECTORY, 20000, "warning", clock.Clock(), sys.stdout)
    store = Store(board.LOG_DIRECTORY)
    store.open()
    first = used()
    import microdot

    print("WEB microdot", used() - first)
    from joulelog.web.server import Server

    print("WEB server", used() - first)
    from joulelog.web.auth import Auth

    print("WEB loaded", used() - first)
    pages = microdot.Microdot()
    auth = Auth(store, os.urandom, clock.uptime_ms)
    auth.routes(pages)

    async def page(request):
        def lines():
            for _ in range(300):
                yield _LINE

        return lines()

    async def save(request):
        return auth.may_write(request) or {"saved": len(request.g.fields)}

    pages.get("/page")(page)
    pages.post("/save")(save)
    server = Server(pages, port, host="127.0.0.1")
    print("WEB built", used() - first)
    asyncio.create_task = asyncio.core.create_task = create_task

    def post(path: str, body: str, more: str = "") -> str:
        return _HEAD % ("POST", path) + _BROWSER + more + _FORM % len(body) + "\r\n" + body

    def request(number: int, session: str) -> str:
        """One of those that take the most."""
        if number == 0:
            return _HEAD % ("GET", "/page") + _BROWSER + "\r\n"
        if number == 1:
            return post("/save", "field=%C3%A4&" * 250 + "a=" + "%41" * 1600, session)
        if number == 2:
            return post("/save", "a=" + "%41" * 2700, session)
        if number == 3:
            return _HEAD % ("GET", "/?" + "a=%41&" * 11) + "\r\n"
        if number == 4:
            return _HEAD % ("GET", "/nothing") + "A: b\r\n" * 28 + "\r\n"
        if number == 5:
            return _HEAD % ("GET", "/nothing") + "A: " + "x" * 1900 + "\r\n\r\n"
        return post("/api/login", "password=wrong+wrong")

    async def story() -> None:
        running = asyncio.create_task(server.run())
        await clock.sleep_ms(50)
        done = 0
        for turn in range(3):  # the first loads and compiles patterns
            if turn == 1:
                print("WEB running", used() - first)
                counting[0] = True
            fields = "password=correct+horse&old=correct+horse"
            head = await ask(port, post("/api/login" if turn else "/api/password", fields))
            cookie = head[head.find(b"joulelog=") :].split(b";")[0].decode()
            csrf = head[head.find(b'"csrf": "') + 9 :][:32].decode()
            session = "Cookie: %s\r\nX-CSRF-Token: %s\r\n" % (cookie, csrf)
            for number in range(_REQUESTS):
                head = await ask(port, request(number, session))
                done += head[9:12] in _WANTED[number]
        tell()
        print("WEB afterwards", used() - first)
        print("DONE", done, dict(server.counters())["failures"])
        running.cancel()

    asyncio.run(story())
    log.flush()


main(int(sys.argv[1]))
