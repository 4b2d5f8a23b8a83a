"""A computer as a board: UARTs are device paths, pins are numbers that nothing is wired to."""

NAME = "HOST"
CHIP = "host"
UARTS: dict = {}  # any device path
RX_BUFFER = 4096  # bytes that a UART should keep for us
LINE_BUFFER = 4096  # bytes of the longest telegram line that is decoded
CAN_INVERT = False
LOG_DIRECTORY = "build/log"  # beside the Makefile
DEFAULTS: dict = {}
