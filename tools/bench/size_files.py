"""Smallest heap of the firmware from .mpy files, as on a stock image: for `make size ONLY=files`.

    for name, figure, unit in size_files.rows(folder, budgets, quick): ...

The first use of JouleLog is `make flash` onto MicroPython's own image: all code lies in the heap.
Two pipelines without readings on the flash, each as it is by default and with small buffers:
the smallest heap in which the queue fills, all is delivered and no task fails, what only a
computer has in its heap taken off. heap_kb in a board's board.json is what its stock image has.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tools import ROOT, boards
from tools.bench import example_heaps
from tools.bench.least import least
from tools.rig import run_vm

PROFILE = "esp32-files"
_PIPELINES = {
    "PZEM -> emoncms": (
        {"type": "pzem", "interval": 2},
        {"type": "emoncms", "url": "http://host"},
    ),
    "P1 -> mqtt": ({"type": "dsmr"}, {"type": "mqtt", "host": "broker"}),
}
_SMALL = {"slots": 16}, {"batch": 1024}  # of the queue, of the sink
_RANGE_KB = (90, 230)  # does not run, runs


def rows(folder: Path, budgets: dict[str, int], quick: bool) -> Iterator[tuple[str, int, str]]:
    """Name, kB and unit of each; in a hurry only the budgets are tried."""
    shims_bytes = _shims()
    settings = {name: one for name, one in _settings()}
    with example_heaps.Stage(folder, settings) as stage:
        for name in settings:
            row = f"files {name}, smallest heap"

            def fits(heap_kb: int, name=name) -> bool:
                return stage.fits(name, PROFILE, heap_kb, shims_bytes)

            figure = least(fits, *_RANGE_KB, budgets.get(row, 0) if quick else 0)
            for heap_kb, names in [] if quick else _stock():
                verdict = "fits" if figure <= heap_kb else "does not fit"
                print(f"  {name}: {verdict} into the {heap_kb} kB of a stock {', '.join(names)}")
            yield row, figure, "kB"


def _settings() -> Iterator[tuple[str, dict]]:
    for name, (reader, sink) in _PIPELINES.items():
        for queue, entry in (({}, {}), _SMALL):
            one: dict = {"readers": [{"uart": 2, **reader}], "sinks": [{**sink, **entry}]}
            one["queue"] = {"flash_kb": 0, **queue}
            yield name + (", small" if queue else ""), one


def _stock() -> list[tuple[int, list[str]]]:
    """The heaps that boards have with MicroPython's own image, and which boards."""
    found: dict[int, list[str]] = {}
    for name in boards.names():
        heap_kb = boards.facts(boards.FOLDERS / name).get("micropython", {}).get("heap_kb")
        if heap_kb:
            found.setdefault(heap_kb, []).append(name)
    return sorted(found.items())


def _shims() -> int:
    command = run_vm.command(ROOT / "tools/bench/vm/size_shims.py", (), PROFILE)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return int(re.findall(r"^SHIMS (\d+)", done.stdout, re.M)[0])
