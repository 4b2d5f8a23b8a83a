"""Run a config until its ring is full and its servers have what was read; print its heap.

    size_parts.py CONFIG UART [UART …]

Each UART stands for one "sim" in CONFIG; what is too many is left over. The clock is CONFIG's
SPEED, and knows no time but a meter's. Prints "BOOT bytes free": what the interpreter has loaded
when the start looks at the heap, and what was free before; "PARTS bytes most": what came on top of
that until it ran, and the most that was seen while a backlog, if there is one, left the flash.
"DONE 1 delivered restarts" is the end. tools/bench/parts.py reads that.
"""

import asyncio
import gc
import sys

_TIMEOUT_MS = 40000  # of real time
_LEAST_MS = 2500
_SLOW_MS = 12000  # a ring that fills slowly is not waited for longer
_DELIVERED = 12
_SAMPLES = 8
_BACKLOG = 60  # readings: more than what waits for the next request


def used() -> int:
    """Bytes that are in use."""
    gc.collect()
    return gc.mem_alloc()


def main(path: str, uarts: list) -> None:
    import machine  # noqa: F401 - what is C code on a chip
    import network  # noqa: F401

    bare = used()
    import board
    import config_file

    from joulelog import build, registry, start  # noqa: F401 - start stays

    config = config_file.load(path, uarts)
    del config_file, sys.modules["config_file"]  # no part of what is measured
    speed = config.SPEED
    before = []
    made: list = []  # the app, once it is there
    load = build.load

    def measured(*about) -> None:
        before.append(used())
        print("BOOT", before[0] - bare, gc.mem_free() + before[0] - bare)
        load(*about)
        from joulelog import clock

        clock.set_speed(speed)
        # What the meter has told; TLS waits for it.
        clock.board_time = lambda: made[0].clock.now() if made else None

    build.load = measured
    build.fitting = lambda *_: (0, "")  # what is to be measured is not asked
    app = build.build(config, board)
    made.append(app)
    del build, config
    registry.drop("joulelog.build")  # as start.run() does
    from joulelog import clock

    async def watch() -> None:
        running = asyncio.create_task(app.run())
        started = clock.uptime_ms()
        slots = app.queue.slots
        passed = done = taken = most = steady = 0
        while passed < _TIMEOUT_MS * speed and not app.supervisor.restarts:
            full = app.queue.newest - app.queue.first >= slots or passed > _SLOW_MS * speed
            if app.spool and app.spool.waiting > _BACKLOG:
                most = max(most, used())
            elif (full or not app.readers) and done >= _DELIVERED and passed > _LEAST_MS * speed:
                if taken == _SAMPLES:
                    break
                taken += 1
                steady = max(used(), steady)
            await clock.sleep_ms((50 if most else 200) * speed)
            passed = clock.uptime_ms() - started
            servers = [sink for sink in app.sinks if not hasattr(sink, "histories")]
            done = min([sink.cursor.sent for sink in servers] or [_DELIVERED])
        if taken == _SAMPLES:
            print("PARTS", steady - before[0], max(most, steady) - before[0])
        print("DONE", 1, done if taken == _SAMPLES else 0, app.supervisor.restarts)
        running.cancel()

    asyncio.run(watch())


main(sys.argv[1], sys.argv[2:])
