"""How eight kinds of P1 meter write down what a House measures.

Formats: DSMR 2.2, 4.2 and 5.0 (Netbeheer Nederland), e-MUCS (Fluvius), the Luxembourg Smarty
and the Austrian T210-D (AES-128-GCM, DLMS general-global-cipher frames), the Swedish and the
Hungarian profile. Every identification and serial number is invented.

    text, values = write("be", house)      # bytes up to and with "!", {"1-0:1.8.1": "45678.123"}
    telegram = finish("be", text)          # with CRC and line ends
"""

from collections import namedtuple

from tools.sim import house as _house

# baud and mode: how the meter's line is set; crc: False for dialects that have none
Model = namedtuple("Model", "header baud mode interval_s crc tariff about")
MODELS = {
    "nl50": Model("Ene5\\SIM T210", 115200, "8N1", 1, True, "nl", "Dutch DSMR 5.0, 3 phases, gas"),
    "nl42": Model("KFM5SIM-METER", 115200, "8N1", 10, True, "nl", "Dutch DSMR 4.2, 1 phase, gas"),
    "nl22": Model(
        "ISk5\\2SIM382", 9600, "7E1", 10, False, "nl", "Dutch DSMR 2.2, no clock or CRC"
    ),
    "be": Model(
        "FLU5\\100000001_A", 115200, "8N1", 1, True, "be", "Belgian, gas and water, peaks"
    ),
    "lu": Model(
        "Lux5\\100000002_D", 115200, "8N1", 10, True, "nl", "Luxembourg Smarty, encrypted"
    ),
    "at": Model(
        "EST5\\100000003_A", 115200, "8N1", 5, True, "nl", "Austrian T210-D, whole Wh and W"
    ),
    "se": Model("ELL5\\100000004_A", 115200, "8N1", 10, True, "nl", "Swedish, 3 phases, reactive"),
    "hu": Model(
        "AUX51000000005", 115200, "8N1", 10, True, "nl", "Hungarian Sanxing, 0xFF padding"
    ),
}
# Keys of simulated meters protect nothing. The second one is what every Smarty uses.
DEMO_KEY = "4A6F756C654C6F672053696D756C6174"
DEMO_AUTH_KEY = "00112233445566778899AABBCCDDEEFF"
_TARIFFS = {"nl": _house.night_first, "be": _house.day_first}
_SYSTEM_TITLE = b"SIM\x00\x00\x00\x00\x07"


def tariff_of(name: str):
    """The function that tells which register of a model counts at a time."""
    return _TARIFFS[MODELS[name].tariff]


def crc16(data: bytes) -> int:
    """CRC-16/ARC, bit by bit: slow and obviously right."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def decimal(value: int, decimals: int, width: int = 0) -> str:
    """Decimal text of an integer in units of 10^-decimals, with `width` digits before the point.

    As on a real meter, digits beyond the width are gone.
    """
    if width:
        value %= 10 ** (width + decimals)
    digits = "%0*d" % (max(width, 1) + decimals, value)
    return digits[:-decimals] + "." + digits[-decimals:] if decimals else digits


def stamp(time: int) -> str:
    """Local time as YYMMDDhhmmss with S or W."""
    fields = _house.civil(_house.local(time))
    text = "%02d%02d%02d%02d%02d%02d" % ((fields[0] % 100,) + fields[1:])
    return text + ("S" if _house.is_summer(time) else "W")


class _Lines:
    """Collects the lines of one telegram, and what they say."""

    def __init__(self, header: str) -> None:
        self.lines = ["/" + header, ""]
        self.values: dict[str, str] = {}

    def text(self, code: str, *groups: str) -> None:
        self.lines.append(code + "".join("(%s)" % group for group in groups))

    def number(self, code, value, decimals, width, unit, before: tuple = ()) -> None:
        written = decimal(value, decimals, width)
        self.text(code, *before, written + ("*" + unit if unit else ""))
        whole = written.lstrip("0")
        self.values[code] = "0" + whole if not whole or whole[0] == "." else whole


def write(name: str, house) -> tuple[bytes, dict[str, str]]:
    """Return a telegram's bytes from '/' up to '!', and {OBIS: decimal text} of its numbers."""
    lines = _Lines(MODELS[name].header)
    _WRITERS[name](lines, house)
    text = "\r\n".join(lines.lines).encode("latin-1") + b"\r\n!"
    return text, lines.values


def finish(name: str, text: bytes) -> bytes:
    """Add what stands behind the '!': the CRC where the dialect has one, and CR LF."""
    if not MODELS[name].crc:
        return text + b"\r\n"
    return text + b"%04X\r\n" % crc16(text)


def encrypt(telegram: bytes, counter: int, key_hex: str, auth_key_hex: str) -> bytes:
    """Wrap a telegram into a DLMS general-global-cipher frame; auth_key_hex may be empty."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    count = counter.to_bytes(4, "big")
    associated = b"\x30" + bytes.fromhex(auth_key_hex) if auth_key_hex else None
    sealed = AESGCM(bytes.fromhex(key_hex)).encrypt(_SYSTEM_TITLE + count, telegram, associated)
    body = b"\x30" + count + sealed[:-4]  # DLMS cuts the tag of 16 bytes to 12
    return b"\xdb\x08" + _SYSTEM_TITLE + b"\x82" + len(body).to_bytes(2, "big") + body


def _serial(text: str) -> str:
    return text.encode().hex().upper()


def _energy(lines: _Lines, house, decimals: int, width: int, unit: str, totals: bool) -> None:
    for direction, counter in (("1", house.import_wh), ("2", house.export_wh)):
        if totals:
            both = counter(0) + counter(1)
            lines.number("1-0:%s.8.0" % direction, both, decimals, width, unit)
        for register in (0, 1):
            code = "1-0:%s.8.%d" % (direction, register + 1)
            lines.number(code, counter(register), decimals, width, unit)


def _power(lines: _Lines, house, decimals: int, width: int, unit: str) -> None:
    lines.number("1-0:1.7.0", max(house.power_w, 0), decimals, width, unit)
    lines.number("1-0:2.7.0", max(-house.power_w, 0), decimals, width, unit)


def _phases(lines: _Lines, house, width: int, order: tuple) -> None:
    """Power per phase: all imports first, then all exports, or phase by phase."""
    for sign, phase in order:
        watts = max(house.phases_w[phase] * sign, 0)
        code = "1-0:%d.7.0" % (21 + 20 * phase + (1 if sign < 0 else 0))
        lines.number(code, watts, 3, width, "kW")


def _volts(lines: _Lines, house) -> None:
    for phase, volts in enumerate(house.volts_d):
        lines.number("1-0:%d.7.0" % (32 + 20 * phase), volts, 1, 3, "V")


def _amps(lines: _Lines, house, decimals: int, width: int) -> None:
    for phase, amps in enumerate(house.amps_c):
        value = (
            amps
            if decimals == 2
            else (amps + (5 if decimals == 1 else 50)) // (10 if decimals == 1 else 100)
        )
        lines.number("1-0:%d.7.0" % (31 + 20 * phase), value, decimals, width, "A")


_SIGN_FIRST = ((1, 0), (1, 1), (1, 2), (-1, 0), (-1, 1), (-1, 2))
_ONE_PHASE = ((1, 0), (-1, 0))


def _nl50(lines: _Lines, house) -> None:
    lines.text("1-3:0.2.8", "50")
    lines.text("0-0:1.0.0", stamp(house.time))
    lines.text("0-0:96.1.1", _serial("E0099000000000001"))
    _energy(lines, house, 3, 6, "kWh", False)
    lines.text("0-0:96.14.0", "%04d" % (house.tariff + 1))
    _power(lines, house, 3, 2, "kW")
    lines.number("0-0:96.7.21", 7, 0, 5, "")
    lines.number("0-0:96.7.9", 3, 0, 5, "")
    failure = (stamp(1770000000), "0000000417*s")
    lines.text("1-0:99.97.0", "1", "0-0:96.7.19", *failure)
    for code in ("32.32", "52.32", "72.32", "32.36", "52.36", "72.36"):
        lines.number("1-0:%s.0" % code, 2 if code == "32.32" else 0, 0, 5, "")
    lines.text("0-0:96.13.0", "")
    _volts(lines, house)
    _amps(lines, house, 0, 3)
    _phases(lines, house, 2, _SIGN_FIRST)
    _gas(lines, 1, "24.2.1", house.gas_hour_time, house.gas_hour_dm3, "96.1.0")


def _nl42(lines: _Lines, house) -> None:
    lines.text("1-3:0.2.8", "42")
    lines.text("0-0:1.0.0", stamp(house.time))
    lines.text("0-0:96.1.1", _serial("E0099000000000002"))
    _energy(lines, house, 3, 6, "kWh", False)
    lines.text("0-0:96.14.0", "%04d" % (house.tariff + 1))
    _power(lines, house, 3, 2, "kW")
    lines.number("0-0:96.7.21", 4, 0, 5, "")
    lines.number("0-0:96.7.9", 2, 0, 5, "")
    lines.text("1-0:99.97.0", "0", "0-0:96.7.19")
    lines.number("1-0:32.32.0", 0, 0, 5, "")
    lines.number("1-0:32.36.0", 0, 0, 5, "")
    lines.text("0-0:96.13.1", "")
    lines.text("0-0:96.13.0", "")
    # One phase: everything hangs on it.
    total = house.power_w
    amps = (abs(total) * 10 + house.volts_d[0] // 2) // house.volts_d[0]
    lines.number("1-0:31.7.0", amps, 0, 3, "A")
    lines.number("1-0:21.7.0", max(total, 0), 3, 2, "kW")
    lines.number("1-0:22.7.0", max(-total, 0), 3, 2, "kW")
    _gas(lines, 2, "24.2.1", house.gas_hour_time, house.gas_hour_dm3, "96.1.0")


def _nl22(lines: _Lines, house) -> None:
    lines.text("0-0:96.1.1", _serial("SIM00000000000003"))
    _energy(lines, house, 3, 5, "kWh", False)
    lines.text("0-0:96.14.0", "%04d" % (house.tariff + 1))
    # This dialect has two decimals: power in units of 10 W.
    lines.number("1-0:1.7.0", max(house.power_w, 0) // 10, 2, 4, "kW")
    lines.number("1-0:2.7.0", max(-house.power_w, 0) // 10, 2, 4, "kW")
    lines.number("0-0:17.0.0", 99900, 2, 4, "kW")
    lines.text("0-0:96.3.10", "1")
    lines.text("0-0:96.13.1", "")
    lines.text("0-0:96.13.0", "")
    lines.text("0-1:96.1.0", _serial("SIM00000000000004"))
    lines.text("0-1:24.1.0", "03")
    hour = stamp(house.gas_hour_time)[:-1]
    lines.text("0-1:24.3.0", hour, "00", "60", "1", "0-1:24.2.1", "m3")
    written = decimal(house.gas_hour_dm3, 3, 5)
    lines.lines.append("(%s)" % written)
    lines.values["0-1:24.3.0"] = decimal(house.gas_hour_dm3 % 10**8, 3)
    lines.text("0-1:24.4.0", "1")


def _be(lines: _Lines, house) -> None:
    lines.text("0-0:96.1.4", "50217")
    lines.text("0-0:96.1.1", _serial("1SAG1000000001"))
    lines.text("0-0:1.0.0", stamp(house.time))
    _energy(lines, house, 3, 6, "kWh", False)
    lines.text("0-0:96.14.0", "%04d" % (house.tariff + 1))
    lines.number("1-0:1.4.0", house.demand_w, 3, 2, "kW")
    peak = stamp(house.peak_time) if house.peak_time else "632525252525W"
    lines.number("1-0:1.6.0", house.peak_w, 3, 2, "kW", (peak,))
    history = []
    for end, peak_time, watts in house.months:
        history += [stamp(end), stamp(peak_time), decimal(watts, 3, 2) + "*kW"]
    count = str(len(house.months))
    lines.text("0-0:98.1.0", count, "1-0:1.6.0", "1-0:1.6.0", *(history or [""]))
    _power(lines, house, 3, 2, "kW")
    _phases(lines, house, 2, _SIGN_FIRST)
    _volts(lines, house)
    _amps(lines, house, 2, 3)
    lines.text("0-0:96.3.10", "1")
    lines.number("0-0:17.0.0", 9999, 1, 3, "kW")
    lines.number("1-0:31.4.0", 999, 0, 3, "A")
    lines.text("0-0:96.13.0", "")
    lines.text("0-1:24.1.0", "003")
    lines.text("0-1:96.1.1", _serial("7FLO1000000002"))
    lines.text("0-1:24.4.0", "1")
    gas = (stamp(house.slot_time),)
    lines.number("0-1:24.2.3", house.gas_dm3, 3, 5, "m3", gas)
    lines.text("0-2:24.1.0", "007")
    lines.text("0-2:96.1.1", _serial("8SEN1000000003"))
    lines.number("0-2:24.2.1", house.water_dm3, 3, 5, "m3", gas)


def _lu(lines: _Lines, house) -> None:
    lines.text("1-3:0.2.8", "42")
    lines.text("0-0:1.0.0", stamp(house.time))
    lines.text("0-0:42.0.0", _serial("SIM1000000000002"))
    lines.number("1-0:1.8.0", house.import_wh(0) + house.import_wh(1), 3, 6, "kWh")
    lines.number("1-0:2.8.0", house.export_wh(0) + house.export_wh(1), 3, 6, "kWh")
    lines.number("1-0:3.8.0", house.reactive_varh, 3, 6, "kvarh")
    lines.number("1-0:4.8.0", 0, 3, 6, "kvarh")
    _power(lines, house, 3, 2, "kW")
    lines.number("1-0:3.7.0", abs(house.power_w) // 10, 3, 2, "kvar")
    lines.number("1-0:4.7.0", 0, 3, 2, "kvar")
    lines.number("0-0:17.0.0", 27600, 3, 2, "kVA")
    lines.text("0-0:96.3.10", "1")
    for index in ("0", "2", "3", "4", "5"):
        lines.text("0-0:96.13." + index, "")
    _gas(lines, 1, "24.2.1", house.gas_hour_time, house.gas_hour_dm3, "96.1.0")


def _at(lines: _Lines, house) -> None:
    lines.text("1-3:0.2.8", "50")
    lines.text("0-0:1.0.0", stamp(house.time))
    counters = (("1", house.import_wh), ("2", house.export_wh))
    for direction, counter in counters:
        lines.number("1-0:%s.8.0" % direction, counter(0) + counter(1), 0, 9, "Wh")
        for register in (0, 1):
            lines.number("1-0:%s.8.%d" % (direction, register + 1), counter(register), 0, 9, "Wh")
        power = house.power_w if direction == "1" else -house.power_w
        lines.number("1-0:%s.7.0" % direction, max(power, 0), 0, 9, "W")
    for direction, varh in (("3", house.reactive_varh), ("4", 0)):
        for register in (0, 1, 2):
            value = varh if register < 2 else 0
            lines.number("1-0:%s.8.%d" % (direction, register), value, 0, 9, "varh")
        power = abs(house.power_w) // 10 if direction == "3" else 0
        lines.number("1-0:%s.7.0" % direction, power, 0, 9, "var")


def _se(lines: _Lines, house) -> None:
    lines.text("0-0:1.0.0", stamp(house.time))
    lines.number("1-0:1.8.0", house.import_wh(0) + house.import_wh(1), 3, 8, "kWh")
    lines.number("1-0:2.8.0", house.export_wh(0) + house.export_wh(1), 3, 8, "kWh")
    lines.number("1-0:3.8.0", house.reactive_varh, 3, 8, "kvarh")
    lines.number("1-0:4.8.0", 0, 3, 8, "kvarh")
    _power(lines, house, 3, 4, "kW")
    lines.number("1-0:3.7.0", abs(house.power_w) // 10, 3, 4, "kvar")
    lines.number("1-0:4.7.0", 0, 3, 4, "kvar")
    _phases(lines, house, 4, _SIGN_FIRST)
    _volts(lines, house)
    _amps(lines, house, 1, 3)


def _hu(lines: _Lines, house) -> None:
    lines.text("0-0:1.0.0", stamp(house.time))
    lines.text("0-0:42.0.0", "AUX1000000000005")
    lines.text("0-0:96.1.0", "1000000005")
    lines.text("0-0:96.14.0", "%04d" % (house.tariff + 1))
    lines.text("0-0:96.50.68", "ON")
    lines.number("0-0:17.0.0", 90000, 3, 2, "kW")
    _energy(lines, house, 3, 6, "kWh", True)
    lines.number("1-0:3.8.0", house.reactive_varh, 3, 6, "kvarh")
    lines.number("1-0:4.8.0", 0, 3, 6, "kvarh")
    _volts(lines, house)
    _amps(lines, house, 0, 3)
    lines.number("1-0:13.7.0", 995, 3, 1, "")
    lines.number("1-0:14.7.0", 4990 + house.time // 20 % 21, 2, 2, "Hz")
    _power(lines, house, 3, 2, "kW")
    lines.number("1-0:31.4.0", 63, 0, 3, "A")
    # The month's record of this meter has neither a count nor a list of codes.
    end = house.months[-1][0]
    month = [decimal(wh, 3, 6) + "*kWh" for wh in (663924, 383623, 280301)]
    lines.text("0-0:98.1.0", stamp(end), *month, "000015.142*kvarh", "12.212*kW")
    lines.text("0-0:96.13.0", "\xff" * 1024)


def _gas(lines: _Lines, channel: int, code: str, time: int, dm3: int, serial_code: str) -> None:
    lines.text("0-%d:24.1.0" % channel, "003")
    lines.text("0-%d:%s" % (channel, serial_code), _serial("G0099000000000001"))
    lines.number("0-%d:%s" % (channel, code), dm3, 3, 5, "m3", (stamp(time),))


_WRITERS = {
    "nl50": _nl50,
    "nl42": _nl42,
    "nl22": _nl22,
    "be": _be,
    "lu": _lu,
    "at": _at,
    "se": _se,
    "hu": _hu,
}
