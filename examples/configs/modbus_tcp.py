"""A gateway with an Eastron SDM630 behind it, and an inverter that speaks SunSpec, both simulated.

    make run CONFIG=examples/configs/modbus_tcp.py

At home write their addresses instead of "sim". A gateway that does not speak Modbus TCP, but passes
on the frames of the line, wants "framing": "rtu", and often another `port`.
"""

device = "cellar"
board = "HOST"

readers = [
    {"type": "modbus", "name": "house", "host": "sim", "address": 1, "meter": "sdm630"},
    {"type": "modbus", "name": "roof", "host": "sim", "address": 3, "meter": "sunspec"},
    {"type": "modbus", "name": "grid", "host": "sim", "address": 3, "meter": "sunspec", "which": 2},
]

sinks = [{"type": "console"}]
