"""The composition root: the only place that builds objects and creates tasks.

    app = App(checked_config, board)
    asyncio.run(app.run())
    app.close()                           # whatever ended it

Meters -> queue -> servers; who does what is in docs/design.md. What NEEDS may name of it:

    board clock device log network queue store supervisor terminal
    buses                     lines that several meters share, by UART
    readers sinks services    lists; before the app runs only what was built until then
"""

import gc
import os
import sys

import machine
from micropython import const

from . import COMPILED, clock, registry
from .device import logging_setup
from .device.guard import Guard
from .device.state import Store
from .errors import ConfigError
from .flow.queue import Queue
from .flow.reading import Output
from .net.wifi import Wifi
from .supervisor import Supervisor

_HEARTBEAT_S = const(120)  # a reader looks at its line several times a second
_FEW_SLOTS = const(16)  # without flash such a ring is no backlog that is worth a second lane
_UPDATE = "update"  # in the state: what update/ has noted of one
_PATIENCE_S = const(900)  # a server may ask a sink to wait for 600 s


class App:
    """All parts of the firmware, built from a checked config."""

    def __init__(self, config, board, terminal=None) -> None:
        self.config = config
        self.board = board
        self.device = config.device
        self.terminal = terminal  # its size, where there is one: sinks/table.py
        boot = int.from_bytes(os.urandom(4), "big") >> 2  # a small integer
        self.boot_id = "%08x" % boot
        clock.set_built(COMPILED)
        self.clock = clock.Clock()
        told = clock.board_time()
        if told is not None:
            self.clock.set(told, "computer" if board.NAME == "HOST" else "board")
        if config.clock["timezone"]:
            import posixtz

            self.clock.zone = posixtz.Zone(config.clock["timezone"])
        directory = registry.log_folder(config, board)
        size, level = config.log["size_kb"] * 1000, config.log["level"]
        console, buffer = self._console(config), getattr(board, "LOG_BUFFER", 1024)
        self.log = logging_setup.setup(directory, size, level, self.clock, console, buffer)
        self.supervisor = Supervisor()
        wifi = config.wifi or []
        self.network = Wifi([wifi] if isinstance(wifi, dict) else wifi, config.device)
        self.queue = Queue(config.queue["slots"], self.clock, boot)
        self.queue.aside = self._put_aside  # type: ignore[assignment]
        self._dead_letters = None  # made for the first reading that is refused
        self.directory = directory
        self.buses: dict = {}
        self.store = Store(directory)
        self.store.open()
        self.guard = Guard(self)
        self.readers: list = []
        self.sinks: list = []
        if self.store.get(_UPDATE):
            from .update import trial

            about = self.store, self.network, self.queue.latest, self.sinks
            self.guard.trial = trial.begin(*about)  # type: ignore[assignment]
        self.services: list = []
        for name in config.services:
            section = config.services[name]
            if section.get("on") is not False:
                module = registry.module(registry.SERVICES, name)
                self.services.append(module.Service(section, *registry.needed(module, self)))
        for entry in config.readers:
            self.readers.append(self._reader(entry))
        for entry in config.sinks:
            self.sinks.append(self._sink(entry))
        self._savers = [sink.save for sink in self.sinks if hasattr(sink, "save")]
        self.spool = None
        about = config.queue
        if about["flash_kb"] != 0 and any([sink.cursor.durable for sink in self.sinks]):
            from .backlog import files, opening

            place = files.place_of(config, board)
            restarted = self.guard.reset != "power on"
            marks = opening.marks(self.sinks, config.sinks, self.device)
            self.spool = opening.of(self.queue, place, about, restarted, marks)

    def _console(self, config):
        """Where the log's lines go: an ESP8266 has one pin for them and for the LED."""
        spare = getattr(self.board, "LOG_UART", None)
        if spare is not None and not config.services.get("led", {}).get("on"):
            for entry in config.readers:
                if entry.get("uart") in self.board.UARTS:  # the REPL's: there is no other
                    config.services.pop("led", None)
                    return machine.UART(spare, 115200)
        return sys.stdout

    def _reader(self, entry: dict):
        module = registry.module(registry.READERS, entry["type"])
        name = entry["name"]
        said = entry["names"], entry["offsets"], entry["channels"]
        output = Output(self.queue, name, *said, (self.device, entry["type"], None, None, None))
        return module.Reader(name, entry, output, *registry.needed(module, self))

    def _sink(self, entry: dict):
        module = registry.module(registry.SINKS, entry["type"])
        about = self.config.queue
        backlog = about["flash_kb"] != 0 or about["slots"] > _FEW_SLOTS
        cursor = self.queue.sink_cursor(module, entry, backlog, self.terminal)
        try:
            return module.Sink(entry["name"], entry, cursor, *registry.needed(module, self))
        except ImportError as error:
            raise ConfigError(
                "the sink %s needs what is not installed (%s): `make flash` installs it, "
                "`make deps` on a computer" % (entry["name"], error)
            )

    def _put_aside(self, cursor, item: tuple, why: str) -> None:
        """Keep what no server will ever take."""
        if self._dead_letters is None:
            from .backlog.dead_letters import DeadLetters

            size_kb = getattr(self.board, "ASIDE_KB", 32)
            self._dead_letters = DeadLetters(self.directory, self.clock, size_kb)
        self._dead_letters.put(cursor.name, item, why)

    async def run(self) -> None:
        """Start all tasks, and keep them running for ever."""
        self._start()
        try:
            await self.supervisor.wait(self.guard.watchdog())
        finally:
            self.log.flush()

    def _start(self) -> None:
        """All tasks; a frame of its own, because that of run() is there for years."""
        config = self.config
        del self.config  # the parts have what they need of it
        start = self.supervisor.start
        for service in self.services:
            start(service.name, service.run)
        start("wifi", self.network.run, _HEARTBEAT_S)
        if self.clock.source != "computer":
            from .timekeeper import Timekeeper

            servers = config.clock["ntp"]
            spares = getattr(self.board, "SPARES_NTP", False)
            keeper = Timekeeper(self.clock, self.network, servers, spares)
            start("time", keeper.run)
        for sink, entry in zip(self.sinks, config.sinks):
            silent_s = _PATIENCE_S + entry.get("interval", 0)
            start(sink.name, sink.run, silent_s, self._owes(sink.cursor))
        for reader, entry in zip(self.readers, config.readers):
            start(reader.name, reader.run, _HEARTBEAT_S + entry.get("interval", 0))
        if self.spool:
            start("spool", self.spool.run, _HEARTBEAT_S)
        chip = getattr(self.board, "CHIP", "")
        if config.wifi and chip != "esp8266" and registry.has(self.board, "setup"):
            from .setup.beside import Beside

            about = self.network, self.device, self.store, self.directory
            start("setup", Beside(self.board, *about).run)
        if registry.listens(config, self.board):
            from .setup.cable import Cable

            about = self.network, self.device, self.directory
            start("improv", Cable(self.board, *about, self._child).run)
        start("log", self._look_after, _HEARTBEAT_S)

    def close(self) -> None:
        """After run(), whatever ended it: leave a board that its REPL can be used on."""
        if self.guard.planned:  # for want of memory: nobody needs these any more
            self.sinks = self.readers = []
            self.supervisor.forget()
        for part in (self.save, self.guard.close):
            gc.collect()  # what the tasks held, and what saving took
            try:
                part()
            except MemoryError:
                print("no memory to save all")

    def save(self) -> None:
        """Before a restart that is planned: what is in RAM goes to the flash."""
        if self.spool:
            self.spool.close()
            gc.collect()
        if self._dead_letters:
            self._dead_letters.flush()
        for save in self._savers:
            save()
        self.log.flush()

    def _child(self, coroutine):
        return self.supervisor.child("improv", coroutine)

    def _owes(self, cursor):
        """Whether a sink ought to do something: it has readings, their times, and a network."""
        return lambda: cursor.waiting and self.network.up and self.clock.source

    async def _look_after(self) -> None:
        while True:
            await clock.sleep_ms(1000)
            self.log.tick()
            self.guard.tick()
            if self._dead_letters:
                self._dead_letters.tick()
