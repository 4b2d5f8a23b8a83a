"""The manifest of the VM that has the cases of tests/vm/romcode, away from all other code."""

import os

include("$(MPY_DIR)/extmod/asyncio")
freeze(os.environ["JOULELOG_FROZEN"])
