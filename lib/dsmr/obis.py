"""OBIS codes of P1 telegrams: what a line consists of, and which channel it is.

    split(b"1-0:1.8.1(000671.578*kWh)")      -> (b"1-0:1.8.1", [b"000671.578*kWh"])
    number(b"000671.578*kWh")                -> (671578, 3, "kWh")
    value([b"260302184500", b"05.796*kW"])   -> (5796, 3, "kW")
    channel(b"1-0:1.8.1")                    -> ("energy_import_t1", "kWh", 3, …)
    scaled(6545766, 0, "Wh")                 -> (6545766, 3, "kWh")
    identity("ISK5\\2M550T-1012", b"4530303437")    -> ("ISK", "2M550T-1012", "E0047")

Codes: IEC 62056-61; their use on the P1 port: DSMR P1 Companion Standard 5.0.2 section 6.12,
e-MUCS P1 1.7.1 (Belgium), and the Swedish, Luxembourg, Austrian, Hungarian and Lithuanian
variants. The table is one byte string that stays in flash and is searched when a meter's
first telegram comes in; add a line to give a code a name.
"""

from binascii import unhexlify

from exact import parse

from . import stamp

# code, key, unit, decimals, kind (letters of _KINDS), class. A row of phase L1 stands for those
# of L2 and L3 as well (its C is 20 and 40 higher), one of tariff 1 for all tariffs (its E is
# their number), and n for any number from 1 on. ASCII: of such tables an image has all words.
_CHANNELS = b"""
1-0:1.8.0 energy_import kWh 3 i energy
1-0:1.8.1 energy_import_t1 kWh 3 i energy
1-0:2.8.0 energy_export kWh 3 i energy
1-0:2.8.1 energy_export_t1 kWh 3 i energy
1-0:1.7.0 power_import W 0 m power
1-0:2.7.0 power_export W 0 m power
1-0:21.7.0 power_import_l1 W 0 m power
1-0:22.7.0 power_export_l1 W 0 m power
1-0:36.7.0 power_l1 W 0 m power
1-0:32.7.0 voltage_l1 V 0 m voltage
1-0:31.7.0 current_l1 A 0 m current
0-0:96.14.0 tariff - 0 c -
0-0:96.14.1 tariff - 0 c -
1-0:1.4.0 demand_import W 0 m power
1-0:1.5.0 demand_import_last W 0 m power
1-0:1.6.0 demand_import_peak W 0 m power
1-0:1.2.0 demand_import_cumulated W 0 i -
1-0:2.4.0 demand_export W 0 m power
1-0:2.5.0 demand_export_last W 0 m power
1-0:2.6.0 demand_export_peak W 0 m power
1-0:3.4.0 reactive_demand_import var 0 m reactive_power
1-0:3.5.0 reactive_demand_import_last var 0 m reactive_power
1-0:4.4.0 reactive_demand_export var 0 m reactive_power
1-0:4.5.0 reactive_demand_export_last var 0 m reactive_power
1-0:9.4.0 apparent_demand_import VA 0 m apparent_power
1-0:9.5.0 apparent_demand_import_last VA 0 m apparent_power
1-0:10.4.0 apparent_demand_export VA 0 m apparent_power
1-0:10.5.0 apparent_demand_export_last VA 0 m apparent_power
1-0:0.8.2 demand_period s 0 m duration
1-0:1.24.0 power_import_mean W 0 m power
1-0:15.24.0 power_absolute_mean W 0 m power
1-0:16.24.0 power_mean W 0 m power
0-0:17.0.0 limiter W 0 m -
1-0:31.4.0 current_limit_l1 A 0 m current
0-0:96.3.10 breaker - 0 c -
0-n:96.3.10 relay_n - 0 c -
0-0:96.7.21 power_failures - 0 i -
0-0:96.7.9 power_failures_long - 0 i -
1-0:32.32.0 voltage_sags_l1 - 0 i -
1-0:32.33.0 voltage_sag_duration_l1 s 0 m duration
1-0:32.34.0 voltage_sag_magnitude_l1 V 0 m voltage
1-0:32.36.0 voltage_swells_l1 - 0 i -
1-0:32.37.0 voltage_swell_duration_l1 s 0 m duration
1-0:32.38.0 voltage_swell_magnitude_l1 V 0 m voltage
1-0:1.8.0*96 energy_import_1d kWh 3 t energy
1-0:1.8.0*97 energy_import_7d kWh 3 t energy
1-0:1.8.0*98 energy_import_30d kWh 3 t energy
1-0:1.8.0*99 energy_import_365d kWh 3 t energy
1-0:1.8.0*100 energy_import_since_reset kWh 3 t energy
1-0:1.29.0 energy_import_interval kWh 3 t energy
1-0:2.29.0 energy_export_interval kWh 3 t energy
1-0:3.8.0 reactive_energy_import kvarh 3 i reactive_energy
1-0:3.8.1 reactive_energy_import_t1 kvarh 3 i reactive_energy
1-0:4.8.0 reactive_energy_export kvarh 3 i reactive_energy
1-0:4.8.1 reactive_energy_export_t1 kvarh 3 i reactive_energy
1-0:5.8.0 reactive_energy_q1 kvarh 3 i reactive_energy
1-0:5.8.1 reactive_energy_q1_t1 kvarh 3 i reactive_energy
1-0:6.8.0 reactive_energy_q2 kvarh 3 i reactive_energy
1-0:6.8.1 reactive_energy_q2_t1 kvarh 3 i reactive_energy
1-0:7.8.0 reactive_energy_q3 kvarh 3 i reactive_energy
1-0:7.8.1 reactive_energy_q3_t1 kvarh 3 i reactive_energy
1-0:8.8.0 reactive_energy_q4 kvarh 3 i reactive_energy
1-0:8.8.1 reactive_energy_q4_t1 kvarh 3 i reactive_energy
1-0:15.8.0 energy_absolute kWh 3 i energy
1-0:3.7.0 reactive_power_import var 0 m reactive_power
1-0:4.7.0 reactive_power_export var 0 m reactive_power
1-0:5.7.0 reactive_power_q1 var 0 m reactive_power
1-0:6.7.0 reactive_power_q2 var 0 m reactive_power
1-0:7.7.0 reactive_power_q3 var 0 m reactive_power
1-0:8.7.0 reactive_power_q4 var 0 m reactive_power
1-0:23.7.0 reactive_power_import_l1 var 0 m reactive_power
1-0:24.7.0 reactive_power_export_l1 var 0 m reactive_power
1-0:9.7.0 apparent_power_import VA 0 m apparent_power
1-0:10.7.0 apparent_power_export VA 0 m apparent_power
1-0:29.7.0 apparent_power_import_l1 VA 0 m apparent_power
1-0:30.7.0 apparent_power_export_l1 VA 0 m apparent_power
1-0:15.7.0 power_absolute W 0 m power
1-0:16.7.0 power W 0 m power
1-0:11.7.0 current A 0 m current
1-0:12.7.0 voltage V 0 m voltage
1-0:90.7.0 current_sum A 0 m current
1-0:91.7.0 current_neutral A 0 m current
1-0:13.7.0 power_factor - 0 m power_factor
1-0:33.7.0 power_factor_l1 - 0 m power_factor
1-0:13.3.0 power_factor_least - 0 m power_factor
1-0:14.7.0 frequency Hz 0 m frequency
1-0:81.7.1 voltage_angle_l2 deg 0 m -
1-0:81.7.2 voltage_angle_l3 deg 0 m -
1-0:81.7.4 current_angle_l1 deg 0 m -
1-0:81.7.15 current_angle_l2 deg 0 m -
1-0:81.7.26 current_angle_l3 deg 0 m -
1-0:32.24.0 voltage_mean_l1 V 0 m voltage
1-0:94.32.1 grid_voltage V 0 m voltage
0-0:94.32.1 grid_voltage V 0 m voltage
0-0:94.98.31 status_31 - 0 c -
0-0:94.98.32 status_32 - 0 c -
0-0:94.98.33 status_33 - 0 c -
0-0:96.8.0 operating_time s 0 i duration
1-3:0.2.8 p1_version - 0 x -
0-0:96.1.4 p1_version - 0 x -
0-0:96.13.0 message - 0 x -
0-0:96.13.1 message_code - 0 x -
0-0:96.1.1 meter_id - 0 x -
0-0:96.1.0 meter_id - 0 x -
0-0:42.0.0 device_name - 0 x -
"""

# One copy of each for all channels: without it a meter with 28 of them takes 0.8 kB more.
_WORDS = ("kWh", "W", "V", "A", "kvarh", "var", "energy", "power", "voltage", "current")

# M-Bus device type (EN 13757-3, table 9) -> key, unit, kind, class of the reading at 0-n:24.2.1
_MBUS = b"""
2 electricity kWh i energy
3 gas m3 i gas
4 heat GJ i energy
6 hot_water m3 i water
7 water m3 i water
10 cooling GJ i energy
11 cooling GJ i energy
12 heat GJ i energy
13 heat_cooling GJ i energy
21 hot_water m3 i water
22 cold_water m3 i water
"""

# unit as sent, in lower case -> unit of the channel, digits that the point moves to the right
_UNITS = b"""
kw W 3
w W 0
mw W 6
wh kWh -3
kwh kWh 0
mwh kWh 3
kvar var 3
var var 0
varh kvarh -3
kvarh kvarh 0
kva VA 3
va VA 0
kv V 3
v V 0
ka A 3
a A 0
ma A -3
mva VA 6
mvar var 6
vah kVAh -3
kvah kVAh 0
j GJ -9
kj GJ -6
mj GJ -3
gj GJ 0
hz Hz 0
khz Hz 3
m3 m\xc2\xb3 0
dm3 m\xc2\xb3 -3
l m\xc2\xb3 -3
m3/h m\xc2\xb3/h 0
l/h m\xc2\xb3/h -3
deg \xc2\xb0 0
s s 0
"""

# Packed as well: a dict would lie in RAM.
_KINDS = b"""
m measurement
t total
i total_increasing
c code
x text
"""


def split(line: bytes) -> tuple[bytes, list]:
    """Return (code, contents of the brackets) of a line; (b"", []) where it is no OBIS line.

    The suffix "*255", the present, does not belong to the code; others tell of other values.
    """
    start = line.find(b"(")
    if start <= 0 or line[-1] != 41:
        return b"", []
    code = line[:start]
    if code[-4:] == b"*255":
        code = code[:-4]
    return code, line[start + 1 : -1].split(b")(")


def number(group: bytes) -> tuple[int, int, str] | None:
    """Return (value, decimals, unit as sent) of bracket contents, or None for no number."""
    star = group.find(b"*")
    parsed = parse(group if star < 0 else group[:star])
    unit = "" if star < 0 else text(group[star + 1 :])
    if parsed is None or (star >= 0 and len(unit) != len(group) - star - 1):
        return None
    return parsed[0], parsed[1], unit.replace(" ", "")


def value(groups: list) -> tuple[int, int, str] | None:
    """What number() says of the group that is the value; None where none is.

    That is what has a unit, else a decimal point, else what is no date; of two (Luxembourg's
    limits) the first one.
    """
    for mark in (b"*", b".", b""):
        for group in groups:
            if group.find(mark) < 0:
                continue
            if not mark and len(group) > 9 and (len(groups) > 1 or stamp.dated(group)):
                continue
            parsed = number(group)
            if parsed is not None:
                return parsed
    return None


def base_hours(header: bytes) -> int:
    """The winter offset of meters whose header tells where they are; else Central Europe's, 1."""
    return 2 if header[:3] == b"ESO" else 1  # Lithuania


def text(group: bytes) -> str:
    """Bracket contents as text: printable ASCII, without the 0xFF that one meter pads with."""
    return "".join([chr(byte) for byte in group if 32 <= byte < 127])


def from_hexadecimal(group: bytes) -> bytes:
    """A number in hexadecimal, as one kind of line has it, in decimal; b"" for none."""
    try:
        return b"%d" % int.from_bytes(unhexlify(group), "big") if group else b""
    except ValueError:
        return b""


def scaled(value: int, decimals: int, unit: str) -> tuple[int, int, str]:
    """Return (value, decimals, unit) in the unit that channels use; exact, nothing is rounded."""
    row = _row(_UNITS, unit.lower().encode()) if unit else None
    if row is None:
        return value, decimals, unit
    move = int(row[2])
    if decimals < move:
        return value * 10 ** (move - decimals), 0, row[1].decode()
    return value, decimals - move, row[1].decode()


def identity(header: str, serial: bytes) -> tuple:
    """(maker, model, serial number) of what a telegram has of them; None where not told.

    "/", three letters of the maker (FLAG), a digit for the speed, the model: IEC 62056-21.
    """
    maker = None
    if header[3:4].isdigit():
        maker = header[:3].upper()
        header = header[4:].lstrip("\\ ")
    told = text(serial)
    try:
        plain = text(unhexlify(serial))
        if 2 * len(plain) == len(serial):
            told = plain
    except ValueError:  # not hexadecimal: as sent
        pass
    return maker, header or None, told or None


def channel(code: bytes) -> tuple | None:
    """The channel of a code, or None where it has no name."""
    if code[:4] == b"1-1:":  # Switzerland and Luxembourg use the second electricity channel
        code = b"1-0:" + code[4:]
    row = _row(_CHANNELS, code)
    end = ""
    if row is None:
        alike, end, number = _alike(code)
        row = _row(_CHANNELS, alike) if number else None
        if row is None or row[1][-len(end) :] != end.encode():
            return None
        end = str(number)
    key = row[1].decode()
    if end:
        key = key[:-1] + end
    return key, _text(row[2]), int(row[3]), _kind(row[4]), _text(row[5])


def _alike(code: bytes) -> tuple[bytes, str, int]:
    """(code, end of the key) of the row that stands for this code too, and the number instead.

    That is the row of phase L1, of tariff 1, or of any number; 0: there is none.
    """
    colon = code.find(b":")
    first = code.find(b".")
    last = code.rfind(b".")
    if code[:2] == b"0-":
        return b"0-n" + code[colon:], "_n", _number(code[2:colon], 99)
    if code[:4] != b"1-0:" or first < 0 or first == last:
        return code, "", 0
    if code[last:] != b".0":
        return code[:last] + b".1", "_t1", _number(code[last + 1 :], 63)
    phase, first_c = divmod(_number(code[colon + 1 : first], 80) - 21, 20)
    return b"1-0:%d" % (first_c + 21) + code[first:], "_l1", max(0, phase + 1)


def _number(digits: bytes, most: int) -> int:
    """A number from 1 on without leading zeros; 0 for none."""
    number = int(digits) if digits.isdigit() and len(digits) < 4 else 0
    return number if number <= most and digits[:1] != b"0" else 0


def mbus_channel(device_type: int) -> tuple:
    """The channel of an M-Bus meter's reading; "mbus" for a type that has no name."""
    row = _row(_MBUS, b"%d" % device_type)
    if row is None:
        return "mbus", "", 0, "total_increasing", ""
    unit = "m³" if row[2] == b"m3" else row[2].decode()
    return row[1].decode(), unit, 0, _kind(row[3]), row[4].decode()


def _row(table: bytes, first: bytes) -> list | None:
    """The fields of the table's line that begins with this one."""
    start = table.find(b"\n" + first + b" ")
    if start < 0:
        return None
    return table[start + 1 : table.find(b"\n", start + 1)].split(b" ")


def _kind(letter: bytes) -> str:
    row = _row(_KINDS, letter)
    return row[1].decode() if row else ""


def _text(field: bytes) -> str:
    if field == b"deg":
        return "°"
    word = "" if field == b"-" else field.decode()
    for known in _WORDS:
        if known == word:
            return known
    return word
