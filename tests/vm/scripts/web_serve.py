"""Run the firmware with the web server beside it, for test_web_server.py; on CPython as well.

    web_serve.py CONFIG UART PORT

Prints what the firmware logs, and "READ time" for each reading, in seconds since 2000. Its
pages, beside those of web/auth:

    GET  /page     some 20 kB, in pieces
    GET  /large    more than a socket's buffers hold
    POST /echo     the fields that came
    POST /save     who may write, may
    GET  /state    heap (CPython: objects) and descriptors behind a collection, readings, counters
"""

import asyncio
import gc
import os
import sys

import board
import config_file
import microdot

from joulelog import build, clock, registry
from joulelog.web.auth import Auth
from joulelog.web.server import Server

_LOOKS = 8
_LINE = "0123456789abcdefghijklmnopqrstuvwxyz, and so on until it is a line.\n"


def descriptors() -> int:
    """How many files and sockets are open."""
    return len(list(os.listdir("/proc/self/fd")))


def pages_of(app, server_of: list):
    """The application that is served."""
    pages = microdot.Microdot()
    auth = Auth(app.store, os.urandom, clock.uptime_ms)
    auth.routes(pages)

    async def page(request):
        def lines():
            for _ in range(300):
                yield _LINE

        return lines(), 200, {"Content-Type": "text/html"}

    async def large(request):
        def lines():
            for _ in range(20000):
                yield _LINE * 7

        return lines()

    async def echo(request):
        return request.g.fields

    async def save(request):
        return auth.may_write(request) or {"saved": True}

    async def state(request):
        used = 1 << 30
        for _ in range(_LOOKS):  # the least counts, which is without half a telegram
            gc.collect()
            used = min(used, gc.mem_alloc() if hasattr(gc, "mem_alloc") else len(gc.get_objects()))
            await clock.sleep_ms(30)
        found = dict(server_of[0].counters())
        for name, number in auth.counters():
            found["auth " + name] = number
        found["heap"] = used
        found["descriptors"] = descriptors()
        found["open"] = server_of[0].open()
        found["readings"] = app.queue.newest
        found["restarts"] = app.supervisor.restarts
        for name, number in app.readers[0].counters():
            found["p1 " + name] = number
        return found

    pages.get("/page")(page)
    pages.get("/large")(large)
    pages.post("/echo")(echo)
    pages.post("/save")(save)
    pages.get("/state")(state)
    return pages


def main(path: str, uart: str, port: int) -> None:
    config = config_file.load(path, [uart])
    clock.set_speed(registry.get(config, "SPEED"))
    app = build.build(config, board)
    put = app.queue.put

    def told(reading: tuple) -> None:
        put(reading)
        print("READ", reading[0])

    app.queue.put = told
    server_of: list = []
    server_of.append(Server(pages_of(app, server_of), port, host="127.0.0.1"))

    async def both() -> None:
        app.supervisor.start("web", server_of[0].run)
        await app.run()

    asyncio.run(both())


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
