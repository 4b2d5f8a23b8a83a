#define MICROPY_HW_BOARD_NAME "LilyGO TTGO T8 ESP32-S2 V1.1, JouleLog"
#define MICROPY_HW_MCU_NAME "ESP32-S2"

// The REPL is on the chip's USB, and on UART 0 for boards with a USB-to-serial chip.
#define MICROPY_HW_ENABLE_UART_REPL (1)

#include "../common/esp32.h"
