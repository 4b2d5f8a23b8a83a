"""An HTTP answer read in bounded pieces, for an HTTP client that has no bounds of its own.

It stands between a stream and micropython-lib's aiohttp, which asks it for lines and bytes.
Lines have a length, the head has a size and an end, and a connection that is cut is an error.

    reader = BoundedReader(stream)      # a stream has `await readinto(buffer)`
    await reader.readline()             # the status line, b"HTTP/1.1 200 OK\\r\\n"
"""

from micropython import const

from ..errors import NetError

_BUFFER = const(256)
_LINE_KEPT = const(512)  # of a longer line the rest is read and dropped
_CHALLENGES = const(4)  # that a 401 may have
_HEAD_MAX = const(16384)  # InfluxDB repeats its error texts in a header
_HEAD_KEPT = const(1024)  # what aiohttp gets to keep; beyond it only what steers the reading
_NEEDED = (b"content-length:", b"transfer-encoding:", b"content-encoding:", b"retry-after:")
_BLANK = b"\r\n"


class BoundedReader:
    """What aiohttp reads from: readline, readexactly, read, aclose."""

    def __init__(self, stream) -> None:
        self.status = 0  # HTTP status, once the first line has been read
        self.location = ""  # where a redirect points
        self.challenges: list = []  # of WWW-Authenticate
        self._stream = stream
        self._buffer = bytearray(_BUFFER)
        self._at = 0
        self._end = 0
        self._head_bytes = 0
        self._head_kept = 0
        self._in_head = True

    async def readline(self) -> bytes:
        """Return the next line that matters, ending with CR LF."""
        if not self.status:
            return await self._status_line()
        while True:
            line = await self._line()
            if not line:
                self._in_head = False
                return _BLANK
            if not self._in_head or self._wanted(line):
                return line + _BLANK

    async def readexactly(self, count: int) -> bytes:
        """Return count bytes; EOFError when the connection ends before."""
        parts = []
        while count > 0:
            part = await self.read(count)
            if not part:
                raise EOFError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    async def read(self, count: int) -> bytes:
        """Return 1 to count bytes, b"" at the end of the connection."""
        if self._at >= self._end and not await self._fill():
            return b""
        part = bytes(memoryview(self._buffer)[self._at : min(self._end, self._at + count)])
        self._at += len(part)
        return part

    async def aclose(self) -> None:
        """The one who opened the stream closes it."""

    async def _fill(self) -> int:
        count = None
        while count is None:
            count = await self._stream.readinto(self._buffer)
        self._at = 0
        self._end = count
        return count

    async def _line(self) -> bytes:
        """Return a line without its end, at most _LINE_KEPT bytes of it."""
        line = b""
        while True:
            if self._at >= self._end and not await self._fill():
                raise EOFError
            newline = self._buffer.find(b"\n", self._at, self._end)
            stop = self._end if newline < 0 else newline
            room = _LINE_KEPT - len(line)
            if room > 0:
                line += bytes(memoryview(self._buffer)[self._at : min(stop, self._at + room)])
            if self._in_head:
                self._head_bytes += stop - self._at + 1
                if self._head_bytes > _HEAD_MAX:
                    raise NetError("the head of the answer is longer than %d bytes" % _HEAD_MAX)
            self._at = stop + 1
            if newline >= 0:
                return line.rstrip(b"\r")

    async def _status_line(self) -> bytes:
        line = await self._line()
        code = line[9:12]
        if line[:7] != b"HTTP/1." or len(code) != 3 or not code.isdigit() or int(code) < 200:
            raise NetError("the server does not speak HTTP")
        self.status = int(code)
        return line[:12] + _BLANK

    def _wanted(self, line: bytes) -> bool:
        """Only well-formed lines, and not more than a small heap can hold."""
        name_end = line.find(b":")
        if name_end < 1 or line[0] <= 32:
            return False
        for byte in line:
            if byte >= 127:
                return False
        name = line[: name_end + 1].lower()
        if name in _NEEDED:
            return True
        if name == b"www-authenticate:" and len(self.challenges) < _CHALLENGES:
            self.challenges.append(line[name_end + 1 :].decode().strip())
            return False
        if name == b"location:":
            self.location = line[name_end + 1 :].decode().strip()
        self._head_kept += len(line)
        return self._head_kept <= _HEAD_KEPT
