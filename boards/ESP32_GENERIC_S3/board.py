"""Any ESP32-S3 module with 4 MiB of flash or more."""

NAME = "ESP32_GENERIC_S3"
CHIP = "esp32s3"
FLASH_KB = 4096
UARTS = {1: {"tx": 17, "rx": 18}, 2: {"tx": 6, "rx": 5}}
GPIO = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 21, 38, 39, 40, 41, 42,
    45, 46, 47, 48,
)  # fmt: skip
INPUT_ONLY = ()
STRAPPING = (  # a level during a reset that keeps the firmware from starting
    (0, "low: download mode"),
    (45, "high: flash at 1.8 V, no start"),
)
LED = None
BUTTON = {"pin": 0, "active": 0}
RESET_STATE = 0x60008038  # RTC_CNTL_RESET_STATE_REG: tells a brown-out from a power-on
REQUEST = 4
SD = None
RX_BUFFER = 4096  # bytes; 356 ms of 115200 baud
LINE_BUFFER = 2560  # a 0-0:96.13.0 text can have 2048 characters
CAN_INVERT = True
CAN_PULL = True
LOG_DIRECTORY = "/"
GC_THRESHOLD = 32768  # bytes allocated between two collections: a telegram or two
WATCHDOG_MS = 60000
DEFAULTS = {"log": {"size_kb": 70}}
