"""A pseudo terminal with a name that no later one gets.

    terminal = Terminal()
    terminal.device                       # "/tmp/joulelog-k2x9/meter", for the listener
    os.write(terminal.master, b"...")
    terminal.close()

The system gives the number of a terminal that is gone to the next one: a firmware that looks for
its meter in /dev/pts would find somebody else's, and take its bytes. So the device is a link that
goes before the number is free.
"""

import os
import shutil
import tempfile
from pathlib import Path

NONE = (
    "a simulated meter sits on a pseudo terminal, and this system has none: try a recorded meter"
    " (examples/configs/replay.py) or a serial port (COM3), or use WSL"
)


def are_there() -> bool:
    """Whether this system has pseudo terminals: Windows has not."""
    try:
        import termios  # noqa: F401
    except ImportError:
        return False
    return hasattr(os, "openpty")


class Terminal:
    """Both ends, and the name of the listener's."""

    def __init__(self) -> None:
        if not are_there():
            raise SystemExit(NONE)
        import tty

        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self._folder = tempfile.mkdtemp(prefix="joulelog-")
        self.device = str(Path(self._folder) / "meter")
        os.symlink(os.ttyname(self.slave), self.device)

    def tell_closing(self) -> None:
        """Keep only the master: a poll of it says POLLHUP while nobody has the device open."""
        os.close(self.slave)
        self.slave = -1

    def close(self) -> None:
        """Hang up: the listener gets an error or an end of file, and finds the device no more."""
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self.master)
        if self.slave != -1:
            os.close(self.slave)
