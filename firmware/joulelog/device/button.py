"""The board's button, while the app runs: five seconds for set-up mode, twenty to forget settings.

    button = Button(board, done)      # done("button") or done("erase"), once it is let go
    await button.run()                # a task

| held                                   | what                                     |
|----------------------------------------|------------------------------------------|
| just after a reset                     | the REPL (device/repl.py)                |
| 5 s, then let go                       | set-up mode                              |
| 20 s, then let go                      | the settings are erased, set-up mode     |

The LED shows after each of the two that it may be let go. A pin that reads as pressed from the
start on is no person's: it counts from the first time that it was let go. The restart comes when
nobody holds it any more: a chip that resets with it pressed waits for a new image.
"""

import sys

from micropython import const

from .. import clock
from . import starts
from .repl import held

SCHEMA = """\
on | bool | null | the board's button asks for set-up; null: yes, where it has one
"""
NEEDS = ("board", "store", "guard")

_LOOK_MS = const(100)
_SET_UP_MS = const(5000)
_ERASE_MS = const(20000)


class Button:
    """Watches one button; without one it ends at once."""

    def __init__(self, board, done) -> None:
        self._board = board
        self._done = done

    async def run(self) -> None:
        """Watch it until it was held."""
        board = self._board
        if not getattr(board, "BUTTON", None):
            return
        while held(board):
            await clock.sleep_ms(_LOOK_MS)
        held_ms = 0
        while True:
            await clock.sleep_ms(_LOOK_MS)
            if held(board):
                held_ms += _LOOK_MS
                if held_ms == _SET_UP_MS or held_ms == _ERASE_MS:
                    _show("setup" if held_ms == _SET_UP_MS else "config_error")
            elif held_ms >= _SET_UP_MS:
                self._done("erase" if held_ms >= _ERASE_MS else "button")
                return
            else:
                held_ms = 0


def _show(state: str) -> None:
    """On the LED, where the app has one."""
    led = sys.modules.get("joulelog.device.led")
    shown = getattr(led, "of_app", None)
    if shown:
        shown.show(state)


class Service:
    """The app's button: the next start is set-up mode."""

    name = "button"

    def __init__(self, section: dict, board, store, guard) -> None:
        self._store = store
        self._guard = guard
        self.run = Button(board, self._pressed).run

    def _pressed(self, why: str) -> None:
        starts.ask(self._store, why)
        self._guard.leave("its button asks for set-up")
