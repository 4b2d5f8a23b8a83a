"""A broker on the internet: TLS with a checked certificate, an ESP32 or a computer.

A board has no list of certificate authorities, so `ca` names the one that signed the broker's
certificate: copy the file onto the board (`mpremote cp ca.pem :`). User and password follow the
handshake, so nobody else gets to see them.
"""

device = "house"
board = "ESP32_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}

readers = [{"type": "dsmr", "uart": 2, "invert": True}]

sinks = [
    {
        "type": "mqtt",
        "host": "broker.example",
        "tls": True,  # port 8883
        "ca": "/ca.pem",
        "user": "joulelog",
        "password": "its password",
        "keepalive": 30,  # "offline" after 45 s without a sign of life
    },
]
