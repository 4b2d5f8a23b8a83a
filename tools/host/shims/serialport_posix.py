"""A serial device by the standard library alone (Linux, macOS): open, set up, read and write."""

import array
import errno
import fcntl
import os
import termios

_SIZES = {5: termios.CS5, 6: termios.CS6, 7: termios.CS7, 8: termios.CS8}


class SerialPort:
    """Raises OSError with a text for a person when the device is missing or goes away."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            # O_NONBLOCK also keeps open() from waiting for a carrier, O_NOCTTY keeps a hang-up
            # from ending this process.
            self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as problem:
            raise OSError(
                problem.errno, f"{path}: {os.strerror(problem.errno or 0)}{_advice(problem)}"
            ) from None
        if not os.isatty(self._fd):
            os.close(self._fd)
            raise OSError(errno.ENOTTY, f"{path} is not a serial device")

    def configure(self, baudrate: int, bits: int, parity: int | None, stop: int) -> None:
        """Set the line: raw bytes, no flow control."""
        speed = getattr(termios, f"B{baudrate}", None)
        if speed is None or bits not in _SIZES:
            raise ValueError(f"{self.path} cannot do {baudrate} baud with {bits} bits")
        control = _SIZES[bits] | termios.CREAD | termios.CLOCAL
        if parity is not None:
            control |= termios.PARENB | (termios.PARODD if parity else 0)
        if stop == 2:
            control |= termios.CSTOPB
        characters = termios.tcgetattr(self._fd)[6]
        # With VMIN=1 a read that returns b"" means that the device is gone, and nothing else.
        characters[termios.VMIN] = 1
        characters[termios.VTIME] = 0
        settings = [0, 0, control, 0, speed, speed, characters]
        try:
            termios.tcsetattr(self._fd, termios.TCSANOW, settings)
        except termios.error:  # a pty has no parity: glibc complains where all else is the same
            settings[2] &= ~termios.PARENB
            termios.tcsetattr(self._fd, termios.TCSANOW, settings)

    def waiting(self) -> int:
        """Bytes that can be read at once."""
        count = array.array("i", [0])
        fcntl.ioctl(self._fd, termios.FIONREAD, count, True)
        return count[0]

    def readinto(self, buffer) -> int | None:
        """Bytes read into the buffer, None when there are none."""
        try:
            count = os.readv(self._fd, [buffer])
        except BlockingIOError:
            return None
        except OSError as problem:
            raise self._gone(problem.errno) from None
        if not count and len(buffer):
            raise self._gone(errno.EIO)
        return count

    def write(self, data) -> int | None:
        """Bytes taken, None while the device takes none."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return None
        except OSError as problem:
            raise self._gone(problem.errno) from None

    def close(self) -> None:
        """Close the device; a second time does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _gone(self, number: int | None) -> OSError:
        if self._fd < 0:
            return OSError(errno.EBADF, f"{self.path} is closed")
        return OSError(number, f"{self.path} has gone: is the cable or its other end unplugged?")


def _advice(problem: OSError) -> str:
    if problem.errno == errno.EACCES:
        return "; add yourself to the group that owns it (dialout on most systems)"
    if problem.errno == errno.ENOENT:
        return "; plug the cable in, or name the device that it has (ls /dev/tty* /dev/cu.*)"
    return ""
