"""The manifest of the VM that has MicroPython's own tests."""

import os

include("$(MPY_DIR)/extmod/asyncio")
require("unittest")
freeze(os.environ["JOULELOG_FROZEN"])
