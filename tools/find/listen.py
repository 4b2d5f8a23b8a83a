"""What is heard on the network for a few seconds: mDNS, SSDP, Tuya's and myStrom's broadcasts.

    heard = listen(seconds=4, interface="0.0.0.0", ports=PORTS)
    heard.services           # dnssd.Service, of KINDS
    heard.boxes              # addresses of FRITZ!Boxes
    heard.tuya               # {device id: (address, version)}
    heard.switches           # addresses of myStrom switches

mDNS is asked from a port of our own, and heard at its own port as well: some answer only there. A
port that another program holds for itself is left out, and named in `heard.left_out`.
"""

import select
import socket
import time

import cryptolib
import dnsq
from tuya import discovery

from tools.find import dnssd

PORTS = {"mdns": dnsq.MDNS_PORT, "ssdp": 1900, "mystrom": 7979}
PORTS |= {f"tuya{port}": port for port in discovery.PORTS}
KINDS = tuple(
    f"_{kind}._tcp.local"
    for kind in ("shelly", "hwenergy", "opendtu", "fronius-se-inverter", "http")
)
_SSDP = "239.255.255.250"
_ASKED = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
_SEARCH = (
    f"M-SEARCH * HTTP/1.1\r\nHOST: {_SSDP}:%d\r\n"
    f'MAN: "ssdp:discover"\r\nMX: 1\r\nST: {_ASKED}\r\n\r\n'
)
_EVERY_S = 1.0  # a question; some answer the second one only
_MOST = 4096  # bytes of a datagram
_MYSTROM = (101, 106, 107, 120)  # types that are switches; the type is behind 6 bytes of MAC


class Heard:
    """See the module's text."""

    def __init__(self) -> None:
        self.announced = dnssd.Announced()
        self.boxes: list[str] = []
        self.tuya: dict[str, tuple[str, str]] = {}
        self.switches: list[str] = []
        self.left_out: list[str] = []

    @property
    def services(self) -> list[dnssd.Service]:
        return [one for one in self.announced.services() if one.kind in KINDS]

    def take(self, name: str, data: bytes, sender: str) -> None:
        """A datagram that came to a port of this name."""
        if name == "mdns":
            self.announced.feed(data, sender)
        elif name == "ssdp":
            if b"FRITZ!" in data and sender not in self.boxes:
                self.boxes.append(sender)
        elif name == "mystrom":
            if len(data) == 8 and data[6] in _MYSTROM and sender not in self.switches:
                self.switches.append(sender)
        else:
            found = discovery.parse(data, cryptolib.aes)
            if found:
                self.tuya[found[0]] = found[1], found[2]


def listen(seconds: float, interface: str = "0.0.0.0", ports: dict[str, int] = PORTS) -> Heard:
    """Ask, and listen for so long."""
    heard = Heard()
    sockets: dict[socket.socket, str] = {}
    asking = _asking(interface)
    sockets[asking["mdns"]], sockets[asking["ssdp"]] = "mdns", "ssdp"
    for name, port in ports.items():
        if name == "ssdp":
            continue  # who was asked answers where the question came from
        try:
            group = dnsq.MDNS_ADDRESS if name == "mdns" else ""
            sockets[_at(port, group, interface)] = name
        except OSError as problem:
            heard.left_out.append(f"UDP port {port}: {problem.strerror or problem}")
    until = time.monotonic() + seconds
    ask_at = 0.0
    while (now := time.monotonic()) < until:
        if now >= ask_at:
            ask_at = now + _EVERY_S
            _ask(asking, ports, heard)
        for one in select.select(list(sockets), [], [], min(until, ask_at) - now)[0]:
            try:
                data, sender = one.recvfrom(_MOST)
            except OSError:
                continue
            heard.take(sockets[one], data, sender[0])
    for one in sockets:
        one.close()
    return heard


def _asking(interface: str) -> dict[str, socket.socket]:
    made = {}
    for name in ("mdns", "ssdp"):
        made[name] = one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("", 0))
        wanted = socket.inet_aton(interface)
        one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, wanted)
    return made


def _ask(asking: dict[str, socket.socket], ports: dict[str, int], heard: Heard) -> None:
    search = (_SEARCH % ports["ssdp"]).encode()
    questions = (
        ("mdns", dnssd.question(KINDS), dnsq.MDNS_ADDRESS),
        ("ssdp", search, _SSDP),
    )
    for name, data, group in questions:
        try:
            asking[name].sendto(data, (group, ports[name]))
        except OSError as problem:
            said = f"{name}: {problem.strerror or problem}"
            if said not in heard.left_out:
                heard.left_out.append(said)


def _at(port: int, group: str, interface: str) -> socket.socket:
    """A socket at a port that others may have as well."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(("", port))
        if group:
            wanted = socket.inet_aton(group) + socket.inet_aton(interface)
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, wanted)
    except OSError:
        made.close()
        raise
    return made
