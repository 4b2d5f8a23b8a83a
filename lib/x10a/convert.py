"""What the bytes of a register mean: the converters, by the numbers of the service tools.

    convert(105, b"\x92\x00", 0, 2)          -> 146, with decimals(105) == 1: 14.6
    convert(204, b"\x94", 0, 1)              -> "U4"
    convert(304, b"\x10", 0, 1)              -> 1

    101 to 120  signed      151 to 165  unsigned      200, 300 to 307  0 or 1
    201 to 219, 314 to 316  codes and names           310 to 336       parts of a byte
    401 to 406  a pressure, as the temperature at which the refrigerant boils
    800 to 803  no value: the refrigerant of the unit

A number is an integer in units of 10^-decimals(converter), exact: a 256th has eight decimals.
One byte is signed as two are, except where it would make no sense: a pressure of a refrigerant
(401 to 406), and 112, whose 0 stands for -32 degrees.
"""

from . import saturation

# Of 101 to 120, then of 151 to 165: signed or unsigned; low or high byte first; the unit of
# the wire (1: 1, 5: 5, q: 25, h: 78125, e: 390625) in units of 10^-decimals; decimals.
_SIGNED = (
    "sl10 sb10 sle8 sbe8 sl11 sb11 sl11 sb11 slh7 sbh7 "
    "sb51 sb51 sbq2 sle7 sle9 sbe9 sl12 sb12 sle8 sle8"
)
_UNSIGNED = "ul10 ub10 ule8 ube8 ul11 ub11 ulh7 ubh7 ---- ---- ub51 ub51 ubq2 ub50 ul10"
_UNITS = {"1": 1, "5": 5, "q": 25, "h": 78125, "e": 390625}
_NONE_AT_8000 = (107, 108, 114, 119, 120)

_MODES = (
    "Fan Only",
    "Heating",
    "Cooling",
    "Auto",
    "Ventilation",
    "Auto Cool",
    "Auto Heat",
    "Dry",
    "Aux.",
    "Cooling Storage",
    "Heating Storage",
)
_ERROR_HIGH = " ACEHFJLPU987654"
_ERROR_LOW = "0123456789AHCJEF"
_ERROR_TYPES = ("Normal", "Error", "Warning", "Caution")
_INDOOR = ("Stop", "Heating", "Cooling", "??", "DHW", "Heating + DHW", "Cooling + DHW")
_HYBRID = ("H/P only", "Hybrid", "Boiler only")
_MODEL_CODE = "-123456789ACEF*HJELU*PPPU2AEF***"
_REFRIGERANTS = ("---", "R410A", "R32", "R22")
# Code of a capacity -> what it is called; 219 has all of them, 212 those from 251 on.
_CAPACITY = b"\x11\x16\x1c\x24\x2d\x38\x47\x50\x5a\x70\x7d\x8c\xa0\xb4\xe0"
_CAPACITY_IS = b"\x0f\x14\x19\x20\x28\x32\x3f\x47\x50\x64\x70\x7d\x8c\xa0\xc8"


def decimals(converter: int) -> int:
    """Decimals of what convert() returns; 0 for texts."""
    if converter > 400:
        return saturation.DECIMALS if converter < 500 else 0
    if converter == 312:
        return 4
    form = _form(converter)
    return int(form[3]) if form else 0


def is_text(converter: int) -> bool:
    """Whether convert() returns texts."""
    return converter in (100, 201, 203, 204, 213, 214, 215, 216, 217, 314, 315, 316, 800) or (
        converter > 800
    )


def convert(converter: int, data, at: int, size: int, refrigerant: int = 802):
    """The value of data[at : at + size]: an integer, a text, or None where there is none.

    KeyError for a converter that nobody knows. The caller has checked that the bytes are there.
    """
    form = _form(converter)
    if form:
        if converter == 112 and size == 1:
            form = "u" + form[1:]
        value = _raw(data, at, size, form)
        if value == -32768 and converter in _NONE_AT_8000:
            return None
        if converter == 112 or converter == 162:
            value -= 64
        elif converter == 165:
            value &= 0x3FFF
        return value * _UNITS[form[2]]
    if 400 < converter <= 406:
        return saturation.celsius(
            pressure(converter, data, at, size), _pressure_decimals(converter), refrigerant
        )
    if 300 <= converter <= 307:
        return data[at] >> (converter - 300) & 1
    if 800 <= converter <= 803:
        return _REFRIGERANTS[converter - 800]
    return _code(converter, data, at, size)


def pressure(converter: int, data, at: int, size: int) -> int:
    """The pressure behind a temperature (401 to 406), with the decimals of 101 to 106."""
    form = _form(converter - 300)
    if size == 1:
        form = "u" + form[1:]  # there is none below zero, and 12.7 would be the highest
    return _raw(data, at, size, form) * _UNITS[form[2]]


def is_pressure_plausible(converter: int, data, at: int, size: int, refrigerant: int) -> bool:
    """Whether the temperature that 401 to 406 make of a pressure means anything."""
    value = pressure(converter, data, at, size)
    return saturation.plausible(value, _pressure_decimals(converter), refrigerant)


def _pressure_decimals(converter: int) -> int:
    return int(_form(converter - 300)[3])


def _form(converter: int) -> str:
    if 101 <= converter <= 120:
        return _SIGNED[(converter - 101) * 5 :][:4]
    if 151 <= converter <= 165 and not 159 <= converter <= 160:
        return _UNSIGNED[(converter - 151) * 5 :][:4]
    return ""


def _raw(data, at: int, size: int, form: str) -> int:
    value = data[at]
    sign = 0x80
    if size == 2:
        sign = 0x8000
        value = data[at + 1] << 8 | value if form[1] == "l" else value << 8 | data[at + 1]
    return value - 2 * sign if value >= sign and form[0] == "s" else value


def _code(converter: int, data, at: int, size: int):
    byte = data[at] if size else 0
    high = byte >> 4
    low = byte & 15
    if converter == 200:
        return 1 if byte else 0
    if converter == 211 or converter in (317, 323, 336):
        return byte
    if converter == 201 or converter == 217:
        if byte < len(_MODES):
            return _MODES[byte]
        if byte > 18:
            return None
        return "UseStrdThrm(%s)%d" % ("cl" if byte < 15 else "ht", (byte - 11) % 4 + 1)
    if converter == 203:
        return _ERROR_TYPES[byte] if byte < 4 else "-"
    if converter == 204:
        return _ERROR_HIGH[high] + _ERROR_LOW[low]
    if converter == 212 or converter == 219:
        return _capacity(converter, byte)
    if converter == 213:
        return "%X" % byte if byte < 16 else str(byte)
    if converter == 214:
        return chr(64 + byte) if 1 <= byte <= 24 else str(byte) if byte else " "
    if converter == 215 or converter == 216:
        return "%X%X" % (high, low)
    if converter == 310:
        return high & 7
    if converter == 311:
        return byte & 7
    if converter == 312:  # a sign, three bits before and four behind the point
        value = (byte & 0x7F) * 625
        return -value if byte & 0x80 else value
    if converter == 314:
        return _model_code(data, at, size)
    if converter == 315:
        return _INDOOR[high] if high < 7 else "-"
    if converter == 316:
        return _HYBRID[high] if high < 3 else "Unknown"
    if converter == 100:
        return "".join([chr(b) for b in data[at : at + size] if 32 <= b < 127])
    raise KeyError(converter)


def _capacity(converter: int, byte: int) -> int | None:
    if byte == 0 or (converter == 219 and byte in (50, 63)):
        return None
    if byte >= 252 or (byte == 251 and converter == 212):
        return 280 + (byte - 251) * 10
    if converter == 212:
        return byte
    if byte == 251:
        return 250
    index = _CAPACITY.find(bytes((byte,)))
    return byte if index < 0 else _CAPACITY_IS[index]


def _model_code(data, at: int, size: int) -> str:
    if size < 2:
        return "---"
    value = data[at + 1] << 8 | data[at]
    last = value & 0x3F
    text = _MODEL_CODE[value >> 11] + _MODEL_CODE[value >> 6 & 31]
    if last == 32:
        return text + "?"
    return text + (_MODEL_CODE[last] if last < 32 else "-")


def is_high_first(converter: int) -> bool:
    """Whether the high byte of a number comes first."""
    form = _form(converter)
    return bool(form) and form[1] == "b"
