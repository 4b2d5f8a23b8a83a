"""Lines that have no name, told by whoever knows his meter: a row per channel, as text.

    parse(["status | 1-0:96.5.0 | | text |"])    # [(b"1-0:96.5.0", ("status", "", 0, "text", ""))]

The columns: key, OBIS code, unit, kind, device class. A number has the decimals that the meter
sends, and this unit where it sends none; what it sends in kW is W here. Loaded where there are
rows.
"""

from micropython import const

from . import obis

_COLUMNS = const(5)
_MOST = const(40)
_KINDS = ("measurement", "total", "total_increasing", "code", "flag", "text", "time")
_NO_UNIT = _KINDS[3:]
_UNITS = ["%", "°C", "min", "h", "d"]  # beside those that channels have
# Codes that are read, and are no channel.
_READ = (b"0-0:1.0.0", b"0-0:1.1.0", b"1-0:0.9.1", b"1-0:0.9.2", b"0-0:98.1.0", b"1-0:99.1.0")
_ADVICE = "%r: %s %r; allowed: %s"


def parse(rows: list) -> list:
    """(code, channel) of each row; ValueError says which row is wrong, and what is allowed."""
    found: list = []
    for row in rows:
        row = row.strip()
        if not row or row[0] == "#":
            continue
        parts = [part.strip() for part in row.split("|")]
        if len(parts) != _COLUMNS:
            text = "%r has %d columns; allowed: key | OBIS code | unit | kind | device class"
            raise ValueError(text % (row, len(parts)))
        key, code, unit, kind, device_class = parts
        if not key:
            raise ValueError("%r has no key" % row)
        if _has_key(key):
            text = "%r: other lines have the key %r already; choose another one"
            raise ValueError(text % (row, key))
        wire = _code(row, code)
        if kind not in _KINDS:
            raise ValueError(_ADVICE % (row, "kind", kind, ", ".join(_KINDS)))
        _check_unit(row, unit, kind)
        for char in device_class:
            if not ("a" <= char <= "z" or char == "_"):
                text = "Home Assistant's word, in small letters, or nothing"
                raise ValueError(_ADVICE % (row, "device class", device_class, text))
        for other, channel in found:
            if other == wire or channel[0] == key:
                raise ValueError("%r: the key or the code is there twice" % row)
        found.append((wire, (key, unit, 0, kind, device_class)))
        if len(found) > _MOST:
            raise ValueError("%d rows are more than %d" % (len(rows), _MOST))
    if not found:
        raise ValueError("a table needs at least one row")
    return found


def _code(row: str, text: str) -> bytes:
    """The code as lines have it, without *255."""
    parts = text.replace("-", ".", 1).replace(":", ".", 1).replace("*", ".", 1).split(".")
    known = "%s-%s:%s.%s.%s" % tuple(parts[:5]) if len(parts) in (5, 6) else ""
    if len(parts) == 6:
        known += "*" + parts[5]
    for place, part in enumerate(parts):
        if not part.encode().isdigit() or len(part) > 3 or int(part) > 255:
            known = ""
            break
        if place < 5 and part != str(int(part)):
            known = ""
    if not known or known != text:
        text = "such as 1-0:96.5.0 or 1-0:1.8.0*97, each number from 0 to 255"
        raise ValueError(_ADVICE % (row, "OBIS code", row.split("|")[1].strip(), text))
    wire = obis.split(text.encode() + b"()")[0]
    channel = obis.channel(wire)
    if channel:
        advice = "it is %s already; `names` renames it" % channel[0]
        if channel[3] == "text":
            advice = "it is %s already; `channels` asks for it" % channel[0]
    elif wire[:2] == b"0-" and wire[3:7] == b":24.":
        advice = "meters on the M-Bus are found by themselves"
    elif wire in _READ:
        advice = "it is read already: time, or a list"
    else:
        return wire
    raise ValueError("%r: OBIS code %s: %s" % (row, text, advice))


def _check_unit(row: str, unit: str, kind: str) -> None:
    units = [line.split(" ")[1] for line in obis._UNITS.decode().strip().split("\n")] + _UNITS
    if not unit:
        return
    if unit in units:
        if kind in _NO_UNIT:
            raise ValueError("%r: kind %s has no unit; leave that column empty" % (row, kind))
        return
    better = obis.scaled(0, 0, unit)[2]
    if better != unit:
        raise ValueError("%r: what the meter sends in %s is %s here" % (row, unit, better))
    allowed = ", ".join(sorted(set(units)))
    raise ValueError(_ADVICE % (row, "unit", unit, allowed + ", or nothing"))


def _has_key(key: str) -> bool:
    """Whether some line, or what is made of some, has this key."""
    for end in ("_time", "_flow", "_valve"):
        if key[-len(end) :] == end:
            key = key[: -len(end)]
    word = key.rstrip("0123456789")
    plain = word[:-1] if word != key and word[-1:] == "_" else key  # of gas_2
    for table in (obis._CHANNELS, obis._MBUS, b"mbus mbus\nlimiter limiter"):
        for line in table.decode().strip().split("\n"):
            known = line.split(" ")[1]
            if known == key or (known == plain and table is not obis._CHANNELS):
                return True
            if word != key and known[-1] in "1n" and known[:-1] == word:  # of voltage_l2, relay_3
                return True
    return False
