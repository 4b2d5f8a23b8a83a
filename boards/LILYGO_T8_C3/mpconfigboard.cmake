set(IDF_TARGET esp32c3)
set(JOULELOG_SDKCONFIG boards/sdkconfig.riscv boards/sdkconfig.c3)
include(${MICROPY_BOARD_DIR}/../common/esp32.cmake)
