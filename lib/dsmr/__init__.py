"""DSMR / P1: from bytes of a smart meter's P1 port to exact values. See README.md here.

    frame     cuts telegrams out of a byte stream, checks the CRC
    telegram  turns their lines into channels and integer values
    obis      the codes, their names and units
    stamp     time stamps -> UTC
    cosem     the same of COSEM date-times in hexadecimal
    dlms      decrypts the telegrams of Luxembourg and Austria on their way to the framer

The package imports nothing by itself: `from dsmr.frame import Framer` costs only that module.
"""
