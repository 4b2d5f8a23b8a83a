#!/usr/bin/env python3
"""Run the firmware on this computer: on CPython, or on the MicroPython VM as small as a chip.

    python3 tools/run.py                                   # firmware/config.py, simulated meter
    python3 tools/run.py --config my/config.py
    python3 tools/run.py --vm --profile esp8266            # in the heap of an ESP8266
    SPEED=60 python3 tools/run.py                          # an hour in a minute

Each reader whose `uart` is "sim" gets a simulated P1 meter of its own (--model says which).
Ctrl-C stops everything. `make run` calls this.
"""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_START = ROOT / "tools" / "host" / "start.py"


def count_simulated(config: Path) -> int:
    """How many readers of a config want a simulated meter."""
    names: dict = {"__file__": str(config)}
    exec(compile(config.read_text(), str(config), "exec"), names)  # noqa: S102 - the user's own file
    return sum(1 for entry in names.get("readers", ()) if entry.get("uart") == "sim")


def command(config: Path, uarts: list[str], vm: bool, profile: str, heap: str | None) -> list[str]:
    """The command line that runs the firmware."""
    arguments = [str(config), *uarts]
    if not vm:
        return [sys.executable, str(_START), *arguments]
    sys.path.insert(0, str(ROOT / "tools" / "host"))
    import run_vm

    return run_vm.command(_START, arguments, profile, heap)


def environment(table: bool) -> dict[str, str]:
    """The environment of the firmware: where its modules are, and what the terminal can do."""
    folders = [ROOT / "firmware", ROOT / "lib", ROOT / "boards" / "HOST"]
    folders.append(ROOT / "tools" / "host" / "shims")
    variables = {"PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONUNBUFFERED": "1"}
    return os.environ | variables | ({"TABLE": "1"} if table else {})


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--config", type=Path, default=ROOT / "firmware" / "config.py")
    parser.add_argument("--model", default="nl50", help="which meter a uart \"sim\" is")
    parser.add_argument("--vm", action="store_true", help="on the MicroPython VM")
    parser.add_argument("--profile", default="esp32", help="esp8266, esp32 or esp32-files")
    parser.add_argument("--heap", help="such as 64k: another heap than the profile's")
    options = parser.parse_args()
    if not options.config.is_file():
        parser.error(f"there is no {options.config}; CONFIG=… names the config to run")
    (ROOT / "build" / "log").mkdir(parents=True, exist_ok=True)

    sys.path.insert(0, str(ROOT))
    from tools.sim import p1

    speed = int(os.environ.get("SPEED") or 1)
    try:
        wanted = count_simulated(options.config)
    except Exception as error:
        parser.error(f"{options.config} is not valid Python: {type(error).__name__}: {error}")
    uarts = [p1.start(options.model, speed) for _ in range(wanted)]
    for uart in uarts:
        print(f"simulated meter ({options.model}) on {uart}")
    try:
        line = command(options.config, uarts, options.vm, options.profile, options.heap)
    except Exception as problem:
        if type(problem).__name__ not in ("Unavailable", "BuildError"):
            raise
        print(f"run: {problem}", file=sys.stderr)
        return 3
    where = f"MicroPython, profile {options.profile}" if options.vm else "CPython"
    print(f"JouleLog on {where}, config {options.config}; Ctrl-C stops", flush=True)
    child = subprocess.Popen(line, env=environment(sys.stdout.isatty()), cwd=ROOT)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the child as well
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGINT))
    return child.wait()


if __name__ == "__main__":
    sys.exit(main())
