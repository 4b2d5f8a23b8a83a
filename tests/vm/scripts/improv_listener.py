"""The firmware's Improv on its standard input and output, alone: for test_improv_sdk.py.

    improv_listener.py FILE [MS [BOARD]]

AROUND in the environment says which networks there are (tools/host/shims/network.py). What is
stored goes into FILE, a line of JSON each; a last line tells how it ended. SPEED=n: so many times
as fast. On CPython and the VM.
"""

import asyncio
import json
import os
import sys

from joulelog import clock
from joulelog.device import typed
from joulelog.net.wifi import Wifi
from joulelog.setup import improv


class Board:
    NAME = "HOST"
    CHIP = "esp32c3"


class Editor:
    def __init__(self, note) -> None:
        self._note = note

    async def problems(self, changes: dict) -> list:
        return []

    async def save_network(self, entry: dict) -> list:
        self._note(entry)
        return []


async def main(note, for_ms: int) -> None:
    wifi = Wifi([], "joulelog")
    task = asyncio.create_task(wifi.run())
    about = improv.about(Board, "JouleLog-1A2B")
    await improv.Listener(typed.Line(Board), about, wifi, Editor(note)).run(for_ms)
    task.cancel()


def run(path: str, for_ms: int) -> None:
    with open(path, "w") as file:

        def note(what) -> None:
            file.write(json.dumps(what) + "\n")
            file.flush()

        try:
            asyncio.run(main(note, for_ms))
            note("ended")
        except KeyboardInterrupt:
            note("interrupted")


clock.set_speed(int(os.getenv("SPEED") or 1))
if len(sys.argv) > 3:
    Board.NAME = sys.argv[3]
run(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
