"""lib/jsonpick against Python's json: any document, in any pieces; and damaged ones.

JOULELOG_LONG=1: 100,000 documents, else 3,000. Python's json keeps each number's text, so that
nothing here makes a float.
"""

import json
import os
import random
import re

from jsonpick import number
from jsonpick.picker import Picker

LONG = bool(os.environ.get("JOULELOG_LONG"))
COUNT = 100_000 if LONG else 3_000
KEYS = ["a", "b", "em:0", "total", "", "x/y", "ü~", 'q"t', "k" * 64, "k" * 65, "😀", "n", "v"]
TEXTS = ["", "on", "ü😀\n", '"', "\\", "t" * 64, "t" * 65, "7", "a\tb", "\ud800", "é" * 33]

LONGER = re.compile(r"[^\],} \t\r\n]{41}")  # a literal of more than 40 characters, if not a text


class Number(str):
    """A number's text."""


def any_number(dice: random.Random) -> str:
    digits = str(dice.choice((0, dice.randrange(10), dice.randrange(10 ** dice.randrange(1, 45)))))
    text = dice.choice(("", "", "-")) + digits
    if dice.random() < 0.4:
        text += "." + "".join(dice.choices("0123456789", k=dice.randrange(1, 9)))
    if dice.random() < 0.2:
        text += dice.choice("eE") + dice.choice(("", "+", "-")) + str(dice.randrange(60))
    return text


def any_value(dice: random.Random, depth: int) -> str:
    """JSON, written in any of its ways."""
    blank = dice.choice(("", "", "", " ", "\n\t", "\r\n"))
    kind = dice.random()
    if depth < 14 and kind < 0.3:
        members = []
        for _ in range(dice.randrange(5)):
            key = json.dumps(dice.choice(KEYS), ensure_ascii=dice.random() < 0.5)
            members.append(f"{blank}{key}{blank}:{blank}{any_value(dice, depth + 1)}{blank}")
        return "{" + ",".join(members) + blank + "}"
    if depth < 14 and kind < 0.5:
        parts = [any_value(dice, depth + 1) for _ in range(dice.randrange(4))]
        return "[" + blank + f"{blank},{blank}".join(parts) + blank + "]"
    if kind < 0.6:
        text = dice.choice(TEXTS)
        return json.dumps(text, ensure_ascii=dice.random() < 0.5 or text == "\ud800")
    if kind < 0.7:
        return dice.choice(("true", "false", "null"))
    return any_number(dice)


def any_path(dice: random.Random, value) -> list:
    """Steps that lead somewhere, mostly: str, int, or (key, text)."""
    steps: list = []
    while isinstance(value, (dict, list)) and dice.random() < 0.95 and len(steps) < 14:
        if isinstance(value, dict):
            key = dice.choice(list(value) if value and dice.random() < 0.95 else KEYS[:9])
            steps.append(key)
            value = value.get(key)
        elif not [s for s in steps if isinstance(s, tuple)] and dice.random() < 0.5:
            inside = [one for one in value if isinstance(one, dict)]
            one = dice.choice(inside) if inside else {}
            key = dice.choice([k for k in one if k] or ["n"])
            wanted = one.get(key)
            steps.append((key, str(wanted) if isinstance(wanted, str) else "on"))
            value = chosen(inside, *steps[-1])
        else:
            at = dice.randrange(len(value) + 1)
            steps.append(at)
            value = value[at] if at < len(value) else None
    if dice.random() < 0.1:
        steps.append(0)
    return steps


def chosen(elements: list, key: str, wanted: str):
    """The last element whose member is this text or number, and no longer than one may be."""
    if not key or len(wanted.encode("utf-8", "surrogatepass")) > 64:
        return None
    found = [
        one
        for one in elements
        if isinstance(one, dict) and isinstance(one.get(key), str) and one[key] == wanted
        if len(wanted) <= 40 or not isinstance(one[key], Number)
    ]
    return found[-1] if found else None


def written(steps: list) -> str:
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif isinstance(step, tuple):
            path += "[%s=%s]" % tuple(map(escaped, step))
        else:
            path += "/" * bool(path) + escaped(step)
    return path


def escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def by_json(document, steps: list) -> bytes | None:
    """What the path leads to, by what Python has read."""
    value = document
    for place, step in enumerate(steps):
        if isinstance(step, str):
            if len(step.encode("utf-8", "surrogatepass")) > 64:
                return None
            value = value.get(step) if isinstance(value, dict) else None
        elif isinstance(step, tuple):
            if isinstance(value, list):
                value = chosen(value, *step)
            else:
                value = None
        elif isinstance(value, list):
            value = value[step] if step < len(value) else None
        elif not (isinstance(value, Number) and step == 0 and place == len(steps) - 1):
            value = None
    if value is None or isinstance(value, (dict, list)):
        return None
    if isinstance(value, bool):
        return b"true" if value else b"false"
    text = value.encode("utf-8", "surrogatepass")
    if isinstance(value, Number):
        return text if len(text) <= 40 else None
    return b'"' + text if len(text) <= 64 else None


def readable(steps: list) -> bool:
    """Whether the picker takes such a path, and means what we do."""
    for step in steps:
        for key in step if isinstance(step, tuple) else (step,):
            if not isinstance(key, int) and (len(key.encode("utf-8", "ignore")) > 64):
                return False
            if not isinstance(key, int) and ("\ud800" in key or key[-1:] == "]"):
                return False
        if step == "":
            return False
    return True


def in_pieces(dice: random.Random, document: bytes):
    size = dice.choice((1, 2, 5, 17, 256, 5000))
    at = 0
    while at < len(document):
        step = dice.randrange(1, size + 1)
        yield document[at : at + step]
        at += step


def test_what_python_reads() -> None:
    dice = random.Random(20261130)
    values = 0
    for _ in range(COUNT):
        text = any_value(dice, 0)
        read = json.loads(text, parse_float=Number, parse_int=Number)
        paths = [any_path(dice, read) for _ in range(dice.randrange(1, 8))]
        paths = [steps for steps in paths if readable(steps)]
        picker = Picker([written(steps) for steps in paths])
        document = text.encode("utf-8", "surrogatepass")
        for piece in in_pieces(dice, document):
            picker.feed(piece)
        assert picker.end(), (picker.error, text)
        wanted = [by_json(read, steps) for steps in paths]
        assert picker.texts == wanted, (text, paths)
        values += len(wanted) - wanted.count(None)
    print(f"{COUNT} documents, {values} values")
    assert values > COUNT


def test_damaged_ones_raise_nothing_and_grow_nothing() -> None:
    """What is not JSON for Python is not believed either; its members that come twice aside."""
    dice = random.Random(1130)
    refused = 0
    for _ in range(COUNT):
        document = bytearray(any_value(dice, 0).encode("utf-8", "surrogatepass"))
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(document) + 1)
            kind = dice.randrange(4)
            if kind == 0:
                document[at : at + 1] = bytes((dice.randrange(256),))
            elif kind == 1:
                del document[at : at + dice.randrange(9)]
            elif kind == 2:
                document[at:at] = dice.choice(
                    (b'"', b"\\", b"{", b"]", b",", b"1", b"\\u12", b"\0")
                )
            else:
                del document[at:]
        picker = Picker(["a", "em:0/total", "[0]/n", "[n=7]/v", "b[1]"])
        for piece in in_pieces(dice, bytes(document)):
            picker.feed(piece)
            assert len(picker._text or b"") <= 65 and picker._depth <= 16
        whole = picker.end()
        assert whole == (not picker.error)
        if not whole:
            refused += 1
            assert picker.texts == [None] * 5
            continue
        for text in picker.texts:
            number.exact(text)
        plain = document.lstrip(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
        if LONGER.search(plain):
            continue  # it is none, and is not looked at any further
        try:
            json.loads(plain, strict=False, parse_float=Number, parse_int=Number)
        except ValueError as error:
            raise AssertionError((bytes(document), error))
    print(f"{refused} of {COUNT} refused")
    assert refused > COUNT // 10
