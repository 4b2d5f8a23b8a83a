"""Name servers and time servers for tests, as good or as bad as the test wants.

    with UdpServer(name_server({"broker.example": "192.0.2.7"})) as server:
        ... ("127.0.0.1", server.port)

A behaviour takes a datagram and returns the datagrams to send back, in order; time_server's and
name_server's are made here. The DNS answers are built by PyPI's dnspython, not by our own code.
"""

import socket
import struct
import threading
from collections.abc import Callable

Behaviour = Callable[[bytes], list[bytes]]

UNIX_TO_NTP = 2208988800


class UdpServer:
    """A behaviour on a free port of 127.0.0.1, or at (address, port), in a thread of its own.

    group: a multicast group that it listens to as well; others may do so at the same port.
    """

    def __init__(
        self, behaviour: Behaviour, at: tuple[str, int] = ("127.0.0.1", 0), group: str = ""
    ) -> None:
        self.received: list[bytes] = []
        self._behaviour = behaviour
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if group:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            for interface in (bytes(4), socket.inet_aton("127.0.0.1")):
                wanted = socket.inet_aton(group) + interface
                try:
                    self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, wanted)
                except OSError:  # there is no network but this computer
                    pass
        self._socket.bind(at)
        self._socket.settimeout(0.1)
        self.port: int = self._socket.getsockname()[1]
        self._stopped = False
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "UdpServer":
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._stopped = True
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while not self._stopped:
            try:
                datagram, peer = self._socket.recvfrom(2048)
            except TimeoutError:
                continue
            self.received.append(datagram)
            for answer in self._behaviour(datagram):
                self._socket.sendto(answer, peer)


def silent(datagram: bytes) -> list[bytes]:
    """Take everything, say nothing."""
    return []


def name_server(
    names: dict[str, str],
    rcode: int = 0,
    noise: bool = False,
    alone: bool = True,
    ttl_s: int = 300,
) -> Behaviour:
    """Answer with addresses; a name's entry may also be another name (an alias).

    noise: strange datagrams come first, such as an answer with another id. Who is not alone, as
    with mDNS, says nothing of names that others may know.
    """
    import dns.flags
    import dns.message
    import dns.rrset

    def answer(datagram: bytes) -> list[bytes]:
        question = dns.message.from_wire(datagram)
        reply = dns.message.make_response(question)
        reply.flags |= dns.flags.RA
        reply.set_rcode(rcode)  # type: ignore[arg-type]
        name = question.question[0].name
        found = names.get(name.to_text(omit_final_dot=True))
        if found is None and not alone:
            return []
        if found is None and not rcode:
            reply.set_rcode(3)  # type: ignore[arg-type]
        while found and not found[0].isdigit():
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", found + "."))
            name, found = dns.name.from_text(found), names.get(found)
        if found:
            reply.answer.append(dns.rrset.from_text(name, ttl_s, "IN", "A", found))
        wire = reply.to_wire()
        if not noise:
            return [wire]
        forged = bytes((wire[0] ^ 1,)) + wire[1:-4] + b"\x06\x06\x06\x06"
        return [b"", b"?", forged, datagram, wire]

    return answer


def time_server(
    unix_seconds: int, first: int = 0x24, stratum: int = 2, skip: int = 0
) -> Behaviour:
    """Answer with a time; `skip` leaves the first requests unanswered."""
    left = [skip]

    def answer(datagram: bytes) -> list[bytes]:
        if left[0]:
            left[0] -= 1
            return []
        seconds = (unix_seconds + UNIX_TO_NTP) & 0xFFFFFFFF
        stamp = struct.pack(">II", seconds, 0x40000000)
        head = struct.pack(">BBbb8s4s", first, stratum, 6, -20, bytes(8), b"RATE")
        late = head + stamp + bytes(8) + stamp + stamp  # the answer to another request
        return [late, head + stamp + datagram[40:48] + stamp + stamp]

    return answer
