"""What a config may say: check it, fill in the defaults, print it without its secrets.

    config = schema.check(config_module_or_dict, board, registry)   # or ConfigError
    config.device, config.sinks[0]["url"]
    for line in schema.redacted(config): …

    for _ in schema.checking(found, config_module_or_dict, board, registry):    # found: a Config
        ...                             # the same in short steps: the others' turn

A table is text, one key per line: `key | type | default | help`. Every reader and sink has
one, called SCHEMA; what a table cannot say (keys that do not go together) it may say in a
function `problems(entry, board)` that yields one text per problem. The default is a JSON literal,
or `required`; where it is null, None is allowed. Lines that start with # are ignored. Types:

    int, int 1..60, int 0..     whole number (a bool is none)
    text                        not empty where required; no control characters
    name                        text that may stand in a topic: no / + # " ' \\, no $ or @ first,
                                no blank at its ends, at most 48 characters
    label                       the same, but with / + #
    host                        a name or IPv4 address, nothing else
    secret, secret 8..64        text (of so many characters) that is never shown
    bool                        True or False
    url, url mqtt mqtts         address with one of these schemes (http https where none is
                                named), host, port, path; no user, no query
    path                        a file's name
    source                      name of a reader; "": none
    address                     an IPv4 address in digits
    zone                        a POSIX TZ string, or none ("")
    choice hold pulse           one of these words; words of digits are whole numbers
    list text, dict text        of text; list row: rows that begin with a name and |; dict name: of
                                names; dict decimal: of decimal numbers as text ("-12.5")
    pin                         a pin of the board (its GPIO, where it lists them)
    uart                        a UART of the board; on HOST a device path, or "sim"
    bus                         a UART that entries share whose module's line(entry) is the same

The board is any object with NAME and UARTS; DEFAULTS ({"log": {"size_kb": 64}, "influxdb":
{"batch": 2048}}: what this board changes in sections, and in entries of a type; slots, of fits.py,
goes before), GPIO and what pins.py needs may be left out.
"""

import json

from ..device import chip
from ..errors import ConfigError
from . import Config, across, pins, servers, tables
from .types import fault, kind_of, masked, nearest, no_type, shortened, shown

_SECTIONS = (("log", tables.LOG), ("clock", tables.CLOCK), ("queue", tables.QUEUE))
_SHOWN = ("wifi", "log", "clock", "queue")
_KNOWN = ("device", "board", "wifi", "readers", "sinks", "log", "clock", "queue")  # and services
_PROBLEMS_SHOWN = 24


def check(config, board, registry, slots: int = 0) -> Config:
    """Return the checked config; ConfigError lists all its problems, one per line."""
    result = Config()
    for _ in checking(result, config, board, registry, slots):
        pass
    return result


def checking(result: Config, config, board, registry, slots: int = 0):
    """Check a config into result, in steps: a generator of pauses. ConfigError comes last."""
    given = given_of(config)
    result.secrets = []
    result.services = {}
    result.warnings = []
    checker = _Checker(board, registry, result.secrets)
    known = _KNOWN + tuple(registry.names(registry.SERVICES))
    for key in given:
        if key not in known:
            checker.unknown("config", key, known)
            yield

    top = {key: given[key] for key in ("device", "board") if key in given}
    top = yield from checker.entry("config", top, tables.TOP)
    result.device = top.get("device") or "joulelog-" + chip.digits()
    result.board = top.get("board", "")
    if result.board not in ("", "auto", board.NAME):
        text = '`board` is %s; allowed: "auto", "%s" (the board that this runs on)'
        checker.add("config", text % (shown(result.board), board.NAME))

    result.wifi = yield from checker.networks(given.get("wifi"))
    adapted = getattr(board, "DEFAULTS", {})
    for name, table in _SECTIONS:
        defaults = dict(adapted.get(name, {}))
        if name == "queue" and slots:
            defaults["slots"] = slots
        section = yield from checker.section(name, given.get(name, {}), table, defaults)
        setattr(result, name, section)

    if not registry.has(board, "spool"):
        kept = result.queue.get("flash_kb")
        if kept:
            lacks = registry.lacks(board, "spool")
            checker.add("queue", "`flash_kb` is %s, but %s" % (kept, lacks))
        result.queue["flash_kb"] = 0
    yield from checker.services(result.services, given)

    result.readers = yield from checker.entries("readers", given, registry.READERS, tables.READER)
    result.sinks = yield from checker.entries("sinks", given, registry.SINKS, tables.SINK)
    checker.spare_button(result.services)
    sources = across.names(result.readers, registry.entries(given, "readers"))
    for where, key, name in checker.named:
        wrong = across.missing(key, name, sources)
        if wrong:
            checker.add(where, wrong)
    if not checker.problems:
        for where, text in across.channels(result, registry):
            if text:
                checker.add(where, text)
            yield
    if not sources:
        result.warnings.append("config: no readers: nothing is measured")

    for index, entry in enumerate(result.sinks):
        if not checker.problems:
            module = registry.module(registry.SINKS, entry["type"])
            if hasattr(module, "warnings"):
                for text in module.warnings(entry, sources):
                    result.warnings.append("sinks[%d] (%s): %s" % (index, entry["type"], text))
                yield
    if checker.problems:
        raise ConfigError(_report(checker.problems))


def parts(config: Config):
    """Yield (label, name, index in the list or None, its keys) of each section and entry."""
    for name in _SHOWN + tuple(config.services) + ("readers", "sinks"):
        part = config.services[name] if name in config.services else getattr(config, name)
        if isinstance(part, list):
            for index, entry in enumerate(part):
                yield "%s[%d]" % (name, index), name, index, entry
        elif part:
            yield name, name, None, part


def redacted(config: Config):
    """Yield the config as lines of text, secrets as ***, keys that are not set left out."""
    yield "device = " + shown(config.device)
    yield "board = " + shown(config.board)
    for label, _, _, part in parts(config):
        yield "%s = %s" % (label, _printed(part, config.secrets))


class _Checker:
    """Collects the problems, the secret keys and the UARTs in use while a config is read.

    What takes its time is a generator of pauses, which returns what it has found.
    """

    def __init__(self, board, registry, secrets: list[str]) -> None:
        self.problems: list[str] = []
        self.named: list[tuple] = []  # (entry, key, name of a reader that the key holds)
        self._board = board
        self._registry = registry
        self._secrets = secrets
        self._uarts: dict = {}  # UART -> who has it
        self._pins: dict = {}  # GPIO -> who has it
        self._adapted: dict = {}  # what the board changes in entries of the type at work

    def add(self, where: str, text: str) -> None:
        self.problems.append(where + ": " + text)

    def unknown(self, where: str, key, known) -> None:
        # The value is not shown: behind a misspelt `password` it is a password.
        word = shortened(masked(key)) if isinstance(key, str) else kind_of(key)
        near = nearest(key, known)
        advice = "did you mean `%s`?" % near if near else "allowed: " + ", ".join(known)
        self.add(where, "`%s` is not a key here; %s" % (word, advice))

    def section(self, name: str, given, table: str, defaults: dict):
        if not isinstance(given, dict):
            self.add("config", "`%s` is %s; allowed is a dict: {...}" % (name, kind_of(given)))
            return {}
        filled = dict(defaults)
        filled.update(given)
        return (yield from self.entry(name, filled, table))

    def services(self, checked: dict, given: dict):
        """Check the sections that modules of their own have."""
        board, registry = self._board, self._registry
        for name in registry.services(given.get, board):
            section = given.get(name)
            section = {} if section is None else section
            if registry.has(board, name):
                yield
                table = registry.module(registry.SERVICES, name).SCHEMA
                yield
                defaults = getattr(board, "DEFAULTS", {}).get(name, {})
                checked[name] = yield from self.section(name, section, table, defaults)
            elif not isinstance(section, dict) or section.get(
                "on", not getattr(board, name.upper(), None)
            ):
                self.add(name, registry.lacks(board, name))

    def spare_button(self, services: dict) -> None:
        """A pin that a reader has is no button."""
        section = services.get("button")
        pin = (getattr(self._board, "BUTTON", None) or {}).get("pin")
        if section is not None and pin in self._pins:
            if section.get("on"):
                text = "`on` is True, but %s has the button's pin, GPIO %d"
                self.add("button", text % (self._pins[pin], pin))
            section["on"] = False

    def networks(self, given):
        """One Wi-Fi network, or a list of them that are tried in turn."""
        if not isinstance(given, (list, tuple)):
            return None if given is None else (yield from self._network("wifi", given))
        checked = []
        for index, one in enumerate(given):
            checked.append((yield from self._network("wifi[%d]" % index, one)))
        return checked

    def _network(self, where: str, given):
        checked = yield from self.section(where, given, tables.WIFI, {})
        if checked.get("address") and not checked.get("gateway"):
            self.add(where, "`address` is given without `gateway`; give the router's address")
        return checked

    def entry(self, where: str, given: dict, *tables: str):
        """Return the entry with its defaults; the first table that knows a key decides."""
        checked: dict = {}
        known: list[str] = []
        for table in tables:
            for row in rows(table):
                if row[0] not in known:
                    known.append(row[0])
                    self._value(where, given, checked, row)
                    if not len(known) & 3:
                        yield
        for key in given:
            if key not in known:
                yield
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
                self._refer(where, kind, key, checked[key])
            return
        value = given[key]
        if value is not None or default != "null":
            wrong = fault(kind, value, default == "required", self._board)
            if wrong:
                self.add(where, "`%s` %s" % (key, wrong))
                return
            if kind == "uart":
                self._claim(where, key, value)
            self._refer(where, kind, key, value)
        checked[key] = value

    def entries(self, section: str, config: dict, table, common: str):
        """Check a list of entries; in the result each has a name of its own."""
        registry = self._registry
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
                self.add(where, lacks or no_type(entry, here))
                continue
            where += " (%s)" % kind
            yield
            try:
                module = registry.module(table, kind)
            except ImportError as error:
                text = "this image cannot run it (%s); install that, or leave it out"
                self.add(where, text % error)
                continue
            yield
            before = len(self.problems)
            self._adapted = getattr(self._board, "DEFAULTS", {}).get(kind, {})
            filled = yield from self.entry(where, entry, *(texts(module) + (common,)))
            checked.append(filled)
            yield
            if len(self.problems) == before and hasattr(module, "problems"):
                for problem in module.problems(filled, self._board):
                    self.add(where, problem)
                yield
            if len(self.problems) == before:
                for problem in servers.problems(filled, self._board, self._secrets):
                    self.add(where, problem)
                line = module.line(filled) if hasattr(module, "line") else None
                taken = self._board, self._pins, self._uarts
                for problem in pins.claim(where, filled, line, *taken):
                    self.add(where, problem)
                yield
            self._sources(where, entry.get("sources"))
        self._name(section, checked)
        return checked

    def _sources(self, where: str, sources) -> None:
        for name in sources if isinstance(sources, (list, tuple)) else ():
            self.named.append((where, "sources", name))

    def _refer(self, where: str, kind: str, key: str, name) -> None:
        if kind == "source" and name:
            self.named.append((where, key, name))

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


def given_of(config) -> dict:
    """The settings of a config module or dict: what is private, CONSTANT or code is a helper."""
    is_dict = isinstance(config, dict)
    found = {}
    for key in list(config) if is_dict else dir(config):
        value = config[key] if is_dict else getattr(config, key)
        name = key if isinstance(key, str) else kind_of(key)
        if name[:1] == "_" or name == name.upper():
            continue
        if callable(value) or isinstance(value, type(json)):
            continue
        found[name] = value
    return found


def texts(module) -> tuple:
    """The tables of a module: its SCHEMA is one text, or a tuple of them."""
    found = module.SCHEMA
    return (found,) if isinstance(found, str) else found


def rows(table: str):
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
