"""A P1 meter whose quarter hours and days stay on the board, beside what goes to a broker.

"sim" is a simulated meter on a computer; on a board, uart 2 of an ESP32 has its RX at GPIO 16. The
history lies beside the log, and takes 10 % of the flash: the start report says how many days that
are.
"""

device = "meter-cupboard"

readers = [
    {"type": "dsmr", "uart": "sim", "name": "p1"},
    {"type": "quarter", "source": "p1"},
]

sinks = [
    {"type": "console"},
    {"type": "mqtt", "host": "localhost"},
    {"type": "history", "sources": ["quarter"]},
]

clock = {"timezone": "CET-1CEST,M3.5.0,M10.5.0/3"}  # a day is a local day
