"""Leave the REPL to a person who wants it: before the app starts.

    if repl.wanted(board, config):
        return                      # to the REPL, without the app

Two ways at the start: the board's button, pressed and let go; and where a meter takes the REPL's
UART, five seconds in which Ctrl-C works (an ESP8266 has no other UART that can receive). Elsewhere
Ctrl-C works at any time. A pin that reads as pressed for ten seconds is no person: the app starts,
or a board whose pin is wired to ground, or to nothing, would never measure. Needed at start only.
"""

import asyncio

from micropython import const

from .. import clock, registry

_WINDOW_MS = const(5000)
_HELD_MS = const(10000)
_LOOK_MS = const(100)
_REPL_UART = const(0)


def wanted(board, config) -> bool:
    """Whether the button says so; until then KeyboardInterrupt leaves the start by itself."""
    if not hasattr(board, "BUTTON"):  # a computer
        return False
    # The config may not have been checked yet.
    lines = [entry.get("uart") for entry in registry.entries(config, "readers")]
    if _REPL_UART in lines and not held(board):
        text = "UART %d goes to the meter in %d s: Ctrl-C keeps the REPL"
        print(text % (_REPL_UART, _WINDOW_MS // 1000))
        asyncio.run(_until(board, True, _WINDOW_MS))
    if not held(board):
        return False
    print("The button is held: let it go within %d s for the REPL" % (_HELD_MS // 1000))
    if asyncio.run(_until(board, False, _HELD_MS)):
        print("The REPL stays, the app does not start")
        return True
    text = "GPIO %d, the button's, reads %d all the time (wired to ground or nothing?): starting"
    print(text % (board.BUTTON["pin"], board.BUTTON["active"]))
    return False


def held(board) -> bool:
    """Whether the board's button is pressed."""
    button = board.BUTTON
    if not button:
        return False
    import machine

    pull = None  # it has a resistor of its own
    if not button["active"] and button["pin"] not in board.INPUT_ONLY:
        pull = machine.Pin.PULL_UP
    pin = machine.Pin(button["pin"], machine.Pin.IN, pull)  # type: ignore[arg-type]
    return pin.value() == button["active"]


async def _until(board, pressed: bool, ms: int) -> bool:
    """Whether the button became pressed, or was let go, within so many ms."""
    for _ in range(ms // _LOOK_MS):
        await clock.sleep_ms(_LOOK_MS)
        if held(board) == pressed:
            return True
    return False
