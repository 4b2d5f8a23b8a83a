"""One clock for all code: uptime, pauses, time-outs and UTC.

Nobody else calls time.* or asyncio.sleep*. SPEED (an environment variable on a computer)
makes the clock run n times as fast, for compressed tests.

    await clock.sleep_ms(500)
    app_clock = clock.Clock()
    app_clock.set(seconds, "meter")
    stamp = app_clock.stamp()             # UTC, or the uptime while UTC is unknown
    app_clock.resolve(stamp)              # UTC, or None while it is unknown
    app_clock.text(app_clock.now())       # for people: "2026-11-20 13:00:00 CET"

UTC is counted in seconds since 2000-01-01, so that it fits the 31 bits of a small integer
until 2034 (it simply grows beyond them later). The edge adds UNIX_2000; iso() writes it.
"""

import asyncio
import os
import time

from civil import UNIX_2000, days, fields, iso
from micropython import const

PLAUSIBLE = const(757382400)  # 2024-01-01T00:00:00Z: no clock that shows less is believed
_LATEST_S = const(631152000)  # 20 years behind that, or behind the build: nor one that shows more
_FIRST_PAUSE_MS = const(1000)
_LONGEST_PAUSE_MS = const(60000)
_UNKNOWN = const(-(1 << 29))  # plus the uptime in seconds: a stamp while UTC is unknown

_built = PLAUSIBLE
_speed = 1
_total_ms = 0

try:
    from time import ticks_diff, ticks_ms, ticks_us  # type: ignore
except ImportError:  # CPython

    def ticks_us() -> int:
        return time.monotonic_ns() // 1000  # type: ignore

    def ticks_ms() -> int:
        return ticks_us() // 1000

    def ticks_diff(later: int, earlier: int) -> int:
        return later - earlier


_last = ticks_ms()


def set_speed(speed: int) -> None:
    """Run all time n times as fast (tests only)."""
    global _speed
    uptime_ms()
    _speed = speed


def uptime_ms() -> int:
    """Milliseconds since start; never wraps, never goes back."""
    global _last, _total_ms
    now = ticks_ms()
    _total_ms += ticks_diff(now, _last) * _speed
    _last = now
    return _total_ms


if hasattr(asyncio, "sleep_ms"):

    def sleep_ms(ms: int):
        """Let the other tasks run for ms milliseconds; to be awaited at once."""
        # No coroutine: a pause takes no memory, so that who waits for some can wait.
        return asyncio.sleep_ms(ms // _speed)  # type: ignore[attr-defined]

    async def wait_for_ms(awaitable, ms: int):
        """Return what the awaitable returns, or raise asyncio.TimeoutError after ms."""
        return await asyncio.wait_for_ms(awaitable, max(1, ms // _speed))  # type: ignore

else:  # CPython

    async def sleep_ms(ms: int) -> None:
        """Let the other tasks run for ms milliseconds."""
        await asyncio.sleep(ms / 1000 / _speed)

    async def wait_for_ms(awaitable, ms: int):
        """Return what the awaitable returns, or raise asyncio.TimeoutError after ms."""
        return await asyncio.wait_for(awaitable, ms / 1000 / _speed)


def board_time() -> int | None:
    """What the board's or computer's own clock says, or None where nobody has set it."""
    seconds = int(time.time())
    if time.gmtime(0)[0] == 1970:
        seconds -= UNIX_2000
    return seconds if seconds >= PLAUSIBLE else None


def set_built(date: str) -> None:
    """When the firmware was built, in ISO 8601; another text where it is its sources."""
    global _built
    _built = PLAUSIBLE
    if date[:1] == "2":
        _built = days(int(date[:4]), int(date[5:7]), int(date[8:10])) * 86400


def plausible(seconds: int) -> bool:
    """Whether it can be that late: not before the firmware was built, nor 20 years after that."""
    return _built <= seconds < _built + _LATEST_S


def unix(seconds: int) -> str:
    """UTC as text in seconds since 1970; iso() writes it for people."""
    return str(seconds + UNIX_2000)


def board_offset() -> int:
    """What the board's own clock shows minus the uptime, in seconds; it need not be UTC."""
    return int(time.time()) - uptime_ms() // 1000


def of_uptime(stamp: int, offset: int) -> int:
    """UTC of an uptime stamp; offset is UTC minus uptime in seconds, in the run that made it."""
    return stamp - _UNKNOWN + offset


def backoff_ms(failures: int) -> int:
    """1 s, 2 s, 4 s … 60 s, less up to a quarter, so that loggers do not march in step.

    failures: how many in a row there were before this one.
    """
    pause_ms = min(_FIRST_PAUSE_MS << min(failures, 6), _LONGEST_PAUSE_MS)
    return pause_ms - pause_ms // 4 * os.urandom(1)[0] // 256


class Clock:
    """UTC as far as it is known: set by the meter, by NTP or by the computer."""

    asking = None  # asking(True) is called before, asking(False) behind a round of time servers

    def __init__(self) -> None:
        self.source = ""  # who set it last: "board", "meter", "ntp", "computer"; "" while unknown
        self.steps = 0  # times it was moved by more than a second
        self.drift_ppm: int | None = None  # of the board's own clock, positive when it is fast
        self.zone: object = None  # a posixtz.Zone: what people read is then local time
        self._offset = 0  # UTC seconds minus uptime in seconds
        # The same as it was told first, which is what uptime stamps count by: a reading has one
        # time for ever, whatever the clock is set to.
        self.offset = 0

    def set(self, seconds: int, source: str) -> bool:
        """Set UTC (seconds since 2000-01-01); an implausible time is refused with False."""
        if not plausible(seconds):
            return False
        offset = seconds - uptime_ms() // 1000
        if not self.source:
            self._offset = self.offset = offset
        elif abs(offset - self._offset) > 1:  # else within the resolution: stamps do not jitter
            self._offset = offset
            self.steps += 1
        self.source = source
        return True

    def now(self) -> int | None:
        """UTC in seconds since 2000-01-01, or None while nobody has told it."""
        return self._offset + uptime_ms() // 1000 if self.source else None

    def stamp(self) -> int:
        """The time of a reading taken now: UTC, or the uptime in a form that resolve() knows."""
        uptime = uptime_ms() // 1000
        return self._offset + uptime if self.source else _UNKNOWN + uptime

    def resolve(self, stamp: int) -> int | None:
        """UTC of a stamp, or None while the clock is unknown."""
        if stamp >= 0:
            return stamp
        return of_uptime(stamp, self.offset) if self.source else None

    def local(self, utc: int) -> int:
        """Seconds of local time where a time zone is configured, else of UTC."""
        zone = self.zone
        return zone.local(utc)[0] if zone else utc  # type: ignore[attr-defined]

    def text(self, utc: int) -> str:
        """A time for people: local where a time zone is configured, else UTC in ISO 8601."""
        zone = self.zone
        if not zone:
            return iso(utc)
        local, summer = zone.local(utc)  # type: ignore[attr-defined]
        parts = fields(local) + (zone.abbreviation(summer),)  # type: ignore[attr-defined]
        return "%04d-%02d-%02d %02d:%02d:%02d %s" % parts
