"""Any ESP8266 module with 2 MiB of flash or more (ESP-12): the reduced profile."""

NAME = "ESP8266_GENERIC"
CHIP = "esp8266"
FLASH_KB = 2048
# UART 1 can only send.
UARTS = {0: {"tx": 1, "rx": 3}}
UART_PAIRS = ((1, 3), (15, 13))  # the only (TX, RX) that this chip can take
GPIO = (0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16)
INPUT_ONLY = ()
STRAPPING = (  # a level during a reset that keeps the firmware from starting
    (0, "low: download mode"),
    (2, "low: no start"),
    (15, "high: no start from flash"),
)
LED = {"pin": 2, "active": 0, "pwm": True}
BUTTON = {"pin": 0, "active": 0}
REQUEST = 5
SD = None
RX_BUFFER = 1024  # bytes, of the heap; 89 ms of 115200 baud, most telegrams whole
LINE_BUFFER = 256
SEND_BUFFER = 256  # bytes that one write collects
CAN_INVERT = False
CAN_PULL = False
LOG_DIRECTORY = "/"
LOG_UART = 1  # where the log goes once the meter has the REPL's UART: TX is GPIO 2, the LED's
LOG_BUFFER = 256  # bytes of log lines that wait for the flash
GC_THRESHOLD = 2048  # bytes allocated between two collections; later ones leave fragments
SPARES_NTP = True  # no time server is asked while the meter tells the time
WATCHDOG_MS = 0  # its own cannot be stopped again for the REPL; restarts itself by software
# What the image can do (boards/common/features.json): each module costs static RAM, used or not.
FEATURES = (
    "dsmr",
    "pzem",
    "replay",
    "health",
    "console",
    "mqtt",
    "emoncms",
    "influxdb",
    "spool",
    "led",
    "webrepl",
    "setup",
)
# A batch is a buffer of the heap; 2048 bytes hold a reading of 60 channels.
DEFAULTS = {
    "queue": {"slots": 8},
    "log": {"size_kb": 100},
    "emoncms": {"batch": 2048},
    "influxdb": {"batch": 2048},
}
