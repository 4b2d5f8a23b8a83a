"""An ESP32 at a P1 port and a PZEM behind the inverter, to the log.php of one's own web space.

A line per P1 reading: what the house takes, what the roof gives, the counter. Two meters' powers
would be added with "a.power + b.power", an empty text leaves a field empty. The time is local.
"""

device = "house"
board = "ESP32_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}
clock = {"timezone": "CET-1CEST,M3.5.0,M10.5.0/3"}

readers = [
    {"type": "dsmr", "name": "grid", "uart": 2, "invert": True},
    {"type": "pzem", "name": "roof", "uart": 1, "tx": 18, "rx": 19, "interval": 10},
]

sinks = [
    {
        "type": "webhook",
        "url": "https://home.example.org/log.php",
        "key": "the key of log.php",
        "values": ["grid.power_import", "", "roof.power", "grid.energy_import_t1"],
        "every": 10,  # a line per ten seconds is enough for a day's curve
        "ca": "/ca.pem",
    },
]
