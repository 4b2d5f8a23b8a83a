"""The module `machine` for a computer: a UART is a serial device, pins are kept in memory.

The same file serves CPython and the MicroPython VM; the part that differs is `serialport`, which
stands beside it in shims/ (CPython) and in vm_shims/ (VM).

    uart = machine.UART("/dev/ttyUSB0", 115200)    # or a pty: "/dev/pts/5"
    count = uart.readinto(buffer)                  # None while nothing is there; never waits

A pty hands bytes over unchanged: it has no parity and no inversion, and as many bytes as the
kernel keeps (about 4 kB). Its other end can read the baud rate with termios.tcgetattr.
"""

import os
import sys

import serialport

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_KEEP = -1  # parity was not given; None and 0 have their own meanings

RESET_EXIT = 86  # exit status after reset(): whoever started the firmware may start it again


class UART:
    """A serial port with MicroPython's interface. Raises OSError when the device is not there."""

    INV_TX = 1
    INV_RX = 2
    INV_RTS = 4
    INV_CTS = 8

    def __init__(self, id: str, baudrate: int = 9600, bits: int = 8, parity=None, **options):
        if not isinstance(id, str):
            raise ValueError(
                "On a computer a UART is named by its device path, such as '/dev/ttyUSB0', not by"
                f" {id!r}."
            )
        self._port = serialport.SerialPort(id)
        self.baudrate = baudrate
        self.options = {"stop": 1}
        try:
            self.init(baudrate, bits, parity, **options)
        except Exception:
            self._port.close()
            raise

    def init(self, baudrate: int = 0, bits: int = 0, parity=_KEEP, **options) -> None:
        """Change settings; those not given stay. parity: None, 0 (even) or 1 (odd)."""
        if options.get("timeout"):
            raise ValueError("UART(timeout=...) is not for this firmware: readers never wait.")
        if baudrate:
            self.baudrate = baudrate
        if bits:
            self.options["bits"] = bits
        if parity != _KEEP:
            self.options["parity"] = parity
        # tx, rx, rxbuf, invert and the like concern the chip: kept for tests to look at.
        self.options.update(options)
        settings = self.options
        self._port.configure(self.baudrate, settings["bits"], settings["parity"], settings["stop"])

    def any(self) -> int:
        """Bytes that can be read now (on the VM: 1 when there are some)."""
        return self._port.waiting()

    def readinto(self, buffer, count: int | None = None) -> int | None:
        """Read what is there into the buffer; the number of bytes, or None for nothing."""
        if count is not None and count < len(buffer):
            buffer = memoryview(buffer)[:count]
        return self._port.readinto(buffer)

    def read(self, count: int = 256) -> bytes | None:
        """Read at most count bytes of what is there; None for nothing."""
        buffer = bytearray(count)
        got = self._port.readinto(buffer)
        return None if got is None else bytes(memoryview(buffer)[:got])

    def write(self, data) -> int | None:
        """Send bytes; the number taken, or None while the device takes none."""
        return self._port.write(data)

    def deinit(self) -> None:
        """Close the device."""
        self._port.close()


class Pin:
    """A pin that remembers its level. Objects with the same id are the same pin."""

    IN = 0
    OUT = 1
    OPEN_DRAIN = 2
    PULL_UP = 1
    PULL_DOWN = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2

    levels = {}  # id -> 0 or 1: tests read outputs and set inputs here
    handlers = {}  # id -> (handler, trigger)

    def __init__(self, id, mode: int = -1, pull=-1, value: int | None = None, **options) -> None:
        self.id = id
        self.levels.setdefault(id, 1 if pull == self.PULL_UP else 0)
        self.init(mode, pull, value)

    def init(self, mode: int = -1, pull=-1, value: int | None = None, **options) -> None:
        """Set mode, pull and level; what is not given stays."""
        self.mode = mode
        self.pull = pull
        if value is not None:
            self.levels[self.id] = 1 if value else 0

    def value(self, level=None) -> int | None:
        """Return the level, or set it."""
        if level is None:
            return self.levels[self.id]
        self.levels[self.id] = 1 if level else 0

    __call__ = value

    def on(self) -> None:
        """Set the level to 1."""
        self.value(1)

    def off(self) -> None:
        """Set the level to 0."""
        self.value(0)

    def toggle(self) -> None:
        """Change the level."""
        self.value(not self.value())

    def irq(self, handler=None, trigger: int = 3, **options) -> None:
        """Keep the handler; a test fires it."""
        self.handlers[self.id] = (handler, trigger)


class ADC:
    """An analogue input; tests set its reading (0 to 65535) in ADC.levels."""

    levels = {}  # id of the pin -> 0..65535

    def __init__(self, pin, **options) -> None:
        self.id = pin.id if isinstance(pin, Pin) else pin

    def read_u16(self) -> int:
        """The reading, 0 to 65535."""
        return self.levels.get(self.id, 0)


class WDT:
    """A watchdog that only counts: on a computer a person sees the program hang."""

    last = None  # the object made last, for tests

    def __init__(self, id: int = 0, timeout: int = 5000) -> None:
        self.timeout_ms = timeout
        self.fed = 0
        WDT.last = self

    def feed(self) -> None:
        """Count one feed."""
        self.fed += 1


def reset() -> None:
    """End the program with the exit status RESET_EXIT."""
    raise SystemExit(RESET_EXIT)


soft_reset = reset


def reset_cause() -> int:
    """PWRON_RESET, or what the variable JOULELOG_RESET_CAUSE says."""
    return int(os.getenv("JOULELOG_RESET_CAUSE") or PWRON_RESET)


def unique_id() -> bytes:
    """Six bytes that stay the same on this computer and do not tell its machine-id."""
    import hashlib

    try:
        with open("/etc/machine-id", "rb") as file:
            seed = file.read()
    except OSError:
        seed = sys.platform.encode()
    return hashlib.sha256(b"joulelog" + seed).digest()[:6]


def freq(hertz: int | None = None) -> int | None:
    """160 MHz, like a chip; the speed of a computer cannot be set."""
    return 160000000 if hertz is None else None


def idle() -> None:
    """There is nothing to save here."""
