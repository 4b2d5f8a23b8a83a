"""Run the firmware with the section `web`, for test_rest.py; on CPython as well.

    rest_serve.py CONFIG UART PORT

Prints what the firmware logs, and "READ time" for each reading, in seconds since 2000. Beside what
the section serves there is GET /state: heap (CPython: objects) and descriptors behind a
collection, readings, counters. With HEAP in the environment it says "HEAP bytes" at the 40th
reading.

With STEPS in the environment (not on CPython) GET /steps prints the longest steps since the last
time: see tools/rig/vm_shims/measured_steps.py.
"""

import asyncio
import gc
import os
import sys

import board
import config_file

from joulelog import build, clock, registry

_LOOKS = 8
_HEAP_AT = 40


async def least() -> int:
    """The heap in use, behind a collection; without half a telegram."""
    used = 1 << 30
    for _ in range(_LOOKS):
        gc.collect()
        used = min(used, gc.mem_alloc() if hasattr(gc, "mem_alloc") else len(gc.get_objects()))
        await clock.sleep_ms(30)
    return used


async def tell_steps(_request):
    """The handler of GET /steps."""
    import measured_steps

    async def told() -> None:
        measured_steps.tell()
        print("TOLD")
        measured_steps.counting[0] = True

    await measured_steps.unmeasured(told())
    return {}


def state_of(app, site, auth):
    """The handler of GET /state."""

    async def state(_request):
        used = await least()
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
    if os.getenv("STEPS"):
        from measured_steps import counting, create_task

        asyncio.create_task = asyncio.core.create_task = create_task
        counting[0] = True
    app = build.build(config, board)
    put = app.queue.put

    def told(reading: tuple) -> None:
        put(reading)
        print("READ", reading[0])

    def hang(site, router, auth) -> None:
        router.get("/state")(state_of(app, site, auth))
        router.get("/steps")(tell_steps)

    async def look() -> None:
        while app.queue.newest < _HEAP_AT:
            await clock.sleep_ms(200)
        print("HEAP", await least())
        await clock.sleep_ms(1 << 30)

    async def both() -> None:
        for service in app.services:
            if service.name == "web":
                service.parts.append(hang)
        if os.getenv("HEAP"):
            app.supervisor.start("look", look)
        await app.run()

    app.queue.put = told
    asyncio.run(both())


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
