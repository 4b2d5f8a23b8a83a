"""What a FRITZ!Box's smart home devices measure: the answer of getdevicelistinfos.

    devices = DeviceList()
    house = devices.want("13979 0123456-1")     # an AIN, blanks do not matter
    devices.begin()
    devices.feed(body)                          # in any pieces
    if devices.end():
        devices.found[house]                    # None where the box has no such device

    (present, power, energy, voltage, temperature, product)
     1         523450 12345678 230100 None        b"FRITZ!Smart Energy 250"

power in mW, energy in Wh, voltage in mV, temperature in 0.1 degrees C: integers as sent, None
what is empty, "inval" or not there. They are all None where the box cannot reach the device: what
it sends then is old. AVM's "AHA-HTTP-Interface" has the format.
"""

from micropython import const

from .xml import Xml

TARGET = "/webservices/homeautoswitch.lua?switchcmd=getdevicelistinfos&sid=%s"

PRESENT = const(0)  # of what is found
POWER = const(1)
ENERGY = const(2)
VOLTAGE = const(3)
TEMPERATURE = const(4)
PRODUCT = const(5)

# In the name of a meter that counts in two units of their own: AIN-1 import, AIN-2 export.
TWO_UNITS = b"Smart Energy 250"

_PLACES = (
    (b"", b"present"),
    (b"powermeter", b"power"),
    (b"powermeter", b"energy"),
    (b"powermeter", b"voltage"),
    (b"temperature", b"celsius"),
)
_DEVICE_DEPTH = const(2)
_LONGEST = const(15)  # characters of a number


def plain(ain: str) -> bytes:
    """An AIN as it is compared: without blanks."""
    return b"".join(ain.encode().split())


class DeviceList(Xml):
    """Reads one list after the other; see the module's text."""

    _root = b"devicelist"

    def __init__(self) -> None:
        self._wanted: list = []
        self.begin()

    def want(self, ain: str) -> int:
        """Look for one more device; where it will stand in `found`."""
        name = plain(ain)
        if name not in self._wanted:
            self._wanted.append(name)
            self.found.append(None)
        return self._wanted.index(name)

    def begin(self) -> None:
        """The next answer."""
        Xml.begin(self)
        self.found: list = [None] * len(self._wanted)
        self._here: list = []  # of the device that is read, when it is wanted
        self._at = 0

    def end(self) -> bool:
        """Whether the list was whole; if not, nothing is found, and `error` says why."""
        whole = Xml.end(self)
        if not whole:
            self.found = [None] * len(self._wanted)
        return whole

    def _begins(self, name: bytes, attributes: list) -> None:
        if len(self._open) != _DEVICE_DEPTH or (name != b"device" and name != b"group"):
            return
        self._here = []
        product: bytes = b""
        for key, value in attributes:
            if key == b"productname":
                product = value
            elif key == b"identifier":
                ain = b"".join(value.split())
                if ain in self._wanted:
                    self._at = self._wanted.index(ain)
                    self._here = [None] * (PRODUCT + 1)
        if self._here:
            self._here[PRODUCT] = product

    def _ends(self, name: bytes, text: bytes) -> None:
        here = self._here
        if not here:
            return
        depth = len(self._open)
        if depth == _DEVICE_DEPTH:
            if here[PRESENT] != 1:
                here[POWER:PRODUCT] = [None] * (PRODUCT - POWER)
            self.found[self._at] = tuple(here)
            self._here = []
        elif depth == _DEVICE_DEPTH + 1 or depth == _DEVICE_DEPTH + 2:
            place = (self._open[-2] if depth > _DEVICE_DEPTH + 1 else b"", name)
            if place in _PLACES:
                here[_PLACES.index(place)] = whole_number(text)


def whole_number(text: bytes) -> int | None:
    """The integer that a text is, None where it is none."""
    digits = text[1:] if text[:1] == b"-" else text
    if not digits.isdigit() or len(digits) > _LONGEST:
        return None
    return int(text)
