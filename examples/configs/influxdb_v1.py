"""An ESP32 at a P1 port, to InfluxDB 1 (or VictoriaMetrics) in the same network.

Create the database first: CREATE DATABASE "energy". Until it is there, readings wait.
"""

device = "house"
board = "ESP32_GENERIC"
wifi = {"ssid": "my network", "password": "its password"}

readers = [{"type": "dsmr", "uart": 2, "invert": True}]

sinks = [
    {
        "type": "influxdb",
        "url": "http://192.168.1.10:8086",
        "database": "energy",
        "user": "joulelog",  # leave user and password out where the server asks for none
        "password": "its password",
        "measurement": "energy",
    },
]
