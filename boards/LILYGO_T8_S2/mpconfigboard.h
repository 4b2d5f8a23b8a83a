#define MICROPY_HW_BOARD_NAME "LilyGO TTGO T8 ESP32-S2 V1.1, JouleLog"
#define MICROPY_HW_MCU_NAME "ESP32-S2"

// The REPL is on UART 0, where the board's CH340 is: native USB would take GPIO 19, which is the
// data request here.
#define MICROPY_HW_ENABLE_UART_REPL (1)
#define MICROPY_HW_ENABLE_USBDEV (0)

#include "../common/esp32.h"
