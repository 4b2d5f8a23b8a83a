"""Run the firmware as tools/host/start.py does, for some telegrams, and print its memory.

    size_run.py CONFIG UART TELEGRAMS

Prints "MEM name bytes-allocated bytes-free" lines, MicroPython's mem_info() (its "max free sz" is
the largest free block, in blocks of 16 bytes), qstr_info(), and "DONE readings delivered
restarts" at the end: delivered are those that every sink has confirmed. Where a backlog leaves the
flash meanwhile, "MEM draining" has the most that was in use. tools/bench/size.py reads that.
"""

import asyncio
import gc
import sys

import micropython

_TIMEOUT_MS = 60000
_BACKLOG = 60  # readings: more than what waits for the next request


def used() -> int:
    """Bytes that are in use."""
    gc.collect()
    return gc.mem_alloc()


def tell(name: str) -> None:
    """Print what is in use now."""
    print("MEM", name, used(), gc.mem_free())


def main(path: str, uart: str, wanted: int) -> None:
    tell("boot")
    import machine  # noqa: F401 - what is C code on a chip
    import network  # noqa: F401

    tell("shims")
    import board
    import config_file

    from joulelog import build, clock, registry, start  # noqa: F401 - start stays

    config = config_file.load(path, [uart])
    del config_file, sys.modules["config_file"]  # no part of what is measured
    clock.set_speed(config.SPEED)
    build.fitting = lambda *_: (0, "")  # what is needed is measured, not asked
    build.load(config, board)
    tell("loaded")
    app = build.build(config, board)
    if config.readers[0]["type"] != "dsmr":  # nobody tells the time: no time server is here
        import time

        app.clock.set(int(time.time()) - clock.UNIX_2000, "ntp")
    del build, config  # as start.run() does
    registry.drop("joulelog.build")
    tell("built")

    async def watch() -> None:
        running = asyncio.create_task(app.run())
        deadline = clock.uptime_ms() + _TIMEOUT_MS
        done = most = 0
        while done < wanted and clock.uptime_ms() < deadline and not app.supervisor.restarts:
            await clock.sleep_ms(20)
            servers = [sink for sink in app.sinks if not hasattr(sink, "histories")]
            done = min([sink.cursor.sent for sink in servers])
            if app.spool and app.spool.waiting > _BACKLOG:
                most = max(most, used())
        if most:
            print("MEM draining", most, 0)
        tell("running")
        micropython.mem_info()
        micropython.qstr_info()
        print("DONE", app.queue.newest, done, app.supervisor.restarts)
        running.cancel()

    asyncio.run(watch())


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
