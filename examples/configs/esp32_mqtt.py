"""An ESP32 at a Dutch or Belgian meter, to an MQTT broker such as Home Assistant's.

The P1 port's data goes straight to GPIO 16 (the chip inverts it), its data request to GPIO 4.
"""

device = "meter cupboard"
board = "ESP32_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}

readers = [
    {"type": "dsmr", "uart": 2, "invert": True, "request_pin": 4, "interval": 5},
]

sinks = [
    {
        "type": "mqtt",
        "host": "homeassistant.local",
        "user": "joulelog",
        "password": "its password",
        "topic": "energy/p1",  # energy/p1/… instead of "meter cupboard/…"
    },
]
