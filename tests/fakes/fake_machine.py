"""machine.UART and machine.Pin for tests: a script of chunks, and a record of what was asked.

    line = Line(virtual)
    line.at(1000, b"/ISK5...", 115200)    # 1 s after the start, on a line of that speed
    module.machine = Machine(line)        # in the module under test: its import of `machine`

A UART that is set to another speed than the line's hears garbage, one that is closed nothing.
"""

_GARBAGE = 0x9B  # what every byte at a wrong speed becomes here: no printable character


class Line:
    """What comes over the wire, and when."""

    def __init__(self, virtual) -> None:
        self.virtual = virtual
        self.opened: list = []  # (id, baudrate, options) of each machine.UART()
        self.tuned: list = []  # (ms, baudrate, options) of each init()
        self.closed = 0
        self.sizes: list = []  # the largest read that was asked for
        self.gone = False
        self.missing = False
        self._script: list = []  # (ms, bytes, baud rate)

    def at(self, ms: int, data: bytes, baudrate: int = 115200) -> None:
        """Let data arrive at once, ms after the clock's zero."""
        self._script.append((ms, data, baudrate))

    def every(self, interval_ms: int, data: bytes, count: int, start_ms: int = 0, baudrate=115200):
        """Let data arrive again and again."""
        for number in range(count):
            self.at(start_ms + number * interval_ms, data, baudrate)

    def take(self, size: int, baudrate: int) -> bytes:
        """At most size bytes of what has arrived."""
        if self.gone:
            raise OSError(5, "the device has gone")
        if not self._script or self._script[0][0] > self.virtual.ms:
            return b""
        ms, data, speed = self._script.pop(0)
        if len(data) > size:
            self._script.insert(0, (ms, data[size:], speed))
            data = data[:size]
        return data if speed == baudrate else bytes([_GARBAGE]) * len(data)


class UART:
    INV_RX = 2

    def __init__(self, line: Line, id, baudrate: int, options: dict) -> None:
        self._line = line
        self._baudrate = baudrate
        line.opened.append((id, baudrate, options))

    def init(self, baudrate: int, **options) -> None:
        self._baudrate = baudrate
        self._line.tuned.append((self._line.virtual.ms, baudrate, options))

    def readinto(self, buffer, size=None):
        size = len(buffer) if size is None else size
        if size not in self._line.sizes:
            self._line.sizes.append(size)
        data = self._line.take(min(size, len(buffer)), self._baudrate)
        buffer[: len(data)] = data
        return len(data) or None

    def deinit(self) -> None:
        self._line.closed += 1


class Pin:
    OUT = 1

    def __init__(self, machine, number: int, mode: int, value: int) -> None:
        self._machine = machine
        self.number = number
        self.value(value)

    def value(self, level: int) -> None:
        self._machine.levels.append((self._machine.line.virtual.ms, self.number, level))


class Machine:
    """Stands for the module `machine`."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.levels: list = []  # (ms, pin, level)
        machine = self

        class UartOfLine:
            INV_RX = UART.INV_RX

            def __new__(cls, id, baudrate, **options):
                if line.missing:
                    raise OSError(2, "no such device")
                return UART(line, id, baudrate, options)

        class PinOfMachine:
            OUT = Pin.OUT

            def __new__(cls, number, mode, value=0):
                return Pin(machine, number, mode, value)

        self.UART = UartOfLine
        self.Pin = PinOfMachine
