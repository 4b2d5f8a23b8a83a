"""One question and its answer on a heat pump's X10A line.

    line = X10a(board, entry)                    # a device.uart.Line
    found = await line.ask("I", 0x61)            # while it is open: what x10a.frame.find() says
    line.buffer[found : line.count - 1]          # the payload, where found >= 0

An answer is looked at when the line is silent behind it; one with a pause in its midst is waited
for as well, until the time-out.
"""

from micropython import const
from x10a import frame

from .. import clock
from ..device.uart import Line

_SETTING = (9600, 8, 0, 1)
_TIMEOUT_MS = const(300)
_QUIET_MS = const(15)  # a UART hands over a frame in pieces; 13 bytes' time
_POLL_MS = const(5)
_CHUNK = const(32)  # at 9600 baud an ESP8266 waits in readinto() until it has them all
_DRAIN_READS = const(8)  # what lies in the buffer before a request is of the past


class X10a(Line):
    """What came over one UART, and its counters."""

    def __init__(self, board, entry: dict) -> None:
        Line.__init__(self, board, entry, _SETTING)
        self.answers = 0
        self.timeouts = 0  # requests without any byte
        self.frame_errors = 0  # requests with bytes that are no answer
        self.refused = 0  # "no such register"
        self.buffer = bytearray(frame.LONGEST + 15)
        self.count = 0  # bytes in it

    async def ask(self, protocol: str, register: int) -> int:
        """Send a request, and wait for its answer; what frame.find() says of it."""
        uart = self.ready()
        buffer = self.buffer
        view = memoryview(buffer)
        for _ in range(_DRAIN_READS):
            if not uart.readinto(view[:_CHUNK]):
                break
        uart.write(frame.request(protocol, register))
        began = clock.uptime_ms()
        heard = began
        count = 0
        found = frame.NOTHING
        while True:
            await clock.sleep_ms(_POLL_MS)
            room = len(buffer) - count
            got = uart.readinto(view[count : count + _CHUNK]) if room else 0
            now = clock.uptime_ms()
            if got:
                count += got
                heard = now
            elif count and now - heard >= _QUIET_MS:
                found = frame.find(buffer, count, protocol, register)
                if found != frame.BROKEN or not room:
                    break
            if now - began >= _TIMEOUT_MS:
                break
        self.count = count
        if found >= 0:
            self.answers += 1
        elif found == frame.REFUSED:
            self.refused += 1
        elif found == frame.NOTHING and not count:
            self.timeouts += 1
        else:
            found = frame.BROKEN
            self.frame_errors += 1
        return found
