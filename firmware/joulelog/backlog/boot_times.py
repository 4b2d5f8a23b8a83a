"""When the last runs began, as the log's state keeps it: for readings taken before UTC was known.

    boot_times.place(state, boot, board, app_clock)        # before the state is written
    boot_times.offset_of(state, boot, board, app_clock)    # UTC minus uptime of that run, or None

"@boot" is that run's UTC minus uptime, "$boot" what the board's own clock (board: now) said minus
uptime: it goes on over a restart, so that it tells the time of an earlier run once it is known.
"""

import logging

from micropython import const

from .. import clock

_MOST = const(24)  # runs: a board that is switched on ten times a day while a server is away


def place(state: dict, boot: int, board: int, app_clock) -> None:
    """Put in when this run began, and earlier ones, as well as that is known."""
    if not app_clock.source:
        state["$%x" % boot] = board
    else:
        for name in [name for name in state if name[:1] == "$"]:
            begun = app_clock.offset - board + state[name]
            if begun >= clock.PLAUSIBLE:
                state["@" + name[1:]] = begun
            del state[name]
        state["@%x" % boot] = app_clock.offset
    begun = [(begun, name) for name, begun in state.items() if name[:1] in "@$"]
    if len(begun) > _MOST:
        logging.getLogger("spool").error("the time of the oldest of %d starts is lost", len(begun))
        del state[min(begun)[1]]


def offset_of(state: dict, boot: int, board: int, app_clock) -> int | None:
    """UTC in seconds minus the uptime of an earlier run, or None while nobody can tell."""
    offset = state.get("@%x" % boot)
    if offset is None:
        then = state.get("$%x" % boot)
        if then is None or not app_clock.source:
            return None
        offset = app_clock.offset - board + then
    # Less: the board's clock was set in between, and does not tell any more.
    return offset if offset >= clock.PLAUSIBLE else None
