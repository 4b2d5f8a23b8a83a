"""Run a config until every sink has delivered and the queue's ring is full.

    size_example.py CONFIG [UART …]

Each UART stands for one "sim" in CONFIG, whose SPEED is the clock's; a ring that fills slowly is
not waited for longer than 12 s. Prints "DONE 1 delivered restarts": delivered is the least that
any sink has. It ends early where a task had to be started again, which is what a heap that is too
small looks like. tools/example_heaps.py reads that.
"""

import asyncio
import sys

_TIMEOUT_MS = 30000  # of real time
_FULL_MS = 12000
_DELIVERED = 2
_SLOTS = 70


def main(path: str, uarts: list) -> None:
    import board

    from joulelog import clock, start

    slash = path.rfind("/")
    sys.path.insert(0, path[:slash])
    config = __import__(path[slash + 1 : -3])
    sys.path.pop(0)
    for entry in config.readers:
        for key in ("uart", "pin"):
            if entry.get(key) == "sim":
                entry[key] = uarts.pop(0)
    speed = config.SPEED
    clock.set_speed(speed)
    start.fitting = lambda config, board: (0, "")  # what is needed is measured, not asked
    app = start.build(config, board)
    del config
    sys.modules.pop(path[slash + 1 : -3])

    async def watch() -> None:
        running = asyncio.create_task(app.run())
        started = clock.uptime_ms()
        slots = min(app.config.queue["slots"], _SLOTS)
        passed = done = 0
        while passed < _TIMEOUT_MS * speed and not app.supervisor.restarts:
            full = app.queue.newest > slots or passed > _FULL_MS * speed
            if full and done >= _DELIVERED:
                break
            await clock.sleep_ms(100 * speed)
            passed = clock.uptime_ms() - started
            done = min([cursor.sent for cursor in app.cursors])
        print("DONE", 1, done if done >= _DELIVERED else 0, app.supervisor.restarts)
        running.cancel()

    asyncio.run(watch())


main(sys.argv[1], sys.argv[2:])
