"""Folders for tests, on CPython and on MicroPython."""

import os


def ensure_folder(path: str) -> None:
    """Make the folder, and those that it lies in, where they are not there."""
    parts = path.split("/")
    for end in range(len(parts)):
        try:
            os.mkdir("/".join(parts[: end + 1]))
        except OSError:  # it is there
            pass
