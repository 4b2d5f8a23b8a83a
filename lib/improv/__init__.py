"""Improv Wi-Fi over a serial line: its packets among plain bytes, and the answers to them.

Follows "Improv via Serial", version 1 (improv-wifi.com/serial). A packet begins a line, and a
newline that follows it belongs to it. All that is no packet comes out again, in order: it is meant
for whoever else reads the line.

    parser = improv.Parser()
    for kind, data in parser.feed(received):    # any number of bytes, split anywhere
        if kind == improv.PLAIN:
            ...                                 # bytes of somebody else
        elif kind == improv.RPC:
            command, payload = improv.command(data)
            if command == improv.WIFI_SETTINGS:
                ssid, password = improv.wifi_settings(payload)
                write(improv.result(command, "http://192.0.2.7/"))
    plain = parser.give_up()                    # what is held has not become a packet in time

What is malformed, or does not fit, raises ImprovError. It knows no time and holds 265 bytes.
"""

from micropython import const

PLAIN = const(0)  # no packet

# Types of packets
STATE = const(1)
ERROR = const(2)
RPC = const(3)
RESULT = const(4)

# Of a STATE
READY = const(2)  # settings are welcome
PROVISIONING = const(3)  # it tries them
PROVISIONED = const(4)

# Of an ERROR
NO_ERROR = const(0)
INVALID = const(1)
UNKNOWN_COMMAND = const(2)
UNABLE_TO_CONNECT = const(3)
UNKNOWN_ERROR = const(255)

# Commands of an RPC
WIFI_SETTINGS = const(1)
CURRENT_STATE = const(2)
DEVICE_INFORMATION = const(3)
WIFI_NETWORKS = const(4)

NEWLINE = b"\n"

_HEADER = b"IMPROV\x01"
_TYPE = const(7)  # where it stands
_LENGTH = const(8)
_AROUND = const(10)  # bytes of a packet beside its data: header, type, length, checksum
_MOST = const(255)


class ImprovError(Exception):
    """A request that is malformed, or an answer that does not fit."""


class Parser:
    """Finds the packets in what comes."""

    def __init__(self) -> None:
        self.held = bytearray()  # the beginning of what may become a packet
        self._begins = True  # the next byte is the first of a line
        self._behind = False  # the next byte is the first behind a packet

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return what is complete, as (PLAIN, bytes) or (type of a packet, its data), in order."""
        found: list[tuple[int, bytes]] = []
        plain = bytearray()
        at = 0
        while at < len(data):
            byte = data[at]
            at += 1
            if not self.held and not (self._begins and byte == _HEADER[0]):
                if not (self._behind and byte == NEWLINE[0]):
                    plain.append(byte)
                    self._begins = _ends_line(byte)
                self._behind = False
                continue
            self._behind = False
            self.held.append(byte)
            held = self.held
            if not _possible(held):
                # A line within it may begin a packet that is one: the first byte is plain for
                # sure, the others are looked at again.
                plain.append(held[0])
                data = bytes(held[1:]) + data[at:]
                at = 0
                self.held = bytearray()
                self._begins = False
            elif len(held) > _LENGTH + 1 and len(held) == _AROUND + held[_LENGTH]:
                if plain:
                    found.append((PLAIN, bytes(plain)))
                    plain = bytearray()
                found.append((held[_TYPE], bytes(held[_LENGTH + 1 : -1])))
                self.held = bytearray()
                self._behind = True  # and at the beginning of a line, as it was
        if plain:
            found.append((PLAIN, bytes(plain)))
        return found

    def give_up(self) -> bytes:
        """Return what is held as plain bytes: the rest of the packet does not come."""
        plain = bytes(self.held)
        if plain:
            self.held = bytearray()
            self._begins = _ends_line(plain[-1])
        return plain


def _ends_line(byte: int) -> bool:
    return byte == 10 or byte == 13


def _possible(held: bytearray) -> bool:
    """Whether it is, or may become, a packet; its last byte is new."""
    size = len(held)
    if size <= len(_HEADER):
        return held[-1] == _HEADER[size - 1]
    if size == _TYPE + 1:
        return STATE <= held[_TYPE] <= RESULT
    if size == _LENGTH + 1 or size < _AROUND + held[_LENGTH]:
        return True
    return sum(held[:-1]) & 255 == held[-1]


def command(data: bytes) -> tuple[int, bytes]:
    """Return (command, payload) of an RPC packet's data."""
    if len(data) < 2 or data[1] != len(data) - 2:
        raise ImprovError("a command of %d bytes whose length says otherwise" % len(data))
    return data[0], data[2:]


def wifi_settings(payload: bytes) -> tuple[str, str]:
    """Return (name of the network, password), the payload of the command WIFI_SETTINGS."""
    found = texts(payload)
    if len(found) != 2:
        raise ImprovError("Wi-Fi settings are two texts, not %d" % len(found))
    return found[0], found[1]


def texts(payload: bytes) -> list[str]:
    """Return the texts of such a payload, or of a RESULT behind its first two bytes."""
    found = []
    at = 0
    while at < len(payload):
        end = at + 1 + payload[at]
        if end > len(payload):
            raise ImprovError("a text is longer than what holds it")
        try:
            found.append(str(payload[at + 1 : end], "utf-8"))
        except UnicodeError:
            raise ImprovError("a text is not UTF-8")
        at = end
    return found


def packet(kind: int, data: bytes) -> bytes:
    """Return a packet and its newline."""
    if len(data) > _MOST:
        raise ImprovError("a packet takes %d bytes, not %d" % (_MOST, len(data)))
    whole = _HEADER + bytes((kind, len(data))) + data
    return whole + bytes((sum(whole) & 255,)) + NEWLINE


def request(number: int, *parts: str) -> bytes:
    """Return the packet of a command, with texts as its payload: what a client sends."""
    return packet(RPC, _listed(number, parts))


def result(number: int, *parts: str) -> bytes:
    """Return the packet that answers a command with texts."""
    return packet(RESULT, _listed(number, parts))


def state(value: int) -> bytes:
    """Return the packet that tells the state: READY, PROVISIONING or PROVISIONED."""
    return packet(STATE, bytes((value,)))


def error(value: int) -> bytes:
    """Return the packet that tells an error, or NO_ERROR."""
    return packet(ERROR, bytes((value,)))


def _listed(number: int, parts: tuple) -> bytes:
    payload = b""
    for part in parts:
        raw = part.encode()
        if len(raw) > _MOST:
            raise ImprovError("a text takes %d bytes, not %d" % (_MOST, len(raw)))
        payload += bytes((len(raw),)) + raw
    if len(payload) > _MOST - 2:
        raise ImprovError("the texts take %d bytes, not %d" % (_MOST - 2, len(payload)))
    return bytes((number, len(payload))) + payload
