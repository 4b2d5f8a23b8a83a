"""Meters that answer JSON over HTTP: tables that say where their values stand. See README.md here.

    table      rows of paths and units -> channels and integer values
    devices    tables that are there, and what is asked for them
    ends       what many of their rows end with
    shelly     the same for Shelly's, whose generation and parts are asked first

The package imports nothing by itself: `from jsonmeter import table` costs only that module.
"""
