"""The simulated meter's side of the line: a pty, the pace of a UART, and faults.

    pty = Pty()
    serve(pty, meter, Ticks(1782036000), Faults(cut=5), speed=10, count=100)

meter is anything like p1.Meter: telegram(crc_ok), values, and about with baud, mode, interval_s.
"""

import array
import os
import random
import threading
import time as _time
from collections.abc import Callable

from tools.sim import line
from tools.sim.terminal import Terminal

_UART_BUFFER = 4096  # what a listener that does not read can lag behind
_CHUNK_S = 0.004  # a UART hands over its FIFO about this often
_DEAF_S = 0.5  # nobody listens who has read nothing for so long; a busy computer may take less
_PATIENCE_S = 10  # the same of a patient meter


class Faults:
    """What goes wrong on request; every choice follows from the seed."""

    def __init__(
        self,
        seed: int = 1,
        drop_bytes: int = 0,
        noise: int = 0,
        cut: int = 0,
        pause_ms: int = 0,
        silent_after: int = 0,
        bad_crc_every: int = 0,
    ) -> None:
        self.drop_bytes = drop_bytes
        self.noise = noise
        self.cut = cut
        self.pause_ms = pause_ms
        self.silent_after = silent_after
        self.bad_crc_every = bad_crc_every
        self._random = random.Random(seed)

    def crc_ok(self, number: int) -> bool:
        """Whether telegram number (1, 2, ...) keeps its right CRC."""
        return not self.bad_crc_every or number % self.bad_crc_every != 0

    def spoil(self, telegram: bytes, number: int) -> tuple[bytes, str]:
        """Return what goes over the wire, and "whole" or the name of the fault."""
        state = "whole" if self.crc_ok(number) else "bad_crc"
        if self.drop_bytes:
            kept = bytes(b for b in telegram if self._random.randrange(self.drop_bytes))
            if kept != telegram:
                telegram, state = kept, "dropped_bytes"
        if self.cut and number % self.cut == 0:
            at = len(telegram) // 4 + self._random.randrange(len(telegram) // 2)
            telegram, state = telegram[:at], "cut"
        if self.noise:
            telegram = self._random.randbytes(self.noise) + telegram
        return telegram, state


class Pty(Terminal):
    """A pseudo terminal that loses what nobody reads, as a UART does."""

    def __init__(self) -> None:
        super().__init__()
        os.set_blocking(self.master, False)
        self.lost = 0

    def waiting(self) -> int:
        """Bytes that the listener has not read yet."""
        import fcntl
        import termios

        count = array.array("i", [0])
        fcntl.ioctl(self.slave, termios.FIONREAD, count)
        return count[0]

    def flush(self) -> None:
        """Forget what nobody read."""
        import termios

        termios.tcflush(self.slave, termios.TCIFLUSH)

    def baud(self) -> int:
        """The speed that the listener has set, or 0 where nobody has."""
        import termios

        speed = termios.tcgetattr(self.slave)[5]
        return {termios.B9600: 9600, termios.B115200: 115200}.get(speed, 0)

    def write(self, data: bytes) -> None:
        """Send, or lose what does not fit."""
        if self.waiting() + len(data) > _UART_BUFFER:
            self.lost += len(data)
            return
        try:
            sent = os.write(self.master, data)
        except BlockingIOError:
            sent = 0
        self.lost += len(data) - sent


class Ticks:
    """A clock that stands still between telegrams, so that each has the time it is due at."""

    def __init__(self, start: int | None = None) -> None:
        self.time = int(_time.time()) if start is None else start

    def __call__(self) -> int:
        return self.time


def serve(
    pty: Pty,
    meter,
    ticks: Ticks,
    faults: Faults | None = None,
    speed: int = 1,
    count: int = 0,
    log: Callable[[dict], None] | None = None,
    stop: threading.Event | None = None,
    strict_line: bool = False,
    patient: bool = False,
) -> int:
    """Send telegrams at the meter's pace until stop or count; return how many were sent.

    ticks is the meter's clock and moves by one interval per telegram. With speed n the
    interval, the clock and the line all run n times as fast. strict_line: a listener that has
    set another baud rate hears what a UART would make of it. patient: the next telegram waits
    until the one before has been read, so that a listener who gets no CPU loses nothing.
    """
    faults = faults or Faults()
    stop = stop or threading.Event()
    interval_s = meter.about.interval_s / speed
    due = _time.monotonic()
    number = 0
    before = 0
    deaf_s = _PATIENCE_S if patient else _DEAF_S
    # When somebody was seen to have read: nobody is there yet.
    read_at = due if patient else due - deaf_s
    while not (count and number >= count) and not stop.is_set():
        number += 1
        if faults.silent_after and number > faults.silent_after:
            stop.wait()
            break
        while patient and pty.waiting() and _time.monotonic() - read_at <= deaf_s:
            if stop.wait(_CHUNK_S):
                return number - 1
        if pty.waiting() < before:
            read_at = _time.monotonic()
        elif _time.monotonic() - read_at > deaf_s:  # a wire has no memory
            pty.flush()
        clean = meter.telegram(faults.crc_ok(number))
        data, state = faults.spoil(clean, number)
        if log:
            shown = _time.strftime("%Y-%m-%dT%H:%M:%SZ", _time.gmtime(ticks.time))
            log({"n": number, "time": shown, "sent": state, "obis": meter.values})
        seconds = len(data) * line.bits_per_byte(meter.about.mode) / meter.about.baud / speed
        if strict_line and pty.baud() not in (0, meter.about.baud):
            wire = line.levels(data, meter.about.mode)
            data = line.hear(wire, meter.about.baud, pty.baud(), "8N1")
        _send(pty, data, seconds, faults.pause_ms / 1000 / speed, stop)
        before = max(1, pty.waiting())
        ticks.time += meter.about.interval_s
        due += interval_s
        left = due - _time.monotonic()
        if left > 0:
            stop.wait(left)
        else:
            due = _time.monotonic()  # the line is slower than the interval asks
    return number


def _send(pty: Pty, data: bytes, seconds: float, pause_s: float, stop: threading.Event) -> None:
    """Write data evenly over some seconds, and pause in the middle."""
    if not data:
        return
    rate = len(data) / seconds
    size = max(1, int(rate * _CHUNK_S))
    began = _time.monotonic()
    middle = len(data) // 2 if pause_s else -1
    for at in range(0, len(data), size):
        if 0 <= middle < at + size:
            middle = -1
            stop.wait(pause_s)
            began += pause_s
        pty.write(data[at : at + size])
        left = began + min(at + size, len(data)) / rate - _time.monotonic()
        if left > 0:
            _time.sleep(left)
        if stop.is_set():
            return
