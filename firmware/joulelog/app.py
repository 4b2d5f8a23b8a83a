"""The composition root: the only place that builds objects and creates tasks.

    import config, board
    run(config, board)            # never returns; on a computer Ctrl-C ends it

Meters -> queue -> servers; who does what is in the README. Everything that a reader or sink
needs of the rest it finds here:

    app.board  app.clock  app.queue  app.network  app.device  app.boot_id  app.version
"""

import asyncio
import gc
import logging
import os
import sys

from . import COMPILED, VERSION, clock, log, registry
from .errors import ConfigError
from .net.wifi import Wifi
from .queue import Queue
from .reading import Output
from .supervisor import Supervisor
from .timekeeper import Timekeeper


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
        keeper = Timekeeper(self.clock, self.network, self.config.clock["ntp"])
        if self.clock.source != "computer":
            start("time", keeper.run)
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


def build(config, board, terminal: bool = False) -> App:
    """Check a config (module or dict) and build the app; ConfigError says what to change."""
    from . import report, schema

    app = App(schema.check(config, board, registry), board, terminal)
    for line in report.lines(app, schema):
        logging.getLogger("start").info(line)
    for name in ("schema", "kinds", "report"):  # needed at start only
        sys.modules.pop("joulelog." + name, None)
    package = sys.modules["joulelog"]
    for name in ("schema", "kinds", "report"):
        if hasattr(package, name):
            delattr(package, name)
    gc.collect()
    return app


def run(config, board, terminal: bool = False) -> None:
    """Build the app and run it; prints what is wrong with the config, and raises ConfigError."""
    try:
        app = build(config, board, terminal)
    except ConfigError as error:
        print("The config cannot work yet:")
        for line in str(error).split("\n"):
            print("  " + line)
        raise
    asyncio.run(app.run())
