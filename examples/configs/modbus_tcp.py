"""A gateway with an Eastron SDM630 behind it, and an inverter that speaks SunSpec, both simulated.

    make run CONFIG=examples/configs/modbus_tcp.py

At home write their addresses instead of "sim". A gateway that does not speak Modbus TCP, but
passes on the frames of the line, wants "framing": "rtu", and often another `port`. An inverter
that has a meter at the grid lists both: `which` says which of the two is meant.
"""

device = "cellar"
board = "HOST"

_SUNSPEC = {"type": "modbus", "host": "sim", "address": 3, "meter": "sunspec"}

readers = [
    {"type": "modbus", "name": "house", "host": "sim", "address": 1, "meter": "sdm630"},
    _SUNSPEC | {"name": "roof"},
    _SUNSPEC | {"name": "grid", "which": 2},
]

sinks = [{"type": "console"}]
