"""Measure the longest step of each kind of task, in CPU time of this VM.

    asyncio.create_task = asyncio.core.create_task = measured_steps.create_task
    measured_steps.counting[0] = True
    …
    measured_steps.tell()                  # prints "STEP name microseconds" per task

A step is what a task does between two awaits, when nothing else can run. All tasks are wrapped,
those of libraries included. "collection" is a collection of the heap alone, which falls into
anybody's step. What is to be made of several runs: tools/rig/step_times.py.
"""

import asyncio
import gc

try:
    import ffi

    _cpu_us = ffi.open("libc.so.6").func("l", "clock", "")  # CPU time of this process
except ImportError:
    from cputime import us as _cpu_us  # the frozen VM: tools/rig/frozen_vm

_COLLECTIONS = 5  # the shortest counts
apart = [0]  # microseconds that are in no step: of what is C code on a chip

_create = asyncio.create_task
_longest: dict = {}
counting = [False]


def now_us() -> int:
    """Of the clock of all steps."""
    return _cpu_us() - apart[0]


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
        started = now_us()
        try:
            return self._coroutine.send(value)
        finally:
            self._took(now_us() - started)

    def throw(self, *error):
        """The next step is an exception: a cancelled wait."""
        started = now_us()
        try:
            return self._coroutine.throw(*error)
        finally:
            self._took(now_us() - started)

    def close(self) -> None:
        """End it."""
        self._coroutine.close()

    def _took(self, us: int) -> None:
        if counting[0] and us > _longest.get(self._name, -1):
            _longest[self._name] = us


def create_task(coroutine):
    """In the place of asyncio's."""
    return _create(Measured(coroutine))


def unmeasured(coroutine):
    """A task whose steps are not measured."""
    return _create(coroutine)


def tell() -> None:
    """Stop counting, and print the longest steps so far."""
    counting[0] = False
    took = []
    for _ in range(_COLLECTIONS):
        started = _cpu_us()
        gc.collect()
        took.append(_cpu_us() - started)
    _longest["collection"] = min(took)
    for name, us in _longest.items():
        print("STEP", name, us)
    _longest.clear()
