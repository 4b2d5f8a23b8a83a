"""What a FRITZ!Box's login takes on a chip: seconds, and the longest step between two yields.

    python3 -m tools.bench.login

Chip time: CPU time on the 32-bit VM x 200 (ESP32) or x 500 (ESP8266). Of several runs the shortest
counts: others use this computer as well. The exit status is 0 where no step is longer than 100 ms.
"""

import re
import subprocess
import sys

from tools import ROOT
from tools.rig import run_vm

_CHIPS = {"esp32": 200, "esp8266": 500}
_HEAPS = {"esp32": "140k", "esp8266": "80k"}  # the latter has its code in RAM here
_LIMIT_MS = 100
_RUNS = 5


def measured(chip: str) -> tuple[int, int, int]:
    """Seconds of the first login and of a later one, ms of the longest step."""
    script = ROOT / "tools/bench/vm/size_login.py"
    command = run_vm.command(script, [], chip, _HEAPS[chip])
    found = []
    for _ in range(_RUNS):
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        numbers = re.search(r"^LOGIN (\d+) (\d+) (\d+)$", said.stdout, re.M)
        if not numbers:
            sys.exit("login: it did not run:\n" + said.stdout + said.stderr)
        found.append([int(number) * _CHIPS[chip] for number in numbers.groups()])
    first, second, longest = (min(column) for column in zip(*found, strict=True))
    return (first + second) // 1000000, second // 1000000, longest // 1000


def main() -> int:
    worst = 0
    told = []
    for chip in _CHIPS:
        first, later, longest = measured(chip)
        told.append(f"{chip}: {first} s, later {later} s, longest step {longest} ms")
        worst = max(worst, longest)
    print("; ".join(told))
    return 0 if worst <= _LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
