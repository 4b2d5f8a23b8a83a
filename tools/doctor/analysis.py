"""What a UART heard on a P1 line, judged in plain words: bytes in, words out, no I/O.

    report = analyse({(115200, "8N1"): heard})
    report.verdict, report.lines, report.entry

Imports nothing that a board lacks.

How an upside-down line is told from noise: on an inverted 8N1 line each start bit is high and
each stop bit low, so a UART takes the falling edge at a stop bit for its start bit. It then
hears, in this order: the next start bit (high), data bits 0 to 6 inverted, and takes bit 7
inverted (high, as the text is ASCII) for a good stop bit. So a byte b comes as
(~b & 0x7F) << 1 | 1, the whole line stays in that step, and the text can be had back. A run of
"0" comes as 9F. In 7E1 the parity bit takes the stop bit's place, so only stretches of
characters with even parity come back: enough to see codes such as 0-0:96.
"""

from dsmr.frame import BAD, Framer
from dsmr.frame import OK as OK_CRC

# Verdicts, the most telling first: of several samples the first one found here counts.
OK = "ok"
BAD_CRC = "bad_crc"
ENCRYPTED = "encrypted"
PARITY = "parity"
INVERTED = "inverted"
PIECES = "pieces"
WRONG_SPEED = "wrong_speed"
NOISE = "noise"
SILENT = "silent"
_ORDER = (OK, BAD_CRC, ENCRYPTED, PARITY, INVERTED, PIECES, WRONG_SPEED, NOISE, SILENT)

_TOKENS = (b"0-0:", b"1-0:", b"0-1:", b"(000", b"*kW")
_ONE_EDGE = b"\x00\x80\xc0\xe0\xf0\xf8\xfc\xfe\xff"  # a sender much slower than the listener
_LINE_BYTES = 2560
_DEVICES = {
    3: "gas",
    4: "heat",
    6: "warm water",
    7: "water",
    10: "cooling",
    12: "heat",
    13: "heat",
}
_MAKERS = (
    ("Lux5", "Luxembourg Smarty", "Luxembourg"),
    ("EST5", "Energienetze Steiermark", "Austria"),
    ("FLU5", "Fluvius", "Belgium"),
    ("ESO5", "", "Lithuania"),
    ("AUX5", "Sanxing", "Hungary"),
    ("SAG5", "Sagemcom", "Hungary"),
    ("WSE5", "Wasion", "Hungary"),
    ("ELL5", "", "Sweden"),
    ("ADN9", "Aidon", "Sweden"),
    ("LGF5", "Landis+Gyr", "Sweden"),
    ("NES5", "NES", "Denmark"),
    ("GRE5", "", "Switzerland"),
    ("KAM5", "Kamstrup", "Sweden, Norway or Denmark"),
    ("KMP5", "Kamstrup", ""),
    ("Ene5", "Sagemcom", ""),
    ("ISk5", "Iskraemeco", ""),
    ("ISK5", "Iskraemeco", ""),
    ("KFM5", "Kaifa", ""),
    ("XMX5", "Landis+Gyr", ""),
)


class Report:
    """What analyse() found: a verdict, the words for it, and the config entry to paste or ""."""

    def __init__(self, verdict: str, lines: list, entry: str = "") -> None:
        self.verdict = verdict
        self.lines = lines
        self.entry = entry


class _Heard:
    """Listens to a Framer and remembers what matters."""

    def __init__(self, data: bytes) -> None:
        self.header = ""
        self.good = 0
        self.bad = 0
        self.no_crc = 0
        self.lines = 0
        self.version = ""
        self.belgian_version = ""
        self.has_clock = False
        self.devices: list = []
        self._pending: list = []
        self._framer = Framer(bytearray(_LINE_BYTES), self)
        self._framer.feed(data, 0, len(data))
        self._framer.flush()
        self.longest = self._framer.longest_telegram
        self.interrupted = self._framer.interrupted
        # What the meter sends in place of a CRC, or "".
        constant = self._framer.wrong_alike > 1 and not self.good
        self.constant = "%04X" % self._framer.wrong_crc if constant else ""

    def begin(self, line: bytes) -> None:
        """A telegram begins."""
        self._pending = [line]

    def line(self, line: bytes) -> None:
        """A line of it; to be believed only at its end."""
        if len(line) > 4 and line[1] == 45 and line[3] == 58 and b"(" in line:
            self.lines += 1
            self._pending.append(line)

    def end(self, crc: int) -> None:
        """A telegram is complete."""
        if crc == BAD:
            self.bad += 1
            return
        if crc != OK_CRC and len(self._pending) < 3:  # a '/' and a '!' in noise
            return
        self.good += 1
        if crc != OK_CRC:
            self.no_crc += 1
        self.header = _printable(self._pending[0])
        for line in self._pending[1:]:
            self._learn(line)

    def _learn(self, line: bytes) -> None:
        opening = line.find(b"(")
        code = line[:opening]
        value = _printable(line[opening + 1 : line.find(b")", opening)])
        if code == b"1-3:0.2.8":
            self.version = value
        elif code == b"0-0:96.1.4":
            self.belgian_version = value
        elif code == b"0-0:1.0.0":
            self.has_clock = True
        elif code[:2] == b"0-" and code[3:] == b":24.1.0" and value.isdigit():
            device = (code[2] - 48, int(value))
            if device not in self.devices:
                self.devices.append(device)


def analyse(samples: dict, seconds: dict | None = None, uart: int | str = 2) -> Report:
    """Judge what was heard: {(baud, "8N1" or "7E1"): bytes}.

    seconds: how long, same keys; uart: what the config entry shall name.
    """
    best = None
    for setting in samples:
        found = _judge(setting, samples[setting], (seconds or {}).get(setting, 0))
        if best is None or _ORDER.index(found.verdict) < _ORDER.index(best.verdict):
            best = found
    best = best or _silent()
    if best.entry:
        name = str(uart) if isinstance(uart, int) else '"%s"' % uart
        best.entry = best.entry.replace("UART", name, 1)
    return best


def _judge(setting: tuple, data: bytes, seconds: int) -> Report:
    if not data:
        return _silent()
    title = _encrypted_frames(data)
    if title:
        return _encrypted(setting, *title)
    heard = _Heard(data)
    if heard.good or (heard.bad and heard.lines > 4):
        return _telegrams(setting, heard, seconds)
    if setting[1] == "8N1" and _even_parity(data):
        stripped = _Heard(bytes([byte & 127 for byte in data]))
        if stripped.good or stripped.lines > 4:
            return _parity(setting, stripped)
    undone = uninverted(data, setting[1])
    if _tokens(undone) > max(3, 2 * _tokens(data)):
        return _inverted(setting, undone)
    if heard.lines > 4 or _tokens(data) > 8:
        return _pieces(setting, heard)
    return _no_text(setting, data)


def uninverted(data: bytes, mode: str = "8N1") -> bytes:
    """The text behind what a UART hears on an inverted line; see the module's text."""
    mask = 127 if mode == "8N1" else 63
    return bytes([((byte >> 1) ^ mask) & mask for byte in data])


def _tokens(data: bytes) -> int:
    return sum([data.count(token) for token in _TOKENS])


def _even_parity(data: bytes) -> bool:
    """True where nearly every byte has an even number of ones, and not all are plain text."""
    even = high = 0
    for byte in data:
        high += byte >> 7
        bits = byte ^ byte >> 4
        bits ^= bits >> 2
        even += 1 - ((bits ^ bits >> 1) & 1)
    return high > 0 and even * 20 >= len(data) * 19


def _encrypted_frames(data: bytes) -> tuple | None:
    """(frames, bytes of the longest one) of DLMS general-global-cipher frames, or None."""
    frames = longest = 0
    at = data.find(b"\xdb\x08")
    while 0 <= at <= len(data) - 18:
        step = 2
        if data[at + 10] == 0x82 and data[at + 13] in (0x20, 0x30):
            size = 13 + (data[at + 11] << 8 | data[at + 12])
            if 64 < size < 8192:
                frames += 1
                longest = max(longest, size)
                step = size
        at = data.find(b"\xdb\x08", at + step)
    return (frames, longest) if frames else None


def _silent() -> Report:
    return Report(
        SILENT,
        [
            "I hear nothing at all: the line does not move.",
            "Is the plug in the P1 port, and pushed in until it clicks? (S1 is another port.)",
            "Is the port activated? In Belgium that is done on the grid operator's site.",
            "Is the data request line high? RJ12 pin 2 wants 5 V.",
            "Is the data line pulled up? The port only pulls it down: 1 to 10 kOhm to 3.3 V.",
            "Is ground connected, and is it the right pin? RJ12 pin 3 belongs to the data.",
        ],
    )


def _telegrams(setting: tuple, heard: _Heard, seconds: int) -> Report:
    total = heard.good + heard.bad
    lines = [
        "I hear P1 telegrams at %d %s: %d good, %d with a wrong CRC%s."
        % (setting[0], setting[1], heard.good, heard.bad, _interrupted(heard))
    ]
    if heard.good:
        lines += _meter(heard)
    if seconds > 0:
        lines.append("About %d telegrams a minute." % ((total * 60 + seconds // 2) // seconds))
    lines.append("The longest telegram has %d bytes." % heard.longest)
    verdict = OK
    if heard.bad * 20 > total:  # one in twenty
        verdict = BAD_CRC
        if heard.constant:
            lines += [
                "The CRC is always %s, which is none: this meter computes no CRC. The entry"
                % heard.constant,
                "below reads it all the same; what the line bends is then believed, too.",
            ]
            return Report(verdict, lines, _entry(setting, '"crc": "ignore"'))
        lines += [
            "%d of %d CRCs are wrong (%d %%): bytes get lost or bent on the way."
            % (heard.bad, total, heard.bad * 100 // total),
            "Look at the cable (short, ground on pin 3), and at the pull-up: a weak one makes",
            "slow edges at 115200 baud, so take 1 to 4.7 kOhm.",
        ]
    return Report(verdict, lines, _entry(setting))


def _interrupted(heard: _Heard) -> str:
    return ", %d broken off" % heard.interrupted if heard.interrupted else ""


def _meter(heard: _Heard) -> list:
    maker, country = _maker(heard)
    lines = ["The meter says it is %s%s." % (heard.header or "(nothing)", maker)]
    lines.append("Its dialect: %s%s." % (_dialect(heard), country))
    if not heard.has_clock:
        lines.append("It sends no time: the board's clock will be used.")
    for channel, kind in sorted(heard.devices):
        name = _DEVICES.get(kind, "a device of type %d" % kind)
        lines.append("On M-Bus channel %d: %s." % (channel, name))
    return lines


def _maker(heard: _Heard) -> tuple:
    """(" (maker)" or "", ", from country" or "")."""
    maker = country = ""
    for prefix, name, place in _MAKERS:
        if heard.header.startswith(prefix):
            maker, country = name, place
    if heard.belgian_version:
        country = ""  # the dialect says it
    elif not country and heard.version:
        country = "the Netherlands, most likely"
    return maker and " (%s)" % maker, country and ", from " + country


def _dialect(heard: _Heard) -> str:
    if heard.belgian_version:
        return "e-MUCS (Belgium), version %s" % heard.belgian_version
    if len(heard.version) == 2:
        return "DSMR %s.%s" % (heard.version[0], heard.version[1])
    if heard.no_crc:
        return "without a CRC, as DSMR 2.2 and 3"
    return "without a version number"


def _encrypted(setting: tuple, frames: int, longest: int) -> Report:
    return Report(
        ENCRYPTED,
        [
            "I hear %d encrypted telegrams at %d %s, up to %d bytes long."
            % (frames, setting[0], setting[1], longest),
            "Luxembourg and some Austrian grid operators encrypt. Ask yours for the key of this",
            "meter's customer port (32 hexadecimal digits) and write it into the entry.",
            "In Luxembourg the auth_key is 00112233445566778899AABBCCDDEEFF for everybody;",
            "without an auth_key the telegrams are read too, and only their CRC is checked.",
        ],
        _entry(setting, '"key": "<32 hexadecimal digits>"'),
    )


def _parity(setting: tuple, heard: _Heard) -> Report:
    right = (setting[0], "7E1")
    lines = ["I hear text whose bit 7 is an even parity bit: the line is %d 7E1." % setting[0]]
    if heard.good:
        lines += _meter(heard)
    return Report(PARITY, lines, _entry(right))


def _inverted(setting: tuple, undone: bytes) -> Report:
    heard = _Heard(undone)
    lines = [
        "The signal is upside down: at %d %s I hear P1 text with all bits inverted." % setting,
        "The P1 port's output is inverted by design. Let the chip turn it round (ESP32: the entry",
        "below), or put a transistor in between. An FTDI cable can be set to invert with FT_PROG.",
        "With a transistor and `invert` at once it is turned round twice: take one of them away.",
    ]
    if heard.good:
        lines += _meter(heard)
    return Report(INVERTED, lines, _entry(setting, '"invert": True'))


def _pieces(setting: tuple, heard: _Heard) -> Report:
    return Report(
        PIECES,
        [
            "I hear lines of a meter at %d %s, but no complete telegram%s."
            % (setting[0], setting[1], _interrupted(heard)),
            "Listen longer (--seconds 60). If that does not help, telegrams break off: the data",
            "request line (RJ12 pin 2) must stay high, and the supply must not sag.",
        ],
        _entry(setting),
    )


def _no_text(setting: tuple, data: bytes) -> Report:
    edges = sum([1 for byte in data if byte in _ONE_EDGE])
    if len(data) >= 20 and edges * 10 >= len(data) * 9:
        return Report(
            WRONG_SPEED,
            [
                "At %d %s I hear long runs of zeros and ones only: the sender is slower."
                % setting,
                "P1 ports speak 115200 8N1 or 9600 7E1. If neither gives text, this may be",
                "another kind of port, or a line that is held low (data and ground swapped?).",
            ],
        )
    return Report(
        NOISE,
        [
            "I hear %d bytes at %d %s, but nothing that looks like a meter."
            % ((len(data),) + setting),
            "Is ground connected (RJ12 pin 3)? Is the data line pulled up, and not left floating?",
            "Is this the P1 port? Its neighbour S1 sends raw samples: unplug from there.",
            "An encrypted signal that is upside down as well looks like this, too.",
        ],
    )


def _entry(setting: tuple, extra: str = "") -> str:
    """A reader's entry for config.py; the reader finds the line's settings by itself."""
    parts = ['"type": "dsmr"', '"uart": UART']
    if setting[0] == 9600:
        parts.append('"baud": 9600')
    if extra:
        parts.append(extra)
    return "{" + ", ".join(parts) + "},"


def _printable(data: bytes) -> str:
    return "".join([chr(byte) for byte in data if 32 <= byte < 127])
