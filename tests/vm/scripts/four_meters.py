"""Run a config of several readers by a fast clock: its heap, and the longest step of each task.

    four_meters.py WHAT CONFIG WARM CYCLES UART …

Each UART stands for one "sim" in CONFIG, whose SPEED is the clock's. A cycle is a reading with
values that a reader publishes. WHAT is "heap": prints "HEAP cycles bytes" lines, each after a
collection, the first after WARM cycles of all readers together, the last after CYCLES more. Or it
is "steps": between the two nothing collects but the firmware, and "STEP name microseconds" lines
follow, as of measured_steps.py. Then "READER name cycles" and "DONE cycles restarts".
"""

import asyncio
import gc
import sys

import config_file
from measured_steps import counting, create_task, tell

_TIMEOUT_MS = 1500000  # of real time
_LINES = 10
_LOOKS = 5  # for one line: the least counts, which is without half a telegram


def main(what: str, path: str, warm: int, wanted: int, uarts: list) -> None:
    import board

    from joulelog import build, clock

    config = config_file.load(path, uarts)
    clock.set_speed(config.SPEED)
    app = build.build(config, board)
    asyncio.create_task = asyncio.core.create_task = create_task  # type: ignore

    cycles = {reader.name: 0 for reader in app.readers}
    put = app.queue.put

    def count(reading: tuple) -> None:
        put(reading)
        for value in reading[2]:
            if value is not None:
                cycles[reading[1].name] += 1
                return

    app.queue.put = count

    async def used() -> int:
        least = 1 << 29
        for _ in range(_LOOKS):
            gc.collect()
            least = min(least, gc.mem_alloc())
            await asyncio.sleep_ms(7)
        return least

    async def watch() -> None:
        running = asyncio.create_task(app.run())
        deadline = clock.uptime_ms() + _TIMEOUT_MS * config.SPEED
        for line in range(_LINES + 1):
            due = warm + wanted * line // _LINES
            while sum(cycles.values()) < due and clock.uptime_ms() < deadline:
                await asyncio.sleep_ms(20)
            if what == "heap":
                print("HEAP", sum(cycles.values()), await used())
            else:
                counting[0] = True
        for reader in app.readers:
            print("READER", reader.name, cycles[reader.name])
        if what == "steps":
            tell()
        print("DONE", sum(cycles.values()) - warm, app.supervisor.restarts)
        running.cancel()

    asyncio.run(watch())


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
