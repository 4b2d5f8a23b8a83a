"""What is frozen into the VM of tools/frozen.py: what a chip's image has, and stand-ins."""

import os
import runpy

_board = runpy.run_path(os.environ["JOULELOG_FROZEN"] + "/board.py")
include(
    "../../../boards/common/application.py",
    small=os.environ["JOULELOG_CHIP"] == "esp8266",
    features=_board.get("FEATURES"),
)
module("board.py", base_path=os.environ["JOULELOG_FROZEN"], opt=2)
for _name in ("machine", "machine_parts", "network", "serialport"):
    module(_name + ".py", base_path="../vm_shims", opt=2)
module("chip.py", opt=2)
module("start.py", base_path="..", opt=2)
for _name in (
    "measured_steps",
    "size_chain",
    "size_steps",
    "size_run",
    "size_modules",
    "size_parts",
    "soak_run",
):
    module(_name + ".py", base_path="../../../tests/vm/scripts", opt=2)
