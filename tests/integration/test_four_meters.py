"""A P1 meter, two PZEMs on one line, a pulse meter and a heat pump on one logger.

The shipped examples/configs/four_meters.py on the VM, from ROMFS in 160 kB (an image takes less):
all of them publish, the heap stays as it is, and no step is long. The heap is watched by a fast
clock, with shorter intervals than the example's, over 10,000 cycles with JOULELOG_LONG=1 (`make
test ALL=1`), else over fewer. A cycle is a reading of one of the five.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests import tiers
from tests.integration.run_rig import ON_THE_VM
from tools import ROOT
from tools.rig import run_vm, vm
from tools.rig.step_times import Longest
from tools.sim import altherma, child, p1, pulse

EXAMPLE = ROOT / "examples/configs/four_meters.py"
NAMES = ("grid", "car", "kitchen", "solar", "heat_pump")
LONG = os.environ.get("JOULELOG_LONG") == "1"
CYCLES = 10000 if LONG else 1000
LIMIT_MS = 100
HEAP = "160k"
ESP32 = 200  # chip time by CPU time of the VM: see tools/bench/size.py
SPEED = 10  # faster, the heat pump's time-outs would be too short for a computer


@pytest.mark.parametrize("how", [[], [*ON_THE_VM[0], "--heap", HEAP]], ids=["cpython", "esp32"])
def test_everyone_publishes(start, how) -> None:
    run = start("--config", str(EXAMPLE), *how)
    for name, key in zip(NAMES, ("power_import", "power", "power", "pulses", "flow"), strict=True):
        run.wait_for(rf"\dZ {name} .*\b{key}=\d")
    assert run.interrupt() == 0
    assert "Traceback" not in run.output
    assert " ERROR " not in run.output and " WARNING " not in run.output


@pytest.mark.parametrize("how", [[], ON_THE_VM[0]], ids=["cpython", "esp32"])
def test_a_config_may_be_called_like_a_package(start, how) -> None:
    run = start("--config", str(EXAMPLE.with_name("pulse.py")), *how)
    run.wait_for(r"electricity: light, recorded in .* pulses so far")
    run.wait_for("wifi: connected")
    assert run.interrupt() == 0
    assert "Traceback" not in run.output


def hurried(folder: Path) -> Path:
    """The example's config, with readings as often as its readers allow; its path."""
    shipped: dict = {}
    exec(EXAMPLE.read_text(), shipped)
    grid, car, kitchen, solar, heat_pump = shipped["readers"]
    grid["interval"] = 0  # each telegram
    car["interval"] = kitchen["interval"] = 1
    solar |= {"window": 5, "pulse_ms": 50}  # fewer samples: this computer plays them
    heat_pump["interval"] = 5
    lines = [f"SPEED = {SPEED}", f"log = {{'directory': {str(folder)!r}, 'size_kb': 50}}"]
    for name in ("device", "board", "readers", "sinks", "queue"):
        lines.append(f"{name} = {shipped[name]!r}")
    path = folder / "hurried.py"
    path.write_text("\n".join(lines) + "\n")
    return path


def run_for(folder: Path, what: str, cycles: int) -> str:
    """What tests/vm/scripts/four_meters.py prints, without the readings."""
    bus = child.start("tools.sim.pzem", ("1=ac", "2=ac", "--speed", str(SPEED)))
    grid, unit = p1.start("nl50", SPEED), altherma.start({}, SPEED)
    light = pulse.start({"name": "four", "pulse_ms": 50})
    arguments = [what, str(hurried(folder)), "100", str(cycles), grid, bus, bus, light, unit]
    try:
        line = run_vm.command(
            ROOT / "tests/vm/scripts/four_meters.py", arguments, "esp32", HEAP, deps=None
        )
    except vm.Unavailable as problem:
        tiers.missing("the MicroPython VM", "vm", str(problem))
    done = subprocess.run(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode(errors="replace")
    assert "DONE" in text, text[-3000:]
    told = [line for line in text.splitlines() if re.match(r"[A-Z]+ |.* (WARN|ERR)", line)]
    return "\n".join(told)


@pytest.mark.timeout(900)
def test_the_heap_is_flat(tmp_path) -> None:
    text = run_for(tmp_path, "heap", CYCLES)
    print(text)
    cycles, restarts = re.findall(r"^DONE (\d+) (\d+)", text, re.M)[0]
    assert int(cycles) >= CYCLES and restarts == "0"
    shares = dict(re.findall(r"^READER (\S+) (\d+)", text, re.M))
    assert set(shares) == set(NAMES)
    assert min(map(int, shares.values())) > CYCLES // 40
    heap = [int(used) for used in re.findall(r"^HEAP \d+ (\d+)", text, re.M)]
    assert abs(heap[-1] - heap[0]) <= heap[0] * 2 // 100, heap


@pytest.mark.long  # with nothing beside it
def test_no_step_is_long(tmp_path) -> None:
    """By CPU time, as `make size ONLY=steps`; of up to 7 runs each task's shortest counts.

    On an idle computer the longest takes 75 ms: up to 35 of work (a line of the console, a piece
    of a telegram) and 40 to 45 of a collection in a heap with 115 kB in use, which falls into
    anybody's step.
    """
    longest = Longest()
    for _ in range(7):
        text = run_for(tmp_path, "steps", 300)
        longest.add(text)
        assert {name for name, _ in longest.by_task()} >= {*NAMES, "console"}
        if longest.us() * ESP32 <= LIMIT_MS * 1000:
            break
    print("longest steps in ms of chip time:")
    for name, us in longest.by_task():
        print(f"  {name} {us * ESP32 // 1000}")
    assert longest.us() * ESP32 <= LIMIT_MS * 1000
