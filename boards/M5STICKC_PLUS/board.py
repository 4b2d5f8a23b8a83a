"""M5StickC Plus: ESP32-PICO-D4 with 4 MiB of flash, a battery and a case."""

NAME = "M5STICKC_PLUS"
CHIP = "esp32"
FLASH_KB = 4096
# 1: header, where GPIO 36 shares its hole with 25 (leave that alone); 2: Grove socket.
UARTS = {1: {"tx": 26, "rx": 36}, 2: {"tx": 32, "rx": 33}}
GPIO = (0, 10, 25, 26, 32, 33, 36, 37)
INPUT_ONLY = (36, 37)
STRAPPING = (  # a level during a reset that keeps the firmware from starting
    (0, "low: download mode"),
)
LED = {"pin": 10, "active": 0, "pwm": True}
BUTTON = {"pin": 37, "active": 0}
RESET_STATE = 0x3FF48034  # RTC_CNTL_RESET_STATE_REG: tells a brown-out from a power-on
REQUEST = None
SD = None
RX_BUFFER = 4096  # bytes; 356 ms of 115200 baud
LINE_BUFFER = 2560  # a 0-0:96.13.0 text can have 2048 characters
CAN_INVERT = True
CAN_PULL = True
LOG_DIRECTORY = "/"
GC_THRESHOLD = 32768  # bytes allocated between two collections: a telegram or two
WATCHDOG_MS = 60000
DEFAULTS = {"log": {"size_kb": 70}}
