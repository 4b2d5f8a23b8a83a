"""Runs on the frozen VM before the script: what an ESP8266 has in its heap when it has started.

    chip.start("/tmp/flash")        # a littlefs in that file, mounted as "/flash"

Prints "SHIMS bytes" for what only a computer has in its heap: modules that are C code on a chip.
The file system and the UART's buffer are in a chip's heap as well, and so stay counted.
"""

import gc

_BLOCKS = 251  # 1004 kB, the file system of boards/ESP8266_GENERIC
_BLOCK_BYTES = 4096


class Flash:
    """A file as a block device."""

    def __init__(self, path: str) -> None:
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
            return _BLOCKS
        if operation == 5:
            return _BLOCK_BYTES
        return 0


def start(path: str, uart: str) -> None:
    """Load the stand-ins, make a file system, and know no time, as after power on."""
    global buffer
    gc.collect()
    before = gc.mem_alloc()
    import machine
    import network  # noqa: F401
    import serialport  # noqa: F401

    gc.collect()
    modules = gc.mem_alloc() - before
    before = gc.mem_alloc()
    port = machine.UART(uart, 115200, bits=8, parity=None, stop=1, rxbuf=1)
    gc.collect()
    # An ESP8266's UART object has 32 bytes.
    print("SHIMS", modules + gc.mem_alloc() - before - 32)
    port.deinit()
    import vfs

    flash = Flash(path)
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    import board

    buffer = bytearray(board.RX_BUFFER + 1)  # noqa: F841 - ports/esp8266/machine_uart.c has it
    from joulelog import clock

    clock.board_time = lambda: None
