"""Tuya meters whose data points are known: where their values stand (rows as in jsonmeter/table).

    Table(devices.rows("pj1103a"))
    devices.RENEWED.get("plug")      # (18, 19, 20): what it measures anew only when it is asked to

Which number means what is the maker's choice, and differs between two of the same name: see the
tables. From tinytuya's and tuya-local's lists and answers of real devices. What is sold as total
energy but counts from report to report (17, add_ele) is no channel, nor are hours' and days' sums.
Where a size and a direction are two data points, forward is import.
"""

from jsonmeter.ends import finished

RENEWED = {"plug": (18, 19, 20), "pj1103": (18, 19, 20)}

_PLUG = """
power | dps/19 | 0.1W | 1 | {W}
current | dps/18 | mA | 3 | {A}
voltage | dps/20 | 0.1V | 1 | {V}
"""
_PLUG_31 = """
power | dps/5 | 0.1W | 1 | {W}
current | dps/4 | mA | 3 | {A}
voltage | dps/6 | 0.1V | 1 | {V}
"""
# PJ1103A, PJ1103C, MatSee Plus: 102 and 104 are texts.
_PJ1103A = """
power | dps/115 | 0.1W | 1 | {W}
power_1 | dps/101 by dps/102 FORWARD REVERSE | 0.1W | 1 | {W}
power_2 | dps/105 by dps/104 FORWARD REVERSE | 0.1W | 1 | {W}
energy_import | dps/106 + dps/108 | 0.01kWh | 2 | {E}
energy_export | dps/107 + dps/109 | 0.01kWh | 2 | {E}
energy_import_1 | dps/106 | 0.01kWh | 2 | {E}
energy_export_1 | dps/107 | 0.01kWh | 2 | {E}
energy_import_2 | dps/108 | 0.01kWh | 2 | {E}
energy_export_2 | dps/109 | 0.01kWh | 2 | {E}
voltage | dps/112 | 0.1V | 1 | {V}
current_1 | dps/113 | mA | 3 | {A}
current_2 | dps/114 | mA | 3 | {A}
power_factor_1 | dps/110 | 0.01 | 2 | {P}
power_factor_2 | dps/121 | 0.01 | 2 | {P}
frequency | dps/111 | 0.01Hz | 2 | {F}
"""
# Product qqb5tzcb1qarf0s3, a PJ1103A as well: powers are signed, 56 to 60 begin anew.
_PJ1103A_SIGNED = """
power | dps/9 | 0.1W | 1 | {W}
power_1 | dps/104 | 0.1W | 1 | {W}
power_2 | dps/105 | 0.1W | 1 | {W}
energy_import | dps/1 | 0.01kWh | 2 | {E}
energy_export | dps/2 | 0.01kWh | 2 | {E}
energy_import_1 | dps/118 | 0.01kWh | 2 | {E}
energy_export_1 | dps/119 | 0.01kWh | 2 | {E}
energy_import_2 | dps/120 | 0.01kWh | 2 | {E}
energy_export_2 | dps/121 | 0.01kWh | 2 | {E}
voltage | dps/101 | 0.1V | 1 | {V}
current_1 | dps/102 | mA | 3 | {A}
current_2 | dps/103 | mA | 3 | {A}
power_factor_1 | dps/106 | 0.01 | 2 | {P}
power_factor_2 | dps/107 | 0.01 | 2 | {P}
"""
_PJ2101A = """
power | dps/101 by dps/102 FORWARD REVERSE | W | 0 | {W}
energy_import | dps/1 | 0.01kWh | 2 | {E}
energy_export | dps/2 | 0.01kWh | 2 | {E}
"""
# Product jbarpbsikxovmxeg.
_DUAL_CLAMP = """
power_1 | dps/103 by dps/141 0 1 | 0.1W | 1 | {W}
power_2 | dps/104 by dps/142 0 1 | 0.1W | 1 | {W}
energy_import | dps/115 + dps/117 | 0.01kWh | 2 | {E}
energy_export | dps/116 + dps/118 | 0.01kWh | 2 | {E}
energy_import_1 | dps/115 | 0.01kWh | 2 | {E}
energy_export_1 | dps/116 | 0.01kWh | 2 | {E}
energy_import_2 | dps/117 | 0.01kWh | 2 | {E}
energy_export_2 | dps/118 | 0.01kWh | 2 | {E}
voltage | dps/20 | 0.1V | 1 | {V}
power_factor_1 | dps/120 | 0.01 | 2 | {P}
power_factor_2 | dps/121 | 0.01 | 2 | {P}
frequency | dps/105 | 0.01Hz | 2 | {F}
"""
# SPM02 and SDM01 with three phases, SPM01 with one.
_ZEMISMART = """
power | dps/29 | W | 0 | {W}
energy_import | dps/1 | 0.01kWh | 2 | {E}
energy_export | dps/23 | 0.01kWh | 2 | {E}
power_factor | dps/50 | 0.01 | 2 | {P}
frequency | dps/32 | 0.01Hz | 2 | {F}
"""
_ZEMISMART_PHASE = """
voltage_l{n} | dps/%d | 0.1V | 1 | {V}
current_l{n} | dps/%d | mA | 3 | {A}
power_l{n} | dps/%d | W | 0 | {W}
power_factor_l{n} | dps/%d | 0.01 | 2 | {P}
energy_import_l{n} | dps/%d | 0.01kWh | 2 | {E}
energy_export_l{n} | dps/%d | 0.01kWh | 2 | {E}
"""
_ZEMISMART_1 = """
power | dps/104 | W | 0 | {W}
energy_import | dps/1 | 0.01kWh | 2 | {E}
energy_export | dps/23 | 0.01kWh | 2 | {E}
voltage | dps/102 | 0.1V | 1 | {V}
current | dps/103 | mA | 3 | {A}
power_factor | dps/50 | 0.01 | 2 | {P}
frequency | dps/32 | 0.01Hz | 2 | {F}
"""
ROWS = {
    "plug": _PLUG,
    "plug_31": _PLUG_31,
    "pj1103": _PLUG,
    "pj1103a": _PJ1103A,
    "pj1103a_signed": _PJ1103A_SIGNED,
    "pj2101a": _PJ2101A,
    "dual_clamp": _DUAL_CLAMP,
    "zemismart": _ZEMISMART,
    "zemismart_1": _ZEMISMART_1,
}


def rows(name: str) -> str:
    """A device's table; KeyError where there is none."""
    text = ROWS[name]
    if name == "zemismart":
        for number in range(3):
            first = 103 + 9 * number
            phase = _ZEMISMART_PHASE % tuple([first + at for at in (0, 1, 2, 5, 6, 7)])
            text += phase.replace("{n}", str(number + 1))
    return finished(text)
