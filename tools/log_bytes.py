#!/usr/bin/env python3
"""How many bytes readings take in a log on flash: days of P1 and PZEM readings at 10 s.

    python3 tools/log_bytes.py                 # 72 hours of both, and each by itself
    python3 tools/log_bytes.py --hours 24 --seed 7 --page 1024 --segment 16384

The readings are those of tools/sim/day.py, which are as rough as those of real meters. They go
through lib/ringlog into files, as the firmware's go, the state is saved with every page, and all
is read back and compared. Counted are the files: pages, schemas and states included.

Exit status 1 where a limit is broken: 20 bytes per P1 reading of 30 channels, 8 per PZEM reading,
and 1 MiB for 72 hours of both.
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / folder) for folder in ("", "lib", "firmware", "tools/host/shims")]

from ringlog.ringlog import Log  # noqa: E402

from joulelog.folder import Files  # noqa: E402
from joulelog.reading import Source  # noqa: E402
from tools.sim import day  # noqa: E402

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


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--page", type=int, default=640, help="bytes of a page (default 640, as with 64 slots)"
    )
    parser.add_argument("--segment", type=int, default=16384, help="bytes of a segment (16384)")
    options = parser.parse_args()
    found = measure(options.hours, options.seed, options.segment, options.page)
    limit = MOST_TOGETHER * options.hours // 72
    holds = found["together"] <= limit
    holds = holds and all(found[name] <= most for name, most in MOST_BYTES.items())
    print(
        "%.2f bytes per P1 reading of 30 channels, %.2f per PZEM reading, %d hours of both %d kB"
        " of %d kB%s"
        % (
            *(found["p1"], found["pzem"], options.hours, -(-found["together"] // 1024)),
            *(limit // 1024, "" if holds else ": too much"),
        )
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
