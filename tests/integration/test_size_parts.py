"""The budgets of parts and of examples hold, by `make size` in a hurry; JOULELOG_LONG=1: all."""

import pytest

from tests.integration.size_rig import LIMIT_S, keeps

pytestmark = pytest.mark.timeout(LIMIT_S)


@pytest.mark.parametrize("what", ["parts", "examples"])
def test_budget(what: str) -> None:
    keeps(what)
