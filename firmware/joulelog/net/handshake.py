"""One TLS handshake at a time: each takes some 20 kB outside of the heap.

async with handshake.gate:
    await first_write()                   # it makes the handshake
"""

from joulelog import clock


class Gate:
    """Lets one in at a time."""

    def __init__(self) -> None:
        self.busy = False

    async def __aenter__(self) -> None:
        while self.busy:
            await clock.sleep_ms(20)
        self.busy = True

    async def __aexit__(self, *error) -> None:
        self.busy = False


gate = Gate()
