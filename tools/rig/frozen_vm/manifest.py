"""What is frozen into the VM of tools/rig/frozen.py: what a chip's image has, and stand-ins."""

import os
import runpy

_board = runpy.run_path(os.environ["JOULELOG_FROZEN"] + "/board.py")
include(
    "../../../boards/common/application.py",
    small=os.environ["JOULELOG_CHIP"] == "esp8266",
    features=_board.get("FEATURES"),
)
module("board.py", base_path=os.environ["JOULELOG_FROZEN"], opt=2)
for _name in (
    *("machine", "machine_parts", "network", "serialport"),
    *("config_file", "measured_steps"),
):
    module(_name + ".py", base_path="../vm_shims", opt=2)
module("chip.py", opt=2)
module("start.py", base_path="../../host", opt=2)
# One program for all who stand on it: to build another for each takes minutes.
for _name in (
    "size_chain",
    "size_steps",
    "size_run",
    "size_modules",
    "size_parts",
    "size_web",
    "size_setup",
):
    module(_name + ".py", base_path="../../bench/vm", opt=2)
for _name in ("soak_run", "update_serve", "rest_serve"):
    module(_name + ".py", base_path="../../../tests/vm/scripts", opt=2)
module("esp32.py", base_path="../../host/shims", opt=2)
module("update_helpers.py", base_path="../../../tests/unit", opt=2)
