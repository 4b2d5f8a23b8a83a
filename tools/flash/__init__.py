"""Put JouleLog on a board: `python -m tools.flash --help`, or the targets of the Makefile."""


class FlashError(Exception):
    """It cannot be done; the text says why, and what would help."""
