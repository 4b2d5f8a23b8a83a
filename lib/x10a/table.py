"""What a unit's registers hold: the channels of a model, and their values out of payloads.

    table = Table("core")                        # or a model of names(), and labels
    for _ in table.build():                      # in pieces, so that others can run
        pass
    values = [None] * len(table.channels)
    for register in table.registers:
        ...                                      # ask, and find() the payload
        table.decode(register, buffer, at, end, values)
        table.forget(register, values)           # or this, where there was no answer

A model without labels gives all that changes; what a unit is made of, EEPROM numbers and unused
places are there by their key or label only. Rows lie in rows_*.py as text:

    offset converter size unit key labels…       behind "=61": the register

A thermistor that is not there reads -40 or a little less; one of water or of a room also 0. Both
are None, as is what none can read.
"""

from micropython import const

from . import convert
from .label import slug
from .models import MODELS

CORE = "core"

_ROW = const(4)  # bytes of a row in a plan: offset, converter (2), size
_BATCH = const(16)  # rows between two yields
_DECIMALS = const(2)  # of a channel
_TEMPERATURE = const(0x74)  # letters: t
_INDOORS = const(0x69)  # i
_UNKNOWN = ("", "-", "---", "??", "Unknown")  # texts that stand for no value
# Letter -> unit, device class
_UNITS = {
    "t": ("°C", "temperature"),
    "i": ("°C", "temperature"),  # in water or in a room
    "k": ("K", ""),
    "p": ("bar", "pressure"),
    "g": ("kgf/cm²", ""),
    "a": ("A", "current"),
    "v": ("V", "voltage"),
    "f": ("L/min", "volume_flow_rate"),
    "h": ("Hz", "frequency"),
    "w": ("kW", "power"),
    "c": ("%", ""),
    "-": ("", ""),
    "#": ("", ""),  # a code
}


def names() -> list[str]:
    """The models, "core" first."""
    return [line.split(b" ")[0].decode() for line in MODELS.strip().split(b"\n")]


def model_name(text: str) -> str | None:
    """The model that a person means: by its name here, or by that of its definition file."""
    name = slug(text).replace("_", "-")
    return name if MODELS.find(b"\n" + name.encode() + b" ") >= 0 else None


def protocol(model: str) -> str:
    """The protocol that a model speaks: "I" or "S"; "" for "core", which knows both."""
    if model == CORE:
        return ""
    return "S" if model.startswith("protocol-s") else "I"


class Table:
    """The channels of one unit; build() has to be run to its end first."""

    def __init__(self, model: str = CORE, labels=None) -> None:
        self.model = model
        self.registers = b""  # that there is something to read from, in order
        self.channels: tuple = ()
        self.missing: list[str] = []  # labels that the model has not
        self._labels = labels
        self._plans: list[bytes] = []  # per register: its rows
        self._starts: list[int] = []  # per register: index of its first channel
        self._letters = bytearray()  # per channel: that of its unit
        self._refrigerant = 802

    def build(self):
        """Yield now and then; raises KeyError for a model that there is not."""
        from . import rows_outdoor

        start = MODELS.find(b"\n" + self.model.encode() + b" ") + 1
        if not start:
            raise KeyError(self.model)
        fields = MODELS[start : MODELS.find(b"\n", start)].split(b" ")
        self._refrigerant = int(fields[1])
        wanted = None if self._labels is None else {slug(label) for label in self._labels}
        found: set = set()
        channels: list = []
        yield from self._pick(rows_outdoor.ROWS, fields[2], wanted, found, channels)
        if fields[3] != b"-":
            from . import rows_s

            yield from self._pick(rows_s.ROWS, fields[3], wanted, found, channels)
        if fields[4] != b"-":
            from . import rows_indoor

            yield from self._pick(rows_indoor.ROWS, fields[4], wanted, found, channels)
        if fields[5] != b"-":
            from . import rows_more

            yield from self._pick(rows_more.ROWS, fields[5], wanted, found, channels)
        self.channels = tuple(channels)
        self.missing = [label for label in self._labels or () if slug(label) not in found]

    def _pick(self, rows: bytes, digits: bytes, wanted, found: set, channels: list):
        """Add the rows whose bit is set, and that are wanted."""
        if digits == b"-":
            return
        bits = _from_hexadecimal(digits)
        register = 0
        number = -1
        start = 1
        plan = bytearray()
        for line in range(len(rows)):
            end = rows.find(b"\n", start)
            if end < 0:
                break
            if line % _BATCH == 0:
                yield
            if rows[start] == 0x3D:
                self._add(register, plan, len(channels))
                plan = bytearray()
                register = int(rows[start + 1 : end], 16)
            else:
                number += 1
                if number >> 3 < len(bits) and bits[number >> 3] >> (number & 7) & 1:
                    fields = rows[start:end].decode().split(" ")
                    if _is_wanted(fields, register, wanted, found):
                        converter = int(fields[1])
                        plan.extend(
                            bytes(
                                (int(fields[0]), converter >> 8, converter & 255, int(fields[2]))
                            )
                        )
                        self._letters.append(ord(fields[3][0]))
                        channels.append(_channel(fields, converter))
            start = end + 1
        self._add(register, plan, len(channels))

    def _add(self, register: int, plan: bytearray, count: int) -> None:
        if plan:
            self.registers += bytes((register,))
            self._plans.append(bytes(plan))
            self._starts.append(count - len(plan) // _ROW)

    def rows(self, register: int):
        """Yield (index of the channel, offset, converter, size) of a register."""
        number = self.registers.find(bytes((register,)))
        plan = self._plans[number]
        index = self._starts[number]
        for at in range(0, len(plan), _ROW):
            yield index, plan[at], plan[at + 1] << 8 | plan[at + 2], plan[at + 3]
            index += 1

    def decode(self, register: int, data, start: int, end: int, values: list):
        """Put the values of a payload (data[start:end]) where they belong; yields in between.

        None where the payload is too short, or where the bytes stand for no value.
        """
        for number, (index, offset, converter, size) in enumerate(self.rows(register)):
            if number % _BATCH == _BATCH - 1:
                yield
            at = start + offset
            value = None
            if at + size <= end:
                value = value_of(converter, data, at, size, self._refrigerant)
                if value is not None and converter < 400 and not self._is_read(index, value):
                    value = None
            values[index] = value

    def _is_read(self, index: int, value) -> bool:
        """Whether a thermistor can have that value: else there is none."""
        letter = self._letters[index]
        if letter != _TEMPERATURE and letter != _INDOORS:
            return True
        one = 10 ** self.channels[index][_DECIMALS]
        if letter == _INDOORS and (not value or value <= -30 * one):
            return False
        return -40 * one < value < 200 * one

    def forget(self, register: int, values: list) -> None:
        """The register did not answer: its values are not known."""
        for index, _, _, _ in self.rows(register):
            values[index] = None


def value_of(converter: int, data, at: int, size: int, refrigerant: int):
    """As convert(), but None also for what the unit uses as a blank, or what cannot be."""
    if 400 < converter <= 406:
        if not convert.is_pressure_plausible(converter, data, at, size, refrigerant):
            return None
    elif converter <= 120 and size == 2 and data[at] ^ data[at + 1] == 0x80:
        high = 0 if convert.is_high_first(converter) else 1
        if data[at + high] == 0x80:  # -32768: there is no sensor
            return None
    value = convert.convert(converter, data, at, size, refrigerant)
    if isinstance(value, str):
        value = value.strip()
        return None if value in _UNKNOWN else value
    return value


def _is_wanted(fields: list, register: int, wanted, found: set) -> bool:
    """By default what is not marked by x; else what one of the labels names."""
    if wanted is None:
        return fields[3][-1] != "x"
    key = fields[4]
    ends = ("_%02x" % register, "_%02x_%s" % (register, fields[0]))
    matches = [key]
    matches.extend(fields[5:])
    for end in ends:
        if key.endswith(end):
            matches.append(key[: -len(end)])
    hit = False
    for match in matches:
        if match in wanted:
            found.add(match)
            hit = True
    return hit


def _channel(fields: list, converter: int) -> tuple:
    unit, device_class = _UNITS[fields[3][0]]
    kind = "measurement"
    if convert.is_text(converter):
        kind = "text"
    elif converter == 200 or 300 <= converter <= 307:
        kind = "flag"
    elif fields[3][0] == "#":
        kind = "code"
    return fields[4], unit, convert.decimals(converter), kind, device_class


def _from_hexadecimal(digits: bytes) -> bytes:
    return bytes([int(digits[at : at + 2], 16) for at in range(0, len(digits), 2)])
