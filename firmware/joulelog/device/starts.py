"""What a person asks for by switching on and by the button, across a restart.

    why = starts.asked(config, board)     # once a start: "", "button", "erase" or "switch-ons"
    starts.ask(store, "button")           # the next start finds it; then the board is restarted

Five switch-ons within ten seconds of each other (the guard forgets the others) ask for set-up
mode: for a board that hangs where nobody reaches a button. Only power-on resets count, no
watchdog's and no brown-out's: a supply that dips switches nothing on. One that flickers does, and
is why five switch-ons open nothing without a password. The count lies in the state, beside that
of the boots; how starts ended is counted in ends.py, where a reset alone does not reach.
"""

import machine
from micropython import const

from .. import registry
from .ends import left, reset_reason
from .state import SWITCH_ONS, Store

_ASKED = "setup"  # who asks for set-up mode
_MANY = const(5)
_REASON_BITS = const(0x3F)
_BROWN_OUT = const(15)  # RTCWDT_BROWN_OUT_RESET of all ESP32 chips


def asked(config, board) -> str:
    """Who asks for set-up mode: "button", "erase", "switch-ons", or ""; counts this start."""
    store = Store(registry.log_folder(config, board))
    store.open()
    why = store.get(_ASKED, "")
    store.set(_ASKED, None)
    if not switched_on(board):
        store.set(SWITCH_ONS, None)
    else:
        count = store.get(SWITCH_ONS, 0) + 1
        if count >= _MANY:
            why, count = why or "switch-ons", 0
        store.set(SWITCH_ONS, count or None)
    store.save_now()
    return why


def switched_on(board) -> bool:
    """Whether the supply was switched on: MicroPython calls an ESP32's brown-out the same."""
    if reset_reason(machine) != "power on":
        return False
    register = getattr(board, "RESET_STATE", 0)
    if not register:
        return True
    return machine.mem32[register] & _REASON_BITS != _BROWN_OUT


def ask(store, why: str) -> None:
    """Let the next start be set-up mode."""
    store.set(_ASKED, why)
    store.save_now()
    left()
