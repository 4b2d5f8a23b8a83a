"""Whatever a config holds, the start says what is wrong with it and never raises anything else.

400 configs of a random kind; JOULELOG_LONG=1: 20,000. Half of them are near to what works:
types and keys that there are, with values of any kind, some of which hold themselves.
"""

import contextlib
import io
import os
import random
import types

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joulelog import build, registry
from joulelog.config import fits, schema, tables
from joulelog.errors import ConfigError
from tools import boards

COUNT = 20_000 if os.environ.get("JOULELOG_LONG") else 400
BOARDS = [boards.load(boards.FOLDERS / n) for n in ("HOST", "ESP32_GENERIC", "ESP8266_GENERIC")]
SECRET = "correct-horse-battery-1"
_LONGEST = 700  # characters of a line: most of it what is allowed


def _modules(table):
    return {name: registry.module(table, name) for name in registry.names(table)}


def _keys(module, common: str = "") -> dict[str, str]:
    """Key -> type of all that a module's table has."""
    texts = (module.SCHEMA,) if isinstance(module.SCHEMA, str) else module.SCHEMA
    return {row[0]: row[1] for text in (common, *texts) for row in schema.rows(text)}


READERS = {n: _keys(m, tables.READER) for n, m in _modules(registry.READERS).items()}
SINKS = {n: _keys(m, tables.SINK) for n, m in _modules(registry.SINKS).items()}
SECTIONS = {
    **{name: _keys(types.SimpleNamespace(SCHEMA=table)) for name, table in schema._SECTIONS},
    **{name: _keys(module) for name, module in _modules(registry.SERVICES).items()},
    "wifi": _keys(types.SimpleNamespace(SCHEMA=tables.WIFI)),
}
WORDS = (
    "",
    "sim",
    "/dev/x",
    "h",
    "http://h",
    "https://joe:" + SECRET + "@h",
    "192.168.1.1",
    "p1",
    "dsmr",
    "$a",
    "a\x00b",
    "\ud800",
    "²",
    "-----BEGIN CERTIFICATE-----",
    "x | 0 | u16 | 1 | V | measurement | voltage",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "1.5",
    "x" * 5000,
)
TEXT = st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=()), max_size=20)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 300),
    st.integers(),
    st.floats(),
    TEXT,
    st.binary(max_size=8),
    st.sampled_from([{SECRET}, object(), 1j, bytearray(b"x"), range(3), ValueError]),
)
KEYS = st.one_of(TEXT, st.integers(), st.none(), st.tuples(TEXT), st.binary())
ANY = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


@st.composite
def values(draw, kind: str):
    """Something for a key of this type: what will do, half of the time."""
    word, _, limits = kind.partition(" ")
    if draw(st.booleans()):
        return draw(ANY)
    if word == "choice":
        options = limits.split()
        return draw(st.sampled_from([int(o) if o.isdigit() else o for o in options]))
    if word == "int":
        return draw(st.integers(0, 400))
    if word in ("uart", "bus", "pin"):
        return draw(st.sampled_from(["sim", 0, 1, 2, 4, 16]))
    if word == "list":
        return draw(st.lists(TEXT, max_size=3))
    if word == "dict":
        return draw(st.dictionaries(TEXT, TEXT, max_size=3))
    return draw(st.booleans() if word == "bool" else TEXT)


@st.composite
def sections(draw, keys: dict[str, str], least: dict | None = None):
    """A section or an entry with some of its keys, and maybe some that nobody knows."""
    made: dict = dict(least or {})
    for key in draw(st.lists(st.sampled_from(sorted(keys)), max_size=6, unique=True)):
        made[key] = draw(values(keys[key]))
    if draw(st.integers(0, 5)) == 0:
        made[draw(KEYS)] = draw(ANY)
    return made


@st.composite
def entries(draw, known: dict[str, dict]):
    name = draw(st.sampled_from(sorted(known)))
    return draw(sections(known[name], {"type": name}))


@st.composite
def configs(draw):
    """A config near to one that works, or anything at all; some parts hold themselves."""
    config: dict = {}
    if draw(st.booleans()):
        config["readers"] = draw(st.lists(entries(READERS), max_size=3))
        config["sinks"] = draw(st.lists(entries(SINKS), max_size=3))
    for name in draw(st.lists(st.sampled_from(sorted(SECTIONS)), max_size=3, unique=True)):
        config[name] = draw(sections(SECTIONS[name]))
    for name in draw(st.lists(st.sampled_from([*schema._KNOWN, "led", "x"]), max_size=2)):
        config[name] = draw(ANY)
    if draw(st.integers(0, 5)) == 0:
        config[draw(KEYS)] = draw(ANY)
    if draw(st.integers(0, 3)) == 0:
        _knot(config, random.Random(draw(st.integers(0, 10**6))))
    return config


def _knot(config: dict, chance: random.Random) -> None:
    """Put one of its containers somewhere into another: often into itself."""
    found: list = [config]
    for part in found:
        inside = part.values() if isinstance(part, dict) else part
        found.extend([p for p in inside if isinstance(p, (dict, list)) and p is not config])
        if len(found) > 50:
            break
    into, what = chance.choice(found), chance.choice(found)
    if isinstance(into, list):
        into.append(what)
    elif into:
        into[chance.choice(list(into))] = what


def start(config, board) -> list[str]:
    """What the start prints, up to the app: all that reads a config which nobody has checked."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            registry.simulated(build.settled(config, board)[0])
            fits.problem(config, board, "frozen", 140_000)
            build.load(config, board)
            found = schema.check(config, board, registry)
            return [*schema.redacted(found), *found.warnings, *said.getvalue().splitlines()]
        except ConfigError as error:
            return str(error).split("\n")


@settings(
    max_examples=COUNT,
    deadline=None,
    derandomize=not os.environ.get("JOULELOG_LONG"),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(configs(), st.sampled_from(BOARDS))
def test_any_config(config, board):
    for line in start(config, board):
        line.encode()
        assert not any(ord(c) < 32 for c in line), line
        assert SECRET not in line


def test_extremes():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    board = BOARDS[0]
    for config in (
        {"readers": deep},
        {"sinks": [{"type": deep, "name": deep}]},
        {"log": {"level": deep}, "wifi": deep, "clock": {"ntp": deep}},
        {"readers": [{"type": "health", "names": {"a": deep}}] * 500},
        {"device": 10**5000, 10**5000: 1, "log": {"size_kb": 10**5000}, "sinks": 10**5000},
        {"device": "x" * 100_000, "board": ["x"] * 10_000},
        {n: n for n in range(10_000)},
    ):
        lines = start(config, board)
        assert 0 < len(lines) <= 26
        assert max(len(line) for line in lines) < _LONGEST
