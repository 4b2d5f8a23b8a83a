"""What a .mpy file costs in heap when it is loaded instead of frozen.

    mpy_file.structures(Path("build/esp32/tree/dsmr/obis.mpy"))      # bytes

Code in ROMFS runs in place, but the loader makes structures for it that frozen code has in flash:
one per function, the table of names, the table of constants. The names themselves, in pools of
their own, come on top (micropython.qstr_info() tells). Format: MicroPython's py/persistentcode.c,
mpy version 6. Sizes: a 32-bit VM's, whose heap has blocks of 16 bytes.
"""

from pathlib import Path

_BLOCK = 16
_FUNCTION = 16  # bytes of a function's structure, measured with 200 empty functions
_OBJECT = 16  # head of a text or bytes constant
_FIXED_OBJECTS = range(5)  # None, False, True ... have no length
_TEXT_OBJECTS = (5, 6)  # with a zero at the end
_TUPLE = 10


def structures(path: Path) -> int:
    """Bytes of heap that this file's structures take; constants themselves left out."""
    return _File(path.read_bytes()).size


class _File:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 4  # behind the header
        self.size = 0
        names = self._number()
        constants = self._number()
        for _ in range(names):
            length = self._number()
            if not length & 1:  # else a number of one that every image has
                self._at += (length >> 1) + 1
        for _ in range(constants):
            self._constant()
        self._function()
        if self._at != len(data):
            raise ValueError("not a .mpy file of version 6, or native code in it")
        self._add(2 * names)
        self._add(4 * constants)

    def _add(self, size: int) -> None:
        self.size += -(-size // _BLOCK) * _BLOCK

    def _number(self) -> int:
        value = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            value = value << 7 | byte & 127
            if byte < 128:
                return value

    def _constant(self) -> None:
        kind = self._data[self._at]
        self._at += 1
        if kind in _FIXED_OBJECTS:
            return
        length = self._number()
        if kind == _TUPLE:
            self._add(8 + 4 * length)
            for _ in range(length):
                self._constant()
            return
        self._at += length + (1 if kind in _TEXT_OBJECTS else 0)
        self._add(_OBJECT)

    def _function(self) -> None:
        head = self._number()
        self._at += head >> 3
        self._add(_FUNCTION)
        if head & 4:
            children = self._number()
            self._add(4 * children)
            for _ in range(children):
                self._function()
