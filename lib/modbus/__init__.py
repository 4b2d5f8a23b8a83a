"""Modbus for a master, on a line and by TCP, without I/O. See README.md here.

    rtu        requests, and finding their answers in what comes over the line
    tcp        the same over a connection
    registers  tables that say what registers mean: channels and integer values

The package imports nothing by itself: `from modbus import rtu` costs only that module.
"""
