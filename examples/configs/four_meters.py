"""A whole house on one logger: the electricity meter, two PZEMs, a pulse meter, a heat pump.

    make run CONFIG=examples/configs/four_meters.py

All meters are simulated. On an ESP32 they need three UARTs, one of them for both PZEMs, and a GPIO
that can measure for the pulse meter; there, name a board, UARTs and pins instead of "sim".
"""

device = "house"
board = "HOST"

readers = [
    {"type": "dsmr", "name": "grid", "uart": "sim", "interval": 10},
    {"type": "pzem", "name": "car", "uart": "sim", "address": 1},
    {"type": "pzem", "name": "kitchen", "uart": "sim", "address": 2},
    {"type": "pulse", "name": "solar", "pin": "sim", "pulses_per_kwh": 1000},
    {"type": "altherma", "name": "heat_pump", "uart": "sim"},
]

sinks = [
    {"type": "console", "style": "lines"},
    # {"type": "mqtt", "host": "192.168.1.10"},
]

queue = {"slots": 32}  # all five fill it in a minute; what a destination may miss at most
