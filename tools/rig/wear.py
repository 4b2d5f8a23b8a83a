"""Erases of each block of the flash in 20 years, as tools/bench/wear.py says; for tests too.

figure, counts = in_20_years(layouts()[448], days=60, week_days=7)
"""

import json
import re
import subprocess
import tempfile
from pathlib import Path

from tools import ROOT
from tools.rig import run_vm
from tools.sim import day

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
            ROOT / "tools/rig/wear_run.py",
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
