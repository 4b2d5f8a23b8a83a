"""The board's own access point, for set-up: whether it is open, and who is on it.

    point = Point("JouleLog-1A2B", "its password")
    point.open()                    # joined with its password
    point.open(False)               # by anybody: for the Wi-Fi form alone
    point.address                   # "192.168.4.1"
    point.guests()                  # how many are on it
    point.close()

net/wifi has it while it is open.
"""

import sys

import network
from micropython import const

from . import is_address

_ADDRESS = "192.168.4.1"
_MASK = "255.255.255.0"
_WPA2 = const(3)  # AUTH_WPA2_PSK of both chips, which not all ports name
_OPEN = const(0)
_GUESTS = const(4)


class Point:
    """The interface, and what it is called."""

    def __init__(self, ssid: str, key: str) -> None:
        self.ssid = ssid
        self.safe = True  # it wants its password
        self.address = _ADDRESS
        self._key = key
        self._interface = network.WLAN(network.AP_IF)

    def open(self, safe: bool = True) -> None:
        """Switch it on; safe: WPA2 with the password, else for anybody."""
        self.safe = safe
        interface = self._interface
        if sys.platform == "esp8266":  # takes settings only while it is on
            interface.active(True)
        about = {"ssid": self.ssid, "security": _WPA2 if safe else _OPEN}
        if safe:
            about["key"] = self._key
        interface.config(**about)
        if sys.platform == "esp32":
            interface.config(max_clients=_GUESTS)
        interface.active(True)
        interface.ifconfig((_ADDRESS, _MASK, _ADDRESS, _ADDRESS))
        self.address = interface.ifconfig()[0]  # a computer has its own

    def close(self) -> None:
        """Switch it off."""
        self._interface.active(False)

    def guests(self) -> int:
        """How many have joined."""
        return len(self._interface.status("stations"))  # type: ignore[arg-type]

    def has(self, address: str) -> bool:
        """Whether an IPv4 address is of one of its guests."""
        own, mask = self._interface.ifconfig()[:2]
        if not is_address(address):
            return False
        for part, mine, bits in zip(address.split("."), own.split("."), mask.split(".")):
            if (int(part) ^ int(mine)) & int(bits):
                return False
        return True
