"""What is frozen into every board's image: MicroPython's own, ours, and the pinned packages.

Run by MicroPython's build, or for a look at the list of files:

    JOULELOG_DEPS=$(python3 -m tools.host.deps path) python3 $MICROPYTHON/tools/manifestfile.py \
        --freeze --top $MICROPYTHON --port $MICROPYTHON/ports/esp32 \
        --board boards/ESP32_GENERIC boards/ESP32_GENERIC/manifest.py

tools/images/firmware.py sets JOULELOG_DEPS, where `make deps` has put mqtt_as.
"""

# small: an ESP8266, where each module costs static RAM; features: names of features.json, or all
options.defaults(small=False, features=None)

if options.small:
    for _name in ("_boot", "flashbdev", "inisetup"):
        module(_name + ".py", base_path="$(PORT_DIR)/modules")
else:
    include("$(PORT_DIR)/boards/manifest.py")
include("application.py", small=options.small, features=options.features)
module("board.py", base_path="$(BOARD_DIR)", opt=2)
