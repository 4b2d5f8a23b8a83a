"""SunSpec inverters (101-103, 111-113) and meters (201-204, 211-214): registers and channels.

    device = Device(103, 40069, "Fronius")
    device.blocks                         # as of modbus.registers.Table: what to read
    values = device.decode(payloads)      # of device.channels; None: another model lies there
    device.channels                       # those that had a value so far

SunSpec's model definitions (github.com/sunspec/models, 2024): offsets from a model's id. Integers
have a scale factor in a register of its own; 11x and 21x have IEEE 754 singles. Power of a meter
is positive while it counts import, as it is with all meters here. SolarEdge has that the other way
round, which is known, and turned.
"""

from modbus.registers import Table

from . import FUNCTION, INVERTERS

_HOLE = 60  # a model can be read as a whole

_INVERTER = """
power_export   | 14 | i16^15   | 0 | W   | measurement      | power
energy_export  | 24 | acc32^26 | 3 | kWh | total_increasing | energy
current        | 2  | u16^6    | 0 | A   | measurement      | current
frequency      | 16 | u16^17   | 0 | Hz  | measurement      | frequency | 0..70
power_apparent | 18 | i16^19   | 0 | VA  | measurement      | apparent_power
power_reactive | 20 | i16^21   | 0 | var | measurement      | reactive_power
power_factor   | 22 | i16^23   | 2 |     | measurement      | power_factor | -1..1
power_dc       | 31 | i16^32   | 0 | W   | measurement      | power
voltage_dc     | 29 | u16^30   | 0 | V   | measurement      | voltage | 0..2000
current_dc     | 27 | u16^28   | 0 | A   | measurement      | current
temperature    | 33 | i16^37   | 0 | °C  | measurement      | temperature | -60..200
"""
_INVERTER_PHASES = """
voltage_l1     | 10 | u16^13   | 0 | V   | measurement      | voltage | 0..1000
voltage_l2     | 11 | u16^13   | 0 | V   | measurement      | voltage | 0..1000
voltage_l3     | 12 | u16^13   | 0 | V   | measurement      | voltage | 0..1000
current_l1     | 3  | u16^6    | 0 | A   | measurement      | current
current_l2     | 4  | u16^6    | 0 | A   | measurement      | current
current_l3     | 5  | u16^6    | 0 | A   | measurement      | current
"""
_SINGLE_INVERTER = """
power_export   | 22 | single      | 1 | W   | measurement      | power
energy_export  | 32 | single/1000 | 3 | kWh | total_increasing | energy | 0.001..
current        | 2  | single      | 3 | A   | measurement      | current
frequency      | 24 | single      | 2 | Hz  | measurement      | frequency | 0..70
power_apparent | 26 | single      | 1 | VA  | measurement      | apparent_power
power_reactive | 28 | single      | 1 | var | measurement      | reactive_power
power_factor   | 30 | single/100  | 3 |     | measurement      | power_factor | -1..1
power_dc       | 38 | single      | 1 | W   | measurement      | power
voltage_dc     | 36 | single      | 1 | V   | measurement      | voltage | 0..2000
current_dc     | 34 | single      | 3 | A   | measurement      | current
temperature    | 40 | single      | 1 | °C  | measurement      | temperature | -60..200
"""
_SINGLE_INVERTER_PHASES = """
voltage_l1     | 16 | single | 1 | V   | measurement      | voltage | 0..1000
voltage_l2     | 18 | single | 1 | V   | measurement      | voltage | 0..1000
voltage_l3     | 20 | single | 1 | V   | measurement      | voltage | 0..1000
current_l1     | 4  | single | 3 | A   | measurement      | current
current_l2     | 6  | single | 3 | A   | measurement      | current
current_l3     | 8  | single | 3 | A   | measurement      | current
"""
_METER = """
power            | 18 | i16^22   | 0 | W   | measurement      | power
energy_import    | 46 | acc32^54 | 3 | kWh | total_increasing | energy
energy_export    | 38 | acc32^54 | 3 | kWh | total_increasing | energy
current          | 2  | i16^6    | 0 | A   | measurement      | current
frequency        | 16 | i16^17   | 0 | Hz  | measurement      | frequency | 0..70
power_apparent   | 23 | i16^27   | 0 | VA  | measurement      | apparent_power
power_reactive   | 28 | i16^32   | 0 | var | measurement      | reactive_power
power_factor     | 33 | i16^37   | 2 |     | measurement      | power_factor | -1..1
"""
_METER_PHASES = """
voltage_l1       | 8  | i16^15   | 0 | V   | measurement      | voltage | 0..1000
voltage_l2       | 9  | i16^15   | 0 | V   | measurement      | voltage | 0..1000
voltage_l3       | 10 | i16^15   | 0 | V   | measurement      | voltage | 0..1000
current_l1       | 3  | i16^6    | 0 | A   | measurement      | current
current_l2       | 4  | i16^6    | 0 | A   | measurement      | current
current_l3       | 5  | i16^6    | 0 | A   | measurement      | current
power_l1         | 19 | i16^22   | 0 | W   | measurement      | power
power_l2         | 20 | i16^22   | 0 | W   | measurement      | power
power_l3         | 21 | i16^22   | 0 | W   | measurement      | power
energy_import_l1 | 48 | acc32^54 | 3 | kWh | total_increasing | energy
energy_import_l2 | 50 | acc32^54 | 3 | kWh | total_increasing | energy
energy_import_l3 | 52 | acc32^54 | 3 | kWh | total_increasing | energy
energy_export_l1 | 40 | acc32^54 | 3 | kWh | total_increasing | energy
energy_export_l2 | 42 | acc32^54 | 3 | kWh | total_increasing | energy
energy_export_l3 | 44 | acc32^54 | 3 | kWh | total_increasing | energy
"""
_SINGLE_METER = """
power            | 28 | single      | 1 | W   | measurement      | power
energy_import    | 68 | single/1000 | 3 | kWh | total_increasing | energy
energy_export    | 60 | single/1000 | 3 | kWh | total_increasing | energy
current          | 2  | single      | 3 | A   | measurement      | current
frequency        | 26 | single      | 2 | Hz  | measurement      | frequency | 0..70
power_apparent   | 36 | single      | 1 | VA  | measurement      | apparent_power
power_reactive   | 44 | single      | 1 | var | measurement      | reactive_power
power_factor     | 52 | single      | 3 |     | measurement      | power_factor | -1..1
"""
_SINGLE_METER_PHASES = """
voltage_l1       | 12 | single      | 1 | V   | measurement      | voltage | 0..1000
voltage_l2       | 14 | single      | 1 | V   | measurement      | voltage | 0..1000
voltage_l3       | 16 | single      | 1 | V   | measurement      | voltage | 0..1000
current_l1       | 4  | single      | 3 | A   | measurement      | current
current_l2       | 6  | single      | 3 | A   | measurement      | current
current_l3       | 8  | single      | 3 | A   | measurement      | current
power_l1         | 30 | single      | 1 | W   | measurement      | power
power_l2         | 32 | single      | 1 | W   | measurement      | power
power_l3         | 34 | single      | 1 | W   | measurement      | power
energy_import_l1 | 70 | single/1000 | 3 | kWh | total_increasing | energy
energy_import_l2 | 72 | single/1000 | 3 | kWh | total_increasing | energy
energy_import_l3 | 74 | single/1000 | 3 | kWh | total_increasing | energy
energy_export_l1 | 62 | single/1000 | 3 | kWh | total_increasing | energy
energy_export_l2 | 64 | single/1000 | 3 | kWh | total_increasing | energy
energy_export_l3 | 66 | single/1000 | 3 | kWh | total_increasing | energy
"""
# Of a delta connection: between the phases.
_DELTA = """
voltage_l12      | 12 | i16^15 | 0 | V | measurement | voltage | 0..1000
voltage_l23      | 13 | i16^15 | 0 | V | measurement | voltage | 0..1000
voltage_l31      | 14 | i16^15 | 0 | V | measurement | voltage | 0..1000
"""
_SINGLE_DELTA = """
voltage_l12      | 20 | single | 1 | V | measurement | voltage | 0..1000
voltage_l23      | 22 | single | 1 | V | measurement | voltage | 0..1000
voltage_l31      | 24 | single | 1 | V | measurement | voltage | 0..1000
"""


def rows(model: int) -> list[str]:
    """The rows of a model, registers as offsets from its id."""
    single = model // 10 % 10
    between = ""
    if model in INVERTERS:
        total, phases = _INVERTER, _INVERTER_PHASES
        if single:
            total, phases = _SINGLE_INVERTER, _SINGLE_INVERTER_PHASES
    elif single:
        total, phases, between = _SINGLE_METER, _SINGLE_METER_PHASES, _SINGLE_DELTA
    else:
        total, phases, between = _METER, _METER_PHASES, _DELTA
    found: list = total.strip().split("\n")
    count = model % 10  # 1: one phase, 2: two, 3 and 4: three
    for row in phases.strip().split("\n"):
        key = row.split(" ", 1)[0]
        if count == 1:  # there is no difference to the sum
            if key == "voltage_l1":
                found.append("voltage   " + row[10:])
        elif int(key[-1]) <= count:
            found.append(row)
    return found + between.strip().split("\n") if count == 4 else found


class Device:
    """An inverter or a meter, as a register table that gets its channels one by one."""

    moved = False  # another model lies there by now

    def __init__(self, model: int, register: int, maker: str | None = None) -> None:
        """register: that of the model's id."""
        found = rows(model)
        if model in (201, 202, 203, 204) and (maker or "")[:9] == "SolarEdge":
            found = [row.replace("i16^22", "i16*-1^22") for row in found]
        self._model = model
        self._register = register
        self._table = Table(found, _HOLE, FUNCTION, (register,), register)
        self.blocks = self._table.blocks
        self.channels: tuple = ()
        self._met: list = []  # indexes of the table's channels

    def decode(self, payloads: list, implausible: list | None = None) -> list | None:
        """The values; None where the device has another model there by now."""
        table = self._table
        if table.word(payloads, FUNCTION, self._register) not in (self._model, None):
            self.moved = True
            return None
        values = table.decode(payloads, implausible)
        met = self._met
        for index, value in enumerate(values):
            if value is not None and index not in met:
                met.append(index)
        for place, index in enumerate(met):
            if place >= len(self.channels) or self.channels[place] is not table.channels[index]:
                self.channels = tuple([table.channels[at] for at in met])
                break
        return [values[index] for index in met]
