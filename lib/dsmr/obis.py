"""OBIS codes of P1 telegrams: what a line consists of, and which channel it is.

    split(b"1-0:1.8.1(000671.578*kWh)")      -> (b"1-0:1.8.1", [b"000671.578*kWh"])
    number(b"000671.578*kWh")                -> (671578, 3, "kWh")
    channel(b"1-0:1.8.1")                    -> ("energy_import_t1", "kWh", 3, …)
    scaled(6545766, 0, "Wh")                 -> (6545766, 3, "kWh")

Codes: IEC 62056-61; their use on the P1 port: DSMR P1 Companion Standard 5.0.2 section 6.12,
e-MUCS P1 1.7.1 (Belgium), and the Swedish, Luxembourg, Austrian, Hungarian and Lithuanian
variants. The table is one byte string that stays in flash and is searched when a meter's
first telegram comes in; add a line to give a code a name.
"""

from exact import parse

# code, key, unit, decimals, kind (m measurement, t total, i total_increasing, x text), class
_CHANNELS = b"""
1-0:1.8.0 energy_import kWh 3 i energy
1-0:1.8.1 energy_import_t1 kWh 3 i energy
1-0:1.8.2 energy_import_t2 kWh 3 i energy
1-0:1.8.3 energy_import_t3 kWh 3 i energy
1-0:1.8.4 energy_import_t4 kWh 3 i energy
1-0:2.8.0 energy_export kWh 3 i energy
1-0:2.8.1 energy_export_t1 kWh 3 i energy
1-0:2.8.2 energy_export_t2 kWh 3 i energy
1-0:2.8.3 energy_export_t3 kWh 3 i energy
1-0:2.8.4 energy_export_t4 kWh 3 i energy
1-0:1.7.0 power_import W 0 m power
1-0:2.7.0 power_export W 0 m power
1-0:21.7.0 power_import_l1 W 0 m power
1-0:41.7.0 power_import_l2 W 0 m power
1-0:61.7.0 power_import_l3 W 0 m power
1-0:22.7.0 power_export_l1 W 0 m power
1-0:42.7.0 power_export_l2 W 0 m power
1-0:62.7.0 power_export_l3 W 0 m power
1-0:32.7.0 voltage_l1 V 0 m voltage
1-0:52.7.0 voltage_l2 V 0 m voltage
1-0:72.7.0 voltage_l3 V 0 m voltage
1-0:31.7.0 current_l1 A 0 m current
1-0:51.7.0 current_l2 A 0 m current
1-0:71.7.0 current_l3 A 0 m current
0-0:96.14.0 tariff - 0 m -
1-0:1.4.0 demand_import W 0 m power
1-0:1.6.0 demand_import_peak W 0 m power
1-0:2.4.0 demand_export W 0 m power
1-0:2.6.0 demand_export_peak W 0 m power
0-0:17.0.0 limiter W 0 m -
1-0:31.4.0 current_limit_l1 A 0 m current
1-0:51.4.0 current_limit_l2 A 0 m current
1-0:71.4.0 current_limit_l3 A 0 m current
0-0:96.3.10 breaker - 0 m -
0-0:96.7.21 power_failures - 0 i -
0-0:96.7.9 power_failures_long - 0 i -
1-0:32.32.0 voltage_sags_l1 - 0 i -
1-0:52.32.0 voltage_sags_l2 - 0 i -
1-0:72.32.0 voltage_sags_l3 - 0 i -
1-0:32.36.0 voltage_swells_l1 - 0 i -
1-0:52.36.0 voltage_swells_l2 - 0 i -
1-0:72.36.0 voltage_swells_l3 - 0 i -
1-0:3.8.0 reactive_energy_import kvarh 3 i reactive_energy
1-0:3.8.1 reactive_energy_import_t1 kvarh 3 i reactive_energy
1-0:3.8.2 reactive_energy_import_t2 kvarh 3 i reactive_energy
1-0:3.8.3 reactive_energy_import_t3 kvarh 3 i reactive_energy
1-0:3.8.4 reactive_energy_import_t4 kvarh 3 i reactive_energy
1-0:4.8.0 reactive_energy_export kvarh 3 i reactive_energy
1-0:4.8.1 reactive_energy_export_t1 kvarh 3 i reactive_energy
1-0:4.8.2 reactive_energy_export_t2 kvarh 3 i reactive_energy
1-0:4.8.3 reactive_energy_export_t3 kvarh 3 i reactive_energy
1-0:4.8.4 reactive_energy_export_t4 kvarh 3 i reactive_energy
1-0:5.8.0 reactive_energy_q1 kvarh 3 i reactive_energy
1-0:6.8.0 reactive_energy_q2 kvarh 3 i reactive_energy
1-0:7.8.0 reactive_energy_q3 kvarh 3 i reactive_energy
1-0:8.8.0 reactive_energy_q4 kvarh 3 i reactive_energy
1-0:15.8.0 energy_absolute kWh 3 i energy
1-0:3.7.0 reactive_power_import var 0 m reactive_power
1-0:4.7.0 reactive_power_export var 0 m reactive_power
1-0:5.7.0 reactive_power_q1 var 0 m reactive_power
1-0:6.7.0 reactive_power_q2 var 0 m reactive_power
1-0:7.7.0 reactive_power_q3 var 0 m reactive_power
1-0:8.7.0 reactive_power_q4 var 0 m reactive_power
1-0:23.7.0 reactive_power_import_l1 var 0 m reactive_power
1-0:43.7.0 reactive_power_import_l2 var 0 m reactive_power
1-0:63.7.0 reactive_power_import_l3 var 0 m reactive_power
1-0:24.7.0 reactive_power_export_l1 var 0 m reactive_power
1-0:44.7.0 reactive_power_export_l2 var 0 m reactive_power
1-0:64.7.0 reactive_power_export_l3 var 0 m reactive_power
1-0:9.7.0 apparent_power_import VA 0 m apparent_power
1-0:10.7.0 apparent_power_export VA 0 m apparent_power
1-0:15.7.0 power_absolute W 0 m power
1-0:16.7.0 power W 0 m power
1-0:11.7.0 current A 0 m current
1-0:12.7.0 voltage V 0 m voltage
1-0:90.7.0 current_sum A 0 m current
1-0:91.7.0 current_neutral A 0 m current
1-0:13.7.0 power_factor - 0 m power_factor
1-0:33.7.0 power_factor_l1 - 0 m power_factor
1-0:53.7.0 power_factor_l2 - 0 m power_factor
1-0:73.7.0 power_factor_l3 - 0 m power_factor
1-0:14.7.0 frequency Hz 0 m frequency
1-0:32.24.0 voltage_mean_l1 V 0 m voltage
1-0:52.24.0 voltage_mean_l2 V 0 m voltage
1-0:72.24.0 voltage_mean_l3 V 0 m voltage
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
hz Hz 0
khz Hz 3
m3 m\xc2\xb3 0
dm3 m\xc2\xb3 -3
l m\xc2\xb3 -3
"""

_KINDS = {b"m": "measurement", b"t": "total", b"i": "total_increasing", b"x": "text"}


def split(line: bytes) -> tuple[bytes, list]:
    """Return (code, contents of the brackets) of a line; (b"", []) where it is no OBIS line.

    A suffix such as "*255" does not belong to the code.
    """
    start = line.find(b"(")
    if start <= 0 or line[-1] != 41:
        return b"", []
    code = line[:start]
    star = code.find(b"*")
    if star > 0:
        code = code[:star]
    return code, line[start + 1 : -1].split(b")(")


def number(group: bytes) -> tuple[int, int, str] | None:
    """Return (value, decimals, unit as sent) of bracket contents, or None for no number."""
    star = group.find(b"*")
    parsed = parse(group if star < 0 else group[:star])
    unit = "" if star < 0 else text(group[star + 1 :])
    if parsed is None or (star >= 0 and len(unit) != len(group) - star - 1):
        return None
    return parsed[0], parsed[1], unit


def text(group: bytes) -> str:
    """Bracket contents as text: printable ASCII, without the 0xFF that one meter pads with."""
    return "".join([chr(byte) for byte in group if 32 <= byte < 127])


def scaled(value: int, decimals: int, unit: str) -> tuple[int, int, str]:
    """Return (value, decimals, unit) in the unit that channels use; exact, nothing is rounded."""
    row = _row(_UNITS, unit.lower().encode()) if unit else None
    if row is None:
        return value, decimals, unit
    move = int(row[2])
    if decimals < move:
        return value * 10 ** (move - decimals), 0, row[1].decode()
    return value, decimals - move, row[1].decode()


def channel(code: bytes) -> tuple | None:
    """The channel of a code, or None where it has no name."""
    if code[:4] == b"1-1:":  # Switzerland and Luxembourg use the second electricity channel
        code = b"1-0:" + code[4:]
    row = _row(_CHANNELS, code)
    if row is None:
        return None
    return row[1].decode(), _text(row[2]), int(row[3]), _KINDS[row[4]], _text(row[5])


def mbus_channel(device_type: int) -> tuple | None:
    """The channel of an M-Bus meter's reading, or None for a type that has no name."""
    row = _row(_MBUS, b"%d" % device_type)
    if row is None:
        return None
    unit = "m³" if row[2] == b"m3" else row[2].decode()
    return row[1].decode(), unit, 0, _KINDS[row[3]], row[4].decode()


def _row(table: bytes, first: bytes) -> list | None:
    """The fields of the table's line that begins with this one."""
    start = table.find(b"\n" + first + b" ")
    if start < 0:
        return None
    return table[start + 1 : table.find(b"\n", start + 1)].split(b" ")


def _text(field: bytes) -> str:
    word = "" if field == b"-" else field.decode()
    for known in _WORDS:
        if known == word:
            return known
    return word
