"""Peacefair PZEM energy monitors on RS485 or a TTL UART.

    readers = [
        {"type": "pzem", "name": "heat pump", "uart": 2, "address": 1},
        {"type": "pzem", "name": "car", "uart": 2, "address": 2},
    ]

Several meters may share a UART, each with an address of its own (tools/pzem sets it).
"""

import pzem
from modbus.registers import Table

from . import bus, polled

SCHEMA = (
    """\
model   | choice ac dc | "ac" | ac: PZEM-004T v3, 014, 016; dc: PZEM-003, 017
address | int 1..248   | 1    | of the meter; 248 reaches one that is alone on the line
stop    | choice 1 2   | null | stop bits; null: what the model has
""",
    bus.SCHEMA,
)
NEEDS = bus.NEEDS

_BAUD = 9600


def line(entry: dict) -> dict:
    """How an entry uses the line."""
    stop = entry["stop"] or pzem.STOP_BITS[entry["model"]]
    return bus.settings(entry, _BAUD, "none", stop)


def keys(entry: dict) -> list[str]:
    """The channels that there are."""
    return [channel[0] for channel in Table(pzem.TABLES[entry["model"]]).channels]


class Reader(polled.Polled):
    """One PZEM."""

    def __init__(self, name: str, entry: dict, output, app_clock, board, buses: dict) -> None:
        its_bus = bus.of(buses, board, entry, line(entry))
        most_kwh = pzem.MOST_POWER_W[entry["model"]] // 1000
        output.identify("Peacefair", "PZEM " + entry["model"], None)
        how = Table(pzem.TABLES[entry["model"]]), most_kwh
        polled.Polled.__init__(self, name, entry, output, app_clock, its_bus, *how)
