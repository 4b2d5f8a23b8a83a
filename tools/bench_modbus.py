#!/usr/bin/env python3
"""The figures that README.md claims of Modbus, measured by the tests that hold them.

    python3 tools/bench_modbus.py frames     # random frames that pymodbus and lib/modbus agree on
    python3 tools/bench_modbus.py line       # how much of 9600 baud one PZEM's polls use

The figure is on the last line; the exit status is 0 where the claim holds.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_TESTS = {
    "frames": ("test_modbus_oracle.py::test_100000_random_frames", r"\d+ frames, .*"),
    "line": ("test_modbus_line.py::test_efficiency", r"bus efficiency \S+"),
}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in _TESTS:
        print(f"allowed: {' or '.join(_TESTS)}", file=sys.stderr)
        return 2
    test, figure = _TESTS[arguments[0]]
    command = [sys.executable, "-m", "pytest", "-q", "-s", f"tests/integration/{test}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    found = re.search(figure, done.stdout)
    if done.returncode or not found:  # a test that was left out has no figure
        print(done.stdout[-2000:] + done.stderr[-2000:])
        return done.returncode or 1
    print(found[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
