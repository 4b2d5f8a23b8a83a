"""From a config file to a running app, in the order that needs the least memory.

    run(config, board)            # never returns; on a computer Ctrl-C ends it

What cannot fit is told before anything is loaded. What stays for ever is loaded first, so that it
lies side by side; then the config is checked, and the checker and the report, which leave holes,
are dropped. Behind Ctrl-C run() can be called again.
"""

import gc
import sys

from micropython import const

from .errors import ConfigError

_LOADING_BYTES = const(1024)  # allocated between two collections while modules are loaded
_stayed = 0  # bytes that earlier runs left in the heap, and that another one need not have again

_NOT_CONFIGURED = """This %s is not configured yet: nothing is measured.
  %s is "sim", a simulated meter, which only a computer has
  make config PORT=... opens config.py: where your meter is, your Wi-Fi, where the readings go"""
_THRESHOLD = const(32768)  # bytes between two collections where the board says nothing


# Here and not in schema.py: an object keeps its class, and a class the whole module it is from.
class Config:
    """A checked config with all its defaults: one attribute per section; entries are dicts."""

    def __init__(self) -> None:
        self.device = ""
        self.board = ""
        self.wifi: dict | list | None = None  # one network, or a list of them
        self.readers: list[dict] = []
        self.sinks: list[dict] = []
        self.log: dict = {}
        self.clock: dict = {}
        self.queue: dict = {}
        self.led: dict = {}
        self.webrepl: dict | None = None
        self.secrets: list[str] = []  # keys whose values are never shown


def load(config) -> None:
    """Import what the app and the config's entries need; the check tells of what is missing."""
    from . import app, registry  # noqa: F401 - loaded for later

    for table, section in ((registry.READERS, "readers"), (registry.SINKS, "sinks")):
        entries = getattr(config, section, ())
        for entry in entries if isinstance(entries, (list, tuple)) else ():
            try:
                registry.module(table, entry["type"])
            except Exception:
                pass
    gc.collect()


def fitting(config, board) -> tuple[int, str]:
    """(slots of the queue, a warning); ConfigError tells of a config that is too large."""
    from . import fits, registry

    try:
        return fits.check(config, board, _stayed)
    finally:
        registry.drop("joulelog.fits", "joulelog.parts", "joulelog.too_large")


def checked(config, board, slots: int = 0):
    """Return the checked config, printed without its secrets; ConfigError says what to change."""
    from . import registry, schema

    try:
        found = schema.check(config, board, registry, slots)
        for line in schema.redacted(found):
            print(line)
        return found
    finally:
        registry.drop("joulelog.schema", "joulelog.kinds", "joulelog.pins")


def build(config, board, terminal: bool = False):
    """Return the app, its start report logged; ConfigError says what to change."""
    if hasattr(gc, "threshold"):  # what stays must not come to lie between what goes
        gc.threshold(_LOADING_BYTES)  # type: ignore[attr-defined]
    slots, warning = fitting(config, board)
    load(config)
    found = checked(config, board, slots)
    gc.collect()  # now that the checker's frames are gone as well
    from .app import App

    app = App(found, board, terminal)
    from . import registry, report

    report.say(app, warning)
    once = ("joulelog.report", "joulelog.folder", "joulelog.spool_start", "joulelog.wear")
    registry.drop(*once, "ringlog.ringopen")
    if hasattr(gc, "threshold"):
        gc.collect()
        # Late collections leave fragments, early ones take time: how late is the board's datum.
        gc.threshold(getattr(board, "GC_THRESHOLD", _THRESHOLD))  # type: ignore[attr-defined]
    return app


def run(config, board, terminal: bool = False) -> None:
    """Build the app and run it; prints what is wrong with the config, and raises ConfigError.

    Returns at once where a person wants the REPL. A board with a LED blinks instead of raising.
    A board with the config of a new image says so and waits: no board ever plays a meter.
    """
    gc.collect()
    free = gc.mem_free() if hasattr(gc, "mem_free") else 0  # type: ignore[attr-defined]
    before = list(sys.modules)
    app = None
    import asyncio

    from . import registry, repl

    try:
        wanted = repl.wanted(board, config)
        del repl
        registry.drop("joulelog.repl")
        if wanted:
            return
        blinks = getattr(board, "LED", None) and registry.has(board, "led")
        simulated = _simulated(config) if board.NAME != "HOST" else ""
        if simulated:
            print(_NOT_CONFIGURED % (board.NAME, simulated))
            if blinks:
                _blink(board)
            return
        try:
            app = _built(config, board, terminal)
        except ConfigError as error:
            print("The config cannot work yet:")
            for line in str(error).split("\n"):
                print("  " + line)
            if not blinks:
                raise
            _blink(board)
            return
        del config  # the app has the checked one, and is here for years
        registry.drop("config")
        try:
            asyncio.run(app.run())
        except MemoryError:  # of the loop itself
            app.guard.leave("the memory was full")  # what is written into the log takes little
            if not app.guard.planned:  # a computer
                raise
        finally:
            app.close()
        app.guard.restart()
    finally:
        app = None
        _forget(before, free)


def _forget(before: list, free: int) -> None:
    """Let go of what a run holds: whoever starts another at the REPL has the same heap for it.

    before: modules that were loaded, free: bytes that were free, before; 0 on CPython, which
    leaves nothing behind. What stays are names: an image has them in its flash.
    """
    global _stayed
    if not free:
        return
    import asyncio
    import logging

    from . import registry

    try:
        asyncio.new_event_loop()  # the old one has all tasks, and would go on with them
        asyncio.run(_nothing())  # the last task is known by its name: now it is this one
        logging.getLogger().handlers = []
        # The REPL over the network may be the one that is typed at.
        loaded = [name for name in sys.modules if name not in before and name[:7] != "webrepl"]
        registry.drop(*loaded)
        _stayed += max(0, free - gc.mem_free())  # type: ignore[attr-defined]
    except MemoryError:
        pass


async def _nothing() -> None:
    pass


def _built(config, board, terminal: bool):
    try:
        return build(config, board, terminal)
    except MemoryError:
        gc.collect()
    raise ConfigError("the memory ran out while it was loaded; leave out a sink or a reader")


def _simulated(config) -> str:
    """The readers that are simulated, as in the config of a new image; "" for none."""
    readers = getattr(config, "readers", ())
    found = []
    for index, entry in enumerate(readers if isinstance(readers, (list, tuple)) else ()):
        if isinstance(entry, dict) and "sim" in (entry.get("uart"), entry.get("pin")):
            found.append("readers[%d]" % index)
    return ", ".join(found)


def _blink(board) -> None:
    import asyncio

    from .led import Led

    print("Ctrl-C leaves for the REPL; change config.py, then restart")
    led = Led(board.LED)
    led.show("config_error")
    asyncio.run(led.run())
