"""What the web server and its password take: bytes of heap as images have them, the longest step.

    python3 -m tools.bench.web        # of both chips

Alone, without readers and sinks. The heap is that of frozen code in flash (rig/frozen.py), without
what stands before; steps are those of the 32-bit VM with the code in ROMFS, which has a finer
clock. Chip time: CPU time x 200 (ESP32) or x 500 (ESP8266). Of several runs the shortest step of
each task counts; a collection of the heap, or a line of the log, falls into some. The exit status
is 0 where no step of an ESP32 is longer than 100 ms. Needs `make deps` and gcc-multilib.
"""

import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import ROOT, boards
from tools.images import features
from tools.rig import frozen, run_vm, step_times

_CHIPS = {"esp32": 200, "esp8266": 500}
_LIMIT_MS = 100
_RUNS = 8
_SCRIPT = ROOT / "tools/bench/vm/size_web.py"
_OWN = re.compile(r"^STEP (?:story|ask) .*\n", re.M)  # the client's


def _port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _said(command: list[str], folder: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    if not re.search(r"^DONE 21 0$", done.stdout, re.M):
        sys.exit("web: it did not answer all:\n" + (done.stdout + done.stderr)[-2000:])
    return done.stdout


def program(chip: str) -> Path:
    """The frozen VM with the chip's features and this one."""
    own = getattr(boards.load(boards.FOLDERS / f"{chip.upper()}_GENERIC"), "FEATURES", None)
    return frozen.build(None, chip, wanted=own and features.named(" ".join((*own, "setup"))))


def heap(chip: str) -> dict[str, int]:
    """{state: bytes in use}."""
    vm = program(chip)
    with tempfile.TemporaryDirectory(prefix="joulelog-web-") as folder:
        flash = frozen.new_flash(vm, Path(folder) / "flash")
        size = frozen.HEAPS["esp32"]  # the client's requests lie in it as well
        said = _said(frozen.command(vm, "size_web.py", flash, "", [_port()], size), folder)
    return {name: int(used) for name, used in re.findall(r"^WEB (\w+) (\d+)", said, re.M)}


def steps(chip: str) -> dict[str, int]:
    """{task: chip time of its longest step in ms}, the longest first."""
    longest = step_times.Longest()
    for _ in range(_RUNS):
        with tempfile.TemporaryDirectory(prefix="joulelog-web-") as folder:
            (Path(folder) / "build/log").mkdir(parents=True)
            said = _said(run_vm.command(_SCRIPT, [_port()], "esp32"), folder)
        longest.add(_OWN.sub("", said))
    return {name: us * _CHIPS[chip] // 1000 for name, us in longest.by_task()}


def main() -> int:
    told = []
    worst = {}
    for chip in _CHIPS:
        try:
            used = heap(chip)
        except frozen.LeftOut as reason:
            print(f"web: left out: {reason}", file=sys.stderr)
            return 3
        took = steps(chip)
        worst[chip] = max(took.values())
        print(chip, used, took)
        told.append(f"{chip}: {used['running'] / 1000:.1f} kB, longest step {worst[chip]} ms")
    print("; ".join(told))
    return 0 if worst["esp32"] <= _LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
