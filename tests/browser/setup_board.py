"""Set-up's site with the pins and UARTs of a board of boards/, as a process of this computer.

    python -m tests.browser.setup_board ESP32_GENERIC /tmp/folder 8123 [lan] [only_wifi] [image]

lan: whoever asks is not on the access point, but in the network. image: the board has one, and so
takes updates (JOULELOG_FLASH: tools/host/shims/esp32.py). AROUND: tools/host/shims/network.
"""

import asyncio
import os
import sys

import tools  # noqa: F401 - says where the firmware is
from joulelog.config.edit import Editor
from joulelog.device.state import Store
from joulelog.net.point import Point
from joulelog.net.wifi import Wifi
from joulelog.setup.site import Site
from tools import boards


async def main(name: str, folder: str, port: str, *how: str) -> None:
    board = boards.load(boards.FOLDERS / name)
    board.LOG_DIRECTORY = folder
    board.WEB_PORT = int(port)
    board.FEATURES = None  # an image that has everything
    if "image" in how:
        board.IMAGE = ""
    store = Store(folder)
    store.open()
    wifi = Wifi([], "board")
    point = Point("JouleLog-TEST", "its password")
    point.open()
    editor = Editor({}, board)
    site = Site(board, wifi, point if "lan" not in how else None, editor, store, "board")
    site.portal.only_wifi = "only_wifi" in how
    await asyncio.gather(wifi.run(), site.portal.run(), site.server.run())


if __name__ == "__main__":
    os.makedirs(sys.argv[2], exist_ok=True)
    asyncio.run(main(*sys.argv[1:]))
