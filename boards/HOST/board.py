"""A computer as a board: UARTs are device paths, pins are numbers that nothing is wired to."""

NAME = "HOST"
CHIP = "host"
UARTS: dict = {}  # any device path
RX_BUFFER = 4096  # bytes that a UART should keep for us
LINE_BUFFER = 2560  # a 0-0:96.13.0 text can have 2048 characters
CAN_INVERT = True  # P1 cables do: what the config says of the chip changes nothing
LOG_DIRECTORY = "build/log"  # beside the Makefile
GC_THRESHOLD = 32768  # of the VM: as an ESP32
DEFAULTS = {"queue": {"flash_kb": 20000}}
