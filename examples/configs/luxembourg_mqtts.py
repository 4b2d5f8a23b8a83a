"""An ESP32 at an encrypted meter (Luxembourg, Austria), to a broker over TLS.

The grid operator gives the key. The authority's certificate lies beside this file: copy it
to the board with `mpremote cp ca.pem :`.
"""

device = "house"
board = "ESP32_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}

readers = [
    {
        "type": "dsmr",
        "uart": 2,
        "invert": True,
        "key": "00112233445566778899AABBCCDDEEFF",
        # "auth_key": "FFEEDDCCBBAA99887766554433221100",  # if you have it
    },
]

sinks = [
    {
        "type": "mqtt",
        "host": "broker.example.org",
        "tls": True,
        "ca": "/ca.pem",
        "user": "joulelog",
        "password": "its password",
    },
]
