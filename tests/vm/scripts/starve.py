"""Run the firmware as a board does, and take its memory away: for test_starved.py.

    starve.py CONFIG UART READINGS LEFT

After so many readings of the meter all of the heap but LEFT bytes is taken, and kept; 0 readings:
never. The board of this program restarts itself, which is the exit status 86.
"""

import asyncio
import gc
import sys

import config_file


def main(path: str, uart: str, readings: int, left: int) -> None:
    import board

    from joulelog import build, clock, start

    config = config_file.load(path, [uart])
    clock.set_speed(config.SPEED)
    board.WATCHDOG_MS = 0  # restarts itself
    build.fitting = lambda *_: (0, "")
    original = build.build
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
        app = original(*about)
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

    build.build = built
    del build
    start.run(config, board)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
