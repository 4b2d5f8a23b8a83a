"""Run the firmware and print the longest step of each kind of task, in CPU time of this VM.

    size_steps.py CONFIG UART TELEGRAMS

What a step is: measured_steps.py. Steps count from the moment when every sink has delivered
something: before that modules are loaded. Prints "STEP name microseconds" per task, and "DONE
telegrams".
"""

import asyncio
import sys

import config_file
from measured_steps import counting, create_task, tell

_TIMEOUT_MS = 300000


def main(path: str, uart: str, wanted: int) -> None:
    import board

    from joulelog import build, clock

    config = config_file.load(path, [uart])
    clock.set_speed(config.SPEED)
    build.fitting = lambda *_: (0, "")  # as in size_run.py
    app = build.build(config, board)
    asyncio.create_task = asyncio.core.create_task = create_task

    async def watch() -> None:
        running = asyncio.create_task(app.run())
        deadline = clock.uptime_ms() + _TIMEOUT_MS
        framer = app.readers[0]._p1.framer
        while min([sink.cursor.sent for sink in app.sinks]) < 1 and clock.uptime_ms() < deadline:
            await clock.sleep_ms(100)
        counting[0] = True
        first = framer.telegrams
        while framer.telegrams < first + wanted and clock.uptime_ms() < deadline:
            await clock.sleep_ms(100)
        tell()
        print("DONE", framer.telegrams - first, min([sink.cursor.sent for sink in app.sinks]))
        running.cancel()

    asyncio.run(watch())


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
