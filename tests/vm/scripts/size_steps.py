"""Run the firmware and print the longest step of each kind of task, in CPU time of this VM.

    size_steps.py CONFIG UART TELEGRAMS

What a step is: measured_steps.py. Steps count from the moment when every sink has delivered
something: before that modules are loaded. Prints "STEP name microseconds" per task, and "DONE
telegrams".
"""

import asyncio
import sys

from measured_steps import counting, create_task, tell

_TIMEOUT_MS = 300000


def main(path: str, uart: str, wanted: int) -> None:
    import board

    from joulelog import clock, start

    slash = path.rfind("/")
    sys.path.insert(0, path[:slash])
    config = __import__(path[slash + 1 : -3])
    for entry in config.readers:
        entry["uart"] = uart
    clock.set_speed(config.SPEED)
    start.fitting = lambda config, board: (0, "")  # as in size_run.py
    app = start.build(config, board)
    asyncio.create_task = asyncio.core.create_task = create_task

    async def watch() -> None:
        running = asyncio.create_task(app.run())
        deadline = clock.uptime_ms() + _TIMEOUT_MS
        reader = app.readers[0]
        while min([c.sent for c in app.cursors]) < 1 and clock.uptime_ms() < deadline:
            await clock.sleep_ms(100)
        counting[0] = True
        first = reader.telegrams
        while reader.telegrams < first + wanted and clock.uptime_ms() < deadline:
            await clock.sleep_ms(100)
        tell()
        print("DONE", reader.telegrams - first, min([cursor.sent for cursor in app.cursors]))
        running.cancel()

    asyncio.run(watch())


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
