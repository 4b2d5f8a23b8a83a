#define MICROPY_HW_BOARD_NAME "M5StickC Plus, JouleLog"
#define MICROPY_HW_MCU_NAME "ESP32"

#include "../common/esp32.h"
