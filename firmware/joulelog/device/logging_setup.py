"""The log: on the console, and in two files on the flash (logfile.py).

    handler = log.setup("/", 500000, "info", app.clock, sys.stdout)
    logging.getLogger("mqtt").warning("no answer from %s", host)
    handler.tick()      # now and then: writes what has waited for a minute
    handler.flush()     # before a reset

A line that comes again and again is written once, then counted. Nothing that the flash does
raises into the code that logs.

Works with micropython-lib's logging and with CPython's.
"""

import io
import logging
import sys

from micropython import const

from ..clock import uptime_ms
from .logfile import LogFile, stamp

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_ERROR = const(40)
_MINUTE_MS = const(60000)
_LINE_CHARACTERS = const(600)
_TRACE_CHARACTERS = const(500)
_BLANK = b" "
# How C1 and what turns a line begin in UTF-8, and which bytes go on with it.
_TURNS = (
    (b"\xc2", 0x80, 0x9F),
    (b"\xe2\x80", 0x8E, 0x8F),
    (b"\xe2\x80", 0xA8, 0xAE),
    (b"\xe2\x81", 0xA6, 0xA9),
)
_LOOKS = const(30)  # so many characters that begin so are looked at; the text ends there


def setup(directory: str, size_bytes: int, level: str, clock, stream, buffer_bytes: int = 1024):
    """Send all logging to stream (or None) and to the directory; return the Handler.

    size_bytes: both files together, 0 for no files; level: one of LEVELS.
    """
    handler = Handler(clock, stream)
    if size_bytes:
        handler.file = LogFile(directory, size_bytes, buffer_bytes, clock, handler.complain)
        handler.file.open()
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(LEVELS[level])
    return handler


def trace(exception: BaseException) -> str:
    """An exception in a line of at most 500 characters: type, text, and where it was raised."""
    if hasattr(sys, "print_exception"):
        printer = io.StringIO()
        sys.print_exception(exception, printer)  # type: ignore[attr-defined]
        printed = printer.getvalue()  # type: ignore[attr-defined]
    else:
        import traceback

        printed = "".join(traceback.format_exception(exception))
    frame = ""
    start = printed.rfind('File "')
    if start >= 0:
        frame = " (%s)" % printed[start : printed.find("\n", start)]
        frame = frame[-_TRACE_CHARACTERS // 2 :]
    words = "%s: %s" % (type(exception).__name__, exception)
    return words[: _TRACE_CHARACTERS - len(frame)] + frame


def plain(text: str) -> str:
    """The text with blanks for what a meter or a server could forge lines or move a cursor with.

    These are C0, DEL, C1, and what ends a line or turns its direction in Unicode (UAX 9).
    """
    data = text.encode() or _BLANK
    least = min(data)
    if least >= 32 and max(data) < 127:  # nearly all; loops over bytes are left to C code
        return text
    for code in range(32 if least < 32 else 0):
        data = data.replace(bytes((code,)), _BLANK)
    data = data.replace(b"\x7f", _BLANK).replace(b"\xd8\x9c", _BLANK)
    for lead, first, last in _TURNS:
        at = data.find(lead)
        looks = 0
        while at >= 0:
            end = at + len(lead)
            if first <= data[end] <= last:
                data = data[:at] + _BLANK + data[end + 1 :]
            looks += 1
            if looks == _LOOKS:
                data = data[:at]
            at = data.find(lead, at + 1)
    return str(data, "utf-8")


class Handler(logging.Handler):
    """Formats records, folds repeated ones, and hands lines to the console and the file."""

    def __init__(self, clock, stream) -> None:
        logging.Handler.__init__(self)
        self.stream = stream  # may be replaced, e.g. by a live table
        self.file: LogFile | None = None
        self.lines = 0
        self.repeated = 0  # lines that were counted instead of written
        self._clock = clock
        self._last: tuple = ()  # level, name and text of the last line
        self._repeats = 0  # how often it has come again since it was written
        self._repeats_ms = 0  # uptime when it first came again

    def emit(self, record) -> None:
        """Write one record; the same again is only counted."""
        line = record.levelno, record.name, _message(record)
        if line == self._last:
            if not self._repeats:
                self._repeats_ms = uptime_ms()
            self._repeats += 1
            self.repeated += 1
            return
        self._tell_repeats()
        self._last = line
        self._write("%s %s: %s" % (record.levelname, record.name, line[2]))
        if record.levelno >= _ERROR and self.file:
            self.file.flush_urgent()

    def tick(self) -> None:
        """Write what has waited for a minute; cheap, to be called every second or so."""
        if self._repeats and uptime_ms() - self._repeats_ms >= _MINUTE_MS:
            self._tell_repeats()
        if self.file:
            self.file.tick()

    def flush(self) -> None:
        """Write everything now: before a reset."""
        self._tell_repeats()
        if self.file:
            self.file.flush()

    def complain(self, text: str) -> None:
        """Tell the console what the file cannot be told."""
        if self.stream:
            try:
                self.stream.write(text + "\n")
            except (OSError, ValueError):  # closed, or not in its character set
                pass

    def _tell_repeats(self) -> None:
        if self._repeats:
            times = self._repeats
            self._repeats = 0
            self._write("… repeated %d time%s" % (times, "" if times == 1 else "s"))

    def _write(self, text: str) -> None:
        now = self._clock.now()
        local = now is not None and getattr(self._clock, "zone", None)
        when = self._clock.text(now) if local else stamp(now)
        line = "%s %s" % (when, plain(text[:_LINE_CHARACTERS]))
        self.lines += 1
        self.complain(line)
        if self.file:
            self.file.add((line + "\n").encode())


def _message(record) -> str:
    if not hasattr(record, "getMessage"):
        return record.message  # micropython-lib
    try:
        message = record.getMessage()
    except (TypeError, ValueError, KeyError):  # the caller's text and values do not match
        message = str(record.msg)
    if record.exc_info and record.exc_info[1]:
        message += ": " + trace(record.exc_info[1])
    return message
