"""Bytes that readings take in a log on flash, as tools/bench/log_bytes.py says; for tests too.

found = measure(hours=72, seed=1, segment_bytes=16384, page_bytes=640)
"""

import tempfile
from pathlib import Path

from ringlog.ringlog import Log

from joulelog.backlog.files import Files
from joulelog.flow.reading import Source
from tools.sim import day

MOST_BYTES = {"p1": 20, "pzem": 8}
MOST_TOGETHER = 1 << 20
_EPOCH_2000 = 946684800
_CAPACITY = 1 << 22
_NAMES = ("p1", "pzem")


def written(
    folder: str, readings: list, schemas: tuple, segment_bytes: int, page_bytes: int
) -> tuple[int, Log]:
    """Write readings (time, source, values) into a log; return (bytes of the files, the log)."""
    log = Log(Files(folder), _CAPACITY, segment_bytes, page_bytes, Source)
    for _ in log.open():
        pass
    made = [Source(name, tuple(channels)) for name, channels in zip(_NAMES, schemas, strict=True)]
    for serial, (time, source, values) in enumerate(readings):
        stamp = time - _EPOCH_2000
        while not log.append(serial, 1, stamp, made[source], values):
            log.state["mqtt"] = log.state["influxdb"] = serial
            if not log.flush(state=True):
                raise SystemExit("the log is full at reading %d" % serial)
    log.flush(state=True)
    return sum(path.stat().st_size for path in Path(folder).iterdir()), log


def check(log: Log, readings: list) -> None:
    """Read everything back; SystemExit where it is not the same."""
    reader = log.reader()
    reader.seek(0)
    serial = 0
    while (step := reader.step()) is not False:
        if step is None:
            continue
        time, source, values = readings[serial]
        found = (reader.serial, reader.stamp, reader.source.name, tuple(reader.values))
        if found != (serial, time - _EPOCH_2000, _NAMES[source], tuple(values)):
            raise SystemExit("reading %d came back as %r" % (serial, found))
        serial += 1
    if serial != len(readings):
        raise SystemExit("%d readings of %d came back" % (serial, len(readings)))


def measure(hours: int, seed: int, segment_bytes: int, page_bytes: int) -> dict[str, float]:
    """Bytes per reading of each meter by itself, and bytes of both together."""
    generated = day.Day(seed)
    readings = list(generated.readings(hours * 3600 // day.INTERVAL_S))
    schemas = (generated.channels, day.PZEM_CHANNELS)
    found: dict[str, float] = {}
    for name, only in (("p1", day.P1), ("pzem", day.PZEM), ("together", None)):
        wanted = [one for one in readings if only is None or one[1] == only]
        with tempfile.TemporaryDirectory() as folder:
            size, log = written(folder, wanted, schemas, segment_bytes, page_bytes)
            check(log, wanted)
        found[name] = size if only is None else size / len(wanted)
    return found
