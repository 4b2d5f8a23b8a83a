"""One sink at work in a process of its own, for tests on the VM: reads a job, prints a report.

    job.json: {"entry": {config entry of the sink}, "count": 1000, "pause_ms": 2, "speed": 20}

Queues `count` readings a pause apart, waits until the server has all of them, and prints one
line of JSON: the sink's counters, its last state, and heap figures.
"""

import asyncio
import gc
import json
import sys

from joulelog import clock, registry
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source

_NOON = 848404800  # UTC in seconds since 2000
_SOURCE = Source(
    "p1",
    (
        ("energy_import_t1", "kWh", 3, "total_increasing", "energy"),
        ("power_import", "W", 0, "measurement", "power"),
    ),
)


class App:
    """As much of the app as a sink asks for."""

    def __init__(self) -> None:
        self.clock = clock.Clock()
        self.readers = ()
        self.device = "test"
        self.queue = None


async def work(job: dict) -> dict:
    """Do the job; return the report."""
    app = App()
    app.queue = queue = Queue(job["slots"], app.clock)
    entry = job["entry"]
    module = registry.module(registry.SINKS, entry["type"])
    cursor = queue.sink_cursor(module, entry)
    sink = module.Sink("sink", entry, cursor, *registry.needed(module, app))
    task = asyncio.create_task(sink.run())
    free = []
    for number in range(job["count"]):
        queue.put((_NOON + number, _SOURCE, (45678123 + 7 * number, number)))
        await asyncio.sleep(job["pause_ms"] / 1000)
        if number % 100 == 99 and hasattr(gc, "mem_free"):
            gc.collect()
            free.append(gc.mem_free())
    while cursor.waiting:
        await asyncio.sleep(0.02)
        if task.done():
            await task
    task.cancel()
    report = dict(sink.counters())
    report["state"] = sink.state
    report["free"] = free
    return report


with open(sys.argv[1]) as file:
    task = json.load(file)
clock.set_speed(task["speed"])
print(json.dumps(asyncio.run(work(task))))
