#define MICROPY_HW_BOARD_NAME "ESP32, JouleLog"
#define MICROPY_HW_MCU_NAME "ESP32"

#include "../common/esp32.h"
