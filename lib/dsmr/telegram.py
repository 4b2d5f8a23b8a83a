"""The values of P1 telegrams, line by line, as integers in channels.

A Telegram listens to a Framer:

    telegram = Telegram(on_complete)
    framer = Framer(bytearray(1024), telegram)
    framer.feed(data, 0, n)

    def on_complete(telegram):
        telegram.header      # the identification line, without "/"; see obis.identity()
        telegram.serial      # serial number as sent, in hexadecimal; b"" where not told
        telegram.time        # UTC in seconds since 2000-01-01, or None for a meter without a clock
        telegram.channels    # tuple of channels; the same object as long as nothing changes
        telegram.values      # list of int, str or None, one per channel; valid until the next line
        telegram.profile     # groups of the line 0-0:98.1.0 (profile.py); () while nobody asks

on_complete is called only for a telegram whose CRC is right, or which has none. The channels
are learned: a code that comes up for the first time adds one, a value with more decimals than
before widens its channel, and a telegram with a bad CRC changes nothing. Channels whose line
is missing from a telegram are None.

What no line has alone: when the peak of a demand was ("demand_import_peak_time"), the meters on
the M-Bus (see mbus.py), and energy_import and energy_export of a meter that has tariffs only. That
is the sum of two tariffs or more, all that came up so far; None while one of them is missing.
"""

import exact
from exact import DECIMALS, KEY, KIND, UNIT
from micropython import const

from . import obis, stamp
from .frame import ABSENT, OK

_IGNORED = const(-1)
_UNKNOWN = const(-2)
_FIRST = const(34)  # stands for index 0 in the table of codes, the byte before it for _IGNORED
_CODES_BYTES = const(3000)  # more than any meter needs: corrupt lines must not fill the memory
_CHANNELS_MOST = const(200)
_TARIFF_MOST = const(255)  # 5431 is the text "T1" in hexadecimal
_LIMITERS = const(3)
_UNSET_S = const(86400)  # times up to 2000-01-01 are those of clocks that nobody has set
_SUMS = ("energy_import", "energy_export")


class Telegram:
    """Decodes lines into channels and values; see the module's text.

    wanted: keys of text channels, and OBIS codes without a name ("1-0:13.3.0"), to decode
    beside the numbers that have a name. base_hours: winter offset of the meter's country; None: as
    the header tells, see obis.base_hours().
    sealed: the telegrams come decrypted; each waits for the seal() behind it, and needs a CRC.
    believe: called with this before on_complete, and before flows are made; it puts None for
    values that it does not believe, and returns whether it believes the telegram at all.
    codes: channels of lines without a name, see codes.py.
    """

    def __init__(
        self,
        on_complete,
        wanted=None,
        base_hours: int | None = None,
        sealed: bool = False,
        believe=None,
        codes: list | None = None,
    ) -> None:
        self.header = ""
        self.serial = b""
        self.time: int | None = None
        self.has_season = False  # the time says whether it is summer time
        self.channels: tuple = ()
        self.values: list = []
        self.crc = ABSENT
        self.bad_lines = 0  # lines that are no OBIS lines
        self.ignores_crc = False  # a wrong CRC is believed as well
        self.sums: dict = {}  # index of a sum -> indexes of its parts, as bytes
        self.asks = False  # somebody wants the profile: of the telegrams from now on
        self.profile: list | tuple = ()
        self.now: int | None = None  # seconds of a clock that goes on, if the telegram's may not
        self._on_complete = on_complete
        self._believe = believe
        self._own = codes or ()
        self._wanted = wanted or ()
        self._base_hours = base_hours
        self.hours = 1  # the winter offset of this telegram's time stamps
        self._timed = False  # its clock line has come: of two the first one counts
        self._day = self._hour = b""  # of a meter that tells them on two lines
        self._sealed = sealed
        self._pending = False  # complete, and waiting for its seal
        # Each code seen, as "\n" code " " and a byte for its channel's index. One bytes object
        # that is searched takes a third of the memory of a dict.
        self._codes = b""
        self._codes_before = b""  # without what a telegram not yet complete taught
        self.learned: list[tuple] = []  # channels, those of a telegram not yet complete included
        self._changed = False
        self._mbus = None  # made where there is a meter
        self._times: dict = {}  # index of a peak -> index of the time that it was at
        self._listed: tuple | list = ()  # of a telegram not yet complete

    def begin(self, line: bytes) -> None:
        """A telegram begins: forget the one before."""
        self._forget()
        self._pending = False
        self.header = obis.text(line)
        self.serial = self._day = self._hour = b""
        self.time = None
        self._timed = False
        hours = self._base_hours
        self.hours = obis.base_hours(line) if hours is None else hours
        for index in range(len(self.values)):
            self.values[index] = None
        self._listed = ()
        if self._mbus:
            self._mbus.clear()

    def line(self, line: bytes) -> None:
        """Decode one line."""
        start = line.find(b"(")
        code = line[:start] if start > 0 else b""
        if code == b"0-0:96.1.1" or code == b"0-0:96.1.0":
            self.serial = self.serial or line[start + 1 : -1]
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
        known = crc == OK or (crc == ABSENT and not self._sealed)
        self._pending = known or self.ignores_crc
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
        if not self._timed and len(self._hour) == 6:
            self.time = stamp.utc(self._day[-6:] + self._hour, self.hours)
            self.has_season = False
        if self._mbus:
            self._mbus.place()
        if self._codes is not self._codes_before:
            self._find_sums()
        self._sum_up()
        if self._changed:
            self.channels = tuple(self.learned)
            self._changed = False
        self._codes_before = self._codes
        if self._believe and not self._believe(self):
            return
        self.profile = self._listed
        if self._mbus:
            self._mbus.flow(self.time if self.now is None else self.now)
        self._on_complete(self)

    def _forget(self) -> None:
        """Drop what an incomplete or corrupt telegram taught."""
        self._codes = self._codes_before
        if not self._changed:
            return
        known = len(self.channels)
        self._times.clear()
        self.learned = list(self.channels)
        del self.values[known:]
        self._changed = False

    def _slot(self, code: bytes) -> int:
        """The index of a code's channel, _IGNORED or _UNKNOWN."""
        at = self._codes.find(b"\n" + code + b" ")
        if at < 0:
            return _UNKNOWN
        return self._codes[at + len(code) + 2] - _FIRST

    def _keep(self, code: bytes, slot: int) -> int:
        """Remember the index of a code's channel, and return it."""
        if len(self._codes) < _CODES_BYTES:
            self._codes += b"\n" + code + b" " + bytes((slot + _FIRST,))
        return slot

    def _learn(self, key: bytes, code: bytes, groups: list) -> int:
        """Find the channel of a code that comes up for the first time."""
        if code.find(b" ") >= 0:  # of no table; and the tables' fields are set apart by blanks
            return _IGNORED
        if code == b"0-0:1.0.0" or code == b"0-0:1.1.0":
            if not self._timed:
                self._timed = True
                self.time = stamp.utc(groups[0], self.hours)
                self.has_season = stamp.has_season(groups[0])
            return _IGNORED
        if code == b"1-0:0.9.1":
            self._hour = self._hour or groups[0].replace(b":", b"")
            return _IGNORED
        if code == b"1-0:0.9.2":
            self._day = self._day or groups[0].replace(b"-", b"")
            return _IGNORED
        if code[:2] == b"0-" and code[3:7] == b":24.":
            if not self._mbus:
                from .mbus import Mbus

                self._mbus = Mbus(self)
            self._mbus.read(code, groups, self.hours)
            return _IGNORED
        if code == b"0-0:98.1.0":
            if self.asks:
                self._listed = groups
            return _IGNORED
        if code == b"1-0:99.1.0":
            self._read_profile(groups)
            return _IGNORED
        channel = self._channel(code, groups)
        if channel and code == b"0-0:96.8.0":
            groups[0] = obis.from_hexadecimal(groups[0])
            return self.add(channel)
        if channel is None or len(self.learned) >= _CHANNELS_MOST:
            return self._keep(key, _IGNORED)
        return self._keep(key, self.add(channel))

    def _channel(self, code: bytes, groups: list) -> tuple | None:
        for own, channel in self._own:
            if own == code:
                return channel
        channel = obis.channel(code)
        name = code.decode() if max(code) < 128 else ""
        if name in self._wanted:
            words = obis.value(groups) is None
            return name, "", 0, "text" if words else "measurement", ""
        if channel is None:
            return None
        if channel[KIND] == "text" and channel[KEY] not in self._wanted:
            return None
        return channel

    def _read_profile(self, groups: list) -> None:
        """The energies of a load profile with one entry: (1)(codes)(time)(a value per code)."""
        codes = [group for group in groups[1:] if group.find(b":") > 0]
        values = groups[len(codes) + 2 :]
        if groups[0] == b"1" and len(values) == len(codes):
            for code, value in zip(codes, values):
                if code[-5:] == b".29.0":
                    self.line(code + b"(" + value + b")")

    def add(self, channel: tuple) -> int:
        """The index of this channel: a new one, or that of another code of the same meaning."""
        for index, known in enumerate(self.learned):
            if known[KEY] == channel[KEY]:
                return index
        self.learned.append(channel)
        self.values.append(None)
        self._changed = True
        return len(self.learned) - 1

    def _store(self, slot: int, groups: list) -> None:
        channel = self.learned[slot]
        if self.values[slot] is not None:  # of two lines of one meaning the first one counts
            if channel[KEY] == "limiter":
                self._store_more(channel, groups)
            return
        if channel[KIND] == "text":
            self.values[slot] = obis.text(groups[-1])
            return
        if channel[KIND] == "time":
            self.values[slot] = self._moment(groups)
            return
        parsed = obis.value(groups)
        if parsed is None:  # empty, a date, or a word where other meters have a number
            return
        value, decimals, unit = parsed
        if value > _TARIFF_MOST and channel[KEY] == "tariff":
            return
        if channel[KIND] == "flag" and value not in (0, 1):
            return
        self.put(slot, value, decimals, unit)
        if len(groups) > 1 and channel[KEY][-5:] == "_peak":
            self._store_time(slot, channel[KEY], groups)

    def _store_time(self, slot: int, key: str, groups: list) -> None:
        """When the peak was that these groups tell."""
        time = self._moment(groups)
        if time is None:
            return
        if slot not in self._times:
            self._times[slot] = self.add((key + "_time", "", 0, "time", "timestamp"))
        self.values[self._times[slot]] = time

    def _moment(self, groups: list) -> int | None:
        """The first time that somebody has set."""
        for group in groups:
            time = stamp.moment(group, self.hours)
            if time is not None and time > _UNSET_S:
                return time
        return None

    def _store_more(self, channel: tuple, groups: list) -> None:
        """Of one meter each phase has such a line."""
        for number in range(2, _LIMITERS + 1):
            slot = self.add(("%s_%d" % (channel[KEY], number),) + channel[1:])
            if self.values[slot] is None:
                self._store(slot, groups)
                return

    def put(self, slot: int, value: int, decimals: int, unit: str) -> None:
        """Store a number in its channel's unit; widen the channel where it has more decimals."""
        channel: tuple = self.learned[slot]
        if unit and unit != channel[UNIT]:
            value, decimals, unit = obis.scaled(value, decimals, unit)
            if unit != channel[UNIT]:  # a limiter in A, heat in kWh: the meter's unit it is
                self.learned[slot] = channel[:1] + (unit,) + channel[2:]
                self._changed = True
        wide: int = channel[DECIMALS]
        if decimals > wide:
            channel = self.learned[slot]
            self.learned[slot] = channel[:2] + (decimals,) + channel[3:]
            self._changed = True
            wide = decimals
        self.values[slot] = exact.rescale(value, decimals, wide)

    def _find_sums(self) -> None:
        """Which tariffs make up a total: those that came up, where it has no line of its own."""
        self.sums.clear()
        for total in _SUMS:
            few = many = b""  # of one digit, of two: Israel's 11 to 13 are tariffs of their own
            tenth = own = False
            size = len(total) + 2
            for index, channel in enumerate(self.learned):
                key = channel[KEY]
                if key == total:
                    own = self._codes.find(b" " + bytes((index + _FIRST,))) >= 0
                elif key[:size] == total + "_t" and key[size:].isdigit():
                    tenth = tenth or key[size:] == "10"
                    if len(key) == size + 1:
                        few += bytes((index,))
                    else:
                        many += bytes((index,))
            parts = few + many if tenth else few or many
            if len(parts) > 1 and not own:
                self.sums[self.add((total,) + self.learned[parts[0]][1:])] = parts

    def _sum_up(self) -> None:
        for slot in self.sums:
            parts = self.sums[slot]
            unit = self.learned[parts[0]][UNIT]
            wide = max([self.learned[part][DECIMALS] for part in parts])
            total = 0
            for part in parts:
                value = self.values[part]
                if value is None or self.learned[part][UNIT] != unit:
                    total = None
                    break
                total += exact.rescale(value, self.learned[part][DECIMALS], wide)
            if total is not None and self.values[slot] is None:
                self.put(slot, total, wide, unit)
