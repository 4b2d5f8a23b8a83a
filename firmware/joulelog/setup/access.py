"""What the board's access point is called, and its password.

    access.name()             # "JouleLog-1A2B"
    access.password(store)    # "mb2k-2hsb-c9xm"

The password is made once, of 60 random bits, and stays the board's: it is told on the serial line,
by Improv and by `make flash`, and written into no log.
"""

import os

from ..device import chip

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # 32, none that looks like another
_KEY = "point"  # in the state


def name() -> str:
    """JouleLog-1A2B: with the last digits of the chip's number."""
    return "JouleLog-" + chip.digits()[-4:].upper()


def password(store) -> str:
    """The access point's password, out of the board's state; made there the first time."""
    found = store.get(_KEY, "")
    if not found:
        letters = [_LETTERS[byte & 31] for byte in os.urandom(12)]
        found = "-".join(["".join(letters[at : at + 4]) for at in (0, 4, 8)])
        store.set(_KEY, found)
        store.save_now()
    return found
