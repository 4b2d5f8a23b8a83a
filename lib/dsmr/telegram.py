"""The values of P1 telegrams, line by line, as integers in channels.

A Telegram listens to a Framer:

    telegram = Telegram(on_complete)
    framer = Framer(bytearray(1024), telegram)
    framer.feed(data, 0, n)

    def on_complete(telegram):
        telegram.time        # UTC in seconds since 2000-01-01, or None for a meter without a clock
        telegram.channels    # tuple of channels; the same object as long as nothing changes
        telegram.values      # list of int, str or None, one per channel; valid until the next line

on_complete is called only for a telegram whose CRC is right, or which has none. The channels
are learned: a code that comes up for the first time adds one, a value with more decimals than
before widens its channel, and a telegram with a bad CRC changes nothing. Channels whose line
is missing from a telegram are None.

Meters on the M-Bus (gas, water, heat, cooling) are found by their device type on whatever
channel they are. Where two are of one type, the first that is alive gets the plain name
("gas"), the others carry their channel number ("gas_2").
"""

import exact
from exact import DECIMALS, KEY, KIND, UNIT
from micropython import const

from . import obis, stamp
from .frame import ABSENT, OK

_IGNORED = const(-1)
_UNKNOWN = const(-2)
_FIRST = const(33)  # stands for index 0 in the table of codes, the byte before it for _IGNORED
_CODES_BYTES = const(3000)  # more than any meter needs: corrupt lines must not fill the memory
_CHANNELS_MOST = const(200)
_STALE_S = const(7 * 86400)  # an M-Bus reading older than this: that meter is gone
_TYPE = const(0)
_VALUE = const(1)
_DECIMALS = const(2)
_UNIT = const(3)
_TIME = const(4)


class Telegram:
    """Decodes lines into channels and values; see the module's text.

    wanted: keys of text channels, and OBIS codes without a name ("1-0:13.3.0"), to decode
    beside the numbers that have a name. base_hours: winter offset of the meter's country.
    sealed: the telegrams come decrypted; each waits for the seal() behind it, and needs a CRC.
    """

    def __init__(
        self, on_complete, wanted=None, base_hours: int = 1, sealed: bool = False
    ) -> None:
        self.header = ""
        self.time: int | None = None
        self.has_season = False  # the time says whether it is summer time
        self.channels: tuple = ()
        self.values: list = []
        self.crc = ABSENT
        self.bad_lines = 0  # lines that are no OBIS lines
        self._on_complete = on_complete
        self._wanted = wanted or ()
        self._base_hours = base_hours
        self._sealed = sealed
        self._pending = False  # complete, and waiting for its seal
        # Each code seen, as "\n" code " " and a byte for its channel's index. One bytes object
        # that is searched takes a third of the memory of a dict.
        self._codes = b""
        self._codes_before = b""  # without what a telegram not yet complete taught
        self._learned: list[tuple] = []  # channels, those of a telegram not yet complete included
        self._changed = False
        self._mbus: dict = {}  # M-Bus channel number -> [type, value, decimals, unit, time]
        self._mbus_slots: dict = {}  # M-Bus channel number -> index of its channel

    def begin(self, line: bytes) -> None:
        """A telegram begins: forget the one before."""
        self._forget()
        self._pending = False
        self.header = obis.text(line)
        self.time = None
        for index in range(len(self.values)):
            self.values[index] = None
        self._mbus.clear()

    def line(self, line: bytes) -> None:
        """Decode one line."""
        start = line.find(b"(")
        code = line[:start] if start > 0 else b""
        slot = self._slot(code)
        if slot == _IGNORED:
            return
        code, groups = obis.split(line)
        if not groups:
            self.bad_lines += 1
            return
        if slot == _UNKNOWN:
            slot = self._learn(line[:start], code, groups)
            if slot == _IGNORED:
                return
        self._store(slot, groups)

    def end(self, crc: int) -> None:
        """The telegram is complete: hand it on, or forget it."""
        self.crc = crc
        self._pending = crc == OK or (crc == ABSENT and not self._sealed)
        if not self._pending:
            self._forget()
        elif not self._sealed:
            self.seal(True)

    def seal(self, genuine: bool) -> None:
        """What came before was genuine (its tag was right, or is not checked), or was not."""
        if not self._pending:
            return
        self._pending = False
        if not genuine:
            self._forget()
            return
        self._place_mbus()
        if self._changed:
            self.channels = tuple(self._learned)
            self._changed = False
        self._codes_before = self._codes
        self._on_complete(self)

    def _forget(self) -> None:
        """Drop what an incomplete or corrupt telegram taught."""
        self._codes = self._codes_before
        if not self._changed:
            return
        known = len(self.channels)
        self._learned = list(self.channels)
        del self.values[known:]
        for number in [n for n in self._mbus_slots if self._mbus_slots[n] >= known]:
            self._mbus_slots.pop(number)
        self._changed = False

    def _slot(self, code: bytes) -> int:
        """The index of a code's channel, _IGNORED or _UNKNOWN."""
        at = self._codes.find(b"\n" + code + b" ")
        if at < 0:
            return _UNKNOWN
        return self._codes[at + len(code) + 2] - _FIRST

    def _keep(self, code: bytes, slot: int) -> int:
        """Remember the index of a code's channel, and return it."""
        if len(self._codes) < _CODES_BYTES and code.find(b" ") < 0:
            self._codes += b"\n" + code + b" " + bytes((slot + _FIRST,))
        return slot

    def _learn(self, key: bytes, code: bytes, groups: list) -> int:
        """Find the channel of a code that comes up for the first time."""
        if code == b"0-0:1.0.0":
            self.time = stamp.utc(groups[0], self._base_hours)
            self.has_season = groups[0][-1:] in (b"S", b"W")
            return _IGNORED
        if code[:2] == b"0-" and code[3:7] == b":24.":
            self._read_mbus(code, groups)
            return _IGNORED
        channel = self._channel(code, groups)
        if channel is None or len(self._learned) >= _CHANNELS_MOST:
            return self._keep(key, _IGNORED)
        return self._keep(key, self._add(channel))

    def _channel(self, code: bytes, groups: list) -> tuple | None:
        channel = obis.channel(code)
        if channel is None:
            name = code.decode() if max(code) < 128 else ""
            if name not in self._wanted:
                return None
            words = obis.number(groups[-1]) is None
            return name, "", 0, "text" if words else "measurement", ""
        if channel[KIND] == "text" and channel[KEY] not in self._wanted:
            return None
        return channel

    def _add(self, channel: tuple) -> int:
        """The index of this channel: a new one, or that of another code of the same meaning."""
        for index, known in enumerate(self._learned):
            if known[KEY] == channel[KEY]:
                return index
        self._learned.append(channel)
        self.values.append(None)
        self._changed = True
        return len(self._learned) - 1

    def _store(self, slot: int, groups: list) -> None:
        if self.values[slot] is not None:  # of two lines of one meaning the first one counts
            return
        channel = self._learned[slot]
        if channel[KIND] == "text":
            self.values[slot] = obis.text(groups[-1])
            return
        # (time)(value) for peaks; of two values, as Luxembourg's limits, the first one
        group = groups[1] if len(groups) == 2 and len(groups[0]) == 13 else groups[0]
        parsed = obis.number(group)
        if parsed is None:  # empty, or a word where other meters have a number
            return
        value, decimals, unit = parsed
        self._put(slot, value, decimals, unit)

    def _put(self, slot: int, value: int, decimals: int, unit: str) -> None:
        """Store a number in its channel's unit; widen the channel where it has more decimals."""
        channel: tuple = self._learned[slot]
        if unit and unit != channel[UNIT]:
            value, decimals, unit = obis.scaled(value, decimals, unit)
            if unit != channel[UNIT]:  # a limiter in A, heat in kWh: the meter's unit it is
                self._learned[slot] = channel[:1] + (unit,) + channel[2:]
                self._changed = True
        wide: int = channel[DECIMALS]
        if decimals > wide:
            channel = self._learned[slot]
            self._learned[slot] = channel[:2] + (decimals,) + channel[3:]
            self._changed = True
            wide = decimals
        self.values[slot] = exact.rescale(value, decimals, wide)

    def _read_mbus(self, code: bytes, groups: list) -> None:
        """Remember what a line 0-n:24.x.y says of the meter on M-Bus channel n."""
        channel = code[2] - 48
        if not 1 <= channel <= 9:
            return
        meter = self._mbus.get(channel)
        if meter is None:
            meter = self._mbus[channel] = [0, None, 0, "", None]
        what = code[4:]
        if what == b"24.1.0":
            if groups[0].isdigit() and len(groups[0]) <= 3:
                meter[_TYPE] = int(groups[0])
            return
        if what != b"24.2.1" and what != b"24.2.3" and what != b"24.3.0":
            return
        if len(groups) < 2:
            return
        parsed = obis.number(groups[-1])
        meter[_TIME] = stamp.utc(groups[0], self._base_hours)
        if parsed is None or meter[_TIME] is None:
            return  # no meter behind this channel: its time stamp is no date
        meter[_VALUE], meter[_DECIMALS], meter[_UNIT] = parsed
        if what == b"24.3.0" and len(groups) == 7:  # DSMR 2.2 gives the unit on its own
            meter[_UNIT] = obis.text(groups[5])
        if what == b"24.2.3" and not meter[_TYPE]:
            meter[_TYPE] = 3  # gas without temperature correction (Belgium)

    def _place_mbus(self) -> None:
        """Put the readings of M-Bus meters into their channels."""
        for number in sorted(self._mbus):
            if number not in self._mbus_slots and self._alive(self._mbus[number]):
                self._name_mbus(number)
        for number in sorted(self._mbus):
            if number not in self._mbus_slots and self._mbus[number][_VALUE] is not None:
                self._name_mbus(number)
        for number, slot in self._mbus_slots.items():
            meter = self._mbus.get(number)
            if meter and meter[_VALUE] is not None:
                self._put(slot, meter[_VALUE], meter[_DECIMALS], meter[_UNIT])

    def _alive(self, meter: list) -> bool:
        if meter[_VALUE] is None:
            return False
        return self.time is None or self.time - meter[_TIME] < _STALE_S

    def _name_mbus(self, number: int) -> None:
        channel = obis.mbus_channel(self._mbus[number][_TYPE])
        if channel is None:
            channel = ("mbus", "", 0, "total_increasing", "")
        for known in self._learned:
            if known[KEY] == channel[KEY]:
                key = "%s_%d" % (channel[KEY], number)
                channel = (key, channel[1], channel[2], channel[3], channel[4])
                break
        self._mbus_slots[number] = self._add(channel)
