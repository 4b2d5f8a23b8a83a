"""Measure the longest step of each kind of task, in CPU time of this VM.

    asyncio.create_task = asyncio.core.create_task = measured_steps.create_task
    measured_steps.counting[0] = True
    …
    measured_steps.longest                 # {"run": 1234} in microseconds

A step is what a task does between two awaits, when nothing else can run. All tasks are wrapped,
those of libraries included.
"""

import asyncio

try:
    import ffi

    _cpu_us = ffi.open("libc.so.6").func("l", "clock", "")  # CPU time of this process
except ImportError:  # the frozen VM
    import time

    def _cpu_us() -> int:
        return int(time.clock() * 1000000)


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
