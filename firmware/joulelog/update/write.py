"""An update as it comes: its head is checked, the application behind it written into the slot.

    write = Write(slot, board, modulus, (VERSION, COMPILED), forced, total)
    while data:                      # UpdateError, whose args are a name and what to do
        data = data[write.put(data):]
    for _ in write.finish(): ...     # the same
    write.slot.set_boot()

total: how long the whole file is, where somebody has said that; else 0.

Each put() is one step, and takes what it can: a multiplication of the signature, the erase of a
block, or its write. Nothing is erased before the signature is right. At the end all of it is read
back: what the bootloader shall start is what was signed.
"""

import hashlib

import updatefile
from micropython import const
from updatefile import UpdateError

from .. import clock
from . import slots

_BLOCK = const(4096)
_ERASE = const(6)  # ioctl()
_DAMAGED = "what arrived is not what was signed (SHA-256): fetch the file again, and send it"


class Write:
    """See the module's text; flash_ms and longest_ms: what erasing and writing has taken."""

    erases = 0
    flash_ms = 0
    longest_ms = 0

    def __init__(self, slot, board, modulus: bytes, runs: tuple, forced=False, total=0) -> None:
        """runs: (version, when it was built) of what the update comes after, unless forced."""
        self.slot = slot
        self.head: updatefile.Head | None = None
        self.received = 0  # bytes of the application
        self.is_signed = False  # by the right key, as is known behind the head
        self._about = board.NAME, board.CHIP, slots.layout(slot), slot.info()[3]
        self._modulus = modulus
        self._runs = runs
        self._forced = forced
        self._total = total
        self._signature = None
        self._block = bytearray(_BLOCK)
        self._view = memoryview(self._block)
        self._fill = 0
        self._number = 0  # of the block that is filled
        self._is_erased = False
        self._hash = hashlib.sha256()

    def put(self, data) -> int:
        """One step; how many bytes of the data it has taken."""
        if self._signature:
            self._check_signature()
            return 0
        if not self.head:
            count = self._take(data, updatefile.HEAD)
            if self._fill == updatefile.HEAD:
                self._begin()
            return count
        left = self.head.size - self.received
        if not left and len(data):
            self._refuse_length(self.head.size + 1)
        if not self._is_erased:
            self._timed(self.slot.ioctl, _ERASE, self._number)
            self.erases += 1
            self._is_erased = True
            return 0
        count = self._take(data[:left], _BLOCK)
        self.received += count
        if self._fill == _BLOCK:
            self._write()
        return count

    def finish(self):
        """Write what is left and read all of it back, in steps: a generator of pauses."""
        if not self.head:
            updatefile.Head(self._view[: self._fill])  # says what is missing
        while self._signature:
            self._check_signature()
            yield
        head = self.head
        if self.received < head.size:  # type: ignore[union-attr]
            self._refuse_length(self.received)
        if self._fill:
            yield
            self._write()
        yield
        if self._hash.digest() != head.digest:  # type: ignore[union-attr]
            raise UpdateError("hash", _DAMAGED)
        found = hashlib.sha256()
        left = head.size  # type: ignore[union-attr]
        for number in range(self._number):
            self.slot.readblocks(number, self._block)
            found.update(self._view[: min(left, _BLOCK)])
            left -= _BLOCK
            yield
        if found.digest() != head.digest:  # type: ignore[union-attr]
            text = "the flash did not keep what was written into it: send it again; if that does"
            raise UpdateError("flash", text + " not help, the flash is worn out")

    def _take(self, data, size: int) -> int:
        """Into the block, up to a size."""
        count = min(len(data), size - self._fill)
        self._block[self._fill : self._fill + count] = data[:count]
        self._fill += count
        return count

    def _begin(self) -> None:
        head = updatefile.Head(self._view[: self._fill])
        head.check(*self._about)
        if not self._forced:
            head.not_older(*self._runs)
        if self._total and self._total != updatefile.HEAD + head.size:
            self.head = head
            self._refuse_length(self._total - updatefile.HEAD)
        self._signature = head.signature(self._modulus)
        self._fill = 0
        self.head = head

    def _refuse_length(self, found: int) -> None:
        size = self.head.size  # type: ignore[union-attr]
        name, word = ("short", "shorter") if found < size else ("long", "longer")
        text = "the file is %s than it says (%d bytes of application): fetch it again"
        raise UpdateError(name, text % (word, size))

    def _check_signature(self) -> None:
        if not self._signature.step():  # type: ignore[union-attr]
            return
        good = self._signature.good  # type: ignore[union-attr]
        self._signature = None
        if not good:
            text = "this update is not signed with the key of this board's firmware: take one of"
            text += " who built it, or build an image with your own key and write it with a cable"
            raise UpdateError("signature", text)
        self.is_signed = True

    def _write(self) -> None:
        data = self._view[: self._fill]
        self._hash.update(data)
        self._timed(self.slot.writeblocks, self._number, data, 0)
        self._number += 1
        self._fill = 0
        self._is_erased = False

    def _timed(self, work, *about) -> None:
        begun = clock.ticks_ms()
        work(*about)
        took = clock.ticks_diff(clock.ticks_ms(), begun)
        self.flash_ms += took
        self.longest_ms = max(self.longest_ms, took)
