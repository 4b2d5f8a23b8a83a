"""Standard output of the firmware on CPython: `make run | head` ends it, as Ctrl-C does.

sys.stdout = Output(sys.stdout)
"""

import os
import signal


class Output:
    """Standard output that ends the firmware as Ctrl-C does once nobody reads it: `… | head`."""

    def __init__(self, stream) -> None:
        self._stream = stream

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    def write(self, text: str) -> int | None:
        """As a file's; None behind the end."""
        return self._or_end(self._stream.write, text)

    def flush(self) -> None:
        """As a file's."""
        self._or_end(self._stream.flush)

    def _or_end(self, act, *about):
        try:
            return act(*about)
        except OSError:
            self._stream = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
            os.dup2(self._stream.fileno(), 1)  # Python flushes what is left at its end
            signal.raise_signal(signal.SIGINT)
