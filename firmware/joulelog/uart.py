"""Open a UART as a config entry and the board's data say.

    uart = open_uart(board, entry, 115200, 8, None)
    count = uart.readinto(buffer)      # None while nothing is there; never waits
    retune(uart, entry, 9600, 7, 0)    # another speed, everything else as it was

parity is None, 0 (even) or 1 (odd). An entry may override the board's pins with `tx` and
`rx`, and ask for an inverted line with `invert`.
"""

import machine

from .errors import ConfigError


def open_uart(board, entry: dict, baudrate: int, bits: int, parity: int | None):
    """Return a machine.UART that never waits; OSError where the device is not there."""
    options = {"bits": bits, "parity": parity, "stop": 1}
    options["rxbuf"] = board.RX_BUFFER
    if entry.get("invert"):
        if not board.CAN_INVERT:
            raise ConfigError(
                "`invert` is True, but a %s cannot invert: use a transistor" % board.NAME
            )
        options["invert"] = machine.UART.INV_RX
    if board.CHIP == "esp8266":
        return _open_esp8266(entry["uart"], baudrate, options)
    for pin, number in board.UARTS.get(entry["uart"], {}).items():
        chosen = entry.get(pin)
        options[pin] = number if chosen is None else chosen
    return machine.UART(entry["uart"], baudrate, **options)


def retune(uart, entry: dict, baudrate: int, bits: int, parity: int | None) -> None:
    """Change the line's speed and framing."""
    options = {"bits": bits, "parity": parity, "stop": 1}
    if entry.get("invert"):  # an ESP32 inverts no longer where it is not said again
        options["invert"] = machine.UART.INV_RX
    uart.init(baudrate, **options)  # not rxbuf: an ESP8266 would get a new buffer each time


def _open_esp8266(number: int, baudrate: int, options: dict):
    """The REPL sits on the only UART that can receive: move it out of the way."""
    import os

    os.dupterm(None, 1)
    return machine.UART(number, baudrate, **options)
