"""The module `network` for a computer: a Wi-Fi that is always connected.

The same file serves CPython and the MicroPython VM. A test takes the link down, and up again:

    network._link = False

With AROUND='[["home", "its password", -50], ["open", "", -70]]' in the environment there are these
networks (name, password, dBm) instead, and the interface joins one that it is told to join with
the right password.

ifconfig() tells the computer's own address and, for net/dns, the name server that it uses.
"""

import json
import os
import socket

STA_IF = 0
AP_IF = 1
AUTH_OPEN = 0
AUTH_WPA2_PSK = 3
# The ESP32's numbers: mqtt_as takes everything below STAT_IDLE for an error.
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_BEACON_TIMEOUT = 200
STAT_ASSOC_FAIL = 203
STAT_HANDSHAKE_TIMEOUT = 204

_link = True  # False: nothing is connected and nothing connects
_around = json.loads(os.getenv("AROUND") or "[]")  # (name, password, dBm); []: always connected
_name = "joulelog"


class WLAN:
    """One interface; all objects of an interface share their state, as on a chip."""

    IF_STA = STA_IF
    IF_AP = AP_IF
    PM_NONE = 0
    PM_PERFORMANCE = 1

    _active = {STA_IF: True, AP_IF: False}
    _wanted = {STA_IF: not _around, AP_IF: False}
    _config = {
        STA_IF: {"mac": b"\x02joule", "ssid": "computer", "pm": 0, "txpower": 20, "channel": 1},
        AP_IF: {"mac": b"\x02joule", "ssid": "", "channel": 1},
    }
    _key = ""

    def __init__(self, interface: int = STA_IF) -> None:
        self._interface = interface

    def active(self, on=None) -> bool:
        """Tell or set whether the interface is on."""
        if on is not None:
            self._active[self._interface] = bool(on)
        return self._active[self._interface]

    def connect(self, ssid=None, key=None, **options) -> None:
        """Connect; at once when the link is up."""
        if ssid is not None:
            self._config[STA_IF]["ssid"] = ssid
            WLAN._key = key or ""
        self._wanted[self._interface] = True

    def disconnect(self) -> None:
        """Disconnect, until the next connect()."""
        self._wanted[self._interface] = False

    def isconnected(self) -> bool:
        """True while the interface is on, wanted and the link is up."""
        if self._interface != STA_IF:
            return False
        return _link and self._active[STA_IF] and self._wanted[STA_IF] and not self._fault()

    def _fault(self) -> int:
        """The STAT_ number of why what was asked for cannot be joined; 0: it can."""
        for name, password, _ in _around:
            if name == self._config[STA_IF]["ssid"]:
                return 0 if password == self._key else STAT_WRONG_PASSWORD
        return STAT_NO_AP_FOUND if _around else 0

    def status(self, name: str | None = None):
        """A STAT_ number, or the signal strength in dBm for "rssi"."""
        if name == "rssi":
            return -50
        if name == "stations":  # nobody can join a computer's
            return []
        if self.isconnected():
            return STAT_GOT_IP
        if not self._wanted[self._interface]:
            return STAT_IDLE
        return self._fault() or STAT_CONNECTING

    def ifconfig(self, settings=None):
        """(address, mask, gateway, name server) as texts; "0.0.0.0" while not connected."""
        if settings is not None:
            return None
        if self._interface == AP_IF:
            return ("127.0.0.1", "255.255.255.255", "127.0.0.1", "127.0.0.1")
        if not self.isconnected():
            return ("0.0.0.0",) * 4
        address = _address()
        return address, "255.255.255.0", address, _name_server()

    def config(self, name: str | None = None, **settings):
        """Tell one setting by its name, or change some."""
        if name is not None:
            return self._config[self._interface][name]
        self._config[self._interface].update(settings)

    def scan(self) -> list:
        """A list of networks: one, or those around."""
        around = _around or [("computer", "computer", -50)]
        found = []
        for name, password, dbm in around if _link else ():
            safe = AUTH_WPA2_PSK if password else AUTH_OPEN
            found.append((name.encode(), b"\x02joule", 1, dbm, safe, False))
        return found


def hostname(name: str | None = None) -> str:
    """Tell or set the name in the network."""
    global _name
    if name is not None:
        _name = name
    return _name


def country(code: str | None = None) -> str:
    """The country code; kept by nobody here."""
    return code or "XX"


def _address() -> str:
    # A UDP connect sends nothing: it makes the system choose the address that it would use.
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        probe.connect(socket.getaddrinfo("192.0.2.1", 9)[0][-1])
        return probe.getsockname()[0]
    except (OSError, AttributeError):  # no network; the VM's sockets have no getsockname
        return "127.0.0.2"  # another one than that of a guest of the access point
    finally:
        probe.close()


def _name_server() -> str:
    try:
        with open("/etc/resolv.conf") as file:
            for line in file:
                words = line.split()
                if len(words) > 1 and words[0] == "nameserver" and ":" not in words[1]:
                    return words[1]
    except OSError:
        pass
    return "127.0.0.1"
