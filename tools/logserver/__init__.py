"""What log.php takes and keeps, for a computer without PHP: see README.md.

store = Store(Path("energy"), "the key")
store.take({"key": "the key", "stats": "20.11.2026,11:00:00,1193,21.5"})
store.rejected                        # Counter({"wrong key": 1}); the client is not told
"""

import re
import threading
from collections import Counter
from pathlib import Path

_MOST = 14  # values of a line
_VALUE = re.compile(r"[\-0-9]{1,6}(\.[0-9]{1,3})?", re.ASCII)
_DATE = re.compile(r"(\d\d)\.(\d\d)\.(\d{4})", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d:\d\d", re.ASCII)


class Store:
    """A folder with a file per day, `<yyyy-mm-dd>.csv`, and the latest line in `stats.txt`."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder
        self.rejected: Counter[str] = Counter()
        self.duplicates = 0
        self._key = key
        self._lock = threading.Lock()

    def take(self, form: dict[str, str]) -> None:
        """Keep the line of a request, or count why not."""
        with self._lock:
            self._take(form)

    def _take(self, form: dict[str, str]) -> None:
        stats = form.get("stats", "")
        if stats == "test":  # whether somebody is here
            return
        if form.get("key") != self._key:
            self.rejected["wrong key"] += 1
            return
        day = day_of(stats)
        if day is None:
            self.rejected["malformed"] += 1
            return
        latest = self.folder / "stats.txt"
        if latest.exists() and latest.read_text() == stats:
            self.duplicates += 1
            return
        with (self.folder / f"{day}.csv").open("a") as file:
            file.write(stats + "\n")
        if form.get("buffer") != "1":
            latest.write_text(stats)

    def lines(self) -> list[str]:
        """All lines, day by day, in the order in which they came."""
        days = sorted(self.folder.glob("*.csv"))
        return [line for day in days for line in day.read_text().splitlines()]


def day_of(stats: str) -> str | None:
    """yyyy-mm-dd of a line; None where log.php would drop it."""
    parts = stats.split(",")
    if len(parts) < 3:
        return None
    date, time, *values = parts
    found = _DATE.fullmatch(date)
    if not found or not _TIME.fullmatch(time) or len(values) > _MOST:
        return None
    if any(value and not _VALUE.fullmatch(value) for value in values):
        return None
    day, month, year = found.groups()
    return f"{year}-{month}-{day}"
