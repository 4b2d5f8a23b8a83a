"""Paths to what is to be cut out: see picker.py for how they are written."""

from micropython import const

DEEPEST = const(16)  # arrays and objects in one another
LONGEST_TEXT = const(64)  # bytes of a key or a text


class PathError(Exception):
    """A path that cannot be read; the text says why."""


def steps_of(path: str, known: dict) -> tuple:
    """A path's steps: bytes, a key; int, an element; (key, value), an element of that kind."""
    steps: list = []
    for part in path.split("/") if path else ():
        brackets = []
        while part[-1:] == "]" and "[" in part:
            at = part.rfind("[")
            brackets.append(part[at + 1 : -1])
            part = part[:at]
        if part:
            steps.append(_plain(part))
        elif not brackets:
            raise PathError('"%s" has a step without a key' % path)
        for inside in reversed(brackets):
            steps.append(_element(path, inside))
    if len(steps) > DEEPEST:
        raise PathError('"%s" has more than %d steps' % (path, DEEPEST))
    if len([step for step in steps if isinstance(step, tuple)]) > 1:
        raise PathError('"%s" asks for more than one `key=value`' % path)
    if [step for step in steps if isinstance(step, bytes) and len(step) > LONGEST_TEXT]:
        raise PathError('"%s" has a key of more than %d bytes' % (path, LONGEST_TEXT))
    return tuple([known.setdefault(step, step) for step in steps])


def _element(path: str, inside: str):
    """What stands in brackets."""
    if inside.isdigit():
        return int(inside)
    at = inside.find("=")
    if at <= 0:
        raise PathError('"%s": in brackets stands a number or `key=value`' % path)
    return _plain(inside[:at]), _plain(inside[at + 1 :])


def _plain(part: str) -> bytes:
    return part.replace("~1", "/").replace("~0", "~").encode()


def select_at(steps: tuple) -> int:
    """Which step is `key=value`; one that no path has, if none is."""
    for at, step in enumerate(steps):
        if isinstance(step, tuple):
            return at
    return DEEPEST + 1
