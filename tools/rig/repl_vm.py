"""VM side of raw_repl.py: littlefs as '/', boot.py and main.py, then MicroPython's REPL protocol.

    repl_vm.main(flash file, rom file or "", folder of shims, mode, identity)

Protocol: MicroPython's "raw mode, raw-paste mode" (reference manual, "The REPL"). A soft reset
and machine.reset() end the process with a status of their own; raw_repl.py starts it again.
identity: lines `platform`, `machine`, `1.25.0`, folders put before /lib on the import path.
"""

import io
import os
import sys

import vfs
from micropython import const

SOFT_RESET = const(85)
SOFT_RESET_RAW = const(84)
_BLOCK = const(4096)
_WINDOW = const(128)  # bytes that mpremote may send ahead in raw-paste mode


class Flash:
    """A block device on a file; also the partition that `mpremote romfs deploy` writes to."""

    def __init__(self, path: str) -> None:
        self._blocks = os.stat(path)[6] // _BLOCK
        self._file = open(path, "r+b", buffering=0)  # noqa: SIM115 - until the process ends

    def readblocks(self, number: int, buffer, offset: int = 0) -> None:
        self._file.seek(number * _BLOCK + offset)
        self._file.readinto(buffer)

    def writeblocks(self, number: int, buffer, offset: int = 0) -> None:
        self._file.seek(number * _BLOCK + offset)
        self._file.write(buffer)

    def ioctl(self, operation: int, _argument) -> int:
        return {4: self._blocks, 5: _BLOCK}.get(operation, 0)


class Fake:
    """A module with some attributes of another chip."""

    def __init__(self, real) -> None:
        self._real = real

    def __getattr__(self, name: str):
        return getattr(self._real, name)


def main(flash: str, rom: str, shims: str, mode: str, identity: str) -> None:
    """Never returns: ends with the exit status that says how to go on."""
    platform, machine, version, *folders = identity.split("\n")
    shims_vfs = vfs.VfsPosix(shims)
    others = [(vfs.VfsPosix(folder), "/before%d" % at) for at, folder in enumerate(folders)]
    device = Flash(flash)
    partition = Flash(rom) if rom else None
    if rom:
        import vm_boot

        with open(rom, "rb") as file:
            if file.read(3) == b"\xd2\xcd\x31":
                vm_boot.mount(rom, "/rom")
    try:
        root = vfs.VfsLfs2(device)
    except OSError:  # a new flash
        vfs.VfsLfs2.mkfs(device)
        root = vfs.VfsLfs2(device)
    vfs.umount("/")
    vfs.mount(root, "/")
    vfs.mount(shims_vfs, "/shims")
    sys.path[:] = ["", ".frozen"]
    for other, place in others:
        vfs.mount(other, place)
        sys.path.append(place)
    if rom:
        sys.path.extend(["/rom", "/rom/lib"])
    sys.path.extend(["/lib", "/shims"])  # what is on /shims is C code on a chip
    os.chdir("/")
    _disguise(platform, machine, version, partition)
    Repl(mode, "MicroPython v%s on 2026-01-01; %s\r\n" % (version, machine)).run()


def _disguise(platform: str, machine: str, version: str, partition) -> None:
    """Make `sys`, `os` and `vfs` speak as on that chip."""
    fake = Fake(sys)
    fake.platform = platform
    fake.implementation = Fake(sys.implementation)
    fake.implementation.version = tuple([int(part) for part in version.split(".")]) + ("",)
    fake.implementation._machine = machine
    uname = Fake(None)
    uname.sysname = uname.nodename = platform
    uname.release = version
    uname.version = "v%s on 2026-01-01" % version
    uname.machine = machine
    fake_os = Fake(os)
    fake_os.uname = lambda: uname
    modules = sys.modules
    if partition:
        fake_vfs = Fake(vfs)
        fake_vfs.rom_ioctl = lambda command, *_: 1 if command == 1 else partition
        modules["vfs"] = fake_vfs
    modules["os"] = fake_os
    modules["sys"] = fake


class Repl:
    """Boot, then talk; `mode` is hard, soft, raw (a soft reset in raw mode) or interrupted."""

    def __init__(self, mode: str, banner: str) -> None:
        self._mode = mode
        self._banner = banner + 'Type "help()" for more information.\r\n'
        self._names = {"__name__": "__main__"}
        self._line = b""
        self._raw = mode == "raw"

    def run(self) -> None:
        """Boot, then serve for ever; ends by SystemExit only."""
        if self._mode != "interrupted":
            self._file("boot.py")
            if not self._raw:
                self._file("main.py")
        self._greet()
        while True:
            try:
                self._serve()
            except KeyboardInterrupt:
                self._line = b""
                sys.stdout.write("\r\n>" if self._raw else "\r\n>>> ")

    def _file(self, name: str) -> None:
        try:
            with open(name) as file:
                text = file.read()
        except OSError:
            return
        sys.stdout.write(self._run(text))

    def _run(self, text) -> str:
        """Execute; return the text of the exception, or "". SystemExit is a reset."""
        try:
            exec(text, self._names)  # noqa: S102 - that is what a REPL does
        except SystemExit as error:
            # machine.reset() of the shim has a status; all else is a soft reset
            self._reset(error.args[0] if error.args and isinstance(error.args[0], int) else 0)
        except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt as well
            trace = io.StringIO()
            sys.print_exception(error, trace)
            return trace.getvalue()
        return ""

    def _reset(self, status: int = 0) -> None:
        if not status:
            sys.stdout.write("\r\nMPY: soft reboot\r\n")
        sys.exit(status or (SOFT_RESET_RAW if self._raw else SOFT_RESET))

    def _greet(self) -> None:
        if self._raw:
            sys.stdout.write("raw REPL; CTRL-B to exit\r\n>")
        else:
            sys.stdout.write("\r\n" + self._banner + ">>> ")

    def _serve(self) -> None:
        """Read and answer one character."""
        character = _read()
        if character in (b"\x01", b"\x02"):
            self._raw = character == b"\x01"
            self._line = b""
            self._greet()
        elif character == b"\x04":
            line, self._line = self._line, b""
            if not line:
                self._reset()
            elif self._raw:
                sys.stdout.write("OK")
                self._answer(line)
        elif self._raw and character == b"\x05":
            self._paste()
        elif self._raw:
            self._line += character
        elif character in b"\r\n":
            line, self._line = self._line, b""
            sys.stdout.write("\r\n" + self._run(str(line, "utf-8")) + ">>> ")
        elif character != b"\x03":
            self._line += character
            sys.stdout.buffer.write(character)

    def _answer(self, code: bytes) -> None:
        error = self._run(str(code, "utf-8"))
        sys.stdout.write("\x04" + error + "\x04>")

    def _paste(self) -> None:
        if _read() + _read() != b"A\x01":
            sys.stdout.write("R\x00")
            return
        sys.stdout.buffer.write(b"R\x01" + bytes([_WINDOW, 0, 1]))
        code = bytearray()
        room = _WINDOW
        while True:
            character = _read()
            if character == b"\x04":
                break
            code.extend(character)
            room -= 1
            if not room:
                room = _WINDOW
                sys.stdout.write("\x01")
        sys.stdout.write("\x04")
        self._answer(code)


def _read() -> bytes:
    character = sys.stdin.buffer.read(1)
    if not character:
        sys.exit(0)
    return character
