"""Where Tuya devices are: they announce themselves by UDP every few seconds.

    finder = of(buses)                          # one for all readers
    found = await finder.find("bf01…", 12000)   # (id, address, version, product), or None

One reader listens at a time, for all that wait. See lib/tuya/discovery.
"""

import errno
import socket

import cryptolib
from micropython import const
from tuya import discovery

from .. import clock, net

_LOOK_MS = const(50)
_MOST = const(512)  # bytes of a datagram
_BUS = "tuya"


def of(buses: dict):
    """The finder that others have as well."""
    if _BUS not in buses:
        buses[_BUS] = Finder()
    return buses[_BUS]


class Finder:
    """See the module's text."""

    heard = 0  # announcements
    _listening = False

    def __init__(self) -> None:
        self._found: dict = {}  # id -> what was announced, None: somebody waits for it

    async def find(self, device_id: str, ms: int) -> tuple | None:
        """Wait for an announcement of this device; OSError where nobody can listen."""
        until_ms = clock.uptime_ms() + ms
        self._found[device_id] = None
        try:
            while self._found[device_id] is None and clock.uptime_ms() < until_ms:
                if self._listening:
                    await clock.sleep_ms(_LOOK_MS)
                else:
                    await self._listen(device_id, until_ms)
            return self._found[device_id]
        finally:
            self._found.pop(device_id, None)

    async def _listen(self, device_id: str, until_ms: int) -> None:
        self._listening = True
        sockets: list = []
        try:
            for port in discovery.PORTS:
                sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                sockets.append(sock)
                sock.setblocking(False)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(socket.getaddrinfo("0.0.0.0", port)[0][-1])
            while self._found.get(device_id) is None and clock.uptime_ms() < until_ms:
                for sock in sockets:
                    await self._take(sock)
                await clock.sleep_ms(_LOOK_MS)
        finally:
            self._listening = False
            for sock in sockets:
                sock.close()

    async def _take(self, sock) -> None:
        """One datagram, if there is one: a flood must not stop the loop."""
        try:
            datagram = sock.recv(_MOST)
        except OSError as error:
            if error.args[0] != errno.EAGAIN:
                raise
            return
        net.answered()
        found: list = []
        for _ in discovery.steps(datagram, cryptolib.aes, found):
            await clock.sleep_ms(0)
        for told in found:
            self.heard += 1
            if told[0] in self._found and net.is_address(told[1]):
                self._found[told[0]] = told
