"""A board with an Espressif chip: reset by DTR and RTS, written by its loader, then it boots.

    board = Board("esp32c3", Flash(4096), send=line.append, boots=Application)
    board.lines(dtr=False, rts=True)         # held in reset; GPIO 0 would be low with DTR alone
    board.receive(bytes)                     # what the host sends

    with OnPty("esp32c3", Flash(4096)) as port:            # for a real esptool
        make micropython PORT={port.device} …

    python3 -m tools.sim.esp_board --chip esp32c3 --flash flash.bin    # prints its port

`boots(send)` makes what runs from a flash that has a program: receive(bytes) and stop(). Without
it the board only says that it starts. A pseudo terminal has no DTR and RTS: there the chip waits
in download mode, as with its button held, until the port is closed behind a program that has been
written; whoever opens it next meets what was written. `hold()` is the button again.
"""

import argparse
import os
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tools.sim import child
from tools.sim.chips import CHIPS
from tools.sim.nor_flash import Flash
from tools.sim.rom_loader import RomLoader
from tools.sim.terminal import Terminal

_MAGIC = 0xE9  # a program in the flash begins with it
_LISTEN_S = 5  # who does not read for so long is not there
_DOWNLOAD, _RUN = "0x3 (DOWNLOAD)\r\nwaiting for download", "0x13 (SPI_FAST_FLASH_BOOT)"

Send = Callable[[bytes], object]


class Program(Protocol):
    """What runs on the chip."""

    def receive(self, data: bytes) -> None: ...

    def stop(self) -> None: ...


class _Silent:
    """A program of which nothing is known, or a chip that is held in reset."""

    def receive(self, data: bytes) -> None:
        """Nobody listens."""

    def stop(self) -> None:
        """Nothing runs."""


class Board:
    """The chip, and the two transistors that most boards have at its EN and GPIO 0."""

    def __init__(
        self,
        chip: str,
        flash: Flash,
        send: Send,
        boots: Callable[[Send], Program] | None = None,
        held: bool = False,
    ) -> None:
        """held: the button BOOT is, whatever DTR and RTS do."""
        self.chip = chip
        self.flash = flash
        self.resets = 0
        self.loader: RomLoader | None = None  # while it is in download mode
        self._send = send
        self._boots = boots
        self._held = held
        self._lines = (False, False)
        self._runs: Program = _Silent()
        self.reset(held)

    def hold(self, held: bool = True) -> None:
        """Hold the button, or let go of it: the next reset sees that."""
        self._held = held

    def lines(self, dtr: bool, rts: bool) -> None:
        """RTS alone pulls EN low, DTR alone GPIO 0, both together neither."""
        before, self._lines = self._lines, (dtr, rts)
        if self._lines == (False, True):
            self._run(_Silent())
        elif before == (False, True):
            self.reset(self._held or dtr)

    def reset(self, download: bool) -> None:
        """Start into the loader, or into what is in the flash."""
        self.resets += 1
        mode = _DOWNLOAD if download else _RUN
        self._send(CHIPS[self.chip].reset.format(mode=mode).encode() + b"\r\n")
        if download:
            self._run(RomLoader(self.chip, self.flash, self._send))
        elif self.flash.data[CHIPS[self.chip].image_at] != _MAGIC:
            self._run(_Silent())
            self._send(b"invalid header: 0xffffffff\r\n")
        else:
            self._run(self._boots(self._send) if self._boots else _Silent())

    def receive(self, data: bytes) -> None:
        self._runs.receive(data)
        if self.loader is not None and self.loader.left:
            self.reset(self._held)

    def stop(self) -> None:
        self._run(_Silent())

    def _run(self, program: Program) -> None:
        self._runs.stop()
        self._runs = program
        self.loader = program if isinstance(program, RomLoader) else None


class OnPty:
    """The board at a pseudo terminal, served from a thread."""

    def __init__(
        self, chip: str, flash: Flash, boots: Callable[[Send], Program] | None = None
    ) -> None:
        self._terminal = Terminal()
        self._terminal.tell_closing()
        os.set_blocking(self._terminal.master, False)
        self.device = self._terminal.device
        self.board = Board(chip, flash, self._write, boots, held=True)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "OnPty":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        self.board.stop()
        self._terminal.close()

    def hold(self) -> None:
        """Reset it with its button held: into download mode."""
        self.board.hold()
        self.board.reset(download=True)

    def _serve(self) -> None:
        poll = select.poll()
        poll.register(self._terminal.master, select.POLLIN)
        is_open = False
        while not self._stop.is_set():
            ready = dict(poll.poll(100)).get(self._terminal.master, 0)
            if ready & select.POLLIN:
                is_open = True
                self.board.receive(os.read(self._terminal.master, 65536))
            elif ready & select.POLLHUP:
                if is_open:
                    is_open = False
                    self._closed()
                time.sleep(0.01)

    def _closed(self) -> None:
        """What a tool does with RTS when it has written: start that."""
        loader = self.board.loader
        if loader is not None and loader.wrote:
            self.board.hold(False)
            self.board.reset(download=False)

    def _write(self, data: bytes) -> None:
        """Send, or lose what nobody takes."""
        end = time.monotonic() + _LISTEN_S
        while data and time.monotonic() < end:
            poll = select.poll()
            poll.register(self._terminal.master, select.POLLOUT)
            ready = dict(poll.poll(100)).get(self._terminal.master, 0)
            if ready & select.POLLHUP:
                return
            if ready & select.POLLOUT:
                try:
                    data = data[os.write(self._terminal.master, data) :]
                except BlockingIOError:
                    time.sleep(0.005)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="A chip in download mode on a pseudo terminal.")
    parser.add_argument("--chip", choices=CHIPS, default="esp32")
    parser.add_argument("--flash", type=Path, help="a file that holds the flash (default: memory)")
    parser.add_argument("--kib", type=int, default=4096, help="its size (default: %(default)s)")
    options = parser.parse_args(arguments)
    with OnPty(options.chip, Flash(options.kib, options.flash)) as port:
        print(port.device, flush=True)
        child.until_the_end(False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
