"""Begin a reader for a meter: `make meter NAME=my_meter`.

    .venv/bin/python -m tools.meter demo

Writes codec, reader, registry line, simulator, tests, page and example config, and then what
follows from these: `make packages` and `make docs`. Exit status 2, with nothing written, where the
name cannot be had.
"""

import argparse
import subprocess
import sys

from tools import ROOT, meter

_NEXT = """
what to do next:
  make run CONFIG=examples/configs/{0}.py     # it reads its simulator
  make test TESTS=tests/unit/test_{0}.py      # and its tests pass
  put real bytes of the meter into tests and codec, and change what fails: CONTRIBUTING.md"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("name")
    name = parser.parse_args().name
    wrong = meter.problem(name)
    if wrong:
        print(f"meter: NAME={name}: {wrong}", file=sys.stderr)
        return 2
    for path in meter.write(name):
        print(f"written: {path.relative_to(ROOT)}")
    for tool in ("packages", "docs"):  # anew: they look at what is there when they start
        subprocess.run([sys.executable, "-m", f"tools.{tool}"], cwd=ROOT, check=True)
    print(_NEXT.format(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
