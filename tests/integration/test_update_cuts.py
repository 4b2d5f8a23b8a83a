"""An update whose power is cut at each operation on the flash: the old or the new image starts.

Against tools/sim/bootloader.py, from each history that the bootloader's two entries can have; cut
before an operation, in the midst of it, and behind it, and in what the bootloader itself writes.
The long form cuts an update of 1.5 MB at every operation, the other one at every 24th.
"""

import asyncio
import functools
import os
import random
import sys
from types import SimpleNamespace

import esp32
import pytest
import update_helpers as made
import updatefile

from joulelog.flow.latest import Latest
from joulelog.update.receive import Updates, reading
from tests import esp_images
from tests.unit.test_update import Board, Bytes, Key, Store
from tools.sim import bootloader

LONG = bool(os.environ.get("JOULELOG_LONG"))
SHARES = (0.0, 0.01, 0.5, 0.99)
OLD = made.image(41000, 3)
NEW = made.image(50000, 5)
OTHER = made.image(30000, 9)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setitem(sys.modules, "update_key", Key)
    yield
    esp32.flash = None


def started(flash, monkeypatch) -> str | None:
    """Let the bootloader start something, and be that."""
    slot = bootloader.start(flash)
    if slot:
        monkeypatch.setenv("JOULELOG_SLOT", slot)
    return slot


def application(flash, slot: str) -> bytes:
    """What lies in a slot, up to where its neighbours are shorter or longer."""
    row = next(row for row in esp32.rows(flash) if row[4] == slot)
    return flash.read(row[2], row[3])


def is_in(flash, slot: str | None, app: bytes) -> bool:
    return slot is not None and application(flash, slot)[: len(app)] == app


@functools.cache
def file_of(app: bytes, layout: str, board: str, chip: str) -> bytes:
    return made.head(app, layout=layout, board=board, chip=chip) + app


def update(flash, app: bytes, board=Board) -> None:
    esp32.flash = flash
    data = file_of(app, updatefile.layout(esp32.rows(flash)), board.NAME, board.CHIP)
    asyncio.run(
        Updates(board, Store(), Latest()).take(reading(Bytes(data, (65536,)).read), len(data))
    )


def confirm(flash) -> None:
    esp32.flash = flash
    esp32.Partition.mark_app_valid_cancel_rollback()


def fresh(monkeypatch):
    """As a cable leaves it: nobody has written an entry."""
    return bootloader.Chip(made.flash_image(OLD))


def booted(monkeypatch):
    """It has started once."""
    flash = fresh(monkeypatch)
    started(flash, monkeypatch)
    return flash


def rolled_back(monkeypatch):
    """An update before this one was not confirmed."""
    flash = booted(monkeypatch)
    update(flash, OTHER)
    started(flash, monkeypatch)
    assert started(flash, monkeypatch) == "ota_0"
    return flash


def updated_twice(monkeypatch):
    """OLD has come over the air, in its second slot and its first one again."""
    flash = booted(monkeypatch)
    for app in (OTHER, OLD):
        update(flash, app)
        started(flash, monkeypatch)
        confirm(flash)
    return flash


def in_the_second_slot(monkeypatch):
    flash = bootloader.Chip(made.flash_image(OTHER))
    started(flash, monkeypatch)
    update(flash, OLD)
    started(flash, monkeypatch)
    confirm(flash)
    return flash


HISTORIES = (fresh, booted, rolled_back, updated_twice, in_the_second_slot)


def record(flash, work) -> list[tuple[int, bytes]]:
    """What the work does to the flash, operation by operation."""
    flash.journal = []
    work()
    journal, flash.journal = flash.journal, None
    return journal


def cuts(flash, journal, shares=SHARES, every: int = 1):
    """Yield (how many operations are done, the flash as a cut leaves it)."""
    now = flash.copy()
    for number, (at, data) in enumerate(journal):
        for share in shares if number % every == 0 or number >= len(journal) - 4 else ():
            cut = now.copy()
            part = data[: int(len(data) * share)]
            cut.data[at : at + len(part)] = part
            yield number, cut
        now.data[at : at + len(data)] = data
    yield len(journal), now


def starts_after_cuts_of_its_own(flash, monkeypatch) -> set[str | None]:
    """Each slot that starts when the bootloader's own writes are cut, and then it starts again."""
    found = set()
    number = 0
    while True:
        number += 1
        for share in SHARES:
            copy = flash.copy()
            copy.cut_at(number, share)
            try:
                found.add(bootloader.start(copy))
            except bootloader.PowerCut:
                found.add(bootloader.start(copy))
                continue
            return found


@pytest.mark.parametrize("history", HISTORIES, ids=lambda one: one.__name__)
def test_the_old_or_the_new_image_starts(history, monkeypatch):
    flash = history(monkeypatch)
    begun = started(flash.copy(), monkeypatch)
    assert is_in(flash, begun, OLD)
    running = flash.copy()
    journal = record(running, lambda: update(running, NEW))
    blocks = -(-len(NEW) // 4096)
    assert len(journal) == 2 * blocks + 2  # and the entry: an erase and a write
    count = 0
    for number, cut in cuts(flash, journal):
        switched = number == len(journal)
        for slot in starts_after_cuts_of_its_own(cut, monkeypatch):
            # A trial whose first start is cut may be over before it began.
            right = is_in(cut, slot, OLD) or (switched and is_in(cut, slot, NEW))
            assert right, (number, slot, bootloader.state(cut))
        slot = started(cut, monkeypatch)
        assert is_in(cut, slot, NEW if switched else OLD), (number, slot)
        count += 1
        if number % 5 == 0 and not switched:  # and the next update goes through
            update(cut, NEW)
            assert is_in(cut, started(cut, monkeypatch), NEW)
    print(f"{history.__name__}: {count} cuts of {len(journal)} operations")


@pytest.mark.parametrize("history", HISTORIES, ids=lambda one: one.__name__)
def test_a_trial_ends_with_either(history, monkeypatch):
    flash = history(monkeypatch)
    started(flash, monkeypatch)
    update(flash, NEW)
    assert is_in(flash, started(flash, monkeypatch), NEW)
    assert "on trial" in bootloader.state(flash)
    unconfirmed = flash.copy()
    assert is_in(unconfirmed, bootloader.start(unconfirmed), OLD)
    assert is_in(unconfirmed, bootloader.start(unconfirmed), OLD)
    journal = record(flash, lambda: confirm(flash))
    assert len(journal) == 2
    before = flash.copy()
    for number, cut in cuts(before, journal):
        slot = bootloader.start(cut)
        assert is_in(cut, slot, NEW) or is_in(cut, slot, OLD), number
        again = bootloader.start(cut)
        assert again == slot or is_in(cut, again, OLD)
    for _ in range(3):
        assert is_in(flash, bootloader.start(flash), NEW)


def test_an_image_of_full_size(monkeypatch):
    """The flash of a board, its partition table, an application of 1.5 MB."""
    name = "ESP32_GENERIC"
    board = SimpleNamespace(NAME=name, CHIP="esp32", IMAGE="")
    old = esp_images.app_of(name, 1_400_000)
    new = esp_images.application("esp32", b"another one", 1_500_000)
    image = esp_images.image_of(name, old)
    flash = bootloader.Chip((b"\xff" * 0x1000 + image).ljust(0x400000, b"\xff"))
    # Something else has been in the second slot.
    flash.data[0x1D0000:0x390000] = random.Random(1).randbytes(0x1C0000)
    assert started(flash, monkeypatch) == "ota_0"
    running = flash.copy()
    journal = record(running, lambda: update(running, new, board))
    assert len(journal) == 2 * -(-len(new) // 4096) + 2
    count = 0
    for number, cut in cuts(flash, journal, (0.0, 0.5), 1 if LONG else 24):
        slot = bootloader.start(cut)
        assert is_in(cut, slot, new if number == len(journal) else old), number
        assert cut.data[0x390000:] == flash.data[0x390000:]  # files: settings, what waits
        assert cut.data[:0xD000] == flash.data[:0xD000]
        count += 1
    print(
        f"{len(new)} bytes: {count} cuts of {len(journal)} operations, the old or the new starts"
    )
