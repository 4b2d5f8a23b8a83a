"""One question by UDP, and its answer, without blocking the loop: for DNS and NTP.

    found = await udp.exchange("192.0.2.53", 53, datagram, read, 1500)

`read(datagram)` returns None for a datagram that is not the answer: the wait goes on.
"""

import errno
import socket

from .. import clock, net

_POLL_MS = 20
_MAX_DATAGRAM = 512  # all that DNS without extensions and NTP can send


async def exchange(address: str, port: int, datagram: bytes, read, timeout_ms: int):
    """Send a datagram to an IPv4 address; return what read() made of the answer, or None.

    None means that no answer came within timeout_ms. Raises OSError as the socket does, and
    whatever read() raises.
    """
    # With an address in digits getaddrinfo only packs it: it asks nobody and returns at once.
    peer = socket.getaddrinfo(address, port)[0][-1]
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if address.startswith("224."):  # whoever knows may answer
            sock.sendto(datagram, peer)
        else:  # connected: answers of others are dropped, a refusal is reported
            sock.connect(peer)
            sock.send(datagram)
        found = await _listen(sock, read, timeout_ms)
        if found is None:
            net.unanswered()
        return found
    except OSError as error:
        net.unanswered(error)
        raise
    finally:
        sock.close()


async def _listen(sock, read, timeout_ms: int):
    """Return the first answer that read() takes, or None after timeout_ms."""
    deadline = clock.uptime_ms() + timeout_ms
    while clock.uptime_ms() < deadline:
        try:
            datagram = sock.recv(_MAX_DATAGRAM)
        except OSError as error:
            if error.args[0] != errno.EAGAIN:
                raise
            await clock.sleep_ms(_POLL_MS)
            continue
        net.answered()
        found = read(datagram)
        if found is not None:
            return found
        await clock.sleep_ms(0)  # a flood of strange datagrams must not stop the loop
    return None
