set(IDF_TARGET esp32s2)
set(JOULELOG_SDKCONFIG boards/sdkconfig.spiram_quad)
include(${MICROPY_BOARD_DIR}/../common/esp32.cmake)
