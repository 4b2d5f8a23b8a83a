"""Run the firmware with the section `update`, on a flash in a file, for update_rig.py.

    update_serve.py CONFIG UART PORT VERSION MADE

Prints what the firmware logs, and "READ time" for each reading, in seconds since 2000. GET /state
has the heap (CPython: objects) and descriptors behind a collection, and what is counted. The
public key is that of tests/unit/update_helpers.py. It ends with machine.RESET_EXIT for a restart.

With STEPS in the environment (not on CPython) GET /steps prints the longest steps since the last
time, and so does the end: see tools/rig/vm_shims/measured_steps.py. What the flash takes, which is
C code on a chip, is none of these steps; "FLASH name microseconds" is its longest operation here.
"""

import asyncio
import gc
import os
import sys

import board
import config_file
import esp32
import update_helpers

import joulelog

_LOOKS = 8


class Key:
    MODULUS = update_helpers.MODULUS


def descriptors() -> int:
    """How many files and sockets are open."""
    return len(list(os.listdir("/proc/self/fd")))


_flash_us: dict = {}  # the longest of each operation


def apart(name: str, work, *about):
    """What the flash does, in no step."""
    import measured_steps

    begun = measured_steps.now_us()
    try:
        return work(*about)
    finally:
        took = measured_steps.now_us() - begun
        measured_steps.apart[0] += took
        _flash_us[name] = max(took, _flash_us.get(name, 0))


class Timed(esp32.Partition):
    """A partition whose operations are measured; what it is made of is C code on a chip too."""

    def __init__(self, which) -> None:
        apart("open", super().__init__, which)

    @staticmethod
    def find(*about, **which):
        return apart("find", lambda: esp32.Partition.find(*about, **which))

    def ioctl(self, *about):
        return apart("ioctl", super().ioctl, *about)

    def readblocks(self, *about):
        return apart("readblocks", super().readblocks, *about)

    def writeblocks(self, *about):
        return apart("writeblocks", super().writeblocks, *about)

    def set_boot(self):
        return apart("set_boot", super().set_boot)

    def get_next_update(self):
        return Timed(apart("next", super().get_next_update).info()[4])


class Files:
    """The flash that the file system is on."""

    def __init__(self, flash) -> None:
        self._flash = flash

    def readblocks(self, *about):
        return apart("files", self._flash.readblocks, *about)

    def writeblocks(self, *about):
        return apart("files", self._flash.writeblocks, *about)

    def ioctl(self, *about):
        return apart("files", self._flash.ioctl, *about)


class InItsPlace:
    """The module esp32."""

    Partition = Timed


def measure() -> None:
    """From now on."""
    from measured_steps import counting, create_task

    asyncio.create_task = asyncio.core.create_task = create_task
    if "chip" in sys.modules:  # the frozen VM, whose littlefs is on a file
        import vfs

        vfs.umount("/flash")
        vfs.mount(Files(sys.modules["chip"].flash), "/flash")
    sys.modules["esp32"] = InItsPlace  # type: ignore[assignment]
    counting[0] = True


async def tell_apart() -> None:
    """tell(), in a step that is nobody's."""
    tell()


def tell() -> None:
    """Print, and begin anew."""
    import measured_steps

    measured_steps.tell()
    for name, us in _flash_us.items():
        print("FLASH", name, us)
    _flash_us.clear()
    print("TOLD")
    measured_steps.counting[0] = True


def state_of(app, web, service):
    """The handler of GET /state."""
    from joulelog import clock

    async def state(request):
        used = 1 << 30
        for _ in range(_LOOKS):  # the least counts, which is without half a telegram
            gc.collect()
            used = min(used, gc.mem_alloc() if hasattr(gc, "mem_alloc") else len(gc.get_objects()))
            await clock.sleep_ms(30)
        found = dict(web.server.counters())
        for name, number in service.updates.counters():
            found[name] = number
        found["heap"] = used
        found["descriptors"] = descriptors()
        found["open"] = web.server.open()
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
    steps = bool(os.getenv("STEPS"))
    if steps:
        measure()
    app = build.build(config, board)
    service = [one for one in app.services if one.name == "update"][0]
    web = ([one for one in app.services if one.name == "web"] or [None])[0]
    put = app.queue.put

    def told(reading: tuple) -> None:
        put(reading)
        print("READ", reading[0])

    app.queue.put = told

    async def tell_steps(request):
        from measured_steps import unmeasured

        await unmeasured(tell_apart())
        return {}

    async def watch() -> None:
        known = None
        while True:
            await clock.sleep_ms(200)
            if web and web.server and web.server is not known:
                known = web.server
                known._pages.get("/state")(state_of(app, web, service))
                if steps:
                    known._pages.get("/steps")(tell_steps)

    async def both() -> None:
        app.supervisor.start("watch", watch)
        await app.run()

    try:
        asyncio.run(both())
        if steps:
            tell()
    finally:
        app.close()
    app.guard.restart()


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
