"""A serial device on the MicroPython VM for Unix: open, set up, read and write without waiting.

Whoever starts the VM must not make it a session leader (no setsid): the VM cannot open a terminal
without O_NOCTTY, and a hang-up would end it.
"""

import errno
import select
import termios

from micropython import const

# Linux's values; the VM's termios names hardly any.
_CSTOPB = const(0o100)
_CREAD = const(0o200)
_PARENB = const(0o400)
_PARODD = const(0o1000)
_CLOCAL = const(0o4000)
_VTIME = const(5)
_VMIN = const(6)
_BAUDRATES = {
    300: 7,
    1200: 9,
    2400: 11,
    4800: 12,
    9600: 13,
    19200: 14,
    38400: 15,
    57600: 0x1001,
    115200: 0x1002,
    230400: 0x1003,
}


class SerialPort:
    """Raises OSError with a text for a person when the device is missing or goes away."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._file = open(path, "r+b", buffering=0)  # noqa: SIM115 - until close()
        except OSError as problem:
            raise OSError(
                problem.errno,
                f"{path} cannot be opened ({errno.errorcode.get(problem.errno)})",
            )
        # One poll object for the port: a read of 0 bytes is looked at more closely with it.
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN | select.POLLOUT)

    def configure(self, baudrate: int, bits: int, parity: int | None, stop: int) -> None:
        """Set the line: raw bytes, no flow control."""
        speed = _BAUDRATES.get(baudrate)
        if speed is None or not 5 <= bits <= 8:
            raise ValueError(f"{self.path} cannot do {baudrate} baud with {bits} bits")
        control = (bits - 5) << 4 | _CREAD | _CLOCAL
        if parity is not None:
            control |= _PARENB | (_PARODD if parity else 0)
        if stop == 2:
            control |= _CSTOPB
        handle = self._file.fileno()
        try:
            characters = termios.tcgetattr(handle)[6]
        except OSError as problem:
            raise OSError(problem.errno, f"{self.path} is not a serial device")
        # The file is a blocking one: VMIN=VTIME=0 makes its reads return with what is there.
        characters[_VMIN] = 0
        characters[_VTIME] = 0
        settings = [0, 0, control, 0, speed, speed, characters]
        try:
            termios.tcsetattr(handle, termios.TCSANOW, settings)
        except OSError:  # a pty has no parity: glibc complains where all else is the same
            settings[2] &= ~_PARENB
            termios.tcsetattr(handle, termios.TCSANOW, settings)

    def waiting(self) -> int:
        """1 when there are bytes to read, else 0."""
        return 1 if self._events() & select.POLLIN else 0

    def readinto(self, buffer) -> int | None:
        """Bytes read into the buffer, None when there are none."""
        try:
            count = self._file.readinto(buffer)
        except OSError as problem:
            raise self._gone(problem.errno)
        if count:
            return count
        if self._events() & (select.POLLHUP | select.POLLERR):
            raise self._gone(errno.EIO)
        return None

    def write(self, data) -> int | None:
        """Bytes taken, None while the device takes none."""
        events = self._events()
        if events & (select.POLLHUP | select.POLLERR):
            raise self._gone(errno.EIO)
        if not events & select.POLLOUT:
            return None
        # What the line buffer surely takes at once: a longer write would wait.
        return self._file.write(memoryview(data)[:256])

    def close(self) -> None:
        """Close the device; a second time does nothing."""
        self._file.close()

    def _events(self) -> int:
        for entry in self._poll.ipoll(0):
            return entry[1]
        return 0

    def _gone(self, number: int) -> OSError:
        return OSError(number, f"{self.path} has gone: is the cable or its other end unplugged?")
