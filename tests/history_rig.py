"""Reads a history from its folder, as any program could that knows the format of lib/ringlog.

quarters, days = read(folder)          # lists of (seconds since 2000, {key: value})
"""

from pathlib import Path

from exact import KEY
from ringlog.ringlog import Log

from joulelog.backlog.files import Files
from joulelog.flow.reading import Source


def read(folder: Path, name: str = "quarter") -> tuple[list, list]:
    """All that is on the medium."""
    base = Path(folder) / "history"
    return _rows(base / f"{name}.quarters"), _rows(base / f"{name}.days")


def _rows(folder: Path) -> list[tuple[int, dict]]:
    log = Log(Files(str(folder)), 1 << 28, 1 << 20, 512, Source)
    for _ in log.open():
        pass
    reader = log.reader()
    reader.seek(0)
    found = []
    while True:
        step = reader.step()
        if step is None:
            continue
        if not step:
            return found
        keys = [channel[KEY] for channel in reader.source.channels]  # type: ignore
        found.append((reader.stamp, dict(zip(keys, reader.values, strict=True))))
