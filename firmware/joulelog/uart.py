"""Open a UART as a config entry and the board's data say.

    uart = open_uart(board, entry, 115200, 8, None)
    count = uart.readinto(buffer)      # None while nothing is there; never waits
    retune(uart, entry, 9600, 7, 0)    # another speed, everything else as it was

parity is None, 0 (even) or 1 (odd). An entry may override the board's pins with `tx` and `rx`,
ask for an inverted line with `invert`, and for another resistor at RX with `pull` (up, down,
none): an ESP32 by itself pulls up. pins.py has checked all that at the start.
"""

import machine

from .errors import ConfigError

_receives: dict = {}  # UART -> its RX pin


def open_uart(board, entry: dict, baudrate: int, bits: int, parity: int | None, stop: int = 1):
    """Return a machine.UART that never waits; OSError where the device is not there."""
    number = entry["uart"]
    if entry.get("invert") and not board.CAN_INVERT:
        raise ConfigError(
            "`invert` is True, but a %s cannot invert: use a transistor" % board.NAME
        )
    options = _options(entry, bits, parity)
    options["stop"] = stop
    options["rxbuf"] = board.RX_BUFFER
    if board.CHIP == "esp8266":
        _free_uart()
    else:
        for pin, usual in board.UARTS.get(number, {}).items():
            options.setdefault(pin, usual)
    _receives[number] = options.get("rx")
    uart = machine.UART(number, baudrate, **options)
    _pull(entry)
    return uart


def retune(uart, entry: dict, baudrate: int, bits: int, parity: int | None) -> None:
    """Change the line's speed and framing."""
    # Not rxbuf: an ESP8266 would get a new buffer each time. But all that init() forgets.
    uart.init(baudrate, **_options(entry, bits, parity))
    _pull(entry)


def _options(entry: dict, bits: int, parity: int | None) -> dict:
    """What init() must be told each time: without, ESP32s stop inverting, ESP8266s change pins."""
    options = {"bits": bits, "parity": parity, "stop": 1}
    if entry.get("invert"):
        options["invert"] = machine.UART.INV_RX
    for pin in ("tx", "rx"):
        if entry.get(pin) is not None:
            options[pin] = entry[pin]
    return options


def _pull(entry: dict) -> None:
    """Choose the resistor; after each init(), which pulls up."""
    pull = entry.get("pull")
    if pull:
        pin = machine.Pin
        resistors = {"up": pin.PULL_UP, "down": pin.PULL_DOWN, "none": None}
        pin(_receives[entry["uart"]], pull=resistors[pull])  # no mode: it stays the UART's


def _free_uart() -> None:
    """The REPL sits on an ESP8266's only UART that can receive: move it out of the way."""
    import os

    os.dupterm(None, 1)
