"""The firmware on a computer whose clock goes on while it is killed; writes down each reading.

    kill_host.py CONFIG TRUTH UTC MONOTONIC SPEED

UTC (Unix seconds) was the time when the system's monotonic clock showed MONOTONIC; since then it
goes SPEED times as fast. Each reading is appended to TRUTH before the queue gets it, a line of
JSON each. For test_kill.py.

`ran_ms` there is the time that the firmware has had so far: where it gets no CPU, time goes on and
nothing can be written, as on no chip.
"""

import asyncio
import json
import os
import sys
import time

from civil import UNIX_2000, iso
from exact import DECIMALS, KEY, KIND, text

from joulelog import clock
from joulelog.flow import queue as queue_module
from tools.host import start

_put = queue_module.Queue.put
_BEAT_MS = 100  # ten of the computer's
_LATE_MS = 50  # what a beat may be late without a doubt


class Heart:
    """Counts the time in which the loop runs; started with the first reading."""

    def __init__(self) -> None:
        self._task: asyncio.Task | None = None
        self._ran_ms = 0
        self._beat_ms = 0  # uptime

    def ran_ms(self) -> int:
        """So far."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
            self._beat_ms = clock.uptime_ms()
        return self._ran_ms + self._since()

    def _since(self) -> int:
        return min(clock.uptime_ms() - self._beat_ms, _BEAT_MS + _LATE_MS)

    async def _run(self) -> None:
        while True:
            await clock.sleep_ms(_BEAT_MS)
            self._ran_ms += self._since()
            self._beat_ms = clock.uptime_ms()


def shown(channel: tuple, value) -> str:
    """A value as MQTT has it."""
    if isinstance(value, str):
        return value
    return iso(value) if channel[KIND] == "time" else text(value, channel[DECIMALS])


def main(config: str, truth: str, utc: str, monotonic: str, speed: str) -> None:
    """Run the firmware for ever."""
    file = os.open(truth, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    heart = Heart()

    def told() -> int:
        return int(utc) - UNIX_2000 + int((time.monotonic() - float(monotonic)) * int(speed))

    def put(queue, reading: tuple) -> None:
        stamp, source, values = reading
        line = {
            "id": "%08x-%x" % (queue.boot, queue.newest + 1),
            "time": queue.clock.resolve(stamp) + UNIX_2000,
            "ran_ms": heart.ran_ms(),
            "source": source.name,
            "values": {
                channel[KEY]: shown(channel, value)
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
