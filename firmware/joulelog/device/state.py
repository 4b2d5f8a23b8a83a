"""What outlives a reset: a few small values, in two files that are written in turn.

    store = Store("/")
    store.open()                           # finds the newest whole file
    store.begin("watchdog")                # counts the boot; store.last_reboot says why, if we did
    store.set("tries", store.get("tries", 0) + 1)
    store.save()                           # in a loop: writes what has changed, now and then
    store.plan_reboot("no network for 2 hours")      # before machine.reset()

A file has a version and a sequence number in its first line, one JSON list per line for each
value, and a CRC-32 over all of that in its last. Whatever is cut off while one file is written,
the other one stays: at most the last write is lost. Values are integers, texts and lists of
texts. Texts are cut at 200 characters, and of a list the last five stay.

Flash wears: save() writes once a minute, and after ten writes once in ten minutes. What has to
be there after the reset is written by save_now().
"""

import json
import logging

import crc32
from micropython import const

from .. import clock

_VERSION = const(1)
_TEXT_CHARACTERS = const(200)
_LIST_ITEMS = const(5)
_KEYS = const(16)
_LINE_BYTES = const(2560)  # no line that we write is longer: 200 characters, escaped
_PIECE = const(128)  # bytes at a time: where the CRC is bytecode they take some 50 ms
_PIECES = const(1680)  # of the most lines that there may be, and of a list's
_PAUSE_MS = const(60000)
_LONG_PAUSE_MS = const(600000)
_QUICK_WRITES = const(10)

SWITCH_ONS = "switch_ons"  # one soon after the other, this one included; guard.py forgets old ones


class Store:
    """Values by name; nothing here raises an OSError."""

    def __init__(self, directory: str, name: str = "state") -> None:
        base = directory.rstrip("/") if directory else "."
        self.paths = ("%s/%s.a" % (base, name), "%s/%s.b" % (base, name))
        self.writes = 0
        self.write_errors = 0
        self.unreadable: list = []  # files that were there and not whole
        self.last_reboot = ""  # why the firmware itself started this boot, if it did
        self.values: dict = {}
        self._sequence = 0
        self._next = 0  # the file to write next: not the one that holds what we know
        self._dirty = False
        self._due_ms = 0
        self._broken = False
        self._last_error = ""

    def open(self) -> None:
        """Read the newest whole file; without one the store is empty."""
        for _ in self.opening():
            pass

    def opening(self):
        """The same in steps: a generator of pauses."""
        sequences = [_sequence(path) for path in self.paths]
        order = (0, 1) if (sequences[0] or -1) >= (sequences[1] or -1) else (1, 0)
        self.values = {}
        self._next = 0
        self._sequence = max(sequences[0] or 0, sequences[1] or 0)
        for index in order:
            if sequences[index] is None:
                continue
            yield
            if (yield from _reading(self.values, self.paths[index])):
                self._next = 1 - index
                return
            self.unreadable.append(self.paths[index])
            logging.getLogger("store").warning("%s is damaged", self.paths[index])

    def go_back(self) -> None:
        """Read the older file instead, if it is whole; the newer one is written next."""
        for _ in _reading(self.values, self.paths[self._next]):
            pass
        self._next = 1 - self._next

    def path(self) -> str:
        """The file that holds what we know."""
        return self.paths[1 - self._next]

    def get(self, key: str, default=None):
        """The value, or the default where there is none."""
        return self.values.get(key, default)

    def set(self, key: str, value) -> None:
        """Keep an integer, a text or a list of texts; None forgets the key.

        Raises ValueError for other types and for more than 16 keys.
        """
        if isinstance(value, str):
            value = value[:_TEXT_CHARACTERS]
        elif isinstance(value, (list, tuple)):
            value = [str(item)[:_TEXT_CHARACTERS] for item in value[-_LIST_ITEMS:]]
        elif value is not None and not isinstance(value, int):
            raise ValueError("store: %s is %s, not int, str or list" % (key, type(value).__name__))
        self.put(key, value)

    def put(self, key: str, value) -> None:
        """The same for all that JSON knows, as it is; a line of the file has 2560 bytes."""
        if self.values.get(key) == value:
            return
        if value is None:
            del self.values[key]
        elif key not in self.values and len(self.values) >= _KEYS:
            raise ValueError("store: no room for %s beside %d others" % (key, _KEYS))
        else:
            self.values[key] = value
        self._dirty = True

    def save(self) -> bool:
        """Write what has changed, if the last time is long enough ago; True: nothing waits."""
        if self._dirty and clock.uptime_ms() < self._due_ms:
            return False
        return self.save_now()

    def save_now(self) -> bool:
        """Write what has changed at once; False, and a line in the log, when that fails."""
        for _ in self.saving():
            pass
        return not self._dirty

    def saving(self):
        """The same in steps: a generator of pauses, behind which nothing else may have changed."""
        if not self._dirty:
            return True
        pause_ms = _PAUSE_MS if self.writes < _QUICK_WRITES else _LONG_PAUSE_MS
        self._due_ms = clock.uptime_ms() + pause_ms
        path = self.paths[self._next]
        try:
            yield from self._writing(path)
        except OSError as error:
            self.write_errors += 1
            if not self._broken:  # once; the counter tells of the others
                self._broken = True
                logging.getLogger("store").error("cannot write %s (%s)", path, error)
            return False
        self.writes += 1
        self._sequence += 1
        self._next = 1 - self._next
        self._dirty = False
        self._broken = False
        return True

    def begin(self, reason: str) -> None:
        """Count this boot and note the reason for it; saves at once."""
        self.last_reboot = self.get("reboot", "")
        self.set("reboot", None)
        self.set("boots", self.get("boots", 0) + 1)
        self.set("reset", reason)
        self.save_now()

    def note_error(self, text: str, stamp: str = "") -> None:
        """Keep an error beside the four before it; the same again is kept once."""
        if text != self._last_error:
            self._last_error = text
            self.set("errors", self.get("errors", []) + [stamp + " " + text if stamp else text])

    def plan_reboot(self, why: str) -> None:
        """Say why the firmware is about to restart the board; saves at once."""
        self.set("reboot", why)
        self.save_now()

    def _writing(self, path: str):
        with open(path, "wb") as file:
            line = "joulelog %d %d" % (_VERSION, self._sequence + 1)
            state = yield from _put(file, crc32.START, line)
            for key in sorted(self.values):
                value = self.values[key]
                if not isinstance(value, list) or not value:
                    state = yield from _put(file, state, json.dumps([key, value]))
                    continue
                for item in value:  # line by line: no large buffer
                    state = yield from _put(file, state, json.dumps([key, item, 1]))
            yield from _put(file, state, crc32.text_of(state))


def _put(file, state: tuple, line: str):
    """Write a line, in steps; the CRC so far."""
    data = line.encode() + b"\n"
    for at in range(0, len(data), _PIECE):
        piece = data[at : at + _PIECE]
        file.write(piece)
        state = crc32.update(state, piece)
        yield
    return state


def _sequence(path: str) -> int | None:
    """The sequence number in the first line: 0 where it cannot be read, None without a file."""
    try:
        with open(path, "rb") as file:
            words = file.readline(64).split()
    except OSError:
        return None
    if len(words) == 3 and words[2].isdigit() and len(words[2]) < 19:
        return int(words[2])
    return 0


def _reading(values: dict, path: str):
    """Put in the values of a whole file of our version, in steps; whether it is one."""
    values.clear()
    try:
        if not (yield from _is_whole(path)):
            return False
        with open(path, "rb") as file:
            file.readline(64)
            line = file.readline(_LINE_BYTES)
            while line.startswith(b"["):
                entry = json.loads(line)
                if len(entry) == 3:
                    values[entry[0]] = values.get(entry[0], []) + [entry[1]]
                else:
                    values[entry[0]] = entry[1]
                yield
                line = file.readline(_LINE_BYTES)
    except (OSError, ValueError):
        values.clear()
        return False
    return True


def _is_whole(path: str):
    """Whether version and CRC are right and nothing follows, in steps."""
    with open(path, "rb") as file:
        piece = file.readline(64)
        if not piece.startswith(b"joulelog %d " % _VERSION):
            return False
        state = crc32.START
        for _ in range(_PIECES):
            state = crc32.update(state, piece)
            begins = piece[-1:] == b"\n"
            yield
            piece = file.readline(_PIECE)
            if not piece or (begins and piece[:1] != b"["):
                break
        return piece == crc32.text_of(state).encode() + b"\n" and not file.read(1)
