"""Run the firmware on this computer: on CPython, or on the MicroPython VM as small as a chip.

    python3 -m tools.run                                   # firmware/config.py, simulated meter
    python3 -m tools.run --config my/config.py
    python3 -m tools.run --vm --profile esp8266-frozen     # in the heap of an ESP8266
    SPEED=60 python3 -m tools.run                          # an hour in a minute
    python3 -m tools.run --setup                           # in set-up mode: its page, in a browser

Each reader whose `uart`, `pin` or `host` is "sim" gets a simulated meter of its own: a P1 meter
(--model says which), or what tools/sim has by the name of the reader's type.

Profiles: esp8266-frozen (38 kB) and esp32-frozen (140 kB) are what an image has, with its code
objects in flash (`make deps`); esp32 and esp8266 (68 kB, which no chip has) are a ROMFS image,
esp32-files are .mpy files: for development, and boards with PSRAM.

Each config has a folder of its own, build/log/<its name>-<digits>, for its log and for what waits;
one process at a time has it.

Ctrl-C stops everything, with exit status 0. 2: the config or the command line cannot work, 3: a
meter or the VM cannot be had, 4: another process has the folder, anything else: the firmware
failed. `make run` calls this.
"""

import argparse
import importlib
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tools import ROOT, user_config
from tools.host import place

_START = ROOT / "tools" / "host" / "start.py"
_LOGS = Path("build/log")  # from the repository's root
_RESET = 86  # a restart of the board: tools/host/shims/machine.py
_PROFILES = ("esp8266-frozen", "esp32-frozen", "esp8266", "esp32", "esp32-files")


def simulated(names: dict) -> list[dict]:
    """The readers of a config that want a simulated meter."""
    readers = names.get("readers")
    if not isinstance(readers, (list, tuple)):
        return []  # the firmware says what is wrong with it
    entries = [entry for entry in readers if isinstance(entry, dict)]
    where = ("uart", "pin", "host")
    return [entry for entry in entries if "sim" in [entry.get(key) for key in where]]


def start_simulated(entry: dict, model: str, speed: int) -> str:
    """Start the meter that a reader's entry asks for, and return its device."""
    kind = str(entry.get("type"))
    if not (ROOT / "tools" / "sim" / f"{kind}.py").is_file():
        from tools.sim import p1

        device = p1.start(model, speed, ("--patient",))
        print(f"simulated meter ({model}) on {device}")
        return device
    device = importlib.import_module(f"tools.sim.{kind}").start(entry, speed)
    print(f"simulated {kind} on {device}")
    return device


def command(
    config: Path, uarts: list[str], vm: bool, profile: str, heap: str | None, folder: Path = _LOGS
) -> list[str]:
    """The command line that runs the firmware; folder: where an image's flash lies."""
    arguments = [str(config), *uarts]
    if not vm:
        return [sys.executable, "-m", "tools.host.start", *arguments]
    if profile.endswith("-frozen"):
        return _frozen(arguments, profile.removesuffix("-frozen"), heap, folder)
    from tools.rig import run_vm

    return run_vm.command(_START, arguments, profile, heap)


def _frozen(arguments: list[str], chip: str, heap: str | None, folder: Path) -> list[str]:
    """The same with an image's code in a chip's heap; its flash stays as it is between runs."""
    from tools.rig import frozen

    program = frozen.build(None, chip)
    flash = folder / f"flash-{chip}"
    if not flash.exists():
        frozen.new_flash(program, flash)
    uart = arguments[1] if len(arguments) > 1 else ""
    heap_bytes = _bytes(heap) if heap else frozen.HEAPS[chip]
    heap_bytes += frozen.shims(program, uart)
    return frozen.command(program, _START.name, flash, uart, arguments, heap_bytes)


def _bytes(heap: str) -> int:
    """The bytes of "64k" or "2M"."""
    units = {"k": 1024, "m": 1024 * 1024}
    return int(heap.rstrip("kKmM")) * units.get(heap[-1].lower(), 1)


def environment(terminal: bool, folder: str = "") -> dict[str, str]:
    """The environment of the firmware: its folder ("": the board's), what the terminal can do.

    A character that the terminal's encoding lacks, such as in m³, becomes a question mark.
    """
    found = {"PYTHONIOENCODING": ":replace"} | os.environ | {"PYTHONUNBUFFERED": "1"}
    if os.name == "nt":
        found["PYTHONUTF8"] = "1"  # of files, such as the config
    found["FOLDER"] = folder
    if terminal and os.environ.get("TERM") != "dumb":
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
        found["TABLE"] = f"{columns or 80}x{rows or 24}"
    return found


def options() -> argparse.Namespace:
    """The command line, checked; exits with status 2 and a message where it cannot work."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--config", type=Path, default=ROOT / "firmware" / "config.py")
    parser.add_argument("--model", default="nl50", help='which meter a uart "sim" is')
    parser.add_argument("--vm", action="store_true", help="on the MicroPython VM")
    parser.add_argument("--profile", choices=_PROFILES, default="esp32", help="as small as what")
    parser.add_argument("--heap", help="such as 64k: another heap than the profile's")
    parser.add_argument("--setup", action="store_true", help="start in set-up mode")
    parser.add_argument("--folder", type=Path, help=f"where configs have theirs: {_LOGS}")
    found = parser.parse_args()
    if not found.config.is_file():
        print(f"there is no {found.config}; CONFIG=… names the config to run", file=sys.stderr)
        sys.exit(2)
    found.config = found.config.resolve()  # the firmware runs in the repository's root
    speed = os.environ.get("SPEED") or "1"
    if not speed.isdigit() or speed == "0":
        parser.error(f"SPEED is {speed}; allowed: 1 (real time) or a whole number above it")
    found.speed = int(speed)
    found.base = found.folder.resolve() if found.folder else _LOGS
    found.folder = place.of(found.config, found.base)
    try:
        names = user_config.read(found.config)
    except user_config.Broken as problem:
        print(f"{found.config.name}: {problem}", file=sys.stderr)
        sys.exit(2)
    found.names = names
    found.folders = place.all_of(names, found.folder)
    return found


def settled(wanted: argparse.Namespace) -> dict:
    """What the config and the settings over it say; an image's settings lie in its own flash."""
    if wanted.vm and wanted.profile.endswith("-frozen"):
        return wanted.names
    from joulelog.device.state import Store

    store = Store(str(wanted.folders[1] if _own_log(wanted.names) else wanted.folder), "settings")
    store.open()
    return wanted.names | store.values


def _own_log(names: dict) -> bool:
    """Whether the config names a folder for its log, which place.all_of() lists second."""
    about = names.get("log")
    return isinstance(about, dict) and isinstance(about.get("directory"), str)


def run(wanted: argparse.Namespace, lock: place.Lock) -> int:
    """Start the meters and the firmware; the firmware's exit status."""
    # Not SIG_IGN, which the firmware would inherit: the terminal sends Ctrl-C to it as well.
    child = None

    def interrupted(_number, _frame) -> None:
        if child is None:
            raise KeyboardInterrupt

    def terminated(_number, _frame) -> None:
        if child is None:
            raise KeyboardInterrupt
        # The VM knows no other.
        child.send_signal(signal.SIGINT if wanted.vm else signal.SIGTERM)

    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, terminated)

    try:
        readers = simulated(settled(wanted)) if not wanted.setup else []
        uarts = [start_simulated(entry, wanted.model, wanted.speed) for entry in readers]
        about = wanted.vm, wanted.profile, wanted.heap, wanted.folder
        line = command(wanted.config, uarts, *about)
    except OSError as problem:
        print(f"run: {problem}", file=sys.stderr)
        return 3
    except Exception as problem:
        if type(problem).__name__ not in ("Unavailable", "BuildError", "LeftOut"):
            raise
        print(f"run: {problem}", file=sys.stderr)
        return 3
    where = f"MicroPython, profile {wanted.profile}" if wanted.vm else "CPython"
    # Until the firmware can end by them: Python itself may not know what to do with a Ctrl-C.
    early = {signal.SIGINT, signal.SIGTERM} if not wanted.vm else ()
    masked = getattr(signal, "pthread_sigmask", lambda *_: None)  # Windows has none
    masked(getattr(signal, "SIG_BLOCK", 0), early)
    print(f"JouleLog on {where}, config {wanted.config}; Ctrl-C stops", flush=True)
    # An image's flash is a file in the folder.
    folder = "" if wanted.vm and wanted.profile.endswith("-frozen") else str(wanted.folder)
    variables = environment(sys.stdout.isatty(), folder)
    variables["SETUP"] = (os.environ.get("SETUP") or "1") if wanted.setup else ""
    child = subprocess.Popen(line, env=variables, cwd=ROOT, **lock.passed_on)
    lock.name(child.pid)
    masked(getattr(signal, "SIG_UNBLOCK", 0), early)
    if wanted.vm:
        threading.Thread(target=_end_unread, args=(child,), daemon=True).start()
    status = child.wait()
    if status == _RESET and wanted.setup:
        return status
    if status not in (0, 2):  # 2: the config, and the firmware has said what is wrong
        print(f"run: the firmware ended, exit status {status}", file=sys.stderr)
    return status if status >= 0 else 128 - status


def _end_unread(child: subprocess.Popen) -> None:
    """End the VM once nobody reads what it says, as in `… | head`: it goes on by itself."""
    output = select.poll()
    output.register(1, 0)  # errors are told without asking
    output.poll()
    child.send_signal(signal.SIGINT)


def main() -> int:
    try:
        wanted = options()
        os.chdir(ROOT)  # as the firmware: where a folder is from there
        told = place.left(wanted.base, wanted.folder)
        if told:
            print(f"run: {told}", file=sys.stderr)
        with place.locked(wanted.folders, wanted.config) as lock:
            status = run(wanted, lock)
            while status == _RESET and wanted.setup:  # set up: now the firmware itself
                wanted.setup = False
                status = run(wanted, lock)
            return status
    except place.Taken as problem:
        print(f"run: {problem}", file=sys.stderr)
        return 4
    except KeyboardInterrupt:
        print("\nstopped")
        return 0
    except BrokenPipeError:  # whoever read us has enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


if __name__ == "__main__":
    sys.exit(main())
