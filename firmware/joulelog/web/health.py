"""What the logger counts, for the API: /api/health; and the same for metrics.py.

    for key, unit, number, kind in of_board(service): ...   # None: nobody knows
    for part, name, counters, sink in of_parts(service): ...    # reader, sink, service, log, flash

The names are those of the reader `health`; here each part has its own.
"""

import gc
import json

from .. import COMPILED, VERSION, clock
from .values import utc


def health(service, _arguments):
    """Texts of all counters."""
    about = [service.board.NAME, VERSION, COMPILED, service.device, service.clock.source]
    about = [json.dumps(text) for text in about]
    yield '{"board":%s,"version":%s,"made":%s,"device":%s,"clock":%s' % tuple(about)
    yield ',"time":%s' % utc(service.clock.now())
    for key, _, number, _ in of_board(service):
        yield ',"%s":%s' % (key, json.dumps(number))
    yield ',"parts":['
    between = ""
    for part, name, counters, sink in of_parts(service):
        yield '%s{"part":"%s","name":%s' % (between, part, json.dumps(name))
        between = ","
        row = service.queue.latest.rows.get(name) if part == "reader" else None
        if row:
            yield ',"state":%s' % json.dumps(row.state)
        yield ',"counters":{'
        comma = ""
        for key, number in counters:
            yield '%s"%s":%d' % (comma, key, number)
            comma = ","
        yield "}"
        if sink:
            age = json.dumps(oldest(service, sink.cursor))
            yield ',"waiting":%d,"oldest":%s' % (sink.cursor.waiting, age)
        yield "}"
    yield "]}"


def of_board(service) -> tuple:
    """(key, unit, number, kind) of what belongs to no part."""
    free = gc.mem_free() if hasattr(gc, "mem_free") else None  # type: ignore[attr-defined]
    return (
        ("uptime", "s", clock.uptime_ms() // 1000, "total_increasing"),
        ("longest_step", "ms", service.supervisor.longest_step_ms, "measurement"),
        ("clock_steps", "", service.clock.steps, "total_increasing"),
        ("clock_drift", "ppm", service.clock.drift_ppm, "measurement"),
        ("restarts", "", service.supervisor.restarts, "total_increasing"),
        ("link_outages", "", service.network.outages, "total_increasing"),
        ("heap_free", "B", free, "measurement"),
    )


def of_parts(service):
    """Yield (kind of part, its name, (name, number) of all that it counts, the sink or None)."""
    for reader in service.readers:
        yield "reader", reader.name, reader.counters(), None
    for sink in service.sinks:
        yield "sink", sink.name, sink.counters(), sink
    for other in service.services:
        if hasattr(other, "counters"):
            yield "service", other.name, other.counters(), None
    if service.queue.spool:
        yield "flash", "flash", service.queue.spool.counters(), None
    file = service.log.file
    if file:
        about = ("writes", file.writes), ("write_errors", file.write_errors)
        yield "log", "log", about + (("lost_bytes", file.lost_bytes),), None


def oldest(service, cursor) -> int | None:
    """The age in seconds of the oldest reading that waits; None where none does."""
    now, time = service.clock.now(), cursor.oldest_time
    return None if now is None or time is None else max(0, now - time)
