"""A queue with its spool and one sink, without the config's check and a meter.

For tests/servers/drain.py.

    job.json: {"entry": {checked config entry of the sink}, "spool": folder, "flash_kb": 1000,
               "page": 1024, "slots": 64, "burst": 0, "channels": [[key, …], …], "values": […]}

What waits in the spool goes out, and so does a new reading each second; the first `burst` ones
come fifty times as fast. "LIVE unix n stored" tells that one goes into the queue whose third value
is higher by n, and how many the spool has written so far.
"""

import asyncio
import gc
import json
import sys

from civil import UNIX_2000

from joulelog import clock, registry
from joulelog.backlog.files import Files
from joulelog.backlog.opening import open_spool
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source
from joulelog.supervisor import Supervisor


class Network:
    """As much of the Wi-Fi as a sink asks for."""

    up = True

    async def wait_up(self) -> None:
        """It is."""


class Config:
    """As much of a config as a sink asks for."""

    readers = [{"name": "p1"}]


class App:
    """As much of the app as a sink asks for."""

    def __init__(self) -> None:
        self.clock = clock.Clock()
        told = clock.board_time()
        if told is not None:
            self.clock.set(told, "computer")
        self.config = Config
        self.device = "logger"
        self.readers = ()
        self.network = Network()
        self.supervisor = Supervisor()
        self.board = Config
        self.queue = None


def main(path: str) -> None:
    """Do the job until somebody ends this process."""
    with open(path) as file:
        job = json.load(file)
    app = App()
    app.queue = queue = Queue(job["slots"], app.clock, 0x1ABCDEF)
    entry = job["entry"]
    module = registry.module(registry.SINKS, entry["type"])
    cursor = queue.sink_cursor(module, entry, True)
    sink = module.Sink(entry["name"], entry, cursor, *registry.needed(module, app))
    cursor.durable = True
    spool = open_spool(queue, Files(job["spool"]), job["flash_kb"] * 1000, job["page"], 0)
    registry.drop("joulelog.backlog.opening", "ringlog.ringopen")
    source = Source("p1", tuple([tuple(channel) for channel in job["channels"]]))
    values = job["values"]
    burst = job["burst"]
    del job
    gc.collect()
    gc.threshold(gc.mem_free() // 8)

    async def live() -> None:
        number = 0
        began = app.clock.stamp() - 1
        while True:
            number += 1
            stamp = app.clock.stamp()
            if number <= burst:
                stamp = began - burst + number
            print("LIVE", stamp + UNIX_2000, number, spool.stored)
            queue.put((stamp, source, tuple(values[:2] + [values[2] + number] + values[3:])))
            await clock.sleep_ms(20 if number < burst else 1000)

    async def run() -> None:
        app.supervisor.start(sink.name, sink.run)
        app.supervisor.start("spool", spool.run)
        app.supervisor.start("live", live)
        await app.supervisor.wait()

    print(spool.waiting, "readings of earlier runs wait on the flash")
    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        pass


main(sys.argv[1])
