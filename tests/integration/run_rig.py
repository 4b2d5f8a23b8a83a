"""`tools/run.py` as a process with what it prints, and a simulated meter that can be unplugged.

run = Run("--config", config(folder, "readers = [...]"), SPEED="10")
run.wait_for("connected, address")
run.interrupt()                       # Ctrl-C; the exit status
run.close()
"""

import atexit
import functools
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests import tiers
from tests.waiting import HANG_S
from tools import ROOT
from tools.sim.p1 import Meter, Pty, Ticks, serve


@functools.cache
def folder_of_runs() -> Path:
    """Where this process's runs have their folders."""
    folder = tempfile.mkdtemp(prefix="joulelog-runs-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


# The two profiles of a board that runs files, for tests parametrized with "how".
# From .mpy files a P1 meter takes 150 kB, which is a board with PSRAM.
_FILES = ["--vm", "--profile", "esp32-files", "--heap", "192k"]
ON_THE_VM = [["--vm", "--profile", "esp32"], _FILES]


class Run:
    """`tools/run.py` in a session of its own, so that Ctrl-C reaches it and nothing else."""

    def __init__(
        self, *arguments: str, cwd: Path = ROOT, terminal: bool = False, **variables
    ) -> None:
        self.output = ""
        command = [sys.executable, "-m", "tools.run", *arguments]
        if "--folder" not in arguments:  # others run the same config at the same time
            command += ["--folder", str(folder_of_runs())]
        environment = {k: v for k, v in os.environ.items() if k not in ("SPEED", "TABLE")}
        environment["PYTHONPATH"] = str(ROOT)  # for another cwd
        options: dict = {"cwd": cwd, "env": environment | variables, "start_new_session": True}
        if terminal:
            self._end, other = os.openpty()
            self._process = subprocess.Popen(command, stdout=other, stderr=other, **options)
            os.close(other)
        else:
            self._process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options
            )
            assert self._process.stdout is not None
            self._end = self._process.stdout.fileno()

    def wait_for(self, pattern: str, count: int = 1) -> None:
        """Read until the pattern was printed so many times."""
        deadline = time.monotonic() + HANG_S
        while len(re.findall(pattern, self.output)) < count:
            assert self._read(deadline - time.monotonic()), (
                f"{pattern!r} was not printed {count} times; printed:\n{self.output[-3000:]}"
            )

    def listen(self, seconds: float) -> None:
        """Read for so long: who prints much waits where nobody reads."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self._read(deadline - time.monotonic()) and self._process.poll() is not None:
                time.sleep(max(0, deadline - time.monotonic()))

    def _read(self, limit_s: float) -> bool:
        if limit_s <= 0 or not select.select([self._end], [], [], limit_s)[0]:
            return False
        try:
            data = os.read(self._end, 65536)
        except OSError:  # the other end of a pseudo terminal was closed
            return False
        self.output += data.decode(errors="replace")
        if "run: vm:" in self.output or "The VM cannot" in self.output:
            tiers.missing("the MicroPython VM", "vm", self.output[-300:])
        return bool(data)

    def status(self) -> int:
        """The exit status, once it has ended by itself."""
        deadline = time.monotonic() + HANG_S
        while self._read(deadline - time.monotonic()):
            pass
        return self._process.wait(max(1, deadline - time.monotonic()))

    def descendants(self) -> list[int]:
        """The processes that it started."""
        pids = [self._process.pid]
        for pid in pids:
            for task in Path(f"/proc/{pid}/task").iterdir():
                pids += [int(child) for child in (task / "children").read_text().split()]
        return pids[1:]

    def cpu_s(self) -> float:
        """CPU time of all that it has started and that still runs, and its own."""
        ticks = 0
        for pid in [self._process.pid, *self.descendants()]:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def interrupt(self) -> int:
        """Ctrl-C; the exit status."""
        os.killpg(self._process.pid, signal.SIGINT)
        return self.status()

    def close(self) -> None:
        """End it, however it stands."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        else:
            os.close(self._end)


class Line:
    """A simulated meter behind a symbolic link, which can be unplugged."""

    def __init__(self, link: Path) -> None:
        self._pty = Pty()
        self._stop = threading.Event()
        self._link = link
        link.symlink_to(self._pty.device)
        ticks = Ticks()
        arguments = (self._pty, Meter("nl50", 7, ticks), ticks, None, 1, 0, None, self._stop)
        self._thread = threading.Thread(target=serve, args=arguments, daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        self._stop.set()
        self._thread.join(10)
        self._pty.close()
        self._link.unlink()


def config(folder: Path, text: str) -> str:
    """A config file whose log stays in the folder; its path."""
    path = folder / "my_config.py"
    path.write_text(text + f"\nlog = {{'directory': {str(folder)!r}, 'size_kb': 50}}\n")
    return str(path)
