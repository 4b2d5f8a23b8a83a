"""The keys of P1 channels, for the names that an image has in its flash. Nobody imports this.

MicroPython keeps each name in a frozen module once, in flash, and a text that is made later and
equals one takes no heap: 28 channels of a meter take 1 kB less. Only what is written as a name
counts, for a longer text between quotes is not looked up. The keys are those of
lib/dsmr/obis.py; a test compares them.
"""


# ruff: noqa: F821 - to be written here is all that they are for
# pyright: reportUndefinedVariable=false
# fmt: off
def _names():
    return (
        apparent_power_export, apparent_power_import, breaker, cold_water, cooling, current,
        current_l1, current_l2, current_l3, current_limit_l1, current_limit_l2,
        current_limit_l3, current_neutral, current_sum, demand_export, demand_export_peak,
        demand_import, demand_import_peak, device_name, electricity, energy_absolute,
        energy_export, energy_export_t1, energy_export_t2, energy_export_t3, energy_export_t4,
        energy_import, energy_import_t1, energy_import_t2, energy_import_t3, energy_import_t4,
        frequency, gas, heat, heat_cooling, hot_water, limiter, message, message_code,
        meter_id, p1_version, power, power_absolute, power_export, power_export_l1,
        power_export_l2, power_export_l3, power_factor, power_factor_l1, power_factor_l2,
        power_factor_l3, power_failures, power_failures_long, power_import, power_import_l1,
        power_import_l2, power_import_l3, reactive_energy_export, reactive_energy_export_t1,
        reactive_energy_export_t2, reactive_energy_export_t3, reactive_energy_export_t4,
        reactive_energy_import, reactive_energy_import_t1, reactive_energy_import_t2,
        reactive_energy_import_t3, reactive_energy_import_t4, reactive_energy_q1,
        reactive_energy_q2, reactive_energy_q3, reactive_energy_q4, reactive_power_export,
        reactive_power_export_l1, reactive_power_export_l2, reactive_power_export_l3,
        reactive_power_import, reactive_power_import_l1, reactive_power_import_l2,
        reactive_power_import_l3, reactive_power_q1, reactive_power_q2, reactive_power_q3,
        reactive_power_q4, tariff, voltage, voltage_l1, voltage_l2, voltage_l3,
        voltage_mean_l1, voltage_mean_l2, voltage_mean_l3, voltage_sags_l1, voltage_sags_l2,
        voltage_sags_l3, voltage_swells_l1, voltage_swells_l2, voltage_swells_l3, water,
    )
# fmt: on
