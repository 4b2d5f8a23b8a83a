"""What tools/decode does for captured bytes of a Modbus line: pzem, modbus --model sdm630.

    for told in decode(data, "pzem", None):
        print(told)

Each frame with a right CRC gives

    {"kind": "answer", "address": 1, "function": 4, "registers": [2413, …],
     "values": {"voltage": "241.3", …}}

kind is "request", "answer" or "refusal" (with "refused": the reason). A capture of both directions
says which registers an answer holds; without its request one is taken to begin at register 0.
PZEMs tell AC and DC apart by the number of registers.
"""

import eastron
import exact
import pzem
from crc16 import MODBUS, update
from modbus.registers import Table
from modbus.rtu import READ_HOLDING, READ_INPUT, REFUSALS, RESET_ENERGY, WRITE

_READS = (READ_HOLDING, READ_INPUT)
_LONGEST = 255


def _rows(protocol: str, model: str | None, first: int, count: int) -> list[str]:
    """The rows of a table that lie in some registers; ValueError for no such model."""
    if protocol == "pzem":
        text = {10: pzem.TABLES["ac"], 8: pzem.TABLES["dc"]}.get(count, "")
    elif model in eastron.MODELS:
        text = eastron.table(model)
    elif model in (None, "core"):
        text = ""
    else:
        raise ValueError(f"there is no model {model}; allowed: " + ", ".join(eastron.MODELS))
    rows = [row for row in text.split("\n") if row]
    return [row for row in rows if first <= int(row.split("|")[1], 0) < first + count]


def _table(protocol: str, model: str | None, first: int, count: int):
    """The table of an answer that begins at the register `first`, or None."""
    rows = _rows(protocol, model, first, count)
    return Table(rows, 60) if rows else None


def decode(data: bytes, protocol: str, model: str | None):
    """Yield a dict for each whole frame in data."""
    _rows(protocol, model, 0, 0)
    asked = None  # (address, function, first register, count) of the request before
    at = 0
    while at + 4 <= len(data):
        length, told = _frame(data, at, asked)
        if not length:
            at += 1
            continue
        frame = data[at : at + length]
        at += length
        if told["kind"] == "request":
            asked = _wanted(frame)
        elif told["kind"] == "answer" and frame[1] in _READS:
            first = asked[2] if asked and asked[:2] == (frame[0], frame[1]) else 0
            table = _table(protocol, model, first, frame[2] // 2)
            told["values"] = _values(table, frame, told, first)
            asked = None
        else:
            asked = None
        yield told


def _wanted(frame: bytes):
    if frame[1] not in _READS:
        return (frame[0], frame[1], 0, 0)
    return (frame[0], frame[1], frame[2] << 8 | frame[3], frame[4] << 8 | frame[5])


def _frame(data: bytes, at: int, asked) -> tuple[int, dict]:
    """(bytes, what they are) of the frame that begins here; (0, {}) for none."""
    address, function = data[at], data[at + 1]
    told = {"address": address, "function": function & 0x7F}
    lengths = []
    if function & 0x80 and data[at + 2] in REFUSALS:
        lengths.append((5, "refusal"))
    elif function in _READS:
        if asked and asked[:2] == (address, function):
            lengths.append((5 + data[at + 2], "answer"))
        lengths += [(8, "request"), (5 + data[at + 2], "answer")]
    elif function in (WRITE, RESET_ENERGY):
        kind = "answer" if asked and asked[:2] == (address, function) else "request"
        lengths.append((8 if function == WRITE else 4, kind))
    for length, kind in lengths:
        if (
            length <= _LONGEST
            and at + length <= len(data)
            and not update(MODBUS, data, at, at + length)
        ):
            told["kind"] = kind
            if kind == "refusal":
                told["refused"] = REFUSALS[data[at + 2]]
            elif kind == "answer" and function in _READS:
                words = range(at + 3, at + length - 3, 2)
                told["registers"] = [data[i] << 8 | data[i + 1] for i in words]
            elif function != RESET_ENERGY:
                told["register"] = data[at + 2] << 8 | data[at + 3]
                name = "value" if function == WRITE else "count"
                told[name] = data[at + 4] << 8 | data[at + 5]
            return length, told
    return 0, {}


def _values(table: Table | None, frame: bytes, told: dict, first: int) -> dict:
    if table is None or frame[1] != READ_INPUT:
        return {}
    payload = frame[3:-2]
    blocks = [payload[2 * (at - first) : 2 * (at - first + n)] for _, at, n in table.blocks]
    implausible: list = []
    values = table.decode(blocks, implausible)
    if implausible:
        told["implausible"] = ", ".join(found[0][exact.KEY] for found in implausible)
    shown = {}
    for channel, value in zip(table.channels, values):
        if value is not None:
            shown[channel[exact.KEY]] = exact.text(value, channel[exact.DECIMALS])
    return shown
