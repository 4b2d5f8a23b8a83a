"""Names that an image has in its flash, so that they take no heap. Nobody imports this.

MicroPython keeps each name in a frozen module once, in flash, and a text that is made later and
equals one takes no heap. That is so for the keys of P1 channels, 1 kB for 28 of them, and for the
path of each module that is imported from a package, 1 kB as well. Only what is written as a name
counts, for a longer text between quotes is not looked up. A test compares the keys with
lib/dsmr/obis.py, and the modules with those that there are.
"""


# ruff: noqa: F401, F821, I001 - to be written here is all that they are for
# pyright: reportUndefinedVariable=false, reportMissingImports=false
# fmt: off
def _keys():
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


def _modules():
    import asyncio.core
    import asyncio.event
    import asyncio.funcs
    import asyncio.lock
    import asyncio.stream
    import dsmr.crc
    import dsmr.dlms
    import dsmr.frame
    import dsmr.obis
    import dsmr.stamp
    import dsmr.telegram
    import joulelog.app
    import joulelog.aside
    import joulelog.clock
    import joulelog.cursor
    import joulelog.derive
    import joulelog.derive.heat
    import joulelog.errors
    import joulelog.folder
    import joulelog.guard
    import joulelog.holes
    import joulelog.kinds
    import joulelog.led
    import joulelog.live_first
    import joulelog.log
    import joulelog.logfile
    import joulelog.net
    import joulelog.net.address
    import joulelog.net.bounded
    import joulelog.net.certificates
    import joulelog.net.dns
    import joulelog.net.handshake
    import joulelog.net.http
    import joulelog.net.http_board
    import joulelog.net.mqtt_client
    import joulelog.net.ntp
    import joulelog.net.tls
    import joulelog.net.udp
    import joulelog.net.url
    import joulelog.net.wifi
    import joulelog.pins
    import joulelog.queue
    import joulelog.readers
    import joulelog.readers.altherma
    import joulelog.readers.bus
    import joulelog.readers.dsmr
    import joulelog.readers.health
    import joulelog.readers.modbus
    import joulelog.readers.p1
    import joulelog.readers.polled
    import joulelog.readers.pulse
    import joulelog.readers.pulse_inputs
    import joulelog.readers.pzem
    import joulelog.readers.replay
    import joulelog.readers.sampler
    import joulelog.readers.x10a_line
    import joulelog.reading
    import joulelog.registry
    import joulelog.repl
    import joulelog.report
    import joulelog.schema
    import joulelog.sinks
    import joulelog.sinks.batch
    import joulelog.sinks.console
    import joulelog.sinks.emoncms
    import joulelog.sinks.errors
    import joulelog.sinks.http_batch
    import joulelog.sinks.influxdb
    import joulelog.sinks.mqtt
    import joulelog.sinks.mqtt_json
    import joulelog.sinks.mqtt_values
    import joulelog.sinks.sink
    import joulelog.spool
    import joulelog.spool_start
    import joulelog.start
    import joulelog.starts
    import joulelog.store
    import joulelog.stored
    import joulelog.supervisor
    import joulelog.timekeeper
    import joulelog.uart
    import joulelog.wear
    import modbus.registers
    import modbus.rtu
    import pulse.meter
    import ringlog.nibbles
    import ringlog.ramfolder
    import ringlog.ringdelta
    import ringlog.ringlog
    import ringlog.ringopen
    import ringlog.ringpage
    import ringlog.ringread
    import ringlog.ringseg
    import ringlog.ringwalk
    import ringlog.ringwrite
    import x10a.convert
    import x10a.frame
    import x10a.label
    import x10a.models
    import x10a.rows_indoor
    import x10a.rows_more
    import x10a.rows_outdoor
    import x10a.rows_s
    import x10a.saturation
    import x10a.table
