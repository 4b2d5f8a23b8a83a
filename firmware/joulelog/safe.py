"""Safe mode: a boot of its own after starts that came to nothing, so that the board can be mended.

    safe.run(config, below, board, why)      # behind it the board restarts

config: what counts, below: that of config.py. No reader, no sink: the network, the log, and where
the image has set-up its page, which says why at the top (setup/mode.py). Else the LED blinks and
the log tells. A normal start is tried after ten minutes, then every hour; somebody who is on the
page is waited for. Without a reason (nothing is configured, and the image has no set-up) it only
blinks, for ever.
"""

import asyncio
import gc
import logging
import sys

import machine
from micropython import const

from . import clock, registry
from .device import ends, logging_setup

_SIZE_KB = const(500)  # as the schema has it; a smaller one would throw the older log away
_FOREVER_MS = const(-1)


def run(config, below, board, why: str) -> None:
    """Until it is time for a normal start."""
    if not why:
        ends.left()
        asyncio.run(_blink(board, _FOREVER_MS, None))
    log = _log(config, board)
    if registry.has(board, "update") and board.CHIP != "esp8266":
        _end_trial(config, board, why)
    for line in why.split("\n"):
        logging.getLogger("safe").error("%s", line.strip())
    stay_ms = ends.stay_ms()
    text = "safe mode: no meter is read; the next normal start is in %d minutes"
    logging.getLogger("safe").warning(text, stay_ms // 60000)
    log.flush()
    if registry.has(board, "setup"):
        from .setup import mode

        mode.run(below, board, "", True, (why, stay_ms, log))
    asyncio.run(_blink(board, stay_ms, log))
    machine.reset()


def _end_trial(config, board, why: str) -> None:
    """An update that cannot even begin: the one before starts at once."""
    from .device.state import Store
    from .update import trial

    store = Store(registry.log_folder(config, board))
    store.open()
    if trial.give_up(store, why):
        machine.reset()


def _log(config, board):
    """The log of the app, of a config that nobody has checked."""
    size = registry.section(config, "log").get("size_kb")
    if not isinstance(size, int):
        size = getattr(board, "DEFAULTS", {}).get("log", {}).get("size_kb", _SIZE_KB)
    a_clock = clock.Clock()
    now = clock.board_time()
    if now is not None:
        a_clock.set(now, "board")
    directory = registry.log_folder(config, board)
    return logging_setup.setup(directory, size * 1000, "info", a_clock, sys.stdout)


async def _blink(board, stay_ms: int, log) -> None:
    print("Ctrl-C leaves for the REPL")
    task = None
    if getattr(board, "LED", None) and registry.has(board, "led"):
        from .device.led import Led

        led = Led(board.LED)
        led.show("config_error")
        task = asyncio.create_task(led.run())
    dog_ms = getattr(board, "WATCHDOG_MS", 0)
    feed = machine.WDT(timeout=dog_ms).feed if dog_ms else None
    gc.collect()
    begun = clock.uptime_ms()
    while stay_ms < 0 or clock.uptime_ms() - begun < stay_ms:
        await clock.sleep_ms(1000)
        if feed:
            feed()
        if log:
            log.tick()
        if task and task.done():
            task = await task  # raises what has ended it
