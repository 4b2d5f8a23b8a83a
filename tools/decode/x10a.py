"""What tools/decode does for captured bytes of X10A.

    for told in decode(data, "core"):
        print(told)

Each answer that is found gives

    {"protocol": "I", "register": "61", "values": {"flow_temperature": "35.0", …}}

Requests are followed where the capture has them; without, each answer is looked for by itself:
protocol I by its address, S by the lengths of its registers.
"""

import exact
from x10a.frame import REFUSED, find
from x10a.table import CORE, Table, model_name, names

_S = ((0x50, 6), (0x53, 18), (0x54, 18), (0x55, 18), (0x56, 6))
_LONGEST = 259


def table(text: str) -> dict[str, Table]:
    """Protocol -> table of the model that a person means; ValueError for none."""
    model = model_name(text)
    if model is None:
        raise ValueError(f"there is no model {text}; allowed: " + ", ".join(names()))
    if model == CORE:
        return {"I": _built(CORE), "S": _built("protocol-s")}
    return {"S" if model.startswith("protocol-s") else "I": _built(model)}


def _built(model: str) -> Table:
    made = Table(model)
    for _ in made.build():
        pass
    return made


def decode(data: bytes, model: str = CORE):
    """Yield a dict for each whole answer in data."""
    tables = table(model)
    at = 0
    while at < len(data):
        length, protocol, register = _answer(data, at, tables)
        if not length:
            at += 1
            continue
        if protocol:
            yield _told(data[at : at + length], protocol, register, tables[protocol])
        else:
            yield {"protocol": None, "register": None, "refused": True, "values": {}}
        at += length


def _answer(data: bytes, at: int, tables: dict) -> tuple[int, str, int]:
    """(bytes, protocol, register) of the answer that begins here; (0, "", 0) for none."""
    if "I" in tables and data[at] == 0x40 and at + 4 < len(data):
        register, end = data[at + 1], at + 2 + data[at + 2]
        if end <= len(data) and data[at + 2] >= 3:
            candidate = data[at:end]
            if find(candidate, len(candidate), "I", register) == 3:
                return len(candidate), "I", register
    if "S" in tables:
        for register, length in _S:
            candidate = data[at : at + length]
            if data[at] == register and find(candidate, len(candidate), "S", register) == 1:
                return length, "S", register
    if find(data[at : at + 2], 2, "I", 0) == REFUSED and at + 2 <= len(data):
        return 2, "", 0
    return 0, "", 0


def _told(frame: bytes, protocol: str, register: int, made: Table) -> dict:
    values: list = [None] * len(made.channels)
    known = register in made.registers
    if known:
        start = 3 if protocol == "I" else 1
        for _ in made.decode(register, frame, start, len(frame) - 1, values):
            pass
    shown = {}
    for index, *_ in made.rows(register) if known else ():
        key, _, decimals, _, _ = made.channels[index]
        value = values[index]
        if value is not None:
            shown[key] = value if isinstance(value, str) else exact.text(value, decimals)
    return {"protocol": protocol, "register": "%02x" % register, "values": shown}
