"""An ESP32 and two Tuya devices: a clamp meter on a heat pump's two circuits, and a plug.

docs/lan.md says where id and key come from. The clamp is found by its announcements; the plug has
its address and its version here, so that nothing has to be waited for. The third one is no known
device: its data points are given as rows. To MQTT.
"""

device = "house"
board = "ESP32_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}

readers = [
    {
        "type": "tuya",
        "name": "heatpump",
        "device": "pj1103a",
        "id": "bf0123456789abcdef01",
        "key": "0123456789abcdef",
    },
    {
        "type": "tuya",
        "name": "washer",
        "device": "plug",
        "id": "bf0123456789abcdef02",
        "key": "0123456789abcdef",
        "host": "192.168.1.40",
        "version": "3.3",
    },
    {
        "type": "tuya",
        "name": "boiler",
        "id": "bf0123456789abcdef03",
        "key": "0123456789abcdef",
        "host": "192.168.1.41",
        "rows": [
            "power | dps/101 by dps/102 FORWARD REVERSE | 0.1W | 1 | W | measurement | power",
            "energy_import | dps/1 | 0.01kWh | 2 | kWh | total_increasing | energy",
        ],
    },
]

sinks = [{"type": "mqtt", "host": "192.168.1.10"}]
