"""The flash of a simulated chip: erasing sets bits, writing only clears them.

    flash = Flash(4096)                       # KiB, all erased
    flash = Flash(4096, Path("flash.bin"))    # in a file, which outlives this
    flash.erase(0x1000, 700); flash.program(0x1000, b"..."); flash.data[0x1000:0x1003]

What is written without having been erased differs from what was sent, as on a chip.
"""

import mmap
from pathlib import Path

SECTOR = 4096


class OutOfRange(Exception):
    """A place behind the end of the flash."""


class Flash:
    """A NOR flash, in memory or in a file."""

    def __init__(self, kib: int, path: Path | None = None) -> None:
        self.kib = kib
        self.data: bytearray | mmap.mmap = bytearray(b"\xff" * kib * 1024)
        if path is not None:
            if not path.exists() or path.stat().st_size != len(self.data):
                path.write_bytes(self.data)
            with path.open("r+b") as file:
                self.data = mmap.mmap(file.fileno(), 0)

    def read(self, at: int, size: int) -> bytes:
        self._check(at, size)
        return bytes(self.data[at : at + size])

    def erase(self, at: int, size: int) -> None:
        """Whole sectors, from the one that has `at`."""
        start = at - at % SECTOR
        end = -(-(at + size) // SECTOR) * SECTOR if size else start
        self._check(start, end - start)
        self.data[start:end] = b"\xff" * (end - start)

    def program(self, at: int, new: bytes) -> None:
        """What is 0 stays 0 until it is erased."""
        old = self.read(at, len(new))
        both = int.from_bytes(old, "little") & int.from_bytes(new, "little")
        self.data[at : at + len(new)] = both.to_bytes(len(new), "little")

    def _check(self, at: int, size: int) -> None:
        if at + size > len(self.data):
            raise OutOfRange
