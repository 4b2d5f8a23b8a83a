"""Config "type" -> module: one line per meter and per destination, imported only when named.

    module = registry.module(registry.READERS, "dsmr")
    module.SCHEMA, module.Reader          # a sink's module has Sink

A module that no config names is never imported, so that it costs no RAM: an ESP8266 holds
the code of its one meter and its one sink. What is needed for a moment only is dropped again:

    registry.drop("joulelog.schema", "ntpq")

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
    ("pulse", "joulelog.readers.pulse"),
    ("replay", "joulelog.readers.replay"),
    ("altherma", "joulelog.readers.altherma"),
    ("heat", "joulelog.derive.heat"),
    ("health", "joulelog.readers.health"),
)

SINKS = (
    ("console", "joulelog.sinks.console"),
    ("emoncms", "joulelog.sinks.emoncms"),
    ("mqtt", "joulelog.sinks.mqtt"),
    ("influxdb", "joulelog.sinks.influxdb"),
)

# section, key, the feature that it needs, and its value where the image lacks that
_OPTIONAL = (("queue", "flash_kb", "spool", 0), ("led", "on", "led", False))


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


def has(board, feature: str) -> bool:
    """Whether the image has a feature."""
    features = getattr(board, "FEATURES", None)
    return features is None or feature in features


def lacks(board, feature: str, instead=()) -> str:
    """That the image lacks a feature, what of its kind it has, and how to get one that has it."""
    text = "this image has no %s; " % feature
    if instead:
        text += "it has: %s; use one of these, or " % ", ".join(instead)
    else:
        text += "leave that out, or "
    wanted = " ".join(tuple(board.FEATURES) + (feature,))
    return text + 'build one: make firmware BOARD=%s FEATURES="%s"' % (board.NAME, wanted)


def sections(config, board):
    """Yield (section, problem) where one wants what the image lacks; what none wants is off."""
    if config.webrepl is not None and not has(board, "webrepl"):
        yield "webrepl", lacks(board, "webrepl")
    for name, key, feature, off in _OPTIONAL:
        section = getattr(config, name)
        if key in section and not has(board, feature):
            if section[key]:
                text = "`%s` is %s, but %s"
                yield name, text % (key, section[key], lacks(board, feature))
            section[key] = off


def drop(*paths: str) -> None:
    """Forget modules, so that their memory comes back; the next import loads them anew."""
    for path in paths:
        sys.modules.pop(path, None)
        dot = path.rfind(".")
        package = sys.modules.get(path[:dot]) if dot > 0 else None
        if package and hasattr(package, path[dot + 1 :]):
            delattr(package, path[dot + 1 :])
    gc.collect()
