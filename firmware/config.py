"""The settings of JouleLog: the one file to edit.

As it is, it runs on a computer with a simulated meter: `make run`.
For a board, say where your meter is, join your Wi-Fi, and choose where the readings go:
remove the `# ` in front of what you want. What is wrong in here is told at the start, line
by line. More examples: examples/configs.
"""

# The name of this logger in topics and tags; without one: joulelog- and digits of its chip.
# device = "house"

# wifi = {"ssid": "my network", "password": "its password"}

readers = [
    {
        "type": "dsmr",  # a smart meter's P1 port
        # Where it is wired to. ESP32: 2 (RX is GPIO 16). ESP8266: 0. A P1 cable on a
        # computer: "/dev/ttyUSB0". No meter yet: "sim".
        "uart": "sim",
        # "invert": True,  # ESP32 without a transistor between meter and board
        # "interval": 10,  # one reading per 10 seconds instead of every telegram
        # "key": "00112233445566778899AABBCCDDEEFF",  # Luxembourg, Austria: ask the grid
    },
]

# What is measured as JSON and for Prometheus, at http://<board>/api/latest (docs/api.md).
# web = {}

# What a server misses waits on the flash. "always": a power cut takes at most one minute.
# queue = {"durability": "always"}

sinks = [
    {"type": "console"},  # print the readings here
    # {"type": "mqtt", "host": "192.168.1.10", "user": "joulelog", "password": "its password"},
    # {"type": "influxdb", "url": "http://192.168.1.10:8086", "database": "energy"},
    # {"type": "emoncms", "url": "http://192.168.1.10/emoncms", "key": "your write API key"},
]
