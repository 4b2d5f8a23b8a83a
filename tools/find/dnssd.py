"""Services that devices announce by mDNS: DNS-SD (RFC 6763) over lib/dnsq's names.

    announced = Announced()
    sock.sendto(question(("_shelly._tcp.local",)), (dnsq.MDNS_ADDRESS, dnsq.MDNS_PORT))
    announced.feed(datagram, sender)
    announced.services()      # [Service("_shelly._tcp.local", "shellyplugsg3-0", …), …]

Answers come in any order, and each may have only a part: what belongs together is put together at
the end. A damaged datagram gives what stands in front of the damage.
"""

from typing import NamedTuple

import dnsq

_A, _PTR, _TXT, _SRV = 1, 12, 16, 33
_IN = 1
_MOST_RECORDS = 256
_MOST = 512  # services


class Service(NamedTuple):
    """One instance of a service."""

    kind: str
    name: str  # lower case
    host: str  # its name, "" where none was told
    address: str
    port: int
    about: dict[str, str]


def question(kinds: tuple[str, ...]) -> bytes:
    """Who has these services?"""
    head = bytes((0, 0, 0, 0, 0, len(kinds), 0, 0, 0, 0, 0, 0))
    return head + b"".join(dnsq.encode(kind) + bytes((0, _PTR, 0, _IN)) for kind in kinds)


class Announced:
    """All that was heard."""

    def __init__(self) -> None:
        self._kinds: dict[bytes, bytes] = {}  # instance -> service
        self._senders: dict[bytes, str] = {}
        self._places: dict[bytes, tuple[bytes, int]] = {}
        self._about: dict[bytes, dict[str, str]] = {}
        self._addresses: dict[bytes, str] = {}

    def feed(self, data: bytes, sender: str) -> None:
        """A datagram, and the address that it came from."""
        if len(data) < 12 or not data[2] & 0x80:
            return
        try:
            self._records(data, sender)
        except (IndexError, dnsq.DnsError):
            pass

    def _records(self, data: bytes, sender: str) -> None:
        at = 12
        for _ in range(_word(data, 4)):
            at = dnsq._name(data, at)[1] + 4
        count = sum(_word(data, place) for place in (6, 8, 10))
        for _ in range(min(count, _MOST_RECORDS)):
            owner, at = dnsq._name(data, at)
            kind, size = _word(data, at), _word(data, at + 8)
            at += 10
            if at + size > len(data):
                raise IndexError
            self._record(data, kind, owner, at, size, sender)
            at += size

    def _record(self, data: bytes, kind: int, owner: bytes, at: int, size: int, sender) -> None:
        if kind == _PTR and len(self._kinds) < _MOST:
            instance = dnsq._name(data, at)[0]
            self._kinds[instance] = owner
            self._senders[instance] = sender
        elif kind == _SRV and len(self._places) < _MOST:
            self._places[owner] = dnsq._name(data, at + 6)[0], _word(data, at + 4)
        elif kind == _TXT and len(self._about) < _MOST:
            self._about[owner] = _pairs(data[at : at + size])
        elif kind == _A and size == 4 and len(self._addresses) < _MOST:
            self._addresses[owner] = ".".join(map(str, data[at : at + 4]))

    def services(self) -> list[Service]:
        """What is known of each."""
        found = []
        for instance, kind in sorted(self._kinds.items()):
            host, port = self._places.get(instance, (b"", 80))
            address = self._addresses.get(host, self._senders[instance])
            name = _text(instance).removesuffix("." + _text(kind))
            about = self._about.get(instance, {})
            found.append(Service(_text(kind), name, _text(host), address, port, about))
        return found


def _word(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]


def _text(name: bytes) -> str:
    return name.decode(errors="replace")


def _pairs(data: bytes) -> dict[str, str]:
    """key=value texts, each behind its length (RFC 6763, 6.4)."""
    found = {}
    at = 0
    while at < len(data):
        text = _text(data[at + 1 : at + 1 + data[at]])
        key, _, value = text.partition("=")
        if key:
            found.setdefault(key.lower(), value)
        at += 1 + data[at]
    return found
