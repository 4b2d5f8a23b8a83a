"""An ESP32 at a P1 port, to EmonCMS over https: every reading with its own time.

The certificate is that of the authority which signed the server's; copy it to the board with
`mpremote cp ca.pem :ca.pem`. In your own network http without `ca` will do.
"""

device = "house"
board = "ESP32_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}

readers = [{"type": "dsmr", "uart": 2, "invert": True}]

sinks = [
    {
        "type": "emoncms",
        "url": "https://emoncms.example.org",
        "key": "0123456789abcdef0123456789abcdef",  # the write API key
        "node": "house",
        "ca": "/ca.pem",
        "every": 10,  # what an EmonCMS feed keeps
        "interval": 30,  # one request per half minute, three readings each
    },
]
