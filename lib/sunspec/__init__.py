"""SunSpec: find the models in a device, and read inverters and meters by tables.

    scan = Scan()
    while scan.want:                      # (register, how many), of holding registers
        scan.take(payload)                # b"" where the device refuses
    scan.models                           # [(103, 40069, 50), ...]: id, register, length
    scan.error                            # "" or why there are none

SunSpec Device Information Model Specification 1.1, sections 4 and 6.3: the marker "SunS" at one
of three places, and behind it models, each with its id and its length, up to the id 0xFFFF. What
the registers of a model mean: device.py.
"""

from micropython import const

BASES = (40000, 50000, 0)
FUNCTION = const(3)
_MARKER = b"SunS"
_END = const(0xFFFF)
_MOST_MODELS = const(80)
_COMMON = const(1)
# Of the common model: (offset, registers).
MAKER_AND_MODEL = (2, 32)
SERIAL = (50, 16)

INVERTERS = (101, 102, 103, 111, 112, 113)
METERS = (201, 202, 203, 204, 211, 212, 213, 214)


class Scan:
    """Walks from model to model."""

    def __init__(self) -> None:
        self.models: list = []
        self.error = ""
        self.want: tuple | None = (BASES[0], 2)
        self._tried = 1
        self._at = 0  # the register of the next model, 0 before the marker is found

    def take(self, payload: bytes) -> None:
        """The answer to what was wanted."""
        register = self.want[0] if self.want else 0
        if not self._at:
            if payload == _MARKER:
                self._go(register + 2)
            elif self._tried < len(BASES):
                self.want = (BASES[self._tried], 2)
                self._tried += 1
            else:
                self._end('it has no "SunS" in its registers: is SunSpec switched on?')
            return
        model = payload[0] << 8 | payload[1] if len(payload) == 4 else _END
        if model == _END or not model:  # there are devices that refuse to be read beyond their end
            self._end("")
            return
        length = payload[2] << 8 | payload[3]
        self.models.append((model, register, length))
        if len(self.models) == _MOST_MODELS:
            self._end("")
        else:
            self._go(register + 2 + length)

    def _go(self, register: int) -> None:
        self._at = register
        self.want = (register, 2)
        if register > 0x10000 - 2:
            self._end("")

    def _end(self, error: str) -> None:
        self.want = None
        self.error = error


def known(models: list) -> list:
    """[(id, register, length, register of its common model or None), ...] of what is measured."""
    found = []
    common = None
    for model, register, length in models:
        if model == _COMMON and length >= SERIAL[0] + SERIAL[1] - 2:
            common = register
        elif model in INVERTERS or model in METERS:
            found.append((model, register, length, common))
    return found


def text(payload: bytes, start: int = 0, end: int = 255) -> str | None:
    """A text of the common model; None for none."""
    found = payload[start:end].split(b"\0")[0].strip()
    for byte in found:
        if not 32 <= byte < 127:
            return None
    return found.decode() or None
