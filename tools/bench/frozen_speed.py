"""What code objects in flash cost in time: for tools/bench/size.py.

    speed = Speed(folder, {False: plain, True: patched}, broker_port)
    speed.telegrams()       # 104: a telegram takes 104 % of the plain VM's CPU time
    speed.steps()           # the same for the longest step of the running pipeline

Both programs are frozen VMs of one checkout (tools/rig/frozen.py). They take turns, and of each
one's runs the shortest counts: whatever else this computer does can only lengthen them.
"""

import os
import subprocess
from pathlib import Path

from tools.bench.frozen_heaps import Heaps, Target, delivered
from tools.rig import frozen
from tools.rig.step_times import Longest
from tools.sim import p1

_TURNS = 5
_TELEGRAMS = 3000
_HEAP_BYTES = 160 * 1024


class Speed:
    """Two programs, and what they run; see the module's text."""

    def __init__(self, folder: Path, programs: dict[bool, Path], broker_port: int) -> None:
        self._programs = programs  # code objects in flash -> the program
        self._folder = folder
        self._heaps = {
            in_flash: Heaps(folder, program, f"speed{in_flash:d}", broker_port)
            for in_flash, program in programs.items()
        }
        self._recording = folder / "telegrams"
        now = [1795000000]
        meter = p1.Meter("nl50", clock=lambda: now[0])
        with self._recording.open("wb") as file:
            for _ in range(10):
                file.write(meter.telegram())
                now[0] += 10

    def telegrams(self) -> int:
        """CPU time per telegram from the framer to the sink's batch, in percent of plain."""
        least = {in_flash: 1e9 for in_flash in self._programs}
        for _ in range(_TURNS):
            for in_flash in self._programs:
                least[in_flash] = min(self._chain(in_flash), least[in_flash])
        return round(100 * least[True] / least[False])

    def steps(self) -> int:
        """The longest step of P1 -> MQTT, in percent of plain."""
        longest = {in_flash: Longest() for in_flash in self._programs}
        for _ in range(_TURNS):
            for in_flash in self._programs:
                longest[in_flash].add(self._pipeline(in_flash))
        return round(100 * longest[True].us() / longest[False].us())

    def _chain(self, in_flash: bool) -> float:
        program = self._programs[in_flash]
        flash = frozen.new_flash(program, self._folder / "flash")
        arguments = ["growth", str(self._recording), str(_TELEGRAMS)]
        uart = p1.start("nl50")  # a device that is there; nobody reads it
        line = frozen.command(program, "size_chain.py", flash, uart, arguments, _HEAP_BYTES)
        process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        text = process.stdout.read()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        if f" {_TELEGRAMS} {_TELEGRAMS}\n" not in text:
            raise SystemExit("speed: the telegrams did not go through:\n" + text[-1500:])
        return usage.ru_utime + usage.ru_stime

    def _pipeline(self, in_flash: bool) -> str:
        target = Target("P1", ("mqtt",))
        text = self._heaps[in_flash].run(target, _HEAP_BYTES, "size_steps.py", "20")
        if not delivered(text):
            raise SystemExit("speed: the pipeline did not run:\n" + text[-1500:])
        return text
