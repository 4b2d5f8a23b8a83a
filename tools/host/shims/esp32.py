"""The module `esp32` for a computer: Partition on a file that stands for the flash.

    JOULELOG_FLASH=build/flash.bin            # the whole chip, with a partition table at 0x8000
    slot = esp32.Partition(esp32.Partition.RUNNING).get_next_update()
    slot.ioctl(6, 0); slot.writeblocks(0, block, 0); slot.set_boot()

The interface is that of MicroPython's ports/esp32/esp32_partition.c, what set_boot() does that of
ESP-IDF's esp_ota_ops.c: it checks the image once more, and writes one of two entries. The same
file serves CPython and the MicroPython VM. Which slot runs is told by JOULELOG_SLOT (ota_0), for
whoever plays the bootloader (tools/sim/bootloader.py) has chosen it.
"""

import errno
import hashlib
import os
import struct
from binascii import crc32

SECTOR = 4096
NEW = 0  # esp_ota_img_states_t
PENDING = 1
VALID = 2
INVALID = 3
ABORTED = 4
_EMPTY = 0xFFFFFFFF
_TABLE = 0x8000
_ROWS = 95
_OTA_DATA = (1, 0)
_FIRST_SLOT = 0x10
_VALIDATE_FAILED = 0x1503  # ESP_ERR_OTA_VALIDATE_FAILED, as MicroPython raises it: negative


class Flash:
    """A NOR flash in a file: erasing sets bits, writing only clears them."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "r+b")  # noqa: SIM115 - as long as the program
        self.operations = 0  # erases and writes

    def read(self, at: int, size: int) -> bytes:
        self._file.seek(at)
        return self._file.read(size)

    def erase(self, at: int) -> None:
        """One sector."""
        self.operations += 1
        self._put(at, b"\xff" * SECTOR)

    def program(self, at: int, data) -> None:
        self.operations += 1
        self._put(at, cleared(self.read(at, len(data)), data))

    def _put(self, at: int, data: bytes) -> None:
        self._file.seek(at)
        self._file.write(data)
        self._file.flush()


def cleared(old: bytes, new) -> bytes:
    """What a chip has after it wrote something over something."""
    if old == b"\xff" * len(old):
        return bytes(new)
    return bytes([old[at] & new[at] for at in range(len(old))])


flash = None  # tests put theirs here


def _flash():
    global flash
    if flash is None:
        path = os.getenv("JOULELOG_FLASH")
        if not path:
            raise OSError(errno.ENOENT)
        flash = Flash(path)
    return flash


def rows(flash) -> list:
    """(type, subtype, address, size, label) of each row of the partition table."""
    found = []
    for number in range(_ROWS):
        row = flash.read(_TABLE + 32 * number, 32)
        if row[:2] != b"\xaa\x50":
            break
        kind, subtype, address, size, label = struct.unpack("<BBII16s", row[2:28])
        found.append((kind, subtype, address, size, label.rstrip(b"\x00").decode()))
    return found


class Partition:
    """A row of the table; see MicroPython's documentation of esp32.Partition."""

    BOOT = 0
    RUNNING = 1
    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, which, block_size: int = SECTOR) -> None:
        if which == self.RUNNING:
            which = os.getenv("JOULELOG_SLOT") or "ota_0"
        elif which == self.BOOT:
            which = "ota_%d" % chosen(_flash())[0]
        found = [row for row in rows(_flash()) if row[4] == which]
        if not found:
            raise OSError(errno.ENOENT)
        self._row = found[0]

    @staticmethod
    def find(type: int = 0, subtype: int = 0xFF, label=None, block_size: int = SECTOR) -> list:
        """Those of a type; subtype 0xFF: all."""
        return [
            Partition(row[4])
            for row in rows(_flash())
            if row[0] == type and subtype in (0xFF, row[1]) and label in (None, row[4])
        ]

    def info(self) -> tuple:
        """(type, subtype, address, size, label, whether it is encrypted)."""
        return self._row + (False,)

    def readblocks(self, block: int, buffer, offset: int = 0) -> None:
        """Fill the buffer from a block, and an offset in it, on."""
        at = self._place(block * SECTOR + offset, len(buffer))
        buffer[:] = _flash().read(at, len(buffer))

    def writeblocks(self, block: int, data, offset=None) -> None:
        """Write; without an offset the sectors are erased first."""
        at = self._place(block * SECTOR + (offset or 0), len(data))
        if offset is None:
            for sector in range(at, at + len(data), SECTOR):
                _flash().erase(sector)
        for start in range(0, len(data), SECTOR):
            _flash().program(at + start, data[start : start + SECTOR])

    def ioctl(self, command: int, argument: int):
        """4: how many blocks there are, 5: their size, 6: erase this one."""
        if command == 4:
            return self._row[3] // SECTOR
        if command == 5:
            return SECTOR
        if command == 6:
            _flash().erase(self._place(argument * SECTOR, SECTOR))
        return 0

    def get_next_update(self):
        """The slot behind this one, or the first."""
        names = [row[4] for row in rows(_flash()) if row[0] == 0 and row[1] >= _FIRST_SLOT]
        if not names:
            raise OSError(errno.ENOENT)
        at = names.index(self._row[4]) + 1 if self._row[4] in names else 0
        return Partition(names[at % len(names)])

    def set_boot(self) -> None:
        """Let the bootloader start it next, on trial; OSError where it holds no whole image."""
        flash = _flash()
        if not is_image(flash, self._row[2], self._row[3]):
            raise OSError(-_VALIDATE_FAILED)
        slots = len([row for row in rows(flash) if row[0] == 0 and row[1] >= _FIRST_SLOT])
        wanted = (self._row[1] & 0x0F) + 1
        entries = [entry(flash, number) for number in (0, 1)]
        active = newest(entries)
        if active < 0:
            write_entry(flash, 0, wanted, NEW)
            return
        sequence = wanted % slots
        while entries[active][0] > sequence:
            sequence += slots
        write_entry(flash, 1 - active, sequence, NEW)

    @staticmethod
    def mark_app_valid_cancel_rollback() -> None:
        """What runs stays."""
        flash = _flash()
        active = newest([entry(flash, number) for number in (0, 1)])
        if active < 0:
            raise OSError(-1)  # ESP_FAIL
        sequence, state, _ = entry(flash, active)
        if state != VALID:
            write_entry(flash, active, sequence, VALID)

    def _place(self, at: int, size: int) -> int:
        if at < 0 or at + size > self._row[3]:
            raise OSError(-0x102)  # ESP_ERR_INVALID_ARG
        return self._row[2] + at


# Two sectors of otadata have an entry each: sequence number, 20 bytes of label, state, CRC-32 of
# the number alone (esp_ota_select_entry_t; bootloader_common_ota_select_crc).


def _entry_at(flash, number: int) -> int:
    return [row[2] for row in rows(flash) if row[:2] == _OTA_DATA][0] + SECTOR * number


def entry(flash, number: int) -> tuple:
    """(sequence, state, whether its CRC is right) of entry 0 or 1."""
    data = flash.read(_entry_at(flash, number), 32)
    sequence, state, crc = struct.unpack("<I20xII", data)
    return sequence, state, crc == _crc(sequence)


def is_invalid(one: tuple) -> bool:
    """Whether an entry was never written, or given up (bootloader_common_ota_select_invalid)."""
    return one[0] == _EMPTY or one[1] in (INVALID, ABORTED)


def newest(entries: list) -> int:
    """The one that counts, with the larger number; -1: none."""
    counts = [one[2] and not is_invalid(one) for one in entries]
    if counts[0] and counts[1]:
        return 0 if entries[0][0] >= entries[1][0] else 1
    return 0 if counts[0] else 1 if counts[1] else -1


def write_entry(flash, number: int, sequence: int, state: int) -> None:
    """Two operations on the flash."""
    at = _entry_at(flash, number)
    flash.erase(at)
    data = struct.pack("<I", sequence) + b"\xff" * 20 + struct.pack("<II", state, _crc(sequence))
    flash.program(at, data)


def _crc(sequence: int) -> int:
    return crc32(struct.pack("<I", sequence), _EMPTY) & _EMPTY


def chosen(flash) -> tuple:
    """(number of the slot, of the entry or -1) that the entries name."""
    slots = len([row for row in rows(flash) if row[0] == 0 and row[1] >= _FIRST_SLOT])
    entries = [entry(flash, number) for number in (0, 1)]
    active = newest(entries)
    return (0 if active < 0 else (entries[active][0] - 1) % slots), active


def is_image(flash, at: int, room: int) -> bool:
    """Whether a whole image lies there: header, segments, checksum, SHA-256 (esp_image_format)."""
    head = flash.read(at, 24)
    if head[0] != 0xE9 or not 0 < head[1] <= 16:
        return False
    place = at + 24
    total = 0xEF
    for _ in range(head[1]):
        size = struct.unpack("<I", flash.read(place + 4, 4))[0]
        place += 8
        if size > room or place + size > at + room:
            return False
        for piece in _pieces(flash, place, size):
            total ^= _xor(piece)
        place += size
    place += 15 - (place - at) % 16
    if place >= at + room - 32 or flash.read(place, 1)[0] != total:
        return False
    place += 1
    if not head[23]:
        return True
    found = hashlib.sha256()
    for piece in _pieces(flash, at, place - at):
        found.update(piece)
    return found.digest() == flash.read(place, 32)


def _pieces(flash, at: int, size: int):
    """Small ones: a chip needs none of Python's heap for this."""
    for start in range(0, size, 1024):
        yield flash.read(at + start, min(1024, size - start))


def _xor(data: bytes) -> int:
    """All bytes in one, by exclusive or."""
    size = len(data)
    value = int.from_bytes(data, "little")
    while size > 1:
        half = (size + 1) // 2
        value = (value >> 8 * half) ^ (value & ((1 << 8 * half) - 1))
        size = half
    return value
