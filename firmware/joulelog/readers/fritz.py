"""FRITZ!DECT plugs and FRITZ!Smart Energy meters, asked at their FRITZ!Box.

    readers = [
        {"type": "fritz", "name": "washer", "user": "logger", "password": "...",
         "ain": "11657 0000001"},
        {"type": "fritz", "name": "house", "user": "logger", "password": "...",
         "ain": "13979 0000002"},
    ]

All entries of a box share a session and a request: fritz_box.py. `ain` stands on the device and
in the box's list, blanks do not matter. A Smart Energy 250 has two units, "...-1" for import with
the signed power, "...-2" for export; its AIN without these is both of them.
"""

from avm.devices import ENERGY, POWER, PRESENT, PRODUCT, TEMPERATURE, TWO_UNITS, VOLTAGE

from . import fritz_box
from .on_lan import OnLan, plain

SCHEMA = """\
host     | host             | "fritz.box" | the box: its name or address
port     | int 1..65535     | 80   | its port
user     | text             | ""   | a user of the box with the right "Smart Home"
password | secret           | required | of that user
ain      | text             | required | of the device, as the box lists it
interval | int 1..86400     | 60   | seconds between two readings; the box has new ones every 120
misses   | int 1..100       | 3    | times without an answer after which its values are unknown
timeout  | int 1..60        | 10   | seconds that the box may take to answer
"""
NEEDS = ("clock", "network", "buses", "store")

CHANNELS = (
    ("power", "W", 3, "measurement", "power"),
    ("energy_import", "kWh", 3, "total_increasing", "energy"),
    ("power_export", "W", 3, "measurement", "power"),
    ("energy_export", "kWh", 3, "total_increasing", "energy"),
    ("voltage", "V", 3, "measurement", "voltage"),
    ("temperature", "°C", 1, "measurement", "temperature"),
)
# Where their values stand: of a device, of a unit for export, of a meter's two units.
_OF_DEVICE = (POWER, ENERGY, None, None, VOLTAGE, TEMPERATURE)
_OF_EXPORT = (None, None, POWER, ENERGY, VOLTAGE, TEMPERATURE)


def problems(entry: dict, board):
    """Yield what the table cannot say."""
    if not entry["ain"].strip():
        yield "`ain` is empty: it stands on the device, and in the box's list of devices"


def keys(entry: dict) -> list[str]:
    """The channels that there may be."""
    return [channel[0] for channel in CHANNELS]


class Reader(OnLan):
    """One device."""

    def __init__(
        self, name: str, entry: dict, output, app_clock, network, buses: dict, store
    ) -> None:
        OnLan.__init__(self, name, entry, output, app_clock, (), None)
        self._box = fritz_box.of(buses, entry, network, store)
        ain = entry["ain"].strip()
        self.who = "%s at %s" % (ain, entry["host"])
        want = self._box.devices.want
        self._at = [want(ain), want(ain + "-1"), want(ain + "-2")]
        self._product = None
        self._order: list = []  # which of CHANNELS had a value so far
        self._channels: tuple = ()

    def channels(self) -> tuple:
        """Those that had a value so far."""
        return self._channels

    async def _read(self) -> list | None:
        box = self._box
        # The others of the box are due at the same time, or have an interval of their own.
        if not await box.refresh(self._entry["interval"] * 500, self._log):
            if box.refused:
                return self._refuse(box.trouble)
            return self._fail(box.trouble)
        device, first, second = [box.devices.found[at] for at in self._at]
        if device is None:
            return self._refuse("the box lists no such device: is the `ain` right?")
        if not device[PRESENT]:
            return self._refuse("the box cannot reach it: is it plugged in, and in range?")
        if self._product is None:
            self._product = device[PRODUCT]
            self._output.identify("AVM", plain(self._product), self._entry["ain"].strip())
        found = self._values(device, first, second)
        for place, value in enumerate(found):
            if value is not None and place not in self._order:
                self._order.append(place)
                self._channels += (CHANNELS[place],)
        values = [found[place] for place in self._order]
        if values.count(None) == len(values):
            return self._refuse("it measures nothing")
        self.answers += 1
        return values

    def _values(self, device: tuple, first: tuple | None, second: tuple | None) -> list:
        """One per channel."""
        if TWO_UNITS not in device[PRODUCT]:
            return _picked(device, _OF_DEVICE)
        if self._entry["ain"].strip()[-2:] == "-2":
            return _picked(device, _OF_EXPORT)
        if first is None:
            return _picked(device, _OF_DEVICE)
        values = _picked(first, _OF_DEVICE)
        if second is not None:
            values[3] = second[ENERGY]
        return values


def _picked(device: tuple, places: tuple) -> list:
    return [None if place is None else device[place] for place in places]
