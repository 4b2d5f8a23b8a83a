"""Run the firmware as a board does, and take its memory away: for test_starved.py.

    starve.py CONFIG UART READINGS LEFT

After so many readings of the meter all of the heap but LEFT bytes is taken, and kept; 0 readings:
never. The board of this program restarts itself, which is the exit status 86.
"""

import asyncio
import gc
import sys


def main(path: str, uart: str, readings: int, left: int) -> None:
    import board

    from joulelog import clock, start

    slash = path.rfind("/")
    sys.path.insert(0, path[:slash])
    config = __import__(path[slash + 1 : -3])
    for entry in config.readers:
        if entry.get("uart") == "sim":
            entry["uart"] = uart
    clock.set_speed(config.SPEED)
    board.WATCHDOG_MS = 0  # restarts itself
    start.fitting = lambda config, board: (0, "")
    build = start.build
    taken: list = [None]

    def squeeze() -> None:
        size = 16384
        gc.collect()
        while gc.mem_free() > left:
            size = min(size, max(16, gc.mem_free() - left - 64))
            try:
                taken[0] = [taken[0], bytearray(size)]
            except MemoryError:
                size //= 2
                if size < 32:
                    break
        print("SQUEEZED", gc.mem_free())

    def built(*about):
        app = build(*about)
        run = app.run

        async def watch() -> None:
            while app.queue.newest < readings:
                await clock.sleep_ms(200)
            squeeze()

        async def watched() -> None:
            watching = asyncio.create_task(watch()) if readings else None
            try:
                await run()
            finally:
                if watching:
                    watching.cancel()

        app.run = watched
        return app

    start.build = built
    start.run(config, board)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
