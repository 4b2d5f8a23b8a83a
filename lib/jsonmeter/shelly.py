"""Shelly's meters: which generation and which parts a device has, and its table (see table.py).

    pick = Picker(shelly.ABOUT)                # of the answer to shelly.ABOUT_TARGET
    generation = shelly.generation(pick.texts)
    shelly.TARGETS[generation]                 # "/rpc/Shelly.GetStatus"
    pick = Picker(shelly.parts(generation))    # of the answer to that
    rows = shelly.rows(generation, pick.texts)  # "" where nothing measures

From Shelly's published API (Gen1: /status; Gen2 and later: /rpc/Shelly.GetStatus). What several
parts measure has their number behind its key: power_1, power_2. A switch's `aenergy` counts both
directions: what was drawn is that less `ret_aenergy`, where it has such a register. Each of three
phases counts for itself: import and export both grow where a house's meter sets them off.
"""

from .ends import finished

ABOUT_TARGET = "/shelly"
ABOUT = ("gen", "model", "mac", "type")
TARGETS = {1: "/status", 2: "/rpc/Shelly.GetStatus"}
USER = "admin"  # of the later generations, always

_KINDS = (("em:", 1), ("em1:", 3), ("switch:", 4), ("pm1:", 4), ("cover:", 2))
_EMETERS = 3
_METERS = 4

_PHASE = """
voltage_l{n} | em:0/{p}_voltage | V | 1 | {V}
current_l{n} | em:0/{p}_current | A | 3 | {A}
power_l{n} | em:0/{p}_act_power | W | 1 | {W}
power_apparent_l{n} | em:0/{p}_aprt_power | VA | 1 | VA | measurement | apparent_power
power_factor_l{n} | em:0/{p}_pf | | 2 | {P}
energy_import_l{n} | emdata:0/{p}_total_act_energy | Wh | 3 | {E}
energy_export_l{n} | emdata:0/{p}_total_act_ret_energy | Wh | 3 | {E}
"""
_EM = """
power | em:0/total_act_power | W | 1 | {W}
current | em:0/total_current | A | 3 | {A}
frequency | em:0/a_freq | Hz | 1 | {F}
energy_import | emdata:0/total_act | Wh | 3 | {E}
energy_export | emdata:0/total_act_ret | Wh | 3 | {E}
"""
_EM1 = """
voltage{k} | em1:{i}/voltage | V | 1 | {V}
current{k} | em1:{i}/current | A | 3 | {A}
power{k} | em1:{i}/act_power | W | 1 | {W}
power_apparent{k} | em1:{i}/aprt_power | VA | 1 | VA | measurement | apparent_power
power_factor{k} | em1:{i}/pf | | 2 | {P}
frequency{k} | em1:{i}/freq | Hz | 1 | {F}
energy_import{k} | em1data:{i}/total_act_energy | Wh | 3 | {E}
energy_export{k} | em1data:{i}/total_act_ret_energy | Wh | 3 | {E}
"""
_SWITCH = """
voltage{k} | {c}/voltage | V | 1 | {V}
current{k} | {c}/current | A | 3 | {A}
power{k} | {c}/apower | W | 1 | {W}
power_factor{k} | {c}/pf | | 2 | {P}
frequency{k} | {c}/freq | Hz | 1 | {F}
energy_import{k} | {c}/aenergy/total -? {c}/ret_aenergy/total | Wh | 3 | {E}
energy_export{k} | {c}/ret_aenergy/total | Wh | 3 | {E}
temperature{k} | {c}/temperature/tC | °C | 1 | {T}
"""
_EMETER = """
voltage{k} | emeters[{i}]/voltage{H} | V | 2 | {V}
current{k} | emeters[{i}]/current{H} | A | 2 | {A}
power{k} | emeters[{i}]/power{H} | W | 2 | {W}
power_factor{k} | emeters[{i}]/pf{H} | | 2 | {P}
energy_import{k} | emeters[{i}]/total{H} | Wh | 3 | {E}
energy_export{k} | emeters[{i}]/total_returned{H} | Wh | 3 | {E}
"""
_METER = """
power{k} | meters[{i}]/power{H} | W | 2 | {W}
energy_import{k} | meters[{i}]/total{H} | Wmin | 6 | {E}
"""


def generation(about: list) -> int:
    """1, or 2 for all that came later, of what ABOUT_TARGET answers; 0: it is no Shelly."""
    if about[0] is not None:
        return 1 if about[0] == b"1" else 2
    return 1 if about[3] is not None else 0


def parts(generation: int) -> list:
    """The paths that tell which parts measure."""
    if generation == 1:
        paths = ["emeters[%d]/power" % index for index in range(_EMETERS)]
        return paths + ["meters[%d]/power" % index for index in range(_METERS)]
    return [_probe(kind, index) for kind, count in _KINDS for index in range(count)]


def rows(generation: int, found: list) -> str:
    """The table of a device of which this was found at the paths of parts()."""
    text = ""
    if generation == 1:
        emeters = _there(found[:_EMETERS])
        for index in emeters:
            # Three of them are the phases of one line.
            key = "_l%d" % (index + 1) if len(emeters) == _EMETERS else _key(emeters, index)
            text += _filled(_EMETER, key, index, "emeters[%d]" % index)
        if len(emeters) == _EMETERS:
            valid = "".join([" when emeters[%d]/is_valid" % index for index in emeters])
            text += "power | total_power%s | W | 2 | {W}\n" % valid
            for way, path in (("import", "total"), ("export", "total_returned")):
                sum_of = " + ".join(["emeters[%d]/%s" % (index, path) for index in emeters])
                text += "energy_%s | %s%s | Wh | 3 | {E}\n" % (way, sum_of, valid)
        meters = _there(found[_EMETERS:]) if not emeters else []
        for index in meters:
            text += _filled(_METER, _key(meters, index), index, "meters[%d]" % index)
        return finished(text)
    at = 0
    for kind, count in _KINDS:
        there = _there(found[at : at + count])
        at += count
        for index in there:
            if kind == "em:":
                for number, phase in ((1, "a"), (2, "b"), (3, "c")):
                    text += _PHASE.replace("{n}", str(number)).replace("{p}", phase)
                text += _EM
            else:
                rows_of = _EM1 if kind == "em1:" else _SWITCH
                text += _filled(rows_of, _key(there, index), index, kind + str(index))
    return finished(text)


def _probe(kind: str, index: int) -> str:
    value = {"em:": "total_act_power", "em1:": "act_power"}.get(kind, "apower")
    return "%s%d/%s" % (kind, index, value)


def _there(found: list) -> list:
    return [index for index, text in enumerate(found) if text is not None]


def _key(there: list, index: int) -> str:
    """What stands behind the keys of a part: nothing where it is the only one."""
    return "_%d" % (index + 1) if len(there) > 1 else ""


def _filled(rows_of: str, key: str, index: int, component: str) -> str:
    valid = " when %s/is_valid" % component
    text = rows_of.replace("{k}", key).replace("{i}", str(index))
    return text.replace("{c}", component).replace("{H}", valid)
