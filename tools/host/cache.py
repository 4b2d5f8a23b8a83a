"""The folder for everything that is downloaded or built from it, and what cannot be had here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Unavailable(Exception):
    """What a tool needs cannot be had on this machine; the text says why and what would help."""


def cache() -> Path:
    """The folder for everything that is downloaded: outside of the repository, kept over runs."""
    return Path(os.environ.get("JOULELOG_CACHE") or Path.home() / ".cache" / "joulelog")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time, by a file: several test runs share what is built."""
    with open(path, "w") as lock:
        try:
            import fcntl
        except ImportError:  # Windows, where no tests run beside each other
            yield
            return
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
