"""A computer with a P1 cable, to InfluxDB 2 over https; a line per minute on the screen."""

device = "laptop"
board = "HOST"

readers = [{"type": "dsmr", "uart": "/dev/ttyUSB0"}]

sinks = [
    {
        "type": "influxdb",
        "url": "https://influx.example.org",
        "org": "home",
        "bucket": "energy",
        "token": "an API token that may write this bucket",
        "tags": {"house": "Main Street 1"},
    },
    {"type": "console", "style": "lines", "every": 60, "channels": ["power_import"]},
]
