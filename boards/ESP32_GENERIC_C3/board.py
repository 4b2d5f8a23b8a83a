"""Any ESP32-C3 module with 4 MiB of flash."""

NAME = "ESP32_GENERIC_C3"
CHIP = "esp32c3"
FLASH_KB = 4096
UARTS = {1: {"tx": 5, "rx": 4}}
GPIO = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
INPUT_ONLY = ()
STRAPPING = (  # a level during a reset that keeps the firmware from starting
    (2, "low: may not start"),
    (9, "low: download mode"),
)
LED = None
BUTTON = {"pin": 9, "active": 0}
RESET_STATE = 0x60008038  # RTC_CNTL_RESET_STATE_REG: tells a brown-out from a power-on
REQUEST = 6
SD = None
RX_BUFFER = 4096  # bytes; 356 ms of 115200 baud
LINE_BUFFER = 2560  # a 0-0:96.13.0 text can have 2048 characters
CAN_INVERT = True
CAN_PULL = True
LOG_DIRECTORY = "/"
GC_THRESHOLD = 32768  # bytes allocated between two collections: a telegram or two
WATCHDOG_MS = 60000
DEFAULTS = {"log": {"size_kb": 70}}
