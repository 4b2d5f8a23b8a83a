"""The firmware on a computer whose clock goes on while it is killed; writes down each reading.

    kill_host.py CONFIG TRUTH UTC MONOTONIC SPEED

UTC (Unix seconds) was the time when the system's monotonic clock showed MONOTONIC; since then it
goes SPEED times as fast. Each reading is appended to TRUTH before the queue gets it, a line of
JSON each. For test_kill.py.
"""

import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/host"))

import start  # type: ignore[import-not-found] - the firmware's main.py for a computer
from civil import UNIX_2000
from exact import DECIMALS, KEY, text

from joulelog import clock
from joulelog import queue as queue_module

_put = queue_module.Queue.put


def main(config: str, truth: str, utc: str, monotonic: str, speed: str) -> None:
    """Run the firmware for ever."""
    file = os.open(truth, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def told() -> int:
        return int(utc) - UNIX_2000 + int((time.monotonic() - float(monotonic)) * int(speed))

    def put(queue, reading: tuple) -> None:
        stamp, source, values = reading
        line = {
            "id": "%08x-%x" % (queue.boot, queue.newest + 1),
            "time": queue.clock.resolve(stamp) + UNIX_2000,
            "taken": queue.clock.now() + UNIX_2000,
            "source": source.name,
            "values": {
                channel[KEY]: value if isinstance(value, str) else text(value, channel[DECIMALS])
                for channel, value in zip(source.channels, values, strict=True)
                if value is not None
            },
        }
        os.write(file, (json.dumps(line) + "\n").encode())
        _put(queue, reading)

    clock.board_time = told
    queue_module.Queue.put = put  # type: ignore[method-assign]
    start.main(config, [])


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        print("stopped")
