"""What the bootloader of an ESP32 makes of a flash: which slot starts, and what it writes of that.

    flash = Chip(image)                      # the whole flash, in memory
    esp32.flash = flash                      # for Partition, of tools/host/shims
    started = bootloader.start(flash)        # "ota_0"; None: nothing starts

    flash.cut_at(17, 0.5)                    # the power goes half through that operation: PowerCut

As in ESP-IDF's bootloader_utility.c (bootloader_utility_get_selected_boot_partition,
bootloader_utility_load_boot_image) with CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE: an entry that was
tried and not confirmed is given up, a new one is tried once, and where the chosen slot holds no
whole image the others have their turn. Images are checked by tools/images/espimage.py.
"""

import sys

import esp32

from tools.images import espimage

_EMPTY = 0xFFFFFFFF


class PowerCut(BaseException):
    """The power has gone; nothing goes on."""


class Chip:
    """A NOR flash in memory, with power that goes."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)
        self.operations = 0  # erases and writes
        self.journal: list[tuple[int, bytes]] | None = None  # all of them, if asked
        self.erased: dict[int, int] = {}  # sector -> how often
        self._cut = 0
        self._share = 0.0

    def copy(self) -> "Chip":
        return Chip(self.data)

    def cut_at(self, operation: int, share: float) -> None:
        """Let the power go when this share of an operation is done; they are counted from 1."""
        self._cut, self._share = operation, share

    def read(self, at: int, size: int) -> bytes:
        return bytes(self.data[at : at + size])

    def erase(self, at: int) -> None:
        """One sector."""
        assert at % esp32.SECTOR == 0
        self.erased[at] = self.erased.get(at, 0) + 1
        self._put(at, b"\xff" * esp32.SECTOR)

    def program(self, at: int, data) -> None:
        self._put(at, esp32.cleared(self.read(at, len(data)), data))

    def _put(self, at: int, data: bytes) -> None:
        self.operations += 1
        if self.journal is not None:
            self.journal.append((at, bytes(data)))
        if self.operations == self._cut:
            done = int(len(data) * self._share)
            self.data[at : at + done] = data[:done]
            raise PowerCut
        self.data[at : at + len(data)] = data


def start(flash) -> str | None:
    """Select a slot and start it; its label, or None where no slot has a whole image."""
    slots = [row for row in esp32.rows(flash) if row[0] == 0 and row[1] >= 0x10]
    for number in (0, 1):
        sequence, state, _ = esp32.entry(flash, number)
        if state == esp32.PENDING:
            esp32.write_entry(flash, number, sequence, esp32.ABORTED)
    entries = [esp32.entry(flash, number) for number in (0, 1)]
    unknown = all(esp32.is_invalid(one) and (one[0] == _EMPTY or not one[2]) for one in entries)
    first, active = esp32.chosen(flash)
    if active >= 0 and entries[active][1] == esp32.NEW:
        esp32.write_entry(flash, active, entries[active][0], esp32.PENDING)
    for slot in [*range(first, -1, -1), *range(first + 1, len(slots))]:
        if is_whole(flash, slots[slot]):
            if unknown:
                esp32.write_entry(flash, 0, slot + 1, esp32.VALID)
            return slots[slot][4]
    return None


def is_whole(flash, row: tuple) -> bool:
    """Whether a slot has an image, by another reader than Partition's."""
    data = flash.read(row[2], row[3])
    try:
        if data[0] != espimage.MAGIC:
            return False
        espimage._segments(data, 0, 24)
    except espimage.ImageError:
        return False
    return True


def state(flash) -> str:
    """For people: what runs next, and what is said of it."""
    names = {0: "new", 1: "on trial", 2: "valid", 3: "invalid", 4: "aborted"}
    slot, active = esp32.chosen(flash)
    told = names.get(esp32.entry(flash, active)[1], "undefined") if active >= 0 else "default"
    return f"ota_{slot}, {told}"


if __name__ == "__main__":  # JOULELOG_FLASH's file: which slot starts
    print(start(esp32.Flash(sys.argv[1])))
