"""An ESP32 and a FRITZ!Box: a plug, and a reading head on the house's meter, to MQTT.

The box needs a user with the right "Smart Home": docs/lan.md. A Smart Energy 250 is one meter
here; "13979 0000002-1" and "-2" would be its import and its export.
"""

device = "house"
board = "ESP32_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}

readers = [
    {
        "type": "fritz",
        "name": name,
        "host": "fritz.box",
        "user": "logger",
        "password": "its password",
        "ain": ain,
    }
    for name, ain in (("washer", "11657 0000001"), ("house", "13979 0000002"))
]

sinks = [{"type": "mqtt", "host": "192.168.1.10"}]
