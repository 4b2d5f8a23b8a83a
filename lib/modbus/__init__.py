"""Modbus RTU for a master, without I/O. See README.md here.

    rtu        requests, and finding their answers in what comes over the line
    registers  tables that say what registers mean: channels and integer values

The package imports nothing by itself: `from modbus import rtu` costs only that module.
"""
