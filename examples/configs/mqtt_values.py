"""A logger that publishes each value on a topic of its own, for two kinds of listeners.

joulelog/p1/power_import = 421 for anything that takes plain numbers, and emon/p1/power_import
for EmonCMS's MQTT input. Such messages have no time: only the newest value is sent, and what the
meter said while the broker was away is not made up for. The layout "json" (the default) does that.
"""

device = "house"
board = "ESP32_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}

readers = [{"type": "dsmr", "uart": 2}]

sinks = [
    {
        "type": "mqtt",
        "name": "plain",
        "host": "192.168.1.10",
        "layout": "topics",
        "channels": ["power_import", "power_export", "energy_import_t1", "energy_import_t2"],
    },
    {
        "type": "mqtt",
        "name": "emon",
        "host": "emonpi.local",
        "user": "emonpi",
        "password": "its password",
        "layout": "emoncms",
        "every": 10,
    },
]
