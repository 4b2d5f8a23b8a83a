"""What the board has on record, for the API: the end of its log, and its config without secrets.

    /api/log?lines=100      plain text: of both files, and what waits for the flash
    /api/config             what counts, as it was checked at the start; true for a secret

The log is read in blocks, each of which opens the file anew: files are switched at any time, and
an end that has gone is left out.
"""

import json
import os

from httphead import Refused
from micropython import const

_BLOCK = const(512)
_LINES = const(100)  # where nobody says how many
_MOST = const(1000)
_TEXT = "text/plain; charset=utf-8"
_SECTIONS = ("wifi", "log", "clock", "queue", "readers", "sinks")


def log(service, arguments: dict) -> tuple:
    """(Content type, pieces). Raises Refused."""
    text = arguments.get("lines", "%d" % _LINES)
    # int() of thousands of digits would take its time.
    lines = int(text) if text.encode().isdigit() and len(text) < 5 else 0
    if not 0 < lines <= _MOST:
        raise Refused(400, "`lines`; allowed: a whole number, 1 to %d" % _MOST)
    file = service.log.file
    if not file:
        raise Refused(404, "there is no log: `size_kb` of the section `log` is 0")
    return _TEXT, _tail(file, lines)


def config(service, _arguments):
    """Texts of the config."""
    found = service.config
    about = json.dumps(found.device), json.dumps(found.board)
    yield '{"device":%s,"board":%s' % about
    for name in _SECTIONS + tuple(found.services):
        part = found.services[name] if name in found.services else getattr(found, name)
        yield ',"%s":' % name
        if isinstance(part, (list, tuple)):
            comma = "["
            for entry in part:
                yield comma
                yield from _entry(entry, found.secrets)
                comma = ","
            yield "]" if part else "[]"
        else:
            yield from _entry(part, found.secrets)
    yield "}"


def _entry(entry: dict | None, secrets: list):
    """One section, or one entry of a list, key by key."""
    comma = ""
    yield "{"
    for key in entry or ():
        value = entry[key]  # type: ignore[index]
        shown = True if key in secrets and value else value
        yield "%s%s:%s" % (comma, json.dumps(key), json.dumps(shown))
        comma = ","
    yield "}"


def _tail(file, lines: int):
    """The last lines, in pieces; b"" is a pause."""
    waiting = file.waiting()
    size, last_size = _size(file.path), _size(file.last_path)
    count = waiting.count(b"\n")
    left = lines - count
    if left > 0:
        at, left = yield from _sought(file.path, size, left)
        before, _ = yield from _sought(file.last_path, last_size, left)
        yield from _pieces(file.last_path, before, last_size)
        yield from _pieces(file.path, at, size)
    yield waiting[_behind(waiting, max(0, count - lines)) :]


def _sought(path: str, end: int, left: int):
    """Where the last so many lines of a file begin, and how many more are wanted; with pauses."""
    if not left:
        return end, 0
    while end:
        start = max(0, end - _BLOCK)
        block = _read(path, start, end)
        count = block.count(b"\n")
        if count > left:
            return start + _behind(block, count - left), 0
        left -= count
        end = start
        yield b""
    return 0, left


def _behind(block: bytes, count: int) -> int:
    """The place behind so many line ends."""
    at = 0
    for _ in range(count):
        at = block.find(b"\n", at) + 1
    return at


def _pieces(path: str, at: int, end: int):
    for start in range(at, end, _BLOCK):
        yield _read(path, start, min(start + _BLOCK, end))


def _read(path: str, start: int, end: int) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(end - start)
    except OSError:  # they were switched just now
        return b""


def _size(path: str) -> int:
    try:
        return os.stat(path)[6]
    except OSError:  # there is none yet
        return 0
