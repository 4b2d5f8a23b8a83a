"""The time of day from a time server, without blocking the loop.

    seconds = await ntp.query("pool.ntp.org", 5000)    # UTC since 2000-01-01, or NetError
    app.clock.set(seconds, "ntp")

SNTP as in RFC 4330; the bytes are lib/ntpq's.
"""

import os

import ntpq

from .. import clock
from ..errors import NetError
from . import dns, udp, words

_TRIES = 2


async def query(server: str, timeout_ms: int, port: int = ntpq.PORT) -> int:
    """Return UTC in whole seconds since 2000-01-01; raises NetError with the reason.

    A time before the build, or 20 years after it, is refused: no server that works is that wrong.
    Of a server that wants to be left alone the error is `refused`.
    """
    deadline = clock.uptime_ms() + timeout_ms
    address = await dns.resolve(server, timeout_ms)
    reason = "no answer within %d s" % ((timeout_ms + 999) // 1000)
    for tries_left in range(_TRIES, 0, -1):
        left_ms = deadline - clock.uptime_ms()
        if left_ms <= 0:
            break
        stamp = os.urandom(8)  # a new one each time: a late answer must not look fresh
        sent_ms = clock.uptime_ms()
        try:
            found = await udp.exchange(
                address,
                port,
                ntpq.request(stamp),
                lambda data: ntpq.answer(data, stamp),  # noqa: B023 - used up in this turn
                left_ms // tries_left,
            )
        except ntpq.NtpError as error:
            told = NetError("time server %s: %s" % (server, error))
            told.refused = error.refused
            dns.forget(server)  # by its name others may be meant next time
            raise told
        except OSError as error:
            reason = words(error)
            continue
        if found is None:
            continue
        if not clock.plausible(found[0]):
            raise NetError("time server %s: %s is not believable" % (server, clock.iso(found[0])))
        # The answer is half a round trip old when it arrives.
        return found[0] + (found[1] + (clock.uptime_ms() - sent_ms) // 2) // 1000
    dns.forget(server)
    raise NetError("time server %s: %s" % (server, reason))
