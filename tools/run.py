#!/usr/bin/env python3
"""Run the firmware on this computer: on CPython, or on the MicroPython VM as small as a chip.

    python3 tools/run.py                                   # firmware/config.py, simulated meter
    python3 tools/run.py --config my/config.py
    python3 tools/run.py --vm --profile esp8266-frozen     # in the heap of an ESP8266
    SPEED=60 python3 tools/run.py                          # an hour in a minute

Each reader whose `uart` is "sim" gets a simulated meter of its own: a P1 meter (--model says
which), or what tools/sim has by the name of the reader's type.

Profiles: esp8266-frozen (38 kB) and esp32-frozen (140 kB) are what an image has, with its code
objects in flash (`make deps`); esp32 and esp8266 (68 kB, which no chip has) are a ROMFS image,
esp32-files are .mpy files: for development, and boards with PSRAM.

Ctrl-C stops everything, with exit status 0. 2: the config or the command line cannot work, 3: a
meter or the VM cannot be had, anything else: the firmware failed. `make run` calls this.
"""

import argparse
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_START = ROOT / "tools" / "host" / "start.py"
_PROFILES = ("esp8266-frozen", "esp32-frozen", "esp8266", "esp32", "esp32-files")


def simulated(config: Path) -> list[dict]:
    """The readers of a config that want a simulated meter."""
    names: dict = {"__file__": str(config)}
    exec(compile(config.read_text(), str(config), "exec"), names)  # the user's own file
    readers = names.get("readers")
    if not isinstance(readers, (list, tuple)):
        return []  # the firmware says what is wrong with it
    entries = [entry for entry in readers if isinstance(entry, dict)]
    return [entry for entry in entries if "sim" in (entry.get("uart"), entry.get("pin"))]


def start_simulated(entry: dict, model: str, speed: int) -> str:
    """Start the meter that a reader's entry asks for, and return its device."""
    kind = str(entry.get("type"))
    if not (ROOT / "tools" / "sim" / f"{kind}.py").is_file():
        from tools.sim import p1

        device = p1.start(model, speed)
        print(f"simulated meter ({model}) on {device}")
        return device
    device = importlib.import_module(f"tools.sim.{kind}").start(entry, speed)
    print(f"simulated {kind} on {device}")
    return device


def command(config: Path, uarts: list[str], vm: bool, profile: str, heap: str | None) -> list[str]:
    """The command line that runs the firmware."""
    arguments = [str(config), *uarts]
    if not vm:
        return [sys.executable, str(_START), *arguments]
    sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tools" / "host")]
    if profile.endswith("-frozen"):
        return _frozen(arguments, profile.removesuffix("-frozen"), heap)
    import run_vm

    return run_vm.command(_START, arguments, profile, heap)


def _frozen(arguments: list[str], chip: str, heap: str | None) -> list[str]:
    """The same with an image's code in a chip's heap; its flash stays as it is between runs."""
    import frozen

    program = frozen.build(None, chip)
    flash = ROOT / "build" / f"flash-{chip}"
    if not flash.exists():
        flash.parent.mkdir(exist_ok=True)
        frozen.new_flash(program, flash)
    uart = arguments[1] if len(arguments) > 1 else ""
    heap_bytes = _bytes(heap) if heap else frozen.HEAPS[chip]
    heap_bytes += frozen.shims(program, uart)
    return frozen.command(program, _START.name, flash, uart, arguments, heap_bytes)


def _bytes(heap: str) -> int:
    """The bytes of "64k" or "2M"."""
    units = {"k": 1024, "m": 1024 * 1024}
    return int(heap.rstrip("kKmM")) * units.get(heap[-1].lower(), 1)


def environment(table: bool) -> dict[str, str]:
    """The environment of the firmware: where its modules are, and what the terminal can do."""
    folders = [ROOT / "firmware", ROOT / "lib", ROOT / "boards" / "HOST"]
    folders.append(ROOT / "tools" / "host" / "shims")
    variables = {"PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONUNBUFFERED": "1"}
    return os.environ | variables | ({"TABLE": "1"} if table else {})


def options() -> argparse.Namespace:
    """The command line, checked; exits with status 2 and a message where it cannot work."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--config", type=Path, default=ROOT / "firmware" / "config.py")
    parser.add_argument("--model", default="nl50", help='which meter a uart "sim" is')
    parser.add_argument("--vm", action="store_true", help="on the MicroPython VM")
    parser.add_argument("--profile", choices=_PROFILES, default="esp32", help="as small as what")
    parser.add_argument("--heap", help="such as 64k: another heap than the profile's")
    found = parser.parse_args()
    if not found.config.is_file():
        parser.error(f"there is no {found.config}; CONFIG=… names the config to run")
    found.config = found.config.resolve()  # the firmware runs in the repository's root
    speed = os.environ.get("SPEED") or "1"
    if not speed.isdigit() or speed == "0":
        parser.error(f"SPEED is {speed}; allowed: 1 (real time) or a whole number above it")
    found.speed = int(speed)
    try:
        found.simulated = simulated(found.config)
    except Exception as error:
        parser.error(f"{found.config} cannot be read: {type(error).__name__}: {error}")
    return found


def run(wanted: argparse.Namespace) -> int:
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

    sys.path.insert(0, str(ROOT))
    (ROOT / "build" / "log").mkdir(parents=True, exist_ok=True)
    try:
        uarts = [start_simulated(entry, wanted.model, wanted.speed) for entry in wanted.simulated]
        line = command(wanted.config, uarts, wanted.vm, wanted.profile, wanted.heap)
    except OSError as problem:
        print(f"run: {problem}", file=sys.stderr)
        return 3
    except Exception as problem:
        if type(problem).__name__ not in ("Unavailable", "BuildError", "LeftOut"):
            raise
        print(f"run: {problem}", file=sys.stderr)
        return 3
    where = f"MicroPython, profile {wanted.profile}" if wanted.vm else "CPython"
    print(f"JouleLog on {where}, config {wanted.config}; Ctrl-C stops", flush=True)
    child = subprocess.Popen(line, env=environment(sys.stdout.isatty()), cwd=ROOT)
    status = child.wait()
    if status not in (0, 2):  # 2: the config, and the firmware has said what is wrong
        print(f"run: the firmware ended, exit status {status}", file=sys.stderr)
    return status if status >= 0 else 128 - status


def main() -> int:
    try:
        return run(options())
    except KeyboardInterrupt:
        print("\nstopped")
        return 0


if __name__ == "__main__":
    sys.exit(main())
