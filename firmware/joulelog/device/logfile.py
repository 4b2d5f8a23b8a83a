"""Two log files on the flash that never outgrow their share.

    file = LogFile("/", 500000, 1024, app.clock, print)
    file.open()
    file.add(b"a line\n")
    file.tick()             # now and then: writes what has waited for a minute
    file.flush()            # before a reset

`joulelog.log` is the current file, `lastLog.log` the one before. The files are switched when
the current one has half of the size, and when it is older than a day and not nearly empty.
Its age stands in its first line, so that a board that reboots every day switches too.

Flash wears: lines wait in a buffer, and a flush costs about one erase. It comes when the
buffer is full, once a minute, and for an error (20 at once, then one per 10 minutes; the
others wait for the minute).
"""

import os

from civil import fields
from micropython import const

from ..clock import uptime_ms

NAMES = ("joulelog.log", "lastLog.log")
_DAY_S = const(86400)
_MINUTE_MS = const(60000)
_URGENT_MS = const(600000)  # one flush for an error per so much time …
_URGENT_BURST = const(20)  # … and so many at once after a quiet time
_LEAST_BYTES = const(4096)
_ENOSPC = const(28)


class LogFile:
    """The two files and the buffer before them; nothing here raises an OSError."""

    def __init__(
        self, directory: str, size_bytes: int, buffer_bytes: int, clock, complain, names=NAMES
    ) -> None:
        directory = directory.rstrip("/") if directory else "."
        self.path = directory + "/" + names[0]
        self.last_path = directory + "/" + names[1]
        self.writes = 0
        self.switches = 0
        self.write_errors = 0
        self.lost_bytes = 0
        self._directory = directory
        self._limit = max(size_bytes, _LEAST_BYTES) // 2
        self._buffer = bytearray(min(buffer_bytes, self._limit // 4))
        self._used = 0
        self._clock = clock
        self._complain = complain
        self._size = 0  # of the current file
        self._born: int | None = None  # UTC when the current file was begun, if known
        self._born_ms: int | None = None  # uptime when this run began it; None: an earlier run
        self._flushed_ms = uptime_ms()
        # Urgent flushes are paid for up to this uptime.
        self._paid_ms = uptime_ms() - _URGENT_BURST * _URGENT_MS
        self._broken = False

    def open(self) -> None:
        """Find the file that an earlier run left."""
        if self._directory:
            try:
                os.mkdir(self._directory)
            except OSError:  # it is there; or it cannot be made, then the first write says so
                pass
        self._measure()
        self._born = None
        try:
            with open(self.path, "rb") as file:
                head = file.read(24)
        except OSError:
            return
        digits = head[2 : head.find(b" ", 2)] if head[:2] == b"# " else b""
        if digits.isdigit() and int(digits):
            self._born = int(digits)

    def add(self, line: bytes) -> None:
        """Take one line; it reaches the flash with the next flush."""
        if len(line) > self._limit // 2:
            line = line[: self._limit // 2 - 1] + b"\n"
        if self._used + len(line) > len(self._buffer):
            self.flush()
        if len(line) > len(self._buffer):
            self._store(line)
            return
        self._buffer[self._used : self._used + len(line)] = line
        self._used += len(line)

    def waiting(self) -> bytes:
        """The lines that are not on the flash yet."""
        return bytes(self._buffer[: self._used])

    def tick(self) -> None:
        """Flush what has waited; at most once a minute."""
        if self._used and uptime_ms() - self._flushed_ms >= _MINUTE_MS:
            self.flush()

    def flush_urgent(self) -> None:
        """Flush at once, as long as errors are rare."""
        now = uptime_ms()
        self._paid_ms = max(self._paid_ms, now - _URGENT_BURST * _URGENT_MS)
        if self._paid_ms + _URGENT_MS <= now:
            self._paid_ms += _URGENT_MS
            self.flush()

    def flush(self) -> None:
        """Write the buffer to the flash."""
        if self._used:
            used = self._used
            self._used = 0
            self._store(memoryview(self._buffer)[:used])

    def _store(self, data) -> None:
        self._flushed_ms = uptime_ms()
        error = self._try(data)
        if error and error.errno == _ENOSPC:
            # The newest lines are worth more than the previous log.
            _remove(self.last_path)
            error = self._try(data)
        if not error:
            self.writes += 1
            self._broken = False
            return
        self.write_errors += 1
        self.lost_bytes += len(data)
        self._measure()
        if not self._broken:
            self._broken = True
            self._complain(
                "log: cannot write %s (%s); lines go to the console only" % (self.path, error)
            )

    def _try(self, data) -> OSError | None:
        try:
            if self._is_due(len(data)):
                self._switch()
            with open(self.path, "ab") as file:
                head = b"" if self._size else self._head()
                file.write(head)
                file.write(data)
            self._size += len(head) + len(data)
        except OSError as error:
            return error
        return None

    def _head(self) -> bytes:
        self._born = self._clock.now()
        self._born_ms = uptime_ms()
        return ("# %d begun at %s\n" % (self._born or 0, stamp(self._born))).encode()

    def _is_due(self, more: int) -> bool:
        """Whether the files have to be switched before so many bytes are appended."""
        if not self._size:
            return False
        if self._size + more > self._limit:
            return True
        if self._size <= self._limit // 10:
            return False
        now = self._clock.now()
        if self._born is not None and now is not None:
            return abs(now - self._born) > _DAY_S  # from the future: begun with a wrong clock
        if self._born_ms is not None:
            return uptime_ms() - self._born_ms > _DAY_S * 1000
        return self._born is None  # an earlier run began it, and did not know the time

    def _switch(self) -> None:
        # Whatever is cut off here, one whole file stays: first the current one, then as last.
        _remove(self.last_path)
        os.rename(self.path, self.last_path)
        self._size = 0
        self.switches += 1

    def _measure(self) -> None:
        try:
            self._size = os.stat(self.path)[6]
        except OSError:
            self._size = 0


def stamp(now: int | None) -> str:
    """The beginning of a line: UTC, or the uptime while UTC is not known."""
    if now is None:
        return "+%d.%ds" % divmod(uptime_ms() // 100, 10)
    return "%04d-%02d-%02d %02d:%02d:%02dZ" % fields(now)


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError:  # it is not there
        pass
