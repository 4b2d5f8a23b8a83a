"""Say why a serial port cannot be used, in words that help. Standard library only.

problem = fault("/dev/ttyUSB0")      # None: it can be opened
"""

import errno
import glob
import os
import stat

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_PATTERNS = ("/dev/ttyUSB*", "/dev/ttyACM*", "/dev/cu.usb*", "/dev/cu.wch*")


def present() -> list[str]:
    """The serial ports of this computer that a board may be on."""
    if os.name == "nt":
        from serial.tools import list_ports

        return sorted(found.device for found in list_ports.comports())
    return sorted(path for pattern in _PATTERNS for path in glob.glob(pattern))


def is_there(port: str) -> bool:
    """Whether the computer still has this port."""
    if os.name == "nt":
        return port.upper() in map(str.upper, present())
    return os.path.exists(port) or "://" in port


def fault(port: str | None) -> str | None:
    """What is wrong with a port, or None."""
    others = present()
    advice = "ports here: " + ", ".join(others) if others else "no serial port is here at all"
    if not port:
        return f"which port is it? PORT=… is missing, or --port without make ({advice})"
    if "://" in port:  # of pyserial: a port in the network
        return None
    if os.name == "nt":  # COM3 and the like are no files
        return None if is_there(port) else f"{port} is not there ({advice})"
    try:
        mode = os.stat(port).st_mode
    except OSError as problem:
        if problem.errno == errno.EACCES:
            return _no_permission(port)
        return (
            f"{port} is not there ({advice}). Is the board plugged in, and its cable one that"
            " carries data?"
        )
    if not stat.S_ISCHR(mode):
        return f"{port} is no serial port ({advice})"
    if not os.access(port, os.R_OK | os.W_OK):
        return _no_permission(port)
    return _busy(port)


def _busy(port: str) -> str | None:
    if fcntl is None:
        return None
    try:
        handle = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as problem:
        if problem.errno == errno.EACCES:
            return _no_permission(port)
        if problem.errno == errno.EBUSY:
            return _in_use(port)
        return f"{port} cannot be opened: {os.strerror(problem.errno or 0)}"
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # mpremote and pyserial hold this lock
    except OSError:
        return _in_use(port)
    finally:
        os.close(handle)
    return None


def _in_use(port: str) -> str:
    return f"{port} is in use: close the other program (a terminal, mpremote, an IDE)"


def _no_permission(port: str) -> str:
    return (
        f"you may not use {port}. On most systems: sudo usermod -a -G dialout $USER"
        " (Arch: uucp), then log out and in again"
    )
