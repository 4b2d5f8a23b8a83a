"""Run the firmware and print the longest step of each kind of task, in CPU time of this VM.

    size_steps.py CONFIG UART TELEGRAMS

A step is what a task does between two awaits, when nothing else can run. All tasks are wrapped,
those of libraries included. Steps count from the moment when every sink has delivered something:
before that modules are loaded. Prints "STEP name microseconds" per task, and "DONE telegrams".
"""

import asyncio
import sys

import ffi

_cpu_us = ffi.open("libc.so.6").func("l", "clock", "")  # microseconds of CPU time of this process
_TIMEOUT_MS = 300000
_create = asyncio.create_task
longest: dict = {}
counting = [False]


class Measured:
    """A coroutine whose steps are measured."""

    def __init__(self, coroutine) -> None:
        self._coroutine = coroutine
        inner = coroutine
        while hasattr(inner, "_coroutine"):  # the supervisor's own wrapper
            inner = inner._coroutine
        # "<generator object 'run' at f7c3b8a0>"
        self._name = getattr(coroutine, "_name", None) or repr(inner).split("'")[1]

    def send(self, value):
        """The next step."""
        started = _cpu_us()
        try:
            return self._coroutine.send(value)
        finally:
            self._took(_cpu_us() - started)

    def throw(self, *error):
        """The next step is an exception: a cancelled wait."""
        started = _cpu_us()
        try:
            return self._coroutine.throw(*error)
        finally:
            self._took(_cpu_us() - started)

    def close(self) -> None:
        """End it."""
        self._coroutine.close()

    def _took(self, us: int) -> None:
        if counting[0] and us > longest.get(self._name, -1):
            longest[self._name] = us


def create_task(coroutine):
    """In the place of asyncio's."""
    return _create(Measured(coroutine))


def main(path: str, uart: str, wanted: int) -> None:
    import board

    from joulelog import clock, start

    slash = path.rfind("/")
    sys.path.insert(0, path[:slash])
    config = __import__(path[slash + 1 : -3])
    for entry in config.readers:
        entry["uart"] = uart
    clock.set_speed(config.SPEED)
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
        counting[0] = False
        for name, us in longest.items():
            print("STEP", name, us)
        print("DONE", reader.telegrams - first, min([cursor.sent for cursor in app.cursors]))
        running.cancel()

    asyncio.run(watch())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
