"""A queue with one sink in it, built from a config entry as the app builds it, for tests of sinks.

logger = Logger({"type": "influxdb", "url": ..., "database": "x"})
logger.put(0, 45678123, power=1193)
asyncio.run(logger.drain())
"""

import asyncio
from types import SimpleNamespace

from joulelog import clock, registry
from joulelog.config import schema
from joulelog.flow.queue import Queue
from joulelog.flow.reading import Source

NOON = 848404800  # UTC in seconds since 2000
UNIX = NOON + clock.UNIX_2000
P1 = Source(
    "p1",
    (
        ("energy_import_t1", "kWh", 3, "total_increasing", "energy"),
        ("power_import", "W", 0, "measurement", "power"),
        ("message", "", 0, "text", ""),
    ),
)


class Board:
    """As much of a board as the schema wants to know."""

    NAME = "HOST"
    UARTS = ()


class Logger:
    """A queue and a sink."""

    def __init__(self, entry: dict, slots: int = 4096, readers=(), meters=()) -> None:
        given = {
            "device": "test",
            "readers": [{"type": "dsmr", "name": name, "uart": "sim"} for name in meters],
            "sinks": [{"interval": 0, **entry}],
        }
        config = schema.check(given, Board, registry)
        entry = config.sinks[0]
        app = SimpleNamespace(clock=clock.Clock(), device="test", readers=readers)
        app.queue = self.queue = Queue(slots, app.clock)
        module = registry.module(registry.SINKS, entry["type"])
        self.cursor = cursor = self.queue.sink_cursor(module, entry, True)
        self.sink = module.Sink(entry["name"], entry, cursor, *registry.needed(module, app))
        self.states: list[str] = []  # what the sink said, in order

    def put(self, number: int, energy, power=None, message=None) -> None:
        """Queue a reading of P1, taken at NOON + number seconds; energy in Wh, power in W."""
        self.put_values(number, P1, (energy, power, message))

    def put_values(self, number: int, source: Source, values: tuple) -> None:
        """Queue a reading of any source."""
        self.queue.put((NOON + number, source, values))

    async def until(self, done, limit_s: float = 60) -> None:
        """Run the sink until done() is true."""
        task = asyncio.create_task(self.sink.run())
        try:
            async with asyncio.timeout(limit_s):
                while not done():
                    if task.done():
                        task.result()
                    if self.sink.state not in self.states[-1:]:
                        self.states.append(self.sink.state)
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def drain(self) -> None:
        """Run the sink until the server has everything."""
        await self.until(lambda: not self.sink.cursor.waiting)
