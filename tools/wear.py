#!/usr/bin/env python3
"""How often each block of the flash is erased in 20 years, counted on littlefs: `make size` too.

    python3 tools/wear.py                          # every shipped layout; some minutes
    python3 tools/wear.py --layout 448             # the one with so many kB of file system
    python3 tools/wear.py --always                 # `durability: "always"`, sync_seconds 60
    python3 tools/wear.py --quick                  # fewer days, as the tests do

All writers run together on the MicroPython VM on a clock of their own, on a disk that counts the
erases of each block: the log (a line every 10 minutes, each minute during an outage), the small
values (changed at each minute, as with a pulse meter), the quarter hours, and the firmware's queue
and spool with a P1 meter and a PZEM at 10 s, two sinks, and in each year a week with one of them
down and a power cut on each day. The application, and as much as the history will take, lie there
and do not move.

The normal days are counted in a run of 60 of them, the outage in one whole week; of each block
(normal days x 358 / 60 + week) x 20 is the figure. That is more than 20 years do: a block that is
erased more than others in 60 days stays so for ever in this sum, while littlefs moves on.

With --always one sink is down for ever, so that every reading is written, with the log's state,
once a minute. The figures are years until a block has 50,000 erases: as counted with all writers,
and as the firmware tells them (health; wear.py): an append of n bytes costs 1 + n / 4096 erases,
the worst block gets 2.4 times the mean of those free at the start, others' writes included.

Exit status: 0 when no block has 50,000 erases or more, 1 when one has, 3 without the VM.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / folder) for folder in ("", "lib", "tools/host/shims", "tools/host")]

import romfs  # noqa: E402
import run_vm  # noqa: E402
import vm  # noqa: E402

from tools.sim import day  # noqa: E402

MOST_ERASES = 50000
_YEARS = 20
_QUARTER_DAYS = 40  # of quarter hours that are kept, a file and block each; fewer where few fit
_READINGS = 720  # an hour of both; the counters begin again then
_SETTINGS = {
    "page_bytes": 640,
    "line_min": 10,
    "outage_line_min": 1,
    "value_min": 1,
    "history_min": 15,
    "sync_s": 0,
}


def layouts() -> dict[int, dict]:
    """{kB of file system: {"names": what ships it, and the shares in kB}}."""
    found: dict[int, dict] = {}
    for path in sorted((ROOT / "boards").glob("*/board.json")):
        board = (path.parent / "board.py").read_text()
        log = re.search(r'"log": \{"size_kb": (\d+)', board)
        for name, layout in (
            json.loads(path.read_text()).get("flash", {"layouts": {}})["layouts"].items()
        ):
            size, plan = layout["filesystem_kb"], layout["plan"]
            entry = found.setdefault(size, {"names": []})
            entry["names"].append("%s %s" % (path.parent.name, name))
            entry["flash_kb"] = size
            entry["spill_kb"] = size * plan["spill"] // 100
            entry["segment_bytes"] = max(4096, min(65536, entry["spill_kb"] * 128))
            shares = size * (plan["application"] + plan["history"]) // 100
            entry["history_days"] = min(size * plan["history"] // 100 // 4, _QUARTER_DAYS)
            entry["static_kb"] = shares - 4 * entry["history_days"]
            entry["log_kb"] = int(log[1]) if log else size * plan["logs"] // 100
    return found


def script_input(path: Path, settings: dict) -> None:
    """Settings and an hour of readings, for the VM."""
    generated = day.Day(1, 1782040000)
    schemas = [("p1", generated.channels), ("pzem", day.PZEM_CHANNELS)]
    with path.open("w") as file:
        file.write(json.dumps({**settings, "schemas": schemas}) + "\n")
        for _, source, values in generated.readings(_READINGS // 2):
            file.write(json.dumps([source, *values]) + "\n")


def run(settings: dict) -> tuple[list[list[int]], list[dict]]:
    """(erases of each block, counts) of each phase; SystemExit where the VM fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input"
        script_input(path, settings)
        command = run_vm.command(
            ROOT / "tests/vm/scripts/wear_run.py",
            [str(path)],
            "esp32",
            "8M",
        )
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode or not done.stdout.count("WEAR "):
        raise SystemExit("wear: the VM failed: " + done.stdout[-2000:] + done.stderr[-2000:])
    erases, counts = json.loads(done.stdout.split("WEAR ")[1])
    return erases, counts


def in_20_years(layout: dict, days: int, week_days: int) -> tuple[int, list[dict]]:
    """The greatest count of erases of a block, and what was written in each phase."""
    settings = {**_SETTINGS, **layout, "phases": [[days, False], [week_days, True]]}
    (normal, outage), counts = run(settings)
    blocks = [
        _YEARS * (a * (365 - 7) / days + b * 7 / week_days)
        for a, b in zip(normal, outage, strict=True)
    ]
    return round(max(blocks)), counts


def always(layout: dict, days: int) -> tuple[float, int]:
    """(years to 50,000 erases as counted, as the firmware tells them)."""
    settings = {**_SETTINGS, **layout, "sync_s": 60, "outage_line_min": 10}
    (erases,), (counts,) = run({**settings, "phases": [[days, True]]})
    return MOST_ERASES * days / 365 / max(erases), counts["years"]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--layout", type=int, help="kB of file system")
    parser.add_argument("--always", action="store_true", help="every reading, once a minute")
    parser.add_argument("--quick", action="store_true", help="fewer days")
    options = parser.parse_args()
    try:
        vm.ensure()
    except (vm.Unavailable, romfs.BuildError) as problem:
        print("wear: %s" % problem, file=sys.stderr)
        return 3
    figures = {}
    for size, layout in sorted(layouts().items()):
        if options.layout not in (None, size):
            continue
        if options.always:
            figures[size] = always(layout, 7 if options.quick else 28)
            continue
        days, week = (10, 2) if options.quick else (60, 7)
        figures[size], counts = in_20_years(layout, days, week)
        print("%d kB (%s)" % (size, ", ".join(layout["names"])))
        for phase in counts:
            print("  " + ", ".join("%s %d" % item for item in sorted(phase.items()) if item[1]))
    if options.always:
        texts = ["%.1f (%d) in %d kB" % (*figures[size], size) for size in figures]
        print("years to 50,000 erases (and as the firmware tells): " + ", ".join(texts))
        return 0
    texts = ["%d in %d kB" % (figure, size) for size, figure in figures.items()]
    print("erases of the worst block in 20 years: " + ", ".join(texts))
    return 0 if max(figures.values()) < MOST_ERASES else 1


if __name__ == "__main__":
    sys.exit(main())
