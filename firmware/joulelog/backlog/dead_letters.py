"""What no server will ever take: kept in two bounded files, with the server's words.

    dead_letters = DeadLetters("/", app.clock, 32)
    dead_letters.put("influx", item, "field type conflict")

`refused.log` is the current file, `lastRefused.log` the one before; each line is a JSON object:

    {"sink": "influx", "why": "…", "id": "1f0c1a22-1c2", "time": "2026-11-20T10:00:00Z",
     "source": "p1", "values": {"power_import": "42", "message": null}}

Numbers are texts, so that no reader of the file rounds them. Of long texts the beginning is kept.
"""

import json

from exact import KEY
from micropython import const

from .. import clock
from ..device.logfile import LogFile
from ..device.logging_setup import plain
from ..flow.reading import SOURCE, VALUES, texts

_LONGEST = const(160)  # characters of a text
_NAMES = ("refused.log", "lastRefused.log")


class DeadLetters:
    """See the module's text; size_kb: of both files together."""

    def __init__(self, directory: str, app_clock, size_kb: int) -> None:
        self._file = LogFile(directory, size_kb * 1000, 512, app_clock, print, _NAMES)
        self._file.open()

    def put(self, sink: str, item: tuple, why: str) -> None:
        """Append one item of a cursor; it reaches the flash within a minute."""
        serial, time, reading, boot = item
        source = reading[SOURCE]
        values: dict = {channel[KEY]: None for channel in source.channels}
        found = texts(reading[VALUES], source.channels, range(len(source.channels)), str)
        for key, value in zip(found, found):
            values[key] = value[:_LONGEST]
        about = {
            "sink": sink,
            "why": plain(why[:_LONGEST]),
            "id": "%08x-%x" % (boot, serial),
            "time": None if time is None else clock.iso(time),
            "source": source.name,
            "values": values,
        }
        self._file.add((json.dumps(about) + "\n").encode())
        self._file.flush_urgent()

    def tick(self) -> None:
        """Now and then: writes what has waited for a minute."""
        self._file.tick()

    def flush(self) -> None:
        """Write what waits."""
        self._file.flush()
