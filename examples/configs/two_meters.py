"""Two meters and three destinations on a computer: what entries have in common.

The second meter is a recording. The first one replaced an older meter, whose last reading is
added, so that the series goes on. VictoriaMetrics takes everything, EmonCMS over MQTT one
reading of the house per 10 seconds, and the log is kept for longer.
"""

device = "office"
board = "HOST"

readers = [
    {
        "type": "dsmr",
        "name": "house",
        "uart": "sim",
        "names": {"energy_import_t1": "night", "energy_import_t2": "day"},
        "offsets": {"energy_import_t1": "12345.678", "energy_import_t2": "9876.543"},
    },
    {"type": "replay", "name": "workshop", "file": "examples/telegrams.txt"},
    {"type": "health"},  # how often something had to be retried, dropped, …
]

sinks = [
    {"type": "influxdb", "url": "http://localhost:8428", "database": "energy"},
    {
        "type": "mqtt",
        "host": "localhost",
        "layout": "emoncms",
        "sources": ["house"],
        "every": 10,
    },
    {"type": "console"},
]

log = {"level": "debug", "size_kb": 2000}
clock = {"ntp": ["nl.pool.ntp.org", "pool.ntp.org"]}
queue = {"slots": 512}
