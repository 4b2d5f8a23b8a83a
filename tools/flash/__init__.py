"""Put JouleLog on a board: `python -m tools.flash --help`, or the targets of the Makefile."""

import shutil

# The action, as the Makefile calls it.
TARGETS = {"install": "flash"}


class FlashError(Exception):
    """It cannot be done; the text says why, and what would help."""


def command(action: str, **options: str | None) -> str:
    """What a person types for an action: with make, or without it where there is none."""
    given = {name: value for name, value in options.items() if value}
    if shutil.which("make"):
        words = [f"{name.upper()}={value}" for name, value in given.items()]
        return " ".join(["make", TARGETS.get(action, action), *words])
    words = [f"--{name} {value}" for name, value in given.items()]
    return " ".join(["python -m tools.flash", action, *words])
