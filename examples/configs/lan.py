"""An ESP32 without a wire to any meter: a Shelly, an inverter and a head on a meter.

The Shelly is known; the other two are read by rows of their own, docs/lan.md says what these mean.
IOmeter's meter tells each value with its OBIS code. To MQTT.
"""

device = "house"
board = "ESP32_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}

readers = [
    {
        "type": "http_json",
        "name": "house",
        "device": "shelly",
        "host": "192.168.1.20",
        "password": "its password",
    },
    {
        "type": "http_json",
        "name": "balcony",  # APsystems EZ1
        "host": "192.168.1.31",
        "port": 8050,
        "path": "/getOutputData",
        "rows": [
            "power_export  | data/p1 + data/p2   | W   | 0 | W   | measurement      | power",
            "energy_export | data/te1 + data/te2 | kWh | 3 | kWh | total_increasing | energy",
        ],
    },
    {
        "type": "http_json",
        "name": "meter",  # IOmeter
        "host": "192.168.1.32",
        "path": "/v1/reading",
        "rows": [
            "power | meter/reading/registers[obis=01-00:10.07.00*ff]/value | W | 0 | W"
            " | measurement | power",
            "energy_import | meter/reading/registers[obis=01-00:01.08.00*ff]/value | Wh | 3 | kWh"
            " | total_increasing | energy",
            "energy_export | meter/reading/registers[obis=01-00:02.08.00*ff]/value | Wh | 3 | kWh"
            " | total_increasing | energy",
        ],
    },
]

sinks = [{"type": "mqtt", "host": "192.168.1.10"}]
