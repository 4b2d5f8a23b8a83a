set(IDF_TARGET esp32s3)
set(JOULELOG_SDKCONFIG boards/sdkconfig.spiram_quad boards/sdkconfig.flash_qio_80m)
include(${MICROPY_BOARD_DIR}/../common/esp32.cmake)
