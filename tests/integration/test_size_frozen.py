"""The budgets of frozen code hold, by `make size` in a hurry; JOULELOG_LONG=1: all of it."""

from pathlib import Path

import pytest

from tests.integration.size_rig import LIMIT_S, keeps, size

pytestmark = pytest.mark.timeout(LIMIT_S)


@pytest.mark.parametrize("what", ["frozen", "lan", "setup"])
def test_budget(what: str) -> None:
    keeps(what)


def test_frozen_says_what_it_needs(tmp_path: Path) -> None:
    done = size("--only", "frozen", JOULELOG_CACHE=str(tmp_path), MICROPYTHON="")
    assert done.returncode == 3
    assert "left out: needs MicroPython (make deps, or MICROPYTHON=<checkout>)" in done.stdout
