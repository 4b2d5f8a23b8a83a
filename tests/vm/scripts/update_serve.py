"""Run the firmware with the section `update`, on a flash in a file, for update_rig.py.

    update_serve.py CONFIG UART PORT VERSION MADE

Prints what the firmware logs, and "READ time" for each reading, in seconds since 2000. GET /state
has the heap (CPython: objects) and descriptors behind a collection, and what is counted. The
public key is that of tests/unit/update_helpers.py. It ends with machine.RESET_EXIT for a restart.

With STEPS in the environment (the VM alone) GET /steps prints the longest steps since the last
time, and so does the end: see tools/rig/vm_shims/measured_steps.py. What the flash takes, which is
C code on a chip, is none of these steps; "FLASH name microseconds" is its longest operation here.
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


class Steps:
    """Measures steps, without what the flash takes in them."""

    def __init__(self) -> None:
        import esp32
        import measured_steps

        self._measured = measured_steps
        self._cpu_us = measured_steps._cpu_us
        self._flash_us = 0
        self._longest: dict = {}
        asyncio.create_task = asyncio.core.create_task = measured_steps.create_task
        measured_steps._cpu_us = lambda: self._cpu_us() - self._flash_us
        for name in ("ioctl", "writeblocks", "readblocks", "set_boot"):
            setattr(esp32.Partition, name, self._apart(name, getattr(esp32.Partition, name)))

    def _apart(self, name: str, work):
        def timed(*about):
            begun = self._cpu_us()
            try:
                return work(*about)
            finally:
                took = self._cpu_us() - begun
                self._flash_us += took
                self._longest[name] = max(took, self._longest.get(name, 0))

        return timed

    def tell(self) -> None:
        """Print, and begin anew."""
        if self._measured.counting[0]:
            self._measured.tell()
            for name, us in self._longest.items():
                print("FLASH", name, us)
            print("TOLD")
        self._measured._longest.clear()
        self._longest.clear()
        self._measured.counting[0] = True


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
    steps = Steps() if os.getenv("STEPS") else None
    app = build.build(config, board)
    service = [one for one in app.services if one.name == "update"][0]
    put = app.queue.put

    def told(reading: tuple) -> None:
        put(reading)
        print("READ", reading[0])

    app.queue.put = told

    async def tell_steps(request):
        steps.tell()
        return {}

    async def watch() -> None:
        known = None
        while True:
            await clock.sleep_ms(200)
            if service.server is not known:
                known = service.server
                known._pages.get("/state")(state_of(app, service))
                if steps:
                    known._pages.get("/steps")(tell_steps)

    async def both() -> None:
        app.supervisor.start("watch", watch)
        await app.run()

    try:
        asyncio.run(both())
        if steps:
            steps.tell()
    finally:
        app.close()
    app.guard.restart()


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
