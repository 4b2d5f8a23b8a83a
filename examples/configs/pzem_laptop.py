"""Two PZEMs and an Eastron on one line, all simulated.

    make run CONFIG=examples/configs/pzem_laptop.py

With a USB RS485 adapter write its device instead of "sim", such as "/dev/ttyUSB0", in all three.
"""

device = "office"
board = "HOST"

readers = [
    {"type": "pzem", "name": "heat_pump", "uart": "sim", "address": 1, "interval": 2},
    {"type": "pzem", "name": "car", "uart": "sim", "address": 2, "interval": 2},
    {"type": "modbus", "name": "solar", "uart": "sim", "address": 3, "meter": "sdm120"},
]

sinks = [{"type": "console"}]
