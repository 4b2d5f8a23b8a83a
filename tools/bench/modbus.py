"""The figures that README.md claims of Modbus, measured by the tests that hold them.

    python3 -m tools.bench.modbus frames     # random frames that pymodbus and lib/modbus agree on
    python3 -m tools.bench.modbus tables     # register tables that mean the same to both
    python3 -m tools.bench.modbus line       # how much of 9600 baud one PZEM's polls use

The figure is on the last line; the exit status is 0 where the claim holds.
"""

import os
import re
import subprocess
import sys

from tools import ROOT

_TESTS = {
    "frames": (
        "tests/integration/test_modbus_oracle.py::test_random_frames",
        r"\d+ frames, .*",
    ),
    "tables": ("tests/integration/test_modbus_oracle.py::test_tables_long", r"\d+ tables, .*"),
    "line": ("tests/unit/test_reader_pzem.py::TestReader::test_efficiency", r"bus efficiency \S+"),
}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in _TESTS:
        print(f"allowed: {' or '.join(_TESTS)}", file=sys.stderr)
        return 2
    test, figure = _TESTS[arguments[0]]
    command = [sys.executable, "-m", "pytest", "-q", "-s", test]
    environment = {**os.environ, "JOULELOG_LONG": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, check=False, env=environment
    )
    found = re.search(figure, done.stdout)
    if done.returncode or not found:  # a test that was left out has no figure
        print(done.stdout[-2000:] + done.stderr[-2000:])
        return done.returncode or 1
    print(found[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
