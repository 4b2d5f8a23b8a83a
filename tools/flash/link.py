"""Talk to MicroPython on a serial port, with mpremote's transport.

    with Link("/dev/ttyUSB0") as link, link.left_running():
        link.attach()                          # a raw REPL, nothing running, no watchdog
        facts = link.facts()
        link.write("/lib/a.mpy", data)
        link.restart()
        text = link.watch(15)

Everything fails with a FlashError.
"""

import ast
import contextlib
import errno
import hashlib
import io
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from tools.flash import FlashError, command, ports
from tools.flash.target import chip_of

_SILENCE_S = 3  # longest pause of a board that answers
_STOP_S = 4  # until a running program has ended
_PAUSE_S = 0.25  # between two attempts; an answer to Ctrl-C comes sooner
_BOOT_S = 8  # from a reset to a prompt, Ctrl-C being sent all the time
_COME_BACK_S = 10  # a chip with USB of its own leaves the bus during a reset
_CHUNK = 1024  # bytes per write; the text of it has to be compiled on the board
REPORT_END = "readings in RAM"  # the last line of the start report
_WAITS = "leaves for the REPL"  # what a board says that blinks because of its config
_LINGER_S = 3  # watched after it: Wi-Fi, a first reading

_FACTS = """
import sys, os
i = sys.implementation
m = getattr(i, '_machine', '') or os.uname().machine
print(repr((sys.platform, m, tuple(i.version[:3]), getattr(i, '_mpy', 0), sys.path)))
"""
# Lines of the log that wait for the flash would be lost.
_WAS_RUNNING = """
import sys
r = 'joulelog.app' in sys.modules
if r:
 try:
  import logging
  for h in logging.getLogger().handlers:
   h.flush()
 except Exception:
  pass
print(r)
"""
_HEAP = """
import gc
gc.collect()
r = []
try:
 import esp32
 r = [tuple(x) for x in esp32.idf_heap_info(esp32.HEAP_DATA)]
except (ImportError, AttributeError):
 pass
print(repr((gc.mem_free(), r)))
"""
_LIST = """
import os
def w(d):
 for e in os.ilistdir(d):
  p = (d if d != '/' else '') + '/' + e[0]
  f = e[1] & 0x4000
  print(repr((p, -1 if f else e[3] if len(e) > 3 else os.stat(p)[6])))
  if f and (p + '/').startswith('/lib/'):
   w(p)
w('/')
"""
_HASH = """
import hashlib, binascii
def h(p):
 d = hashlib.sha256()
 b = bytearray(1024)
 m = memoryview(b)
 with open(p, 'rb') as f:
  while 1:
   n = f.readinto(b)
   if not n:
    break
   d.update(m[:n])
 print(binascii.hexlify(d.digest()).decode())
"""


class Facts:
    """What a board says of itself."""

    def __init__(self, platform: str, machine: str, version: tuple, mpy: int, path: list) -> None:
        self.platform = platform
        self.machine = machine
        self.chip = chip_of(machine)
        self.version: tuple[int, ...] = version
        self.release = "%d.%d.%d" % version
        self.bytecode = mpy & 0xFF
        self.path: list[str] = path


class Link:
    """A connection to a board. FlashError where the port cannot be used."""

    def __init__(self, port: str | None) -> None:
        problem = ports.fault(port)
        if problem:
            raise FlashError(problem)
        assert port
        self.port = port
        self._stopped = False  # something that ran on the board does not any more
        self._transport = self._open()

    def __enter__(self) -> "Link":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the port."""
        with contextlib.suppress(OSError, serial.SerialException):
            self._transport.close()

    def _open(self) -> SerialTransport:
        try:
            return SerialTransport(self.port, timeout=_SILENCE_S)
        except TransportError:
            reason = ports.fault(self.port) or "it cannot be opened"
            raise FlashError(f"{self.port}: {reason}") from None

    def attach(self) -> None:
        """Stop what runs, and get a fresh interpreter without boot's leftovers."""
        self._stopped = True
        if not self._catch(_STOP_S):
            self._pulse_reset()
            if not self._catch(_BOOT_S):
                self._pulse_reset()  # whatever it is, it runs
                self._stopped = False
                self._must(False)
        self._must(self._enter(soft_reset=False))
        # A watchdog that the application started cannot be stopped: start anew without it.
        if self.run(_WAS_RUNNING).strip() == "True":
            self._command_reset()
            self._must(self._catch(_BOOT_S))
            self._must(self._enter(soft_reset=False))
        self._must(self._enter(soft_reset=True))

    def _must(self, done: bool) -> None:
        if not done:
            raise FlashError(self._silent())

    def _silent(self) -> str:
        return (
            f"no MicroPython answers on {self.port}. Is it on the board at all ("
            + command("micropython", port=self.port, board="…", image="…")
            + ")? If it is: tap RESET, and run this again within 5 seconds;"
            " a meter on the pins of the USB port has to be unplugged first."
        )

    def _enter(self, soft_reset: bool) -> bool:
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # it prints what it did not expect
                self._transport.enter_raw_repl(soft_reset, timeout_overall=_SILENCE_S)
        except (TransportError, serial.SerialException, OSError):
            return False
        return True

    def _pulse_reset(self) -> None:
        """Reset by the lines that esptool uses; a pseudo terminal has none."""
        with contextlib.suppress(OSError, serial.SerialException):
            self._transport.serial.dtr = False
            self._transport.serial.rts = True
            time.sleep(0.1)
            self._transport.serial.rts = False

    def _command_reset(self) -> None:
        with contextlib.suppress(TransportError, serial.SerialException, OSError, struct.error):
            self._transport.exec_raw_no_follow("import machine\nmachine.reset()")
        self._transport.in_raw_repl = False

    def _catch(self, limit_s: float) -> bool:
        """Interrupt what runs, or what starts, until there is a prompt and silence behind it."""
        heard = b""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            try:
                self._transport.serial.write(b"\r\x03")
                heard = self._available(_PAUSE_S)
                self._transport.serial.write(b"\x02")  # out of a raw REPL; else a fresh prompt
                heard += self._available(_PAUSE_S)
                if heard.rstrip().endswith(b">>>"):
                    return True
            except (serial.SerialException, OSError):
                self.reconnect()
        return False

    def reconnect(self) -> None:
        """Open the port again, as soon as it is there."""
        self.close()
        end = time.monotonic() + _COME_BACK_S
        while True:
            try:
                self._transport = self._open()
                return
            except FlashError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def _available(self, wait_s: float) -> bytes:
        """What the board says within that time."""
        heard = b""
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            count = self._transport.serial.in_waiting
            if count:
                heard += self._transport.serial.read(count)
            else:
                time.sleep(0.02)
        return heard

    @contextlib.contextmanager
    def _guard(self, doing: str) -> Iterator[None]:
        try:
            yield
        except TransportExecError as problem:
            text = problem.error_output.strip().splitlines()[-1:] or ["?"]
            raise FlashError(f"{doing}: the board answers {_explained(text[0])}") from None
        except OSError as problem:
            if isinstance(problem, serial.SerialException) or problem.errno in (5, 6, 19):
                raise FlashError(f"{doing}: the board on {self.port} has gone") from None
            name = errno.errorcode.get(problem.errno or 0, "?")
            raise FlashError(f"{doing}: the board answers {_explained(name)}") from None
        except (TransportError, struct.error, ValueError, SyntaxError) as problem:
            raise FlashError(
                f"{doing}: the board on {self.port} stopped answering ({problem});"
                " check the cable, and run this again"
            ) from None

    def run(self, code: str, doing: str = "asking the board") -> str:
        """Execute code on the board; return what it prints."""
        with self._guard(doing):
            return self._transport.exec(code).decode().replace("\r\n", "\n")

    def value(self, expression: str) -> Any:
        """The value of an expression on the board."""
        return ast.literal_eval(self.run(f"print(repr({expression}))").strip())

    def facts(self) -> Facts:
        """Platform, machine, version, bytecode, import path."""
        return Facts(*ast.literal_eval(self.run(_FACTS).strip()))

    def heap(self) -> tuple[int, list[tuple[int, ...]]]:
        """(bytes that are free at the prompt, what an ESP32's idf_heap_info says)."""
        return ast.literal_eval(self.run(_HEAP).strip())

    def listing(self) -> dict[str, int]:
        """Path -> bytes (-1: a folder) of the root, and of all in /lib."""
        rows = self.run(_LIST, "listing its files").splitlines()
        return dict(ast.literal_eval(row) for row in rows if row)

    def hashes(self, paths: list[str]) -> dict[str, str]:
        """Path -> SHA-256 in hex, computed by the board."""
        if not paths:
            return {}
        self.run(_HASH)
        found = {}
        for at in range(0, len(paths), 8):
            some = paths[at : at + 8]
            lines = self.run(f"for p in {some!r}: h(p)", "reading its files").split()
            found.update(zip(some, lines, strict=True))
        return found

    def free(self) -> tuple[int, int]:
        """(free bytes of the file system, bytes per block)."""
        size = self.value("__import__('os').statvfs('/')")
        return size[0] * size[4], size[0]

    def read(self, path: str) -> bytes | None:
        """A file of the board; None when it is not there."""
        if not self.exists(path):
            return None
        with self._guard(f"reading {path}"):
            return bytes(self._transport.fs_readfile(path, chunk_size=_CHUNK))

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder of that name."""
        with self._guard(f"looking for {path}"):
            return self._transport.fs_exists(path)

    def write(self, path: str, data: bytes) -> None:
        """Write a file; its folder has to be there."""
        with self._guard(f"writing {path}"):
            self._transport.fs_writefile(path, data, chunk_size=_CHUNK)

    def replace(self, path: str, data: bytes) -> None:
        """Write a file so that a power cut leaves the old one or the new one."""
        fresh = path + ".new"
        self.write(fresh, data)
        if self.hashes([fresh])[fresh] != hashlib.sha256(data).hexdigest():
            raise FlashError(f"{fresh} arrived damaged; {path} is as it was. Run this again")
        self.rename(fresh, path)

    def rename(self, old: str, new: str) -> None:
        """Rename a file, over another one if need be."""
        self.run(
            f"import os\ntry:\n os.rename({old!r},{new!r})\nexcept OSError:\n"
            f" os.remove({new!r})\n os.rename({old!r},{new!r})",  # FAT does not replace
            f"renaming {old}",
        )

    def make_folder(self, path: str) -> None:
        """Make a folder."""
        with self._guard(f"making {path}"):
            self._transport.fs_mkdir(path)

    def remove(self, path: str) -> None:
        """Remove a file, or an empty folder."""
        self.run(
            f"import os\ntry:\n os.remove({path!r})\nexcept OSError:\n os.rmdir({path!r})",
            f"removing {path}",
        )

    def restart(self) -> None:
        """Reset the chip; boot.py and main.py run."""
        self._command_reset()
        self._stopped = False

    @contextlib.contextmanager
    def left_running(self) -> Iterator[None]:
        """However this ends, the board then runs what is on it, as before."""
        try:
            yield
        finally:
            if self._stopped:
                with contextlib.suppress(KeyboardInterrupt), unbroken():
                    self._start_again()

    def _start_again(self) -> None:
        """Restart from whatever state an error has left; says what to do where it cannot."""
        if not ports.is_there(self.port):
            return  # unplugged: with power it starts by itself
        with contextlib.suppress(FlashError, OSError, serial.SerialException):
            if not self._transport.serial.is_open:
                self.reconnect()
            if self._catch(_STOP_S) and self._enter(soft_reset=False):
                self.restart()
                return
            self._pulse_reset()
        print(
            "what is on the board may not run now: tap RESET, or unplug it for a moment",
            file=sys.stderr,
        )

    def watch(self, limit_s: float, show: Callable[[str], object] = sys.stdout.write) -> str:
        """Show what the board says: until its report is over or it waits for input; return it."""
        heard = b""
        end = time.monotonic() + limit_s
        reported = False
        while time.monotonic() < end:
            try:
                data = self._available(0.1)
            except (serial.SerialException, OSError):
                self.reconnect()
                continue
            heard += data
            show(data.decode("utf-8", "replace").replace("\r\n", "\n"))
            if ended(heard.decode("utf-8", "replace")):
                break
            if not reported and REPORT_END.encode() in heard:
                reported = True
                end = min(end, time.monotonic() + _LINGER_S)
        return heard.decode("utf-8", "replace").replace("\r\n", "\n")


def ended(said: str) -> bool:
    """Whether a board waits for a person, by what it has said."""
    return said.rstrip().endswith(">>>") or any(_WAITS in line for line in said.splitlines()[-2:])


def last_words(said: str) -> str:
    """The last line of a program that has ended, before the prompt's own lines."""
    own = (">>>", "MicroPython v", 'Type "help()"')
    lines = [line.strip() for line in said.splitlines()]
    return next((line for line in reversed(lines) if line and not line.startswith(own)), "")


@contextlib.contextmanager
def unbroken() -> Iterator[None]:
    """What would stop this program waits until a short piece of work is done."""
    came = []
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda *_: came.append(1)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


def _explained(text: str) -> str:
    if "ENOSPC" in text or text == "OSError: 28":
        return "that its file system is full (ENOSPC); make room: make logs, then remove old files"
    return text
