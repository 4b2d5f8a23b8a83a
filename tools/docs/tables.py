"""The generated tables: what a config may say, every channel, what counts, the modules.

    tables.table("config dsmr")       # Markdown, without a line end
    tables.names()                    # all that there are; each belongs into a page

Nothing is written down here: keys are those of the SCHEMA texts that check a config, channels are
the tables that the codecs decode by, a module is told by the first line of its docstring.
"""

import ast
import gc
import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from unittest.mock import Mock, patch

import dsmr.obis
import eastron
import pulse.meter
import pzem
from exact import DEVICE_CLASS, KEY, KIND, UNIT
from jsonmeter import devices, shelly
from jsonmeter.table import Table as JsonTable
from modbus.registers import Table
from sunspec import device
from tuya import devices as tuya
from x10a import table as x10a

from joulelog import registry
from joulelog.backlog.spool import Spool
from joulelog.config import tables as config_tables
from joulelog.readers import health, p1
from tools import ROOT
from tools.images import features

_FIRMWARE = ROOT / "firmware"

_SECTIONS = {
    "top": config_tables.TOP,
    "wifi": config_tables.WIFI,
    "clock": config_tables.CLOCK,
    "queue": config_tables.QUEUE,
    "log": config_tables.LOG,
    "every reader": config_tables.READER,
    "every sink": config_tables.SINK,
}
# Words of a SCHEMA -> what a person reads.
_TYPES = {
    "text": "text",
    "name": "a name",
    "label": "a name",
    "source": "a reader's name",
    "host": "a name, an IPv4 address",
    "secret": "text",
    "bool": "`True`, `False`",
    "path": "a file's name",
    "address": "an IPv4 address",
    "zone": "a POSIX TZ",
    "pin": "a GPIO",
    "uart": "a UART",
    "bus": "a UART",
    "list text": "a list of text",
    "list row": "a list of rows",
    "dict name": "a dict of names",
    "dict text": "a dict of text",
    "dict decimal": "a dict of numbers in quotes",
}
_TARIFFS = (2, 3, 4)  # the table names one row each
_LITERALS = {"null": "None", "true": "True", "false": "False"}


def table(name: str) -> str:
    """A table as Markdown; KeyError where there is none of this name."""
    kind, _, what = name.partition(" ")
    return _tables()[kind][what]()


def names() -> list[str]:
    """The tables that there are."""
    found = _tables()
    return [f"{kind} {what}".rstrip() for kind in found for what in found[kind]]


def _tables() -> dict[str, dict[str, Callable[[], str]]]:
    config = {name: lambda text=text: _config(text) for name, text in _SECTIONS.items()}
    for types in (registry.READERS, registry.SINKS, registry.SERVICES):
        for name in registry.names(types):
            config[name] = lambda types=types, name=name: _config(_module(types, name).SCHEMA)
    return {
        "config": config,
        "channels": {
            "dsmr": _dsmr,
            "mbus": _mbus,
            "pzem": lambda: _models({m: Table(t).channels for m, t in pzem.TABLES.items()}),
            "modbus": lambda: _models(
                {m: Table(eastron.table(m), eastron.HOLE).channels for m in eastron.MODELS}
            ),
            "sunspec": _sunspec,
            "http_json": _lan,
            "tuya": lambda: _models({n: JsonTable(tuya.rows(n)).rows for n in tuya.ROWS}),
            "pulse": _pulse,
            "altherma": lambda: _channels(_altherma_of(x10a.CORE)),
            **_told(),
            "health": _health,
            "altherma models": _altherma,
        },
        "counters": {"": _counters},
        "models": {"altherma": _altherma_models},
        "readers": {"": _readers},
        "features": {"": _features},
        "modules": {"": _modules},
        "packages": {"": _packages},
    }


def _lan() -> str:
    """The channels of each device; a Shelly's as if it had each of its parts once."""
    parts = shelly.parts(2)
    of_shelly = {}
    for probe in ("em:0/total_act_power", "em1:0/act_power", "switch:0/apower"):
        lines = shelly.rows(2, [b"0" if path == probe else None for path in parts])
        of_shelly |= {channel[0]: channel for channel in JsonTable(lines).rows}
    known = {n: JsonTable(devices.rows(n)).rows for n in devices.MAKERS if n != "shelly"}
    return _models({"shelly": tuple(of_shelly.values()), **known})


def _sunspec() -> str:
    """The channels of inverters and of meters, of one phase and of three."""
    found = {}
    for name, models in (("inverter", (101, 103)), ("meter", (201, 203, 204))):
        known = [Table(device.rows(model)).channels for model in models]
        found[name] = tuple({channel[KEY]: channel for one in known for channel in one}.values())
    return _models(found).replace('"', "")


def _told() -> dict[str, Callable[[], str]]:
    """The channels of readers that always have the same."""
    found = {name: _module(registry.READERS, name) for name in registry.names(registry.READERS)}
    return {
        name: lambda module=module: _channels(module.CHANNELS)
        for name, module in found.items()
        if hasattr(module, "CHANNELS")
    }


def _module(types: tuple, name: str):
    return registry.module(types, name)


def _markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), ["---"] * len(list(head)), *rows]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(re.sub(r"  +", " ", "| " + " | ".join(line) + " |") for line in cells)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


# Config ------------------------------------------------------------------------------------


def rows(schema_text) -> list[list[str]]:
    """The rows of a SCHEMA, which is a text or a tuple of such: [key, type, default, help]."""
    if not isinstance(schema_text, str):
        return [row for text in schema_text for row in rows(text)]
    lines = [line.strip() for line in schema_text.split("\n")]
    kept = [line for line in lines if line and not line.startswith("#")]
    return [[part.strip() for part in line.split("|", 3)] for line in kept]


def _config(schema_text) -> str:
    found = []
    for key, kind, default, text in rows(schema_text):
        found.append([_code(key), text_of(text), allowed(kind), _default(default)])
    return _markdown(("key", "what it means", "allowed", "default"), found)


def text_of(text: str) -> str:
    """The words of a SCHEMA for people who write Python: null is None."""
    return re.sub(r"\b(null|true|false)(?=:)", lambda word: _LITERALS[word[0]], text)


def allowed(kind: str) -> str:
    """The type of a key in words: "int 1..60" is "1 to 60"."""
    word, _, limits = kind.partition(" ")
    if word == "int":
        low, _, high = limits.partition("..")
        if not low:
            return "a whole number"
        return f"{low} to {high}" if high else f"{low} or more"
    if word == "choice":
        words = limits.split()
        return ", ".join(_code(w if w.isdigit() else f'"{w}"') for w in words)
    if word == "secret" and limits:
        low, _, high = limits.partition("..")
        return f"{low} characters" if low == high else f"{low} to {high} characters"
    if word == "url":
        schemes = limits.split() or ["http", "https"]
        return " or ".join(_code(f"{scheme}://…") for scheme in schemes)
    return _TYPES[kind]


def _default(text: str) -> str:
    if text == "required":
        return "**required**"
    value = json.loads(text)
    return _code(text if isinstance(value, (str, list)) else str(value))


# Channels ----------------------------------------------------------------------------------


def _cells(channel: tuple) -> list[str]:
    return [_code(channel[KEY]), channel[UNIT], channel[KIND], channel[DEVICE_CLASS]]


_HEAD = ("key", "unit", "kind", "device class")


def _channels(channels: Iterable[tuple]) -> str:
    return _markdown(_HEAD, [_cells(channel) for channel in channels])


def _models(models: dict[str, tuple]) -> str:
    """One table of several models: a channel once, with the models that have it."""
    found: dict[str, list] = {}
    for model, channels in models.items():
        for channel in channels:
            found.setdefault(channel[KEY], [channel, []])[1].append(model)
    lines = []
    for channel, having in found.values():
        which = "all" if len(having) == len(models) else ", ".join(f'`"{m}"`' for m in having)
        lines.append([*_cells(channel), which])
    return _markdown((*_HEAD, "models"), lines)


def _fields(text: bytes) -> list[list[str]]:
    return [line.split(" ") for line in text.decode().strip().split("\n")]


def _dsmr() -> str:
    found: dict[str, list] = {}
    for code in _codes():
        channel = dsmr.obis.channel(code.encode())
        assert channel
        found.setdefault(channel[KEY], [channel, []])[1].append(_code(code))
    lines = [[*_cells(channel), ", ".join(codes)] for channel, codes in found.values()]
    return _markdown((*_HEAD, "OBIS code"), lines)


def _codes() -> Iterator[str]:
    """Each code of the table, those of the other phases too; of tariffs those that meters have."""
    for code, key, *_ in _fields(dsmr.obis._CHANNELS):
        yield code
        if key.endswith("_l1") and code.endswith(".0"):
            measured, _, rest = code.partition(":")[2].partition(".")
            for more in (20, 40):
                yield f"1-0:{int(measured) + more}.{rest}"
        if key.endswith("_t1"):
            yield from [f"{code[:-1]}{tariff}" for tariff in _TARIFFS]


def _mbus() -> str:
    found: dict[str, list] = {}
    for number, *_ in _fields(dsmr.obis._MBUS):
        channel = dsmr.obis.mbus_channel(int(number))
        assert channel
        found.setdefault(channel[KEY], [channel, []])[1].append(number)
    lines = [[*_cells(channel), ", ".join(numbers)] for channel, numbers in found.values()]
    return _markdown((*_HEAD, "M-Bus device types"), lines)


def _pulse() -> str:
    found: dict[str, list] = {}
    for unit in ("kWh", "gas", "water"):
        for channel in pulse.meter.Meter(1000, unit).channels:
            found.setdefault(channel[KEY], [channel, []])[1].append(unit)
    lines = []
    for channel, units in found.values():
        lines.append([*_cells(channel), "all" if len(units) == 3 else ", ".join(units)])
    module = _module(registry.READERS, "pulse")
    lines += [[*_cells(channel), "light, with `calibrate`"] for channel in module._SENSOR]
    return _markdown((*_HEAD, "of"), lines)


def _altherma_of(model: str) -> tuple:
    made = x10a.Table(model)
    for _ in made.build():
        pass
    return made.channels


def _altherma() -> str:
    models = {model: _altherma_of(model) for model in x10a.names() if model != x10a.CORE}
    found: dict[str, dict] = {}
    for model, channels in models.items():
        for channel in channels:
            found.setdefault(channel[KEY], {}).setdefault(tuple(_cells(channel)), []).append(model)
    lines = []
    for key in sorted(found):
        for cells, having in found[key].items():
            lines.append([*cells, "all" if len(having) == len(models) else str(len(having))])
    return _markdown((*_HEAD, "models"), lines)


def _altherma_models() -> str:
    lines = []
    for model in x10a.names():
        protocol = x10a.protocol(model) or "I, S"
        lines.append([f'`"{model}"`', protocol, str(len(_altherma_of(model)))])
    return _markdown(("`model`", "protocol", "channels"), lines)


def _health() -> str:
    """What the reader publishes of one reader, one sink, one source, and the flash."""
    given = {name: Mock() for name in inspect.signature(health.Reader).parameters}
    given.update(
        entry={"interval": 60},
        readers=[_part("<reader>")],
        sinks=[_part("<sink>")],
    )
    given["queue"].spool = _part("flash")
    given["queue"].latest.rows = {"<source>": Mock()}
    # Memory and flash are a board's: their values are not looked at here.
    absent = patch.object(gc, "mem_free", create=True), patch.object(health, "largest_block")
    with absent[0], absent[1], patch.object(health, "wear"):
        health.Reader(**given)._publish()
    _, channels, _ = given["output"].publish.call_args.args
    return _channels(channels)


def _part(name: str) -> Mock:
    part = Mock(counters=lambda: (("<counter>", 0),))
    part.name = name  # no argument: that would name the stand-in
    part.cursor.oldest_time = None
    return part


def _counters() -> str:
    of_chain = p1.P1.counters(Mock())  # of dsmr and replay
    chain = Mock(counters=lambda: of_chain)
    lines = []
    for types, part in ((registry.READERS, "Reader"), (registry.SINKS, "Sink")):
        for name in registry.names(types):
            made = getattr(_module(types, name), part)
            # A reader without counters of its own hands on the chain's.
            told = made.counters(Mock(_p1=chain)) if hasattr(made, "counters") else of_chain
            lines.append([_code(name), ", ".join(_code(counter) for counter, _ in told)])
    lines.append(["the flash", ", ".join(_code(name) for name, _ in Spool.counters(Mock()))])
    return _markdown(("type", "counters"), [line for line in lines if line[1]])


def _readers() -> str:
    """Each reader, with the page that has the table of its keys."""
    lines = []
    for name in registry.names(registry.READERS):
        own = ROOT / "docs" / f"{name}.md"
        here = not own.is_file() or f"config {name} -->" not in own.read_text()
        link = f"#{name}" if here else f"{name}.md"
        text = _module(registry.READERS, name).__doc__ or ""
        lines.append([f"[`{name}`]({link})", text.split("\n")[0]])
    return _markdown(("`type`", "what it reads"), lines)


def _features() -> str:
    lines = []
    for name, row in features.TABLE.items():
        needs = ", ".join([str(len(row["modules"])), *row["packages"]])
        lines.append([_code(name), row["what"], needs])
    return _markdown(("feature", "what", "modules, packages"), lines)


# Modules -----------------------------------------------------------------------------------


def modules() -> list[tuple[Path, str]]:
    """Every module of firmware/ and the first line of its docstring, "" where it has none."""
    found = []
    for path in sorted(_FIRMWARE.rglob("*.py")):
        if path.name != "manifest.py":
            text = ast.get_docstring(ast.parse(path.read_text())) or ""
            found.append((path.relative_to(_FIRMWARE), text.split("\n")[0]))
    # A folder's own modules come before its packages.
    return sorted(found, key=lambda item: (item[0].parent.parts, item[0].name))


def _modules() -> str:
    lines = []
    for path, text in modules():
        name = path.parent.as_posix() + "/" if path.name == "__init__.py" else path.as_posix()
        lines.append([_code(name), text])
    return _markdown(("module", "what it is for"), lines)


def _packages() -> str:
    lines = []
    for path in sorted((ROOT / "lib").glob("*/__init__.py")):
        text = ast.get_docstring(ast.parse(path.read_text())) or ""
        name = path.parent.name
        first = text.split("\n")[0].removesuffix(" See README.md here.")
        lines.append([f"[`{name}`](../lib/{name}/README.md)", first])
    return _markdown(("package", "what it is for"), lines)
