"""An ESP32 with a MAX3485 on UART 2: two PZEM-016 and an SDM630, all at 9600 8N1, to InfluxDB.

RO of the transceiver to GPIO 16, DI to GPIO 17, DE and /RE together to GPIO 4.
"""

device = "switchboard"
board = "ESP32_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}

readers = [
    {"type": "pzem", "name": "heat_pump", "uart": 2, "de": 4, "address": 1},
    {"type": "pzem", "name": "car", "uart": 2, "de": 4, "address": 2},
    {
        "type": "modbus",
        "name": "house",
        "uart": 2,
        "de": 4,
        "address": 10,
        "meter": "sdm630",
        "channels": ["power", "energy_import", "energy_export"],
    },
]

sinks = [
    {"type": "influxdb", "url": "http://192.168.1.10:8086", "database": "energy"},
]
