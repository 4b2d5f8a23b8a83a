"""What is frozen into the VM of tools/frozen.py: what a chip's image has, and stand-ins."""

import os

include("$(MPY_DIR)/extmod/asyncio")
require("logging")
require("ssl")
require("aiohttp")
package("mqtt_as", base_path=os.environ["JOULELOG_DEPS"], opt=0)
include("../../../firmware/manifest.py")
module("board.py", base_path=os.environ["JOULELOG_FROZEN"], opt=2)
for _name in ("machine", "machine_parts", "network", "serialport"):
    module(_name + ".py", base_path="../vm_shims", opt=2)
module("chip.py", opt=2)
for _name in (
    "measured_steps",
    "size_chain",
    "size_steps",
    "size_run",
    "size_modules",
    "size_parts",
):
    module(_name + ".py", base_path="../../../tests/vm/scripts", opt=2)
