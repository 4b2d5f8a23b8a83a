"""An ESP32 with a MAX3485 on UART 2 and an Eastron SDM72D, by a table of its registers, to MQTT.

RO of the transceiver to GPIO 16, DI to GPIO 17, DE and /RE together to GPIO 4. What a row says:
docs/registers.md. This meter wants half a second between two requests.
"""

device = "switchboard"
board = "ESP32_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}

readers = [
    {
        "type": "modbus",
        "name": "house",
        "uart": 2,
        "de": 4,
        "address": 1,
        "rest_ms": 500,
        "most": 50,
        "registers": [
            "power         | 0x0034 | single | 1 | W   | measurement      | power  | -9999..50000",
            "energy_import | 0x0048 | single | 3 | kWh | total_increasing | energy | 0..9999999",
            "energy_export | 0x004A | single | 3 | kWh | total_increasing | energy | 0..9999999",
            "energy_total  | 0x0156 | single | 3 | kWh | total_increasing | energy | 0..9999999",
            "power_import  | 0x0500 | single | 1 | W   | measurement      | power  | 0..50000",
            "power_export  | 0x0502 | single | 1 | W   | measurement      | power  | 0..50000",
        ],
    },
]

sinks = [{"type": "mqtt", "host": "192.168.1.10"}]
