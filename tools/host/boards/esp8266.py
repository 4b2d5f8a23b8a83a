"""HOST with the limits of boards/ESP8266_GENERIC: the board of the VM in the profile esp8266."""

NAME = "HOST"
CHIP = "host"
UARTS: dict = {}
RX_BUFFER = 1024
LINE_BUFFER = 256
SEND_BUFFER = 256  # bytes that one write collects
CAN_INVERT = False
GC_THRESHOLD = 2048
SPARES_NTP = True
LOG_DIRECTORY = "build/log"
LOG_BUFFER = 256  # bytes of log lines that wait for the flash
# From ROMFS, readings that wait on the flash cost 23 kB of heap.
DEFAULTS = {"queue": {"slots": 8, "flash_kb": 0}, "log": {"size_kb": 100}}
