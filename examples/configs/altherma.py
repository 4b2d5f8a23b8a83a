"""A Daikin Altherma heat pump on its service connector X10A, and what comes out of it.

On a board, uart 2 of an ESP32 is RX GPIO 16 and TX GPIO 17; "sim" is a simulated unit on a
computer. Without `model` the reader gives what nearly all units have. Where a meter measures the
heat pump's electricity, name it: "meter": "pzem".
"""

device = "heating"

readers = [
    {"type": "altherma", "uart": "sim", "interval": 10},
    {"type": "heat", "source": "altherma", "voltage": 230},  # power, COP and energies of it
]

sinks = [
    {"type": "console"},
    {"type": "mqtt", "host": "localhost"},
    {"type": "influxdb", "url": "http://localhost:8086", "database": "energy"},
]
