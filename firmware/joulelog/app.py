"""The composition root: the only place that builds objects and creates tasks.

    app = App(checked_config, board)
    asyncio.run(app.run())

Meters -> queue -> servers; who does what is in the README. Everything that a reader or sink
needs of the rest it finds here:

    app.board  app.clock  app.queue  app.network  app.device  app.boot_id  app.version
"""

import os
import sys

from . import COMPILED, VERSION, clock, log, registry
from .net.wifi import Wifi
from .queue import Queue
from .reading import Output
from .supervisor import Supervisor


class App:
    """All parts of the firmware, built from a checked config."""

    def __init__(self, config, board, terminal: bool = False) -> None:
        self.version = VERSION
        self.compiled = COMPILED
        self.config = config
        self.board = board
        self.device = config.device
        self.terminal = terminal  # the console may redraw a table
        self.boot_id = "".join(["%02x" % byte for byte in os.urandom(4)])
        self.clock = clock.Clock()
        told = clock.board_time()
        if told is not None:
            self.clock.set(told, "computer" if board.NAME == "HOST" else "board")
        self.log = log.setup(
            config.log["directory"] or board.LOG_DIRECTORY,
            config.log["size_kb"] * 1000,
            config.log["level"],
            self.clock,
            sys.stdout,
            getattr(board, "LOG_BUFFER", 1024),
        )
        self.supervisor = Supervisor()
        self.network = Wifi(config.wifi, config.device)
        self.queue = Queue(config.queue["slots"], self.clock)
        self.cursors: list = []
        self.readers = [self._reader(entry) for entry in config.readers]
        self.sinks = [self._sink(entry) for entry in config.sinks]

    def _reader(self, entry: dict):
        module = registry.module(registry.READERS, entry["type"])
        output = Output(
            self.queue, entry["name"], entry["names"], entry["offsets"], entry["channels"]
        )
        return module.Reader(entry["name"], entry, self, output)

    def _sink(self, entry: dict):
        module = registry.module(registry.SINKS, entry["type"])
        cursor = self.queue.cursor(
            entry["name"], entry["sources"], entry["channels"], entry["every"]
        )
        self.cursors.append(cursor)
        return module.Sink(entry["name"], entry, self, cursor)

    async def run(self) -> None:
        """Start all tasks, and keep them running for ever."""
        start = self.supervisor.start
        start("wifi", self.network.run)
        if self.clock.source != "computer":
            from .timekeeper import Timekeeper

            start("time", Timekeeper(self.clock, self.network, self.config.clock["ntp"]).run)
        for part in self.sinks + self.readers:
            start(part.name, part.run)
        start("log", self._write_log)
        try:
            await self.supervisor.wait()
        finally:
            self.log.flush()

    async def _write_log(self) -> None:
        while True:
            await clock.sleep_ms(1000)
            self.log.tick()
