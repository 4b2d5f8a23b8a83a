"""Run a config until every sink has delivered and the queue's ring is full.

    size_example.py CONFIG [UART …]

Each UART stands for one "sim" in CONFIG, whose SPEED is the clock's; a ring that fills slowly is
not waited for longer than 12 s. Prints "DONE 1 delivered restarts": delivered is the least that
any sink has. It ends early where a task had to be started again, which is what a heap that is too
small looks like. tools/bench/example_heaps.py reads that.
"""

import asyncio
import sys

_TIMEOUT_MS = 30000  # of real time
_FULL_MS = 12000
_DELIVERED = 2
_SLOTS = 70


def main(path: str, uarts: list) -> None:
    import board
    import config_file

    from joulelog import build, clock, registry

    config = config_file.load(path, uarts)
    del config_file, sys.modules["config_file"]  # no part of what is measured
    speed = config.SPEED
    clock.set_speed(speed)
    build.fitting = lambda *_: (0, "")  # what is needed is measured, not asked
    app = build.build(config, board)
    del build
    registry.drop("joulelog.build")  # as start.run() does
    del config

    async def watch() -> None:
        running = asyncio.create_task(app.run())
        started = clock.uptime_ms()
        slots = min(app.queue.slots, _SLOTS)
        passed = done = 0
        while passed < _TIMEOUT_MS * speed and not app.supervisor.restarts:
            full = app.queue.newest > slots or passed > _FULL_MS * speed
            if full and done >= _DELIVERED:
                break
            await clock.sleep_ms(100 * speed)
            passed = clock.uptime_ms() - started
            servers = [sink for sink in app.sinks if not hasattr(sink, "histories")]
            done = min([sink.cursor.sent for sink in servers])
        print("DONE", 1, done if done >= _DELIVERED else 0, app.supervisor.restarts)
        running.cancel()

    asyncio.run(watch())


main(sys.argv[1], sys.argv[2:])
