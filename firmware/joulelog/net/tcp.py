"""A TCP connection without blocking the loop: for protocols that ask and listen.

    stream = await tcp.connect("meter.local", 502, 5000)      # or NetError
    await stream.send(request, 1000)                          # or OSError
    data = stream.receive()      # what is there, b"" for nothing; None: the other side has ended
    stream.close()

A refusal may show with the first send() or receive() only: not all systems tell before.
"""

import errno
import select
import socket

from .. import clock, net
from ..errors import NetError
from . import address, words

_LOOK_MS = 10
_PIECE = 512
_PROTOCOL = 6  # TCP
_NO_DELAY = 1
# "Not yet" of a socket; the last one is Windows's.
_NOT_YET = (errno.EAGAIN, errno.EINPROGRESS, getattr(errno, "EWOULDBLOCK", errno.EAGAIN))


async def connect(host: str, port: int, timeout_ms: int):
    """A Stream to a host, by its name as it is now; NetError says why there is none."""
    until_ms = clock.uptime_ms() + timeout_ms
    found = await address.of(host, timeout_ms)
    sock = socket.socket()
    error: OSError | None = None
    try:
        sock.setblocking(False)
        try:
            sock.connect(socket.getaddrinfo(found, port)[0][-1])
        except OSError as reason:
            if reason.args[0] not in _NOT_YET:
                raise
        while not _can_send(sock):
            if clock.uptime_ms() > until_ms:
                raise OSError(errno.ETIMEDOUT)
            await clock.sleep_ms(_LOOK_MS)
        _hurry(sock)
        stream, sock = Stream(sock), None
        return stream
    except OSError as reason:
        error = reason
    finally:
        if sock:
            sock.close()
    address.forget(host)
    net.unanswered(error)
    raise NetError(words(error))


class Stream:
    """One connection."""

    def __init__(self, sock) -> None:
        self._socket = sock

    def receive(self) -> bytes | None:
        """Bytes that are there, b"" where nothing is; None: no more will come."""
        try:
            data = self._socket.recv(_PIECE)
        except OSError as error:
            if error.args[0] in _NOT_YET:
                return b""
            raise
        if not data:
            return None
        net.answered()
        return data

    async def send(self, data: bytes, timeout_ms: int) -> None:
        """Send all of it."""
        until_ms = clock.uptime_ms() + timeout_ms
        while data:
            sent = 0
            try:
                sent = self._socket.send(data)
            except OSError as error:
                if error.args[0] not in _NOT_YET:
                    raise
            data = data[sent:]
            if data:
                if clock.uptime_ms() > until_ms:
                    raise OSError(errno.ETIMEDOUT)
                await clock.sleep_ms(_LOOK_MS)

    def close(self) -> None:
        """Leave it."""
        self._socket.close()


def _can_send(sock) -> bool:
    """Whether it is connected, or has failed."""
    if not hasattr(select, "poll"):  # Windows
        return any(select.select([], [sock], [sock], 0))
    poller = select.poll()
    poller.register(sock, select.POLLOUT)
    return bool(poller.poll(0))


def _hurry(sock) -> None:
    """Small requests do not wait for the receipt of the one before."""
    try:
        sock.setsockopt(_PROTOCOL, _NO_DELAY, 1)
    except OSError:
        pass
