"""Any ESP32-S2 module with 4 MiB of flash."""

NAME = "ESP32_GENERIC_S2"
CHIP = "esp32s2"
FLASH_KB = 4096
UARTS = {1: {"tx": 17, "rx": 18}}
GPIO = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 21, 33, 34, 35, 36, 37,
    38, 39, 40, 41, 42, 45, 46,
)  # fmt: skip
INPUT_ONLY = (46,)
STRAPPING = (  # a level during a reset that keeps the firmware from starting
    (0, "low: download mode"),
    (45, "high: flash at 1.8 V, no start"),
)
LED = None
BUTTON = {"pin": 0, "active": 0}
RESET_STATE = 0x3F408038  # RTC_CNTL_RESET_STATE_REG: tells a brown-out from a power-on
REQUEST = 16
SD = None
RX_BUFFER = 4096  # bytes; 356 ms of 115200 baud
LINE_BUFFER = 2560  # a 0-0:96.13.0 text can have 2048 characters
CAN_INVERT = True
CAN_PULL = True
LOG_DIRECTORY = "/"
GC_THRESHOLD = 32768  # bytes allocated between two collections: a telegram or two
WATCHDOG_MS = 60000
DEFAULTS = {"log": {"size_kb": 70}}
