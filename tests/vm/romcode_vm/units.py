"""The manifest of the VM that has the application, its unit tests and all that they stand on."""

import os

include("$(MPY_DIR)/extmod/asyncio")
require("logging")
require("ssl")
require("aiohttp")
package("mqtt_as", base_path=os.environ["JOULELOG_DEPS"], opt=0)
module("microdot.py", base_path=os.environ["JOULELOG_DEPS"], opt=2)
include("../../../firmware/manifest.py")
module("board.py", base_path="../../../boards/HOST", opt=2)
for _name in ("machine", "machine_parts", "network", "serialport"):
    module(_name + ".py", base_path="../../../tools/rig/vm_shims", opt=2)
freeze(os.environ["JOULELOG_FROZEN"])
