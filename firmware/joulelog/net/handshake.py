"""One TLS handshake at a time, as each takes some 20 kB outside of the heap, and none too early.

await handshake.time_known(context, say)  # before the time-out of the attempt begins
async with handshake.gate:
    await first_write()                   # it makes the handshake

A certificate has dates, and TLS compares them with the board's own clock. After a power cut that
one shows the year 2000; the guard sets it within a second once meter or time server have told the
time. Until then each handshake would fail, and the log would blame the certificate.

An ESP8266's TLS (axTLS) has its memory from the heap, and does not look whether it got it: with
too little the chip restarts. There the gate wants what a server with a key of 4096 bits takes
(tools/bench/axtls.py).
"""

import gc
import sys

from micropython import const

from .. import clock

_LOOK_MS = const(250)
_AXTLS_BYTES = const(18500)


class Gate:
    """Lets one in at a time; MemoryError where its TLS would write to where no memory is."""

    def __init__(self) -> None:
        self.busy = False

    async def __aenter__(self) -> None:
        while self.busy:
            await clock.sleep_ms(20)
        if sys.platform == "esp8266":
            gc.collect()
            if gc.mem_free() < _AXTLS_BYTES:  # type: ignore[attr-defined]
                raise MemoryError
        self.busy = True

    async def __aexit__(self, *error) -> None:
        self.busy = False


gate = Gate()


async def time_known(context, say) -> None:
    """Return once the board's clock can be compared with a certificate, or need not be.

    say(state, text) is called once where there is something to wait for.
    """
    if clock.board_time() is not None or not context.verify_mode:
        return
    say("waiting", "the time is not known yet: certificates cannot be checked")
    while clock.board_time() is None:
        await clock.sleep_ms(_LOOK_MS)
