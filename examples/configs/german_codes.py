"""An ESP32 at a German meter with a line that has no name here, to MQTT.

A reading head at the meter's LED speaks 9600 7E1 on GPIO 16. What such a meter says more, and by
which code, tells its manual, or `make doctor` and tools/decode. docs/configuration.md says what a
row of `codes` holds.
"""

device = "cellar"
board = "ESP32_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}

readers = [
    {
        "type": "dsmr",
        "name": "ebz",
        "uart": 2,
        "baud": 9600,
        "format": "7E1",
        "codes": [
            "meter_status | 1-0:96.5.0 |   | text        |",
            "power_least  | 1-0:1.3.0  | W | measurement | power",
        ],
    },
]

sinks = [{"type": "mqtt", "host": "192.168.1.10"}]
