"""A board that can be given a Wi-Fi by Improv over serial, and knows nothing else.

    board = ImprovBoard(send, password="right")       # a program for tools.sim.esp_board

Written from https://www.improv-wifi.com/serial/, apart from lib/improv: packets of "IMPROV", the
version 1, a type, a length, so many bytes, and their sum.
"""

import struct

READY, PROVISIONING, PROVISIONED = 2, 3, 4
_STATE, _ERROR, _COMMAND, _RESULT = 1, 2, 3, 4
_UNABLE_TO_CONNECT = 3
ADDRESS = "http://192.168.1.77/"
NETWORKS = (("neighbour", -80, "YES"), ("my network", -42, "YES"), ("café", -70, "NO"))


class ImprovBoard:
    """Says its state, who it is, which networks there are; joins with the right password."""

    def __init__(self, send, password: str, version: str = "0.1.0 (2025-01-01)") -> None:
        self.joined: list[tuple[str, str]] = []  # what it was told, right or wrong
        self._send = send
        self._password = password
        self._version = version
        self._state = READY
        self._held = b""
        send(b"JouleLog is here\r\n")

    def receive(self, data: bytes) -> None:
        self._held += data
        while True:
            begin = self._held.find(b"IMPROV\x01")
            if begin < 0 or len(self._held) < begin + 10:
                return
            kind, size = self._held[begin + 7], self._held[begin + 8]
            end = begin + 9 + size
            if len(self._held) <= end:
                return
            packet, total = self._held[begin:end], self._held[end]
            self._held = self._held[end + 1 :]
            if kind == _COMMAND and sum(packet) & 0xFF == total:
                self._answer(packet[9], packet[11:])

    def stop(self) -> None:
        """Nothing runs here between two packets."""

    def _packet(self, kind: int, body: bytes) -> None:
        packet = b"IMPROV\x01" + struct.pack("BB", kind, len(body)) + body
        self._send(packet + bytes([sum(packet) & 0xFF, 10]))

    def _result(self, command: int, *texts: str) -> None:
        data = b"".join(struct.pack("B", len(text.encode())) + text.encode() for text in texts)
        self._packet(_RESULT, struct.pack("BB", command, len(data)) + data)

    def _answer(self, command: int, body: bytes) -> None:
        if command == 1:
            self._join(command, body)
        elif command == 2:
            self._packet(_STATE, bytes([self._state]))
            if self._state == PROVISIONED:
                self._result(command, ADDRESS)
        elif command == 3:
            self._result(command, "JouleLog", self._version, "ESP32-C3", "JouleLog-1A2B")
        elif command == 4:
            for name, level, secure in NETWORKS:
                self._result(command, name, str(level), secure)
            self._result(command)

    def _join(self, command: int, body: bytes) -> None:
        size = body[0]
        name, password = body[1 : 1 + size].decode(), body[2 + size :].decode()
        self.joined.append((name, password))
        self._packet(_STATE, bytes([PROVISIONING]))
        if password == self._password:
            self._state = PROVISIONED
            self._packet(_STATE, bytes([self._state]))
            self._result(command, ADDRESS)
        else:
            self._packet(_STATE, bytes([self._state]))
            self._packet(_ERROR, bytes([_UNABLE_TO_CONNECT]))
