"""Eastron SDM120, SDM230 and SDM630 meters: their input registers, as data for lib/modbus.

    from modbus.registers import Table
    table = Table(eastron.table("sdm120"), eastron.HOLE)

All registers are IEEE 754 singles, read with function 4, the high word first. The resolutions are
stated in the tables: energy to 0.001 kWh, power to 0.1 W, current to 0.001 A, voltage to 0.1 V.
Power is signed: positive while the meter counts import. An SDM120 leaves the factory with 2400
baud, the others with 9600; all with address 1, no parity or even parity: the display tells.
"""

from micropython import const

FUNCTION = const(4)
HOLE = const(40)  # registers between two rows that these meters answer, with 0

MODELS = ("sdm120", "sdm230", "sdm630")

_ONE = """
voltage        | 0x0000 | single | 1 | V    | measurement      | voltage        | 0..500
current        | 0x0006 | single | 3 | A    | measurement      | current        | -200..200
power          | 0x000C | single | 1 | W    | measurement      | power          | -50000..50000
power_apparent | 0x0012 | single | 1 | VA   | measurement      | apparent_power | -50000..50000
power_reactive | 0x0018 | single | 1 | var  | measurement      | reactive_power | -50000..50000
power_factor   | 0x001E | single | 3 |      | measurement      | power_factor   | -1..1
frequency      | 0x0046 | single | 2 | Hz   | measurement      | frequency      | 0..70
energy_import  | 0x0048 | single | 3 | kWh  | total_increasing | energy         | 0..9999999
energy_export  | 0x004A | single | 3 | kWh  | total_increasing | energy         | 0..9999999
energy_total   | 0x0156 | single | 3 | kWh  | total_increasing | energy         | 0..9999999
"""
_THREE = """
power          | 0x0034 | single | 1 | W    | measurement      | power          | -999999..999999
power_apparent | 0x0038 | single | 1 | VA   | measurement      | apparent_power | -999999..999999
power_reactive | 0x003C | single | 1 | var  | measurement      | reactive_power | -999999..999999
power_factor   | 0x003E | single | 3 |      | measurement      | power_factor   | -1..1
frequency      | 0x0046 | single | 2 | Hz   | measurement      | frequency      | 0..70
energy_import  | 0x0048 | single | 3 | kWh  | total_increasing | energy         | 0..9999999
energy_export  | 0x004A | single | 3 | kWh  | total_increasing | energy         | 0..9999999
energy_total   | 0x0156 | single | 3 | kWh  | total_increasing | energy         | 0..9999999
"""
# Of a three-phase meter, for phase 1; the registers of phases 2 and 3 come next.
_PHASE = """
voltage_l%d       | %d | single | 1 | V   | measurement      | voltage | 0..500
current_l%d       | %d | single | 3 | A   | measurement      | current | -9999..9999
power_l%d         | %d | single | 1 | W   | measurement      | power   | -999999..999999
energy_import_l%d | %d | single | 3 | kWh | total_increasing | energy  | 0..9999999
energy_export_l%d | %d | single | 3 | kWh | total_increasing | energy  | 0..9999999
"""
_PHASE_REGISTERS = (0x0000, 0x0006, 0x000C, 0x015A, 0x0160)


def table(model: str) -> str:
    """The register table of a model, as text; KeyError where there is none."""
    if model in ("sdm120", "sdm230"):
        return _ONE
    if model != "sdm630":
        raise KeyError(model)
    rows = _THREE
    for phase in range(3):
        numbers: list = []
        for register in _PHASE_REGISTERS:
            numbers.append(phase + 1)
            numbers.append(register + 2 * phase)
        rows += _PHASE % tuple(numbers)
    return rows
