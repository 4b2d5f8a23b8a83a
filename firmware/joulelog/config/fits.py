"""Whether a config fits into the heap: told at the start, and by tools before anything is copied.

    slots, warning = fits.check(config, board)        # on the board; or ConfigError
    fits.problem(config, board, "romfs", 140000)      # on a computer: the same words, or ""
    fits.needed(config, board, "romfs")               # bytes

The bytes of each part are in parts.py, by the way the code is installed:

    small-frozen    frozen into an ESP8266's image, with its small buffers
    small-romfs     a ROMFS image on an ESP8266
    frozen          frozen into an ESP32's image
    romfs           a ROMFS image: code in flash, what an import makes of it in RAM
    files           .mpy files: all of it in RAM

What is free is compared, not what there is: whatever boot.py holds has been taken off. An ESP32's
heap grows: what the IDF could still give is in gc.mem_free() already, and so is the memory that
Wi-Fi and TLS will take, which is left to them here.

Sums are of what stays in use, with what comes and goes while P1 is delivered to MQTT, and what
readings take that leave the flash: where that is missing a backlog only grows. Needed at the start
only: drop this module, parts and too_large afterwards.
"""

import gc
import os
import sys

from micropython import const

from .. import registry
from ..errors import ConfigError
from . import parts

WAYS = ("small-frozen", "small-romfs", "frozen", "romfs", "files")
MOST_SLOTS = const(64)
_LEAST_SLOTS = const(8)
_SMALL_LINE = const(1024)  # bytes for a line: an ESP8266 has fewer
_WIFI_BYTES = const(50000)  # outside of the Python heap, measured on an ESP32-C3
_TLS_BYTES = const(20000)  # the same per connection
# type -> parts that it shares with others, of which the first one pays
_SHARED = {
    "pzem": ("line",),
    "modbus": ("line",),
    "mqtt": ("server",),
    "emoncms": ("server", "http"),
    "influxdb": ("server", "http"),
    "webhook": ("server", "http"),
}
# The sums are right to one part in so many: what is short by less may try, and is warned.
_EXACT = const(32)
_OTHER = "other"  # the part that a reader is which nobody has measured yet
_ONE_EACH = ("webhook",)  # sinks whose every request has one reading
_NOT_KEPT = ("console",)  # sinks that nothing waits for on the flash


def check(config, board, stayed: int = 0) -> tuple[int, str]:
    """(slots of the queue where the config says nothing, a warning or ""), or ConfigError.

    stayed: bytes of what is needed that are there already, from an earlier run.
    """
    if not hasattr(gc, "mem_free"):  # CPython
        return MOST_SLOTS, ""
    plan = Plan(config, board)
    gc.collect()
    free = available(plan.encrypted) + stayed
    way = way_of(board)
    table = Table(way)
    wrong = _problem(plan, table, free)
    if wrong:
        raise ConfigError(wrong)
    return plan.slots or _slots(plan, table, free), _warning(plan, table, free)


def problem(config, board, way: str, free: int, regions=()) -> str:
    """What does not fit where so many bytes are free at the prompt, and what would; or "".

    regions: what esp32.idf_heap_info says, on an ESP32.
    """
    plan = Plan(config, board)
    table = Table(way)
    free = left(free, regions, plan.encrypted) - table.of(("boot",))
    return _problem(plan, table, free)


def needed(config, board, way: str) -> int:
    """Bytes that a config needs from the prompt on, with the least ring."""
    plan = Plan(config, board)
    table = Table(way)
    return table.of(("boot",)) + plan.needs(table, plan.slots or plan.least)


def way_of(board) -> str:
    """How this code was installed."""
    path = globals().get("__file__")
    if path is None:  # an ESP8266 does not say
        try:
            os.stat("/rom/joulelog")
            path = "/rom/"
        except OSError:
            path = ""
    small = "small-" if getattr(board, "LINE_BUFFER", _SMALL_LINE) < _SMALL_LINE else ""
    if path[:5] == "/rom/":
        return small + "romfs"
    return "files" if path[:1] == "/" else small + "frozen"


def available(encrypted: int) -> int:
    """Free bytes that are Python's, with so many TLS connections to come."""
    regions = ()
    if sys.platform == "esp32":  # on a computer it only takes heap
        try:
            import esp32

            regions = esp32.idf_heap_info(esp32.HEAP_DATA)
        except (ImportError, AttributeError):
            pass
    return left(gc.mem_free(), regions, encrypted)  # type: ignore[attr-defined]


def left(free: int, regions, encrypted: int) -> int:
    """What Wi-Fi and TLS leave; regions of the IDF's heap: (bytes, free, largest block, …)."""
    if not regions:
        return free
    # The largest block is in gc.mem_free() already; Wi-Fi takes from the others first.
    others = sum([region[1] for region in regions]) - max([region[2] for region in regions])
    return free - max(0, _WIFI_BYTES - others) - encrypted * _TLS_BYTES


class Table:
    """The bytes of the parts, installed in one way."""

    def __init__(self, way: str) -> None:
        self.way = way
        column = WAYS.index(way) + 1
        self._bytes: dict = {}
        start = 0
        while start < len(parts.HEAP):  # a row at a time, as in schema.py
            end = parts.HEAP.find("\n", start)
            row = parts.HEAP[start:end].split("|")
            figures = [int(figure) for figure in row[column].split("+")]
            self._bytes[row[0].strip()] = (figures[0], figures[-1] if len(figures) > 1 else 0)
            start = end + 1

    def of(self, names) -> int:
        """The bytes of these parts together; of each the first and each further one."""
        total = 0
        seen: dict = {}
        for name in names:
            first, more = self._bytes.get(name, (0, 0))
            total += more if name in seen else first
            seen[name] = True
        return total


class Plan:
    """What a config names; mistakes are left to schema.py.

    entries: [what people call it, its parts, whether readings wait for it on the flash, section].
    """

    def __init__(self, config, board) -> None:
        self.encrypted = 0
        self.entries: list = []
        self.guessed: list = []  # readers that nobody has measured
        about = {}
        about.update(getattr(board, "DEFAULTS", {}).get("queue", {}))
        self.least = about.pop("slots", _LEAST_SLOTS)
        about.update(registry.section(config, "queue"))
        for section, table in (("readers", registry.READERS), ("sinks", registry.SINKS)):
            for entry in registry.entries(config, section):
                kind = entry.get("type")
                if kind not in registry.names(table):
                    continue
                names = [kind]
                if section == "readers" and "\n%s " % kind not in parts.HEAP:
                    self.guessed.append(kind)
                    names = [_OTHER]
                names.extend(_SHARED.get(kind, ()))
                if kind == "dsmr" and entry.get("key"):
                    names.append("dsmr-key")
                if kind == "modbus" and entry.get("host"):
                    names.append("modbus-tcp")
                if entry.get("meter") == "sunspec":
                    names.append("sunspec")
                if section == "sinks":
                    url = entry.get("url")
                    if entry.get("tls") or (isinstance(url, str) and url[:5] == "https"):
                        names.append("tls")
                        self.encrypted += 1
                label = entry.get("name")
                label = label if isinstance(label, str) and label else kind
                keeps = section == "sinks" and kind not in _NOT_KEPT
                self.entries.append([label, names, keeps, section])
        slots = about.get("slots")
        self.slots = slots if isinstance(slots, int) and slots > 0 else 0  # 0: not said
        clock = registry.section(config, "clock")
        # A computer knows the time.
        self.asks_time = clock.get("ntp") != [] and getattr(board, "NAME", "") != "HOST"
        # What comes and goes is that of a server; nobody waits for the time on a console.
        self.serves = any([entry[2] for entry in self.entries])
        self.keeps = about.get("flash_kb") != 0
        self.kept = self.keeps and sum([entry[2] for entry in self.entries])
        self.slot = 0  # what the largest reading takes in the ring
        for line in parts.SLOT.split("\n"):
            words = line.split()
            if words and words[0] in [entry[1][0] for entry in self.entries]:
                self.slot = max(self.slot, int(words[1]))

    def names(self, without: tuple = ()) -> list:
        """All parts; without some entries, and without the flash where None is one of them."""
        found = ["core"]
        if self.serves:
            found.append("work")
            if self.asks_time:
                found.append("ntp")
        keeps = self.keeps and None not in without
        for entry in self.entries:
            if entry not in without:
                found.extend(entry[1])
                if keeps and entry[2]:
                    found.append("spool")
                    found.append("drain-one" if entry[1][0] in _ONE_EACH else "drain")
        return found

    def can_spare(self, entry: list) -> bool:
        """Whether there is another reader, or sink, beside it."""
        return sum([other[3] == entry[3] for other in self.entries]) > 1

    def needs(self, table: Table, slots: int) -> int:
        """Bytes with a ring of so many slots."""
        return table.of(self.names()) + slots * self.slot


def _slots(plan: Plan, table: Table, free: int) -> int:
    """Half of what is left is the ring's, within what board and firmware say."""
    if not plan.slot:
        return plan.least
    left = free - plan.needs(table, 0)
    return min(MOST_SLOTS, max(plan.least, left // 2 // plan.slot))


def _warning(plan: Plan, table: Table, free: int) -> str:
    short = plan.needs(table, plan.slots or plan.least) - free
    if short > 0:
        return "memory: it may be %d kB short" % kb(short)
    text = "memory: %s counts as the largest reader until `make size ONLY=parts` has measured it"
    return text % ", ".join(plan.guessed) if plan.guessed else ""


def _problem(plan: Plan, table: Table, free: int) -> str:
    needs = plan.needs(table, plan.slots or plan.least)
    short = needs - free
    if short <= needs // _EXACT:
        return ""
    from . import too_large

    return too_large.text(plan, table, Table(image_of(table.way)), free, short)


def image_of(way: str) -> str:
    """The way of an image for the same chip."""
    return "small-frozen" if way[:5] == "small" else "frozen"


def kb(count: int) -> int:
    """Bytes in kB, rounded up."""
    return -(-count // 1000)
