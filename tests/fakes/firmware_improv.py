"""The firmware's own Improv as a program of a simulated chip, with a Wi-Fi that is one of two.

    board = FirmwareImprov(send, password="right")       # a program for tools.sim.esp_board

joulelog.setup.improv runs in a thread, as in the firmware: a task of asyncio that looks at its
line. Only the line and the Wi-Fi are stand-ins.
"""

import asyncio
import queue
import threading

import board

from joulelog.setup.improv import Listener, about

ADDRESS = "192.168.1.77"
NETWORKS = [("my network", -42, True), ("café", -70, False), ("neighbour", -80, True)]


class FirmwareImprov:
    """Listener's line and Wi-Fi, and the thread it runs in."""

    def __init__(self, send, password: str) -> None:
        self.joined: list[tuple[str, str]] = []  # what it was told, right or wrong
        self.stored: list[dict] = []
        self.up = False
        self.address = ""
        self.write = send
        self._password = password
        self._comes: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._listener = Listener(self, about(board, "JouleLog-1A2B"), self, self)
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._listener.run())
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            self._loop.close()

    def receive(self, data: bytes) -> None:
        self._comes.put(data)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)

    # The line

    def take(self) -> None:
        """Ctrl-C is the listener's from here on."""

    def release(self) -> None:
        """And no more."""

    def read(self) -> bytes:
        return b"" if self._comes.empty() else self._comes.get()

    # The settings

    async def problems(self, _changes: dict) -> list[str]:
        return []

    async def save_network(self, entry: dict) -> list[str]:
        self.stored.append(entry)
        return []

    __call__ = save_network

    # The Wi-Fi

    async def scan(self) -> list[tuple[str, int, bool]]:
        return NETWORKS

    async def attempt(self, settings: dict) -> str:
        self.joined.append((settings["ssid"], settings["password"]))
        if settings["password"] != self._password:
            return "Wi-Fi %s: the password is not accepted" % settings["ssid"]
        self.up, self.address = True, ADDRESS
        return ""
