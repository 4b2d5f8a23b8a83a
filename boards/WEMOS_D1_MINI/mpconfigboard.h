#define MICROPY_HW_BOARD_NAME "WEMOS / LOLIN D1 mini, JouleLog"

#include "../common/esp8266.h"
