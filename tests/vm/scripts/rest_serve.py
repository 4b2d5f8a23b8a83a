"""Run the firmware with the section `web`, for test_rest.py; on CPython as well.

    rest_serve.py CONFIG UART PORT

Prints what the firmware logs, and "READ time" for each reading, in seconds since 2000. Beside what
the section serves there is GET /state: heap (CPython: objects) and descriptors behind a
collection, readings, counters.
"""

import asyncio
import gc
import os
import sys

import board
import config_file

from joulelog import build, clock, registry

_LOOKS = 8


def state_of(app, site, auth):
    """The handler of GET /state."""

    async def state(_request):
        used = 1 << 30
        for _ in range(_LOOKS):  # the least counts, which is without half a telegram
            gc.collect()
            used = min(used, gc.mem_alloc() if hasattr(gc, "mem_alloc") else len(gc.get_objects()))
            await clock.sleep_ms(30)
        found = dict(site.server.counters())
        found["heap"] = used
        found["descriptors"] = len(list(os.listdir("/proc/self/fd")))
        found["open"] = site.server.open()
        found["readings"] = app.queue.newest
        found["restarts"] = app.supervisor.restarts
        return found

    return state


def main(path: str, uart: str, port: int) -> None:
    config = config_file.load(path, [uart])
    board.WEB_PORT = port
    clock.set_speed(registry.get(config, "SPEED"))
    app = build.build(config, board)
    put = app.queue.put

    def told(reading: tuple) -> None:
        put(reading)
        print("READ", reading[0])

    def hang(site, router, auth) -> None:
        router.get("/state")(state_of(app, site, auth))

    app.queue.put = told
    web = [one for one in app.services if one.name == "web"][0]
    web.parts.append(hang)
    asyncio.run(app.run())


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
