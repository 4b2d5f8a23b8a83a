"""A body that a handler reads itself, piece by piece: what server.streams names.

    while True:
        data = await request.g.stream.read()
        if not data: ...             # all of it has come, or the connection has ended

What the handler leaves is taken behind the answer, for a browser looks at that only when it has
sent all it wants to.
"""

import asyncio

from micropython import const

from .. import clock

_PIECE = const(2048)
_SILENT_MS = const(2000)  # who is told that it is refused sends on, or goes


class Stream:
    """left: bytes that are still to come."""

    def __init__(self, reader, first: bytes, length: int) -> None:
        self.length = length
        self._reader = reader
        self._first = first[:length]
        self.left = length

    async def read(self) -> bytes:
        """Bytes that have come; b"" at the end."""
        data = self._first
        self._first = b""
        if not data and self.left:
            data = await self._reader.read(min(_PIECE, self.left))
        self.left -= len(data)
        return data

    async def drain(self) -> None:
        """Take what is left, as long as it comes."""
        try:
            while self.left > 0 and await clock.wait_for_ms(self.read(), _SILENT_MS):
                await clock.sleep_ms(0)
        except asyncio.TimeoutError:
            pass
