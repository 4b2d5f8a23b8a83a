"""The budgets hold, by `make size` in a hurry; test_size_frozen.py and test_size_parts.py: more.

JOULELOG_LONG=1 measures all that `make size` does.
"""

import json
from pathlib import Path

import pytest

from tests.integration.size_rig import LIMIT_S, keeps, require, size
from tools import ROOT

# Times are measured where nothing else runs: other tests would lengthen any step.
alone = pytest.mark.long
pytestmark = pytest.mark.timeout(LIMIT_S)


@pytest.mark.parametrize(
    "what",
    [
        "mpy",
        "import",
        "app",
        "smallest",
        "telegram",
        "growth",
        pytest.param("steps", marks=alone),
        "spool",
        "files",
    ],
)
def test_budget(what: str) -> None:
    keeps(what)


def test_a_broken_budget_is_told(tmp_path: Path) -> None:
    require("mpy")
    budgets = json.loads((ROOT / "tools/bench/budgets.json").read_text())
    budgets["mpy total"] = 1
    low = tmp_path / "budgets.json"
    low.write_text(json.dumps(budgets))
    done = size("--only", "mpy", "--budgets", str(low))
    assert done.returncode == 1
    assert "over its budget: mpy total" in done.stdout


def test_an_unknown_figure_is_refused() -> None:
    done = size("--only", "weight")
    assert done.returncode == 2
    assert "growth" in done.stderr
