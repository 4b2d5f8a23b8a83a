"""A board on a pseudo terminal: the MicroPython VM with littlefs as '/' and MicroPython's REPL.

    with Board(folder) as board:                    # 2 MiB flash, an ESP32, 140k of heap
        mpremote connect {board.port} fs ls

    python3 -m tools.rig.raw_repl [FOLDER]         # prints its port; Ctrl-C ends it

Real mpremote works on it: exec, run, fs, df, mip, romfs, soft reset. The flash is a file in the
folder and outlives the board, as do machine.reset() and soft resets, which run boot.py and
main.py again. What the VM calls itself (platform, machine, version) can be chosen, so that tools
can be shown boards that they have to refuse.
"""

import argparse
import contextlib
import os
import pty
import select
import signal
import subprocess
import tempfile
import threading
import time
import tty
from pathlib import Path

from tools import ROOT
from tools.rig import romfs, vm

_HERE = ROOT / "tools/rig"
_ERASED = b"\xff" * 4096
_INTERRUPT = b"\x03"
# The VM dies of a second SIGINT that comes before it has noticed the first: it has when it waits
# for input again, or has had so much CPU time.
_INTERRUPT_GAP_S = 0.2
# What is C code on a chip takes so much: gc.mem_alloc() at the prompt, with it imported.
_STAND_INS_KB = 18
_START_S = 60  # only a VM that hangs takes longer
_MODES = {84: "raw", 85: "soft", 86: "hard", -signal.SIGINT: "interrupted"}
_SHIMS = ("machine", "machine_parts", "network", "serialport")  # all that is C code on a chip

ESP32 = "Generic ESP32 module with ESP32"
ESP8266 = "ESP module (2M) with ESP8266"


class Board:
    """A simulated board. `port` is the device path; `boots` counts starts of the VM."""

    def __init__(
        self,
        folder: Path,
        machine: str = ESP32,
        platform: str = "esp32",
        version: str = "1.25.0",
        flash_kib: int = 2048,
        rom_kib: int = 0,
        heap_kb: int = 160,
        before: list[Path] | None = None,
    ) -> None:
        """heap_kb: Python's, above an ESP32's 140 because the app lies in files here.

        before: folders ahead of /lib on the path, as frozen code is.
        """
        self.boots = 0
        self.exit_status: int | None = None
        self._flash = _blank(folder / "flash.bin", flash_kib)
        self._rom = _blank(folder / "rom.bin", rom_kib) if rom_kib else None
        self._identity = "\n".join([platform, machine, version, *map(str, before or [])])
        self._command = [*vm.ensure(), "-X", f"heapsize={heap_kb + _STAND_INS_KB}k", "-c"]
        self._code = _compiled()
        self._stop = threading.Event()
        self._spoke = threading.Event()
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        os.close(slave)  # the master then tells whether somebody has the port open
        os.set_blocking(self._master, False)
        self._input, self._input_end = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._vm: subprocess.Popen | None = None
        self._interrupted = 0.0, 0.0  # when last, and the VM's CPU time then

    def __enter__(self) -> "Board":
        self._thread.start()
        self._spoke.wait(_START_S)  # formatted, booted, at its prompt
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        for handle in (self._master, self._input, self._input_end):
            os.close(handle)

    def interrupts(self) -> bool:
        """Whether Ctrl-C interrupts what runs, and is no byte: not behind kbd_intr(-1)."""
        return bool(self._vm) and _catches_sigint(self._vm.pid)

    def _start(self, mode: str) -> subprocess.Popen:
        self.boots += 1
        arguments = (self._flash, self._rom or "", self._code / "shims", mode, self._identity)
        text = "import sys;sys.path[:]=%r;import repl_vm;repl_vm.main%r" % (
            [str(self._code)],
            tuple(map(str, arguments)),
        )
        return subprocess.Popen(
            [*self._command, text],
            stdin=self._input,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )

    def _run(self) -> None:
        mode = "hard"
        while not self._stop.is_set():
            self._vm = self._start(mode)
            self._interrupted = 0.0, 0.0
            try:
                self._pump(self._vm)
            finally:
                if self._stop.is_set():
                    self._vm.kill()
                self.exit_status = self._vm.wait()
            mode = _MODES.get(self.exit_status, "hard")
            if mode == "hard":
                time.sleep(0.1)  # a crash at the start is no busy loop

    def _pump(self, process: subprocess.Popen) -> None:
        """Carry bytes until the VM ends. What it says while nobody has the port open is lost."""
        assert process.stdout
        output = process.stdout.fileno()
        said = b""  # and not taken yet by who listens, however long that takes
        while not self._stop.is_set():
            ready = _ready(
                {self._master: select.POLLIN | select.POLLOUT}
                if said
                else {self._master: select.POLLIN, output: select.POLLIN}
            )
            port = ready.get(self._master, 0)
            if port & select.POLLIN:
                self._hear(process)
            if port & select.POLLHUP:
                said = b""
                if not port & select.POLLIN and not ready.get(output):
                    time.sleep(0.01)
            elif said and port & select.POLLOUT:
                said = said[os.write(self._master, said) :]
            if ready.get(output):
                said = os.read(output, 512)
                if not said:
                    return
                self._spoke.set()

    def _hear(self, process: subprocess.Popen) -> None:
        """Hand on what came; Ctrl-C becomes SIGINT, as the chip's UART driver does.

        Behind micropython.kbd_intr(-1) it is a byte: the VM then does not catch that signal.
        """
        data = os.read(self._master, 4096)
        if _INTERRUPT in data and _catches_sigint(process.pid):
            before, _, data = data.rpartition(_INTERRUPT)
            os.write(self._input_end, before.replace(_INTERRUPT, b""))
            while not self._noticed(process.pid):
                time.sleep(0.01)
            self._interrupted = time.monotonic(), _cpu_s(process.pid)
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
        os.write(self._input_end, data)

    def _noticed(self, pid: int) -> bool:
        """Whether the last Ctrl-C has been dealt with."""
        at, cpu_s = self._interrupted
        if time.monotonic() < at + _INTERRUPT_GAP_S:
            return False
        return _state(pid) != "R" or abs(_cpu_s(pid) - cpu_s) >= _INTERRUPT_GAP_S


def _ready(wanted: dict[int, int]) -> dict[int, int]:
    """What can be done now with these files, or within a tenth of a second."""
    poll = select.poll()
    for file, events in wanted.items():
        poll.register(file, events)
    return dict(poll.poll(100))


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat behind its name; none where there is no such file."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _catches_sigint(pid: int) -> bool:
    """Whether a process has a handler of its own for SIGINT."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().split("\n")
    except OSError:
        return False
    caught = next((line.split()[1] for line in lines if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) >> (signal.SIGINT - 1) & 1)


def _state(pid: int) -> str:
    """R while a process runs, or could if it had a CPU; another letter while it waits."""
    return (_stat(pid) or "?")[0]


def _cpu_s(pid: int) -> float:
    """The CPU time that a process has had."""
    ticks = _stat(pid)[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _blank(path: Path, kib: int) -> Path:
    """A flash file of that size; one that is there stays as it is."""
    if not path.exists():
        path.write_bytes(_ERASED * (kib // 4))
    return path


def _compiled() -> Path:
    """Compile the VM side and the shims; the folder they are in."""
    folder = ROOT / "build/repl"
    for name in ("repl_vm", "vm_boot"):
        romfs.compile_file(_HERE / f"{name}.py", folder / f"{name}.mpy", f"{name}.py")
    for name in _SHIMS:
        source = (_HERE / "vm_shims" / f"{name}.py").resolve()
        romfs.compile_file(source, folder / "shims" / f"{name}.mpy", f"{name}.py")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="where its flash is kept")
    parser.add_argument("--machine", default=ESP32)
    parser.add_argument("--platform", default="esp32")
    parser.add_argument("--version", default="1.25.0")
    parser.add_argument("--rom-kib", type=int, default=0, help="size of a ROMFS partition")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with Board(
            folder,
            options.machine,
            options.platform,
            options.version,
            rom_kib=options.rom_kib,
        ) as board:
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            with contextlib.suppress(KeyboardInterrupt):
                print(board.port, flush=True)
                signal.pause()


if __name__ == "__main__":
    main()
