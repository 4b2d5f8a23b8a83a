"""A telegram a second to MQTT: the heap in use while the queue fills, and when it is full.

    queue_fills.py TELEGRAM PORT DIRECTORY SLOTS

For test_queue_fills.py. Prints "heap USED newest SERIAL" every five seconds of the firmware's
clock, behind a collection, and ends when two and a half queues of readings have come.
"""

import gc
import sys

_SPEED = 6
_LOOK_MS = 5000


class Board:
    NAME = "TEST"
    CHIP = "host"
    UARTS: dict = {}
    LED = None
    LINE_BUFFER = 2560


class Watcher:
    """Stands for the module of a reader."""

    SCHEMA = ""
    NEEDS = ("queue",)

    class Reader:
        def __init__(self, name, entry, output, queue) -> None:
            self.name = name
            self._queue = queue

        def describe(self) -> str:
            return "somebody who looks at the heap"

        async def run(self) -> None:
            from joulelog import clock

            while self._queue.newest < self._queue.slots * 5 // 2:
                await clock.sleep_ms(_LOOK_MS)
                gc.collect()
                print("heap", gc.mem_alloc(), "newest", self._queue.newest)  # type: ignore
            raise KeyboardInterrupt


class Config:
    device = "filling"
    readers = ({"type": "replay", "file": sys.argv[1], "pause_ms": 1000}, {"type": "watcher"})
    sinks = ({"type": "mqtt", "host": "127.0.0.1", "port": int(sys.argv[2])},)
    log = {"size_kb": 20, "directory": sys.argv[3]}
    queue = {"flash_kb": 0, "slots": int(sys.argv[4])}


def main() -> None:
    sys.modules["watcher"] = Watcher  # type: ignore[assignment]
    from joulelog import clock, registry, start

    clock.set_speed(_SPEED)
    registry.READERS = registry.READERS + (("watcher", "watcher"),)
    try:
        start.run(Config, Board)
    except KeyboardInterrupt:
        pass


main()
