"""The folder of a config on a computer, and its lock: one process at a time has it.

    folder = place.of(Path("/home/me/house.py"), Path("build/log"))    # build/log/house-5b2e0c4d
    with place.locked(place.all_of(names, folder), config) as lock:    # or Taken: who has it
        child = subprocess.Popen(line, **lock.passed_on)
        lock.name(child.pid)

The lock is the system's (flock), which ends with the processes that hold it, however they end; the
child holds it too. Where there is none, as on Windows, it is whether those live that are named.
"""

import os
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_FILE = "lock"
_LONGEST_NAME = 40
_ENDING_S = 5  # the firmware may write so long when what started it was killed
_LEFT = ("spool", "settings.a", "settings.b")  # of versions that had one folder for all configs


class Taken(Exception):
    """Another process has a folder; the text says which, and what to do."""


def of(config: Path, base: Path) -> Path:
    """The config's folder: its name, and digits that tell it from others of that name."""
    name = "".join(char if char.isalnum() or char in "-_." else "_" for char in config.stem)
    digits = zlib.crc32(os.fsencode(os.path.normcase(config)))
    return base / f"{name[:_LONGEST_NAME]}-{digits:08x}"


def all_of(names: dict[str, Any], folder: Path) -> list[Path]:
    """All folders that a config with these names writes to; the first is its own."""
    found = [folder]
    for section in ("log", "queue"):
        about = names.get(section)
        told = about.get("directory") if isinstance(about, dict) else None
        if told and isinstance(told, str) and "\0" not in told:
            found.append(Path(told))
    return found


def left(base: Path, folder: Path) -> str:
    """What to say of what an earlier version has left in the folder of all configs; or ""."""
    found = [name for name in _LEFT if (base / name).exists()]
    if "spool" in found and not any((base / "spool").glob("*.log")):
        found.remove("spool")
    if not found:
        return ""
    return (
        f"an earlier version has left {', '.join(found)} in {base}, of whichever config ran there:"
        f" move that to {folder} if it is this one's, or remove it"
    )


class Lock:
    """What is held; passed_on: options with which a child of subprocess holds it too."""

    def __init__(self, files: list[TextIO], config: Path) -> None:
        self._files = files
        self._config = config
        self.passed_on: dict[str, Any] = {}
        if fcntl is not None:
            self.passed_on = {"pass_fds": tuple(file.fileno() for file in files)}
        if sys.platform == "linux":
            self.passed_on["preexec_fn"] = _end_with_parent

    def name(self, child: int = 0) -> None:
        """Write down who has it: this process, and its child."""
        for file in self._files:
            file.seek(0)
            file.truncate()
            file.write(f"{os.getpid()}\n{child}\n{self._config}\n")
            file.flush()

    def forget(self) -> None:
        """Nobody has it any more."""
        for file in self._files:
            file.seek(0)
            file.truncate()


@contextmanager
def locked(folders: list[Path], config: Path) -> Iterator[Lock]:
    """Hold the folders, which are made; Taken says who has one.

    One that cannot be made or written is left to the firmware, which says what is wrong with it.
    """
    with ExitStack() as stack:
        files = []
        for folder in dict.fromkeys(Path(os.path.realpath(folder)) for folder in folders):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                file = stack.enter_context(open(folder / _FILE, "a+", encoding="utf-8"))
            except OSError:
                continue
            _take(file, folder)
            files.append(file)
        lock = Lock(files, config)
        lock.name()
        try:
            yield lock
        finally:
            lock.forget()


def _take(file: TextIO, folder: Path) -> None:
    """Lock the file, or raise Taken."""
    give_up = time.monotonic() + _ENDING_S
    while not _is_free(file):
        parent, child, config = _named(file)
        if not _lives(parent) and time.monotonic() < give_up:
            time.sleep(0.05)  # it has not written its name yet, or its firmware is about to end
            continue
        pid = parent if not child or _lives(parent) else child
        who = f"process {pid or 'unknown'} has {folder}"
        who += f", with the config {config}" if config else ""
        raise Taken(f"{who}; end it first: Ctrl-C there, or kill {pid or 'it'}")


def _is_free(file: TextIO) -> bool:
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False
        except OSError:
            pass  # a file system without locks
    return not any(pid != os.getpid() and _lives(pid) for pid in _named(file)[:2])


def _named(file: TextIO) -> tuple[int, int, str]:
    """(process, its child, config) as they are written down; 0 and "" where nothing is."""
    file.seek(0)
    lines = [*file.read(4096).split("\n"), "", "", ""]
    pids = [int(line) if line.isdecimal() and len(line) < 12 else 0 for line in lines[:2]]
    return pids[0], pids[1], lines[2]


def _lives(pid: int) -> bool:
    """Whether there is such a process."""
    if not pid:
        return False
    if sys.platform == "win32":  # os.kill() would end it
        import ctypes

        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
        code = ctypes.c_ulong()
        lives = handle and kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return bool(lives) and code.value == 259  # STILL_ACTIVE
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):  # no Linux; it ends
        return True
    return state not in "ZX"  # nobody has asked how it ended


def _end_with_parent() -> None:
    """In the child, on Linux: Ctrl-C when what started it is killed, so that all is saved."""
    import ctypes

    ctypes.CDLL(None).prctl(1, 2)  # PR_SET_PDEATHSIG, SIGINT
