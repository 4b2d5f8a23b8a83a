"""JouleLog: readings from energy meters, delivered digit for digit. See docs/design.md."""

VERSION = "0.1.0"
COMPILED = "source"  # the build writes its date here (UTC, ISO 8601); a tag of the InfluxDB sink
