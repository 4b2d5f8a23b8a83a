"""Pack the definitions of Daikin units into lib/x10a: rows_*.py and models.py.

    python3 -m tools.x10a_models FOLDER            # of JSON files, one per model

A file has `model` and `rows`: [register, offset, converter, bytes, type, label, …], the content
of a definition file of ESPAltherma (MIT); type 1 is a temperature, 2 a pressure. Most rows are
the same in most models, so each distinct row is kept once, and a model is a bit per row.

Keys: what nearly all units have at the same place has a short name (_NAMES). Every other row is
called what its label says; where a label stands for several places of one unit, the register is
appended, then the offset, then the converter. So a key is unique in a unit, the same in
all units, and stays when models are added (unless a new one uses a label twice).

tests/fixtures/x10a/models.json gets the number of rows and a checksum of every model.
"""

import json
import sys
from pathlib import Path

import crc32
from x10a.label import slug

from tools import ROOT

_MARKERS = (995, 996, 998)  # rows that only arrange the page of a service tool
_REFRIGERANTS = (800, 801, 802, 803)
# register, offset, converter -> key: the same place and meaning in (nearly) all units
_NAMES = {
    (0x10, 0, 217): "operation_mode",
    (0x10, 1, 307): "thermostat",
    (0x10, 1, 304): "defrost",
    (0x10, 1, 303): "oil_return",
    (0x10, 4, 203): "error_type",
    (0x10, 5, 204): "error_code",
    (0x20, 0, 105): "outdoor_temperature",
    (0x20, 4, 105): "discharge_temperature",
    (0x20, 6, 105): "suction_temperature",
    (0x21, 0, 105): "inverter_current",
    (0x30, 0, 152): "compressor_speed",
    (0x60, 2, 315): "indoor_mode",
    (0x60, 3, 204): "indoor_error_code",
    (0x60, 7, 105): "dhw_setpoint",
    (0x60, 9, 105): "flow_setpoint",
    (0x60, 12, 306): "valve_dhw",
    (0x60, 12, 305): "booster_heater",
    (0x60, 12, 304): "backup_heater_1",
    (0x60, 12, 303): "backup_heater_2",
    (0x60, 12, 301): "pump",
    (0x61, 2, 105): "flow_temperature",
    (0x61, 4, 105): "flow_temperature_after_heater",
    (0x61, 6, 105): "liquid_temperature",
    (0x61, 8, 105): "return_temperature",
    (0x61, 10, 105): "dhw_temperature",
    (0x61, 12, 105): "room_temperature",
    (0x62, 9, 105): "flow",
    (0x62, 11, 105): "water_pressure",
    (0x62, 12, 152): "pump_signal",
    # named as well, but not in "core": other units have something else there
    (0x21, 2, 101): "inverter_voltage",
    (0x21, 2, 105): "inverter_current_secondary",
    (0x21, 4, 101): "inverter_voltage",
    (0x54, 0, 153): "liquid_temperature",
    (0x54, 2, 153): "return_temperature",
    (0x54, 4, 153): "flow_temperature",
    (0x54, 8, 153): "dhw_temperature",
    (0x54, 4, 103): "outdoor_temperature",
    (0x54, 8, 109): "discharge_temperature",
    (0x55, 0, 201): "operation_mode",
    (0x55, 1, 204): "error_code",
}
_NOT_CORE = ("inverter_voltage", "inverter_current_secondary")
_HEAD = '"""Rows of registers; made by tools/x10a_models.py, see x10a.table."""\n'
_WIDTH = 99
_MODULES = (
    ("rows_outdoor", range(0x00, 0x40)),
    ("rows_s", range(0x50, 0x57)),
    ("rows_indoor", range(0x60, 0x63)),
    ("rows_more", range(0x63, 0x100)),
)
# Thermistors in water or in a room: what is never exactly 0.0 there.
_INDOORS = {
    (0x30, 10, 112),
    (0x30, 11, 112),
    (0x54, 2, 153),
    (0x54, 4, 153),
    (0x54, 8, 153),
    (0x61, 2, 105),
    (0x61, 4, 105),
    (0x61, 8, 105),
    (0x61, 10, 105),
    (0x61, 12, 105),
    (0x61, 13, 105),
    (0x63, 8, 105),
    (0x64, 10, 105),
    (0x64, 10, 118),
    (0x64, 12, 105),
    (0x65, 2, 105),
    (0x65, 4, 105),
    (0xA1, 0, 119),
    (0xA1, 2, 119),
}
# What a number is that only stands for something, by its converter or by words of its label.
_CODES = (212, 317, 323)
_CODE_WORDS = ("code", "address", "mpu_id", "eeprom")
_UNITS = (
    ("(A)", "a"),
    ("Current measured", "a"),
    ("(V)", "v"),
    ("(l/min)", "f"),
    ("(rps)", "h"),
    ("Frequency(Hz)", "h"),
    ("(C)", "t"),
    ("(kgcm2)", "g"),
    ("delta T", "k"),
    ("Delta-Tr", "k"),
    ("(kW)", "w"),
    ("0:max-100:stop", "c"),
)


def read(folder: Path) -> dict[str, list[tuple]]:
    """Model's slug -> its rows (register, offset, converter, size, type, label)."""
    models = {}
    for path in sorted(folder.glob("*.json")):
        rows = [tuple(row[:6]) for row in json.loads(path.read_text())["rows"]]
        models[path.stem] = [corrected(row) for row in rows if row[2] not in _MARKERS]
    return models


def corrected(row: tuple) -> tuple:
    """Three files take the water pressure for that of a refrigerant.

    The capacity of an outdoor unit goes up to 18 kW in one byte: never below zero.
    """
    if row[:3] == (0x62, 11, 405):
        return (0x62, 11, 105, 1, 2, row[5])
    if row[:4] == (0x00, 12, 105, 1):
        return (0x00, 12, 155, *row[3:])
    return row


def plain_key(row: tuple) -> str:
    """The key of a row as long as no other row wants it."""
    register, offset, converter, _, _, label = row
    name = _NAMES.get((register, offset, converter))
    if name == "inverter_current" and "primary" not in label:
        name = None
    if label in ("Not in use", "None"):
        return f"unused_{register:02x}_{offset}_{converter}"
    return name or slug(label)


def code(row: tuple) -> str:
    """Unit and device class as a letter (# a code); x behind it: only on request."""
    register, offset, converter, size, kind, label = row
    letter = "-"
    number = not (200 <= converter < 400 and converter != 211)
    if number:
        for text, found in _UNITS:
            if text in label:
                letter = found
                break
        else:
            letter = "t" if converter > 400 else {1: "t", 2: "p"}.get(kind, "-")
        room = (register, offset) == (0x61, 14) and "indoor" in label
        if letter == "t" and (room or row[:3] in _INDOORS):
            letter = "i"
    told = converter in (152, 219) and any(word in slug(label) for word in _CODE_WORDS)
    if letter == "-" and (converter in _CODES or told):
        letter = "#"
    hidden = (
        register in (0x00, 0x11)
        or label in ("Not in use", "None", "Data Enable/Disable", "Indoor Unit Address")
        or label.startswith("[Future]")
        or converter in (213, 214, 215)
        or (register == 0x30 and offset == 0 and converter != 152)  # no unit has all that there
    )
    return letter + ("x" if hidden else "")


def keys(models: dict[str, list[tuple]]) -> dict[tuple, str]:
    """Row -> key: unique in each model, the same in all."""
    found = {row: plain_key(row) for rows in models.values() for row in rows}
    suffixes = ("_{0:02x}", "_{0:02x}_{1}", "_{0:02x}_{1}_{2}", "_{0:02x}_{1}_{2}_{3}")
    for suffix in suffixes:
        ambiguous = set()
        for rows in models.values():
            names = [found[row] for row in dict.fromkeys(rows)]
            ambiguous |= {name for name in names if names.count(name) > 1}
        if not ambiguous:
            return found
        for row, name in found.items():
            if name in ambiguous and row[:3] not in _NAMES:
                base = plain_key(row)
                found[row] = base + suffix.format(*row)
    raise SystemExit(f"still ambiguous: {sorted(ambiguous)}")


def main() -> int:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print("usage: x10a_models.py FOLDER  (of JSON files, one per model)", file=sys.stderr)
        return 2
    models = read(Path(sys.argv[1]))
    named = keys(models)
    # what the device needs of a row: without the label
    lines: dict[tuple, dict] = {}
    for row, key in named.items():
        if row[2] in _REFRIGERANTS:
            continue
        register, offset, converter, size, _, label = row
        place = (register, offset, converter, size, key, code(row))
        labels = lines.setdefault(place, {})
        if slug(label) != key and not key.startswith(slug(label) + f"_{register:02x}"):
            labels[slug(label)] = True
    order = sorted(lines)
    bits = {place: index for index, place in enumerate(order)}
    _write_rows(order, lines)
    _write_models(models, named, order, bits)
    return 0


def wrapped(line: str) -> str:
    """One line of a literal, on several of the file where it is too long."""
    lines = [""]
    for word in line.split(" "):
        if len(lines[-1]) + len(word) > _WIDTH - 3:
            lines.append("")
        lines[-1] += word + " "
    return "\\\n".join(lines)[:-1]


def _places(rows: list[tuple], named: dict) -> set[tuple]:
    return {
        (row[0], row[1], row[2], row[3], named[row], code(row))
        for row in rows
        if row[2] not in _REFRIGERANTS
    }


def _write_rows(order: list, lines: dict) -> None:
    for module, registers in _MODULES:
        text = [_HEAD, 'ROWS = b"""']
        before = None
        for place in order:
            register, offset, converter, size, key, letter = place
            if register not in registers:
                continue
            if register != before:
                text.append(f"={register:02x}")
                before = register
            aliases = "".join(" " + alias for alias in sorted(lines[place]))
            text.append(wrapped(f"{offset} {converter} {size} {letter} {key}{aliases}"))
        text.append('"""')
        (ROOT / "lib" / "x10a" / f"{module}.py").write_text("\n".join(text) + "\n")


def _write_models(models: dict, named: dict, order: list, bits: dict) -> None:
    core = {
        place
        for place in order
        if place[:3] in _NAMES
        and place[0] in range(0x10, 0x63)
        and not 0x50 <= place[0] <= 0x56
        and place[4] not in _NOT_CORE
        and place[4] == _NAMES[place[:3]]
    }
    text = []
    facts = {}
    picks = {"core": (core, 802)}
    for model, rows in models.items():
        refrigerant = [row[2] for row in rows if row[2] in _REFRIGERANTS] or [802]
        picks[model] = (_places(rows, named), refrigerant[0])
        shape = sorted([*row[:4]] for row in rows if row[2] not in _REFRIGERANTS)
        unique = [row for index, row in enumerate(shape) if row not in shape[:index]]
        told = " ".join(",".join(map(str, row)) for row in unique)
        facts[model] = [len(unique), crc32.text(told.encode())]
    for model, (places, refrigerant) in picks.items():
        parts = []
        for _, registers in _MODULES:
            flags = [place in places for place in order if place[0] in registers]
            flags += [False] * (-len(flags) % 8)
            packed = bytearray()
            for at in range(0, len(flags), 8):
                packed.append(sum(flag << i for i, flag in enumerate(flags[at : at + 8])))
            parts.append(bytes(packed).rstrip(b"\0").hex() or "-")
        text.append(wrapped(f"{model} {refrigerant} " + " ".join(parts)))
    head = '"""Which rows each model has: a bit per row; made by tools/x10a_models.py."""\n\n'
    head += "# model, refrigerant, bits of " + ", ".join(m for m, _ in _MODULES) + "\n"
    body = 'MODELS = b"""\n' + "\n".join(text) + '\n"""\n'
    (ROOT / "lib" / "x10a" / "models.py").write_text(head + body)
    folder = ROOT / "tests" / "fixtures" / "x10a"
    folder.mkdir(exist_ok=True)
    (folder / "models.json").write_text(json.dumps(facts, indent=0) + "\n")


if __name__ == "__main__":
    sys.exit(main())
