# What all ESP32 boards share. A board's mpconfigboard.cmake sets IDF_TARGET, may set
# JOULELOG_SDKCONFIG (more of the port's settings), and includes this file.

# Without boards/sdkconfig.ble: JouleLog has no use for Bluetooth, and two images have to fit.
set(SDKCONFIG_DEFAULTS
    boards/sdkconfig.base
    ${JOULELOG_SDKCONFIG}
    ${MICROPY_BOARD_DIR}/../common/sdkconfig.esp32
)
if(EXISTS ${MICROPY_BOARD_DIR}/sdkconfig.board)
    list(APPEND SDKCONFIG_DEFAULTS ${MICROPY_BOARD_DIR}/sdkconfig.board)
endif()

# The IDF takes a relative name from the port's folder, and expands no variable: write the path.
set(JOULELOG_PARTITIONS ${MICROPY_BOARD_DIR}/partitions.csv)
if(NOT EXISTS ${JOULELOG_PARTITIONS})
    set(JOULELOG_PARTITIONS ${MICROPY_BOARD_DIR}/../common/partitions-4MiB.csv)
endif()
get_filename_component(JOULELOG_PARTITIONS ${JOULELOG_PARTITIONS} ABSOLUTE)
file(WRITE ${CMAKE_BINARY_DIR}/sdkconfig.joulelog
    "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"${JOULELOG_PARTITIONS}\"\n"
)
list(APPEND SDKCONFIG_DEFAULTS ${CMAKE_BINARY_DIR}/sdkconfig.joulelog)

set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
set(MICROPY_PY_BTREE OFF)
