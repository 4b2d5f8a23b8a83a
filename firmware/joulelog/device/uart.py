"""A UART as a config entry and the board's data say; whoever reads it holds it while it works.

    line = Line(board, entry, (115200, 8, None, 1), (9600, 7, 0, 1))
    line.describe("rx")                 # "UART 1, 115200 8N1 or 9600 7E1, RX on GPIO 16"
    await line.hold(output, "searching", work)   # opens it, awaits work(), closes it
    count = line.uart.readinto(buffer)  # in work(): None while nothing is there; never waits
    line.tune(1)                        # the second of the settings, everything else as it was

A setting is baud rate, bits, parity (None, 0 even, 1 odd) and stop bits. A device that is not
there, or goes away, is the reader's state and an OSError: the supervisor tells it once, and starts
the reader again, later each time.

An entry may override the board's pins with `tx` and `rx`, ask for an inverted line with `invert`,
and for another resistor at RX with `pull` (up, down, none): an ESP32 by itself pulls up.
The config's check has seen to it that the board can.
"""

import machine


class Line:
    """One UART; several readers may hold it, the last one closes it."""

    def __init__(self, board, entry: dict, *settings: tuple) -> None:
        self.uart = None  # while it is open
        self.settings = settings
        self._board = board
        self._entry = entry
        self._holders = 0

    def describe(self, *named: str) -> str:
        """For the start report; named: the pins to be told ("rx", "tx")."""
        entry = self._entry
        speeds = ["%d %d%s%d" % (s[0], s[1], _parity(s[2]), s[3]) for s in self.settings]
        text = "UART %s, %s" % (entry["uart"], " or ".join(speeds))
        pins = self._board.UARTS.get(entry["uart"])
        for pin in named if pins else ():
            own = entry[pin]
            text += ", %s on GPIO %d" % (pin.upper(), pins[pin] if own is None else own)
        return text + ", inverted by the chip" if entry.get("invert") else text

    async def hold(self, output, state: str, work) -> None:
        """Await work() with the line open and the output told; OSError without a device."""
        output.say("no device")
        self.ready()
        self._holders += 1
        output.say(state)
        try:
            await work()
        except OSError:
            output.say("no device")
            self.close()  # whoever asks next opens it anew
            raise
        finally:
            self._holders -= 1
            if not self._holders:
                self.close()

    def ready(self):
        """The machine.UART, opened where it is not; it never waits."""
        if self.uart is None:
            board = self._board
            number = self._entry["uart"]
            options = self._options(0)
            options["rxbuf"] = board.RX_BUFFER
            if board.CHIP == "esp8266":
                _free_uart()
            else:
                for pin, usual in board.UARTS.get(number, {}).items():
                    options.setdefault(pin, usual)
            self.uart = machine.UART(number, self.settings[0][0], **options)
            self._pull()
        return self.uart

    def tune(self, which: int) -> None:
        """Change to another of the settings."""
        # Not rxbuf: an ESP8266 would get a new buffer each time. But all that init() forgets.
        self.ready().init(self.settings[which][0], **self._options(which))
        self._pull()

    def close(self) -> None:
        """Leave the device alone."""
        uart, self.uart = self.uart, None
        if uart:
            uart.deinit()

    def _options(self, which: int) -> dict:
        """For each init(): without the pins, ESP32s stop inverting, ESP8266s change theirs."""
        entry = self._entry
        _, bits, parity, stop = self.settings[which]
        options = {"bits": bits, "parity": parity, "stop": stop}
        if entry.get("invert"):
            options["invert"] = machine.UART.INV_RX
        for pin in ("tx", "rx"):
            if entry.get(pin) is not None:
                options[pin] = entry[pin]
        return options

    def _pull(self) -> None:
        """Choose the resistor; after each init(), which pulls up."""
        entry = self._entry
        if entry.get("pull"):
            pin = machine.Pin
            resistors = {"up": pin.PULL_UP, "down": pin.PULL_DOWN, "none": None}
            receives = entry.get("rx")
            if receives is None:
                receives = self._board.UARTS[entry["uart"]]["rx"]
            pin(receives, pull=resistors[entry["pull"]])  # no mode: it stays the UART's


def _parity(parity: int | None) -> str:
    return "N" if parity is None else "EO"[parity]


def _free_uart() -> None:
    """The REPL sits on an ESP8266's only UART that can receive: move it out of the way."""
    import os

    os.dupterm(None, 1)
