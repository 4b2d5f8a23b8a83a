"""A UART whose meters are functions, and what else a reader that asks has around it.

wire = Wire(virtual)
wire.meters[1] = lambda question: [(20, b"...")]    # by the first byte: ms later, bytes
uart.machine = Machine(wire)                        # in the module under test
output = Output(virtual)                            # .readings: (ms, {key: value})
"""


class Wire:
    """A UART whose meters are functions: request -> list of (milliseconds later, bytes)."""

    def __init__(self, virtual):
        self.virtual = virtual
        self.meters = {}  # address -> function
        self.asked = []  # (ms, address)
        self.opened = []
        self.events = []  # of the pin DE, write and flush, in their order
        self.closed = 0
        self.gone = False
        self._coming = []

    def write(self, data):
        if self.gone:
            raise OSError(5, "the device has gone")
        self.events.append("write")
        self.asked.append((self.virtual.ms, data[0]))
        meter = self.meters.get(data[0])
        for delay, answer in meter(bytes(data)) if meter else ():
            self._coming.append((self.virtual.ms + delay, answer))
        return len(data)

    def readinto(self, buffer, size=None):
        if self.gone:
            raise OSError(5, "the device has gone")
        count = 0
        later = []
        for ms, data in self._coming:
            if ms <= self.virtual.ms:
                fits = data[: len(buffer) - count]
                buffer[count : count + len(fits)] = fits
                count += len(fits)
                data = data[len(fits) :]
            if data:
                later.append((ms, data))
        self._coming = later
        return count or None

    def flush(self):
        self.events.append("flush")

    def deinit(self):
        self.closed += 1


class Machine:
    """Stands for the module `machine`."""

    def __init__(self, wire):
        machine = self
        self.wire = wire

        class UART:
            def __new__(cls, number, baudrate, **options):
                wire.opened.append((number, baudrate, options))
                if wire.gone:
                    raise OSError(2, "no such device")
                return wire

        class Pin:
            OUT = 1

            def __init__(self, number, mode, value=0):
                self.number = number
                self.value(value)

            def value(self, level):
                machine.wire.events.append((self.number, level))

        self.UART = UART
        self.Pin = Pin


class Board:
    NAME = "TEST"
    CHIP = "esp32"
    UARTS = {2: {"tx": 17, "rx": 16}}
    RX_BUFFER = 4096
    CAN_INVERT = True


class Output:
    state = ""

    def say(self, state):
        self.state = state

    def __init__(self, virtual):
        self.readings = []
        self._virtual = virtual
        self.identity = ()

    def identify(self, *identity):
        self.identity = identity

    def publish(self, time, channels, values):
        found = {channel[0]: value for channel, value in zip(channels, values)}
        self.readings.append((self._virtual.ms, found))


class Said:
    def __init__(self):
        self.lines = []

    def warning(self, text, *values):
        self.lines.append(text % values)

    info = warning
