"""Pin, ADC, WDT and RTC of `machine` for a computer: machine.py imports them when used."""

import os


class Pin:
    """A pin that remembers its level. Objects with the same id are the same pin."""

    IN = 0
    OUT = 1
    OPEN_DRAIN = 2
    PULL_UP = 1
    PULL_DOWN = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2

    levels = {}  # id -> 0 or 1: tests read outputs and set inputs here
    handlers = {}  # id -> (handler, trigger)

    def __init__(self, id, mode: int = -1, pull=-1, value: int | None = None, **options) -> None:
        self.id = id
        self.levels.setdefault(id, 1 if pull == self.PULL_UP else 0)
        self.init(mode, pull, value)

    def init(self, mode: int = -1, pull=-1, value: int | None = None, **options) -> None:
        """Set mode, pull and level; what is not given stays."""
        self.mode = mode
        self.pull = pull
        if value is not None:
            self.levels[self.id] = 1 if value else 0

    def value(self, level=None) -> int | None:
        """Return the level, or set it."""
        if level is None:
            return self.levels[self.id]
        self.levels[self.id] = 1 if level else 0

    __call__ = value

    def on(self) -> None:
        """Set the level to 1."""
        self.value(1)

    def off(self) -> None:
        """Set the level to 0."""
        self.value(0)

    def toggle(self) -> None:
        """Change the level."""
        self.value(not self.value())

    def irq(self, handler=None, trigger: int = 3, **options) -> None:
        """Keep the handler; a test fires it."""
        self.handlers[self.id] = (handler, trigger)


class PWM:
    """A pin's duty cycle, kept in PWM.duties for tests."""

    duties = {}  # id of the pin -> 0..65535

    def __init__(self, pin, freq: int = 0, duty_u16: int = 0, **options) -> None:
        self.id = pin.id if isinstance(pin, Pin) else pin
        self._freq = freq
        self.duties[self.id] = duty_u16

    def freq(self, hertz: int | None = None) -> int | None:
        """Tell or set the frequency in Hz."""
        if hertz is None:
            return self._freq
        self._freq = hertz

    def duty_u16(self, duty: int | None = None) -> int | None:
        """Tell or set the part of the time that the pin is high, of 65535."""
        if duty is None:
            return self.duties[self.id]
        self.duties[self.id] = duty

    def deinit(self) -> None:
        """Let the pin be low."""
        self.duties[self.id] = 0


class ADC:
    """An analogue input; tests set its reading (0 to 65535) in ADC.levels.

    A pin whose id is a file's path plays that recording: 16 bits per reading, low byte first, one
    per PERIOD_US, again and again. seek_us() says which reading comes next.
    """

    PERIOD_US = 500

    levels = {}  # id of the pin -> 0..65535

    def __init__(self, pin, **options) -> None:
        self.id = pin.id if isinstance(pin, Pin) else pin
        if isinstance(self.id, str):
            self._file = open(self.id, "rb")  # noqa: SIM115 - as long as the input
            self._count = self._file.seek(0, 2) // 2
            if not self._count:
                raise OSError("%s has no readings" % self.id)
            self._buffer = bytearray(512)
            self._first = -1  # number of the buffer's first reading
            self._at = 0
            self.seek_us = self._seek_us

    def read_u16(self) -> int:
        """The reading, 0 to 65535."""
        if not isinstance(self.id, str):
            return self.levels.get(self.id, 0)
        at = self._at % self._count
        first = at & ~255
        if first != self._first:
            self._first = first
            self._file.seek(2 * first)
            self._file.readinto(self._buffer)
        self._at = at + 1
        place = 2 * (at - first)
        return self._buffer[place] | self._buffer[place + 1] << 8

    def _seek_us(self, us: int) -> None:
        self._at = us // self.PERIOD_US


class WDT:
    """A watchdog that only counts: on a computer a person sees the program hang."""

    last = None  # the object made last, for tests

    def __init__(self, id: int = 0, timeout: int = 5000) -> None:
        self.timeout_ms = timeout
        self.fed = 0
        WDT.last = self

    def feed(self) -> None:
        """Count one feed."""
        self.fed += 1


class RTC:
    """The chip's clock: what was set, and nothing where nobody has; the computer has its own."""

    told = None  # (year, month, day, weekday, hour, minute, second, 0), for tests
    kept = b""

    def datetime(self, moment=None):
        """Set it, or tell what was set."""
        if moment is None:
            return self.told
        RTC.told = moment

    def memory(self, data=None):
        """Bytes that a reset leaves as they are: in the file that JOULELOG_RTC names, or here."""
        path = os.getenv("JOULELOG_RTC") or ""
        if data is None:
            try:
                with open(path, "rb") as file:
                    return file.read()
            except OSError:  # there is none, or not yet
                return RTC.kept
        RTC.kept = bytes(data)
        if path:
            with open(path, "wb") as file:
                file.write(RTC.kept)


class _Memory:
    """Registers: each says 1, which for the reason of a reset is "power on"."""

    def __getitem__(self, address: int) -> int:
        return 1


mem32 = _Memory()
