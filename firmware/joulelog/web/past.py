"""The history for the API: quarter hours, local days and months of a source (sinks/history).

    /api/quarters?source=quarter&from=2026-12-01&to=2026-12-02      of these local days; today
    /api/days?from=2026-11-01&format=csv                            the last 31 days
    /api/months

Each row has the counters at its end, with the meter's digits: energy is the difference of two
rows. It is read in slices, and goes out as it is read.
"""

import json

from civil import days as days_of
from civil import fields
from exact import KEY
from httphead import Refused
from micropython import const

from .. import clock
from .values import number_of, utc

_DAY_S = const(86400)
_QUARTER_S = const(900)
_QUARTERS = const(96)  # of a day
_DAYS = const(30)
_CSV = "text/csv; charset=utf-8"


def quarters(service, arguments: dict):
    """Texts of JSON, or content type and texts. Raises Refused."""
    name, history = _history(service, arguments)
    first, last = _range(service, arguments, history, 0)
    # No zone is more than a day away from UTC.
    rows = history.rows(history.quarters, (first - 1) * _QUARTERS, (last + 2) * _QUARTERS)

    def found():
        for row in rows:
            if row is None:
                yield None
            elif first <= history.day_of(row[0]) <= last:
                yield ("time", clock.iso(row[0])), row[0] + _QUARTER_S, row

    return _written(name, "quarters", found(), arguments)


def days(service, arguments: dict):
    """The same of days."""
    name, history = _history(service, arguments)
    first, last = _range(service, arguments, history, _DAYS)

    def found():
        for row in history.rows(history.days, max(0, first), last):
            yield row and (("date", _date(history.day_of(row[0] - 1), 3)), row[0], row)

    return _written(name, "days", found(), arguments)


def months(service, arguments: dict):
    """The same of months, made of their days: counters at the end, and the highest quarter."""
    name, history = _history(service, arguments)

    def found():
        label, kept = "", None
        for row in history.rows(history.days, 0, 1 << 30):
            if row is None:
                yield None
                continue
            month = _date(history.day_of(row[0] - 1), 2)
            if kept and month != label:
                yield ("month", label), kept[0], kept
                kept = None
            label = month
            kept = _together(kept, row)
        if kept:
            yield ("month", label), kept[0], kept

    return _written(name, "months", found(), arguments)


def _together(before: tuple | None, row: tuple) -> tuple:
    """A month with one more day."""
    if not before:
        return row
    stamp, source, values = row
    earlier = before[2]
    peak = values[:2]
    if peak[0] is None or (earlier[0] is not None and earlier[0] >= peak[0]):
        peak = earlier[:2]
    sums = (earlier[2] + values[2], earlier[3] + values[3], min(earlier[4], values[4]))
    return stamp, source, peak + sums + values[5:]


def _history(service, arguments: dict) -> tuple:
    found: dict = {}
    for sink in service.sinks:
        found.update(getattr(sink, "histories", {}))
    if not found:
        raise Refused(
            404, "there is no history: the config has no sink `history`, or it is opening"
        )
    name = arguments.get("source")
    if name is None and len(found) == 1:
        name = list(found)[0]
    if name not in found:
        raise Refused(400, "`source`; allowed: %s" % ", ".join(sorted(found)))
    return name, found[name]


def _range(service, arguments: dict, history, before: int) -> tuple[int, int]:
    """The numbers of the first and the last day."""
    now = service.clock.now()
    today = None if now is None else history.day_of(now)
    last = _day(arguments, "to", today)
    first = _day(arguments, "from", None if last is None else last - before)
    if first is None or last is None:
        raise Refused(400, "`from` and `to` are needed: the board does not know the time yet")
    if first > last:
        raise Refused(400, "`from` is behind `to`; allowed: the same day, or one before")
    return first, last


def _day(arguments: dict, key: str, instead: int | None) -> int | None:
    given = arguments.get(key)
    if given is None:
        return instead
    parts = given.split("-")
    if [len(one) for one in parts] == [4, 2, 2] and "".join(parts).encode().isdigit():
        year, month, day = [int(part) for part in parts]
        if 2000 <= year < 2100 and 1 <= month <= 12 and 1 <= day <= 31:
            number = days_of(year, month, day)
            if _date(number, 3) == given:
                return number
    raise Refused(400, "`%s`; allowed: a date as 2026-12-01" % key)


def _date(day: int, parts: int) -> str:
    return "-".join(
        ["%04d" % one if one > 99 else "%02d" % one for one in fields(day * _DAY_S)[:parts]]
    )


def _written(name: str, what: str, found, arguments: dict):
    form = arguments.get("format", "json")
    if form not in ("json", "csv"):
        raise Refused(400, "`format`; allowed: json, csv")
    return (_CSV, _lines(found)) if form == "csv" else _json(name, what, found)


def _json(name: str, what: str, found):
    yield '{"source":%s,"%s":[' % (json.dumps(name), what)
    comma = ""
    for one in found:
        if one is None:
            yield ""
            continue
        (key, label), end, (_, source, values) = one
        yield '%s{"%s":"%s","end":%s' % (comma, key, label, utc(end))
        for channel, value in zip(source.channels, values):
            yield ',"%s":%s' % (channel[KEY], number_of(value, channel))
        yield "}"
        comma = ","
    yield "]}"


def _lines(found):
    """Lines of CSV (RFC 4180), with a line of names before them, and where these change."""
    channels: tuple = ()
    for one in found:
        if one is None:
            yield ""
            continue
        (key, label), _, (_, source, values) = one
        if source.channels != channels:
            channels = source.channels
            yield key
            for channel in channels:
                yield "," + channel[KEY]
            yield "\r\n"
        yield label
        for channel, value in zip(channels, values):
            yield "," + number_of(value, channel).replace('"', "").replace("null", "")
        yield "\r\n"
