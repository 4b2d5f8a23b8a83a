"""The chip's number: it tells boards with one and the same config apart."""

import binascii

import machine


def digits() -> str:
    """The last six hexadecimal digits of the chip's number."""
    return binascii.hexlify(machine.unique_id()).decode()[-6:]
