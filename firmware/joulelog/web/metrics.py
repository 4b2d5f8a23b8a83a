"""GET /metrics: all that is measured and counted, for Prometheus (text format 0.0.4).

Names follow its rules (prometheus.io/docs/practices/naming): base units, in which a value is still
exact, for units are scaled by whole numbers; `_total` where a counter only rises. A reading's
channel is joulelog_<key>_<unit>, with a label `source`; what the logger counts is
joulelog_logger_<…>. Texts are no metrics. All samples of a name stand together, as is the rule.
"""

from exact import DECIMALS, KEY, KIND, UNIT, text

from .. import clock
from ..flow.reading import SOURCE, VALUES
from .health import of_board, of_parts, oldest

_KIND = "text/plain; version=0.0.4; charset=utf-8"
# A unit: its name there, a factor, and by how many decimals the value is smaller besides.
_UNITS = (
    ("W", "watts", 1, 0),
    ("kWh", "joules", 3600000, 0),
    ("V", "volts", 1, 0),
    ("A", "amperes", 1, 0),
    ("VA", "volt_amperes", 1, 0),
    ("var", "volt_amperes_reactive", 1, 0),
    ("kvarh", "volt_ampere_seconds_reactive", 3600000, 0),
    ("Hz", "hertz", 1, 0),
    ("°", "degrees", 1, 0),
    ("°C", "celsius", 1, 0),
    ("K", "kelvin", 1, 0),
    ("%", "ratio", 1, 2),
    ("ppm", "ratio", 1, 6),
    ("m³", "cubic_meters", 1, 0),
    ("m³/h", "cubic_meters_per_hour", 1, 0),
    ("L/min", "liters_per_minute", 1, 0),
    ("GJ", "joules", 1000000000, 0),
    ("bar", "pascals", 100000, 0),
    ("kgf/cm²", "pascals", 980665, 1),
    ("s", "seconds", 1, 0),
    ("ms", "seconds", 1, 3),
    ("B", "bytes", 1, 0),
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_RISES = "total_increasing"
_UNTOLD = ("text", "time")


def metrics(service, _arguments) -> tuple:
    """(Content type, pieces)."""
    return _KIND, _all(service)


def _all(service):
    yield from _readings(service)
    yield from _rows(service)
    for key, unit, number, kind in of_board(service):
        if number is not None:
            name, factor, shift = _named("logger_" + key, unit, kind)
            yield _head(name, kind, "The logger's " + key)
            yield "%s %s\n" % (name, text(number * factor, shift))
    yield from _counters(service)
    yield from _waiting(service)


def _readings(service):
    rows = service.queue.latest.rows
    readings = [rows[name].reading for name in sorted(rows) if rows[name].reading]
    done: dict = {}  # names of metrics
    for number, reading in enumerate(readings):
        for channel in reading[SOURCE].channels:
            if channel[KIND] in _UNTOLD:
                continue
            name, factor, shift = _named(channel[KEY], channel[UNIT], channel[KIND])
            if name in done:
                continue
            done[name] = True
            yield _head(name, channel[KIND], "Channel %s" % channel[KEY])
            for other in readings[number:]:
                yield from _sample(name, channel, other, factor, shift)


def _sample(name: str, channel: tuple, reading: tuple, factor: int, shift: int):
    """The sample of one source, where it has this channel and a value of it."""
    source = reading[SOURCE]
    for index, own in enumerate(source.channels):
        if (own[KEY], own[UNIT], own[KIND]) == (channel[KEY], channel[UNIT], channel[KIND]):
            value = reading[VALUES][index]
            if value is not None:
                written = text(value * factor, own[DECIMALS] + shift)
                yield '%s{source="%s"} %s\n' % (name, _escaped(source.name), written)
            return
    yield ""  # it has looked at all of them: the others' turn


def _rows(service):
    """What is known of the sources themselves."""
    rows = service.queue.latest.rows
    yield _head("joulelog_readings_total", _RISES, "Readings since the start")
    for name in sorted(rows):
        yield 'joulelog_readings_total{source="%s"} %d\n' % (_escaped(name), rows[name].count)
    yield _head("joulelog_reading_age_seconds", "", "Since the newest reading came")
    for name in sorted(rows):
        if rows[name].reading:
            age = (clock.uptime_ms() - rows[name].came_ms) // 1000
            yield 'joulelog_reading_age_seconds{source="%s"} %d\n' % (_escaped(name), age)


def _counters(service):
    parts = list(of_parts(service))
    done: dict = {}
    for number, (_, _, counters, _) in enumerate(parts):
        for key, _ in counters:
            if key in done:
                continue
            done[key] = True
            is_time = key.endswith("_ms")  # the longest of something: no counter
            kind = "" if is_time else _RISES
            name, _, shift = _named("logger_" + (key[:-3] if is_time else key), "", kind)
            name, shift = (name + "_seconds", 3) if is_time else (name, 0)
            yield _head(name, kind, "What parts of the logger count as " + key)
            for part, own, others, _ in parts[number:]:
                for other, count in others:
                    if other == key:
                        about = name, part, _escaped(own), text(count, shift)
                        yield '%s{part="%s",name="%s"} %s\n' % about


def _waiting(service):
    yield _head("joulelog_logger_readings_waiting", "", "Readings that a sink has to deliver")
    for sink in service.sinks:
        about = _escaped(sink.name), sink.cursor.waiting
        yield 'joulelog_logger_readings_waiting{name="%s"} %d\n' % about
    name = "joulelog_logger_oldest_waiting_age_seconds"
    yield _head(name, "", "Of the oldest of these")
    for sink in service.sinks:
        age = oldest(service, sink.cursor)
        if age is not None:
            yield '%s{name="%s"} %d\n' % (name, _escaped(sink.name), age)


def _named(key: str, unit: str, kind: str) -> tuple:
    """(Name of a metric, factor, shift) of a key and its unit."""
    word, factor, shift = _letters(unit), 1, 0
    for known in _UNITS:
        if known[0] == unit:
            _, word, factor, shift = known
    name = "joulelog_" + _letters(key)
    if word and not name.endswith("_" + word):
        name += "_" + word
    return name + ("_total" if kind == _RISES else ""), factor, shift


def _letters(words: str) -> str:
    """What a name of a metric may hold of a text."""
    made = ""
    for letter in words.lower():
        made += letter if letter in _LETTERS else "_"
    return made.replace("counter", "register")  # no name says what type it has


def _head(name: str, kind: str, words: str) -> str:
    about = name, _escaped(words), name, "counter" if kind == _RISES else "gauge"
    return "# HELP %s %s.\n# TYPE %s %s\n" % about


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
