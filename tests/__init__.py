"""The tests. Importing anything of this package makes `joulelog`, `dsmr`, `machine` … importable.

subprocess.run(command, env=with_unit_tests(), cwd=ROOT)
"""

import os

from tools import ROOT  # and so all that tools says about where modules are

# Unit tests run on MicroPython too, and import these plainly there and here: pyproject.toml has
# the same folders for pytest, vm/runner.py for the VM.
_PLAIN = ("tests/unit", "tests/fakes", "tests/fixtures/dlms")


def with_unit_tests() -> dict[str, str]:
    """The environment of a process that imports unit tests, or what they import."""
    folders = os.pathsep.join([str(ROOT / folder) for folder in _PLAIN])
    return {**os.environ, "PYTHONPATH": folders}
