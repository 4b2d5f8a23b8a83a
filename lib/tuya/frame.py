"""Frames of Tuya's local protocol, cut out of a stream that comes in pieces.

    framer = Framer()
    framer.feed(piece)        # of any length
    frame = framer.next()     # all of one, from its prefix to its suffix; None: there is none yet

There are two kinds; Tuya publishes no specification, these are as tinytuya and tuyapi have found
them (numbers of 4 bytes, the high byte first):

    000055aa sequence command length   body   CRC-32 or HMAC-SHA256   0000aa55
    00006699 0000 sequence command length   nonce of 12   body   tag of 16   00009966

`length` is that of all behind it, of the second kind without the suffix. Whether a frame is whole
tells session.py, who has the key: here its length and its suffix have to be right.
"""

from micropython import const

HEAD = const(16)  # bytes up to the body of the first kind
GCM_HEAD = const(18)
NONCE = const(12)
TAG = const(16)

START = const(3)  # commands
ANSWER = const(4)
FINISH = const(5)
STATUS = const(8)
HEARTBEAT = const(9)
QUERY = const(10)
CONTROL_NEW = const(13)
QUERY_NEW = const(16)
UPDATE = const(18)

_MOST = const(2048)  # bytes of a frame; devices keep to 1440
_PREFIX = b"\x00\x00U\xaa"
_GCM_PREFIX = b"\x00\x00f\x99"
_SUFFIX = b"\x00\x00\xaaU"
_GCM_SUFFIX = b"\x00\x00\x99f"
_BEGUN = (b"", b"U", b"f", b"U\xaa", b"f\x99")  # behind two zeros


class Framer:
    """Cuts frames out of a stream; what is between them is passed over."""

    # Of the class until they are counted.
    garbage = 0  # bytes between frames
    damaged = 0  # frames whose length or suffix is impossible

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data) -> None:
        """The next piece, which had better be short; then next() until that is None."""
        self._held += bytes(data)

    def next(self) -> bytes | None:
        """The next frame that is there as a whole."""
        while True:
            at = _start(self._held)
            if at:
                self._drop(at)
            held = self._held
            size = size_of(held)
            if size is None:
                return None
            if size > 0:
                if len(held) < size:
                    return None
                suffix = _SUFFIX if held[2] == 0x55 else _GCM_SUFFIX
                if held[size - 4 : size] == suffix:
                    self._held = held[size:]
                    return held[:size]
            self.damaged += 1
            self._drop(1)  # a frame may begin within what looked like one

    def _drop(self, count: int) -> None:
        self.garbage += count
        self._held = self._held[count:]


def size_of(held: bytes) -> int | None:
    """Bytes of the frame that begins here; None: its head is not there yet; 0: it is none."""
    is_gcm = held[2:3] == b"f"
    head = GCM_HEAD if is_gcm else HEAD
    if len(held) < head:
        return None
    size = head + int.from_bytes(held[head - 4 : head], "big") + (4 if is_gcm else 0)
    least = GCM_HEAD + NONCE + TAG + 4 if is_gcm else HEAD + 8
    if not least <= size <= _MOST or held[head - 8 : head - 5] != b"\0\0\0":
        return 0
    return size


def command_of(frame: bytes) -> int:
    """The command of a frame of either kind."""
    return frame[13] if frame[2] == 0x66 else frame[11]


def head_of(prefix: bytes, sequence: int, command: int, length: int) -> bytes:
    """The first bytes of a frame: prefix is PLAIN or GCM."""
    numbers = [number.to_bytes(4, "big") for number in (sequence, command, length)]
    return prefix + b"".join(numbers)


PLAIN = _PREFIX
GCM = _GCM_PREFIX + b"\0\0"
PLAIN_END = _SUFFIX
GCM_END = _GCM_SUFFIX


def _start(held: bytes) -> int:
    """Where a frame begins, or may begin with what is still to come."""
    at = held.find(b"\0\0")
    while at >= 0:
        if held[at + 2 : at + 4] in _BEGUN:
            return at
        at = held.find(b"\0\0", at + 1)
    return len(held) - 1 if held[-1:] == b"\0" else len(held)
