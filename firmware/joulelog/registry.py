"""Config "type" -> module: one line per meter, destination and service, imported when named.

    module = registry.module(registry.READERS, "dsmr")
    module.SCHEMA, module.Reader          # a sink's module has Sink
    registry.needed(module, app)          # the parts of the app that its NEEDS name, in order

A reader is made as Reader(name, entry, output, *needed), a sink as Sink(name, entry, cursor,
*needed): it has nothing of the app in its hands but what its module declares. A service is a
section of the config by itself: its module has a class Service(section, *needed) with name and
run(). It is there where the config has its section, or the board a part of its name in capitals
(LED), and not where the section says `on` is False.

A module that no config names is never imported, so that it costs no RAM: an ESP8266 holds
the code of its one meter and its one sink. What is needed for a moment only is dropped again:

    registry.drop("joulelog.config", "ntpq")

An image need not have them all: what it has is in the board's FEATURES, by type and by other names
(boards/common/features.json); without FEATURES it has everything.

    registry.has(board, "spool")
    registry.lacks(board, "influxdb", ("mqtt", "console"))   # what to say and to do about it
"""

import gc
import sys

READERS = (
    ("dsmr", "joulelog.readers.dsmr"),
    ("pzem", "joulelog.readers.pzem"),
    ("modbus", "joulelog.readers.modbus"),
    ("http_json", "joulelog.readers.http_json"),
    ("fritz", "joulelog.readers.fritz"),
    ("tuya", "joulelog.readers.tuya"),
    ("pulse", "joulelog.readers.pulse"),
    ("replay", "joulelog.readers.replay"),
    ("altherma", "joulelog.readers.altherma"),
    ("heat", "joulelog.derive.heat"),
    ("peak", "joulelog.derive.peak"),
    ("quarter", "joulelog.derive.quarter"),
    ("health", "joulelog.readers.health"),
)

SINKS = (
    ("console", "joulelog.sinks.console"),
    ("emoncms", "joulelog.sinks.emoncms"),
    ("mqtt", "joulelog.sinks.mqtt"),
    ("influxdb", "joulelog.sinks.influxdb"),
    ("webhook", "joulelog.sinks.webhook"),
    ("history", "joulelog.sinks.history"),
)

SERVICES = (
    ("led", "joulelog.device.led"),
    ("webrepl", "joulelog.device.webrepl"),
    ("button", "joulelog.device.button"),
    ("web", "joulelog.web.service"),
    ("update", "joulelog.update.service"),
)

# What an ESP8266 has no memory for, whatever its image holds.
_LARGE = ("web",)


def get(config, name: str):
    """A section of a config, module or dict; None where it has none."""
    return config.get(name) if isinstance(config, dict) else getattr(config, name, None)


def section(config, name: str) -> dict:
    """A section of a config that nobody has checked; {} where there is none, or no dict."""
    found = get(config, name)
    return found if isinstance(found, dict) else {}


def entries(config, name: str):
    """Yield the entries of a list in such a config; {} for what is no dict."""
    found = get(config, name)
    for entry in found if isinstance(found, (list, tuple)) else ():
        yield entry if isinstance(entry, dict) else {}


def simulated(config) -> str:
    """The readers that are simulated, as in the config of a new image; "" for none."""
    found = []
    for index, entry in enumerate(entries(config, "readers")):
        if "sim" in (entry.get("uart"), entry.get("pin"), entry.get("host")):
            found.append("readers[%d]" % index)
    return ", ".join(found)


def log_folder(config, board) -> str:
    """Where log, state and settings lie."""
    named = section(config, "log").get("directory")
    return named if named and isinstance(named, str) else board.LOG_DIRECTORY


def names(table: tuple) -> list[str]:
    """The types that a config may name."""
    return [name for name, _ in table]


def module(table: tuple, name: str):
    """The module of a type, imported; KeyError: no such type, ImportError: not installed."""
    for known, path in table:
        if known == name:
            __import__(path)
            return sys.modules[path]
    raise KeyError(name)


def needed(module, parts) -> list:
    """The parts of the app that a module's NEEDS name, in that order."""
    return [getattr(parts, name) for name in module.NEEDS]


def has(board, feature: str) -> bool:
    """Whether the image has a feature, and this installation the memory for it."""
    features = getattr(board, "FEATURES", None)
    if feature in getattr(board, "NO_ROOM", ()):  # start.py has looked
        return False
    if _is_too_large(board, feature):
        return False
    return features is None or feature in features


def listens(config, board) -> bool:
    """Whether Improv listens at the REPL's line: not where a meter or a terminal has it."""
    if not getattr(board, "IMPROV", board.NAME != "HOST") or not has(board, "setup"):
        return False
    return 0 not in [entry.get("uart") for entry in entries(config, "readers")]


def lacks(board, feature: str, instead=()) -> str:
    """That the image lacks a feature, what of its kind it has, and how to get one that has it."""
    if _is_too_large(board, feature):
        return "an ESP8266 has no room for %s; leave that out, or take an ESP32" % feature
    text = "this image has no %s; " % feature
    if instead:
        text += "it has: %s; use one of these, or " % ", ".join(instead)
    else:
        text += "leave that out, or "
    wanted = " ".join(tuple(board.FEATURES) + (feature,))
    return text + 'build one: make firmware BOARD=%s FEATURES="%s"' % (board.NAME, wanted)


def _is_too_large(board, feature: str) -> bool:
    return feature in _LARGE and getattr(board, "CHIP", "") == "esp8266"


def services(get, board):
    """Yield the services that the config or the board wants; get(section): what the config has."""
    for name in names(SERVICES):
        if get(name) is not None or getattr(board, name.upper(), None):
            yield name


def _forget(path: str) -> None:
    del sys.modules[path]
    dot = path.rfind(".")
    above = sys.modules.get(path[: max(0, dot)])
    if above and hasattr(above, path[dot + 1 :]):
        delattr(above, path[dot + 1 :])


def drop(*paths: str) -> None:
    """Forget modules, and those of packages, so that their memory comes back.

    The next import loads them anew.
    """
    for path in list(sys.modules):
        for wanted in paths:
            if path.startswith(wanted) and path[len(wanted) :][:1] in ("", "."):
                _forget(path)
                break
    gc.collect()
