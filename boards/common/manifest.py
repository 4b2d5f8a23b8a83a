"""What is frozen into every board's image: MicroPython's own, ours, and the pinned packages.

Run by MicroPython's build, or for a look at the list of files:

    JOULELOG_DEPS=$(python3 tools/host/deps.py path) python3 $MICROPYTHON/tools/manifestfile.py \
        --freeze --top $MICROPYTHON --port $MICROPYTHON/ports/esp32 \
        --board boards/ESP32_GENERIC boards/ESP32_GENERIC/manifest.py

tools/firmware.py sets JOULELOG_DEPS, where `make deps` has put mqtt_as.
"""

import os

include("$(PORT_DIR)/boards/manifest.py")
include("$(MPY_DIR)/extmod/asyncio")  # the ESP8266 port's manifest leaves it out

# micropython-lib at the commit that the MicroPython checkout names.
require("logging")
require("ssl")
require("aiohttp")

if not os.environ.get("JOULELOG_DEPS"):
    raise ValueError("JOULELOG_DEPS is not set: JOULELOG_DEPS=$(python3 tools/host/deps.py path)")
# It validates what a broker sends with assert: no optimisation that takes those away.
package("mqtt_as", base_path=os.environ["JOULELOG_DEPS"], opt=0)

include("$(BOARD_DIR)/../../firmware/manifest.py")
module("board.py", base_path="$(BOARD_DIR)", opt=2)
