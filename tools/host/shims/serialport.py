"""A serial device on CPython, by what names it: SerialPort("/dev/ttyUSB0"), "COM3", "socket://…".

Where there are terminals (Linux, macOS) a path is opened by the standard library alone; Windows'
ports, and pyserial's addresses of ports in the network (socket://host:port, rfc2217://host:port),
by pyserial. Bytes are read and written without waiting; OSError with a text for a person when the
device is missing or goes away.
"""

import errno

try:
    from serialport_posix import SerialPort as _Terminal
except ImportError:  # Windows has no termios
    _Terminal = None


class _Pyserial:
    """What serialport_posix.SerialPort is, by pyserial."""

    def __init__(self, path: str) -> None:
        try:
            import serial
        except ImportError:
            raise OSError(errno.ENODEV, f"{path}: pip install pyserial") from None

        self.path = path
        try:
            self._port = serial.serial_for_url(path, timeout=0, write_timeout=0)
        except (OSError, ValueError) as problem:
            text = "cannot be opened: is it there, and does no other program use it?"
            raise OSError(errno.ENODEV, f"{path} {text} ({problem})") from None

    def configure(self, baudrate: int, bits: int, parity: int | None, stop: int) -> None:
        """Set the line."""
        self._port.bytesize = bits
        self._port.parity = "N" if parity is None else "O" if parity else "E"
        self._port.stopbits = stop
        self._port.baudrate = baudrate

    def waiting(self) -> int:
        """Bytes that can be read at once (of a network's port: 1 when there are some)."""
        try:
            return self._port.in_waiting
        except OSError as problem:
            raise self._gone(problem) from None

    def readinto(self, buffer) -> int | None:
        """Bytes read into the buffer, None when there are none."""
        try:
            data = self._port.read(min(len(buffer), self._port.in_waiting))
        except OSError as problem:
            raise self._gone(problem) from None
        buffer[: len(data)] = data
        return len(data) or None

    def write(self, data) -> int | None:
        """Bytes taken, None while the device takes none."""
        import serial

        try:
            return self._port.write(data)
        except serial.SerialTimeoutException:
            return None
        except OSError as problem:
            raise self._gone(problem) from None

    def close(self) -> None:
        """Close the device; a second time does nothing."""
        self._port.close()

    def _gone(self, problem: OSError) -> OSError:
        if not self._port.is_open:
            return OSError(errno.EBADF, f"{self.path} is closed")
        text = f"{self.path} has gone: is the cable or its other end unplugged? ({problem})"
        return OSError(errno.EIO, text)


def SerialPort(path: str):  # noqa: N802 - a class of that name on the VM
    """The device behind a path, a name or an address."""
    if _Terminal is None or "://" in path:
        return _Pyserial(path)
    return _Terminal(path)
