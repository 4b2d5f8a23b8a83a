"""Any ESP8266 module with 4 MiB of flash (ESP-12, Wemos D1 mini): the reduced profile."""

NAME = "ESP8266_GENERIC"
CHIP = "esp8266"
UARTS = {0: {"tx": 1, "rx": 3}}  # UART 1 can only send
RX_BUFFER = 2048
LINE_BUFFER = 512  # longer lines (peaks of 13 months, texts) count for the CRC, and are left out
CAN_INVERT = False
LOG_DIRECTORY = "/"
DEFAULTS = {"queue": {"slots": 8}, "log": {"size_kb": 100}}
