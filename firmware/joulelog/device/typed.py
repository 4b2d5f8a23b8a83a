"""What is typed at the REPL's line while the app runs, with its Ctrl-C in our own hands.

    line = Line(board)
    line.take()                 # from here on Ctrl-C is a byte like others
    data = line.read()          # what is there, up to a byte 3; b"" for nothing; never waits
    line.write(answer)
    line.release()              # Ctrl-C interrupts again; as often as one likes

Who reads has to raise KeyboardInterrupt for a Ctrl-C itself. A computer's terminal makes a signal
of it, whatever is read: there nothing is to be taken.
"""

import select
import sys

import micropython
from micropython import const

CTRL_C = const(3)
_AT_ONCE = const(64)


class Line:
    """Standard input and output, as bytes."""

    def __init__(self, board) -> None:
        self._interrupts = board.NAME != "HOST"
        source = sys.stdin.buffer
        self._source = getattr(
            source, "raw", source
        )  # CPython's buffer would hide bytes from poll
        self._poll = select.poll()

    def take(self) -> None:
        """Ctrl-C no longer interrupts; read() may be called."""
        self._poll.register(self._source, select.POLLIN)
        if self._interrupts:
            micropython.kbd_intr(-1)

    def release(self) -> None:
        """Ctrl-C interrupts again."""
        if self._interrupts:
            micropython.kbd_intr(CTRL_C)

    def read(self) -> bytes:
        """What has come, up to the first byte 3: what follows a Ctrl-C is for the REPL."""
        data = b""
        # One by one: a board waits until it has as many as it is asked for.
        while len(data) < _AT_ONCE and self._poll.poll(0):
            byte = self._source.read(1)
            if not byte:  # closed
                break
            data += byte
            if byte[0] == CTRL_C:
                break
        return data

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        output = sys.stdout
        if hasattr(output, "flush"):  # CPython, which keeps text back
            output.flush()
        output = output.buffer
        output.write(data)
        if hasattr(output, "flush"):
            output.flush()
