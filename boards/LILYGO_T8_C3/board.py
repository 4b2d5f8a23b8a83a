"""LilyGO TTGO T8 ESP32-C3: SD card slot, 4 MiB of flash."""

NAME = "LILYGO_T8_C3"
CHIP = "esp32c3"
FLASH_KB = 4096
UARTS = {1: {"tx": 0, "rx": 2}}
GPIO = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
INPUT_ONLY = ()
STRAPPING = (  # a level during a reset that keeps the firmware from starting
    (2, "low: may not start"),
    (9, "low: download mode"),
)
LED = {"pin": 3, "active": 1, "pwm": True}
BUTTON = {"pin": 9, "active": 0}
RESET_STATE = 0x60008038  # RTC_CNTL_RESET_STATE_REG: tells a brown-out from a power-on
REQUEST = 8  # never GPIO 9: a meter pulls it low, and the chip stays in download mode
SD = {"sck": 4, "mosi": 7, "miso": 5, "cs": 6}
RX_BUFFER = 4096  # bytes; 356 ms of 115200 baud
LINE_BUFFER = 2560  # a 0-0:96.13.0 text can have 2048 characters
CAN_INVERT = True
CAN_PULL = True
LOG_DIRECTORY = "/"
GC_THRESHOLD = 32768  # bytes allocated between two collections: a telegram or two
WATCHDOG_MS = 60000
DEFAULTS = {"log": {"size_kb": 70}}
