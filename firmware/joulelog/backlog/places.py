"""Whose the readings on the flash are: they belong to where they were going. Needed at start only.

    names_and_marks = marks(sinks, entries, device)     # {"influx": ("1f0c1a22", None)}
    former, given_up = settle(queue, cursors, state, names_and_marks, spool.first, known)
    for text in told(former): …                         # what waits for who is not there

A destination is a sink's type, address, database or topic, and the device. Its mark is the CRC-32
of these; another user, password or key, or TLS, make no other destination. In the log's state

    influx#1f0c1a22        = place      it is in the config: from there on all is its
    influx#1f0c1a22-96     = place      what was read until 0x96; behind that it was not there

A destination that comes back gets what it had not got, and nothing of what was read while it was
away. Up to 0.1.0 there was a sink's name alone: that is whoever has the name first.
"""

import crc32
from micropython import const

from .. import registry
from .gaps import Gaps
from .reader import Stored

_MOST = const(8)  # ranges of destinations that are, or were, away
_TOLD = (
    '%d readings wait for where the sink "%s" went before: give it that type, address, database or'
    ' topic, and device again, or say `take_over`: "%s" in the sink that shall have them'
)


def marks(sinks: list, entries: list, device: str) -> dict:
    """name -> (mark, name to take over or None) of each sink that keeps a backlog."""
    found = {}
    for sink, entry in zip(sinks, entries):
        if sink.cursor.durable:
            found[sink.name] = mark(entry, device), entry["take_over"]
    return found


def mark(entry: dict, device: str) -> str:
    """The mark of a destination: 8 hex digits."""
    parts = [entry["type"], device]
    for key in registry.module(registry.SINKS, entry["type"]).DESTINATION:
        value = entry[key]
        if key == "url":
            value = _address(value)
        elif key == "host":
            value = _host(value)
        elif key == "port":
            value = "" if value in (None, 1883, 8883) else str(value)
        parts.append(device if value is None else value)  # a topic of its own
    return crc32.text("\n".join(parts).encode())


def _address(url: str) -> str:
    """Where a URL leads to, however it is written, and encrypted or not."""
    from ..net.url import split

    _, host, port, path = split(url)
    return "%s:%d%s" % (_host(host), 80 if port == 443 else port, path.rstrip("/"))


def _host(name: str) -> str:
    return name.lower().rstrip(".")


def settle(queue, cursors: list, state: dict, marks: dict, first: int, known: int) -> tuple:
    """Give each cursor its place, and write down in the state what is whose.

    cursors: durable ones; marks: name -> (mark, name to take over or None); first: the oldest
    serial number; known: the first one that the state says nothing of. From there on it may have
    been anybody's: all get it, rather twice than never. Returns (a Former or None, readings that
    are given up).
    """
    keys = {}
    for cursor in cursors:
        keys[cursor.name] = cursor.name + "#" + marks.get(cursor.name, ("",))[0]
    # Without a name in it the places are lost: rather twice than never.
    begin = known if [name for name in state if name[:1] not in "@$"] else first
    ranges = _ranges(state, keys, marks, first, queue.first)
    if known < queue.first:
        there = [key for end, _, key in ranges if end == queue.first]
        more = {key: (queue.first, known, key) for _, _, key in ranges if key not in there}
        ranges = sorted(ranges + list(more.values()))
    lost = sum([end - place for end, place, _ in ranges[:-_MOST]])
    ranges = ranges[-_MOST:]
    for cursor in cursors:
        key = keys[cursor.name]
        own = [one for one in ranges if one[2] == key]
        ranges = [one for one in ranges if one[2] != key]
        start = min(known, state.get(key, begin))
        while own and own[-1][0] >= start:  # nothing came in between
            start = min(start, own.pop()[1])
        ranges.extend(own)
        state[key] = start
        stored = cursor.stored = Stored(queue, key, Gaps())
        stored.begun = end = start
        own = sorted([(place, end) for end, place, _ in own])
        if own:
            start, end = own[0]
        for place, beyond in own[1:] + [(stored.begun, stored.begun)]:
            if place > end:
                stored.skips += ((end, place),)
                stored.gaps.add(end, place)
            end = max(end, beyond)
        cursor.start(start)
    if not ranges:
        return None, lost
    from .former import Former

    former = Former(state)
    for end, place, key in ranges:
        owner = [cursor for cursor in cursors if cursor.stored.key == key]
        former.add("%s-%x" % (key, end), place, end, owner[0] if owner else None)
    return former, lost


def _ranges(state: dict, keys: dict, marks: dict, first: int, following: int) -> list:
    """Take the ranges that have ended by now out of the state: [(end, place, key), …]."""
    ranges = []
    for old in [name for name in state if name[:1] not in "@$"]:
        place = max(first, state.pop(old))
        cut = old.rfind("#")
        name = old if cut < 0 else old[:cut]
        what = "" if cut < 0 else old[cut + 1 :]
        dash = what.find("-")
        end = following if dash < 0 else int(what[dash + 1 :], 16)
        key = name + "#" + (what if dash < 0 else what[:dash])
        if name in keys and key in (name + "#", keys[name]):
            key = keys[name]
            if dash < 0:
                state[key] = place
                continue
        else:
            for heir in keys:
                if marks.get(heir, ("", None))[1] == name:
                    key = keys[heir]
                    break
        if place < end:
            ranges.append((end, place, key))
    return sorted(ranges)


def told(former):
    """Yield what is to be said of readings whose destination the config has not."""
    waiting: dict = {}
    for name, count in former.waiting() if former else ():
        waiting[name] = waiting.get(name, 0) + count
    for name in sorted(waiting):
        yield _TOLD % (waiting[name], name, name)
