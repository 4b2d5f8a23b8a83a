"""The name server of the board's access point: every name is the board's.

    task = asyncio.create_task(EveryName("192.168.4.1").run())

A phone that joins asks for the names of its maker's probes, gets the board's address, and shows
the page that it finds there.
"""

import errno
import logging
import socket

from dnsq import every
from micropython import const

from .. import clock

PORT = const(53)
_POLL_MS = const(50)
_AT_ONCE = const(8)  # datagrams between two rests
_LONGEST = const(512)


class EveryName:
    """Answers DNS questions that come to one of the board's addresses."""

    def __init__(self, address: str, port: int = PORT) -> None:
        self.answered = 0
        self.ignored = 0
        self._place = address, port
        self._bytes = bytes([int(part) for part in address.split(".")])

    async def run(self) -> None:
        """Answer, for ever; ends with a line in the log where the port cannot be had."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.bind(socket.getaddrinfo(*self._place)[0][-1])
            sock.setblocking(False)
        except OSError as error:
            text = "no name server of our own (%s): open http://%s by hand"
            logging.getLogger("names").warning(text, error, self._place[0])
            sock.close()
            return
        try:
            while True:
                for _ in range(_AT_ONCE):
                    if not self._one(sock):
                        break
                await clock.sleep_ms(_POLL_MS)
        finally:
            sock.close()

    def _one(self, sock) -> bool:
        """Answer a datagram; False where there is none."""
        try:
            data, peer = sock.recvfrom(_LONGEST)
        except OSError as error:
            if error.args[0] != errno.EAGAIN:
                self.ignored += 1  # a guest has gone: of one, not of the next
            return False
        reply = every.reply(data, self._bytes)
        if reply is None:
            self.ignored += 1
            return True
        try:
            sock.sendto(reply, peer)
            self.answered += 1
        except OSError:
            self.ignored += 1
        return True
