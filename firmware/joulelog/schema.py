"""What a config may say: check it, fill in the defaults, print it without its secrets.

    config = schema.check(config_module_or_dict, board, registry)   # or ConfigError
    config.device, config.sinks[0]["url"]
    for line in schema.redacted(config):
        print(line)

A table is text, one key per line: `key | type | default | help`. Every reader and sink has
one, called SCHEMA; what a table cannot say (keys that do not go together) it may say in a
function `problems(entry, board)` that yields one text per problem. The default is a JSON literal,
or `required`; where it is null, None is allowed. Lines that start with # are ignored. Types:

    int, int 1..60, int 0..     whole number (a bool is none)
    text                        not empty where required; no control characters
    name                        text that may stand in a topic: no / + # ", at most 48 characters
    secret, secret 8..64        text (of so many characters) that is never shown
    bool                        True or False
    url, url mqtt mqtts         address with one of these schemes (http https where none is
                                named), host, port, path; no user, no query
    path                        a file's name
    choice hold pulse           one of these words; words of digits are whole numbers
    list text, dict text        of text; dict decimal: of decimal numbers as text ("-12.5")
    pin                         a pin of the board (its GPIO, where it lists them)
    uart                        a UART of the board; on HOST a device path, or "sim"
    bus                         a UART that entries share whose module's line(entry) is the same

The board is any object with NAME and UARTS; DEFAULTS ({"log": {"size_kb": 64}, "influxdb":
{"batch": 2048}}: what this board changes in sections, and in entries of a type; slots, of fits.py,
goes before), GPIO and what pins.py needs may be left out. Needed at start only: drop the module.
"""

import json

from . import pins
from .errors import ConfigError
from .kinds import fault, is_address, kind_of, nearest, shortened, shown
from .start import Config

TOP = """
device | name | "joulelog" | name of this logger in topics, tags and nodes
board | text | "auto" | the board, or "auto"
"""
WIFI = """
ssid | text | required | name of your Wi-Fi network
password | secret 8..64 | "" | its password; "" for an open network
hostname | name | null | name that the router shows; null: the device's name
address | text | null | a fixed IPv4 address, with `gateway`; null: the router gives one (DHCP)
mask | text | null | of the fixed address; null: 255.255.255.0
gateway | text | null | the router's address
dns | text | null | the name server's; null: the gateway
power_save | bool | false | the radio sleeps between beacons: less current, slower answers
"""
LOG = """
level | choice debug info warning error | "info" | what is worth a line
size_kb | int 0..4000 | 500 | both log files together; 0: no log on flash
directory | path | null | where the log lives; null: the board's place
"""
CLOCK = """
ntp | list text | ["pool.ntp.org"] | time servers, asked in turn; []: none
timezone | text | "" | POSIX TZ, for what people read: "CET-1CEST,M3.5.0,M10.5.0/3"; "": UTC
"""
LED = """
on | bool | null | use the board's LED; null: yes, except where the log needs its pin
quiet | bool | false | only what somebody should act on: no blinks while all is well
"""
WEBREPL = """
password | secret 4..9 | required | anybody who knows it can do anything with the board
"""
QUEUE = """
slots | int 4..4096 | 64 | readings that wait in RAM for slow servers; default: by what is free
flash_kb | int 0.. | null | readings that wait on the flash; 0: none; null: 30 % of the file system
durability | choice spill always | "spill" | spill: flash when the RAM is full; always: see README
sync_seconds | int 1..3600 | 60 | with `always`: seconds between two writes
directory | path | null | where they wait; null: `spool` beside the log
"""
READER = """
type | text | required | which meter
name | name | null | name of this meter; null: its type
names | dict text | {} | rename channels: {"energy_import_t1": "day"}
offsets | dict decimal | {} | add to a counter: {"energy_import_t1": "1234.567"}
channels | list text | null | only these channels; null: all
"""
SINK = """
type | text | required | which destination
name | name | null | name of this sink; null: its type
sources | list text | null | only these meters (reader names); null: all
channels | list text | null | only these channels; null: all
every | int 0..86400 | 0 | one reading per so many seconds; 0: every reading
"""

_SECTIONS = (("log", LOG), ("clock", CLOCK), ("queue", QUEUE), ("led", LED))
_KNOWN = (
    "device",
    "board",
    "wifi",
    "readers",
    "sinks",
    "log",
    "clock",
    "queue",
    "led",
    "webrepl",
)
_SHOWN = ("wifi", "log", "clock", "queue", "led", "webrepl")
_PROBLEMS_SHOWN = 24


def check(config, board, registry, slots: int = 0) -> Config:
    """Return the checked config; ConfigError lists all its problems, one per line."""
    given = _settings(config)
    result = Config()
    checker = _Checker(board, result.secrets)
    for key in given:
        if key not in _KNOWN:
            checker.unknown("config", key, _KNOWN)

    top = checker.entry("config", {k: given[k] for k in ("device", "board") if k in given}, TOP)
    result.device = top.get("device", "")
    result.board = top.get("board", "")
    if result.board not in ("", "auto", board.NAME):
        text = '`board` is %s; allowed: "auto", "%s" (the board that this runs on)'
        checker.add("config", text % (shown(result.board), board.NAME))

    result.wifi = checker.networks(given.get("wifi"))
    if given.get("webrepl") is not None:
        result.webrepl = checker.section("webrepl", given["webrepl"], WEBREPL, {})
    adapted = getattr(board, "DEFAULTS", {})
    for name, table in _SECTIONS:
        defaults = dict(adapted.get(name, {}))
        if name == "queue" and slots:
            defaults["slots"] = slots
        setattr(result, name, checker.section(name, given.get(name, {}), table, defaults))

    for name, problem in registry.sections(result, board):
        checker.add(name, problem)

    checker.timezone(result.clock.get("timezone"))

    result.readers = checker.entries("readers", given, registry.READERS, registry, READER)
    checker.sources = _names_in_use(result.readers, given.get("readers"))
    checker.sources.extend(getattr(registry, "SOURCES", ()))
    result.sinks = checker.entries("sinks", given, registry.SINKS, registry, SINK)

    if checker.problems:
        raise ConfigError(_report(checker.problems))
    return result


def redacted(config: Config):
    """Yield the config as lines of text, secrets as ***, keys that are not set left out."""
    yield "device = " + shown(config.device)
    yield "board = " + shown(config.board)
    for name in _SHOWN:
        section = getattr(config, name)
        if isinstance(section, list):
            for index, entry in enumerate(section):
                yield "%s[%d] = %s" % (name, index, _printed(entry, config.secrets))
        elif section:
            yield name + " = " + _printed(section, config.secrets)
    for name in ("readers", "sinks"):
        for index, entry in enumerate(getattr(config, name)):
            yield "%s[%d] = %s" % (name, index, _printed(entry, config.secrets))


class _Checker:
    """Collects the problems, the secret keys and the UARTs in use while a config is read."""

    def __init__(self, board, secrets: list[str]) -> None:
        self.problems: list[str] = []
        self.sources: list[str] = []  # names that a sink may list
        self._board = board
        self._secrets = secrets
        self._uarts: dict = {}  # UART -> who has it
        self._pins: dict = {}  # GPIO -> who has it
        self._adapted: dict = {}  # what the board changes in entries of the type at work

    def add(self, where: str, text: str) -> None:
        self.problems.append(where + ": " + text)

    def unknown(self, where: str, key, known) -> None:
        # The value is not shown: behind a misspelt `password` it is a password.
        near = nearest(key, known)
        advice = "did you mean `%s`?" % near if near else "allowed: " + ", ".join(known)
        self.add(where, "`%s` is not a key here; %s" % (shortened(str(key)), advice))

    def section(self, name: str, given, table: str, defaults: dict) -> dict:
        if not isinstance(given, dict):
            self.add("config", "`%s` is %s; allowed is a dict: {...}" % (name, kind_of(given)))
            return {}
        filled = dict(defaults)
        filled.update(given)
        return self.entry(name, filled, table)

    def networks(self, given):
        """One Wi-Fi network, or a list of them that are tried in turn."""
        if not isinstance(given, (list, tuple)):
            return None if given is None else self._network("wifi", given)
        return [self._network("wifi[%d]" % index, one) for index, one in enumerate(given)]

    def _network(self, where: str, given) -> dict:
        checked = self.section(where, given, WIFI, {})
        for key in ("address", "mask", "gateway", "dns"):
            value = checked.get(key)
            if value is not None and not is_address(value):
                self.add(where, "`%s` is %s; allowed: 192.168.1.20" % (key, shown(value)))
        if checked.get("address") and not checked.get("gateway"):
            self.add(where, "`address` is given without `gateway`; give the router's address")
        return checked

    def timezone(self, text) -> None:
        """The app makes the zone of it; here is where a mistake can be told."""
        if text:
            import posixtz

            try:
                posixtz.Zone(text)
            except ValueError as error:
                self.add("clock", "`timezone` cannot be understood: %s" % error)

    def entry(self, where: str, given: dict, *tables: str) -> dict:
        """Return the entry with its defaults; the first table that knows a key decides."""
        checked: dict = {}
        known: list[str] = []
        for table in tables:
            for row in _rows(table):
                if row[0] not in known:
                    known.append(row[0])
                    self._value(where, given, checked, row)
        for key in given:
            if key not in known:
                self.unknown(where, key, known)
        return checked

    def _value(self, where: str, given: dict, checked: dict, row: list[str]) -> None:
        key, kind, default, text = row
        if kind.startswith("secret") and key not in self._secrets:
            self._secrets.append(key)
        if key not in given:
            if default == "required":
                self.add(where, "`%s` is missing: %s" % (key, text))
            else:
                checked[key] = self._adapted[key] if key in self._adapted else json.loads(default)
            return
        value = given[key]
        if value is not None or default != "null":
            wrong = fault(kind, value, default == "required", self._board)
            if wrong:
                self.add(where, "`%s` %s" % (key, wrong))
                return
            if kind == "uart":
                self._claim(where, key, value)
        checked[key] = value

    def entries(self, section: str, config: dict, table, registry, common: str) -> list[dict]:
        """Check a list of entries; in the result each has a name of its own."""
        given = config.get(section, ())
        if not isinstance(given, (list, tuple)):
            self.add("config", "`%s` is %s; allowed is a list: [...]" % (section, kind_of(given)))
            return []
        types = registry.names(table)
        here = [name for name in types if registry.has(self._board, name)]
        checked = []
        for index, entry in enumerate(given):
            where = "%s[%d]" % (section, index)
            if not isinstance(entry, dict):
                self.add(where, 'is %s; allowed is a dict: {"type": ...}' % kind_of(entry))
                continue
            kind = entry.get("type")
            if kind not in here:
                lacks = kind in types and registry.lacks(self._board, kind, here)
                self.add(where, lacks or _no_type(entry, here))
                continue
            where += " (%s)" % kind
            try:
                module = registry.module(table, kind)
            except ImportError as error:
                self.add(
                    where, "this image cannot run it (%s); install that, or leave it out" % error
                )
                continue
            before = len(self.problems)
            self._adapted = getattr(self._board, "DEFAULTS", {}).get(kind, {})
            tables = module.SCHEMA  # one text, or a tuple of them
            tables = (tables,) if isinstance(tables, str) else tables
            filled = self.entry(where, entry, *(tables + (common,)))
            checked.append(filled)
            if len(self.problems) == before and hasattr(module, "problems"):
                for problem in module.problems(filled, self._board):
                    self.add(where, problem)
            if len(self.problems) == before:
                line = module.line(filled) if hasattr(module, "line") else None
                for problem in pins.claim(
                    where, filled, line, self._board, self._pins, self._uarts
                ):
                    self.add(where, problem)
            self._sources(where, entry.get("sources"))
        self._name(section, checked)
        return checked

    def _sources(self, where: str, sources) -> None:
        if not isinstance(sources, (list, tuple)):
            return
        for name in sources:
            if isinstance(name, str) and name not in self.sources:
                known = ", ".join(['"%s"' % k for k in self.sources]) or "none"
                text = "`sources` names %s, but no reader has that name; readers: %s"
                self.add(where, text % (shown(name), known))

    def _claim(self, where: str, key: str, uart) -> None:
        if uart == "sim":  # every simulated meter has a line of its own
            return
        if uart in self._uarts:
            text = "`%s` is %s, which %s uses already; give each its own"
            self.add(where, text % (key, shown(uart), self._uarts[uart]))
        self._uarts[uart] = where

    def _name(self, section: str, entries: list[dict]) -> None:
        taken: dict = {}
        for entry in entries:
            name = entry.get("name")
            if name is None:
                continue
            if name in taken:
                self.add(section, '`name` "%s" is there twice; give each its own' % name)
            taken[name] = True
        for entry in entries:
            if "name" in entry and entry["name"] is None:
                name = entry["type"]
                number = 2
                while name in taken:
                    name = "%s-%d" % (entry["type"], number)
                    number += 1
                taken[name] = True
                entry["name"] = name


def _settings(config) -> dict:
    """The settings of a config module or dict: what is private, CONSTANT or code is a helper."""
    is_dict = isinstance(config, dict)
    found = {}
    for key in list(config) if is_dict else dir(config):
        value = config[key] if is_dict else getattr(config, key)
        name = str(key)
        if name[:1] == "_" or name == name.upper():
            continue
        if callable(value) or isinstance(value, type(json)):
            continue
        found[name] = value
    return found


def _names_in_use(readers: list[dict], given) -> list[str]:
    """The names of all readers, also of those with a problem: one mistake, one message."""
    names = [entry["name"] for entry in readers if "name" in entry]
    for entry in given if isinstance(given, (list, tuple)) else ():
        if isinstance(entry, dict):
            name = entry.get("name") or entry.get("type")
            if isinstance(name, str) and name not in names:
                names.append(name)
    return names


def _no_type(entry: dict, types: list[str]) -> str:
    known = ", ".join(['"%s"' % t for t in types])
    if "type" not in entry:
        return "`type` is missing; allowed: " + known
    near = nearest(entry["type"], types)
    hint = ' (did you mean "%s"?)' % near if near else ""
    return "`type` is %s; allowed: %s%s" % (shown(entry["type"]), known, hint)


def _rows(table: str):
    """Yield (key, type, default, help) of each row."""
    start = 0
    while start < len(table):  # a row at a time: all of them do not fit into small heaps
        end = table.find("\n", start)
        end = len(table) if end < 0 else end
        line = table[start:end].strip()
        start = end + 1
        if line and line[0] != "#":
            yield [part.strip() for part in line.split("|", 3)]


def _report(problems: list[str]) -> str:
    more = len(problems) - _PROBLEMS_SHOWN
    if more > 0:
        problems = problems[:_PROBLEMS_SHOWN] + ["and %d more" % more]
    return "\n".join(problems)


def _printed(entry: dict, secrets: list[str]) -> str:
    first = [key for key in ("type", "name") if key in entry]
    parts = []
    for key in first + sorted([key for key in entry if key not in first]):
        value = entry[key]
        if value is None or value == "" or value == [] or value == {}:
            continue
        parts.append("%s: %s" % (key, "***" if key in secrets else shown(value, 160)))
    return "{" + ", ".join(parts) + "}"
