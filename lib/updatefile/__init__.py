"""An update of the firmware as one file: a head of 1 kB, and the application behind it.

    head = updatefile.Head(data[:updatefile.HEAD])       # UpdateError says what to do
    head.check("ESP32_GENERIC", "esp32", layout, room)   # the same
    head.not_older("0.1.0", "2026-11-20T10:00:00Z")      # the same
    signature = head.signature(modulus)                  # updatefile/rsa.py
    while not signature.step(): ...                      # the others' turn
    signature.good

The head, numbers little-endian, texts ASCII and filled up with zeros:

| at  | bytes | what                                                                     |
|-----|-------|--------------------------------------------------------------------------|
| 0   | 8     | JLUPDATE                                                                 |
| 8   | 4     | version of this format: 1                                                |
| 12  | 4     | bytes of the application                                                 |
| 16  | 32    | SHA-256 of the application                                               |
| 48  | 32    | board                                                                    |
| 80  | 16    | chip                                                                     |
| 96  | 32    | layout: CRC-32 of the partition table's rows, see layout()               |
| 128 | 32    | version: numbers with dots                                               |
| 160 | 32    | when it was built: ISO 8601, UTC                                         |
| 192 | 448   | zeros                                                                    |
| 640 | 384   | RSA-3072 signature of the 640 bytes before it, PKCS#1 v1.5 with SHA-256  |

The signature covers the hash, and so the application. Every refusal has a name besides its text.
"""

import crc32
from micropython import const

HEAD = 1024
_SIGNED = const(640)
_FORMAT = const(1)
_MAGIC = b"JLUPDATE"
_IMAGE_MAGIC = const(0xE9)  # first byte of what a cable writes
# (name, at, bytes) of the texts
_TEXTS = (
    ("board", 48, 32),
    ("chip", 80, 16),
    ("layout", 96, 32),
    ("version", 128, 32),
    ("made", 160, 32),
)
_FILLING = const(192)  # from here to the signature
_ALLOWED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:"
_DATE = const(20)  # characters
_OTHER = "take the file of this board: joulelog-<version>-%s.update"


class UpdateError(Exception):
    """What is wrong with a file. args: (a name, what to do about it)."""


class Head:
    """The first 1 kB, taken apart; UpdateError where it is none."""

    def __init__(self, data) -> None:
        data = bytes(data)
        if data[:8] != _MAGIC[: len(data)] or not data:
            if data and data[0] == _IMAGE_MAGIC:
                text = "this is an image for the cable: the file for updates ends in .update"
                raise UpdateError("magic", text)
            raise UpdateError("magic", "this is no update: its name ends in .update")
        if len(data) < HEAD:
            raise UpdateError("head", "the file ends within its first kilobyte: fetch it again")
        if _number(data, 8) != _FORMAT:
            text = "this firmware reads updates of format %d, not %d: take the cable"
            raise UpdateError("format", text % (_FORMAT, _number(data, 8)))
        self.size = _number(data, 12)
        self.digest = data[16:48]
        found = {}
        for name, at, size in _TEXTS:
            found[name] = _text(data[at : at + size], name)
        if data[_FILLING:_SIGNED] != bytes(_SIGNED - _FILLING) or not self.size:
            raise UpdateError("head", "the first kilobyte is damaged: fetch the file again")
        self.board = found["board"]
        self.chip = found["chip"]
        self.layout = found["layout"]
        self.version = found["version"]
        self.made = found["made"]
        if numbers(self.version) is None or len(self.made) != _DATE:
            raise UpdateError("head", "the first kilobyte is damaged: fetch the file again")
        self._signed = data[:_SIGNED]
        self._signature = data[_SIGNED:]

    def check(self, board: str, chip: str, layout: str, room: int) -> None:
        """UpdateError unless it is for this board, and fits into a slot of so many bytes."""
        other = _OTHER % board
        if self.board != board:
            text = "this update is for the board %s, and this is %s; %s"
            raise UpdateError("board", text % (self.board, board, other))
        if self.chip != chip:
            text = "this update is for the chip %s, and this is an %s; %s"
            raise UpdateError("chip", text % (self.chip, chip, other))
        if self.layout != layout:
            text = (
                "this update is for another partition table (%s, not %s), which no update can "
                "change: write the whole image with a cable (make micropython)"
            )
            raise UpdateError("layout", text % (self.layout, layout))
        if self.size > room:
            text = "the application has %d bytes, and its place on the flash %d: build it smaller"
            raise UpdateError("large", text % (self.size, room))

    def is_newer(self, version: str, made: str) -> bool:
        """Whether it comes after this one; made: "source" where that was not built."""
        return _order(self.version, self.made, made) > _order(version, made, made)

    def not_older(self, version: str, made: str) -> None:
        """UpdateError where it comes before this one."""
        if _order(self.version, self.made, made) < _order(version, made, made):
            text = (
                "this update is older (%s of %s) than what runs (%s of %s): force it, if you must"
            )
            raise UpdateError("older", text % (self.version, self.made, version, made))

    def signature(self, modulus: bytes):
        """Its check by a public key, in steps: see updatefile/rsa.py."""
        from .rsa import Signature

        return Signature(modulus, self._signature, self._signed)


def layout(rows) -> str:
    """The text for a partition table; rows: (type, subtype, address, size, label) of each."""
    state = crc32.START
    for row in sorted(rows, key=lambda row: row[2]):
        state = crc32.update(state, ("%d %d %d %d %s\n" % tuple(row)).encode())
    return crc32.text_of(state)


def numbers(version: str) -> tuple | None:
    """The numbers of a version; None where it is none."""
    found = version.split(".")
    for part in found:
        if not part.encode().isdigit() or len(part) > 6:
            return None
    return tuple([int(part) for part in found])


def _order(version: str, made: str, known: str) -> tuple:
    """What versions are compared by; known: the date of what runs, if it has one."""
    return numbers(version) or (), made if len(known) == _DATE else ""


def _number(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24


def _text(data: bytes, name: str) -> str:
    end = data.find(b"\x00")
    text = data[: end if end >= 0 else len(data)]
    if not text or data[len(text) :] != bytes(len(data) - len(text)):
        raise UpdateError("head", "the %s in the first kilobyte is damaged: fetch it again" % name)
    for byte in text:
        if byte not in _ALLOWED:
            raise UpdateError(
                "head", "the %s in the first kilobyte is damaged: fetch it again" % name
            )
    return text.decode()
