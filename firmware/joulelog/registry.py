"""Config "type" -> module: one line per meter and per destination, imported only when named.

    module = registry.module(registry.READERS, "dsmr")
    module.SCHEMA, module.Reader          # a sink's module has Sink

A module that no config names is never imported, so that it costs no RAM: an ESP8266 holds
the code of its one meter and its one sink. What is needed for a moment only is dropped again:

    registry.drop("joulelog.schema", "ntpq")
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


def drop(*paths: str) -> None:
    """Forget modules, so that their memory comes back; the next import loads them anew."""
    for path in paths:
        sys.modules.pop(path, None)
        dot = path.rfind(".")
        package = sys.modules.get(path[:dot]) if dot > 0 else None
        if package and hasattr(package, path[dot + 1 :]):
            delattr(package, path[dot + 1 :])
    gc.collect()
