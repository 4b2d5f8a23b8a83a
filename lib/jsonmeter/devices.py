"""Devices whose answers are known: what is asked, and where the values stand (see table.py).

    target = devices.target("opendtu", "116180000000")     # "/api/livedata/status?inv=1161…"
    Table(devices.rows("opendtu"))
    devices.MAKERS["opendtu"]

Power is signed where the device knows the direction (+ is drawn from the grid); an inverter's is
`power_export`, and its counter `energy_export`. From the makers' published descriptions of their
local APIs: Tasmota (Status 8), HomeWizard v1, OpenDTU, AhoyDTU, Fronius Solar API v1, go-e API v2,
myStrom, YouLess. A Shelly's tables are in shelly.py.
"""

from .ends import finished

MAKERS = {
    "shelly": "Shelly",
    "tasmota": "Tasmota",
    "homewizard": "HomeWizard",
    "opendtu": "OpenDTU",
    "ahoydtu": "AhoyDTU",
    "fronius": "Fronius",
    "goe": "go-e",
    "mystrom": "myStrom",
    "youless": "YouLess",
}
# What stands for %s: the unit that is meant, where a device is a gateway to several.
_TARGETS = {
    "tasmota": "/cm?cmnd=Status%208",
    "homewizard": "/api/v1/data",
    "opendtu": "/api/livedata/status?inv=%s",
    "ahoydtu": "/api/inverter/id/%s",
    "fronius": "/solar_api/v1/GetPowerFlowRealtimeData.fcgi",
    "goe": "/api/status?filter=nrg,eto",
    "mystrom": "/report",
    "youless": "/e",
}
GATEWAYS = ("opendtu", "ahoydtu")  # these need a unit
QUERY_LOGIN = ("tasmota",)  # user and password stand in the query

# One number, or one per phase; with one channel the number stands there without an array.
_TASMOTA = """
power | StatusSNS/ENERGY/Power | W | 0 | W | measurement | power
power_l1 | StatusSNS/ENERGY/Power[0] when StatusSNS/ENERGY/Power[1] <= 99999 | W | 0 | {W}
power_l2 | StatusSNS/ENERGY/Power[1] | W | 0 | {W}
power_l3 | StatusSNS/ENERGY/Power[2] | W | 0 | {W}
voltage | StatusSNS/ENERGY/Voltage | V | 0 | {V}
voltage_l1 | StatusSNS/ENERGY/Voltage[0] when StatusSNS/ENERGY/Voltage[1] >= 0 | V | 0 | {V}
voltage_l2 | StatusSNS/ENERGY/Voltage[1] | V | 0 | {V}
voltage_l3 | StatusSNS/ENERGY/Voltage[2] | V | 0 | {V}
current | StatusSNS/ENERGY/Current | A | 3 | {A}
current_l1 | StatusSNS/ENERGY/Current[0] when StatusSNS/ENERGY/Current[1] >= 0 | A | 3 | {A}
current_l2 | StatusSNS/ENERGY/Current[1] | A | 3 | {A}
current_l3 | StatusSNS/ENERGY/Current[2] | A | 3 | {A}
power_factor | StatusSNS/ENERGY/Factor | | 2 | {P}
frequency | StatusSNS/ENERGY/Frequency | Hz | 0 | {F}
energy_import | StatusSNS/ENERGY/Total | kWh | 3 | {E}
energy_import_l1 | StatusSNS/ENERGY/Total[0] when StatusSNS/ENERGY/Total[1] >= 0 | kWh | 3 | {E}
energy_import_l2 | StatusSNS/ENERGY/Total[1] | kWh | 3 | {E}
energy_import_l3 | StatusSNS/ENERGY/Total[2] | kWh | 3 | {E}
energy_export | StatusSNS/ENERGY/ExportActive | kWh | 3 | {E}
"""
_HOMEWIZARD = """
power | active_power_w | W | 0 | {W}
energy_import | total_power_import_kwh | kWh | 3 | {E}
energy_export | total_power_export_kwh | kWh | 3 | {E}
voltage | active_voltage_v | V | 1 | {V}
current | active_current_a | A | 3 | {A}
frequency | active_frequency_hz | Hz | 2 | {F}
power_apparent | active_apparent_power_va | VA | 0 | VA | measurement | apparent_power
power_reactive | active_reactive_power_var | var | 0 | var | measurement | reactive_power
power_factor | active_power_factor | | 2 | {P}
demand_import | active_power_average_w | W | 0 | {W}
demand_import_peak | montly_power_peak_w | W | 0 | {W}
tariff | active_tariff | | 0 | | code |
gas | total_gas_m3 | m³ | 3 | m³ | total_increasing | gas
water | external[type=water_meter]/value | m³ | 3 | m³ | total_increasing | water
heat | external[type=heat_meter]/value | GJ | 3 | GJ | total_increasing | energy
"""
_TARIFF = """
energy_import_t%d | total_power_import_t%d_kwh | kWh | 3 | {E}
energy_export_t%d | total_power_export_t%d_kwh | kWh | 3 | {E}
"""
_PHASE = """
power_l%d | active_power_l%d_w | W | 0 | {W}
voltage_l%d | active_voltage_l%d_v | V | 1 | {V}
current_l%d | active_current_l%d_a | A | 3 | {A}
"""
# Not heard of for a minute, or not to be reached: nothing is known.
_HEARD = " when inverters[0]/reachable when inverters[0]/data_age <= 60"
_OPENDTU = (
    ("power_export", "AC/0/Power", "W | 1 | {W}"),
    ("voltage", "AC/0/Voltage", "V | 1 | {V}"),
    ("current", "AC/0/Current", "A | 2 | {A}"),
    ("frequency", "AC/0/Frequency", "Hz | 2 | {F}"),
    ("power_factor", "AC/0/PowerFactor", " | 3 | {P}"),
    ("power_dc", "INV/0/Power DC", "W | 1 | {W}"),
    ("temperature", "INV/0/Temperature", "°C | 1 | {T}"),
    ("energy_export", "INV/0/YieldTotal", "kWh | 3 | {E} | 0.001.."),
)
# What was not heard is sent as 0.0, the voltage as well: then nothing is known.
_ALIVE = " when ch[0][0] >= 1 when age ts_last_success <= 300"
_AHOYDTU = """
voltage | ch[0][0]{L} | V | 1 | {V}
current | ch[0][1]{L} | A | 2 | {A}
power_export | ch[0][2]{L} | W | 1 | {W}
frequency | ch[0][3]{L} | Hz | 2 | {F}
power_factor | ch[0][4]{L} | | 3 | {P}
temperature | ch[0][5]{L} | °C | 1 | {T}
energy_export | ch[0][6]{L} | kWh | 3 | {E} | 0.001..
"""
_FRONIUS = """
power | Body/Data/Site/P_Grid | W | 1 | {W}
power_export | Body/Data/Site/P_PV | W | 1 | {W}
power_load | Body/Data/Site/P_Load | W | 1 | {W}
power_battery | Body/Data/Site/P_Akku | W | 1 | {W}
energy_export | Body/Data/Site/E_Total | Wh | 3 | {E}
"""
_GOE = """
voltage_l1 | nrg[0] | V | 0 | {V}
voltage_l2 | nrg[1] | V | 0 | {V}
voltage_l3 | nrg[2] | V | 0 | {V}
current_l1 | nrg[4] | A | 2 | {A}
current_l2 | nrg[5] | A | 2 | {A}
current_l3 | nrg[6] | A | 2 | {A}
power_l1 | nrg[7] | W | 0 | {W}
power_l2 | nrg[8] | W | 0 | {W}
power_l3 | nrg[9] | W | 0 | {W}
power | nrg[11] | W | 0 | {W}
energy_import | eto | Wh | 3 | {E}
"""
_MYSTROM = """
power | power | W | 2 | {W}
energy_import | energy_since_boot | Ws | 6 | {E}
temperature | temperature | °C | 2 | {T}
"""
_YOULESS = """
power | [0]/pwr | W | 0 | {W}
energy_import_t1 | [0]/p1 | kWh | 3 | {E}
energy_import_t2 | [0]/p2 | kWh | 3 | {E}
energy_export_t1 | [0]/n1 | kWh | 3 | {E}
energy_export_t2 | [0]/n2 | kWh | 3 | {E}
gas | [0]/gas | m³ | 3 | m³ | total_increasing | gas
"""
_PLAIN = {
    "tasmota": _TASMOTA,
    "fronius": _FRONIUS,
    "goe": _GOE,
    "mystrom": _MYSTROM,
    "youless": _YOULESS,
}


def target(name: str, unit: str) -> str:
    """Path and query of what is asked; unit: which one of a gateway's, percent-encoded."""
    text = _TARGETS[name]
    return text % unit if name in GATEWAYS else text


def rows(name: str) -> str:
    """A device's table; KeyError where there is none (a Shelly's is in shelly.py)."""
    if name == "opendtu":
        lines = []
        for key, path, ends in _OPENDTU:
            path = "inverters[0]/" + path
            lines.append("%s | %s/v @ %s/d%s | %s" % (key, path, path, _HEARD, ends))
        text = "\n".join(lines)
    elif name == "homewizard":
        text = _HOMEWIZARD
        for number in range(1, 5):
            text += _TARIFF % ((number,) * 4)
            if number < 4:
                text += _PHASE % ((number,) * 6)
    elif name == "ahoydtu":
        text = _AHOYDTU.replace("{L}", _ALIVE)
    else:
        text = _PLAIN[name]
    return finished(text)
