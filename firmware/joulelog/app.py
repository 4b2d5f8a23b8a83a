"""The composition root: the only place that builds objects and creates tasks.

    app = App(checked_config, board)
    asyncio.run(app.run())
    app.close()                           # whatever ended it

Meters -> queue -> servers; who does what is in the README. Everything that a reader or sink
needs of the rest it finds here:

    app.board  app.clock  app.queue  app.network  app.device  app.boot_id  app.version
    app.supervisor
"""

import gc
import os
import sys

import machine
from micropython import const

from . import VERSION, clock, log, registry
from .errors import ConfigError
from .guard import Guard
from .net.wifi import Wifi
from .queue import Queue
from .reading import Output
from .supervisor import Supervisor

_HEARTBEAT_S = const(120)  # a reader looks at its line several times a second
_FEW_SLOTS = const(16)  # without flash such a ring is no backlog that is worth a second lane
_PATIENCE_S = const(900)  # a server may ask a sink to wait for 600 s


class App:
    """All parts of the firmware, built from a checked config."""

    def __init__(self, config, board, terminal: bool = False) -> None:
        self.version = VERSION
        self.config = config
        self.board = board
        self.device = config.device
        self.terminal = terminal  # the console may redraw a table
        boot = 0
        for byte in os.urandom(4):
            boot = (boot << 8 | byte) & 0x3FFFFFFF  # a small integer
        self.boot_id = "%08x" % boot
        self.clock = clock.Clock()
        told = clock.board_time()
        if told is not None:
            self.clock.set(told, "computer" if board.NAME == "HOST" else "board")
        if config.clock["timezone"]:
            import posixtz

            self.clock.zone = posixtz.Zone(config.clock["timezone"])
        stream, led = self._console()
        directory = config.log["directory"] or board.LOG_DIRECTORY
        self.log = log.setup(
            directory,
            config.log["size_kb"] * 1000,
            config.log["level"],
            self.clock,
            stream,
            getattr(board, "LOG_BUFFER", 1024),
        )
        self.supervisor = Supervisor()
        wifi = config.wifi or []
        self.network = Wifi(
            [wifi] if isinstance(wifi, dict) else wifi, config.device, self._link_changed
        )
        self.queue = Queue(config.queue["slots"], self.clock, boot)
        self.queue.aside = self._put_aside  # type: ignore[assignment]
        self._aside = None  # made for the first reading that is refused
        self._directory = directory
        self.cursors: list = []  # those of the sinks
        self.buses: dict = {}  # UART -> the line that several meters share
        self.guard = Guard(self, directory)
        self.led = None
        if led:
            self._use_led(led)
        self.outputs: list = []  # of the readers
        self.readers = [self._reader(entry) for entry in config.readers]
        self.sinks = [self._sink(entry) for entry in config.sinks]
        self.spool = None
        if config.queue["flash_kb"] != 0 and any([cursor.durable for cursor in self.cursors]):
            from . import spool_start

            self.spool = spool_start.of(self)

    def _console(self) -> tuple:
        """Where the log's lines go, and the LED: an ESP8266 has one pin for the two of them."""
        wanted = self.config.led["on"]
        led = getattr(self.board, "LED", None)
        spare = getattr(self.board, "LOG_UART", None)
        if spare is not None and not wanted:
            for entry in self.config.readers:
                if entry.get("uart") in self.board.UARTS:  # the REPL's: there is no other
                    return machine.UART(spare, 115200), None
        return sys.stdout, None if wanted is False else led

    def _use_led(self, about: dict) -> None:
        from . import net
        from .led import Led

        self.led = led = Led(about, self.config.led["quiet"])
        led.show("setup")
        self.queue.notice = led.pulse  # type: ignore[assignment]
        net.on_answer = lambda: led.show("busy", 300)

    def _link_changed(self, up: bool) -> None:
        if self.led:
            self.led.show("connected" if up else "offline")

    def _asks_time(self, now: bool) -> None:
        if self.led and now:
            self.led.show("sync", 10000)
        elif self.led:
            self.led.clear("sync")

    def _reader(self, entry: dict):
        module = registry.module(registry.READERS, entry["type"])
        output = Output(
            self.queue, entry["name"], entry["names"], entry["offsets"], entry["channels"]
        )
        self.outputs.append(output)
        return module.Reader(entry["name"], entry, self, output)

    def _sink(self, entry: dict):
        module = registry.module(registry.SINKS, entry["type"])
        about = self.config.queue
        cursor = self.queue.sink_cursor(
            module, entry, about["flash_kb"] != 0 or about["slots"] > _FEW_SLOTS
        )
        self.cursors.append(cursor)
        try:
            sink = module.Sink(entry["name"], entry, self, cursor)
        except ImportError as error:
            raise ConfigError(
                "the sink %s needs what is not installed (%s): `make flash` installs it, "
                "`make deps` on a computer" % (entry["name"], error)
            )
        cursor.durable = sink.durable
        cursor.newest_only = not sink.carries_time
        return sink

    def _put_aside(self, cursor, item: tuple, why: str) -> None:
        """Keep what no server will ever take."""
        if self._aside is None:
            from .aside import Aside

            self._aside = Aside(self._directory, self.clock, getattr(self.board, "ASIDE_KB", 32))
        self._aside.put(cursor.name, item, why)

    async def run(self) -> None:
        """Start all tasks, and keep them running for ever."""
        start = self.supervisor.start
        if self.led:
            start("led", self.led.run)
        start("wifi", self.network.run, _HEARTBEAT_S)
        if self.clock.source != "computer":
            from .timekeeper import Timekeeper

            servers = self.config.clock["ntp"]
            spares = getattr(self.board, "SPARES_NTP", False)
            keeper = Timekeeper(self.clock, self.network, servers, self._asks_time, spares)
            start("time", keeper.run)
        if self.config.webrepl:
            from .repl import webrepl

            password = self.config.webrepl["password"]
            start("webrepl", lambda: webrepl(self.network, password))
        for sink, entry, cursor in zip(self.sinks, self.config.sinks, self.cursors):
            silent_s = _PATIENCE_S + entry.get("interval", 0)
            start(sink.name, sink.run, silent_s, self._owes(cursor))
        for reader, entry in zip(self.readers, self.config.readers):
            start(reader.name, reader.run, _HEARTBEAT_S + entry.get("interval", 0))
        if self.spool:
            start("spool", self.spool.run, _HEARTBEAT_S)
        start("log", self._look_after, _HEARTBEAT_S)
        try:
            await self.supervisor.wait(self.guard.watchdog())
        finally:
            self.log.flush()

    def close(self) -> None:
        """After run(), whatever ended it: leave a board that its REPL can be used on."""
        if self.guard.planned:  # for want of memory: nobody needs these any more
            self.sinks = self.readers = self.outputs = []
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
        if self._aside:
            self._aside.flush()
        self.log.flush()

    def _owes(self, cursor):
        """Whether a sink ought to do something: it has readings, their times, and a network."""
        return lambda: cursor.waiting and self.network.up and self.clock.source

    async def _look_after(self) -> None:
        while True:
            await clock.sleep_ms(1000)
            self.log.tick()
            self.guard.tick()
            if self._aside:
                self._aside.tick()
