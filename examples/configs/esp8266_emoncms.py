"""An ESP8266 at a P1 port (with a transistor that inverts), to EmonCMS in the same network.

No TLS: this chip checks no certificate, so a key must not leave your own network.
"""

device = "house"
board = "ESP8266_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}

readers = [{"type": "dsmr", "uart": 0}]

sinks = [
    {
        "type": "emoncms",
        "url": "http://192.168.1.10/emoncms",
        "key": "0123456789abcdef0123456789abcdef",  # the write API key
        "node": "meter",
        "every": 10,  # what an EmonCMS feed keeps
    },
]
