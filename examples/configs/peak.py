"""A smart meter and what a capacity tariff makes of it: a forecast of each quarter, peaks, cost.

Flanders: the mean of twelve months' peaks, of which each is at least 2.5 kW. The price of a kW is
your operator's; for other tariffs see docs/peak.md. "sim" is a simulated meter on a computer.
"""

device = "meter"

clock = {"timezone": "CET-1CEST,M3.5.0,M10.5.0/3"}  # where months begin

readers = [
    {"type": "dsmr", "uart": "sim"},
    {"type": "peak", "source": "dsmr", "scheme": "flanders", "target": "4", "rate": "40.40"},
]

sinks = [
    {"type": "console"},
    {"type": "mqtt", "host": "localhost"},
]
