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


def __getattr__(name: str):
    """Pin and its like: C code on a chip, so a VM with a small heap loads them only when used."""
    if name in ("Pin", "PWM", "ADC", "WDT", "RTC", "mem32"):
        import machine_parts

        return getattr(machine_parts, name)
    raise AttributeError(name)


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
