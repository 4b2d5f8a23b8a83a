"""An ESP32 at a P1 port, to InfluxDB 2 over https.

The token needs the right to write this bucket, and no other. The certificate is that of the
authority which signed the server's (`mpremote cp ca.pem :ca.pem`).
"""

device = "house"
board = "ESP32_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}

readers = [{"type": "dsmr", "uart": 2, "invert": True}]

sinks = [
    {
        "type": "influxdb",
        "url": "https://influx.example.org:8086",
        "ca": "/ca.pem",
        "org": "home",
        "bucket": "energy",
        "token": "an API token that may write this bucket",
        "tags": {"house": "Main Street 1"},
        "channels": ["power_import", "power_export", "energy_import_t1", "energy_import_t2"],
    },
]
