#define MICROPY_HW_BOARD_NAME "ESP8266, JouleLog"

#include "../common/esp8266.h"
