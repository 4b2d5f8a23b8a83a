"""Look for updates at an address, for test_update_fetch.py: on the VM, and on CPython as well.

    update_fetch.py URL NAME...

For each name: takes what lies at URL/NAME, and prints "NAME taken: version" or "NAME left: why".
"""

import asyncio
import logging
import sys

import esp32
import update_helpers as made

from joulelog.update import fetch
from joulelog.update.receive import Updates


class Key:
    MODULUS = made.MODULUS


class Board:
    NAME = made.BOARD
    CHIP = made.CHIP
    IMAGE = ""


class Store:
    def get(self, key: str, default=None):
        return default

    def set(self, key: str, value) -> None:
        pass

    put = set

    def save_now(self) -> bool:
        return True


class Last(logging.Handler):
    said = ""

    def emit(self, record) -> None:
        Last.said = record.message if hasattr(record, "message") else record.getMessage()


def main(url: str, names: list) -> None:
    sys.modules["update_key"] = Key  # type: ignore[assignment]
    logging.getLogger().handlers = [Last()]
    logging.getLogger().setLevel(logging.DEBUG)
    for name in names:
        Last.said = ""
        esp32.flash = made.RamFlash(made.flash_image(made.image(20000, 3)))  # type: ignore
        updates = Updates(Board, Store())
        taken = asyncio.run(fetch.newer("%s/%s" % (url, name), updates))
        untouched = esp32.chosen(esp32.flash) == (0, -1)
        if taken != (not untouched) or taken != bool(updates.ready):
            raise AssertionError(name)
        print(name, "taken: " + updates.ready if taken else "left: " + Last.said)


main(sys.argv[1], sys.argv[2:])
