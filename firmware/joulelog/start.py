"""Run a config: what main.py calls.

    run(config, board)            # never returns; on a computer Ctrl-C ends it

How the app is built is told in build.py. Behind Ctrl-C run() can be called again.
"""

import gc
import os
import sys

import micropython
from micropython import const

from .errors import ConfigError

_CTRL_C = const(3)
_stayed = 0  # bytes that earlier runs left in the heap, and that another one need not have again

_NOT_CONFIGURED = """This %s is not configured yet: nothing is measured.
  %s"""
_SIMULATED = '%s is "sim", a simulated meter, which only a computer has'
_EDIT = (
    "make config PORT=... opens config.py: where your meter is, your Wi-Fi, where the readings go"
)

_FILES_BYTES = 200000  # as .mpy files set-up fits into a heap with PSRAM alone


def run(config, board, terminal=None, asked: str = "", short: str = "", broken: str = "") -> None:
    """Build the app and run it; prints what is wrong with the config, and raises ConfigError.

    Returns at once where a person wants the REPL. A board where nothing is configured, or where a
    person asks for it (asked; device/starts.py), goes into set-up mode; one whose image has none
    blinks. Starts that were too short (short: why), and a config that cannot work (broken: that
    config.py cannot even be run, and why), end in safe mode. No board ever plays a meter. A
    computer raises.
    """
    gc.collect()
    free = gc.mem_free() if hasattr(gc, "mem_free") else 0  # type: ignore[attr-defined]
    before = list(sys.modules)
    app = None
    import asyncio

    from . import build, registry
    from .device import repl

    a_board = board.NAME != "HOST"
    if a_board and _is_tight(globals().get("__file__"), free):
        board.NO_ROOM = ("setup", "button")
    # Each request of Improv holds a byte 3, and a browser asks while a board starts: whoever
    # listens then (setup/improv.py) looks for Ctrl-C as well.
    listens = a_board and registry.listens(config, board)
    try:
        if listens:
            micropython.kbd_intr(-1)
        below = config  # as config.py has it
        config, told = build.settled(config, board)
        if listens and not registry.listens(config, board):
            micropython.kbd_intr(_CTRL_C)
        wanted = repl.wanted(board, config)
        del repl
        registry.drop("joulelog.device.repl")
        if wanted:
            return
        sets_up = registry.has(board, "setup")
        if a_board and sets_up:
            there = list(sys.modules)
            from .device import starts

            asked = starts.asked(config, board)
            del starts
            # Whatever it took: what the app needs of that is counted among the app's.
            registry.drop(*[name for name in sys.modules if name not in there])
            del there
        why = _unconfigured(config) if a_board else ""
        if why and broken:
            why, short = "", short or broken
        if why:
            print(_NOT_CONFIGURED % (board.NAME, why))
            print("  " + _EDIT)
        if not asked and not why and not short:
            try:
                app = build.built(config, board, terminal, _stayed, told)
            except ConfigError as error:
                short = "The config cannot work yet:\n  " + "\n  ".join(
                    told[1:] + str(error).split("\n")
                )
                if not a_board:
                    print(short)
                    raise
        if not app:
            if asked or (why and sets_up):
                del config
                from .setup import mode

                mode.run(below, board, asked, not why)
            elif short or (getattr(board, "LED", None) and registry.has(board, "led")):
                del build  # and whatever had been loaded for an app that is none
                registry.drop(*[name for name in sys.modules if name not in before])
                from . import safe

                safe.run(config, below, board, short)
            return
        del config, below, build  # the app has the checked one, and is here for years
        registry.drop("config", "joulelog.build")
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
        if listens:
            micropython.kbd_intr(_CTRL_C)
        app = None
        _forget(before, free)


def _is_tight(path: str | None, free: int) -> bool:
    """Whether there is no room for set-up's code: as .mpy files, or an ESP8266's from ROMFS.

    path: of this module; frozen it has no "/" in front, and an ESP8266 does not say.
    """
    if path is not None:
        return path[:1] == "/" and path[:4] != "/rom" and free < _FILES_BYTES
    try:
        os.stat("/rom/joulelog")
        return True
    except OSError:
        return False


def _unconfigured(config) -> str:
    """Why there is nothing to run yet; "" where there may be."""
    from . import registry

    simulated = registry.simulated(config)
    if simulated:
        return _SIMULATED % simulated
    if not registry.get(config, "readers") and not registry.get(config, "sinks"):
        return "no meter and no destination is named"
    return ""


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
