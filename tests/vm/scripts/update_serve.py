"""Run the firmware with the section `update`, on a flash in a file, for update_rig.py.

    update_serve.py CONFIG UART PORT VERSION MADE

Prints what the firmware logs, and "READ time" for each reading, in seconds since 2000. GET /state
has the heap (CPython: objects) and descriptors behind a collection, and what is counted. The
public key is that of tests/unit/update_helpers.py. It ends with machine.RESET_EXIT for a restart.
"""

import asyncio
import gc
import os
import sys

import board
import config_file
import update_helpers

import joulelog

_LOOKS = 8


class Key:
    MODULUS = update_helpers.MODULUS


def descriptors() -> int:
    """How many files and sockets are open."""
    return len(list(os.listdir("/proc/self/fd")))


def state_of(app, service):
    """The handler of GET /state."""
    from joulelog import clock

    async def state(request):
        used = 1 << 30
        for _ in range(_LOOKS):  # the least counts, which is without half a telegram
            gc.collect()
            used = min(used, gc.mem_alloc() if hasattr(gc, "mem_alloc") else len(gc.get_objects()))
            await clock.sleep_ms(30)
        found = dict(service.server.counters())
        for name, number in service.updates.counters():
            found[name] = number
        found["heap"] = used
        found["descriptors"] = descriptors()
        found["open"] = service.server.open()
        found["readings"] = app.queue.newest
        found["restarts"] = app.supervisor.restarts
        found["longest_step_ms"] = app.supervisor.longest_step_ms
        return found

    return state


def main(path: str, uart: str, port: int, version: str, made: str) -> None:
    joulelog.VERSION = version
    joulelog.COMPILED = made
    sys.modules["update_key"] = Key  # type: ignore[assignment]
    from joulelog import build, clock, registry

    board.WEB_PORT = port
    board.WATCHDOG_MS = 60000  # it restarts by itself, as a board does
    config = config_file.load(path, [uart])
    clock.set_speed(registry.get(config, "SPEED"))
    app = build.build(config, board)
    service = [one for one in app.services if one.name == "update"][0]
    put = app.queue.put

    def told(reading: tuple) -> None:
        put(reading)
        print("READ", reading[0])

    app.queue.put = told

    async def watch() -> None:
        known = None
        while True:
            await clock.sleep_ms(200)
            if service.server is not known:
                known = service.server
                known._pages.get("/state")(state_of(app, service))

    async def both() -> None:
        app.supervisor.start("watch", watch)
        await app.run()

    try:
        asyncio.run(both())
    finally:
        app.close()
    app.guard.restart()


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
