"""Runs on the frozen VM before the script: what a chip has in its heap when it has started.

    chip.start("/tmp/flash", "/dev/pts/7")     # a littlefs in that file, mounted as "/flash"
    chip.fill("/tmp/flash", "/tmp/spool")      # makes one with a spool, before the start

Prints "SHIMS bytes" for what only a computer has in its heap: modules that are C code on a chip.
The file system, and an ESP8266's UART buffer, are in a chip's heap as well, and so stay counted.
"""

import gc
import os

import vfs
from micropython import const

_BLOCK_BYTES = const(4096)


class Flash:
    """A file as a block device."""

    def __init__(self, path: str) -> None:
        self._blocks = os.stat(path)[6] // _BLOCK_BYTES
        self._file = open(path, "r+b", buffering=0)  # noqa: SIM115 - as long as the device

    def readblocks(self, block: int, buffer, offset: int = 0) -> None:
        """Read from a block."""
        self._file.seek(block * _BLOCK_BYTES + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block: int, buffer, offset: int = 0) -> None:
        """Write into an erased block."""
        self._file.seek(block * _BLOCK_BYTES + offset)
        self._file.write(buffer)

    def ioctl(self, operation: int, argument: int):
        """What VfsLfs2 asks."""
        if operation == 4:
            return self._blocks
        if operation == 5:
            return _BLOCK_BYTES
        return 0


def start(path: str, uart: str) -> None:
    """Load the stand-ins, mount the file system, and know no time, as after power on."""
    global buffer, flash
    gc.collect()
    before = gc.mem_alloc()
    import machine
    import machine_parts  # noqa: F401
    import network  # noqa: F401
    import serialport  # noqa: F401

    gc.collect()
    took = gc.mem_alloc() - before
    if uart:
        before = gc.mem_alloc()
        port = machine.UART(uart, 115200, bits=8, parity=None, stop=1, rxbuf=1)
        gc.collect()
        took += gc.mem_alloc() - before - 32  # a chip's UART object has 32 bytes and more
        port.deinit()
    print("SHIMS", took)
    flash = Flash(path)
    try:
        vfs.mount(flash, "/flash")
    except OSError:  # as _boot.py does
        vfs.VfsLfs2.mkfs(flash)
        vfs.mount(vfs.VfsLfs2(flash), "/flash")
    import board

    buffer = bytearray(board.HEAP_BUFFER)  # noqa: F841 - ports/esp8266/machine_uart.c has it
    from joulelog import clock

    clock.board_time = lambda: None


def fill(path: str, folder: str) -> None:
    """Make a file system with the files of this folder in its spool."""
    flash = Flash(path)
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    os.mkdir("/flash/spool")
    for name in os.listdir(folder):
        with open(folder + "/" + name, "rb") as source, open("/flash/spool/" + name, "wb") as to:
            to.write(source.read())
